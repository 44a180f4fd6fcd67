#define _GNU_SOURCE
#include "host_file.h"
#include "host_process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#ifdef __APPLE__
extern char **environ;
#endif

/* ---- In the background ---- */

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

bool host_process_begin_background(int *ready, Error *error) {
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
    host_file_keep_private(ends[1]);
    *ready = ends[1];
    setsid();
    return true;
}

void host_process_enter_background(int *ready) {
    if (*ready < 0)
        return;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; nowhere >= 0 && fd < 3; fd++)
        dup2(nowhere, fd);
    if (chdir("/") != 0) {
        /* then a file system stays in use: no reason to end */
    }
    ssize_t written = write(*ready, "", 1);
    (void)written; /* the parent may be gone: nobody waits then */
    close(*ready);
    *ready = -1;
}

/* ---- Other programs ---- */

bool host_process_start_shell(const char *command, bool reads, HostChild *child, int *fd,
                              Error *error) {
    int ends[2];
    if (pipe(ends) != 0)
        return error_set(error, "cannot make a pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++)
        host_file_keep_private(ends[i]);
    int own = reads ? 1 : 0;
    char *const words[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    pid_t process;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1 - own], reads ? 0 : 1);
    int failure = posix_spawn(&process, "/bin/sh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1 - own]);
    *fd = ends[own];
    *child = failure == 0 ? process : 0;
    return failure == 0 ||
           error_set(error, "cannot start '%.100s': %s", command, strerror(failure));
}

bool host_process_start_self(char *const *words, HostChild *child) {
    posix_spawn_file_actions_t actions;
    char program[4096];
    pid_t process;
    if (!host_file_find_program(program, sizeof(program)))
        return false;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    bool good = posix_spawn(&process, program, &actions, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    *child = good ? process : 0;
    return good;
}

bool host_process_has_ended(HostChild child, bool waits, int *status) {
    int how = 0;
    pid_t ended;
    do {
        ended = waitpid((pid_t)child, &how, waits ? 0 : WNOHANG);
    } while (ended < 0 && errno == EINTR);
    *status = ended == child && WIFEXITED(how) ? WEXITSTATUS(how) : ended == child ? -1 : 0;
    return ended != 0;
}

void host_process_kill(HostChild child) {
    kill((pid_t)child, SIGKILL);
}

bool host_process_run(const char *program, const char *word) {
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, word, (char *)NULL);
        _exit(127);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
