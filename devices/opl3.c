#include "opl3.h"
#include "allocate.h"
#include "opl_synth.h"
#include <stdlib.h>

enum { BANKS = 2, TIMERS = 2, KEYS_FIRST = 0xB0, KEYS_LAST = 0xB8, RHYTHM = 0xBD };
enum { REGISTER_TIMER_1 = 2, REGISTER_TIMER_2 = 3, REGISTER_TIMER_CONTROL = 4 };
enum { CONTROL_RESET = 0x80, STATUS_ANY = 0x80, KEY_ON = 0x20, RHYTHM_KEYS = 0x1F };

/* One step of each timer (application manual, 'Timer'). */
static const int64_t timer_step_ns[TIMERS] = {80000, 320000};

#define BUS_READ_NS 1000

/* After the last key notes fade, for a while. */
#define FADE_NS (10 * NS_PER_SECOND)

typedef struct Opl3State {
    int64_t timer_end_ns[TIMERS]; /* of a running one: when it overflows next */
    int64_t read_ns;              /* when the status was read last */
    uint16_t index;               /* bit 8: the second bank */
    uint8_t registers[BANKS][256];
    uint8_t running; /* a bit a timer */
    uint8_t masked;
    uint8_t overflowed;
    uint8_t padding[3];
} Opl3State;

static const Field opl3_state_fields[] = {
    FIELD_ARRAY(Opl3State, U64, timer_end_ns),
    FIELD(Opl3State, U64, read_ns),
    FIELD(Opl3State, U16, index),
    FIELD_BYTES_OF(Opl3State, registers),
    FIELD(Opl3State, U8, running),
    FIELD(Opl3State, U8, masked),
    FIELD(Opl3State, U8, overflowed),
    FIELD_PADDING(Opl3State, padding),
    FIELD_END,
};

static const FieldTable opl3_fields = {"opl3", 1, sizeof(Opl3State), opl3_state_fields};

struct Opl3 {
    Opl3State state;
    const VirtualClock *clock;
    AudioVoice *voice;
    int64_t key_ns; /* when a key was down last */
};

AudioVoice *opl3_voice(Opl3 *opl) {
    return opl->voice;
}

/* --- timers ------------------------------------------------------------------------------------
 */

static int64_t timer_period_ns(const Opl3 *opl, unsigned timer) {
    return (256 - opl->state.registers[0][REGISTER_TIMER_1 + timer]) * timer_step_ns[timer];
}

/* Overflows up to now: a timer goes on from its register each time. */
static void run_timers(Opl3 *opl) {
    Opl3State *state = &opl->state;
    int64_t now_ns = clock_now_ns(opl->clock);
    for (unsigned timer = 0; timer < TIMERS; timer++) {
        int64_t period = timer_period_ns(opl, timer), late = now_ns - state->timer_end_ns[timer];
        if (!(state->running >> timer & 1) || late < 0)
            continue;
        state->timer_end_ns[timer] += (late / period + 1) * period;
        if (!(state->masked >> timer & 1))
            state->overflowed |= (uint8_t)(1u << timer);
    }
}

/* Bits 0 and 1 start, 5 and 6 mask timer 2 and 1. */
static void control_timers(Opl3 *opl, uint8_t value) {
    Opl3State *state = &opl->state;
    run_timers(opl);
    if (value & CONTROL_RESET) {
        state->overflowed = 0;
        return;
    }
    uint8_t starting = value & 3 & (uint8_t)~state->running;
    for (unsigned timer = 0; timer < TIMERS; timer++)
        if (starting >> timer & 1)
            state->timer_end_ns[timer] = clock_now_ns(opl->clock) + timer_period_ns(opl, timer);
    state->running = value & 3;
    state->masked = (uint8_t)((value >> 6 & 1) | (value >> 4 & 2));
    state->overflowed &= (uint8_t)~state->masked;
}

/* On the bus a read takes a microsecond, and programs that look for the chip wait by reading its
 * status so often. What a faster processor's reads leave of that is taken off the timers. */
static void spend_bus_time(Opl3 *opl) {
    Opl3State *state = &opl->state;
    int64_t now_ns = clock_now_ns(opl->clock), since_ns = now_ns - state->read_ns;
    state->read_ns = now_ns;
    if (since_ns < 0 || since_ns >= BUS_READ_NS)
        return;
    for (unsigned timer = 0; timer < TIMERS; timer++)
        if (state->running >> timer & 1)
            state->timer_end_ns[timer] -= BUS_READ_NS - since_ns;
}

