/* Threads, processors of the host, and sleeping until somebody calls. Threads themselves are
 * POSIX's, which mingw-w64 has, too. */
#ifndef REPRISE_HOST_THREAD_H
#define REPRISE_HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How many processors the host has at work, 1 at least. */
unsigned host_thread_processors(void);
/* How many of them this process may use. */
unsigned host_thread_allowed_processors(void);
/* One heap for all threads, as there is one that works: another thread's own would grow by a call
 * of the kernel for each page. Where the C library can be told. */
void host_thread_share_heap(void);
/* The number by which profilers know this thread. */
uint32_t host_thread_number(void);
/* pthread_create() for a thread that no signal of the process interrupts. */
bool host_thread_create_quiet(pthread_t *thread, void *(*run)(void *opaque), void *opaque);

/* One thread sleeps, others wake it: by a futex on Linux, by lock and condition elsewhere. */
typedef struct HostSleeper {
    uint32_t calls; /* atomic */
    bool sleeps;    /* atomic */
    pthread_mutex_t lock;
    pthread_cond_t called;
} HostSleeper;

void host_sleeper_init(HostSleeper *sleeper);
void host_sleeper_destroy(HostSleeper *sleeper);
/* For host_sleeper_sleep(): read before it is looked whether there is a reason to sleep. */
uint32_t host_sleeper_calls(HostSleeper *sleeper);
/* Sleeps, -1: for ever, unless somebody called since 'seen' was read. May end before its time. */
void host_sleeper_sleep(HostSleeper *sleeper, uint32_t seen, int64_t nanoseconds);
/* Ends its sleep, or the next one. Any thread. */
void host_sleeper_call(HostSleeper *sleeper);

#endif
