#include "event_loop.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool event_loop_init(EventLoop *loop, Error *error) {
    *loop = (EventLoop){.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    for (int i = 0; i < EVENT_LOOP_FILES; i++)
        loop->files[i].fd = -1;
    return loop->wake_fd >= 0 || error_set(error, "no event descriptor: %s", strerror(errno));
}

void event_loop_destroy(EventLoop *loop) {
    close(loop->wake_fd);
}

bool event_loop_add(EventLoop *loop, int fd, void (*ready)(void *opaque, int fd), void *opaque) {
    for (int i = 0; i < EVENT_LOOP_FILES; i++) {
        if (loop->files[i].fd < 0) {
            loop->files[i] = (struct EventFile){fd, EVENT_LOOP_INPUT, ready, opaque};
            return true;
        }
    }
    return false;
}

void event_loop_set_events(EventLoop *loop, int fd, short events) {
    for (int i = 0; i < EVENT_LOOP_FILES; i++) {
        if (loop->files[i].fd == fd)
            loop->files[i].events = events;
    }
}

void event_loop_remove(EventLoop *loop, int fd) {
    for (int i = 0; i < EVENT_LOOP_FILES; i++) {
        if (loop->files[i].fd == fd)
            loop->files[i].fd = -1;
    }
}

static void serve(EventLoop *loop, const struct pollfd *polled, const int *places, int count) {
    for (int i = 0; i < count; i++) {
        struct EventFile *file = &loop->files[places[i]];
        /* A callback before this one may have removed the file, or put another in its place. */
        if (polled[i].revents != 0 && file->fd == polled[i].fd)
            file->ready(file->opaque, file->fd);
    }
}

void event_loop_run_once(EventLoop *loop, int milliseconds) {
    struct pollfd polled[EVENT_LOOP_FILES + 1];
    int places[EVENT_LOOP_FILES];
    int count = 0;
    for (int i = 0; i < EVENT_LOOP_FILES; i++) {
        if (loop->files[i].fd >= 0) {
            polled[count] =
                (struct pollfd){.fd = loop->files[i].fd, .events = loop->files[i].events};
            places[count++] = i;
        }
    }
    polled[count] = (struct pollfd){.fd = loop->wake_fd, .events = POLLIN};
    if (poll(polled, (nfds_t)count + 1, milliseconds) <= 0)
        return;
    uint64_t wakes;
    if (polled[count].revents != 0 && read(loop->wake_fd, &wakes, sizeof(wakes)) < 0)
        return; /* somebody else's signal; nothing to serve that a next round would not see */
    serve(loop, polled, places, count);
}

void event_loop_wake(EventLoop *loop) {
    uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof(one));
    (void)written; /* fails only if as many wakes wait already as fit */
}
