/* See context.h. */
#include "context.h"
#include "cpu_debug.h"
#include "cpu_debugger.h"
#include "host_pages.h"
#include "x87.h"
#include <string.h>

enum { SLOTS = CONTEXT_COUNT * 2, LAST_BASES = 64 };

struct ContextTable {
    Context context[CONTEXT_COUNT];
    uint16_t slot[SLOTS]; /* open addressing; 0: empty */
    uint32_t count;       /* number 0 is not used */
    /* The number given last at each level to code segments whose base has these bits: mostly asked
     * for again. */
    uint16_t last[4][LAST_BASES];
};

ContextTable *context_table_create(void) {
    ContextTable *table = host_pages_map(sizeof(*table));
    if (table != NULL)
        context_table_clear(table);
    return table;
}

void context_table_destroy(ContextTable *table) {
    host_pages_unmap(table, sizeof(*table));
}

void context_table_clear(ContextTable *table) {
    if (table->count > 1)
        memset(table->slot, 0, sizeof(table->slot));
    table->count = 1;
    memset(table->last, 0, sizeof(table->last));
}

/* Without the breakpoints. */
static uint32_t read_mode(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    uint32_t mode = (state->segment[SEG_CS].access & ACCESS_DB ? CONTEXT_CODE32 : 0u) |
                    (state->segment[SEG_SS].access & ACCESS_DB ? CONTEXT_STACK32 : 0u) |
                    (cpu_is_real_addressing(cpu) ? 0u : CONTEXT_PROTECTED) |
                    (state->direction < 0 ? CONTEXT_DOWN : 0u) | state->cpl << CONTEXT_CPL_SHIFT |
                    fpu_find_ready_units(cpu) << CONTEXT_UNITS_SHIFT;
    for (unsigned s = 0; s < SEG_COUNT; s++)
        mode |= state->segment[s].kind << (CONTEXT_KIND_SHIFT + 2 * s);
    return mode;
}

static Context read_context(const Cpu *cpu, uint32_t mode) {
    const CpuState *state = &cpu->state;
    const Segment *cs = &state->segment[SEG_CS];
    Context context = {
        .mode = mode, .cs_base = cs->base, .cs_limit = cs->limit, .stop_set = cpu_stop_set(cpu)};
    if (cpu_has_breakpoints(cpu)) {
        unsigned registers = cpu_execution_breakpoints(cpu);
        context.mode |= registers << CONTEXT_BREAKPOINT_SHIFT;
        for (unsigned i = 0; i < 4; i++)
            context.breakpoint[i] = registers >> i & 1 ? state->dr[i] : 0;
    }
    return context;
}

static bool is_same(const Context *a, const Context *b) {
    return a->mode == b->mode && a->cs_base == b->cs_base && a->cs_limit == b->cs_limit &&
           a->stop_set == b->stop_set &&
           memcmp(a->breakpoint, b->breakpoint, sizeof(a->breakpoint)) == 0;
}

/* Is it the present one? Asked without breakpoints alone. */
static bool is_present(const Context *context, const Cpu *cpu, uint32_t mode) {
    const Segment *cs = &cpu->state.segment[SEG_CS];
    return context->mode == mode && context->cs_base == cs->base &&
           context->cs_limit == cs->limit && context->stop_set == cpu_stop_set(cpu);
}

/* Its number, which may be new; 0: the table is full. */
static uint32_t find_number(ContextTable *table, const Context *wanted) {
    uint32_t hash = wanted->mode * 0x9E3779B1u ^ wanted->cs_base * 0x85EBCA77u ^
                    wanted->cs_limit * 0xC2B2AE3Du ^ wanted->stop_set * 0x27D4EB2Fu;
    uint32_t slot = (hash ^ hash >> 16) & (SLOTS - 1);
    while (table->slot[slot] != 0) {
        if (is_same(&table->context[table->slot[slot]], wanted))
            return table->slot[slot];
        slot = (slot + 1) & (SLOTS - 1);
    }
    if (table->count == CONTEXT_COUNT)
        return 0;
    table->context[table->count] = *wanted;
    table->slot[slot] = (uint16_t)table->count;
    return table->count++;
}

uint32_t context_table_number(ContextTable *table, const Cpu *cpu) {
    uint32_t mode = read_mode(cpu);
    uint32_t base = cpu->state.segment[SEG_CS].base;
    uint16_t *last = &table->last[cpu->state.cpl & 3][(base >> 4 ^ base >> 10) % LAST_BASES];
    if (*last != 0 && !cpu_has_breakpoints(cpu) && is_present(&table->context[*last], cpu, mode))
        return *last;
    Context wanted = read_context(cpu, mode);
    uint32_t number = find_number(table, &wanted);
    if (number != 0)
        *last = (uint16_t)number;
    return number;
}

uint32_t context_table_change(ContextTable *table, uint32_t number, uint32_t change) {
    Context wanted = table->context[number];
    switch (change & UOP_CHANGE_MASK) {
    case UOP_TURNED:
        wanted.mode ^= CONTEXT_DOWN;
        break;
    case UOP_FAR:
        wanted.cs_base = change >> UOP_FAR_SHIFT << 4;
        break;
    default:
        return number;
    }
    return find_number(table, &wanted);
}

const Context *context_table_get(const ContextTable *table, uint32_t number) {
    return &table->context[number];
}

static uint8_t find_real_segments(const Context *context) {
    unsigned segments = 0;
    for (unsigned s = 0; s < SEG_COUNT; s++)
        if (s != SEG_CS && context_segment_kind(context, s) == SEGMENT_REAL)
            segments |= 1u << s;
    return context->mode & CONTEXT_PROTECTED ? 0 : (uint8_t)segments;
}

LiftMode context_lift_mode(const Context *context, uint64_t features, uint64_t host_features) {
    return (LiftMode){
        .code32 = (context->mode & CONTEXT_CODE32) != 0,
        .stack32 = (context->mode & CONTEXT_STACK32) != 0,
        .protected_mode = (context->mode & CONTEXT_PROTECTED) != 0,
        .cpl = (uint8_t)context_cpl(context),
        .direction = (int8_t)context_direction(context),
        .real_segments = find_real_segments(context),
        .cs_limit = context->cs_limit,
        .real_code = !(context->mode & CONTEXT_PROTECTED) &&
                     context_segment_kind(context, SEG_CS) == SEGMENT_REAL,
        .features = features,
        .ready_units = context->mode >> CONTEXT_UNITS_SHIFT & 3,
        .host_features = host_features,
    };
}
