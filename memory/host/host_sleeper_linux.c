/* Sleeping by a futex: one call of the kernel for each sleep. */
#define _GNU_SOURCE
#include "host_thread.h"
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void host_sleeper_init(HostSleeper *sleeper) {
    *sleeper = (HostSleeper){.calls = 0};
}

void host_sleeper_destroy(HostSleeper *sleeper) {
    (void)sleeper;
}

uint32_t host_sleeper_calls(HostSleeper *sleeper) {
    return __atomic_load_n(&sleeper->calls, __ATOMIC_SEQ_CST);
}

static struct timespec deadline_after(int64_t nanoseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += nanoseconds / 1000000000;
    deadline.tv_nsec += nanoseconds % 1000000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

void host_sleeper_sleep(HostSleeper *sleeper, uint32_t seen, int64_t nanoseconds) {
    struct timespec deadline;
    if (nanoseconds >= 0)
        deadline = deadline_after(nanoseconds);
    __atomic_store_n(&sleeper->sleeps, true, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &sleeper->calls, FUTEX_WAIT_BITSET_PRIVATE, seen,
            nanoseconds >= 0 ? &deadline : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
    __atomic_store_n(&sleeper->sleeps, false, __ATOMIC_RELAXED);
}

void host_sleeper_call(HostSleeper *sleeper) {
    __atomic_add_fetch(&sleeper->calls, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleeper->sleeps, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &sleeper->calls, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
