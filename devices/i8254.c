#include "i8254.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 3 };

/* Fields of the control word (data sheet figure 7) and of the read-back command (figure 10). */
enum {
    CONTROL_READ_BACK = 3,
    ACCESS_LATCH = 0,
    ACCESS_LOW = 1,
    ACCESS_HIGH = 2,
    ACCESS_BOTH = 3,
    READ_BACK_NO_COUNT = 0x20,
    READ_BACK_NO_STATUS = 0x10,
    STATUS_OUT = 0x80,
    STATUS_NULL_COUNT = 0x40,
};

/* What the counting element does. */
enum {
    COUNTER_IDLE, /* a control word was written, but no count yet; or no trigger yet (modes 1 and 5)
                   */
    COUNTER_RUNNING, /* loaded at 'start_tick' */
    COUNTER_FROZEN,  /* GATE is low, or the first byte of a new count came (mode 0): stands 'frozen'
                        ticks after the load */
};

typedef struct PitCounter {
    int64_t start_tick; /* CLK cycle in which the present cycle (mode 3: half cycle) was loaded */
    int64_t frozen;
    uint32_t count;      /* that is being counted: 1 to 10000h */
    uint32_t next_count; /* loaded at the end of the cycle or by the next trigger */
    uint16_t latched_count;
    uint8_t latched_bytes; /* unread bytes of it */
    uint8_t status_latched;
    uint8_t latched_status;
    uint8_t mode, access, bcd;
    uint8_t run; /* COUNTER_* */
    uint8_t next_pending;
    uint8_t count_written; /* since the control word */
    uint8_t gate;
    uint8_t half_high;             /* mode 3: in the high half */
    uint8_t out_at_load;           /* mode 1: OUT until the load that a trigger asked for */
    uint8_t read_high, write_high; /* ACCESS_BOTH: the high byte comes next */
    uint8_t write_low;             /* low byte that waits for it */
    uint8_t padding[7];
} PitCounter;

static const Field pit_counter_state_fields[] = {
    FIELD(PitCounter, U64, start_tick),
    FIELD(PitCounter, U64, frozen),
    FIELD(PitCounter, U32, count),
    FIELD(PitCounter, U32, next_count),
    FIELD(PitCounter, U16, latched_count),
    FIELD(PitCounter, U8, latched_bytes),
    FIELD(PitCounter, U8, status_latched),
    FIELD(PitCounter, U8, latched_status),
    FIELD(PitCounter, U8, mode),
    FIELD(PitCounter, U8, access),
    FIELD(PitCounter, U8, bcd),
    FIELD(PitCounter, U8, run),
    FIELD(PitCounter, U8, next_pending),
    FIELD(PitCounter, U8, count_written),
    FIELD(PitCounter, U8, gate),
    FIELD(PitCounter, U8, half_high),
    FIELD(PitCounter, U8, out_at_load),
    FIELD(PitCounter, U8, read_high),
    FIELD(PitCounter, U8, write_high),
    FIELD(PitCounter, U8, write_low),
    FIELD_PADDING(PitCounter, padding),
    FIELD_END,
};

static const FieldTable pit_counter_fields = {
    "i8254-counter",
    1,
    sizeof(PitCounter),
    pit_counter_state_fields,
};

typedef struct I8254State {
    PitCounter counters[COUNTERS];
    int64_t edge_due_ns; /* the next edge of OUT 0 */
    uint8_t out0;        /* level that its wire has */
    uint8_t padding[7];
} I8254State;

static const Field i8254_state_fields[] = {
    FIELD_STRUCTS(I8254State, counters, &pit_counter_fields),
    FIELD(I8254State, U64, edge_due_ns),
    FIELD(I8254State, U8, out0),
    FIELD_PADDING(I8254State, padding),
    FIELD_END,
};

static const FieldTable i8254_fields = {"i8254", 1, sizeof(I8254State), i8254_state_fields};

struct I8254 {
    I8254State state;
    const VirtualClock *clock;
    Wire out0;
    Timer edge;
    I8254Listener listener; /* to counter 2; 'told' is NULL without */
    PitCounter heard;       /* as it was programmed last */
    int64_t heard_tick;     /* told up to here */
    int heard_level;
};

