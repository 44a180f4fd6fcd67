/* SYSENTER and SYSEXIT (SDM vol. 3A 5.8.7), SYSCALL and SYSRET (AMD 21086, "SYSCALL and SYSRET
 * Instruction Specification"): system calls that read no descriptor. */
#include "segment.h"

enum { EFER_SCE = 1 << 0, STAR_CALL = 32, STAR_RETURN = 48 };

static void load_flat_segment(Cpu *cpu, unsigned segment, uint16_t selector, unsigned level) {
    uint16_t type = segment == SEG_CS ? ACCESS_CODE | ACCESS_RW | ACCESS_A : ACCESS_RW | ACCESS_A;
    Segment *cache = &cpu->state.segment[segment];
    cache->selector = (uint16_t)((selector & ~SELECTOR_RPL) | level);
    cache->access = (uint16_t)(ACCESS_G | ACCESS_DB | ACCESS_P | ACCESS_S | level << 5 | type);
    cache->base = 0;
    cache->limit = 0xFFFFFFFF;
    segment_classify(cache);
}

/* CS becomes this selector and SS the one behind it, both flat and of this level. */
static HelperResult enter_level(Cpu *cpu, unsigned level, uint16_t selector, uint32_t eip) {
    load_flat_segment(cpu, SEG_CS, selector, level);
    load_flat_segment(cpu, SEG_SS, (uint16_t)((selector & ~SELECTOR_RPL) + 8), level);
    cpu->state.cpl = (uint8_t)level;
    cpu->state.eip = eip;
    return HELPER_JUMP;
}

static void clear_system_flags(Cpu *cpu) {
    cpu->state.eflags &= ~(uint32_t)(FLAG_VM | FLAG_IF | FLAG_RF);
}

HelperResult helper_sysenter(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint16_t selector = (uint16_t)cpu->state.sysenter_cs;
    if (!cpu_is_protected(cpu) || selector_is_null(selector))
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    clear_system_flags(cpu);
    cpu->state.gpr[REG_ESP] = (uint32_t)cpu->state.sysenter_esp;
    return enter_level(cpu, 0, selector, (uint32_t)cpu->state.sysenter_eip);
}

HelperResult helper_sysexit(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint16_t selector = (uint16_t)cpu->state.sysenter_cs;
    if (!cpu_is_protected(cpu) || selector_is_null(selector) || cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->state.gpr[REG_ESP] = (uint32_t)cpu->state.gpr[REG_ECX];
    return enter_level(cpu, 3, (uint16_t)((selector & ~SELECTOR_RPL) + 16),
                       (uint32_t)cpu->state.gpr[REG_EDX]);
}

HelperResult helper_syscall(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    if (!(cpu->state.efer & EFER_SCE))
        return cpu_raise(cpu, EXCEPTION_UD);
    cpu->state.gpr[REG_ECX] = cpu->next_eip;
    clear_system_flags(cpu);
    return enter_level(cpu, 0, (uint16_t)(cpu->state.star >> STAR_CALL), (uint32_t)cpu->state.star);
}

HelperResult helper_sysret(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    if (!(cpu->state.efer & EFER_SCE))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (!cpu_is_protected(cpu) || cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->state.eflags |= FLAG_IF;
    return enter_level(cpu, 3, (uint16_t)(cpu->state.star >> STAR_RETURN),
                       (uint32_t)cpu->state.gpr[REG_ECX]);
}
