/* Segment descriptors and gates as they stand in memory, SDM vol. 3A 3.4.5, 5.8.3, 6.11 and 7.2.
 *
 * Checks that fail raise the exception that the caller names: the same rule gives #GP when an
 * instruction loads a segment and #TS in a task switch. 'external' is the EXT bit of error codes: 1
 * while an event that is no software interrupt is being delivered, SDM vol. 3A 6.13. */
#ifndef REPRISE_DESCRIPTOR_H
#define REPRISE_DESCRIPTOR_H

#include "helpers.h"

/* Types of system descriptors, SDM vol. 3A table 3-2. */
enum {
    SYSTEM_TSS16_AVAILABLE = 1,
    SYSTEM_LDT = 2,
    SYSTEM_TSS16_BUSY = 3,
    SYSTEM_CALL_GATE16 = 4,
    SYSTEM_TASK_GATE = 5,
    SYSTEM_INTERRUPT_GATE16 = 6,
    SYSTEM_TRAP_GATE16 = 7,
    SYSTEM_TSS32_AVAILABLE = 9,
    SYSTEM_TSS32_BUSY = 0xB,
    SYSTEM_CALL_GATE32 = 0xC,
    SYSTEM_INTERRUPT_GATE32 = 0xE,
    SYSTEM_TRAP_GATE32 = 0xF,
    SYSTEM_32 = 8,   /* the bit that tells the 32-bit types of TSS and gate */
    SYSTEM_BUSY = 2, /* the bit that tells the busy TSS types */
    SYSTEM_TRAP = 1, /* the bit that tells trap gates from interrupt gates */
};

enum { SELECTOR_RPL = 3, SELECTOR_LOCAL = 4, ERROR_CODE_IDT = 2 };

typedef struct Descriptor {
    uint32_t linear;    /* where it lies */
    uint32_t low, high; /* its two halves */
} Descriptor;

static inline bool selector_is_null(uint16_t selector) {
    return (selector & ~SELECTOR_RPL) == 0;
}

/* Bits 40 to 55 without the limit's, as Segment.access holds them. */
static inline uint16_t descriptor_access(const Descriptor *descriptor) {
    return (uint16_t)(descriptor->high >> 8 & 0xF0FF);
}

static inline uint32_t descriptor_base(const Descriptor *descriptor) {
    return descriptor->low >> 16 | (descriptor->high & 0xFF) << 16 |
           (descriptor->high & 0xFF000000);
}

static inline uint32_t descriptor_limit(const Descriptor *descriptor) {
    uint32_t limit = (descriptor->low & 0xFFFF) | (descriptor->high & 0xF0000);
    return descriptor->high & 0x800000 ? limit << 12 | 0xFFF : limit;
}

static inline unsigned descriptor_type(const Descriptor *descriptor) {
    return descriptor->high >> 8 & 0xF;
}

static inline unsigned descriptor_dpl(const Descriptor *descriptor) {
    return descriptor->high >> 13 & 3;
}

static inline bool descriptor_is_present(const Descriptor *descriptor) {
    return (descriptor->high & 0x8000) != 0;
}

static inline bool descriptor_is_segment(const Descriptor *descriptor) {
    return (descriptor->high & 0x1000) != 0;
}

static inline bool descriptor_is_code(const Descriptor *descriptor) {
    return (descriptor->high & 0x1800) == 0x1800;
}

static inline bool descriptor_is_conforming(const Descriptor *descriptor) {
    return (descriptor->high & 0x400) != 0;
}

static inline bool descriptor_is_writable_data(const Descriptor *descriptor) {
    return (descriptor->high & 0x1A00) == 0x1200;
}

static inline bool descriptor_is_readable(const Descriptor *descriptor) {
    return descriptor_is_segment(descriptor) &&
           (!descriptor_is_code(descriptor) || (descriptor->high & 0x200));
}

static inline bool descriptor_is_tss(const Descriptor *descriptor) {
    return !descriptor_is_segment(descriptor) && (descriptor_type(descriptor) & 5) == 1;
}

static inline uint16_t gate_selector(const Descriptor *gate) {
    return (uint16_t)(gate->low >> 16);
}

static inline bool gate_is_32bit(const Descriptor *gate) {
    return (descriptor_type(gate) & SYSTEM_32) != 0;
}

static inline uint32_t gate_offset(const Descriptor *gate) {
    return (gate->low & 0xFFFF) | (gate_is_32bit(gate) ? gate->high & 0xFFFF0000 : 0);
}

/* Raises an exception whose error code names a selector (or 0); gives false. */
bool selector_fault(Cpu *cpu, unsigned vector, uint16_t selector, uint32_t external);

/* Finds where a selector's descriptor lies; false if that is beyond the table's limit or there is
 * no LDT. Raises nothing. */
bool descriptor_find(const Cpu *cpu, uint16_t selector, uint32_t *linear);
/* Reads the descriptor that a selector (not null) names; false with 'vector'(selector) or a page
 * fault. */
bool descriptor_read(Cpu *cpu, uint16_t selector, unsigned vector, uint32_t external,
                     Descriptor *descriptor);
/* The same without faults and side effects, where the TLB has the page and the descriptor does not
 * cross its end; else false. */
bool descriptor_read_quickly(const Cpu *cpu, uint16_t selector, Descriptor *descriptor);
/* Sets the accessed bit in memory if it is clear; false with a page fault. */
bool descriptor_set_accessed(Cpu *cpu, Descriptor *descriptor);
/* Sets or clears the busy bit of a TSS descriptor in memory. */
bool descriptor_set_busy(Cpu *cpu, Descriptor *descriptor, bool busy);

/* What may go into a data segment register, into SS; the descriptor is read, its accessed bit set.
 * Not for null selectors. */
bool descriptor_check_data(Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
                           uint32_t external, Descriptor *descriptor);
bool descriptor_check_stack(Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
                            uint32_t external, Descriptor *descriptor);

#endif
