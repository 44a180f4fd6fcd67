#define _GNU_SOURCE
#include "migration_channel.h"
#include "allocate.h"
#include "host_clock.h"
#include "host_file.h"
#include "host_poll.h"
#include "host_socket.h"
#include "host_string.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100 /* how often a wait looks whether it is to end */
/* A network that carries nothing for so long is taken for broken. */
#define NETWORK_PATIENCE_MS 30000
#define HOST_BYTES 256

static int64_t now_ms(void) {
    return host_clock_ns() / 1000000;
}

static bool is_cancelled(const MigrationChannel *channel) {
    return __atomic_load_n(channel->cancelled, __ATOMIC_ACQUIRE);
}

/* ---- Opening ---- */

/* "exec:COMMAND": a pipe to or from a program. */
static bool open_program(MigrationChannel *channel, const char *command, bool incoming,
                         Error *error) {
    return host_process_start_shell(command, !incoming, &channel->child, &channel->fd, error);
}

static bool open_descriptor(MigrationChannel *channel, const char *name, int file, Error *error) {
    char *end;
    long number = strtol(name, &end, 10);
    bool is_number = end != name && *end == '\0' && number >= 0 && number <= 0xFFFF;
    channel->fd = file >= 0 ? file : is_number ? (int)number : -1;
    if (channel->fd >= 0 && host_file_keep_private(channel->fd))
        return true;
    channel->fd = -1;
    return error_set(error, "File descriptor named '%.100s' has not been found", name);
}

/* "HOST:PORT", "[ADDRESS]:PORT"; what follows a comma are options of others. */
static bool split_address(const char *text, char host[HOST_BYTES], char port[32], Error *error) {
    size_t length = strcspn(text, ",");
    const char *colon = memrchr(text, ':', length);
    size_t host_length = colon != NULL ? (size_t)(colon - text) : 0;
    size_t port_length = colon != NULL ? length - host_length - 1 : 0;
    if (host_length >= 2 && text[0] == '[' && text[host_length - 1] == ']') {
        text++;
        host_length -= 2;
    }
    if (port_length == 0 || port_length >= 32 || host_length >= HOST_BYTES)
        return error_set(error, "'%.100s' is not HOST:PORT", text);
    snprintf(host, HOST_BYTES, "%.*s", (int)host_length, text);
    snprintf(port, 32, "%.*s", (int)port_length, colon + 1);
    return true;
}

static bool listen_at(MigrationChannel *channel, const char *address, Error *error) {
    char host[HOST_BYTES], port[32];
    if (strncmp(address, "tcp:", 4) == 0) {
        channel->listener = split_address(address + 4, host, port, error)
                                ? host_socket_listen_tcp(host, port, error)
                                : -1;
    } else {
        channel->listener = host_socket_listen_unix(address + 5, error);
        if (channel->listener >= 0)
            channel->unlink = strdup(address + 5);
    }
    return channel->listener >= 0;
}

