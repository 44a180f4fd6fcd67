/* Segment registers: loading them, checking accesses through them, and the instructions that look
 * at descriptors. */
#include "segment.h"
#include "cpu_debug.h"
#include "linear.h"

enum { ACCESS_REAL_DATA = ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A };

void segment_classify(Segment *segment) {
    uint16_t access = segment->access;
    segment->kind = SEGMENT_GENERIC;
    if (!(access & ACCESS_P) || !(access & ACCESS_S))
        return;
    bool code = access & ACCESS_CODE;
    if (!(access & ACCESS_RW) || (!code && (access & ACCESS_EC)))
        return;
    if (segment->base == 0 && segment->limit == 0xFFFFFFFF)
        segment->kind = SEGMENT_FLAT;
    else if (!code && segment->limit == 0xFFFF && (segment->base & 0xF) == 0)
        segment->kind = SEGMENT_REAL;
}

void segment_load_descriptor(Segment *segment, uint16_t selector, const Descriptor *descriptor) {
    segment->selector = selector;
    segment->access = descriptor_access(descriptor);
    segment->base = descriptor_base(descriptor);
    segment->limit = descriptor_limit(descriptor);
    segment_classify(segment);
}

void segment_load_null(Segment *segment, uint16_t selector) {
    *segment = (Segment){.selector = selector, .kind = SEGMENT_GENERIC};
}

void segment_load_v8086(Segment *segment, uint16_t selector) {
    segment->selector = selector;
    segment->base = (uint32_t)selector << 4;
    segment->limit = 0xFFFF;
    segment->access = ACCESS_REAL_DATA | ACCESS_DPL;
    segment_classify(segment);
}

/* Real mode gives a segment a new base and makes it writable data; limit, D/B and G stay as
 * protected mode left them, which is what "unreal mode" lives on. */
static void load_real(const Cpu *cpu, Segment *cache, uint16_t selector) {
    if (cpu_is_v8086(cpu)) {
        segment_load_v8086(cache, selector);
        return;
    }
    cache->selector = selector;
    cache->base = (uint32_t)selector << 4;
    cache->access = (uint16_t)((cache->access & 0xF000) | ACCESS_REAL_DATA);
    if (cache->limit == 0) /* a null selector of protected mode */
        cache->limit = 0xFFFF;
    segment_classify(cache);
}

void segment_load_real(Cpu *cpu, unsigned segment, uint16_t selector) {
    load_real(cpu, &cpu->state.segment[segment], selector);
}

/* Whether type allows the access: SDM vol. 3A 3.4.5.1. */
static bool type_allows(uint16_t access, bool write) {
    if (!(access & ACCESS_P))
        return false;
    if (access & ACCESS_CODE)
        return !write && (access & ACCESS_RW);
    return !write || (access & ACCESS_RW);
}

bool segment_allows(const Segment *segment, uint32_t offset, uint32_t size, bool write) {
    if (segment->kind == SEGMENT_FLAT && !(segment->access & ACCESS_CODE))
        return true;
    if (!type_allows(segment->access, write))
        return false;
    uint64_t last = (uint64_t)offset + size - 1;
    if ((segment->access & (ACCESS_CODE | ACCESS_EC)) == ACCESS_EC)
        return offset > segment->limit && last <= stack_mask(segment);
    /* An access that wraps round the end of a 4 GiB segment goes through, as in a flat one. */
    return last <= segment->limit || segment->limit == 0xFFFFFFFF;
}

static HelperResult raise_segment_fault(Cpu *cpu, unsigned segment) {
    return cpu_raise_error(cpu, segment == SEG_SS ? EXCEPTION_SS : EXCEPTION_GP, 0);
}

bool cpu_check_segment(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, bool write,
                       uint32_t *linear) {
    const Segment *cache = &cpu->state.segment[segment];
    if (!segment_allows(cache, offset, size, write)) {
        raise_segment_fault(cpu, segment);
        return false;
    }
    *linear = cache->base + offset;
    return true;
}

bool cpu_check_alignment(Cpu *cpu, uint32_t linear, unsigned size) {
    if ((size & (size - 1)) != 0 || !(linear & (size - 1)) || !cpu_checks_alignment(cpu))
        return true;
    cpu_raise_error(cpu, EXCEPTION_AC, 0);
    return false;
}

bool cpu_read(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, uint64_t *value) {
    uint32_t linear;
    if (!cpu_check_segment(cpu, segment, offset, size, false, &linear) ||
        !cpu_check_alignment(cpu, linear, size) ||
        !linear_read(cpu, linear, size, cpu->state.cpl == 3, value))
        return false;
    if (cpu_watches_data(cpu))
        cpu_watch_access(cpu, linear, size, false);
    return true;
}

