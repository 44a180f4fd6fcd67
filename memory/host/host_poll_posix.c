#include "host_poll.h"
#include <poll.h>

_Static_assert(sizeof(HostPoll) == sizeof(struct pollfd) &&
                   offsetof(HostPoll, fd) == offsetof(struct pollfd, fd) &&
                   offsetof(HostPoll, events) == offsetof(struct pollfd, events) &&
                   offsetof(HostPoll, revents) == offsetof(struct pollfd, revents),
               "the same structure");
_Static_assert(POLLIN == HOST_POLL_INPUT && POLLPRI == HOST_POLL_URGENT &&
                   POLLOUT == HOST_POLL_OUTPUT && POLLERR == HOST_POLL_ERROR &&
                   POLLHUP == HOST_POLL_CLOSED,
               "the same events");

int host_poll(HostPoll *files, size_t count, int milliseconds) {
    return poll((struct pollfd *)files, (nfds_t)count, milliseconds);
}
