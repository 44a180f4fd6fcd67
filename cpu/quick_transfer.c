/* The commonest ways into a handler and back, checked at once: flat stacks, descriptors that are
 * marked as accessed, memory that the TLB has. What is not so common has changed nothing here and
 * takes the long way, which knows every fault: interrupt.c, interrupt_return.c. */
#include "quick_transfer.h"
#include "cpu_debug.h"
#include "little_endian.h"
#include <string.h>

/* Bits of a descriptor's upper half. */
enum {
    HIGH_A = ACCESS_A << 8,
    HIGH_W = ACCESS_RW << 8,
    HIGH_EC = ACCESS_EC << 8, /* of code: conforming */
    HIGH_CODE = ACCESS_CODE << 8,
    HIGH_S = ACCESS_S << 8,
    HIGH_P = ACCESS_P << 8,
    HIGH_DB = 1 << 22,
    GATE_32 = 0x0E00, /* an interrupt gate, or with bit 8 a trap gate */
    GATE_TRAP = 0x0100,
    GATE_MASK = 0x1E00,
    GATE_CALL_32 = 0x0C00,
    GATE_PARAMETERS = 0x1F, /* of a call gate: how many */
};

static bool is_plain_code(const Descriptor *descriptor, unsigned dpl, uint32_t eip) {
    const uint32_t looked_at = HIGH_P | HIGH_S | HIGH_CODE | HIGH_EC | HIGH_A;
    return (descriptor->high & looked_at) == (HIGH_P | HIGH_S | HIGH_CODE | HIGH_A) &&
           descriptor_dpl(descriptor) == dpl && eip <= descriptor_limit(descriptor);
}

/* Writable, expand-up, 32 bits. */
static bool is_plain_stack(const Descriptor *descriptor, unsigned dpl) {
    const uint32_t wanted = HIGH_P | HIGH_S | HIGH_W | HIGH_A | HIGH_DB;
    return (descriptor->high & (wanted | HIGH_CODE | HIGH_EC)) == wanted &&
           descriptor_dpl(descriptor) == dpl;
}

static bool is_flat_stack(const Segment *segment) {
    return segment->kind == SEGMENT_FLAT && (segment->access & ACCESS_DB);
}

static const uint8_t *find_memory(const Cpu *cpu, uint32_t linear, unsigned size) {
    return tlb_find_plain(&cpu->tlb, TLB_SUPER_READ, linear, size);
}

static bool find_gate(const Cpu *cpu, const QuickInterrupt *interrupt, Descriptor *gate) {
    uint32_t offset = interrupt->vector * 8u;
    if (offset + 7 > cpu->state.idtr.limit)
        return false;
    const uint8_t *memory = find_memory(cpu, cpu->state.idtr.base + offset, 8);
    if (memory == NULL)
        return false;
    gate->low = load_le32(memory);
    gate->high = load_le32(memory + 4);
    return (gate->high & (GATE_MASK | HIGH_P)) == (GATE_32 | HIGH_P) &&
           !(interrupt->software && descriptor_dpl(gate) < cpu->state.cpl);
}

/* SS and ESP of an inner level out of a 32-bit TSS. */
static bool find_inner_stack(Cpu *cpu, unsigned privilege, Segment *stack, uint32_t *esp) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    uint32_t offset = 4 + 8 * privilege;
    Descriptor descriptor;
    if (!(tr->access & ACCESS_P) || !(tr->access & SYSTEM_32) || offset + 5 > tr->limit)
        return false;
    const uint8_t *memory = find_memory(cpu, tr->base + offset, 8);
    if (memory == NULL)
        return false;
    uint16_t selector = load_le16(memory + 4);
    if (selector_is_null(selector) || (selector & SELECTOR_RPL) != privilege ||
        !descriptor_read_quickly(cpu, selector, &descriptor) ||
        !is_plain_stack(&descriptor, privilege))
        return false;
    segment_load_descriptor(stack, selector, &descriptor);
    *esp = load_le32(memory);
    return is_flat_stack(stack);
}