bool cpu_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size, uint64_t value) {
    uint32_t linear;
    if (!cpu_check_segment(cpu, segment, offset, size, true, &linear) ||
        !cpu_check_alignment(cpu, linear, size) ||
        !linear_write(cpu, linear, size, cpu->state.cpl == 3, value))
        return false;
    if (cpu_watches_data(cpu))
        cpu_watch_access(cpu, linear, size, true);
    return true;
}

bool cpu_check_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size) {
    uint32_t linear;
    return cpu_check_segment(cpu, segment, offset, size, true, &linear) &&
           cpu_check_alignment(cpu, linear, size) &&
           linear_check_write(cpu, linear, size, cpu->state.cpl == 3);
}

/* MOV Sreg, POP Sreg and the segment part of LDS and the like: SDM vol. 2, MOV, "Loading a segment
 * register". */
static bool load_register(Cpu *cpu, unsigned segment, uint16_t selector) {
    Segment *cache = &cpu->state.segment[segment];
    if (cpu_is_real_addressing(cpu)) {
        segment_load_real(cpu, segment, selector);
        return true;
    }
    Descriptor descriptor;
    if (segment == SEG_SS) {
        if (selector_is_null(selector)) {
            cpu_raise_error(cpu, EXCEPTION_GP, 0);
            return false;
        }
        if (!descriptor_check_stack(cpu, selector, cpu->state.cpl, EXCEPTION_GP, 0, &descriptor) ||
            !descriptor_set_accessed(cpu, &descriptor))
            return false;
    } else {
        if (selector_is_null(selector)) {
            segment_load_null(cache, selector);
            return true;
        }
        if (!descriptor_check_data(cpu, selector, cpu->state.cpl, EXCEPTION_GP, 0, &descriptor))
            return false;
    }
    segment_load_descriptor(cache, selector, &descriptor);
    if (cache->access &
        ACCESS_CODE) /* flat code is read-only data here, which 'flat' does not tell */
        cache->kind = SEGMENT_GENERIC;
    return true;
}

/* Present, accessed data that this privilege may use. */
static bool is_loadable_data(const Cpu *cpu, uint16_t selector, const Descriptor *descriptor) {
    const uint32_t wanted = (ACCESS_P | ACCESS_S | ACCESS_A) << 8;
    unsigned dpl = descriptor_dpl(descriptor);
    return (descriptor->high & (wanted | ACCESS_CODE << 8)) == wanted && cpu->state.cpl <= dpl &&
           (selector & SELECTOR_RPL) <= dpl;
}

bool segment_load_quickly(Cpu *cpu, unsigned segment, uint16_t selector) {
    Segment *cache = &cpu->state.segment[segment], loaded = *cache;
    Descriptor descriptor;
    if (cpu_is_real_addressing(cpu)) {
        load_real(cpu, &loaded, selector);
    } else if (selector_is_null(selector)) {
        segment_load_null(&loaded, selector);
    } else if (descriptor_read_quickly(cpu, selector, &descriptor) &&
               is_loadable_data(cpu, selector, &descriptor)) {
        segment_load_descriptor(&loaded, selector, &descriptor);
    } else {
        return false;
    }
    if (loaded.kind != cache->kind)
        return false;
    *cache = loaded;
    return true;
}

HelperResult helper_load_segment(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    uint32_t old_kind = cpu->state.segment[a].kind;
    if (!load_register(cpu, a, (uint16_t)t0))
        return HELPER_FAULT;
    if (a == SEG_SS)
        cpu->state.interrupt_shadow = SHADOW_MOV_SS;
    else if (cpu->state.segment[a].kind == old_kind)
        return HELPER_NEXT;
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}

HelperResult helper_load_far_pointer(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    return load_register(cpu, a, (uint16_t)t0) ? HELPER_NEXT : HELPER_FAULT;
}

/* The descriptor for VERR, VERW, LAR and LSL: what they cannot see clears ZF instead of faulting.
 * False: a page fault. */
static bool look_at_descriptor(Cpu *cpu, uint16_t selector, Descriptor *descriptor, bool *found) {
    *found = !selector_is_null(selector) && descriptor_find(cpu, selector, &descriptor->linear);
    if (!*found)
        return true;
    uint64_t value;
    if (!linear_read(cpu, descriptor->linear, 8, false, &value))
        return false;
    descriptor->low = (uint32_t)value;
    descriptor->high = (uint32_t)(value >> 32);
    return true;
}