/* CLK cycles that have begun by now. */
static int64_t pit_tick(const I8254 *pit) {
    return clock_scale(clock_now_ns(pit->clock), I8254_HZ, NS_PER_SECOND);
}

/* The first nanosecond of a CLK cycle. */
static int64_t tick_to_ns(int64_t tick) {
    return clock_scale(tick, NS_PER_SECOND, I8254_HZ) + (tick % I8254_HZ != 0);
}

/* --- counting ----------------------------------------------------------------------------------
 */

static bool mode_is_periodic(const PitCounter *counter) {
    return counter->mode == 2 || counter->mode == 3;
}

static bool mode_needs_trigger(const PitCounter *counter) {
    return counter->mode == 1 || counter->mode == 5;
}

/* Cycles from one reload to the next. An odd count makes the high half of mode 3 the longer one. A
 * count of 1 is illegal in modes 2 and 3; it counts as 2. */
static int64_t cycle_length(const PitCounter *counter) {
    int64_t count = counter->count < 2 ? 2 : counter->count;
    if (counter->mode == 2)
        return count;
    return counter->half_high ? (count + 1) / 2 : count / 2;
}

/* Moves 'start_tick' to the beginning of the present cycle of modes 2 and 3, and a waiting count
 * into place where a cycle ended. */
static void counter_advance(PitCounter *counter, int64_t tick) {
    if (counter->run != COUNTER_RUNNING || !mode_is_periodic(counter))
        return;
    while (tick - counter->start_tick >= cycle_length(counter)) {
        counter->start_tick += cycle_length(counter);
        counter->half_high ^= counter->mode == 3;
        if (counter->next_pending) {
            counter->count = counter->next_count;
            counter->next_pending = 0;
        }
        /* Whole periods in one step. */
        int64_t period = counter->count < 2 ? 2 : counter->count;
        int64_t elapsed = tick - counter->start_tick;
        if (elapsed >= period)
            counter->start_tick += elapsed / period * period;
    }
}

/* CLK cycles since the load; negative while it is still to come. */
static int64_t counter_elapsed(const PitCounter *counter, int64_t tick) {
    return counter->run == COUNTER_RUNNING ? tick - counter->start_tick : counter->frozen;
}

static bool counter_out(PitCounter *counter, int64_t tick) {
    counter_advance(counter, tick);
    if (counter->run == COUNTER_IDLE)
        return counter->mode != 0;
    int64_t elapsed = counter_elapsed(counter, tick);
    switch (counter->mode) {
    case 0:
        return elapsed >= counter->count;
    case 1:
        return elapsed < 0 ? counter->out_at_load : elapsed >= counter->count;
    case 2:
        return counter->run == COUNTER_FROZEN || elapsed != cycle_length(counter) - 1;
    case 3:
        return counter->run == COUNTER_FROZEN || counter->half_high;
    default:
        return elapsed != counter->count;
    }
}

/* The counting element as the processor reads it. */
static uint16_t counter_value(PitCounter *counter, int64_t tick) {
    counter_advance(counter, tick);
    int64_t modulus = counter->bcd ? 10000 : 0x10000;
    int64_t elapsed = counter_elapsed(counter, tick);
    if (elapsed < 0 || counter->run == COUNTER_IDLE)
        elapsed = 0;
    int64_t value = counter->count - elapsed;
    if (counter->mode == 3)
        value = (counter->count & ~1u) - 2 * elapsed;
    value = (value % modulus + modulus) % modulus;
    if (!counter->bcd)
        return (uint16_t)value;
    return (uint16_t)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
                      value % 10);
}

/* The first CLK cycle after 'tick' in which OUT changes; -1 if it stays. In mode 2 only the rising
 * edge is told, since the low pulse just before it is shorter than anything that listens. */
static int64_t counter_next_edge(PitCounter *counter, int64_t tick) {
    counter_advance(counter, tick);
    if (counter->run != COUNTER_RUNNING)
        return -1;
    int64_t end = counter->start_tick + counter->count;
    if (mode_is_periodic(counter))
        return counter->start_tick + cycle_length(counter);
    if (tick < end)
        return end;
    return counter->mode >= 4 && tick == end ? end + 1 : -1;
}

