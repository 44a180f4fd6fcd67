/* See lockstep_command.h. */
#include "lockstep_command.h"
#include "command_line.h"
#include "lockstep.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_DIFFER = 6, DEFAULT_INSTRUCTIONS = 50000000 };

static bool read_number(const char *text, uint64_t *value, Error *error) {
    char *end;
    *value = strtoull(text, &end, 0);
    if (end == text || *end != 0)
        return error_set(error, "'%s' is not a number", text);
    return true;
}

/* Takes the verb's own options; '*used' of argv were theirs. */
static bool read_options(int argc, char **argv, LockstepOptions *options, int *used, Error *error) {
    int i = 0;
    while (i + 1 < argc && strncmp(argv[i], "--", 2) == 0) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--instructions") == 0) {
            if (!read_number(value, &options->instructions, error))
                return false;
        } else if (strcmp(name, "--step") == 0) {
            if (!read_number(value, &options->step, error))
                return false;
        } else if (strcmp(name, "--keys") == 0) {
            options->keys = value;
        } else if (strcmp(name, "--corrupt") == 0) {
            if (!translator_find_uop(value, &options->tested.corrupt_uop))
                return error_set(error, "--corrupt %s: no such micro-op", value);
        } else {
            return error_set(error,
                             "%s: not an option of 'reprise lockstep' (--instructions, --step, "
                             "--keys, --corrupt)",
                             name);
        }
        i += 2;
    }
    *used = i;
    return true;
}

int lockstep_command(Settings *settings, int argc, char **argv, Error *error) {
    LockstepOptions options = {
        .instructions = DEFAULT_INSTRUCTIONS,
        .reference = {.backend = BACKEND_PORTABLE},
    };
    int used = 0;
    if (!read_options(argc, argv, &options, &used, error))
        return 1;
    /* command_line_parse() skips the program's name. */
    if (!command_line_parse(settings, argc - used + 1, argv + used - 1, error))
        return 1;
    uint8_t corrupt_uop = options.tested.corrupt_uop;
    options.tested = settings->machine.translator; /* as -accel says */
    options.tested.corrupt_uop = corrupt_uop;
    ByteBuffer report = {0};
    LockstepResult result = lockstep_run(&settings->machine, &options, &report, error);
    if (report.size > 0)
        fputs((const char *)report.data, stdout);
    byte_buffer_free(&report);
    return result == LOCKSTEP_AGREE ? 0 : result == LOCKSTEP_DIFFER ? STATUS_DIFFER : 1;
}
