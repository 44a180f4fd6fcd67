#include "host_ticks.h"
#include "host_clock.h"

#if HOST_HAS_TICKS
#include <cpuid.h>
#include <x86intrin.h>

enum {
    LINE_NS = 200 * 1000,                 /* how long a line holds */
    MEASURED_NS_MIN = 1000 * 1000,        /* before the rate is known */
    MEASURED_NS = 2 * 1000 * 1000 * 1000, /* from when on it is measured anew */
    LOOK_NS = 100,                        /* how exact a look at the system's clock is */
    LOOK_TICKS = 2000,                    /* a look that took longer was interrupted */
    LOOKS = 4,
    MARGIN_SHIFT = 16, /* the line is slower by a 65536th */
};

void host_ticks_init(HostTicks *ticks) {
    enum { INVARIANT = 1 << 8 }; /* SDM vol. 3B 18.17.1 */
    unsigned eax, ebx, ecx, edx;
    *ticks =
        (HostTicks){.usable = __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & INVARIANT)};
}

/* Both clocks. The ticks are not from before the time: a line from there is behind, not ahead. */
static int64_t look(uint64_t *ticks) {
    int64_t now_ns = 0;
    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t before = __rdtsc();
        now_ns = host_clock_ns();
        *ticks = __rdtsc();
        if (*ticks - before < LOOK_TICKS)
            break;
    }
    return now_ns;
}

/* 0: too early to tell. */
static uint64_t measure_rate(HostTicks *ticks, uint64_t now, int64_t now_ns) {
    int64_t measured_ns = now_ns - ticks->first_ns;
    if (ticks->first_ticks == 0 || now <= ticks->first_ticks) {
        ticks->first_ticks = ticks->second_ticks = now;
        ticks->first_ns = ticks->second_ns = now_ns;
        return 0;
    }
    if (measured_ns < MEASURED_NS_MIN)
        return 0;
    uint64_t rate =
        (uint64_t)(((unsigned __int128)(uint64_t)measured_ns << 32) / (now - ticks->first_ticks));
    if (now_ns - ticks->second_ns > MEASURED_NS) {
        ticks->first_ticks = ticks->second_ticks;
        ticks->first_ns = ticks->second_ns;
        ticks->second_ticks = now;
        ticks->second_ns = now_ns;
    }
    return rate - (rate >> MARGIN_SHIFT) - rate / (uint64_t)measured_ns * LOOK_NS;
}

static int64_t follow_line(const HostTicks *ticks, uint64_t distance) {
    return ticks->start_ns + (int64_t)(distance * ticks->rate >> 32);
}

/* Begins a new line, where the old one is if that is ahead. */
static int64_t renew(HostTicks *ticks) {
    uint64_t now;
    int64_t now_ns = look(&now);
    if (ticks->limit != 0) {
        uint64_t distance = now - ticks->start;
        int64_t told_ns = follow_line(ticks, distance < ticks->limit ? distance : ticks->limit - 1);
        if (now_ns < told_ns)
            now_ns = told_ns;
    }
    ticks->rate = measure_rate(ticks, now, now_ns);
    ticks->limit =
        ticks->rate == 0 ? 0 : (uint64_t)(((unsigned __int128)LINE_NS << 32) / ticks->rate);
    ticks->start = now;
    ticks->start_ns = now_ns;
    return now_ns;
}

int64_t host_ticks_ns(HostTicks *ticks) {
    if (!ticks->usable)
        return host_clock_ns();
    uint64_t distance = __rdtsc() - ticks->start;
    return distance < ticks->limit ? follow_line(ticks, distance) : renew(ticks);
}

#else

void host_ticks_init(HostTicks *ticks) {
    *ticks = (HostTicks){0};
}

int64_t host_ticks_ns(HostTicks *ticks) {
    (void)ticks;
    return host_clock_ns();
}

#endif
