/* Far jumps, calls and returns, SYSENTER and SYSEXIT. SDM vol. 3A 5.8 and vol. 2. */
#include "quick_transfer.h"

static uint32_t cut_offset(uint32_t offset, unsigned size) {
    return size == 2 ? offset & 0xFFFF : offset;
}

/* The code segment of a direct far jump or call, whose privilege does not change. */
static bool check_direct_code(Cpu *cpu, CodeTarget *target, uint16_t selector) {
    unsigned cpl = cpu->state.cpl;
    unsigned dpl = descriptor_dpl(&target->descriptor);
    bool allowed = descriptor_is_conforming(&target->descriptor)
                       ? dpl <= cpl
                       : dpl == cpl && (selector & SELECTOR_RPL) <= cpl;
    if (!allowed)
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    target->selector = (uint16_t)((selector & ~SELECTOR_RPL) | cpl);
    return transfer_check_target(cpu, target, 0);
}

/* Gates and TSS descriptors are reached like data: both CPL and RPL must be privileged enough. */
static bool check_system_descriptor(Cpu *cpu, uint16_t selector, const Descriptor *descriptor) {
    unsigned dpl = descriptor_dpl(descriptor);
    if (dpl < cpu->state.cpl || dpl < (selector & SELECTOR_RPL))
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    if (!descriptor_is_present(descriptor))
        return selector_fault(cpu, EXCEPTION_NP, selector, 0);
    return true;
}

/* Reads what a call gate points at. Only a call to nonconforming code changes the privilege. */
static bool check_gate_code(Cpu *cpu, const Descriptor *gate, bool call, CodeTarget *target) {
    uint16_t selector = gate_selector(gate);
    if (selector_is_null(selector)) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    if (!descriptor_read(cpu, selector, EXCEPTION_GP, 0, &target->descriptor))
        return false;
    unsigned cpl = cpu->state.cpl;
    unsigned dpl = descriptor_dpl(&target->descriptor);
    bool conforming = descriptor_is_conforming(&target->descriptor);
    if (!descriptor_is_code(&target->descriptor) || dpl > cpl ||
        (!call && !conforming && dpl != cpl))
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    unsigned new_cpl = conforming ? cpl : dpl;
    target->selector = (uint16_t)((selector & ~SELECTOR_RPL) | new_cpl);
    target->eip = gate_offset(gate);
    return transfer_check_target(cpu, target, 0);
}

static HelperResult switch_task(Cpu *cpu, TaskSwitchKind kind, uint16_t selector,
                                const Descriptor *descriptor) {
    TaskSwitch request = {
        .kind = kind, .selector = selector, .descriptor = *descriptor, .return_eip = cpu->next_eip};
    bool done = descriptor_type(descriptor) == SYSTEM_TASK_GATE
                    ? task_switch_through_gate(cpu, descriptor, &request)
                    : task_switch(cpu, &request);
    return done ? HELPER_JUMP : HELPER_FAULT;
}

static bool is_call_gate(const Descriptor *descriptor) {
    return !descriptor_is_segment(descriptor) && (descriptor_type(descriptor) & 7) == 4;
}

static bool is_task_descriptor(const Descriptor *descriptor) {
    if (descriptor_is_segment(descriptor))
        return false;
    unsigned type = descriptor_type(descriptor);
    return type == SYSTEM_TASK_GATE || type == SYSTEM_TSS16_AVAILABLE ||
           type == SYSTEM_TSS32_AVAILABLE;
}

/* Common to JMP and CALL in protected mode: reads and tells apart what the selector names. */
static bool read_far_descriptor(Cpu *cpu, uint16_t selector, Descriptor *descriptor) {
    if (selector_is_null(selector)) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    if (!descriptor_read(cpu, selector, EXCEPTION_GP, 0, descriptor))
        return false;
    if (descriptor_is_code(descriptor))
        return true;
    bool local_tss = (selector & SELECTOR_LOCAL) && descriptor_is_tss(descriptor);
    if (local_tss || (!is_call_gate(descriptor) && !is_task_descriptor(descriptor)))
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    return check_system_descriptor(cpu, selector, descriptor);
}