bool migration_channel_check(const char *address, Error *error) {
    static const char *const kinds[] = {"tcp:", "unix:", "exec:", "fd:"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(address, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return error_set(error,
                     "tcp:HOST:PORT, unix:PATH, exec:COMMAND or fd:NAME is expected, not '%.100s'",
                     address);
}

bool migration_channel_open(MigrationChannel *channel, const char *address, int file, bool incoming,
                            const bool *cancelled, Error *error) {
    *channel = (MigrationChannel){.fd = -1, .listener = -1, .cancelled = cancelled};
    if (!migration_channel_check(address, error))
        return false;
    if (strncmp(address, "fd:", 3) == 0)
        return open_descriptor(channel, address + 3, file, error);
    if (strncmp(address, "exec:", 5) == 0)
        return open_program(channel, address + 5, incoming, error);
    if (incoming)
        return listen_at(channel, address, error);
    channel->to = strdup(address);
    return true;
}

/* ---- Connecting ---- */

/* CHANNEL_GOOD: something is to be done, or cannot be any more. */
static ChannelResult wait_for(const MigrationChannel *channel, int fd, short events,
                              int64_t wait_ms, bool urgent, Error *error) {
    HostPoll ready = {.fd = fd, .events = events};
    int64_t end_ms = now_ms() + wait_ms;
    while (urgent || !is_cancelled(channel)) {
        int64_t left_ms = wait_ms >= 0 ? end_ms - now_ms() : LOOK_MS;
        if (left_ms <= 0) {
            error_set(error, "the other end does not answer");
            return CHANNEL_LATE;
        }
        int count = host_poll(&ready, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
        if (count > 0)
            return CHANNEL_GOOD;
        if (count < 0 && errno != EINTR) {
            error_set(error, "poll: %s", strerror(errno));
            return CHANNEL_BROKEN;
        }
    }
    error_set(error, "it was cancelled");
    return CHANNEL_CANCELLED;
}

static bool wait_for_client(MigrationChannel *channel, Error *error) {
    while (wait_for(channel, channel->listener, HOST_POLL_INPUT, -1, false, error) ==
           CHANNEL_GOOD) {
        channel->fd = host_socket_accept(channel->listener);
        if (channel->fd >= 0)
            return true;
        if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED)
            return error_set(error, "cannot take a connection: %s", strerror(errno));
    }
    return false;
}

static bool connect_to(MigrationChannel *channel, Error *error) {
    char host[HOST_BYTES], port[32];
    if (strncmp(channel->to, "unix:", 5) == 0) {
        channel->fd = host_socket_connect_unix(channel->to + 5, error);
        return channel->fd >= 0;
    }
    if (!split_address(channel->to + 4, host, port, error))
        return false;
    channel->fd = host_socket_begin_connect_tcp(host, port, error);
    if (channel->fd < 0 || wait_for(channel, channel->fd, HOST_POLL_OUTPUT, NETWORK_PATIENCE_MS,
                                    false, error) != CHANNEL_GOOD)
        return false;
    int failure = host_socket_take_failure(channel->fd);
    return failure == 0 ||
           error_set(error, "cannot connect to '%.200s': %s", channel->to + 4, strerror(failure));
}

/* What the other end's process may be told from. */
static void look_at_socket(MigrationChannel *channel) {
    channel->two_way = host_socket_has_peer(channel->fd, &channel->is_local);
    if (!channel->two_way || channel->is_local)
        return;
    host_socket_set_patience(channel->fd, NETWORK_PATIENCE_MS);
    host_socket_hurry(channel->fd);
}

static void end_listening(MigrationChannel *channel) {
    if (channel->listener >= 0)
        close(channel->listener);
    channel->listener = -1;
    if (channel->unlink != NULL)
        unlink(channel->unlink);
    free(channel->unlink);
    channel->unlink = NULL;
}

bool migration_channel_connect(MigrationChannel *channel, Error *error) {
    bool good = channel->listener >= 0 ? wait_for_client(channel, error)
                : channel->to != NULL  ? connect_to(channel, error)
                                       : true;
    end_listening(channel);
    if (!good)
        return false;
    host_file_set_nonblocking(channel->fd);
    look_at_socket(channel);
    return true;
}

/* ---- Bytes ---- */

static bool may_try_again(void) {
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

ChannelResult migration_channel_send(MigrationChannel *channel, const void *data, size_t size,
                                     bool urgent, Error *error) {
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t count = channel->two_way ? host_socket_send(channel->fd, bytes, size)
                                         : write(channel->fd, bytes, size);
        if (count >= 0) {
            bytes += count;
            size -= (size_t)count;
        } else if (!may_try_again()) {
            error_set(error, "cannot write the state: %s", strerror(errno));
            return CHANNEL_BROKEN;
        }
        /* The guest does not wait for this thread, but a user who cancels does. */
        ChannelResult result = CHANNEL_GOOD;
        if (size > 0)
            result = wait_for(channel, channel->fd, HOST_POLL_OUTPUT,
                              channel->two_way ? NETWORK_PATIENCE_MS : -1, urgent, error);
        if (result != CHANNEL_GOOD)
            return result;
    }
    return CHANNEL_GOOD;
}

ChannelResult migration_channel_receive(MigrationChannel *channel, void *data, size_t size,
                                        size_t *received, int64_t wait_ms, bool urgent,
                                        Error *error) {
    for (;;) {
        ChannelResult result =
            wait_for(channel, channel->fd, HOST_POLL_INPUT, wait_ms, urgent, error);
        if (result != CHANNEL_GOOD)
            return result;
        ssize_t count = channel->two_way ? host_socket_receive(channel->fd, data, size)
                                         : read(channel->fd, data, size);
        *received = count > 0 ? (size_t)count : 0;
        if (count > 0)
            return CHANNEL_GOOD;
        if (count == 0)
            return CHANNEL_ENDED;
        if (!may_try_again()) {
            error_set(error, "cannot read the state: %s", strerror(errno));
            return CHANNEL_BROKEN;
        }
    }
}

/* The program at the other end has all there is when it ends; one that is given up is killed. */
bool migration_channel_finish(MigrationChannel *channel, Error *error) {
    int status = 0;
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
    while (channel->child != 0 && !host_process_has_ended(channel->child, false, &status)) {
        if (is_cancelled(channel))
            host_process_kill(channel->child);
        host_clock_sleep_ns(10000000);
    }
    bool had_child = channel->child != 0;
    channel->child = 0;
    if (had_child && is_cancelled(channel))
        return error_set(error, "it was cancelled");
    return status == 0 || error_set(error, "the program at the other end failed");
}

void migration_channel_close(MigrationChannel *channel) {
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
    end_listening(channel);
    free(channel->to);
    channel->to = NULL;
}
