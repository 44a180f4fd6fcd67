#include "performance.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "helpers.h"
#include "msr_row.h"
#include <string.h>

enum {
    GENERAL = PERFORMANCE_GENERAL, /* counters of either sort */
    FIXED = PERFORMANCE_FIXED,
    COUNTERS = GENERAL + FIXED,
    WIDTH_P6 = 40, /* the Pentium's too */
    WIDTH = 48,
    FIXED_STATUS = 32, /* the first fixed counter's bit of the global registers */
    INSTRUCTIONS_A_CYCLE = 2,
};

/* Event select registers, SDM vol. 3B 18.2.1.1. */
enum {
    SELECT_EVENT = 0xFFFF, /* with unit mask */
    SELECT_PRIVILEGES = 3 << 16,
    SELECT_INTERRUPT = 1 << 20,
    SELECT_ENABLE = 1 << 22,
    SELECT_INVERT = 1 << 23,
};
#define SELECT_MASK_OF(select) ((select) >> 24 & 0xFF)

/* Of each fixed counter, 18.2.2. */
enum { FIXED_PRIVILEGES = 3, FIXED_INTERRUPT = 1 << 3, FIXED_BITS = 4 };

/* The Pentium's control and event select register, 18.6.9: two halves. */
enum {
    CESR_EVENT = 0x3F,
    CESR_PRIVILEGES = 3 << 6,
    CESR_CLOCKS = 1 << 8,
    CESR_HALF = 16,
    CESR_INSTRUCTIONS = 0x16,
};

typedef enum CountedEvent {
    COUNT_NOTHING,
    COUNT_INSTRUCTIONS,
    COUNT_CYCLES,
    COUNT_REFERENCE
} CountedEvent;

/* How far everything was brought: instructions and the clock of the TSC. */
typedef struct Moment {
    uint64_t instructions, ticks;
} Moment;

static bool is_architectural(const Cpu *cpu) {
    return cpu_has(cpu, FEATURE_PMU);
}

static bool is_pentium(const Cpu *cpu) {
    return !cpu_has(cpu, FEATURE_PAT);
}

static bool is_pentium_4(const Cpu *cpu) {
    return cpu_model_family(cpu->model) == CPU_FAMILY_PENTIUM_4;
}

static uint64_t counter_mask(const Cpu *cpu) {
    return (UINT64_C(1) << (is_architectural(cpu) ? WIDTH : WIDTH_P6)) - 1;
}

/* ---- What a counter counts ---- */

/* A counter mask asks for the cycles in which so many instructions retired. */
static CountedEvent masked_instructions(uint64_t select) {
    unsigned mask = SELECT_MASK_OF(select);
    if (mask == 0)
        return COUNT_INSTRUCTIONS;
    bool reached = mask <= INSTRUCTIONS_A_CYCLE;
    return reached != ((select & SELECT_INVERT) != 0) ? COUNT_CYCLES : COUNT_NOTHING;
}

static CountedEvent selected_event(const Cpu *cpu, uint64_t select) {
    enum { RETIRED = 0x00C0, CORE = 0x003C, REFERENCE = 0x013C, P6_CLOCKS = 0x79 };
    unsigned event = select & SELECT_EVENT;
    if (!(select & SELECT_PRIVILEGES))
        return COUNT_NOTHING;
    if (event == RETIRED)
        return masked_instructions(select);
    if (is_architectural(cpu))
        return event == CORE ? COUNT_CYCLES : event == REFERENCE ? COUNT_REFERENCE : COUNT_NOTHING;
    return (event & 0xFF) == P6_CLOCKS ? COUNT_CYCLES : COUNT_NOTHING;
}

static CountedEvent pentium_event(uint64_t half) {
    if (!(half & CESR_PRIVILEGES))
        return COUNT_NOTHING;
    if (half & CESR_CLOCKS)
        return COUNT_CYCLES;
    return (half & CESR_EVENT) == CESR_INSTRUCTIONS ? COUNT_INSTRUCTIONS : COUNT_NOTHING;
}

/* The first fixed counter counts instructions, the others core and reference cycles. */
static CountedEvent fixed_event(const CpuState *state, unsigned number) {
    uint64_t control = state->performance_fixed_control >> FIXED_BITS * number;
    if (!(control & FIXED_PRIVILEGES))
        return COUNT_NOTHING;
    static const CountedEvent events[FIXED] = {COUNT_INSTRUCTIONS, COUNT_CYCLES, COUNT_REFERENCE};
    return events[number];
}

