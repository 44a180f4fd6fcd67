/* What the command line of 'reprise test' says: its own options, the words for every machine, the
 * scripts. */
#ifndef REPRISE_TEST_OPTIONS_H
#define REPRISE_TEST_OPTIONS_H

#include "clock.h"
#include "error.h"
#include "guest_coverage.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct TestVariable {
    const char *name, *value;
} TestVariable;

typedef struct TestOptions {
    const char *program; /* argv[0] */
    const char **files;
    int file_count;
    const char **machine_words; /* options for every machine */
    int machine_word_count;
    TestVariable *variables; /* --var */
    int variable_count;
    int jobs;                          /* --jobs; 0: as many as there are cores */
    const char *filter;                /* --filter; NULL: all tests */
    const char *out;                   /* --out; NULL: the standard folder */
    bool tap;                          /* --tap */
    const char *junit;                 /* --junit; NULL without */
    const char *hash_log, *hash_check; /* --hash-log, --hash-check; NULL without */
    struct HashLog *hashes;            /* hash_log.h; NULL without both */
    bool list;                         /* --list */
    bool fail_fast;                    /* --fail-fast */
    int repeat;                        /* --repeat; 0 without */
    GuestCoverageOptions coverage;     /* --coverage, --profile, --symbols; for back traces too */
    struct GuestCoverage *guest_coverage; /* of all machines; NULL without the first two */
    int64_t time_limit_ns;                /* --time-limit; 0: none */
    int64_t deadline_ns;                  /* of the host's clock; INT64_MAX: none */
    ClockPerturbation perturbation;       /* --perturb: of the first of --repeat, then counted on */
    bool show_help;
    char **strings; /* that parsing made */
    int string_count;
} TestOptions;

/* Sorts argv[0..] into '*options'. False: 'error' says in one line what is wrong. */
bool test_options_parse(TestOptions *options, const char *program, int argc, char **argv,
                        Error *error);
void test_options_free(TestOptions *options);
void test_options_print_help(FILE *output);

#endif
