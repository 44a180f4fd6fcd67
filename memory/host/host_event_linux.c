/* An event is an eventfd. */
#include "host_poll.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool host_event_create(HostEvent *event, Error *error) {
    *event = (HostEvent){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .other = -1};
    return event->fd >= 0 || error_set(error, "no event descriptor: %s", strerror(errno));
}

void host_event_destroy(HostEvent *event) {
    if (event->fd >= 0)
        close(event->fd);
    event->fd = -1;
}

void host_event_set(const HostEvent *event) {
    uint64_t one = 1;
    ssize_t written = write(event->fd, &one, sizeof(one));
    (void)written; /* fails only if it was set as often as fits */
}

bool host_event_take(const HostEvent *event) {
    uint64_t count;
    return read(event->fd, &count, sizeof(count)) > 0;
}
