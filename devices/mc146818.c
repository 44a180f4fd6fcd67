#include "mc146818.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    REGISTER_A = 10,
    REGISTER_B = 11,
    REGISTER_C = 12,
    REGISTER_D = 13,
};

enum {
    A_UPDATE_IN_PROGRESS = 0x80,
    A_DIVIDER = 0x70,
    A_DIVIDER_RUNNING = 0x20, /* for a 32768 Hz crystal */
    A_RATE = 0x0F,
    B_SET = 0x80,
    B_PERIODIC = 0x40,
    B_ALARM = 0x20,
    B_UPDATE = 0x10,
    B_SQUARE_WAVE = 0x08,
    B_BINARY = 0x04,
    B_24_HOURS = 0x02,
    C_REQUEST = 0x80,
    C_FLAGS = 0x70, /* the same places as their enables in B */
    D_VALID = 0x80,
    HOUR_PM = 0x80,
    ALARM_ANY = 0xC0,
};

#define CRYSTAL_HZ 32768
/* UIP is set 244 us before an update cycle, which takes 1984 us (data sheet table 6). The bytes
 * change at its end. */
#define UPDATE_WINDOW_NS ((244 + 1984) * 1000LL)
/* "When the divider is changed from reset to an operating time base, the first update cycle is
 * one-half second later". */
#define FIRST_UPDATE_NS (NS_PER_SECOND / 2)
#define SECONDS_PER_DAY 86400

typedef struct Mc146818State {
    int64_t divider_origin_ns; /* a second of the divider chain began here */
    int64_t updates_seen;      /* seconds since then that the bytes know of */
    int64_t periods_seen;      /* periods since then that flag PF knows of */
    int64_t event_due_ns;
    uint8_t cmos[CMOS_BYTES];
    uint8_t index;
    uint8_t padding[7];
} Mc146818State;

static const Field mc146818_state_fields[] = {
    FIELD(Mc146818State, U64, divider_origin_ns), FIELD(Mc146818State, U64, updates_seen),
    FIELD(Mc146818State, U64, periods_seen),      FIELD(Mc146818State, U64, event_due_ns),
    FIELD_BYTES_OF(Mc146818State, cmos),          FIELD(Mc146818State, U8, index),
    FIELD_PADDING(Mc146818State, padding),        FIELD_END,
};

static const FieldTable mc146818_fields = {"mc146818", 1, sizeof(Mc146818State),
                                           mc146818_state_fields};

struct Mc146818 {
    Mc146818State state;
    const VirtualClock *clock;
    Wire irq;
    Timer event;
};

/* --- the calendar ------------------------------------------------------------------------------
 */

typedef struct CalendarTime {
    int64_t year; /* all of it: 1998 */
    unsigned month, day, hour, minute, second;
    unsigned weekday; /* 1: Sunday */
} CalendarTime;

/* Days since 1970-01-01 of a date of the Gregorian calendar; the year is counted from March, so
 * that a leap day is its last. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_from_days(int64_t days, CalendarTime *time) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    time->day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    time->month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    time->year = era * 400 + year_of_era + (time->month <= 2);
}

/* Values out of range (a guest may write anything) carry into the next larger unit. */
static int64_t seconds_from_calendar(const CalendarTime *time) {
    unsigned month = time->month < 1 || time->month > 12 ? 1 : time->month;
    int64_t days = days_from_date(time->year, month, time->day);
    return days * SECONDS_PER_DAY + time->hour * 3600LL + time->minute * 60LL + time->second;
}

static void calendar_from_seconds(int64_t seconds, CalendarTime *time) {
    int64_t days = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
    unsigned rest = (unsigned)(seconds - days * SECONDS_PER_DAY);
    date_from_days(days, time);
    time->hour = rest / 3600;
    time->minute = rest / 60 % 60;
    time->second = rest % 60;
    time->weekday = (unsigned)(((days + 4) % 7 + 7) % 7) + 1; /* 1970 began on a Thursday */
}

/* --- bytes of the time -------------------------------------------------------------------------
 */

static unsigned from_bcd(uint8_t value) {
    return (value >> 4) * 10u + (value & 15);
}

static uint8_t to_bcd(unsigned value) {
    return (uint8_t)((value / 10 % 10) << 4 | value % 10);
}

static unsigned decode(const Mc146818State *state, uint8_t value) {
    return state->cmos[REGISTER_B] & B_BINARY ? value : from_bcd(value);
}

static uint8_t encode(const Mc146818State *state, unsigned value) {
    return state->cmos[REGISTER_B] & B_BINARY ? (uint8_t)value : to_bcd(value);
}