static uint8_t read_status(Opl3 *opl) {
    spend_bus_time(opl);
    run_timers(opl);
    uint8_t flags = opl->state.overflowed;
    return (uint8_t)((flags & 1) << 6 | (flags & 2) << 4 | (flags != 0 ? STATUS_ANY : 0));
}

/* --- registers ---------------------------------------------------------------------------------
 */

static bool any_key(const Opl3 *opl) {
    bool on = (opl->state.registers[0][RHYTHM] & RHYTHM_KEYS) != 0;
    for (unsigned i = KEYS_FIRST; i <= KEYS_LAST; i++)
        on |= ((opl->state.registers[0][i] | opl->state.registers[1][i]) & KEY_ON) != 0;
    return on;
}

static void write_register(Opl3 *opl, uint8_t value) {
    Opl3State *state = &opl->state;
    unsigned bank = state->index >> 8 & 1, reg = state->index & 0xFF;
    bool is_timer = bank == 0 && reg >= REGISTER_TIMER_1 && reg <= REGISTER_TIMER_CONTROL;
    if (is_timer)
        run_timers(opl); /* by the old period */
    state->registers[bank][reg] = value;
    if (is_timer && reg == REGISTER_TIMER_CONTROL)
        control_timers(opl, value);
    if (is_timer)
        return;
    bool key = (reg >= KEYS_FIRST && reg <= KEYS_LAST && (value & KEY_ON)) ||
               (reg == RHYTHM && (value & RHYTHM_KEYS));
    if (key) {
        opl->key_ns = clock_now_ns(opl->clock);
        audio_voice_wake(opl->voice);
    }
    audio_voice_write_synth(opl->voice, state->index & 0x1FF, value);
}

static uint32_t opl3_read(void *opaque, uint32_t offset, unsigned size) {
    (void)size;
    return (offset & 1) == 0 ? read_status(opaque) : 0xFF;
}

static void opl3_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Opl3 *opl = opaque;
    (void)size;
    if (offset & 1)
        write_register(opl, (uint8_t)value);
    else
        opl->state.index = (uint16_t)((offset & 2) << 7 | (value & 0xFF));
}

/* --- the device --------------------------------------------------------------------------------
 */

static bool opl3_refresh(void *opaque, int64_t now_ns) {
    Opl3 *opl = opaque;
    if (any_key(opl))
        opl->key_ns = now_ns;
    return now_ns - opl->key_ns < FADE_NS;
}

static void opl3_reset(void *opaque) {
    Opl3 *opl = opaque;
    opl->state = (Opl3State){.index = 0};
    audio_voice_reset_synth(opl->voice);
}

/* What is heard goes on from the registers: keys that are down strike again. */
static void opl3_restored(void *opaque) {
    Opl3 *opl = opaque;
    audio_voice_restored(opl->voice);
    audio_voice_reset_synth(opl->voice);
    audio_voice_write_synth(opl->voice, 0x105, opl->state.registers[1][5]); /* OPL3 or OPL2 */
    for (unsigned at = 0; at < BANKS * 256; at++) {
        uint8_t value = opl->state.registers[at >> 8][at & 0xFF];
        if (value != 0 && !(at >= REGISTER_TIMER_1 && at <= REGISTER_TIMER_CONTROL))
            audio_voice_write_synth(opl->voice, (uint16_t)at, value);
    }
}

static const DeviceClass opl3_class = {"opl3", &opl3_fields, opl3_reset, opl3_restored};

Opl3 *opl3_create(const DeviceContext *context, const Opl3Options *options, Error *error) {
    Opl3 *opl = allocate_zeroed(sizeof *opl);
    for (unsigned i = 0; i < options->place_count; i++) {
        const PortRange range = {options->id,
                                 options->places[i].port,
                                 options->places[i].two_ports ? 2 : 4,
                                 PORT_8,
                                 opl3_read,
                                 opl3_write,
                                 opl};
        if (!port_map_add(context->ports, &range, error)) {
            free(opl);
            return NULL;
        }
    }
    opl->clock = context->clock;
    opl->key_ns = -FADE_NS;
    opl->voice = audio_voice_open(options->mixer, opl3_refresh, opl);
    audio_voice_set_synth(opl->voice, &opl_synth);
    device_list_add(context->devices, &opl3_class, options->id, opl, &opl->state);
    return opl;
}

void opl3_destroy(Opl3 *opl) {
    free(opl);
}
