/* See test_command.h. */
#include "test_command.h"
#include "test_options.h"
#include "test_run.h"

#include <stdio.h>

int test_command(const char *program, int argc, char **argv, Error *error) {
    TestOptions options;
    ScriptStatus status = SCRIPT_USAGE;
    if (test_options_parse(&options, program, argc, argv, error)) {
        if (options.show_help) {
            test_options_print_help(stdout);
            status = SCRIPT_PASSED;
        } else {
            test_run_scripts(&options, &status, error);
        }
    }
    test_options_free(&options);
    return status;
}