HelperResult helper_jump_far(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    uint16_t selector = (uint16_t)t1;
    CodeTarget target = {.eip = cut_offset(t0, a)};
    if (cpu_is_real_addressing(cpu)) {
        if (!transfer_check_real(cpu, target.eip))
            return HELPER_FAULT;
        transfer_commit_real(cpu, selector, target.eip);
        return HELPER_JUMP;
    }
    Descriptor descriptor;
    if (!read_far_descriptor(cpu, selector, &descriptor))
        return HELPER_FAULT;
    if (is_task_descriptor(&descriptor))
        return switch_task(cpu, TASK_JUMP, selector, &descriptor);
    target.descriptor = descriptor;
    bool good = is_call_gate(&descriptor) ? check_gate_code(cpu, &descriptor, false, &target)
                                          : check_direct_code(cpu, &target, selector);
    if (!good || !transfer_touch(cpu, &target, NULL))
        return HELPER_FAULT;
    transfer_commit(cpu, &target);
    return HELPER_JUMP;
}

/* Pushes CS and EIP on the present stack. */
static bool plan_return_address(Cpu *cpu, StackPlan *plan, unsigned size) {
    const Segment *ss = &cpu->state.segment[SEG_SS];
    stack_plan_begin(plan, ss, (uint32_t)cpu->state.gpr[REG_ESP], cpu->state.cpl == 3, size);
    stack_plan_push(plan, cpu->state.segment[SEG_CS].selector);
    stack_plan_push(plan, cut_offset(cpu->next_eip, size));
    return stack_plan_check(cpu, plan, 0);
}

/* A call gate to an inner level: the stack comes from the TSS, parameters are copied from the outer
 * one. */
static bool plan_inner_call(Cpu *cpu, const Descriptor *gate, unsigned privilege, StackPlan *plan,
                            Descriptor *descriptor) {
    unsigned size = gate_is_32bit(gate) ? 4 : 2;
    unsigned parameters = gate->high & 0x1F;
    Segment stack;
    uint32_t esp;
    if (!transfer_read_inner_stack(cpu, privilege, 0, &stack, &esp, descriptor))
        return false;
    stack_plan_begin(plan, &stack, esp, false, size);
    stack_plan_push(plan, cpu->state.segment[SEG_SS].selector);
    stack_plan_push(plan, cut_offset((uint32_t)cpu->state.gpr[REG_ESP], size));
    for (unsigned i = parameters; i > 0; i--) {
        uint32_t value;
        if (!stack_peek(cpu, (i - 1) * size, size, &value))
            return false;
        stack_plan_push(plan, value);
    }
    stack_plan_push(plan, cpu->state.segment[SEG_CS].selector);
    stack_plan_push(plan, cut_offset(cpu->next_eip, size));
    return stack_plan_check(cpu, plan, stack.selector & ~(uint32_t)SELECTOR_RPL);
}

static HelperResult call_through_gate(Cpu *cpu, const Descriptor *gate) {
    CodeTarget target;
    StackPlan plan;
    if (!check_gate_code(cpu, gate, true, &target))
        return HELPER_FAULT;
    unsigned privilege = target.selector & SELECTOR_RPL;
    Descriptor stack;
    bool inner = privilege < cpu->state.cpl;
    bool planned = inner ? plan_inner_call(cpu, gate, privilege, &plan, &stack)
                         : plan_return_address(cpu, &plan, gate_is_32bit(gate) ? 4 : 2);
    if (!planned || !transfer_touch(cpu, &target, inner ? &stack : NULL))
        return HELPER_FAULT;
    stack_plan_commit(cpu, &plan);
    transfer_commit(cpu, &target);
    return HELPER_JUMP;
}

