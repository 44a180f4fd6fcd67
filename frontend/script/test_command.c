/* See test_command.h. */
#include "test_command.h"
#include "script.h"
#include "test_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every script is looked at before the first one runs: a slip in the last need not wait for it. */
static Script **load_scripts(const TestOptions *options, Error *error) {
    Script **scripts = calloc((size_t)options->file_count, sizeof(Script *));
    bool good = scripts != NULL;
    for (int i = 0; good && i < options->file_count; i++) {
        scripts[i] = script_create(options, options->files[i], error);
        good = scripts[i] != NULL && script_load(scripts[i], error);
    }
    for (int i = 0; scripts != NULL && !good && i < options->file_count; i++)
        script_destroy(scripts[i]);
    if (good)
        return scripts;
    free(scripts);
    return NULL;
}

static ScriptStatus run_script(Script *script) {
    ByteBuffer message = {.data = NULL};
    ScriptStatus status = script_run(script, &message);
    if (message.size > 0)
        fprintf(stderr, "%s\n", (const char *)message.data);
    printf("%s %s\n", status == SCRIPT_PASSED ? "ok" : "not ok", script->file);
    byte_buffer_free(&message);
    return status;
}

static int run_all(const TestOptions *options, Error *error) {
    ScriptStatus status = SCRIPT_PASSED;
    Script **scripts = load_scripts(options, error);
    if (scripts == NULL)
        return SCRIPT_USAGE;
    for (int i = 0; i < options->file_count; i++) {
        status = script_worse_status(status, run_script(scripts[i]));
        script_destroy(scripts[i]);
    }
    free(scripts);
    return status;
}

int test_command(const char *program, int argc, char **argv, Error *error) {
    TestOptions options;
    int status = SCRIPT_USAGE;
    if (test_options_parse(&options, program, argc, argv, error)) {
        if (options.show_help) {
            test_options_print_help(stdout);
            status = SCRIPT_PASSED;
        } else {
            status = run_all(&options, error);
        }
    }
    test_options_free(&options);
    return status;
}
