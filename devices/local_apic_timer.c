/* The local APIC's timer: SDM vol. 3A 10.5.4. It counts the bus clock, 1 GHz here, divided. The
 * count is computed from the time whenever somebody asks; an event is armed only where its end is
 * an interrupt. */
#include "local_apic_internal.h"

/* Bits 3, 1 and 0 of the divide configuration: 2, 4, ... 128, 1. */
static unsigned divide_shift(const LocalApic *apic) {
    uint32_t divide = apic->state.timer_divide;
    return ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
}

static uint64_t elapsed_ticks(const LocalApic *apic) {
    int64_t elapsed_ns = clock_now_ns(apic->clock) - apic->state.timer_ns;
    return elapsed_ns > 0 ? (uint64_t)elapsed_ns >> divide_shift(apic) : 0;
}

static uint32_t count_after(const LocalApicState *state, uint64_t ticks) {
    if (ticks < state->timer_count)
        return state->timer_count - (uint32_t)ticks;
    bool goes_on = (state->lvt[LVT_TIMER] & LVT_PERIODIC) && state->timer_initial != 0;
    if (state->timer_count == 0 || !goes_on)
        return 0;
    return state->timer_initial - (uint32_t)((ticks - state->timer_count) % state->timer_initial);
}

uint32_t local_apic_timer_count(const LocalApic *apic) {
    return count_after(&apic->state, elapsed_ticks(apic));
}

/* Takes note of the count, so that what it is computed from may change. Part of a tick is kept. */
static void settle(LocalApic *apic) {
    uint64_t ticks = elapsed_ticks(apic);
    apic->state.timer_count = count_after(&apic->state, ticks);
    apic->state.timer_ns += (int64_t)(ticks << divide_shift(apic));
}

static void arm(LocalApic *apic) {
    const LocalApicState *state = &apic->state;
    if (state->timer_count == 0 || (state->lvt[LVT_TIMER] & LVT_MASKED))
        timer_cancel(&apic->timer);
    else
        timer_arm(&apic->timer,
                  state->timer_ns + ((int64_t)state->timer_count << divide_shift(apic)));
}

/* While time is the host's, software may write a register after the count's end and before the run
 * loop came to the event: the interrupt was there first. */
static void fire_if_due(LocalApic *apic) {
    if (!timer_is_armed(&apic->timer) || *apic->timer.due_ns > clock_now_ns(apic->clock))
        return;
    timer_cancel(&apic->timer);
    local_apic_timer_fire(apic);
}

void local_apic_timer_start(LocalApic *apic, uint32_t count) {
    fire_if_due(apic);
    apic->state.timer_initial = apic->state.timer_count = count;
    apic->state.timer_ns = clock_now_ns(apic->clock);
    arm(apic);
}

void local_apic_timer_set_divide(LocalApic *apic, uint32_t value) {
    fire_if_due(apic);
    settle(apic);
    apic->state.timer_divide = value;
    arm(apic);
}

void local_apic_timer_set_entry(LocalApic *apic, uint32_t entry) {
    fire_if_due(apic);
    settle(apic);
    apic->state.lvt[LVT_TIMER] = entry;
    arm(apic);
}

void local_apic_timer_fire(void *opaque) {
    LocalApic *apic = opaque;
    settle(apic);
    arm(apic);
    local_apic_raise(apic, LVT_TIMER);
}
