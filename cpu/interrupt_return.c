/* IRET in all its forms: SDM vol. 2A, IRET. */
#include "quick_transfer.h"

static HelperResult general_protection(Cpu *cpu) {
    return cpu_raise_error(cpu, EXCEPTION_GP, 0);
}

typedef struct ReturnFrame {
    uint32_t eip, cs, eflags;
} ReturnFrame;

/* In protected mode the highest value is read first, as page faults show. */
static bool pop_frame(Cpu *cpu, unsigned size, ReturnFrame *frame) {
    return stack_peek(cpu, 2 * size, size, &frame->eflags) &&
           stack_peek(cpu, size, size, &frame->cs) && stack_peek(cpu, 0, size, &frame->eip);
}

/* Real mode, and v8086 mode with IOPL 3 or (what VME brings) with VIF in place of IF. */
static HelperResult return_real(Cpu *cpu, unsigned size) {
    ReturnFrame frame;
    uint32_t mask = EFLAGS_USER | FLAG_IF | FLAG_RF;
    bool virtual_interrupts = false;
    if (cpu_is_v8086(cpu)) {
        virtual_interrupts = cpu_iopl(cpu) < 3;
        if (virtual_interrupts && (!(cpu->state.cr4 & CR4_VME) || size == 4))
            return general_protection(cpu);
    } else {
        mask |= FLAG_IOPL;
    }
    if (!stack_peek(cpu, 0, size, &frame.eip) || !stack_peek(cpu, size, size, &frame.cs) ||
        !stack_peek(cpu, 2 * size, size, &frame.eflags))
        return HELPER_FAULT;
    if (virtual_interrupts) {
        bool interrupts = (frame.eflags & FLAG_IF) != 0;
        if ((frame.eflags & FLAG_TF) || (interrupts && (cpu->state.eflags & FLAG_VIP)))
            return general_protection(cpu);
        frame.eflags = (frame.eflags & EFLAGS_16) | (interrupts ? FLAG_VIF : 0);
        mask = (mask & ~(uint32_t)FLAG_IF & EFLAGS_16) | FLAG_VIF | FLAG_RF;
    } else if (size == 2) {
        mask = (mask & EFLAGS_16) | FLAG_RF; /* which is cleared: the image has none */
    }
    if (!transfer_check_real(cpu, frame.eip))
        return HELPER_FAULT;
    stack_set_pointer(cpu, (uint32_t)cpu->state.gpr[REG_ESP] + 3 * size);
    transfer_commit_real(cpu, (uint16_t)frame.cs, frame.eip);
    cpu_merge_eflags(cpu, frame.eflags, mask);
    return HELPER_JUMP;
}

/* NT is set: back to the task that the link of the TSS names. */
static HelperResult return_to_task(Cpu *cpu) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    uint64_t link;
    if (!linear_read(cpu, tr->base, 2, false, &link))
        return HELPER_FAULT;
    TaskSwitch request = {
        .kind = TASK_IRET, .selector = (uint16_t)link, .return_eip = cpu->next_eip};
    bool local = (link & SELECTOR_LOCAL) || selector_is_null((uint16_t)link);
    if (local) {
        selector_fault(cpu, EXCEPTION_TS, (uint16_t)link, 0);
        return HELPER_FAULT;
    }
    if (!descriptor_read(cpu, (uint16_t)link, EXCEPTION_TS, 0, &request.descriptor))
        return HELPER_FAULT;
    if (!descriptor_is_tss(&request.descriptor) ||
        !(descriptor_type(&request.descriptor) & SYSTEM_BUSY)) {
        selector_fault(cpu, EXCEPTION_TS, (uint16_t)link, 0);
        return HELPER_FAULT;
    }
    return task_switch(cpu, &request) ? HELPER_JUMP : HELPER_FAULT;
}

/* From level 0 into v8086 mode: six more values lie on the stack. */
static HelperResult return_to_v8086(Cpu *cpu, const ReturnFrame *frame) {
    static const uint8_t segments[] = {SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    uint32_t esp, selector[5];
    if (!stack_peek(cpu, 12, 4, &esp))
        return HELPER_FAULT;
    for (unsigned i = 0; i < 5; i++)
        if (!stack_peek(cpu, 16 + 4 * i, 4, &selector[i]))
            return HELPER_FAULT;
    if (frame->eip > 0xFFFF)
        return general_protection(cpu);
    cpu_set_eflags(cpu, frame->eflags);
    cpu->state.cpl = 3;
    segment_load_v8086(&cpu->state.segment[SEG_CS], (uint16_t)frame->cs);
    for (unsigned i = 0; i < 5; i++)
        segment_load_v8086(&cpu->state.segment[segments[i]], (uint16_t)selector[i]);
    cpu->state.gpr[REG_ESP] = esp;
    cpu->state.eip = frame->eip;
    return HELPER_JUMP;
}

/* What the privilege that executes IRET may change. */
static uint32_t writable_flags(const Cpu *cpu, unsigned size) {
    uint32_t mask = EFLAGS_USER | FLAG_RF;
    if (cpu->state.cpl <= cpu_iopl(cpu))
        mask |= FLAG_IF;
    if (cpu->state.cpl == 0)
        mask |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
    return size == 2 ? (mask & EFLAGS_16) | FLAG_RF : mask;
}

static HelperResult return_protected(Cpu *cpu, unsigned size, const ReturnFrame *frame) {
    CodeTarget target = {.selector = (uint16_t)frame->cs, .eip = frame->eip};
    if (!transfer_check_return(cpu, &target))
        return HELPER_FAULT;
    uint32_t mask = writable_flags(cpu, size);
    unsigned privilege = target.selector & SELECTOR_RPL;
    if (privilege == cpu->state.cpl) {
        if (!transfer_check_limit(cpu, &target, 0) || !transfer_touch(cpu, &target, NULL))
            return HELPER_FAULT;
        stack_set_pointer(cpu, (uint32_t)cpu->state.gpr[REG_ESP] + 3 * size);
        transfer_commit(cpu, &target);
        cpu_merge_eflags(cpu, frame->eflags, mask);
        return HELPER_JUMP;
    }
    uint32_t esp, selector;
    Descriptor stack;
    if (!stack_peek(cpu, 4 * size, size, &selector) || !stack_peek(cpu, 3 * size, size, &esp) ||
        !transfer_check_outer_stack(cpu, (uint16_t)selector, privilege, &stack) ||
        !transfer_check_limit(cpu, &target, 0) || !transfer_touch(cpu, &target, &stack))
        return HELPER_FAULT;
    transfer_commit(cpu, &target);
    cpu_merge_eflags(cpu, frame->eflags, mask);
    transfer_load_outer_stack(cpu, (uint16_t)selector, &stack, esp);
    transfer_hide_inner_segments(cpu);
    return HELPER_JUMP;
}

HelperResult helper_iret(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t0;
    (void)t1;
    cpu->state.nmi_blocked = 0; /* even if the IRET itself faults */
    if (cpu_is_real_addressing(cpu))
        return return_real(cpu, a);
    if (cpu->state.eflags & FLAG_NT)
        return return_to_task(cpu);
    if (a == 4 && interrupt_return_quickly(cpu, writable_flags(cpu, 4)))
        return HELPER_JUMP;
    ReturnFrame frame;
    if (!pop_frame(cpu, a, &frame))
        return HELPER_FAULT;
    if (a == 4 && (frame.eflags & FLAG_VM) && cpu->state.cpl == 0)
        return return_to_v8086(cpu, &frame);
    return return_protected(cpu, a, &frame);
}
