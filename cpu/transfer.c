#include "transfer.h"

bool transfer_check_target(Cpu *cpu, CodeTarget *target, uint32_t external) {
    if (!descriptor_is_present(&target->descriptor))
        return selector_fault(cpu, EXCEPTION_NP, target->selector, external);
    return transfer_check_limit(cpu, target, external);
}

bool transfer_check_limit(Cpu *cpu, const CodeTarget *target, uint32_t external) {
    if (target->eip <= descriptor_limit(&target->descriptor))
        return true;
    cpu_raise_error(cpu, EXCEPTION_GP, external);
    return false;
}

bool transfer_touch(Cpu *cpu, CodeTarget *target, Descriptor *stack) {
    return descriptor_set_accessed(cpu, &target->descriptor) &&
           (stack == NULL || descriptor_set_accessed(cpu, stack));
}

void transfer_commit(Cpu *cpu, const CodeTarget *target) {
    segment_load_descriptor(&cpu->state.segment[SEG_CS], target->selector, &target->descriptor);
    cpu->state.cpl = target->selector & SELECTOR_RPL;
    cpu->state.eip = target->eip;
}

bool transfer_check_real(Cpu *cpu, uint32_t eip) {
    uint32_t limit = cpu_is_v8086(cpu) ? 0xFFFF : cpu->state.segment[SEG_CS].limit;
    if (eip <= limit)
        return true;
    cpu_raise_error(cpu, EXCEPTION_GP, 0);
    return false;
}

void transfer_commit_real(Cpu *cpu, uint16_t selector, uint32_t eip) {
    segment_load_real(cpu, SEG_CS, selector);
    cpu->state.eip = eip;
}

bool transfer_read_inner_stack(Cpu *cpu, unsigned privilege, uint32_t external, Segment *stack,
                               uint32_t *esp, Descriptor *descriptor) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    bool wide = (tr->access & SYSTEM_32) != 0;
    unsigned pointer_size = wide ? 4 : 2;
    uint32_t offset = wide ? 4 + 8 * privilege : 2 + 4 * privilege;
    if (!(tr->access & ACCESS_P) || offset + pointer_size + 1 > tr->limit)
        return selector_fault(cpu, EXCEPTION_TS, tr->selector, external);
    uint64_t pointer, selector;
    if (!linear_read(cpu, tr->base + offset, pointer_size, false, &pointer) ||
        !linear_read(cpu, tr->base + offset + pointer_size, 2, false, &selector))
        return false;
    if (selector_is_null((uint16_t)selector))
        return selector_fault(cpu, EXCEPTION_TS, 0, external);
    if (!descriptor_check_stack(cpu, (uint16_t)selector, privilege, EXCEPTION_TS, external,
                                descriptor))
        return false;
    segment_load_descriptor(stack, (uint16_t)selector, descriptor);
    stack->access |= ACCESS_A;
    *esp = (uint32_t)pointer;
    return true;
}

bool transfer_check_return(Cpu *cpu, CodeTarget *target) {
    uint16_t selector = target->selector;
    unsigned rpl = selector & SELECTOR_RPL;
    if (selector_is_null(selector)) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    if (!descriptor_read(cpu, selector, EXCEPTION_GP, 0, &target->descriptor))
        return false;
    unsigned dpl = descriptor_dpl(&target->descriptor);
    if (!descriptor_is_code(&target->descriptor) || rpl < cpu->state.cpl ||
        (descriptor_is_conforming(&target->descriptor) ? dpl > rpl : dpl != rpl))
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    return descriptor_is_present(&target->descriptor) ||
           selector_fault(cpu, EXCEPTION_NP, selector, 0);
}

bool transfer_check_outer_stack(Cpu *cpu, uint16_t selector, unsigned privilege,
                                Descriptor *descriptor) {
    if (selector_is_null(selector)) {
        cpu_raise_error(cpu, EXCEPTION_GP, 0);
        return false;
    }
    return descriptor_check_stack(cpu, selector, privilege, EXCEPTION_GP, 0, descriptor);
}

void transfer_load_outer_stack(Cpu *cpu, uint16_t selector, const Descriptor *descriptor,
                               uint32_t esp) {
    segment_load_descriptor(&cpu->state.segment[SEG_SS], selector, descriptor);
    stack_set_pointer(cpu, esp);
}

void transfer_hide_inner_segments(Cpu *cpu) {
    static const uint8_t data_segments[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    for (unsigned i = 0; i < sizeof(data_segments); i++) {
        Segment *segment = &cpu->state.segment[data_segments[i]];
        bool conforming =
            (segment->access & (ACCESS_CODE | ACCESS_EC)) == (ACCESS_CODE | ACCESS_EC);
        if (!conforming && ACCESS_DPL_OF(segment->access) < cpu->state.cpl)
            segment_load_null(segment, 0);
    }
}
