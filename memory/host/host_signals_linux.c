/* Signals come to a signalfd: no handler runs in the middle of anything. */
#define _GNU_SOURCE
#include "host_process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool host_process_catch_end(HostEvent *event) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    *event = (HostEvent){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .other = -1};
    if (event->fd < 0)
        return false;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return true;
}

bool host_process_take_end(const HostEvent *event) {
    struct signalfd_siginfo info;
    return read(event->fd, &info, sizeof(info)) == sizeof(info);
}

void host_process_release_end(HostEvent *event) {
    if (event->fd >= 0)
        close(event->fd);
    event->fd = -1;
}
