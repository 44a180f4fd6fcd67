/* What the files of the guest's coverage share. */
#ifndef REPRISE_GUEST_COVERAGE_INTERNAL_H
#define REPRISE_GUEST_COVERAGE_INTERNAL_H

#include "guest_coverage.h"
#include "guest_lines.h"
#include "guest_symbols.h"
#include <stdio.h>

typedef struct CoveredFile {
    const char *path;
    GuestSymbols symbols;
    GuestLines lines;
} CoveredFile;

struct GuestCoverage {
    const GuestCoverageOptions *options;
    CodeCoverage *executed;
    CodeProfile *profile;
    FILE *coverage_output, *profile_output; /* NULL: not wanted */
    CoveredFile file[GUEST_COVERAGE_FILES];
    unsigned file_count;
};

/* guest_coverage_lcov.c */
void guest_coverage_write_lcov(const GuestCoverage *coverage, FILE *output);
/* guest_coverage_profile.c */
void guest_coverage_write_profile(const GuestCoverage *coverage, FILE *output);

#endif
