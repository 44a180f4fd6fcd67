#include "hpet.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

/* Offsets of registers (2.3.1); a timer's are from TIMERS on. */
enum {
    CAPABILITIES = 0x000,
    CONFIGURATION = 0x010,
    INTERRUPT_STATUS = 0x020,
    MAIN_COUNTER = 0x0F0,
    TIMERS = 0x100,
    TIMER_STRIDE = 0x20,
    TIMER_CONFIGURATION = 0x00,
    TIMER_COMPARATOR = 0x08,
};

enum { ENABLED = 1, LEGACY_REPLACEMENT = 2 };

/* A timer's configuration (2.3.8). */
enum {
    TIMER_LEVEL = 1 << 1,
    TIMER_INTERRUPTS = 1 << 2,
    TIMER_PERIODIC = 1 << 3,
    TIMER_CAN_BE_PERIODIC = 1 << 4,
    TIMER_IS_64_BITS = 1 << 5,
    TIMER_SET_VALUE = 1 << 6,
    TIMER_32_BITS = 1 << 8,
    TIMER_ROUTE_SHIFT = 9,
    TIMER_ROUTE = 0x1F << TIMER_ROUTE_SHIFT,
    TIMER_WRITABLE = TIMER_LEVEL | TIMER_INTERRUPTS | TIMER_PERIODIC | TIMER_SET_VALUE |
                     TIMER_32_BITS | TIMER_ROUTE,
};

/* Period in femtoseconds, Intel's vendor number, legacy replacement, 64 bits, 3 timers, revision 1.
 */
#define CAPABILITIES_VALUE                                                                         \
    ((uint64_t)(HPET_TICK_NS * 1000000) << 32 | 0x80860000u | 1 << 15 | 1 << 13 |                  \
     (HPET_TIMERS - 1) << 8 | 1)

/* No processor could serve a shorter period; events are not made more often than this. */
#define SHORTEST_EVENT_TICKS 100

typedef struct HpetTimerState {
    int64_t due_ns;
    uint64_t comparator;
    uint64_t period; /* what the comparator grows by at each match of a periodic timer */
    uint64_t seen;   /* matches up to this value of the counter have had their effect */
    uint32_t config; /* the lower half */
    uint8_t padding[4];
} HpetTimerState;

static const Field hpet_timer_state_fields[] = {
    FIELD(HpetTimerState, U64, due_ns),
    FIELD(HpetTimerState, U64, comparator),
    FIELD(HpetTimerState, U64, period),
    FIELD(HpetTimerState, U64, seen),
    FIELD(HpetTimerState, U32, config),
    FIELD_PADDING(HpetTimerState, padding),
    FIELD_END,
};

static const FieldTable hpet_timer_fields = {"hpet-timer", 1, sizeof(HpetTimerState),
                                             hpet_timer_state_fields};

typedef struct HpetState {
    HpetTimerState timers[HPET_TIMERS];
    uint64_t counter;   /* its value while it stands; else its value at 'start_tick' */
    int64_t start_tick; /* of the virtual clock */
    uint32_t config, status;
    uint8_t held;       /* a bit for each timer without level trigger that keeps its request high */
    uint8_t irq0, irq8; /* what the 8254 and the clock chip drive */
    uint8_t padding[5];
} HpetState;

static const Field hpet_state_fields[] = {
    FIELD_STRUCTS(HpetState, timers, &hpet_timer_fields),
    FIELD(HpetState, U64, counter),
    FIELD(HpetState, U64, start_tick),
    FIELD(HpetState, U32, config),
    FIELD(HpetState, U32, status),
    FIELD(HpetState, U8, held),
    FIELD(HpetState, U8, irq0),
    FIELD(HpetState, U8, irq8),
    FIELD_PADDING(HpetState, padding),
    FIELD_END,
};

static const FieldTable hpet_fields = {"hpet", 1, sizeof(HpetState), hpet_state_fields};

typedef struct HpetTimer {
    Hpet *hpet;
    unsigned number;
    Timer event;
} HpetTimer;

struct Hpet {
    HpetState state;
    const VirtualClock *clock;
    HpetOptions options;
    HpetTimer timers[HPET_TIMERS];
};

static int64_t hpet_tick(const Hpet *hpet) {
    return clock_now_ns(hpet->clock) / HPET_TICK_NS;
}