static unsigned status_bit(unsigned counter) {
    return counter < GENERAL ? counter : FIXED_STATUS + counter - GENERAL;
}

/* The P6 family's first register enables both counters. */
static CountedEvent counted_event(const Cpu *cpu, unsigned counter) {
    const CpuState *state = &cpu->state;
    if (is_pentium(cpu))
        return counter < GENERAL
                   ? pentium_event(state->performance_select[0] >> CESR_HALF * counter)
                   : COUNT_NOTHING;
    if (is_architectural(cpu) && !(state->performance_global_control >> status_bit(counter) & 1))
        return COUNT_NOTHING;
    if (counter >= GENERAL)
        return fixed_event(state, counter - GENERAL);
    uint64_t select = state->performance_select[counter];
    uint64_t enable = is_architectural(cpu) ? select : state->performance_select[0];
    return enable & SELECT_ENABLE ? selected_event(cpu, select) : COUNT_NOTHING;
}

static bool interrupts(const Cpu *cpu, unsigned counter) {
    const CpuState *state = &cpu->state;
    if (is_pentium(cpu))
        return false;
    if (counter >= GENERAL)
        return state->performance_fixed_control >> FIXED_BITS * (counter - GENERAL) &
               FIXED_INTERRUPT;
    return (state->performance_select[counter] & SELECT_INTERRUPT) != 0;
}

/* ---- Counting ---- */

static Moment present_moment(const Cpu *cpu) {
    return (Moment){cpu->state.instruction_count, cpu_read_tsc(cpu) - cpu->state.tsc_offset};
}

static uint64_t counted_between(CountedEvent event, const Moment *from, const Moment *to) {
    switch (event) {
    case COUNT_INSTRUCTIONS:
        return to->instructions - from->instructions;
    case COUNT_CYCLES:
        return to->instructions / INSTRUCTIONS_A_CYCLE - from->instructions / INSTRUCTIONS_A_CYCLE;
    case COUNT_REFERENCE:
        return to->ticks - from->ticks;
    default:
        return 0;
    }
}

/* The instruction count at which 'events' more will have happened, or somewhat before: how many
 * instructions there are to a tick is not known, so reference cycles are looked at often. */
static uint64_t count_after(CountedEvent event, uint64_t instructions, uint64_t events) {
    const uint64_t often = 100000;
    if (event == COUNT_REFERENCE && events > often)
        events = often;
    return instructions + (event == COUNT_CYCLES ? events * INSTRUCTIONS_A_CYCLE - 1 : events);
}

static void set_alarm(Cpu *cpu) {
    const CpuState *state = &cpu->state;
    uint64_t alarm = UINT64_MAX;
    for (unsigned i = 0; i < COUNTERS; i++) {
        CountedEvent event = counted_event(cpu, i);
        if (event == COUNT_NOTHING || !interrupts(cpu, i))
            continue;
        uint64_t left = counter_mask(cpu) - state->performance_counters[i] + 1;
        uint64_t at = count_after(event, state->performance_since, left);
        alarm = at < alarm ? at : alarm;
    }
    if (alarm < cpu->performance_alarm)
        cpu->break_after = 1; /* the run loop has to know */
    cpu->performance_alarm = alarm;
}

static void count(Cpu *cpu, unsigned counter, uint64_t events) {
    CpuState *state = &cpu->state;
    uint64_t mask = counter_mask(cpu), sum = state->performance_counters[counter] + events;
    state->performance_counters[counter] = sum & mask;
    if (sum <= mask)
        return;
    state->performance_status |= UINT64_C(1) << status_bit(counter);
    if (interrupts(cpu, counter))
        wire_pulse(&cpu->performance_interrupt);
}

void performance_settle(Cpu *cpu) {
    CpuState *state = &cpu->state;
    const Moment from = {state->performance_since, state->performance_since_tick},
                 to = present_moment(cpu);
    state->performance_since = to.instructions;
    state->performance_since_tick = to.ticks;
    for (unsigned i = 0; i < COUNTERS; i++) {
        CountedEvent event = counted_event(cpu, i);
        if (event != COUNT_NOTHING)
            count(cpu, i, counted_between(event, &from, &to));
    }
    set_alarm(cpu);
}

