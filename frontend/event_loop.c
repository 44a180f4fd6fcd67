#include "event_loop.h"
#include "host_file.h"

bool event_loop_init(EventLoop *loop, Error *error) {
    *loop = (EventLoop){.wake = {-1, -1}};
    for (int i = 0; i < EVENT_LOOP_FILES; i++)
        loop->files[i].fd = -1;
    return host_event_create(&loop->wake, error);
}

void event_loop_destroy(EventLoop *loop) {
    host_event_destroy(&loop->wake);
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

static void serve(EventLoop *loop, const HostPoll *polled, const int *places, int count) {
    for (int i = 0; i < count; i++) {
        struct EventFile *file = &loop->files[places[i]];
        /* A callback before this one may have removed the file, or put another in its place. */
        if (polled[i].revents != 0 && file->fd == polled[i].fd)
            file->ready(file->opaque, file->fd);
    }
}

void event_loop_run_once(EventLoop *loop, int milliseconds) {
    HostPoll polled[EVENT_LOOP_FILES + 1];
    int places[EVENT_LOOP_FILES];
    int count = 0;
    for (int i = 0; i < EVENT_LOOP_FILES; i++) {
        if (loop->files[i].fd >= 0) {
            polled[count] = (HostPoll){.fd = loop->files[i].fd, .events = loop->files[i].events};
            places[count++] = i;
        }
    }
    polled[count] = (HostPoll){.fd = loop->wake.fd, .events = HOST_POLL_INPUT};
    if (host_poll(polled, (size_t)count + 1, milliseconds) <= 0)
        return;
    if (polled[count].revents != 0 && !host_event_take(&loop->wake))
        return; /* somebody else's signal; nothing to serve that a next round would not see */
    serve(loop, polled, places, count);
}

void event_loop_wake(EventLoop *loop) {
    host_event_set(&loop->wake);
}
