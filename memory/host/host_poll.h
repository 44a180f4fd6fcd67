/* Waiting for descriptors of any kind, and a descriptor that is waited for to be woken. */
#ifndef REPRISE_HOST_POLL_H
#define REPRISE_HOST_POLL_H

#include "error.h"
#include <stddef.h>

/* Values and layout are those of poll() where that exists. */
enum {
    HOST_POLL_INPUT = 1,
    HOST_POLL_URGENT = 2,
    HOST_POLL_OUTPUT = 4,
    HOST_POLL_ERROR = 8,  /* told, not asked for */
    HOST_POLL_CLOSED = 16 /* at its other end; told, not asked for */
};

typedef struct HostPoll {
    int fd; /* negative: left out */
    short events, revents;
} HostPoll;

/* Waits up to 'milliseconds' (-1: for ever) for one of them; gives how many have something. -1 with
 * errno, EINTR for example: nothing is told. */
int host_poll(HostPoll *files, size_t count, int milliseconds);

/* Can be waited for with HOST_POLL_INPUT; any thread, and a signal's handler, may set it. */
typedef struct HostEvent {
    int fd;    /* that is waited for */
    int other; /* that is written to, if it is another one */
} HostEvent;

bool host_event_create(HostEvent *event, Error *error);
void host_event_destroy(HostEvent *event);
void host_event_set(const HostEvent *event);
/* Was it set since the last time? It is not set any more. */
bool host_event_take(const HostEvent *event);

#endif
