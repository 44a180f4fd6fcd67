/* The host's clock. */
#ifndef REPRISE_HOST_CLOCK_H
#define REPRISE_HOST_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t host_clock_ns(void);
/* Sleeps so long, or a little longer. */
void host_clock_sleep_ns(int64_t nanoseconds);

#endif