static unsigned decode_hour(const Mc146818State *state, uint8_t value) {
    if (state->cmos[REGISTER_B] & B_24_HOURS)
        return decode(state, value);
    return decode(state, value & (uint8_t)~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

static uint8_t encode_hour(const Mc146818State *state, unsigned hour) {
    if (state->cmos[REGISTER_B] & B_24_HOURS)
        return encode(state, hour);
    uint8_t byte = encode(state, hour % 12 == 0 ? 12 : hour % 12);
    return hour >= 12 ? byte | HOUR_PM : byte;
}

/* The century is not the chip's: the BIOS's byte is BCD in every format. */
static int64_t state_seconds(const Mc146818State *state) {
    const uint8_t *cmos = state->cmos;
    CalendarTime time = {
        .year = from_bcd(cmos[CMOS_CENTURY]) * 100LL + decode(state, cmos[YEAR]),
        .month = decode(state, cmos[MONTH]),
        .day = decode(state, cmos[DAY]),
        .hour = decode_hour(state, cmos[HOURS]),
        .minute = decode(state, cmos[MINUTES]),
        .second = decode(state, cmos[SECONDS]),
    };
    return seconds_from_calendar(&time);
}

static void state_set_seconds(Mc146818State *state, int64_t seconds) {
    CalendarTime time;
    calendar_from_seconds(seconds, &time);
    uint8_t *cmos = state->cmos;
    cmos[SECONDS] = encode(state, time.second);
    cmos[MINUTES] = encode(state, time.minute);
    cmos[HOURS] = encode_hour(state, time.hour);
    cmos[DAY] = encode(state, time.day);
    cmos[MONTH] = encode(state, time.month);
    cmos[YEAR] = encode(state, (unsigned)(time.year % 100));
    cmos[CMOS_CENTURY] = to_bcd((unsigned)(time.year / 100));
}

/* The weekday is a counter of its own, which software may have set as it likes. */
static void state_advance(Mc146818State *state, int64_t seconds) {
    int64_t before = state_seconds(state);
    int64_t days = (before + seconds) / SECONDS_PER_DAY - before / SECONDS_PER_DAY;
    unsigned weekday = decode(state, state->cmos[WEEKDAY]) + 6;
    state_set_seconds(state, before + seconds);
    state->cmos[WEEKDAY] = encode(state, (unsigned)((weekday + days % 7 + 7) % 7) + 1);
}

/* --- running -----------------------------------------------------------------------------------
 */

static bool divider_runs(const Mc146818State *state) {
    return (state->cmos[REGISTER_A] & A_DIVIDER) == A_DIVIDER_RUNNING;
}

/* The periodic rate in crystal cycles; 0: none. Rates 1 and 2 repeat 8 and 9 (data sheet table 5).
 */
static int64_t periodic_cycles(const Mc146818State *state) {
    unsigned rate = state->cmos[REGISTER_A] & A_RATE;
    if (rate == 0 || !divider_runs(state))
        return 0;
    return 1LL << (rate <= 2 ? rate + 6 : rate - 1);
}

static int64_t periods_by_now(const Mc146818 *rtc) {
    int64_t cycles = periodic_cycles(&rtc->state);
    int64_t elapsed = clock_now_ns(rtc->clock) - rtc->state.divider_origin_ns;
    if (cycles == 0 || elapsed < 0)
        return 0;
    return clock_scale(elapsed, CRYSTAL_HZ, NS_PER_SECOND) / cycles;
}

static bool alarm_matches(const Mc146818State *state) {
    for (int i = SECONDS; i <= HOURS; i += 2) {
        uint8_t alarm = state->cmos[i + 1];
        if ((alarm & ALARM_ANY) != ALARM_ANY && alarm != state->cmos[i])
            return false;
    }
    return true;
}

/* Second by second, since each may be the alarm's; of a long time only the last day counts for
 * that. */
static void rtc_update_time(Mc146818State *state, int64_t seconds) {
    if (seconds > SECONDS_PER_DAY) {
        state_advance(state, seconds - SECONDS_PER_DAY);
        seconds = SECONDS_PER_DAY;
    }
    if (state->cmos[REGISTER_C] & B_ALARM) {
        state_advance(state, seconds);
    } else {
        for (; seconds > 0; seconds--) {
            state_advance(state, 1);
            if (alarm_matches(state))
                state->cmos[REGISTER_C] |= B_ALARM;
        }
    }
    state->cmos[REGISTER_C] |= B_UPDATE;
}

static void rtc_drive_irq(Mc146818 *rtc) {
    uint8_t *cmos = rtc->state.cmos;
    bool request = (cmos[REGISTER_C] & cmos[REGISTER_B] & C_FLAGS) != 0;
    cmos[REGISTER_C] = (cmos[REGISTER_C] & C_FLAGS) | (request ? C_REQUEST : 0);
    wire_set(&rtc->irq, request);
}

/* Brings bytes and flags up to the present. */
static void rtc_advance(Mc146818 *rtc) {
    Mc146818State *state = &rtc->state;
    if (divider_runs(state)) {
        int64_t elapsed = clock_now_ns(rtc->clock) - state->divider_origin_ns;
        int64_t seconds = elapsed < 0 ? 0 : elapsed / NS_PER_SECOND;
        if (seconds > state->updates_seen && !(state->cmos[REGISTER_B] & B_SET))
            rtc_update_time(state, seconds - state->updates_seen);
        state->updates_seen = seconds;
        int64_t periods = periods_by_now(rtc);
        if (periods > state->periods_seen)
            state->cmos[REGISTER_C] |= B_PERIODIC;
        state->periods_seen = periods;
    }
    rtc_drive_irq(rtc);
}

/* Events are needed only for what may raise the interrupt; everything else is found when somebody
 * looks. */
static void rtc_arm(Mc146818 *rtc) {
    const Mc146818State *state = &rtc->state;
    uint8_t enabled = state->cmos[REGISTER_B];
    int64_t due = TIMER_NEVER;
    if (divider_runs(state) && (enabled & (B_ALARM | B_UPDATE)) && !(enabled & B_SET))
        due = state->divider_origin_ns + (state->updates_seen + 1) * NS_PER_SECOND;
    int64_t cycles = periodic_cycles(state);
    if (cycles != 0 && (enabled & B_PERIODIC)) {
        int64_t next = (state->periods_seen + 1) * cycles;
        int64_t at = clock_scale(next, NS_PER_SECOND, CRYSTAL_HZ);
        at += state->divider_origin_ns + (next * (NS_PER_SECOND % CRYSTAL_HZ) % CRYSTAL_HZ != 0);
        due = at < due ? at : due;
    }
    if (due == TIMER_NEVER)
        timer_cancel(&rtc->event);
    else
        timer_arm(&rtc->event, due);
}

static void rtc_event_due(void *opaque) {
    Mc146818 *rtc = opaque;
    rtc_advance(rtc);
    rtc_arm(rtc);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static bool update_in_progress(const Mc146818 *rtc) {
    const Mc146818State *state = &rtc->state;
    if (!divider_runs(state) || (state->cmos[REGISTER_B] & B_SET))
        return false;
    int64_t next = state->divider_origin_ns + (state->updates_seen + 1) * NS_PER_SECOND;
    return next - clock_now_ns(rtc->clock) <= UPDATE_WINDOW_NS;
}

static void rtc_write_a(Mc146818 *rtc, uint8_t value) {
    Mc146818State *state = &rtc->state;
    bool ran = divider_runs(state);
    state->cmos[REGISTER_A] = value & (uint8_t)~A_UPDATE_IN_PROGRESS;
    if (divider_runs(state) && !ran) {
        state->divider_origin_ns = clock_now_ns(rtc->clock) - (NS_PER_SECOND - FIRST_UPDATE_NS);
        state->updates_seen = 0;
    }
    state->periods_seen = periods_by_now(rtc);
}

static void rtc_write_b(Mc146818State *state, uint8_t value) {
    if (value & B_SET)
        value &= (uint8_t)~B_UPDATE; /* "the SET bit going high clears the UIE bit" */
    state->cmos[REGISTER_B] = value;
}

/* Neither looks at the clock nor is changed by it. */
static bool is_plain_memory(uint8_t index) {
    return index > REGISTER_D && index != CMOS_CENTURY;
}

static void rtc_write(Mc146818 *rtc, uint8_t value) {
    Mc146818State *state = &rtc->state;
    if (is_plain_memory(state->index)) {
        state->cmos[state->index] = value;
        return;
    }
    rtc_advance(rtc);
    switch (state->index) {
    case REGISTER_A:
        rtc_write_a(rtc, value);
        break;
    case REGISTER_B:
        rtc_write_b(state, value);
        break;
    case REGISTER_C:
    case REGISTER_D:
        break;
    default:
        state->cmos[state->index] = value;
        break;
    }
    rtc_drive_irq(rtc);
    rtc_arm(rtc);
}

static uint8_t rtc_read(Mc146818 *rtc) {
    Mc146818State *state = &rtc->state;
    if (is_plain_memory(state->index))
        return state->cmos[state->index];
    rtc_advance(rtc);
    uint8_t value = state->cmos[state->index];
    if (state->index == REGISTER_A && update_in_progress(rtc))
        value |= A_UPDATE_IN_PROGRESS;
    if (state->index == REGISTER_C) {
        state->cmos[REGISTER_C] = 0;
        rtc_drive_irq(rtc);
    }
    return value;
}

static uint32_t rtc_port_read(void *opaque, uint32_t offset, unsigned size) {
    (void)size;
    return offset == 0 ? 0xFF : rtc_read(opaque); /* the index cannot be read back */
}

/* Bit 7 of the index port masks NMI in the chipset; no chip of this board raises one. */
static void rtc_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Mc146818 *rtc = opaque;
    (void)size;
    if (offset == 0)
        rtc->state.index = value & (CMOS_BYTES - 1);
    else
        rtc_write(rtc, (uint8_t)value);
}

/* --- the device --------------------------------------------------------------------------------
 */

void mc146818_set_time(Mc146818 *rtc, int64_t seconds) {
    CalendarTime time;
    rtc_advance(rtc);
    calendar_from_seconds(seconds, &time);
    state_set_seconds(&rtc->state, seconds);
    rtc->state.cmos[WEEKDAY] = encode(&rtc->state, time.weekday);
    rtc->state.divider_origin_ns = clock_now_ns(rtc->clock);
    rtc->state.updates_seen = 0;
    rtc->state.periods_seen = 0;
    rtc_arm(rtc);
}

void mc146818_set_phase(Mc146818 *rtc, int64_t nanoseconds) {
    rtc->state.divider_origin_ns = clock_now_ns(rtc->clock) - nanoseconds % NS_PER_SECOND;
    rtc_arm(rtc);
}

int64_t mc146818_time(Mc146818 *rtc) {
    rtc_advance(rtc);
    return state_seconds(&rtc->state);
}

void mc146818_pass_time(Mc146818 *rtc, int64_t ns) {
    rtc_advance(rtc);
    if (!divider_runs(&rtc->state) || ns <= 0)
        return;
    rtc->state.divider_origin_ns -= ns;
    rtc_advance(rtc);
    rtc_arm(rtc);
}

void mc146818_set_cmos(Mc146818 *rtc, unsigned index, uint8_t value) {
    if (index > REGISTER_D && index < CMOS_BYTES)
        rtc->state.cmos[index] = value;
}

uint8_t mc146818_cmos(const Mc146818 *rtc, unsigned index) {
    return index < CMOS_BYTES ? rtc->state.cmos[index] : 0xFF;
}

/* The RESET pin touches neither clock nor RAM (data sheet, 'RESET'). */
static void mc146818_reset(void *opaque) {
    Mc146818 *rtc = opaque;
    rtc_advance(rtc);
    rtc->state.cmos[REGISTER_B] &= (uint8_t) ~(B_PERIODIC | B_ALARM | B_UPDATE | B_SQUARE_WAVE);
    rtc->state.cmos[REGISTER_C] = 0;
    rtc_drive_irq(rtc);
    rtc_arm(rtc);
}

static const DeviceClass mc146818_class = {"mc146818rtc", &mc146818_fields, mc146818_reset, NULL};

Mc146818 *mc146818_create(const DeviceContext *context, const Wire *irq8, Error *error) {
    Mc146818 *rtc = allocate_zeroed(sizeof *rtc);
    const PortRange range = {"rtc", 0x70, 2, PORT_8, rtc_port_read, rtc_port_write, rtc};
    if (!port_map_add(context->ports, &range, error)) {
        free(rtc);
        return NULL;
    }
    rtc->clock = context->clock;
    rtc->irq = *irq8;
    rtc->state.cmos[REGISTER_A] = A_DIVIDER_RUNNING | 6; /* 1024 Hz */
    rtc->state.cmos[REGISTER_B] = B_24_HOURS;
    rtc->state.cmos[REGISTER_D] = D_VALID;
    timer_init(&rtc->event, context->clock, "rtc", &rtc->state.event_due_ns, rtc_event_due, rtc);
    device_list_add(context->devices, &mc146818_class, "rtc", rtc, &rtc->state);
    mc146818_set_time(rtc, 0);
    return rtc;
}

void mc146818_destroy(Mc146818 *rtc) {
    free(rtc);
}
