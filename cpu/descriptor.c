#include "descriptor.h"
#include "linear.h"
#include "little_endian.h"

bool selector_fault(Cpu *cpu, unsigned vector, uint16_t selector, uint32_t external) {
    cpu_raise_error(cpu, vector, (selector & ~(uint32_t)SELECTOR_RPL) | external);
    return false;
}

bool descriptor_find(const Cpu *cpu, uint16_t selector, uint32_t *linear) {
    uint32_t base = cpu->state.gdtr.base, limit = cpu->state.gdtr.limit;
    if (selector & SELECTOR_LOCAL) {
        const Segment *ldtr = &cpu->state.segment[SEG_LDTR];
        if (!(ldtr->access & ACCESS_P)) /* not so after reset, although the selector is 0 then */
            return false;
        base = ldtr->base;
        limit = ldtr->limit;
    }
    uint32_t offset = selector & ~7u;
    if (offset + 7 > limit)
        return false;
    *linear = base + offset;
    return true;
}

bool descriptor_read_quickly(const Cpu *cpu, uint16_t selector, Descriptor *descriptor) {
    if (!descriptor_find(cpu, selector, &descriptor->linear))
        return false;
    const uint8_t *host = tlb_find_plain(&cpu->tlb, TLB_SUPER_READ, descriptor->linear, 8);
    if (host == NULL)
        return false;
    descriptor->low = load_le32(host);
    descriptor->high = load_le32(host + 4);
    return true;
}

bool descriptor_read(Cpu *cpu, uint16_t selector, unsigned vector, uint32_t external,
                     Descriptor *descriptor) {
    if (descriptor_read_quickly(cpu, selector, descriptor))
        return true;
    if (!descriptor_find(cpu, selector, &descriptor->linear))
        return selector_fault(cpu, vector, selector, external);
    uint64_t value;
    if (!linear_read(cpu, descriptor->linear, 8, false, &value))
        return false;
    descriptor->low = (uint32_t)value;
    descriptor->high = (uint32_t)(value >> 32);
    return true;
}

bool descriptor_set_accessed(Cpu *cpu, Descriptor *descriptor) {
    uint32_t high = descriptor->high | ACCESS_A << 8;
    if (high == descriptor->high)
        return true;
    if (!linear_write(cpu, descriptor->linear + 5, 1, false, high >> 8 & 0xFF))
        return false;
    descriptor->high = high;
    return true;
}

/* The whole upper half is written, which a page fault's address shows: so Bochs and QEMU have it.
 */
bool descriptor_set_busy(Cpu *cpu, Descriptor *descriptor, bool busy) {
    uint32_t bit = SYSTEM_BUSY << 8;
    uint32_t high = busy ? descriptor->high | bit : descriptor->high & ~bit;
    if (!linear_write(cpu, descriptor->linear + 4, 4, false, high))
        return false;
    descriptor->high = high;
    return true;
}

bool descriptor_check_data(Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
                           uint32_t external, Descriptor *descriptor) {
    if (!descriptor_read(cpu, selector, vector, external, descriptor))
        return false;
    if (!descriptor_is_readable(descriptor))
        return selector_fault(cpu, vector, selector, external);
    bool any_privilege = descriptor_is_code(descriptor) && descriptor_is_conforming(descriptor);
    unsigned rpl = selector & SELECTOR_RPL;
    unsigned dpl = descriptor_dpl(descriptor);
    if (!any_privilege && (rpl > dpl || cpl > dpl))
        return selector_fault(cpu, vector, selector, external);
    if (!descriptor_is_present(descriptor))
        return selector_fault(cpu, EXCEPTION_NP, selector, external);
    return descriptor_set_accessed(cpu, descriptor);
}

bool descriptor_check_stack(Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
                            uint32_t external, Descriptor *descriptor) {
    if (!descriptor_read(cpu, selector, vector, external, descriptor))
        return false;
    if ((selector & SELECTOR_RPL) != cpl || !descriptor_is_writable_data(descriptor) ||
        descriptor_dpl(descriptor) != cpl)
        return selector_fault(cpu, vector, selector, external);
    if (!descriptor_is_present(descriptor))
        return selector_fault(cpu, EXCEPTION_SS, selector, external);
    return true;
}