static uint32_t clear_for_gate(uint32_t eflags, const Descriptor *gate) {
    uint32_t cleared = FLAG_TF | FLAG_NT | FLAG_VM | FLAG_RF;
    return eflags & ~(gate->high & GATE_TRAP ? cleared : cleared | FLAG_IF);
}

/* EIP lowest, as it is popped. */
static void store_frame(const CpuState *state, const QuickInterrupt *interrupt, bool inner,
                        uint8_t *frame) {
    if (interrupt->has_error_code) {
        store_le32(frame, interrupt->error_code);
        frame += 4;
    }
    store_le32(frame, interrupt->return_eip);
    store_le32(frame + 4, state->segment[SEG_CS].selector);
    store_le32(frame + 8, interrupt->eflags);
    if (inner) {
        store_le32(frame + 12, (uint32_t)state->gpr[REG_ESP]);
        store_le32(frame + 16, state->segment[SEG_SS].selector);
    }
}

bool interrupt_deliver_quickly(Cpu *cpu, const QuickInterrupt *interrupt) {
    CpuState *state = &cpu->state;
    Descriptor gate;
    CodeTarget target;
    if (cpu_is_real_addressing(cpu) || cpu_has_breakpoints(cpu) ||
        !find_gate(cpu, interrupt, &gate))
        return false;
    uint16_t selector = gate_selector(&gate);
    if (selector_is_null(selector) || !descriptor_read_quickly(cpu, selector, &target.descriptor))
        return false;
    unsigned privilege = descriptor_dpl(&target.descriptor);
    target.eip = gate_offset(&gate);
    target.selector = (uint16_t)((selector & ~SELECTOR_RPL) | privilege);
    if (privilege == 3 || privilege > state->cpl ||
        !is_plain_code(&target.descriptor, privilege, target.eip))
        return false;
    bool inner = privilege < state->cpl;
    Segment stack = state->segment[SEG_SS];
    uint32_t esp = (uint32_t)state->gpr[REG_ESP];
    if (inner ? !find_inner_stack(cpu, privilege, &stack, &esp) : !is_flat_stack(&stack))
        return false;
    unsigned bytes = (inner ? 20 : 12) + (interrupt->has_error_code ? 4 : 0);
    uint8_t *frame = tlb_find_plain(&cpu->tlb, TLB_SUPER_WRITE, esp - bytes, bytes);
    if (frame == NULL)
        return false;
    store_frame(state, interrupt, inner, frame);
    state->segment[SEG_SS] = stack;
    state->gpr[REG_ESP] = esp - bytes;
    state->eflags = clear_for_gate(state->eflags, &gate);
    transfer_commit(cpu, &target);
    cpu->tlb.smap_override = (state->eflags & FLAG_AC) != 0;
    return true;
}

