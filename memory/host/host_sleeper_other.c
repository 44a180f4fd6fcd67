/* Sleeping by lock and condition: everywhere but on Linux. */
#include "host_thread.h"
#include <time.h>

void host_sleeper_init(HostSleeper *sleeper) {
    *sleeper = (HostSleeper){.calls = 0};
    pthread_mutex_init(&sleeper->lock, NULL);
    pthread_cond_init(&sleeper->called, NULL);
}

void host_sleeper_destroy(HostSleeper *sleeper) {
    pthread_cond_destroy(&sleeper->called);
    pthread_mutex_destroy(&sleeper->lock);
}

uint32_t host_sleeper_calls(HostSleeper *sleeper) {
    return __atomic_load_n(&sleeper->calls, __ATOMIC_SEQ_CST);
}

static struct timespec deadline_after(int64_t nanoseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    int64_t all = deadline.tv_nsec + nanoseconds % 1000000000;
    deadline.tv_sec += (time_t)(nanoseconds / 1000000000 + all / 1000000000);
    deadline.tv_nsec = (long)(all % 1000000000);
    return deadline;
}

void host_sleeper_sleep(HostSleeper *sleeper, uint32_t seen, int64_t nanoseconds) {
    struct timespec deadline;
    int result = 0;
    if (nanoseconds >= 0)
        deadline = deadline_after(nanoseconds);
    pthread_mutex_lock(&sleeper->lock);
    while (sleeper->calls == seen && result == 0)
        result = nanoseconds >= 0
                     ? pthread_cond_timedwait(&sleeper->called, &sleeper->lock, &deadline)
                     : pthread_cond_wait(&sleeper->called, &sleeper->lock);
    pthread_mutex_unlock(&sleeper->lock);
}

void host_sleeper_call(HostSleeper *sleeper) {
    pthread_mutex_lock(&sleeper->lock);
    __atomic_add_fetch(&sleeper->calls, 1, __ATOMIC_SEQ_CST);
    pthread_cond_signal(&sleeper->called);
    pthread_mutex_unlock(&sleeper->lock);
}
