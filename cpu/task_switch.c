/* Task switches between 286 and 386 TSSs in any combination: SDM vol. 3A chapter 7.
 *
 * All that can fail in the old task's context is checked first: the new TSS's presence and limit,
 * and that both TSSs and the descriptors to be marked are reachable. Past the commit point the new
 * task's registers are loaded, selectors first; what is wrong with them is the new task's
 * exception. */
#include "cpu_debug.h"
#include "transfer.h"

/* A TSS as it stands in memory: offsets by word size. Segment order is the memory's: ES CS SS DS FS
 * GS. */
typedef struct TssImage {
    uint32_t cr3, eip, eflags;
    uint32_t gpr[8];
    uint16_t segment[6];
    uint16_t ldtr;
    bool trap;
} TssImage;

enum {
    TSS32_CR3 = 0x1C,
    TSS32_EIP = 0x20,
    TSS32_EFLAGS = 0x24,
    TSS32_GPR = 0x28,
    TSS32_SEGMENT = 0x48,
    TSS32_LDTR = 0x60,
    TSS32_TRAP = 0x64,
    TSS32_SAVED_LAST = 0x5F, /* the last byte that a switch away from the task needs */
    TSS32_LAST = 0x67,
    TSS16_IP = 0x0E,
    TSS16_FLAGS = 0x10,
    TSS16_GPR = 0x12,
    TSS16_SEGMENT = 0x22,
    TSS16_LDTR = 0x2A,
    TSS16_SAVED_LAST = 0x29,
    TSS16_LAST = 0x2B,
};

static bool is_tss32(uint16_t access) {
    return (access & SYSTEM_32) != 0;
}

