/* SIGTERM, SIGINT and SIGHUP end the program in order, as closing the window does: a descriptor
 * reports them to the event loop, so that no handler runs in the middle of anything. */
#include "host_process.h"
#include "program.h"

static void end_asked(void *opaque, int fd) {
    Program *program = opaque;
    (void)fd;
    if (host_process_take_end(&program->end))
        program_quit_for(program, MACHINE_CAUSE_HOST_SIGNAL);
}

/* Where it cannot be caught they end the process at once, as by default. */
void program_signals_install(Program *program) {
    if (host_process_catch_end(&program->end))
        event_loop_add(&program->loop, program->end.fd, end_asked, program);
    else
        program->end.fd = -1;
}

void program_signals_remove(Program *program) {
    if (program->end.fd < 0)
        return;
    event_loop_remove(&program->loop, program->end.fd);
    host_process_release_end(&program->end);
}
