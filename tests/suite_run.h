/* What every test program's main() ends with. */
#ifndef REPRISE_SUITE_RUN_H
#define REPRISE_SUITE_RUN_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

/* Is the whole program run by an emulator (cross builds)? Then it is slow, and starts no program.
 */
static inline bool suite_is_emulated(void) {
    return getenv("REPRISE_EMULATED") != NULL;
}

/* Runs the suite and frees it. Gives the exit status of the program: 0, or 1 if a test failed.
 * CK_VERBOSITY, CK_FORK and CK_RUN_CASE of the environment are Check's own. */
static inline int suite_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