/* --- OUT of counter 2, for a listener ----------------------------------------------------------
 */

static int counter_level(PitCounter *counter, int64_t tick) {
    bool high = counter_out(counter, tick);
    if (counter->mode == 3 && counter->run == COUNTER_RUNNING &&
        counter->count < I8254_AUDIBLE_COUNT)
        return I8254_LEVEL_FULL / 2;
    return high ? I8254_LEVEL_FULL : 0;
}

static void pit_tell_level(I8254 *pit, int64_t tick) {
    int level = counter_level(&pit->heard, tick);
    if (level != pit->heard_level)
        pit->listener.told(pit->listener.opaque, (double)tick * 1e9 / I8254_HZ, level);
    pit->heard_level = level;
}

/* The counter that is heard is a copy: looking at it must not change the State. */
static void pit_tell(I8254 *pit, int64_t tick) {
    PitCounter *heard = &pit->heard;
    if (pit->listener.told == NULL)
        return;
    bool steady = mode_is_periodic(heard) && heard->run == COUNTER_RUNNING &&
                  !heard->next_pending && (heard->mode == 2 || heard->count < I8254_AUDIBLE_COUNT);
    while (!steady) {
        int64_t next = counter_next_edge(heard, pit->heard_tick);
        if (heard->run == COUNTER_RUNNING && pit->heard_tick < heard->start_tick)
            next = heard->start_tick;
        if (next < 0 || next > tick)
            break;
        pit->heard_tick = next;
        pit_tell_level(pit, next);
    }
    pit->heard_tick = tick;
}

/* The counter was programmed anew. */
static void pit_hear(I8254 *pit, int64_t tick) {
    if (pit->listener.told == NULL)
        return;
    pit->heard = pit->state.counters[2];
    pit->heard_tick = tick;
    pit_tell_level(pit, tick);
}

/* --- OUT of counter 0 --------------------------------------------------------------------------
 */

/* Everything that one event or access does happens in one 'tick': between two questions for the
 * time an edge would be lost. */
static void pit_update_out0(I8254 *pit, int64_t tick) {
    I8254State *state = &pit->state;
    PitCounter *counter = &state->counters[0];
    state->out0 = counter_out(counter, tick);
    wire_set(&pit->out0, state->out0);
    int64_t edge = counter_next_edge(counter, tick);
    if (edge < 0)
        timer_cancel(&pit->edge);
    else
        timer_arm(&pit->edge, tick_to_ns(edge));
}

/* An even number of edges since the last event left the level as it was: the listener gets the
 * pulse all the same. */
static void pit_edge_due(void *opaque) {
    I8254 *pit = opaque;
    int64_t tick = pit_tick(pit);
    bool out = counter_out(&pit->state.counters[0], tick);
    if (out == pit->state.out0 || pit->state.counters[0].mode == 2)
        wire_set(&pit->out0, !out);
    pit_update_out0(pit, tick);
}

/* An edge that is due comes before an access that might undo its cause. */
static void pit_run_due_edge(I8254 *pit, int64_t tick) {
    if (!timer_is_armed(&pit->edge) || pit->state.edge_due_ns > tick_to_ns(tick))
        return;
    timer_cancel(&pit->edge);
    pit_edge_due(pit);
}

/* --- loading -----------------------------------------------------------------------------------
 */

static void counter_load(PitCounter *counter, uint32_t count, int64_t tick) {
    counter->count = count;
    counter->next_pending = 0;
    counter->start_tick = tick + 1;
    counter->half_high = 1;
    counter->run = COUNTER_RUNNING;
}

static void counter_freeze(PitCounter *counter, int64_t tick) {
    if (counter->run != COUNTER_RUNNING)
        return;
    counter_advance(counter, tick);
    counter->frozen = tick - counter->start_tick;
    counter->run = COUNTER_FROZEN;
}

