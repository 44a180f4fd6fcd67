/* The channel that a machine moves by: a socket, a pipe or file that was handed over, a program. */
#ifndef REPRISE_MIGRATION_CHANNEL_H
#define REPRISE_MIGRATION_CHANNEL_H

#include "error.h"
#include "host_process.h"
#include <stddef.h>
#include <stdint.h>

typedef struct MigrationChannel {
    int fd;                /* -1: not yet */
    int listener;          /* -1: none */
    char *unlink;          /* the listener's socket file; NULL: none */
    char *to;              /* "tcp:" or "unix:" and where to connect to; NULL: nowhere */
    HostChild child;       /* of "exec:"; 0: none */
    bool two_way;          /* answers come back */
    bool is_local;         /* its other end is a process of this host */
    const bool *cancelled; /* atomic: no wait goes on */
} MigrationChannel;

/* How waiting for the other end went. */
typedef enum ChannelResult {
    CHANNEL_GOOD,
    CHANNEL_ENDED,     /* the other end closed it */
    CHANNEL_BROKEN,    /* the connection failed */
    CHANNEL_CANCELLED, /* *cancelled */
    CHANNEL_LATE,      /* the time was up */
} ChannelResult;

/* Does what can be done at once: starts a program, takes a descriptor, listens. 'file': of
 * "fd:NAME", or -1. Main thread. */
bool migration_channel_open(MigrationChannel *channel, const char *address, int file, bool incoming,
                            const bool *cancelled, Error *error);
/* Whether the address is of a known kind. */
bool migration_channel_check(const char *address, Error *error);

/* Connects, or waits for somebody who does. The others are for the moving thread, too. */
bool migration_channel_connect(MigrationChannel *channel, Error *error);
/* All of it. 'urgent': a wait is not cancelled. */
ChannelResult migration_channel_send(MigrationChannel *channel, const void *data, size_t size,
                                     bool urgent, Error *error);
/* At least one byte, within so many milliseconds (-1: for ever). */
ChannelResult migration_channel_receive(MigrationChannel *channel, void *data, size_t size,
                                        size_t *received, int64_t wait_ms, bool urgent,
                                        Error *error);
/* Closes it, and waits for the program at its end, which must succeed. */
bool migration_channel_finish(MigrationChannel *channel, Error *error);
void migration_channel_close(MigrationChannel *channel);

#endif
