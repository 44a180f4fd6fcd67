/* The host's clock by its time-stamp counter, where that is invariant: a third of what asking the
 * system costs, and translated code can do it too. Between two looks at the system's clock, which
 * are a fraction of a millisecond apart, time goes on by a straight line that never gets ahead of
 * that clock. */
#ifndef REPRISE_HOST_TICKS_H
#define REPRISE_HOST_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define HOST_HAS_TICKS 1
#else
#define HOST_HAS_TICKS 0
#endif

typedef struct HostTicks {
    bool usable;
    /* The line: at tick 'start' it was 'start_ns'; a tick takes 'rate' / 2^32 ns. It holds for less
     * than 'limit' ticks. */
    uint64_t start, limit, rate;
    int64_t start_ns;
    /* What the rate was measured from, and what it is going to be measured from. */
    uint64_t first_ticks, second_ticks;
    int64_t first_ns, second_ns;
} HostTicks;

void host_ticks_init(HostTicks *ticks);

/* As host_clock_ns(), at most a few microseconds behind it, and never going back. */
int64_t host_ticks_ns(HostTicks *ticks);

#endif