void performance_reset(Cpu *cpu) {
    CpuState *state = &cpu->state;
    memset(state->performance_counters, 0, sizeof(state->performance_counters));
    memset(state->performance_select, 0, sizeof(state->performance_select));
    state->performance_fixed_control = state->performance_status = 0;
    state->performance_global_control = is_architectural(cpu) ? (1 << GENERAL) - 1 : 0;
    const Moment moment = present_moment(cpu);
    state->performance_since = moment.instructions;
    state->performance_since_tick = moment.ticks;
    cpu->performance_alarm = UINT64_MAX;
}

/* A counter wider than it can be is none of ours. */
void performance_restored(Cpu *cpu) {
    for (unsigned i = 0; i < COUNTERS; i++)
        cpu->state.performance_counters[i] &= counter_mask(cpu);
    set_alarm(cpu);
}

/* ---- Registers ---- */

uint32_t performance_leaf_eax(void) {
    enum { VERSION = 2, EVENTS = 7 };
    return VERSION | GENERAL << 8 | WIDTH << 16 | EVENTS << 24;
}

/* A bit set says that the event is not there. */
uint32_t performance_leaf_ebx(void) {
    enum { NO_LAST_LEVEL_CACHE = 3 << 3, NO_BRANCHES = 3 << 5 };
    return NO_LAST_LEVEL_CACHE | NO_BRANCHES;
}

uint32_t performance_leaf_edx(void) {
    return FIXED | WIDTH << 5;
}

bool performance_read_counter(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    performance_settle(cpu);
    *value = cpu->state.performance_counters[index];
    return true;
}

/* Bit 31 is extended to the counter's width, except on a Pentium (SDM vol. 3B 18.6.8). */
bool performance_write_counter(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    performance_settle(cpu);
    if (!is_pentium(cpu))
        value = (uint64_t)(int64_t)(int32_t)(uint32_t)value;
    cpu->state.performance_counters[index] = value & counter_mask(cpu);
    set_alarm(cpu);
    return true;
}

bool performance_read_fixed(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    return performance_read_counter(cpu, row, GENERAL + index, value);
}

bool performance_write_fixed(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    if (value & ~counter_mask(cpu))
        return false;
    performance_settle(cpu);
    cpu->state.performance_counters[GENERAL + index] = value;
    set_alarm(cpu);
    return true;
}

bool performance_write_control(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    if (value & ~row->allowed)
        return false;
    performance_settle(cpu);
    *msr_row_field(cpu, row, index) = value;
    set_alarm(cpu);
    return true;
}

bool performance_read_status(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    (void)index;
    performance_settle(cpu);
    *value = cpu->state.performance_status;
    return true;
}

/* IA32_PERF_GLOBAL_OVF_CTRL: a bit for each counter, and two for states that never come. */
bool performance_clear_status(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    const uint64_t clearable = UINT64_C(3) << 62 | ((UINT64_C(1) << FIXED) - 1) << FIXED_STATUS |
                               ((UINT64_C(1) << GENERAL) - 1);
    if (value & ~clearable)
        return false;
    performance_settle(cpu);
    cpu->state.performance_status &= ~value;
    return true;
}

static HelperResult hand_out(Cpu *cpu, uint64_t value) {
    cpu->state.gpr[REG_EAX] = (uint32_t)value;
    cpu->state.gpr[REG_EDX] = value >> 32;
    return HELPER_NEXT;
}

/* Its IA32_MISC_ENABLE says that there are none; those that would be read as 0. Bit 31 asks for the
 * lower half. */
static HelperResult read_pentium_4(Cpu *cpu, uint32_t number) {
    enum { PENTIUM_4_COUNTERS = 18 };
    if ((number & INT32_MAX) >= PENTIUM_4_COUNTERS)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    return hand_out(cpu, 0);
}

/* Counters 0 and 1; with version 2 the fixed ones by bit 30. */
HelperResult helper_rdpmc(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    enum { FIXED_COUNTERS = 1 << 30 };
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint32_t number = (uint32_t)cpu->state.gpr[REG_ECX];
    bool allowed = cpu->state.cpl == 0 || (cpu->state.cr4 & CR4_PCE);
    if (!allowed)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->outside_accesses++;
    if (is_pentium_4(cpu))
        return read_pentium_4(cpu, number);
    bool fixed = is_architectural(cpu) && (number & FIXED_COUNTERS);
    uint32_t index = fixed ? number & ~(uint32_t)FIXED_COUNTERS : number;
    if (index >= (fixed ? FIXED : GENERAL))
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    uint64_t value;
    performance_read_counter(cpu, NULL, fixed ? GENERAL + index : index, &value);
    return hand_out(cpu, value);
}
