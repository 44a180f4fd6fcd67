/* A build without json-c. */
#include "qmp.h"

static void *open_part(Program *program, Error *error) {
    for (int i = 0; i < program->settings->monitor_count; i++) {
        if (program->settings->monitor_is_control[i]) {
            error_set(error, "this build has no QMP: it was made without json-c");
            return NULL;
        }
    }
    return program;
}

static void do_nothing(void *part) {
    (void)part;
}

const ProgramPart qmp_program_part = {open_part, do_nothing, do_nothing};
