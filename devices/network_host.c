#define _GNU_SOURCE
#include "network_host.h"
#include "allocate.h"
#include "host_file.h"
#include "host_thread.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 16 };

struct NetworkHost {
    void (*wake)(void *opaque);
    void *opaque;
    /* The machine's thread's own. */
    NetworkHostClient clients[CLIENTS];
    NetworkPollSet set;
    bool touched;
    /* Of both threads. */
    bool ready; /* atomic: something that is waited for came */
    pthread_t thread;
    bool has_thread;
    HostEvent changed; /* the watched set is another one, or it is time to end */
    pthread_mutex_t lock;
    pthread_cond_t armed_again;
    NetworkPollSet watched;
    bool armed, quit;
};

int network_poll_set_add(NetworkPollSet *set, int file, short events) {
    set->files = allocate_grow(set->files, &set->capacity, set->count + 1, sizeof(*set->files));
    set->files[set->count] = (HostPoll){.fd = file, .events = events};
    return (int)set->count++;
}

static bool is_same_set(const NetworkPollSet *a, const NetworkPollSet *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->files[i].fd != b->files[i].fd || a->files[i].events != b->files[i].events)
            return false;
    return true;
}

static void copy_set(NetworkPollSet *to, const NetworkPollSet *from) {
    to->count = 0;
    for (size_t i = 0; i < from->count; i++)
        network_poll_set_add(to, from->files[i].fd, from->files[i].events);
}

/* ---- The thread that waits ---- */

/* Waits until there is something to wait for. False: the end. */
static bool take_watched(NetworkHost *host, NetworkPollSet *own) {
    pthread_mutex_lock(&host->lock);
    while (!host->armed && !host->quit)
        pthread_cond_wait(&host->armed_again, &host->lock);
    bool more = !host->quit;
    copy_set(own, &host->watched);
    pthread_mutex_unlock(&host->lock);
    network_poll_set_add(own, host->changed.fd, HOST_POLL_INPUT);
    return more;
}

static void announce(NetworkHost *host) {
    pthread_mutex_lock(&host->lock);
    host->armed = false;
    pthread_mutex_unlock(&host->lock);
    __atomic_store_n(&host->ready, true, __ATOMIC_RELEASE);
    host->wake(host->opaque);
}

static void *watch(void *opaque) {
    NetworkHost *host = opaque;
    NetworkPollSet own = {.files = NULL};
    while (take_watched(host, &own)) {
        int found = host_poll(own.files, own.count, -1);
        bool changed =
            found > 0 && own.files[own.count - 1].revents != 0 && host_event_take(&host->changed);
        if (!changed && (found > 0 || errno != EINTR))
            announce(host);
    }
    free(own.files);
    return NULL;
}

static bool start_thread(NetworkHost *host) {
    host->has_thread = host_thread_create_quiet(&host->thread, watch, host);
    return host->has_thread;
}

/* The thread is told only of what it does not know. */
static void arm(NetworkHost *host) {
    bool was_armed, same;
    if (host->set.count == 0 || (!host->has_thread && !start_thread(host)))
        return;
    pthread_mutex_lock(&host->lock);
    was_armed = host->armed;
    same = is_same_set(&host->watched, &host->set);
    if (!same)
        copy_set(&host->watched, &host->set);
    host->armed = true;
    if (!was_armed)
        pthread_cond_signal(&host->armed_again);
    pthread_mutex_unlock(&host->lock);
    if (was_armed && !same)
        host_event_set(&host->changed);
}

/* ---- The machine's thread ---- */

bool network_host_is_used(const NetworkHost *host) {
    for (unsigned i = 0; i < CLIENTS; i++)
        if (host->clients[i].fill != NULL)
            return true;
    return false;
}

void network_host_touch(NetworkHost *host) {
    if (host->touched)
        return;
    host->touched = true;
    host->wake(host->opaque);
}

void network_host_serve(NetworkHost *host) {
    if (!host->touched && !__atomic_load_n(&host->ready, __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&host->ready, false, __ATOMIC_RELAXED);
    host->touched = false;
    host->set.count = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        if (host->clients[i].fill != NULL)
            host->clients[i].fill(host->clients[i].opaque, &host->set);
    if (host_poll(host->set.files, host->set.count, 0) > 0) {
        for (unsigned i = 0; i < CLIENTS; i++)
            if (host->clients[i].serve != NULL)
                host->clients[i].serve(host->clients[i].opaque, &host->set);
        network_host_touch(host); /* where something came, more may follow soon */
    } else {
        arm(host);
    }
}

NetworkHost *network_host_create(void (*wake)(void *opaque), void *opaque, Error *error) {
    NetworkHost *host = allocate_zeroed(sizeof(*host));
    host->wake = wake;
    host->opaque = opaque;
    host->touched = true;
    if (!host_event_create(&host->changed, error)) {
        free(host);
        return NULL;
    }
    pthread_mutex_init(&host->lock, NULL);
    pthread_cond_init(&host->armed_again, NULL);
    return host;
}

void network_host_destroy(NetworkHost *host) {
    if (host == NULL)
        return;
    pthread_mutex_lock(&host->lock);
    host->quit = true;
    pthread_cond_signal(&host->armed_again);
    pthread_mutex_unlock(&host->lock);
    host_event_set(&host->changed);
    if (host->has_thread)
        pthread_join(host->thread, NULL);
    host_event_destroy(&host->changed);
    free(host->set.files);
    free(host->watched.files);
    pthread_cond_destroy(&host->armed_again);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

void network_host_add(NetworkHost *host, const NetworkHostClient *client) {
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (host->clients[i].fill == NULL) {
            host->clients[i] = *client;
            network_host_touch(host);
            return;
        }
    }
}

void network_host_remove(NetworkHost *host, const void *opaque) {
    for (unsigned i = 0; i < CLIENTS; i++)
        if (host->clients[i].opaque == opaque)
            host->clients[i] = (NetworkHostClient){.fill = NULL};
}
