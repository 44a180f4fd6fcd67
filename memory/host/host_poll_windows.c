/* Sockets are waited for by WSAPoll(); pipes and the console, for which Windows has nothing of that
 * kind, are looked at every few milliseconds. An event is a pair of connected sockets. */
#include "host_clock.h"
#include "host_file.h"
#include "host_poll.h"
#include "host_socket.h"
#include "host_windows.h"

#define LOOK_MS 5
#define POLL_MAX 256

_Static_assert(POLLERR != HOST_POLL_ERROR, "translated by events_of()");

static bool is_socket(int file) {
    int type, size = sizeof(type);
    return getsockopt((SOCKET)_get_osfhandle(file), SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

static short events_of(short told) {
    return (short)(((told & POLLRDNORM) != 0 ? HOST_POLL_INPUT : 0) |
                   ((told & POLLWRNORM) != 0 ? HOST_POLL_OUTPUT : 0) |
                   ((told & POLLERR) != 0 ? HOST_POLL_ERROR : 0) |
                   ((told & (POLLHUP | POLLNVAL)) != 0 ? HOST_POLL_CLOSED : 0));
}

/* Is there a key in the console's queue? What else is there is thrown away. */
static bool has_key(HANDLE console) {
    INPUT_RECORD record;
    DWORD count;
    while (PeekConsoleInputW(console, &record, 1, &count) && count == 1) {
        if (record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown &&
            record.Event.KeyEvent.uChar.UnicodeChar != 0)
            return true;
        ReadConsoleInputW(console, &record, 1, &count);
    }
    return false;
}

/* Of what is no socket. */
static short look_at(const HostPoll *file) {
    HANDLE handle = host_windows_handle(file->fd);
    short ready = (short)(file->events & HOST_POLL_OUTPUT);
    DWORD mode, count = 0;
    if ((file->events & HOST_POLL_INPUT) == 0)
        return ready;
    switch (GetFileType(handle)) {
    case FILE_TYPE_PIPE:
        if (!PeekNamedPipe(handle, NULL, 0, NULL, &count, NULL))
            return (short)(ready | HOST_POLL_INPUT | HOST_POLL_CLOSED);
        return (short)(ready | (count > 0 ? HOST_POLL_INPUT : 0));
    case FILE_TYPE_CHAR:
        if (GetConsoleMode(handle, &mode) && !has_key(handle))
            return ready;
        break;
    default:
        break;
    }
    return (short)(ready | HOST_POLL_INPUT);
}

typedef struct Sockets {
    WSAPOLLFD polled[POLL_MAX];
    size_t place[POLL_MAX];
    ULONG count;
} Sockets;

static void poll_sockets(HostPoll *files, Sockets *sockets, int milliseconds) {
    if (sockets->count == 0) {
        if (milliseconds != 0)
            host_clock_sleep_ns((int64_t)milliseconds * 1000000);
        return;
    }
    if (WSAPoll(sockets->polled, sockets->count, milliseconds) <= 0)
        return;
    for (ULONG i = 0; i < sockets->count; i++)
        files[sockets->place[i]].revents = events_of(sockets->polled[i].revents);
}

static int count_ready(const HostPoll *files, size_t count) {
    int ready = 0;
    for (size_t i = 0; i < count; i++)
        ready += files[i].revents != 0;
    return ready;
}

int host_poll(HostPoll *files, size_t count, int milliseconds) {
    Sockets sockets = {.count = 0};
    bool others = false;
    for (size_t i = 0; i < count; i++) {
        files[i].revents = 0;
        if (files[i].fd >= 0 && is_socket(files[i].fd) && sockets.count < POLL_MAX) {
            short wanted = (short)((files[i].events & HOST_POLL_INPUT ? POLLRDNORM : 0) |
                                   (files[i].events & HOST_POLL_OUTPUT ? POLLWRNORM : 0));
            sockets.polled[sockets.count] =
                (WSAPOLLFD){.fd = (SOCKET)_get_osfhandle(files[i].fd), .events = wanted};
            sockets.place[sockets.count++] = i;
        } else if (files[i].fd >= 0) {
            others = true;
        }
    }
    int64_t end_ns = host_clock_ns() + (int64_t)milliseconds * 1000000;
    for (;;) {
        bool is_socket_place[POLL_MAX] = {false};
        for (ULONG i = 0; i < sockets.count; i++)
            if (sockets.place[i] < POLL_MAX)
                is_socket_place[sockets.place[i]] = true;
        for (size_t i = 0; others && i < count && i < POLL_MAX; i++)
            if (files[i].fd >= 0 && !is_socket_place[i])
                files[i].revents = look_at(&files[i]);
        int ready = count_ready(files, count);
        int64_t left_ms =
            milliseconds < 0 ? LOOK_MS : (end_ns - host_clock_ns() + 999999) / 1000000;
        if (ready > 0 || left_ms < 0)
            left_ms = 0;
        int wait_ms = milliseconds < 0 && !others && ready == 0 ? -1
                      : others && left_ms > LOOK_MS             ? LOOK_MS
                                                                : (int)left_ms;
        poll_sockets(files, &sockets, wait_ms);
        ready = count_ready(files, count);
        if (ready > 0 || (milliseconds >= 0 && host_clock_ns() >= end_ns))
            return ready;
    }
}

bool host_event_create(HostEvent *event, Error *error) {
    return host_socket_pair(&event->fd, &event->other, error);
}

void host_event_destroy(HostEvent *event) {
    if (event->fd >= 0)
        close(event->fd);
    if (event->other >= 0)
        close(event->other);
    event->fd = event->other = -1;
}

void host_event_set(const HostEvent *event) {
    host_socket_send(event->other, "", 1);
}

bool host_event_take(const HostEvent *event) {
    char bytes[64];
    bool any = false;
    while (host_socket_receive(event->fd, bytes, sizeof(bytes)) > 0)
        any = true;
    return any;
}