static uint64_t hpet_counter(const Hpet *hpet, int64_t tick) {
    const HpetState *state = &hpet->state;
    if (!(state->config & ENABLED))
        return state->counter;
    return state->counter + (uint64_t)(tick - state->start_tick);
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static bool is_legacy(const Hpet *hpet) {
    return (hpet->state.config & LEGACY_REPLACEMENT) != 0;
}

/* The request that a timer drives; NULL for none. */
static const Wire *timer_wire(const Hpet *hpet, unsigned number) {
    if (is_legacy(hpet) && number < 2)
        return number == 0 ? &hpet->options.irq0 : &hpet->options.irq8;
    unsigned route = (hpet->state.timers[number].config & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT;
    if (route >= HPET_ROUTES || !(hpet->options.route_mask >> route & 1))
        return NULL;
    return &hpet->options.routes[route];
}

/* The level of a request. A level-triggered timer keeps it high until it is served. The others show
 * an edge and keep it high after, since an 8259 forgets a request that goes away. */
static int wire_level(const Hpet *hpet, const Wire *wire) {
    uint32_t driven = hpet->state.status | hpet->state.held;
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        if (timer_wire(hpet, i) == wire && (driven >> i & 1) &&
            (hpet->state.timers[i].config & TIMER_INTERRUPTS))
            return 1;
    return 0;
}

static void drive_all(const Hpet *hpet) {
    for (unsigned i = 0; i < HPET_ROUTES; i++)
        if (hpet->options.route_mask >> i & 1)
            wire_set(&hpet->options.routes[i], wire_level(hpet, &hpet->options.routes[i]));
    const Wire *irq0 = &hpet->options.irq0, *irq8 = &hpet->options.irq8;
    wire_set(irq0, is_legacy(hpet) ? wire_level(hpet, irq0) : hpet->state.irq0);
    wire_set(irq8, is_legacy(hpet) ? wire_level(hpet, irq8) : hpet->state.irq8);
}

static void timer_matched(Hpet *hpet, unsigned number) {
    const HpetTimerState *timer = &hpet->state.timers[number];
    const Wire *wire = timer_wire(hpet, number);
    bool is_level = (timer->config & TIMER_LEVEL) != 0;
    if (is_level)
        hpet->state.status |= 1u << number;
    if (wire == NULL || !(timer->config & TIMER_INTERRUPTS))
        return;
    if (!is_level) {
        hpet->state.held |= (uint8_t)(1u << number);
        wire_set(wire, 0);
    }
    wire_set(wire, 1);
}

static void set_irq0(void *opaque, int line, int level) {
    Hpet *hpet = opaque;
    (void)line;
    hpet->state.irq0 = level != 0;
    if (!is_legacy(hpet))
        wire_set(&hpet->options.irq0, level);
}

static void set_irq8(void *opaque, int line, int level) {
    Hpet *hpet = opaque;
    (void)line;
    hpet->state.irq8 = level != 0;
    if (!is_legacy(hpet))
        wire_set(&hpet->options.irq8, level);
}

Wire hpet_irq0_input(Hpet *hpet) {
    return (Wire){set_irq0, hpet, 0};
}

Wire hpet_irq8_input(Hpet *hpet) {
    return (Wire){set_irq8, hpet, 0};
}

/* --- comparators -------------------------------------------------------------------------------
 */

static uint64_t timer_mask(const HpetTimerState *timer) {
    return timer->config & TIMER_32_BITS ? UINT32_MAX : UINT64_MAX;
}

/* Counts until the comparator matches next, beginning with 1: a match now lies behind. */
static uint64_t timer_distance(const HpetTimerState *timer, uint64_t counter) {
    return ((timer->comparator - counter - 1) & timer_mask(timer)) + 1;
}

/* Gives every match up to 'counter' its effect. A timer matches when the counter equals it, so one
 * that is set into the past waits until the counter comes round (2.3.9.2). */
static void timer_catch_up(Hpet *hpet, unsigned number, uint64_t counter) {
    HpetTimerState *timer = &hpet->state.timers[number];
    uint64_t distance = timer_distance(timer, timer->seen), elapsed = counter - timer->seen;
    timer->seen = counter;
    if (distance == 0 ? elapsed != 0 : distance > elapsed) /* 0: 2^64 */
        return;
    if ((timer->config & TIMER_PERIODIC) && timer->period != 0) {
        uint64_t late = (counter - timer->comparator) & timer_mask(timer);
        timer->comparator += (late / timer->period + 1) * timer->period;
        timer->comparator &= timer_mask(timer);
    }
    timer_matched(hpet, number);
}

static void timer_schedule(Hpet *hpet, unsigned number, int64_t tick) {
    const HpetTimerState *timer = &hpet->state.timers[number];
    Timer *event = &hpet->timers[number].event;
    uint64_t distance = timer_distance(timer, hpet_counter(hpet, tick));
    if (distance != 0 && distance < SHORTEST_EVENT_TICKS && (timer->config & TIMER_PERIODIC))
        distance = SHORTEST_EVENT_TICKS;
    bool has_effect = (timer->config & (TIMER_INTERRUPTS | TIMER_LEVEL)) != 0;
    uint64_t reachable = (uint64_t)(INT64_MAX / HPET_TICK_NS - 1 - tick);
    if (!(hpet->state.config & ENABLED) || !has_effect || distance == 0 || distance > reachable)
        timer_cancel(event);
    else
        timer_arm(event, (tick + (int64_t)distance) * HPET_TICK_NS);
}

static void hpet_catch_up(Hpet *hpet, int64_t tick) {
    if (!(hpet->state.config & ENABLED))
        return;
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        timer_catch_up(hpet, i, hpet_counter(hpet, tick));
}

static void hpet_schedule(Hpet *hpet, int64_t tick) {
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        timer_schedule(hpet, i, tick);
}

static void timer_due(void *opaque) {
    HpetTimer *timer = opaque;
    Hpet *hpet = timer->hpet;
    int64_t tick = hpet_tick(hpet);
    timer_catch_up(hpet, timer->number, hpet_counter(hpet, tick));
    timer_schedule(hpet, timer->number, tick);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint64_t timer_read(const Hpet *hpet, unsigned number, uint32_t offset) {
    const HpetTimerState *timer = &hpet->state.timers[number];
    switch (offset) {
    case TIMER_CONFIGURATION:
        return (uint64_t)hpet->options.route_mask << 32 | timer->config | TIMER_CAN_BE_PERIODIC |
               TIMER_IS_64_BITS;
    case TIMER_COMPARATOR:
        return timer->comparator & timer_mask(timer);
    default:
        return 0;
    }
}

static uint64_t register_read(const Hpet *hpet, uint32_t offset, int64_t tick) {
    if (offset >= TIMERS) {
        unsigned number = (offset - TIMERS) / TIMER_STRIDE;
        return number < HPET_TIMERS ? timer_read(hpet, number, offset % TIMER_STRIDE) : 0;
    }
    switch (offset) {
    case CAPABILITIES:
        return CAPABILITIES_VALUE;
    case CONFIGURATION:
        return hpet->state.config;
    case INTERRUPT_STATUS:
        return hpet->state.status;
    case MAIN_COUNTER:
        return hpet_counter(hpet, tick);
    default:
        return 0;
    }
}

static uint32_t hpet_read(void *opaque, uint32_t offset, unsigned size) {
    Hpet *hpet = opaque;
    int64_t tick = hpet_tick(hpet);
    hpet_catch_up(hpet, tick);
    uint64_t value = register_read(hpet, offset & ~7u, tick) >> (8 * (offset & 7));
    return size == 4 ? (uint32_t)value : (uint32_t)value & ((1u << (8 * size)) - 1);
}

/* Half of a register, 'shift' 0 or 32. */
static uint64_t replace_half(uint64_t old, uint32_t value, unsigned shift) {
    return (old & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

/* A match in the present cycle of the counter still counts. */
static void timer_look_again(Hpet *hpet, HpetTimerState *timer, int64_t tick) {
    timer->seen = hpet_counter(hpet, tick) - 1;
}

static void timer_write_comparator(HpetTimerState *timer, uint32_t value, unsigned shift) {
    bool periodic = (timer->config & TIMER_PERIODIC) != 0;
    if (shift != 0 && (timer->config & TIMER_32_BITS))
        return;
    if (!periodic || (timer->config & TIMER_SET_VALUE))
        timer->comparator = replace_half(timer->comparator, value, shift) & timer_mask(timer);
    if (periodic)
        timer->period = replace_half(timer->period, value, shift) & timer_mask(timer);
    timer->config &= ~(uint32_t)TIMER_SET_VALUE;
}

/* Status belongs to level-triggered timers, a held request to the others. */
static void timer_configured(Hpet *hpet, unsigned number) {
    uint32_t config = hpet->state.timers[number].config;
    if (!(config & TIMER_LEVEL))
        hpet->state.status &= ~(1u << number);
    if ((config & TIMER_LEVEL) || !(config & TIMER_INTERRUPTS))
        hpet->state.held &= (uint8_t) ~(1u << number);
}

static void timer_write(Hpet *hpet, unsigned number, uint32_t offset, uint32_t value,
                        int64_t tick) {
    HpetTimerState *timer = &hpet->state.timers[number];
    unsigned shift = offset & 4 ? 32 : 0;
    switch (offset & ~7u) {
    case TIMER_CONFIGURATION:
        if (shift != 0)
            return;
        timer->config = value & TIMER_WRITABLE;
        timer->comparator &= timer_mask(timer);
        timer->period &= timer_mask(timer);
        timer_configured(hpet, number);
        break;
    case TIMER_COMPARATOR:
        timer_write_comparator(timer, value, shift);
        timer_look_again(hpet, timer, tick);
        break;
    default:
        break;
    }
}

static void write_configuration(Hpet *hpet, uint32_t value, int64_t tick) {
    HpetState *state = &hpet->state;
    bool was_enabled = (state->config & ENABLED) != 0;
    state->counter = hpet_counter(hpet, tick);
    state->start_tick = tick;
    state->config = value & (ENABLED | LEGACY_REPLACEMENT);
    if (!was_enabled && (state->config & ENABLED))
        for (unsigned i = 0; i < HPET_TIMERS; i++)
            timer_look_again(hpet, &state->timers[i], tick);
}

static void write_counter(Hpet *hpet, uint32_t value, unsigned shift, int64_t tick) {
    HpetState *state = &hpet->state;
    state->counter = replace_half(hpet_counter(hpet, tick), value, shift);
    state->start_tick = tick;
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        timer_look_again(hpet, &state->timers[i], tick);
}

static void register_write(Hpet *hpet, uint32_t offset, uint32_t value, int64_t tick) {
    if (offset >= TIMERS) {
        unsigned number = (offset - TIMERS) / TIMER_STRIDE;
        if (number < HPET_TIMERS)
            timer_write(hpet, number, offset % TIMER_STRIDE, value, tick);
        return;
    }
    switch (offset) {
    case CONFIGURATION:
        write_configuration(hpet, value, tick);
        break;
    case INTERRUPT_STATUS:
        hpet->state.status &= ~value;
        break;
    case MAIN_COUNTER:
    case MAIN_COUNTER + 4:
        write_counter(hpet, value, offset & 4 ? 32 : 0, tick);
        break;
    default:
        break;
    }
}

/* Registers are written 32 or 64 bits at a time (2.3.1); the latter comes here as two. */
static void hpet_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Hpet *hpet = opaque;
    int64_t tick = hpet_tick(hpet);
    if (size != 4)
        return;
    hpet_catch_up(hpet, tick);
    register_write(hpet, offset, value, tick);
    hpet_catch_up(hpet, tick);
    drive_all(hpet);
    hpet_schedule(hpet, tick);
}

/* --- the device --------------------------------------------------------------------------------
 */

/* The levels of the 8254 and of the clock chip are theirs. */
static void hpet_reset(void *opaque) {
    Hpet *hpet = opaque;
    HpetState *state = &hpet->state;
    uint8_t irq0 = state->irq0, irq8 = state->irq8;
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        timer_cancel(&hpet->timers[i].event);
    memset(state, 0, sizeof *state);
    state->irq0 = irq0;
    state->irq8 = irq8;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        state->timers[i].comparator = UINT64_MAX;
        state->timers[i].due_ns = TIMER_NEVER;
    }
    drive_all(hpet);
}

static const DeviceClass hpet_class = {"hpet", &hpet_fields, hpet_reset, NULL};

static const char *const event_names[HPET_TIMERS] = {"hpet 0", "hpet 1", "hpet 2"};

Hpet *hpet_create(const DeviceContext *context, const HpetOptions *options, Error *error) {
    Hpet *hpet = allocate_zeroed(sizeof *hpet);
    const MmioRange registers = {.name = "hpet",
                                 .base = HPET_BASE,
                                 .size = HPET_SIZE,
                                 .read = hpet_read,
                                 .write = hpet_write,
                                 .opaque = hpet};
    if (!physical_map_add_mmio(context->memory, &registers, error)) {
        free(hpet);
        return NULL;
    }
    hpet->clock = context->clock;
    hpet->options = *options;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        hpet->timers[i].hpet = hpet;
        hpet->timers[i].number = i;
        timer_init(&hpet->timers[i].event, context->clock, event_names[i],
                   &hpet->state.timers[i].due_ns, timer_due, &hpet->timers[i]);
    }
    device_list_add(context->devices, &hpet_class, "hpet", hpet, &hpet->state);
    hpet_reset(hpet);
    return hpet;
}

void hpet_destroy(Hpet *hpet) {
    free(hpet);
}
