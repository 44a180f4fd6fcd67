/* What runs of a guest's code, without an agent in the guest: which of it was executed, as a trace
 * file of lcov, and where its instructions go, as a flat profile. One for a process; machines share
 * it. */
#ifndef REPRISE_GUEST_COVERAGE_H
#define REPRISE_GUEST_COVERAGE_H

#include "error.h"
#include "translator.h"
#include <stdbool.h>

enum { GUEST_COVERAGE_FILES = 16 };

typedef struct GuestCoverageOptions {
    const char *coverage_path, *profile_path;  /* NULL: not wanted */
    const char *symbols[GUEST_COVERAGE_FILES]; /* ELF files and maps */
    unsigned symbols_count;
} GuestCoverageOptions;

typedef struct GuestCoverage GuestCoverage;

/* Does somebody want any? */
bool guest_coverage_is_wanted(const GuestCoverageOptions *options);

/* Opens the files to write, which loses their content, and reads the others. Where no symbols are
 * named those of 'kernel' serve, if it is an ELF file; it may be NULL. NULL with a message if a
 * file cannot be used; '*options' and 'kernel' must outlive the coverage. */
GuestCoverage *guest_coverage_open(const GuestCoverageOptions *options, const char *kernel,
                                   Error *error);

/* A machine with these options is looked at. */
void guest_coverage_attach(const GuestCoverage *coverage, TranslatorOptions *options);

/* Writes the files and frees everything. After the last machine was destroyed; NULL is allowed. */
bool guest_coverage_finish(GuestCoverage *coverage, Error *error);

#endif