/* A whole count was written. Data sheet, 'Mode definitions': when it takes effect. */
static void counter_take_count(PitCounter *counter, uint16_t written, int64_t tick) {
    uint32_t count = written;
    if (counter->bcd)
        count = (written >> 12) * 1000u + (written >> 8 & 15) * 100u + (written >> 4 & 15) * 10u +
                (written & 15);
    if (count == 0)
        count = counter->bcd ? 10000 : 0x10000;
    counter_advance(counter, tick);
    counter->count_written = 1;
    bool waits = mode_is_periodic(counter) && counter->run != COUNTER_IDLE;
    if (mode_needs_trigger(counter) || waits) {
        counter->next_count = count;
        counter->next_pending = 1;
        return;
    }
    counter_load(counter, count, tick);
    if (!counter->gate) {
        counter->frozen = 0;
        counter->run = COUNTER_FROZEN;
    }
}

static void counter_set_gate(PitCounter *counter, int level, int64_t tick) {
    bool rises = level && !counter->gate;
    bool falls = !level && counter->gate;
    bool out = counter_out(counter, tick);
    counter->gate = level != 0;
    if (mode_needs_trigger(counter)) {
        if (rises && counter->count_written) {
            counter->out_at_load = out;
            counter_load(counter, counter->next_pending ? counter->next_count : counter->count,
                         tick);
        }
    } else if (falls) {
        counter_freeze(counter, tick);
    } else if (rises && counter->run == COUNTER_FROZEN && !counter->write_high) {
        if (mode_is_periodic(counter)) {
            counter_load(counter, counter->next_pending ? counter->next_count : counter->count,
                         tick);
        } else {
            counter->start_tick = tick - counter->frozen;
            counter->run = COUNTER_RUNNING;
        }
    }
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void counter_write(PitCounter *counter, uint8_t value, int64_t tick) {
    switch (counter->access) {
    case ACCESS_LOW:
        counter_take_count(counter, value, tick);
        break;
    case ACCESS_HIGH:
        counter_take_count(counter, (uint16_t)(value << 8), tick);
        break;
    default:
        if (!counter->write_high) {
            counter->write_low = value;
            counter->write_high = 1;
            if (counter->mode ==
                0) { /* "writing the first byte disables counting; OUT is set low immediately" */
                counter_freeze(counter, tick);
                if (counter->frozen >= counter->count)
                    counter->frozen = 0;
            }
        } else {
            counter->write_high = 0;
            counter_take_count(counter, (uint16_t)(value << 8 | counter->write_low), tick);
        }
        break;
    }
}

static void counter_latch_count(PitCounter *counter, int64_t tick) {
    if (counter->latched_bytes != 0)
        return;
    counter->latched_count = counter_value(counter, tick);
    counter->latched_bytes = counter->access == ACCESS_BOTH ? 2 : 1;
}

static void counter_latch_status(PitCounter *counter, int64_t tick) {
    if (counter->status_latched)
        return;
    counter->latched_status = (uint8_t)(counter->access << 4 | counter->mode << 1 | counter->bcd);
    if (counter_out(counter, tick))
        counter->latched_status |= STATUS_OUT;
    bool waits = counter->run == COUNTER_RUNNING && tick < counter->start_tick;
    if (!counter->count_written || counter->next_pending || counter->run == COUNTER_IDLE || waits)
        counter->latched_status |= STATUS_NULL_COUNT;
    counter->status_latched = 1;
}

static uint8_t counter_read(PitCounter *counter, int64_t tick) {
    if (counter->status_latched) {
        counter->status_latched = 0;
        return counter->latched_status;
    }
    uint16_t value =
        counter->latched_bytes != 0 ? counter->latched_count : counter_value(counter, tick);
    if (counter->latched_bytes != 0)
        counter->latched_bytes--;
    bool high = counter->access == ACCESS_HIGH;
    if (counter->access == ACCESS_BOTH) {
        high = counter->read_high;
        counter->read_high ^= 1;
    }
    return (uint8_t)(high ? value >> 8 : value);
}

static void counter_control(PitCounter *counter, uint8_t value, int64_t tick) {
    uint8_t access = value >> 4 & 3;
    if (access == ACCESS_LATCH) {
        counter_latch_count(counter, tick);
        return;
    }
    /* The counting element keeps its value for whoever reads it before a count comes. */
    uint16_t present = counter_value(counter, tick);
    counter->access = access;
    counter->mode = value >> 1 & 7;
    if (counter->mode > 5)
        counter->mode -= 4;
    counter->bcd = value & 1;
    counter->count = present != 0 ? present : 0x10000;
    counter->run = COUNTER_IDLE;
    counter->next_pending = 0;
    counter->count_written = 0;
    counter->half_high = 1;
    counter->latched_bytes = 0;
    counter->status_latched = 0;
    counter->read_high = 0;
    counter->write_high = 0;
}

static void pit_read_back(I8254 *pit, uint8_t value) {
    int64_t tick = pit_tick(pit);
    for (unsigned i = 0; i < COUNTERS; i++) {
        if (!(value & (2u << i)))
            continue;
        if (!(value & READ_BACK_NO_COUNT))
            counter_latch_count(&pit->state.counters[i], tick);
        if (!(value & READ_BACK_NO_STATUS))
            counter_latch_status(&pit->state.counters[i], tick);
    }
}

static uint32_t pit_port_read(void *opaque, uint32_t offset, unsigned size) {
    I8254 *pit = opaque;
    (void)size;
    if (offset == COUNTERS) /* "no operation": the bus floats */
        return 0xFF;
    return counter_read(&pit->state.counters[offset], pit_tick(pit));
}

static void pit_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I8254 *pit = opaque;
    (void)size;
    unsigned index = offset;
    pit_run_due_edge(pit, pit_tick(pit));
    int64_t tick = pit_tick(pit);
    if (offset == COUNTERS) {
        index = value >> 6 & 3;
        if (index == CONTROL_READ_BACK) {
            pit_read_back(pit, (uint8_t)value);
            return;
        }
        pit_tell(pit, tick);
        counter_control(&pit->state.counters[index], (uint8_t)value, tick);
    } else {
        pit_tell(pit, tick);
        counter_write(&pit->state.counters[index], (uint8_t)value, tick);
    }
    if (index == 0)
        pit_update_out0(pit, tick);
    else if (index == 2)
        pit_hear(pit, tick);
}