static void set_zero_flag(Cpu *cpu, bool zero) {
    uint32_t flags = cpu_get_status_flags(cpu) & ~(uint32_t)FLAG_ZF;
    cpu_set_status_flags(cpu, flags | (zero ? FLAG_ZF : 0));
}

/* Is a descriptor visible at the present privilege and the selector's? Conforming code always is.
 */
static bool is_visible(const Cpu *cpu, uint16_t selector, const Descriptor *descriptor) {
    if (descriptor_is_code(descriptor) && descriptor_is_conforming(descriptor))
        return true;
    unsigned dpl = descriptor_dpl(descriptor);
    return cpu->state.cpl <= dpl && (selector & SELECTOR_RPL) <= dpl;
}

static bool is_verified(const Cpu *cpu, bool write, uint16_t selector,
                        const Descriptor *descriptor) {
    return is_visible(cpu, selector, descriptor) &&
           (write ? descriptor_is_writable_data(descriptor) : descriptor_is_readable(descriptor));
}

bool segment_verify_quickly(Cpu *cpu, bool write, uint16_t selector) {
    Descriptor descriptor;
    if (cpu_is_real_addressing(cpu) || selector_is_null(selector) ||
        !descriptor_read_quickly(cpu, selector, &descriptor))
        return false;
    set_zero_flag(cpu, is_verified(cpu, write, selector, &descriptor));
    return true;
}

HelperResult helper_verify_segment(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    Descriptor descriptor;
    bool good;
    if (!look_at_descriptor(cpu, (uint16_t)t0, &descriptor, &good))
        return HELPER_FAULT;
    set_zero_flag(cpu, good && is_verified(cpu, a != 0, (uint16_t)t0, &descriptor));
    return HELPER_NEXT;
}

static void write_gpr(Cpu *cpu, unsigned reg, unsigned size, uint32_t value) {
    uint64_t *gpr = &cpu->state.gpr[reg];
    *gpr = size == 2 ? (*gpr & ~UINT64_C(0xFFFF)) | (value & 0xFFFF) : value;
}

/* System types that LAR and LSL accept, by bit: SDM vol. 2, tables of LAR and LSL. */
enum { LAR_TYPES = 0x1A3E, LSL_TYPES = 0x0A0E };
/* What LAR gives of a descriptor. The manual leaves bits 19:16 open, which hold the limit's upper
 * part: processors give them as they stand there. */
enum { LAR_BITS = 0x00FFFF00 };

static HelperResult load_attribute(Cpu *cpu, uint32_t size, uint32_t reg, uint16_t selector,
                                   bool limit) {
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    Descriptor descriptor;
    bool good;
    if (!look_at_descriptor(cpu, selector, &descriptor, &good))
        return HELPER_FAULT;
    unsigned types = limit ? LSL_TYPES : LAR_TYPES;
    good = good && is_visible(cpu, selector, &descriptor) &&
           (descriptor_is_segment(&descriptor) || (types >> descriptor_type(&descriptor) & 1));
    if (good)
        write_gpr(cpu, reg, size,
                  limit ? descriptor_limit(&descriptor) : descriptor.high & LAR_BITS);
    set_zero_flag(cpu, good);
    return HELPER_NEXT;
}

HelperResult helper_load_access_rights(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    return load_attribute(cpu, a, b, (uint16_t)t0, false);
}

HelperResult helper_load_limit(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    return load_attribute(cpu, a, b, (uint16_t)t0, true);
}

/* ARPL. '*value' is the destination; false if it is not changed. */
static bool raise_rpl(uint32_t *value, uint32_t source) {
    if ((*value & SELECTOR_RPL) >= (source & SELECTOR_RPL))
        return false;
    *value = (*value & ~(uint32_t)SELECTOR_RPL) | (source & SELECTOR_RPL);
    return true;
}

HelperResult helper_arpl(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    bool raised = raise_rpl(&t0, t1);
    cpu->result = t0;
    set_zero_flag(cpu, raised);
    return HELPER_NEXT;
}

HelperResult helper_arpl_memory(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    uint64_t present;
    if (!cpu_read(cpu, b, t0, 2, &present))
        return HELPER_FAULT;
    uint32_t value = (uint32_t)present;
    bool raised = raise_rpl(&value, t1);
    if (raised && !cpu_write(cpu, b, t0, 2, value))
        return HELPER_FAULT;
    set_zero_flag(cpu, raised);
    return HELPER_NEXT;
}
