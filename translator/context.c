/* See context.h. */
#include "context.h"
#include "cpu_debug.h"
#include "cpu_debugger.h"
#include "host_pages.h"
#include "x87.h"
#include <string.h>

enum { SLOTS = CONTEXT_COUNT * 2 };

struct ContextTable {
    Context context[CONTEXT_COUNT];
    uint16_t slot[SLOTS]; /* open addressing; 0: empty */
    uint32_t count;       /* number 0 is not used */
    uint32_t last[4];     /* the number given last at each level: mostly asked for again */
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

static Context read_context(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    const Segment *cs = &state->segment[SEG_CS];
    uint32_t mode = (cs->access & ACCESS_DB ? CONTEXT_CODE32 : 0u) |
                    (state->segment[SEG_SS].access & ACCESS_DB ? CONTEXT_STACK32 : 0u) |
                    (cpu_is_real_addressing(cpu) ? 0u : CONTEXT_PROTECTED) |
                    (state->direction < 0 ? CONTEXT_DOWN : 0u) | state->cpl << CONTEXT_CPL_SHIFT |
                    fpu_find_ready_units(cpu) << CONTEXT_UNITS_SHIFT;
    for (unsigned s = 0; s < SEG_COUNT; s++)
        mode |= state->segment[s].kind << (CONTEXT_KIND_SHIFT + 2 * s);
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
    Context wanted = read_context(cpu);
    uint32_t *last = &table->last[cpu->state.cpl & 3];
    if (is_same(&table->context[*last], &wanted) && *last != 0)
        return *last;
    uint32_t number = find_number(table, &wanted);
    if (number != 0)
        *last = number;
    return number;
}

uint32_t context_table_turn(ContextTable *table, uint32_t number) {
    Context wanted = table->context[number];
    wanted.mode ^= CONTEXT_DOWN;
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
        .features = features,
        .ready_units = context->mode >> CONTEXT_UNITS_SHIFT & 3,
        .host_features = host_features,
    };
}
