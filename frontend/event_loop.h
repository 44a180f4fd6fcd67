/* The main thread's loop: waits for file descriptors and calls back. One per program. */
#ifndef REPRISE_EVENT_LOOP_H
#define REPRISE_EVENT_LOOP_H

#include "error.h"
#include "host_poll.h"
#include <stdbool.h>

#define EVENT_LOOP_FILES 64

typedef struct EventLoop {
    struct EventFile {
        int fd; /* -1: free */
        short events;
        void (*ready)(void *opaque, int fd);
        void *opaque;
    } files[EVENT_LOOP_FILES];
    HostEvent wake;
} EventLoop;

/* For event_loop_set_events(): what 'ready' is called for. */
#define EVENT_LOOP_INPUT HOST_POLL_INPUT
#define EVENT_LOOP_OUTPUT HOST_POLL_OUTPUT

bool event_loop_init(EventLoop *loop, Error *error);
void event_loop_destroy(EventLoop *loop);

/* Calls 'ready' whenever 'fd' can be read or was closed at its other end. False if the table is
 * full. */
bool event_loop_add(EventLoop *loop, int fd, void (*ready)(void *opaque, int fd), void *opaque);
/* Calls 'ready' for these instead, EVENT_LOOP_INPUT at first; what was closed at its other end is
 * told in any case. */
void event_loop_set_events(EventLoop *loop, int fd, short events);
void event_loop_remove(EventLoop *loop, int fd);

/* Waits up to 'milliseconds' (-1: for ever) for anything, and serves it. */
void event_loop_run_once(EventLoop *loop, int milliseconds);

/* Ends a wait; any thread, and a signal handler, may call it. */
void event_loop_wake(EventLoop *loop);

#endif
