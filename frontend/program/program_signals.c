/* SIGTERM, SIGINT and SIGHUP end the program in order, as closing the window does: a descriptor
 * reports them to the event loop, so that no handler runs in the middle of anything. */
#define _GNU_SOURCE
#include "program.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ending_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

static void signal_arrived(void *opaque, int fd) {
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof(info)) == sizeof(info))
        program_quit_for(opaque, MACHINE_CAUSE_HOST_SIGNAL);
}

void program_signals_install(Program *program) {
    sigset_t set = ending_signals();
    signal(SIGPIPE, SIG_IGN);
    program->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (program->signal_fd < 0)
        return; /* then they end the process at once, as by default */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    event_loop_add(&program->loop, program->signal_fd, signal_arrived, program);
}

void program_signals_remove(Program *program) {
    if (program->signal_fd < 0)
        return;
    event_loop_remove(&program->loop, program->signal_fd);
    close(program->signal_fd);
}
