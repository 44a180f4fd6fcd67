#include "linear.h"
#include "cpu_debug.h"
#include "segment.h"
#include <assert.h>

/* EFLAGS.AC lifts SMAP for explicit accesses of the supervisor alone: SDM vol. 3A 4.6.1. At CPL 3 a
 * supervisor access is an implicit one. */
static void set_smap_override(Cpu *cpu) {
    cpu->tlb.smap_override = (cpu->state.eflags & FLAG_AC) && cpu->state.cpl < 3;
}

bool linear_read(Cpu *cpu, uint32_t linear, unsigned size, bool user, uint64_t *value) {
    PageFault fault;
    set_smap_override(cpu);
    if (tlb_read(&cpu->tlb, linear, size, user, value, &fault))
        return true;
    cpu_raise_page_fault(cpu, &fault);
    return false;
}

bool linear_write(Cpu *cpu, uint32_t linear, unsigned size, bool user, uint64_t value) {
    PageFault fault;
    set_smap_override(cpu);
    if (tlb_write(&cpu->tlb, linear, size, user, value, &fault))
        return true;
    cpu_raise_page_fault(cpu, &fault);
    return false;
}

bool linear_check_write(Cpu *cpu, uint32_t linear, unsigned size, bool user) {
    PageFault fault;
    set_smap_override(cpu);
    if (tlb_check_write(&cpu->tlb, linear, size, user, &fault))
        return true;
    cpu_raise_page_fault(cpu, &fault);
    return false;
}

static uint32_t move_pointer(uint32_t esp, uint32_t mask, uint32_t distance) {
    return (esp & ~mask) | ((esp + distance) & mask);
}

void stack_plan_begin(StackPlan *plan, const Segment *segment, uint32_t esp, bool user,
                      unsigned size) {
    plan->segment = *segment;
    plan->esp = esp;
    plan->user = user;
    plan->size = size;
    plan->count = 0;
}

void stack_plan_push(StackPlan *plan, uint32_t value) {
    assert(plan->count < STACK_PLAN_PUSHES);
    plan->value[plan->count++] = value;
    plan->esp = move_pointer(plan->esp, stack_mask(&plan->segment), 0u - plan->size);
}

/* Where push number 'index' lies, as an offset in the segment; the last one is at ESP. */
static uint32_t push_offset(const StackPlan *plan, unsigned index) {
    uint32_t mask = stack_mask(&plan->segment);
    return (plan->esp + (plan->count - 1 - index) * plan->size) & mask;
}

bool stack_plan_check(Cpu *cpu, const StackPlan *plan, uint32_t error_code) {
    bool aligned = plan->user && cpu_checks_alignment(cpu);
    for (unsigned i = 0; i < plan->count; i++) {
        uint32_t offset = push_offset(plan, i);
        if (!segment_allows(&plan->segment, offset, plan->size, true)) {
            cpu_raise_error(cpu, EXCEPTION_SS, error_code);
            return false;
        }
        uint32_t linear = plan->segment.base + offset;
        if (aligned && (linear & (plan->size - 1)) != 0) {
            cpu_raise_error(cpu, EXCEPTION_AC, 0);
            return false;
        }
        if (!linear_check_write(cpu, linear, plan->size, plan->user))
            return false;
    }
    return true;
}

void stack_plan_store(Cpu *cpu, const StackPlan *plan, unsigned index) {
    uint32_t linear = plan->segment.base + push_offset(plan, index);
    PageFault fault;
    (void)tlb_write(&cpu->tlb, linear, plan->size, plan->user, plan->value[index], &fault);
    if (cpu_watches_data(cpu))
        cpu_watch_access(cpu, linear, plan->size, true);
}

void stack_plan_commit(Cpu *cpu, const StackPlan *plan) {
    for (unsigned i = 0; i < plan->count; i++)
        stack_plan_store(cpu, plan, i);
    cpu->state.segment[SEG_SS] = plan->segment;
    stack_set_pointer(cpu, plan->esp);
}

bool stack_peek(Cpu *cpu, uint32_t offset, unsigned size, uint32_t *value) {
    uint32_t mask = stack_mask(&cpu->state.segment[SEG_SS]);
    uint64_t wide;
    if (!cpu_read(cpu, SEG_SS, ((uint32_t)cpu->state.gpr[REG_ESP] + offset) & mask, size, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

void stack_set_pointer(Cpu *cpu, uint32_t esp) {
    uint32_t mask = stack_mask(&cpu->state.segment[SEG_SS]);
    cpu->state.gpr[REG_ESP] = ((uint32_t)cpu->state.gpr[REG_ESP] & ~mask) | (esp & mask);
}

bool stack_push(Cpu *cpu, unsigned size, uint32_t value) {
    uint32_t mask = stack_mask(&cpu->state.segment[SEG_SS]);
    uint32_t esp = (uint32_t)cpu->state.gpr[REG_ESP] - size;
    if (!cpu_write(cpu, SEG_SS, esp & mask, size, value))
        return false;
    stack_set_pointer(cpu, esp);
    return true;
}