HelperResult helper_call_far(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    uint16_t selector = (uint16_t)t1;
    CodeTarget target = {.eip = cut_offset(t0, a)};
    StackPlan plan;
    if (cpu_is_real_addressing(cpu)) {
        if (!transfer_check_real(cpu, target.eip) || !plan_return_address(cpu, &plan, a))
            return HELPER_FAULT;
        stack_plan_commit(cpu, &plan);
        transfer_commit_real(cpu, selector, target.eip);
        return HELPER_JUMP;
    }
    if (!read_far_descriptor(cpu, selector, &target.descriptor))
        return HELPER_FAULT;
    if (is_task_descriptor(&target.descriptor))
        return switch_task(cpu, TASK_CALL, selector, &target.descriptor);
    if (is_call_gate(&target.descriptor)) {
        Descriptor gate = target.descriptor;
        if (call_gate_enter_quickly(cpu, &gate))
            return HELPER_JUMP;
        return call_through_gate(cpu, &gate);
    }
    if (!check_direct_code(cpu, &target, selector) || !plan_return_address(cpu, &plan, a) ||
        !transfer_touch(cpu, &target, NULL))
        return HELPER_FAULT;
    stack_plan_commit(cpu, &plan);
    transfer_commit(cpu, &target);
    return HELPER_JUMP;
}

/* To a less privileged level: its stack lies above the parameters that are released from this one.
 */
static HelperResult return_to_outer(Cpu *cpu, CodeTarget *target, unsigned size, uint32_t release) {
    uint32_t esp, selector;
    Descriptor stack;
    unsigned privilege = target->selector & SELECTOR_RPL;
    if (!stack_peek(cpu, 3 * size + release, size, &selector) ||
        !stack_peek(cpu, 2 * size + release, size, &esp) ||
        !transfer_check_outer_stack(cpu, (uint16_t)selector, privilege, &stack) ||
        !transfer_check_limit(cpu, target, 0) || !transfer_touch(cpu, target, &stack))
        return HELPER_FAULT;
    transfer_commit(cpu, target);
    transfer_load_outer_stack(cpu, (uint16_t)selector, &stack, esp);
    stack_set_pointer(cpu, (uint32_t)cpu->state.gpr[REG_ESP] + release);
    transfer_hide_inner_segments(cpu);
    return HELPER_JUMP;
}

HelperResult helper_return_far(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    /* Which is read first shows in a page fault: in protected mode the selector. */
    bool offset_first = cpu_is_real_addressing(cpu);
    if (!offset_first && a == 4 && far_return_quickly(cpu, b))
        return HELPER_JUMP;
    uint32_t eip, selector;
    if ((offset_first && !stack_peek(cpu, 0, a, &eip)) || !stack_peek(cpu, a, a, &selector) ||
        (!offset_first && !stack_peek(cpu, 0, a, &eip)))
        return HELPER_FAULT;
    uint32_t released = (uint32_t)cpu->state.gpr[REG_ESP] + 2 * a + b;
    if (cpu_is_real_addressing(cpu)) {
        if (!transfer_check_real(cpu, eip))
            return HELPER_FAULT;
        stack_set_pointer(cpu, released);
        transfer_commit_real(cpu, (uint16_t)selector, eip);
        return HELPER_JUMP;
    }
    CodeTarget target = {.selector = (uint16_t)selector, .eip = eip};
    if (!transfer_check_return(cpu, &target))
        return HELPER_FAULT;
    if ((selector & SELECTOR_RPL) > cpu->state.cpl)
        return return_to_outer(cpu, &target, a, b);
    if (!transfer_check_limit(cpu, &target, 0) || !transfer_touch(cpu, &target, NULL))
        return HELPER_FAULT;
    stack_set_pointer(cpu, released);
    transfer_commit(cpu, &target);
    return HELPER_JUMP;
}