bool interrupt_deliver_real_quickly(Cpu *cpu, const QuickInterrupt *interrupt) {
    enum { POINTER_BYTES = 4, FRAME_BYTES = 6 };
    CpuState *state = &cpu->state;
    const Segment *ss = &state->segment[SEG_SS], *cs = &state->segment[SEG_CS];
    uint32_t offset = interrupt->vector * POINTER_BYTES, sp = state->gpr[REG_ESP] & 0xFFFF;
    if (cpu_is_protected(cpu) || cpu_has_breakpoints(cpu) || ss->kind != SEGMENT_REAL ||
        cs->kind != SEGMENT_REAL || (ss->access & ACCESS_DB) || sp < FRAME_BYTES ||
        offset + POINTER_BYTES - 1 > state->idtr.limit)
        return false;
    const uint8_t *pointer = find_memory(cpu, state->idtr.base + offset, POINTER_BYTES);
    uint8_t *frame =
        tlb_find_plain(&cpu->tlb, TLB_SUPER_WRITE, ss->base + sp - FRAME_BYTES, FRAME_BYTES);
    if (pointer == NULL || frame == NULL)
        return false;
    uint16_t eip = load_le16(pointer), selector = load_le16(pointer + 2);
    store_le16(frame, (uint16_t)interrupt->return_eip);
    store_le16(frame + 2, cs->selector);
    store_le16(frame + 4, (uint16_t)interrupt->eflags);
    state->gpr[REG_ESP] = (state->gpr[REG_ESP] & ~UINT64_C(0xFFFF)) | (sp - FRAME_BYTES);
    transfer_commit_real(cpu, selector, eip);
    state->eflags &= ~(uint32_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    return true;
}

/* The code that a gate leads to: not conforming, of the present level or of an inner one. */
static bool find_gate_code(Cpu *cpu, const Descriptor *gate, CodeTarget *target) {
    uint16_t selector = gate_selector(gate);
    if (selector_is_null(selector) || !descriptor_read_quickly(cpu, selector, &target->descriptor))
        return false;
    unsigned privilege = descriptor_dpl(&target->descriptor);
    target->eip = gate_offset(gate);
    target->selector = (uint16_t)((selector & ~SELECTOR_RPL) | privilege);
    return privilege <= cpu->state.cpl &&
           is_plain_code(&target->descriptor, privilege, target->eip);
}

/* The present stack at ESP and behind, as its owner sees it. */
static const uint8_t *find_own_stack(const Cpu *cpu, uint32_t distance, unsigned size) {
    return tlb_find_plain(&cpu->tlb, cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ,
                          (uint32_t)cpu->state.gpr[REG_ESP] + distance, size);
}

/* EIP lowest, then CS, the parameters and, for an inner level, the caller's stack. */
static void store_call_frame(const Cpu *cpu, const uint8_t *parameters, unsigned parameter_bytes,
                             bool inner, uint8_t *frame) {
    const CpuState *state = &cpu->state;
    if (inner) {
        memmove(frame + 8, parameters, parameter_bytes); /* the stacks may overlap */
        store_le32(frame + 8 + parameter_bytes, (uint32_t)state->gpr[REG_ESP]);
        store_le32(frame + 12 + parameter_bytes, state->segment[SEG_SS].selector);
    }
    store_le32(frame, cpu->next_eip);
    store_le32(frame + 4, state->segment[SEG_CS].selector);
}

/* Flat, and where #AC is possible aligned. */
static bool is_quick_stack(const CpuState *state) {
    bool aligned = state->cpl != 3 || (state->gpr[REG_ESP] & 3) == 0;
    return aligned && is_flat_stack(&state->segment[SEG_SS]);
}

bool call_gate_enter_quickly(Cpu *cpu, const Descriptor *gate) {
    CpuState *state = &cpu->state;
    CodeTarget target;
    if ((gate->high & GATE_MASK) != GATE_CALL_32 || cpu_has_breakpoints(cpu) ||
        !is_quick_stack(state) || !find_gate_code(cpu, gate, &target))
        return false;
    unsigned privilege = target.selector & SELECTOR_RPL;
    bool inner = privilege < state->cpl;
    unsigned parameter_bytes = inner ? 4 * (gate->high & GATE_PARAMETERS) : 0;
    Segment stack = state->segment[SEG_SS];
    uint32_t esp = (uint32_t)state->gpr[REG_ESP];
    const uint8_t *parameters = NULL;
    if (inner && (!find_inner_stack(cpu, privilege, &stack, &esp) ||
                  (parameters = find_own_stack(cpu, 0, parameter_bytes)) == NULL))
        return false;
    unsigned bytes = 8 + parameter_bytes + (inner ? 8 : 0);
    unsigned table = privilege == 3 ? TLB_USER_WRITE : TLB_SUPER_WRITE;
    uint8_t *frame = tlb_find_plain(&cpu->tlb, table, esp - bytes, bytes);
    if (frame == NULL)
        return false;
    store_call_frame(cpu, parameters, parameter_bytes, inner, frame);
    state->segment[SEG_SS] = stack;
    state->gpr[REG_ESP] = esp - bytes;
    transfer_commit(cpu, &target);
    return true;
}

/* SS:ESP of the outer level, as they lie above the frame. */
static bool find_outer_stack(Cpu *cpu, const uint8_t *pointer, unsigned privilege,
                             uint16_t *selector, Descriptor *descriptor) {
    *selector = load_le16(pointer + 4);
    return !selector_is_null(*selector) && (*selector & SELECTOR_RPL) == privilege &&
           descriptor_read_quickly(cpu, *selector, descriptor) &&
           is_plain_stack(descriptor, privilege);
}

bool interrupt_return_quickly(Cpu *cpu, uint32_t writable_flags) {
    CpuState *state = &cpu->state;
    uint32_t esp = (uint32_t)state->gpr[REG_ESP];
    if (state->cpl == 3 || cpu_has_breakpoints(cpu) || !is_flat_stack(&state->segment[SEG_SS]))
        return false;
    const uint8_t *frame = find_memory(cpu, esp, 12);
    if (frame == NULL)
        return false;
    CodeTarget target = {.eip = load_le32(frame), .selector = load_le16(frame + 4)};
    uint32_t eflags = load_le32(frame + 8);
    unsigned privilege = target.selector & SELECTOR_RPL;
    if ((eflags & FLAG_VM) || selector_is_null(target.selector) || privilege < state->cpl ||
        !descriptor_read_quickly(cpu, target.selector, &target.descriptor) ||
        !is_plain_code(&target.descriptor, privilege, target.eip))
        return false;
    bool outer = privilege != state->cpl;
    Descriptor stack;
    uint16_t stack_selector;
    if (outer && ((frame = find_memory(cpu, esp, 20)) == NULL ||
                  !find_outer_stack(cpu, frame + 12, privilege, &stack_selector, &stack)))
        return false;
    uint32_t outer_esp = outer ? load_le32(frame + 12) : 0;
    transfer_commit(cpu, &target);
    cpu_merge_eflags(cpu, eflags, writable_flags);
    if (outer) {
        transfer_load_outer_stack(cpu, stack_selector, &stack, outer_esp);
        transfer_hide_inner_segments(cpu);
    } else {
        state->gpr[REG_ESP] = esp + 12;
    }
    return true;
}

bool far_return_quickly(Cpu *cpu, uint32_t released) {
    CpuState *state = &cpu->state;
    if (cpu_has_breakpoints(cpu) || !is_quick_stack(state))
        return false;
    const uint8_t *frame = find_own_stack(cpu, 0, 8);
    if (frame == NULL)
        return false;
    CodeTarget target = {.eip = load_le32(frame), .selector = load_le16(frame + 4)};
    unsigned privilege = target.selector & SELECTOR_RPL;
    if (selector_is_null(target.selector) || privilege < state->cpl ||
        !descriptor_read_quickly(cpu, target.selector, &target.descriptor) ||
        !is_plain_code(&target.descriptor, privilege, target.eip))
        return false;
    if (privilege == state->cpl) {
        state->gpr[REG_ESP] = (uint32_t)state->gpr[REG_ESP] + 8 + released;
        transfer_commit(cpu, &target);
        return true;
    }
    Descriptor stack;
    uint16_t stack_selector;
    const uint8_t *pointer = find_own_stack(cpu, 8 + released, 8);
    if (pointer == NULL || !find_outer_stack(cpu, pointer, privilege, &stack_selector, &stack))
        return false;
    uint32_t outer_esp = load_le32(pointer);
    transfer_commit(cpu, &target);
    transfer_load_outer_stack(cpu, stack_selector, &stack, outer_esp + released);
    transfer_hide_inner_segments(cpu);
    return true;
}
