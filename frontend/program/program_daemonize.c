/* -daemonize: the program as a process of its own in the background. The process is made before
 * anything is opened or any thread is made. */
#include "host_process.h"
#include "program.h"

bool program_daemonize_begin(Program *program, Error *error) {
    return host_process_begin_background(&program->ready_fd, error);
}

void program_daemonize_end(Program *program) {
    host_process_enter_background(&program->ready_fd);
}
