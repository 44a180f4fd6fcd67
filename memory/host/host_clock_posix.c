#define _GNU_SOURCE
#include "host_clock.h"
#include <errno.h>
#include <time.h>

int64_t host_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void host_clock_sleep_ns(int64_t nanoseconds) {
    struct timespec left = {.tv_sec = nanoseconds / 1000000000,
                            .tv_nsec = nanoseconds % 1000000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
