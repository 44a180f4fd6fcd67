/* An event is a pipe. Not run yet. */
#include "host_poll.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool host_event_create(HostEvent *event, Error *error) {
    int ends[2];
    *event = (HostEvent){.fd = -1, .other = -1};
    if (pipe(ends) != 0)
        return error_set(error, "no event descriptor: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    *event = (HostEvent){.fd = ends[0], .other = ends[1]};
    return true;
}

void host_event_destroy(HostEvent *event) {
    if (event->fd >= 0)
        close(event->fd);
    if (event->other >= 0)
        close(event->other);
    event->fd = event->other = -1;
}

void host_event_set(const HostEvent *event) {
    ssize_t written = write(event->other, "", 1);
    (void)written; /* fails only if it was set as often as fits */
}

bool host_event_take(const HostEvent *event) {
    char bytes[64];
    bool any = false;
    while (read(event->fd, bytes, sizeof(bytes)) > 0)
        any = true;
    return any;
}
