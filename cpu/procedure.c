/* ENTER and BOUND: SDM vol. 2A. */
#include "linear.h"

HelperResult helper_bound(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    uint64_t pair, upper_half;
    unsigned segment = b & 0xFF;
    uint32_t second = wrap_offset(t0 + a, b >> 8);
    if (!cpu_read(cpu, segment, t0, a, &pair) || !cpu_read(cpu, segment, second, a, &upper_half))
        return HELPER_FAULT;
    int32_t lower, upper, index;
    if (a == 2) {
        lower = (int16_t)pair;
        upper = (int16_t)upper_half;
        index = (int16_t)t1;
    } else {
        lower = (int32_t)pair;
        upper = (int32_t)upper_half;
        index = (int32_t)t1;
    }
    return index < lower || index > upper ? cpu_raise(cpu, EXCEPTION_BR) : HELPER_NEXT;
}

/* Entry 'i' of the enclosing procedure's display. */
static bool read_display(Cpu *cpu, unsigned size, unsigned i, uint32_t *entry) {
    uint32_t mask = stack_mask(&cpu->state.segment[SEG_SS]);
    uint64_t value;
    uint32_t offset = ((uint32_t)cpu->state.gpr[REG_EBP] - i * size) & mask;
    if (!cpu_read(cpu, SEG_SS, offset, size, &value))
        return false;
    *entry = (uint32_t)value;
    return true;
}

static bool push_frame_entry(Cpu *cpu, StackPlan *plan, uint32_t value) {
    stack_plan_push(plan, value);
    if (!stack_plan_check(cpu, plan, 0))
        return false;
    stack_plan_store(cpu, plan, plan->count - 1);
    return true;
}

/* Pushes EBP, then entries 1 to level - 1 of the display, which may overlap what was just pushed,
 * then the new frame's own pointer. */
static bool push_frame(Cpu *cpu, unsigned size, unsigned level, StackPlan *plan) {
    const CpuState *state = &cpu->state;
    stack_plan_begin(plan, &state->segment[SEG_SS], (uint32_t)state->gpr[REG_ESP], state->cpl == 3,
                     size);
    if (!push_frame_entry(cpu, plan, (uint32_t)state->gpr[REG_EBP]))
        return false;
    uint32_t frame = plan->esp;
    for (unsigned i = 1; i < level; i++) {
        uint32_t entry;
        if (!read_display(cpu, size, i, &entry) || !push_frame_entry(cpu, plan, entry))
            return false;
    }
    return level == 0 || push_frame_entry(cpu, plan, frame);
}

/* A fault leaves ESP and EBP as they were; what was pushed before it stays in memory, as on
 * silicon. */
HelperResult helper_enter(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    CpuState *state = &cpu->state;
    unsigned level = b >> 16 & 0x1F;
    uint32_t bytes = b & 0xFFFF;
    uint32_t mask = stack_mask(&state->segment[SEG_SS]);
    StackPlan plan;
    if (!push_frame(cpu, a, level, &plan))
        return HELPER_FAULT;
    /* The processor looks whether the new top of stack could be written. */
    uint32_t top = plan.esp - bytes;
    uint32_t linear;
    if (!cpu_check_segment(cpu, SEG_SS, top & mask, a, true, &linear) ||
        !linear_check_write(cpu, linear, a, state->cpl == 3))
        return HELPER_FAULT;
    uint32_t frame = (plan.esp + (plan.count - 1) * a) & mask;
    uint32_t ebp = (uint32_t)state->gpr[REG_EBP];
    stack_plan_commit(cpu, &plan);
    stack_set_pointer(cpu, top);
    /* With a 32-bit operand size on a 16-bit stack all of ESP goes to EBP. */
    state->gpr[REG_EBP] = a == 4 ? frame | ((uint32_t)state->gpr[REG_ESP] & ~mask)
                                 : (ebp & 0xFFFF0000) | (frame & 0xFFFF);
    return HELPER_NEXT;
}