/* One field; pages were checked or their faults are wanted. */
static bool read_field(Cpu *cpu, uint32_t linear, unsigned size, uint32_t *value) {
    uint64_t wide;
    if (!linear_read(cpu, linear, size, false, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

static bool read_image(Cpu *cpu, uint32_t base, bool wide, TssImage *image) {
    unsigned size = wide ? 4 : 2;
    uint32_t value = 0;
    *image = (TssImage){0};
    if (wide && (!read_field(cpu, base + TSS32_CR3, 4, &image->cr3) ||
                 !read_field(cpu, base + TSS32_TRAP, 2, &value)))
        return false;
    image->trap = value & 1;
    if (!read_field(cpu, base + (wide ? TSS32_EIP : TSS16_IP), size, &image->eip) ||
        !read_field(cpu, base + (wide ? TSS32_EFLAGS : TSS16_FLAGS), size, &image->eflags))
        return false;
    for (unsigned i = 0; i < 8; i++)
        if (!read_field(cpu, base + (wide ? TSS32_GPR : TSS16_GPR) + i * size, size,
                        &image->gpr[i]))
            return false;
    for (unsigned i = 0; i < (wide ? 6u : 4u); i++) {
        if (!read_field(cpu, base + (wide ? TSS32_SEGMENT : TSS16_SEGMENT) + i * size, 2, &value))
            return false;
        image->segment[i] = (uint16_t)value;
    }
    if (!read_field(cpu, base + (wide ? TSS32_LDTR : TSS16_LDTR), 2, &value))
        return false;
    image->ldtr = (uint16_t)value;
    return true;
}

/* The fields that a task switch saves lie together: EIP or IP up to the last segment register. */
static bool check_save_area(Cpu *cpu, uint32_t base, bool wide) {
    uint32_t first = base + (wide ? TSS32_EIP : TSS16_IP);
    uint32_t last = base + (wide ? TSS32_SEGMENT + 23 : TSS16_SEGMENT + 7);
    return linear_check_write(cpu, first, 1, false) && linear_check_write(cpu, last, 1, false);
}

static bool save_image(Cpu *cpu, uint32_t base, bool wide, uint32_t eip, uint32_t eflags) {
    const CpuState *state = &cpu->state;
    unsigned size = wide ? 4 : 2;
    if (!linear_write(cpu, base + (wide ? TSS32_EIP : TSS16_IP), size, false, eip) ||
        !linear_write(cpu, base + (wide ? TSS32_EFLAGS : TSS16_FLAGS), size, false, eflags))
        return false;
    for (unsigned i = 0; i < 8; i++)
        if (!linear_write(cpu, base + (wide ? TSS32_GPR : TSS16_GPR) + i * size, size, false,
                          state->gpr[i]))
            return false;
    for (unsigned i = 0; i < (wide ? 6u : 4u); i++)
        if (!linear_write(cpu, base + (wide ? TSS32_SEGMENT : TSS16_SEGMENT) + i * size, 2, false,
                          state->segment[i].selector))
            return false;
    return true;
}

/* Before the commit point. LTR takes a TSS of any length: that it is too short is found only here.
 */
static bool check_old_tss(Cpu *cpu, uint32_t external) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    return tr->limit >= (is_tss32(tr->access) ? TSS32_SAVED_LAST : TSS16_SAVED_LAST) ||
           selector_fault(cpu, EXCEPTION_TS, tr->selector, external);
}

static bool check_new_tss(Cpu *cpu, const TaskSwitch *request) {
    const Descriptor *descriptor = &request->descriptor;
    if (!descriptor_is_present(descriptor))
        return selector_fault(cpu, EXCEPTION_NP, request->selector, request->external);
    bool wide = is_tss32(descriptor_access(descriptor));
    if (descriptor_limit(descriptor) < (wide ? TSS32_LAST : TSS16_LAST))
        return selector_fault(cpu, EXCEPTION_TS, request->selector, request->external);
    return true;
}

/* The LDT of the new task; null is allowed. */
static bool load_ldtr(Cpu *cpu, uint16_t selector, uint32_t external) {
    Segment *ldtr = &cpu->state.segment[SEG_LDTR];
    segment_load_null(ldtr, selector);
    if (selector_is_null(selector))
        return true;
    if (selector & SELECTOR_LOCAL)
        return selector_fault(cpu, EXCEPTION_TS, selector, external);
    Descriptor descriptor;
    if (!descriptor_read(cpu, selector, EXCEPTION_TS, external, &descriptor))
        return false;
    if (descriptor_is_segment(&descriptor) || descriptor_type(&descriptor) != SYSTEM_LDT ||
        !descriptor_is_present(&descriptor))
        return selector_fault(cpu, EXCEPTION_TS, selector, external);
    segment_load_descriptor(ldtr, selector, &descriptor);
    return true;
}

static bool load_code(Cpu *cpu, uint16_t selector, uint32_t external) {
    Descriptor descriptor;
    if (selector_is_null(selector))
        return selector_fault(cpu, EXCEPTION_TS, selector, external);
    if (!descriptor_read(cpu, selector, EXCEPTION_TS, external, &descriptor))
        return false;
    unsigned dpl = descriptor_dpl(&descriptor);
    unsigned rpl = selector & SELECTOR_RPL;
    if (!descriptor_is_code(&descriptor) ||
        (descriptor_is_conforming(&descriptor) ? dpl > rpl : dpl != rpl))
        return selector_fault(cpu, EXCEPTION_TS, selector, external);
    if (!descriptor_is_present(&descriptor))
        return selector_fault(cpu, EXCEPTION_NP, selector, external);
    if (!descriptor_set_accessed(cpu, &descriptor))
        return false;
    segment_load_descriptor(&cpu->state.segment[SEG_CS], selector, &descriptor);
    return true;
}

static bool load_stack(Cpu *cpu, uint16_t selector, unsigned level, uint32_t external) {
    Descriptor descriptor;
    if (selector_is_null(selector))
        return selector_fault(cpu, EXCEPTION_TS, selector, external);
    if (!descriptor_check_stack(cpu, selector, level, EXCEPTION_TS, external, &descriptor) ||
        !descriptor_set_accessed(cpu, &descriptor))
        return false;
    segment_load_descriptor(&cpu->state.segment[SEG_SS], selector, &descriptor);
    return true;
}

static bool load_data(Cpu *cpu, unsigned segment, uint16_t selector, uint32_t external) {
    Descriptor descriptor;
    if (selector_is_null(selector))
        return true; /* the null cache stands there already */
    if (!descriptor_check_data(cpu, selector, cpu->state.cpl, EXCEPTION_TS, external, &descriptor))
        return false;
    segment_load_descriptor(&cpu->state.segment[segment], selector, &descriptor);
    if (descriptor_is_code(&descriptor))
        cpu->state.segment[segment].kind = SEGMENT_GENERIC;
    return true;
}

/* Past the commit point: hidden parts of the segment registers. The selectors are visible already
 * if one faults. As long as the task has no stack, its level counts as 3: so the exception's
 * handler gets one of the TSS, instead of a double fault. Order and level are as Bochs has them. */
static bool load_segments(Cpu *cpu, const TssImage *image, uint32_t external) {
    static const uint8_t data_segments[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
    unsigned level = cpu->state.cpl;
    cpu->state.cpl = 3;
    if (!load_ldtr(cpu, image->ldtr, external))
        return false;
    if (cpu_is_v8086(cpu)) {
        for (unsigned i = 0; i < SEG_COUNT; i++)
            segment_load_v8086(&cpu->state.segment[i], image->segment[i]);
        return true;
    }
    if (!load_stack(cpu, image->segment[SEG_SS], level, external))
        return false;
    cpu->state.cpl = level;
    for (unsigned i = 0; i < sizeof(data_segments); i++) {
        unsigned segment = data_segments[i];
        if (!load_data(cpu, segment, image->segment[segment], external))
            return false;
    }
    return load_code(cpu, image->segment[SEG_CS], external);
}

/* The plain registers of the new task; segment registers get their selectors and nothing usable
 * behind them. */
static void load_registers(Cpu *cpu, const TaskSwitch *request, const TssImage *image, bool wide) {
    CpuState *state = &cpu->state;
    uint32_t upper =
        wide ? 0 : 0xFFFF0000; /* a 286 TSS holds lower halves; the upper ones read as ones */
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = image->gpr[i] | upper;
    uint32_t eflags = image->eflags;
    if (request->kind == TASK_CALL || request->kind == TASK_INTERRUPT)
        eflags |= FLAG_NT;
    cpu_set_eflags(cpu, eflags);
    state->eip = image->eip;
    state->cpl = eflags & FLAG_VM ? 3 : image->segment[SEG_CS] & SELECTOR_RPL;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        segment_load_null(&state->segment[i], image->segment[i]);
    state->cr0 |= CR0_TS;
    state->pending_debug = 0; /* what the old task's instruction would have trapped for */
    state->dr[7] &= ~(uint32_t)DR7_LOCAL_ENABLES;
    cpu_update_breakpoints(cpu);
}

/* Busy bits and the back link: everything in memory that joins the two tasks. */
static bool link_tasks(Cpu *cpu, TaskSwitch *request, uint32_t new_base) {
    bool nested = request->kind == TASK_CALL || request->kind == TASK_INTERRUPT;
    Segment *tr = &cpu->state.segment[SEG_TR];
    if (!nested) {
        Descriptor old;
        if (!descriptor_read(cpu, tr->selector, EXCEPTION_TS, request->external, &old) ||
            !descriptor_set_busy(cpu, &old, false))
            return false;
    } else if (!linear_write(cpu, new_base, 2, false, tr->selector)) {
        return false;
    }
    return request->kind == TASK_IRET || descriptor_set_busy(cpu, &request->descriptor, true);
}

static bool push_error_code(Cpu *cpu, const TaskSwitch *request, bool wide) {
    return !request->has_error_code || stack_push(cpu, wide ? 4 : 2, request->error_code);
}

static bool check_entry(Cpu *cpu, uint32_t external) {
    if (cpu->state.eip <= cpu->state.segment[SEG_CS].limit)
        return true;
    cpu_raise_error(cpu, EXCEPTION_GP, external);
    return false;
}

bool task_switch(Cpu *cpu, TaskSwitch *request) {
    CpuState *state = &cpu->state;
    const Segment old_tr = state->segment[SEG_TR];
    bool wide = is_tss32(descriptor_access(&request->descriptor));
    uint32_t new_base = descriptor_base(&request->descriptor);
    TssImage image;
    bool nested = request->kind == TASK_CALL || request->kind == TASK_INTERRUPT;
    if (!check_new_tss(cpu, request) || !check_old_tss(cpu, request->external) ||
        !read_image(cpu, new_base, wide, &image) ||
        (nested && !linear_check_write(cpu, new_base, 2, false)) ||
        !check_save_area(cpu, old_tr.base, is_tss32(old_tr.access)))
        return false;
    uint32_t saved_eflags = cpu_get_eflags(cpu);
    if (request->kind == TASK_IRET)
        saved_eflags &= ~(uint32_t)FLAG_NT;
    saved_eflags = request->resume ? saved_eflags | FLAG_RF : saved_eflags & ~(uint32_t)FLAG_RF;
    if (!save_image(cpu, old_tr.base, is_tss32(old_tr.access), request->return_eip, saved_eflags) ||
        !link_tasks(cpu, request, new_base) ||
        !read_image(cpu, new_base, wide, &image)) /* again: what was written may be part of it */
        return false;

    /* The commit point. */
    Segment *tr = &state->segment[SEG_TR];
    segment_load_descriptor(tr, request->selector, &request->descriptor);
    load_registers(cpu, request, &image, wide);
    if (wide && (state->cr0 & CR0_PG)) {
        if (!system_load_cr3(cpu, image.cr3))
            return selector_fault(cpu, EXCEPTION_TS, request->selector, request->external);
    } else {
        system_update_tlb(cpu, false);
    }
    if (!load_segments(cpu, &image, request->external) || !check_entry(cpu, request->external) ||
        !push_error_code(cpu, request, wide))
        return false;
    if (image.trap)
        state->pending_debug |= DR6_BT;
    return true;
}

bool task_switch_through_gate(Cpu *cpu, const Descriptor *gate, TaskSwitch *request) {
    request->selector = gate_selector(gate);
    bool interrupt = request->kind == TASK_INTERRUPT;
    /* The same rule, blamed differently: #GP for JMP and CALL, and for interrupts too (SDM vol. 2A,
     * INT n, TASK-GATE). */
    if ((request->selector & SELECTOR_LOCAL) || selector_is_null(request->selector))
        return selector_fault(cpu, EXCEPTION_GP, request->selector,
                              interrupt ? request->external : 0);
    if (!descriptor_read(cpu, request->selector, EXCEPTION_GP, request->external,
                         &request->descriptor))
        return false;
    if (!descriptor_is_tss(&request->descriptor) ||
        (descriptor_type(&request->descriptor) & SYSTEM_BUSY))
        return selector_fault(cpu, EXCEPTION_GP, request->selector, request->external);
    return task_switch(cpu, request);
}