/* --- the device --------------------------------------------------------------------------------
 */

void i8254_set_gate2(I8254 *pit, int level) {
    int64_t tick = pit_tick(pit);
    pit_tell(pit, tick);
    counter_set_gate(&pit->state.counters[2], level, tick);
    pit_hear(pit, tick);
}

void i8254_listen(I8254 *pit, const I8254Listener *listener) {
    pit->listener = listener != NULL ? *listener : (I8254Listener){NULL, NULL};
    pit->heard_level = -1;
    pit_hear(pit, pit_tick(pit));
}

void i8254_tell(I8254 *pit) {
    pit_tell(pit, pit_tick(pit));
}

bool i8254_out(I8254 *pit, unsigned counter) {
    return counter_out(&pit->state.counters[counter], pit_tick(pit));
}

bool i8254_is_tone(const I8254 *pit) {
    return pit->heard.mode == 3 && pit->heard.run == COUNTER_RUNNING;
}

/* The 8254 has no RESET pin; "prior to initialization, the mode, count and output of all counters
 * are undefined". */
static void i8254_reset(void *opaque) {
    I8254 *pit = opaque;
    for (int i = 0; i < COUNTERS; i++) {
        PitCounter *counter = &pit->state.counters[i];
        memset(counter, 0, sizeof *counter);
        counter->count = 0x10000;
        counter->mode = 3;
        counter->access = ACCESS_BOTH;
        counter->gate = i != 2;
        counter->half_high = 1;
    }
    pit_update_out0(pit, pit_tick(pit));
}

static const DeviceClass i8254_class = {"isa-pit", &i8254_fields, i8254_reset, NULL};

I8254 *i8254_create(const DeviceContext *context, const Wire *out0, Error *error) {
    I8254 *pit = allocate_zeroed(sizeof *pit);
    const PortRange range = {"pit", 0x40, 4, PORT_8, pit_port_read, pit_port_write, pit};
    if (!port_map_add(context->ports, &range, error)) {
        free(pit);
        return NULL;
    }
    pit->clock = context->clock;
    pit->out0 = *out0;
    timer_init(&pit->edge, context->clock, "pit", &pit->state.edge_due_ns, pit_edge_due, pit);
    device_list_add(context->devices, &i8254_class, "pit", pit, &pit->state);
    i8254_reset(pit);
    return pit;
}

void i8254_destroy(I8254 *pit) {
    free(pit);
}
