/* See test_command.h. */
#include "test_command.h"
#include "test_options.h"
#include "test_run.h"

#include <stdio.h>

static bool run(TestOptions *options, ScriptStatus *status, Error *error) {
    if (!guest_coverage_is_wanted(&options->coverage))
        return test_run_scripts(options, status, error);
    options->guest_coverage = guest_coverage_open(&options->coverage, NULL, error);
    bool good = options->guest_coverage != NULL && test_run_scripts(options, status, error);
    Error unwritten = {.set = false};
    if (!guest_coverage_finish(options->guest_coverage, &unwritten) && good) {
        *status = SCRIPT_ERROR;
        good = error_set(error, "%s", unwritten.message);
    }
    return good;
}

int test_command(const char *program, int argc, char **argv, Error *error) {
    TestOptions options;
    ScriptStatus status = SCRIPT_USAGE;
    if (test_options_parse(&options, program, argc, argv, error)) {
        if (options.show_help) {
            test_options_print_help(stdout);
            status = SCRIPT_PASSED;
        } else {
            run(&options, &status, error);
        }
    }
    test_options_free(&options);
    return status;
}
