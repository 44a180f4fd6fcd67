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

static bool is_deadline_mode(const LocalApic *apic) {
    return (apic->state.lvt[LVT_TIMER] & LVT_TSC_DEADLINE) != 0;
}

/* When the time-stamp counter will be there: never too early, and TIMER_NEVER if that is beyond
 * what the clock can count to. */
static int64_t deadline_ns(const LocalApic *apic, uint64_t ticks) {
    __extension__ typedef unsigned __int128 Wide;
    uint32_t hz = apic->pins.tsc_hz;
    Wide distance = ((Wide)ticks * NS_PER_SECOND + hz - 1) / hz;
    int64_t now = clock_now_ns(apic->clock);
    return distance < (uint64_t)(TIMER_NEVER - now) ? now + (int64_t)distance : TIMER_NEVER;
}

/* The end of the deadline is one even where it is masked: the register clears. */
static void arm_deadline(LocalApic *apic) {
    uint64_t deadline = apic->state.deadline;
    uint64_t now = apic->pins.read_tsc(apic->pins.processor);
    if (deadline == 0)
        timer_cancel(&apic->timer);
    else
        timer_arm(&apic->timer, deadline_ns(apic, deadline > now ? deadline - now : 0));
}

static void arm(LocalApic *apic) {
    const LocalApicState *state = &apic->state;
    if (is_deadline_mode(apic))
        arm_deadline(apic);
    else if (state->timer_count == 0 || (state->lvt[LVT_TIMER] & LVT_MASKED))
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

/* In TSC-deadline mode writes are ignored. */
void local_apic_timer_start(LocalApic *apic, uint32_t count) {
    fire_if_due(apic);
    if (is_deadline_mode(apic))
        return;
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

static void disarm(LocalApic *apic) {
    apic->state.timer_count = apic->state.timer_initial = 0;
    apic->state.deadline = 0;
}

void local_apic_timer_set_entry(LocalApic *apic, uint32_t entry) {
    fire_if_due(apic);
    settle(apic);
    /* Either mode begins with the timer disarmed. */
    if ((apic->state.lvt[LVT_TIMER] ^ entry) & LVT_TSC_DEADLINE)
        disarm(apic);
    apic->state.lvt[LVT_TIMER] = entry;
    arm(apic);
}

/* The clock of the host may be a little ahead of the counter when it fires. */
static void fire_deadline(LocalApic *apic) {
    if (apic->pins.read_tsc(apic->pins.processor) < apic->state.deadline) {
        arm_deadline(apic);
        return;
    }
    apic->state.deadline = 0;
    local_apic_raise(apic, LVT_TIMER);
}

void local_apic_timer_fire(void *opaque) {
    LocalApic *apic = opaque;
    if (is_deadline_mode(apic)) {
        fire_deadline(apic);
        return;
    }
    settle(apic);
    arm(apic);
    local_apic_raise(apic, LVT_TIMER);
}

/* --- IA32_TSC_DEADLINE --------------------------------------------------------------------------
 */

/* One that is past counts at once. */
static void look_at_deadline(LocalApic *apic) {
    uint64_t deadline = apic->state.deadline;
    arm_deadline(apic);
    if (deadline != 0 && apic->pins.read_tsc(apic->pins.processor) >= deadline) {
        timer_cancel(&apic->timer);
        fire_deadline(apic);
    }
}

static bool read_deadline(void *opaque, uint32_t index, uint64_t *value) {
    LocalApic *apic = opaque;
    (void)index;
    fire_if_due(apic);
    *value = apic->state.deadline;
    return true;
}

/* Other modes ignore it: SDM vol. 3A 10.5.4.1. */
static bool write_deadline(void *opaque, uint32_t index, uint64_t value) {
    LocalApic *apic = opaque;
    (void)index;
    fire_if_due(apic);
    if (is_deadline_mode(apic)) {
        apic->state.deadline = value;
        look_at_deadline(apic);
    }
    return true;
}

void local_apic_tsc_changed(void *opaque, int line, int level) {
    LocalApic *apic = opaque;
    (void)line;
    if (level && is_deadline_mode(apic))
        look_at_deadline(apic);
}

bool local_apic_claim_deadline(LocalApic *apic, MsrMap *msrs, Error *error) {
    const MsrRange range = {"IA32_TSC_DEADLINE", 0x6E0, 1, read_deadline, write_deadline, apic};
    return !apic->pins.has_tsc_deadline || msr_map_add(msrs, &range, error);
}
