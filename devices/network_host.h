/* Waiting for the host's sockets on behalf of a machine whose thread never waits for them.
 *
 * Clients are back ends. All their work is done on the machine's thread, while it serves its input
 * door, and never blocks; a thread of our own only sleeps in poll() and wakes the machine. */
#ifndef REPRISE_NETWORK_HOST_H
#define REPRISE_NETWORK_HOST_H

#include "error.h"
#include "host_poll.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct NetworkHost NetworkHost;

/* What is to be waited for. */
typedef struct NetworkPollSet {
    HostPoll *files;
    size_t count, capacity;
} NetworkPollSet;

/* Returns the place in 'files'. */
int network_poll_set_add(NetworkPollSet *set, int file, short events);

typedef struct NetworkHostClient {
    void (*fill)(void *opaque, NetworkPollSet *set);
    /* After poll(): the events are in what fill() added. */
    void (*serve)(void *opaque, const NetworkPollSet *set);
    void *opaque;
} NetworkHostClient;

/* 'wake' is called by any thread when network_host_serve() has something to do. */
NetworkHost *network_host_create(void (*wake)(void *opaque), void *opaque, Error *error);
void network_host_destroy(NetworkHost *host);

void network_host_add(NetworkHost *host, const NetworkHostClient *client);
void network_host_remove(NetworkHost *host, const void *opaque);

/* Is there any client? Without, nothing of the host can wake the machine. */
bool network_host_is_used(const NetworkHost *host);

/* What a client waits for may have changed. On the machine's thread. */
void network_host_touch(NetworkHost *host);
/* Does what there is to do; free where there is nothing. On the machine's thread. */
void network_host_serve(NetworkHost *host);

#endif
