/* -daemonize: the program as a process of its own in the background. The fork comes before anything
 * is opened or any thread is made. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing comes where the child failed; then it has said why. */
static _Noreturn void wait_for_child(int fd, pid_t child) {
    char ready;
    ssize_t count;
    int status = 0;
    do {
        count = read(fd, &ready, 1);
    } while (count < 0 && errno == EINTR);
    if (count != 1)
        waitpid(child, &status, 0);
    _exit(count == 1 ? 0 : WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

bool program_daemonize_begin(Program *program, Error *error) {
    int ends[2];
    if (pipe(ends) != 0)
        return error_set(error, "cannot make a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        return error_set(error, "cannot make a process: %s", strerror(errno));
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0], child);
    }
    close(ends[0]);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    program->ready_fd = ends[1];
    setsid();
    return true;
}

void program_daemonize_end(Program *program) {
    if (program->ready_fd < 0)
        return;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; nowhere >= 0 && fd < 3; fd++)
        dup2(nowhere, fd);
    if (chdir("/") != 0) {
        /* then a file system stays in use: no reason to end */
    }
    ssize_t written = write(program->ready_fd, "", 1);
    (void)written; /* the parent may be gone: nobody waits then */
    close(program->ready_fd);
    program->ready_fd = -1;
}
