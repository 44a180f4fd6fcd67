/* The one virtual clock that a guest sees, in nanoseconds, and the queue of events due on it.
 *
 * A due time is guest state, so it lives in a device's State as an int64_t described by its field
 * table; the Timer beside it (in Host) only points there. After a restore, clock_rebuild() finds
 * the due times where they are. Events due at the same nanosecond fire in the order in which their
 * timers were initialised: never by address or by history, so that a restored machine goes on as
 * the saved one would have. */
#ifndef REPRISE_CLOCK_H
#define REPRISE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER INT64_MAX
#define NS_PER_SECOND 1000000000LL

typedef struct VirtualClock VirtualClock;

typedef struct Timer {
    VirtualClock *clock;
    const char *name;
    int64_t *due_ns; /* in the owner's State; TIMER_NEVER when not armed */
    void (*fire)(void *opaque);
    void *opaque;
    int64_t late_ns;   /* a perturbed clock may fire it so much later; 0: never */
    uint32_t order;    /* rank among timers due at the same time */
    size_t heap_index; /* private to clock.c; SIZE_MAX when not queued */
} Timer;

/* Timers fire late by amounts that follow from these alone, as they do on other hardware of the
 * same kind: the same numbers give the same run. */
typedef struct ClockPerturbation {
    uint64_t seed;      /* 0: nothing is late */
    uint64_t then_seed; /* for what is due at 'then_ns' or later */
    int64_t then_ns;    /* TIMER_NEVER: 'seed' to the end */
    bool wanted;
} ClockPerturbation;

/* For translated code: when the host's time-stamp counter shows 'start' + n, n less than 'limit',
 * it is 'start_ns' + n * 'rate' / 2^32. */
typedef struct ClockLine {
    uint64_t start, limit, rate;
    int64_t start_ns;
} ClockLine;

struct VirtualClock {
    /* Tells the present time in ns; never goes backwards. Set by the machine: from the instruction
     * counter or from the host's clock. NULL: the clock stands at 'stopped_ns'. */
    int64_t (*source)(void *opaque);
    void *source_opaque;
    int64_t stopped_ns;
    /* Right after the time was told: how it goes on until the run loop has control again. False: it
     * does not follow the host's time-stamp counter. May be NULL. */
    bool (*line)(void *opaque, ClockLine *line);
    /* Called when the earliest due time moved nearer, so that the run loop can shorten its budget.
     * May be NULL. */
    void (*earlier)(void *opaque, int64_t due_ns);
    void *earlier_opaque;
    ClockPerturbation perturbation;
    const char *parted_by; /* the first timer that fired by 'then_seed'; NULL: none yet */
    /* Called then; may be NULL. */
    void (*parts)(void *opaque);
    void *parts_opaque;
    /* Private: a binary heap of armed timers, and all timers ever initialised. */
    Timer **heap;
    size_t heap_count, heap_capacity;
    Timer **timers;
    size_t timer_count, timer_capacity;
};

void clock_init(VirtualClock *clock);
void clock_destroy(VirtualClock *clock);

/* Virtual nanoseconds since the machine was made. */
int64_t clock_now_ns(const VirtualClock *clock);

/* When the next event is due; TIMER_NEVER if nothing is armed. */
int64_t clock_next_due_ns(const VirtualClock *clock);

/* Fires every event due at or before now, in order. A timer is disarmed before its callback, which
 * may arm it again. */
void clock_run_due(VirtualClock *clock);

/* Queues anew by the due times that the states now hold (after a restore or a direct change of
 * State). */
void clock_rebuild(VirtualClock *clock);

/* Binds a timer for the life of the clock. 'due_ns' is set to TIMER_NEVER. 'name' must outlive the
 * timer. */
void timer_init(Timer *timer, VirtualClock *clock, const char *name, int64_t *due_ns,
                void (*fire)(void *opaque), void *opaque);

/* Arms (or moves) the timer to an absolute time; a time in the past fires at the next
 * clock_run_due(). */
void timer_arm(Timer *timer, int64_t due_ns);
void timer_cancel(Timer *timer);
static inline bool timer_is_armed(const Timer *timer) {
    return *timer->due_ns != TIMER_NEVER;
}

/* When it fires: when it is due, but for a perturbation. */
int64_t timer_fires_at_ns(const Timer *timer);
/* A number that follows from the perturbation's seed and from what it is for. */
uint64_t clock_perturb(uint64_t seed, uint64_t purpose);

/* a * b / c without overflow in the product, rounded down: for converting between clock rates. a,
 * b, c >= 0, c > 0. */
static inline int64_t clock_scale(int64_t a, int64_t b, int64_t c) {
    if (b <= UINT32_MAX && c <= UINT32_MAX) /* the same without a long division */
        return a / c * b + (int64_t)((uint64_t)(a % c) * (uint64_t)b / (uint64_t)c);
    return (int64_t)((__int128)a * b / c);
}

#endif
