#define _GNU_SOURCE /* gettid(), sched_getaffinity() */
#include "host_thread.h"
#include <sched.h>
#include <signal.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

unsigned host_thread_processors(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 1 ? (unsigned)processors : 1;
}

unsigned host_thread_allowed_processors(void) {
#ifdef __linux__
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
#else
    return host_thread_processors();
#endif
}

void host_thread_share_heap(void) {
#if defined(__GLIBC__) && defined(M_ARENA_MAX)
    mallopt(M_ARENA_MAX, 1);
#endif
}

uint32_t host_thread_number(void) {
#ifdef __linux__
    return (uint32_t)gettid();
#else
    return (uint32_t)getpid();
#endif
}

bool host_thread_create_quiet(pthread_t *thread, void *(*run)(void *opaque), void *opaque) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(thread, NULL, run, opaque) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}
