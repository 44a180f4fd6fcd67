/* Accesses by linear address that raise #PF by themselves; and the pushes of far transfers and
 * interrupts, which are all checked before the first one is made, so that a fault finds the state
 * as it was. */
#ifndef REPRISE_LINEAR_H
#define REPRISE_LINEAR_H

#include "helpers.h"

/* 'user' false: an implicit supervisor access, as those to descriptor tables and to the TSS, SDM
 * vol. 3A 4.6. False: cpu->exception is the page fault. */
bool linear_read(Cpu *cpu, uint32_t linear, unsigned size, bool user, uint64_t *value);
bool linear_write(Cpu *cpu, uint32_t linear, unsigned size, bool user, uint64_t value);
bool linear_check_write(Cpu *cpu, uint32_t linear, unsigned size, bool user);

/* Are alignment checks on (SDM vol. 3A 6.15, interrupt 17)? */
static inline bool cpu_checks_alignment(const Cpu *cpu) {
    return cpu->state.cpl == 3 && (cpu->state.eflags & FLAG_AC) && (cpu->state.cr0 & CR0_AM);
}

/* Where an instruction's second operand lies behind its first: offsets of 16-bit addresses wrap. */
static inline uint32_t wrap_offset(uint32_t offset, unsigned address_size) {
    return address_size == 2 ? offset & 0xFFFF : offset;
}

/* What bits of ESP the stack segment uses: its B bit tells. */
static inline uint32_t stack_mask(const Segment *segment) {
    return segment->access & ACCESS_DB ? 0xFFFFFFFF : 0xFFFF;
}

enum {
    STACK_PLAN_PUSHES = 48
}; /* a call gate's 31 parameters and the 10 values of an interrupt from v8086 mode fit */

typedef struct StackPlan {
    Segment segment; /* SS as it will be */
    uint32_t esp;    /* as it will be; goes down with every push */
    bool user;       /* the stack will be used at CPL 3 */
    unsigned size;   /* bytes of one push */
    unsigned count;
    uint32_t value[STACK_PLAN_PUSHES];
} StackPlan;

void stack_plan_begin(StackPlan *plan, const Segment *segment, uint32_t esp, bool user,
                      unsigned size);
void stack_plan_push(StackPlan *plan, uint32_t value);
/* Limit, type and pages of all pushes; false with #SS(error_code) or #PF. */
bool stack_plan_check(Cpu *cpu, const StackPlan *plan, uint32_t error_code);
/* Stores one value; cannot fail after a check. */
void stack_plan_store(Cpu *cpu, const StackPlan *plan, unsigned index);
/* Stores the values and loads SS and ESP. Cannot fail after a check. */
void stack_plan_commit(Cpu *cpu, const StackPlan *plan);

/* The value 'offset' bytes above the top of the current stack. */
bool stack_peek(Cpu *cpu, uint32_t offset, unsigned size, uint32_t *value);
/* Sets ESP, or SP alone where the stack segment is a 16-bit one. */
void stack_set_pointer(Cpu *cpu, uint32_t esp);
/* PUSH of one value through SS: checks, stores, then moves ESP. */
bool stack_push(Cpu *cpu, unsigned size, uint32_t value);

#endif
