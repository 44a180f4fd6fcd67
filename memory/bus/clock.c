#include "clock.h"
#include "allocate.h"
#include <stdlib.h>

/* splitmix64, by S. Vigna: every bit of the sum counts. */
uint64_t clock_perturb(uint64_t seed, uint64_t purpose) {
    uint64_t mixed = seed * 0x9E3779B97F4A7C15u + purpose;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

static uint64_t seed_at(const ClockPerturbation *perturbation, int64_t due_ns) {
    return due_ns < perturbation->then_ns ? perturbation->seed : perturbation->then_seed;
}

int64_t timer_fires_at_ns(const Timer *timer) {
    const ClockPerturbation *perturbation = &timer->clock->perturbation;
    int64_t due_ns = *timer->due_ns;
    if (!perturbation->wanted || timer->late_ns == 0 || due_ns == TIMER_NEVER)
        return due_ns;
    uint64_t seed = seed_at(perturbation, due_ns);
    if (seed == 0)
        return due_ns;
    uint64_t purpose = (uint64_t)due_ns * 64 + timer->order;
    return due_ns + (int64_t)(clock_perturb(seed, purpose) % (uint64_t)timer->late_ns);
}

/* Earlier due time first; at the same time, the timer that was initialised first. */
static bool fires_before(const Timer *a, const Timer *b) {
    int64_t first = timer_fires_at_ns(a), second = timer_fires_at_ns(b);
    return first != second ? first < second : a->order < b->order;
}

static void heap_place(VirtualClock *clock, size_t index, Timer *timer) {
    clock->heap[index] = timer;
    timer->heap_index = index;
}

static void heap_sift_up(VirtualClock *clock, size_t index) {
    Timer *timer = clock->heap[index];
    while (index > 0 && fires_before(timer, clock->heap[(index - 1) / 2])) {
        heap_place(clock, index, clock->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(clock, index, timer);
}

static void heap_sift_down(VirtualClock *clock, size_t index) {
    Timer *timer = clock->heap[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= clock->heap_count)
            break;
        if (child + 1 < clock->heap_count &&
            fires_before(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (!fires_before(clock->heap[child], timer))
            break;
        heap_place(clock, index, clock->heap[child]);
        index = child;
    }
    heap_place(clock, index, timer);
}

static void heap_insert(VirtualClock *clock, Timer *timer) {
    /* There is room: timer_init() made it. */
    heap_place(clock, clock->heap_count++, timer);
    heap_sift_up(clock, timer->heap_index);
}

static void heap_remove(VirtualClock *clock, Timer *timer) {
    size_t index = timer->heap_index;
    if (index == SIZE_MAX)
        return;
    timer->heap_index = SIZE_MAX;
    Timer *last = clock->heap[--clock->heap_count];
    if (last == timer)
        return;
    heap_place(clock, index, last);
    heap_sift_up(clock, index);
    heap_sift_down(clock, last->heap_index);
}

void clock_init(VirtualClock *clock) {
    *clock = (VirtualClock){0};
}

void clock_destroy(VirtualClock *clock) {
    free(clock->heap);
    free(clock->timers);
    *clock = (VirtualClock){0};
}

int64_t clock_now_ns(const VirtualClock *clock) {
    return clock->source != NULL ? clock->source(clock->source_opaque) : clock->stopped_ns;
}

int64_t clock_next_due_ns(const VirtualClock *clock) {
    return clock->heap_count > 0 ? timer_fires_at_ns(clock->heap[0]) : TIMER_NEVER;
}

static void note_parting(VirtualClock *clock, const Timer *timer) {
    if (clock->parted_by != NULL || !clock->perturbation.wanted || timer->late_ns == 0 ||
        *timer->due_ns < clock->perturbation.then_ns)
        return;
    clock->parted_by = timer->name;
    if (clock->parts != NULL)
        clock->parts(clock->parts_opaque);
}

void clock_run_due(VirtualClock *clock) {
    /* The time is asked for once: on the host's clock a slow callback must not keep us here. */
    int64_t now = clock_now_ns(clock);
    while (clock->heap_count > 0 && timer_fires_at_ns(clock->heap[0]) <= now) {
        Timer *timer = clock->heap[0];
        note_parting(clock, timer);
        timer_cancel(timer);
        timer->fire(timer->opaque);
    }
}

static void tell_if_earlier(VirtualClock *clock, int64_t previous_due_ns) {
    int64_t due = clock_next_due_ns(clock);
    if (due < previous_due_ns && clock->earlier != NULL)
        clock->earlier(clock->earlier_opaque, due);
}

void clock_rebuild(VirtualClock *clock) {
    clock->heap_count = 0;
    for (size_t i = 0; i < clock->timer_count; i++)
        clock->timers[i]->heap_index = SIZE_MAX;
    for (size_t i = 0; i < clock->timer_count; i++)
        if (timer_is_armed(clock->timers[i]))
            heap_insert(clock, clock->timers[i]);
    tell_if_earlier(clock, TIMER_NEVER);
}

void timer_init(Timer *timer, VirtualClock *clock, const char *name, int64_t *due_ns,
                void (*fire)(void *opaque), void *opaque) {
    *due_ns = TIMER_NEVER;
    *timer = (Timer){
        .clock = clock,
        .name = name,
        .due_ns = due_ns,
        .fire = fire,
        .opaque = opaque,
        .order = (uint32_t)clock->timer_count,
        .heap_index = SIZE_MAX,
    };
    size_t count = clock->timer_count + 1;
    clock->timers =
        allocate_grow(clock->timers, &clock->timer_capacity, count, sizeof *clock->timers);
    clock->heap = allocate_grow(clock->heap, &clock->heap_capacity, count, sizeof *clock->heap);
    clock->timers[clock->timer_count] = timer;
    clock->timer_count = count;
}

void timer_arm(Timer *timer, int64_t due_ns) {
    VirtualClock *clock = timer->clock;
    if (due_ns == TIMER_NEVER) {
        timer_cancel(timer);
        return;
    }
    int64_t previous = clock_next_due_ns(clock);
    heap_remove(clock, timer);
    *timer->due_ns = due_ns;
    heap_insert(clock, timer);
    tell_if_earlier(clock, previous);
}

void timer_cancel(Timer *timer) {
    heap_remove(timer->clock, timer);
    *timer->due_ns = TIMER_NEVER;
}
