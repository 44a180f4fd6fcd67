/* Contexts: everything but address and bytes that a translation depends on, numbered so that
 * comparing is one compare.
 *
 * Mode bits: sizes, privilege, kinds of the segments, DF. With them go base and limit of the code
 * segment. */
#ifndef REPRISE_CONTEXT_H
#define REPRISE_CONTEXT_H

#include "cpu.h"
#include "lift.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct Context {
    uint32_t mode; /* CONTEXT_* and two bits for the kind of each data segment */
    uint32_t cs_base, cs_limit;
    /* Linear addresses of the execution breakpoints that 'mode' says are armed: no block holds the
     * instruction there. 0 where there is none. */
    uint32_t breakpoint[4];
    uint32_t stop_set; /* the number of those that a debugger set: cpu_debugger.h */
} Context;

enum {
    CONTEXT_CODE32 = 1 << 0,
    CONTEXT_STACK32 = 1 << 1,
    CONTEXT_PROTECTED = 1 << 2,
    CONTEXT_CPL_SHIFT = 3,         /* two bits */
    CONTEXT_UNITS_SHIFT = 5,       /* two bits: FPU_UNIT_* that are ready */
    CONTEXT_DOWN = 1 << 7,         /* DF: string instructions count down */
    CONTEXT_KIND_SHIFT = 8,        /* two bits for each of ES CS SS DS FS GS */
    CONTEXT_BREAKPOINT_SHIFT = 20, /* one bit for each of DR0 to DR3 */
};

enum { CONTEXT_COUNT = 1 << 14 };

typedef struct ContextTable ContextTable;

ContextTable *context_table_create(void);
void context_table_destroy(ContextTable *table);
void context_table_clear(ContextTable *table);

/* The number of the CPU's present context, from 1; 0 if the table is full (then clear it and all
 * translations). */
uint32_t context_table_number(ContextTable *table, const Cpu *cpu);

/* That of the context which this one becomes by a change as imm2 of UOP_JMP tells it; 0 as above.
 */
uint32_t context_table_change(ContextTable *table, uint32_t number, uint32_t change);

const Context *context_table_get(const ContextTable *table, uint32_t number);

/* What the lifter wants to know of it. */
LiftMode context_lift_mode(const Context *context, uint64_t features, uint64_t host_features);

static inline unsigned context_segment_kind(const Context *context, unsigned segment) {
    return context->mode >> (CONTEXT_KIND_SHIFT + 2 * segment) & 3;
}
/* The armed breakpoints, by bit. */
static inline unsigned context_breakpoints(const Context *context) {
    return context->mode >> CONTEXT_BREAKPOINT_SHIFT & 15;
}
/* Of string instructions: 1 or -1. */
static inline int context_direction(const Context *context) {
    return context->mode & CONTEXT_DOWN ? -1 : 1;
}
static inline unsigned context_cpl(const Context *context) {
    return context->mode >> CONTEXT_CPL_SHIFT & 3;
}

#endif
