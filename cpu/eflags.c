/* EFLAGS as a whole, and the instructions that change it under IOPL: CLI, STI, PUSHF, POPF. SDM
 * vol. 3A 20.2.7 (IOPL in v8086 mode), 20.3 (VME), 20.4 (PVI). */
#include "cpu_feature.h"
#include "transfer.h"

/* Flags that this processor has at all: software tells a 386 by AC and a CPU without CPUID by ID.
 */
static uint32_t existing_flags(const Cpu *cpu) {
    uint32_t flags =
        FLAG_STATUS | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM;
    if (cpu_has(cpu, FEATURE_486))
        flags |= FLAG_AC;
    if (cpu_has(cpu, FEATURE_CPUID))
        flags |= FLAG_ID;
    if (cpu_has(cpu, FEATURE_VME))
        flags |= FLAG_VIF | FLAG_VIP;
    return flags;
}

uint32_t cpu_get_eflags(const Cpu *cpu) {
    uint32_t direction = cpu->state.direction < 0 ? FLAG_DF : 0;
    return cpu->state.eflags | cpu_get_status_flags(cpu) | direction;
}

void cpu_set_eflags(Cpu *cpu, uint32_t eflags) {
    eflags &= existing_flags(cpu);
    cpu_set_status_flags(cpu, eflags);
    cpu->state.direction = eflags & FLAG_DF ? -1 : 1;
    cpu->state.eflags = (eflags & ~(uint32_t)(FLAG_STATUS | FLAG_DF)) | FLAG_1;
    cpu->tlb.smap_override = (eflags & FLAG_AC) != 0;
}

static HelperResult general_protection(Cpu *cpu) {
    return cpu_raise_error(cpu, EXCEPTION_GP, 0);
}

/* The flag that CLI and STI act on: IF, VIF, or 0 for #GP. */
static uint32_t interrupt_flag(const Cpu *cpu) {
    if (!cpu_is_protected(cpu))
        return FLAG_IF;
    unsigned iopl = cpu_iopl(cpu);
    if (cpu_is_v8086(cpu)) {
        if (iopl == 3)
            return FLAG_IF;
        return cpu->state.cr4 & CR4_VME ? FLAG_VIF : 0;
    }
    if (cpu->state.cpl <= iopl)
        return FLAG_IF;
    return cpu->state.cpl == 3 && (cpu->state.cr4 & CR4_PVI) ? FLAG_VIF : 0;
}

HelperResult helper_cli(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint32_t flag = interrupt_flag(cpu);
    if (flag == 0)
        return general_protection(cpu);
    cpu->state.eflags &= ~flag;
    return HELPER_NEXT;
}

HelperResult helper_sti(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint32_t flag = interrupt_flag(cpu);
    if (flag == 0 || (flag == FLAG_VIF && (cpu->state.eflags & FLAG_VIP)))
        return general_protection(cpu);
    if (flag == FLAG_IF && !(cpu->state.eflags & FLAG_IF))
        cpu->state.interrupt_shadow = SHADOW_STI;
    cpu->state.eflags |= flag;
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}

/* CLAC and STAC. In v8086 mode the level is 3. */
HelperResult helper_set_alignment_check(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,
                                        uint32_t t1) {
    (void)b;
    (void)t0;
    (void)t1;
    if (cpu->state.cpl != 0)
        return cpu_raise(cpu, EXCEPTION_UD);
    cpu->state.eflags = a != 0 ? cpu->state.eflags | FLAG_AC : cpu->state.eflags & ~FLAG_AC;
    cpu->tlb.smap_override = a != 0;
    return HELPER_NEXT;
}

HelperResult helper_pushf(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t0;
    (void)t1;
    uint32_t image = cpu_get_eflags(cpu) & ~(uint32_t)(FLAG_RF | FLAG_VM);
    if (cpu_is_v8086(cpu) && cpu_iopl(cpu) < 3) {
        if (!(cpu->state.cr4 & CR4_VME) || a == 4)
            return general_protection(cpu);
        uint32_t interrupts = cpu->state.eflags & FLAG_VIF ? FLAG_IF : 0;
        image = (image & ~(uint32_t)FLAG_IF) | interrupts | FLAG_IOPL;
    }
    return stack_push(cpu, a, image) ? HELPER_NEXT : HELPER_FAULT;
}

/* Which bits POPF takes from the stack; RF is always cleared. */
static uint32_t popf_mask(const Cpu *cpu, unsigned size) {
    uint32_t mask = EFLAGS_USER;
    if (!cpu_is_protected(cpu) || cpu->state.cpl == 0)
        mask |= FLAG_IOPL;
    if (!cpu_is_protected(cpu) || cpu->state.cpl <= cpu_iopl(cpu))
        mask |= FLAG_IF;
    return size == 2 ? mask & EFLAGS_16 : mask;
}

void cpu_pop_eflags(Cpu *cpu, unsigned size, uint32_t image) {
    cpu_merge_eflags(cpu, image & ~(uint32_t)FLAG_RF, popf_mask(cpu, size) | FLAG_RF);
}

HelperResult helper_popf(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t0;
    (void)t1;
    bool virtual_interrupts = cpu_is_v8086(cpu) && cpu_iopl(cpu) < 3;
    if (virtual_interrupts && (!(cpu->state.cr4 & CR4_VME) || a == 4))
        return general_protection(cpu);
    uint32_t image, mask = popf_mask(cpu, a);
    if (!stack_peek(cpu, 0, a, &image))
        return HELPER_FAULT;
    if (virtual_interrupts) {
        bool interrupts = (image & FLAG_IF) != 0;
        if ((image & FLAG_TF) || (interrupts && (cpu->state.eflags & FLAG_VIP)))
            return general_protection(cpu);
        image = (image & EFLAGS_16) | (interrupts ? FLAG_VIF : 0);
        mask = (mask & ~(uint32_t)FLAG_IF) | FLAG_VIF;
    }
    stack_set_pointer(cpu, (uint32_t)cpu->state.gpr[REG_ESP] + a);
    cpu_merge_eflags(cpu, image & ~(uint32_t)FLAG_RF, mask | FLAG_RF);
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}
