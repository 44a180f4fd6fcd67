/* x87 exceptions: how they are recorded, when they stop the program, and the FERR# and IGNNE# pins.
 *
 * An unmasked exception is recorded (ES, B) by the instruction that met it, and reported by the
 * next waiting x87 instruction or WAIT. With CR0.NE = 1 as #MF. With CR0.NE = 0 in the PC's way
 * (SDM vol. 1 appendix D.2): the processor asserts FERR#, which the board makes IRQ 13, and stands
 * still until an interrupt arrives; the handler writes port F0h, which asserts IGNNE#, so that it
 * can use the FPU itself before it clears the exception. */
#include "cpu_feature.h"
#include "x87_internal.h"

FloatStatus x87_begin(const FpuState *fpu) {
    /* PC = 01 is reserved; processors take it for 64 bits. */
    static const uint8_t precisions[4] = {24, 64, 53, 64};
    return (FloatStatus){.rounding = fpu->control >> 10 & 3,
                         .precision = precisions[fpu->control >> 8 & 3],
                         .masked = fpu->control & FLOAT_EXCEPTIONS};
}

void x87_set_conditions(FpuState *fpu, unsigned mask, unsigned values) {
    fpu->status = (uint16_t)((fpu->status & ~mask) | values);
}

static void set_ferr(Cpu *cpu, uint32_t level) {
    if (cpu->state.ferr == level)
        return;
    cpu->state.ferr = level;
    wire_set(&cpu->ferr, (int)level);
}

void x87_update_summary(Cpu *cpu) {
    FpuState *fpu = &cpu->state.fpu;
    if (fpu->status & ~fpu->control & FLOAT_EXCEPTIONS) {
        fpu->status |= X87_ERROR_SUMMARY | X87_BUSY;
        return;
    }
    fpu->status &= (uint16_t) ~(X87_ERROR_SUMMARY | X87_BUSY);
    set_ferr(cpu, 0);
    cpu->state.ignne = 0;
}

bool x87_commit(Cpu *cpu, const FloatStatus *status) {
    FpuState *fpu = &cpu->state.fpu;
    bool up = (status->raised & FLOAT_INEXACT) && status->rounded_up;
    x87_set_conditions(fpu, X87_C1, up ? X87_C1 : 0);
    if (status->raised != 0) {
        fpu->status |= status->raised;
        x87_update_summary(cpu);
    }
    return (status->raised & ~status->masked & FLOAT_BEFORE_OPERATION) == 0;
}

static bool raise_stack_fault(Cpu *cpu, unsigned c1) {
    FpuState *fpu = &cpu->state.fpu;
    x87_set_conditions(fpu, X87_C1, c1);
    fpu->status |= FLOAT_INVALID | X87_STACK_FAULT;
    x87_update_summary(cpu);
    return (fpu->control & FLOAT_INVALID) != 0;
}

bool x87_raise_underflow(Cpu *cpu) {
    return raise_stack_fault(cpu, 0);
}

bool x87_raise_overflow(Cpu *cpu) {
    return raise_stack_fault(cpu, X87_C1);
}

void x87_push(Cpu *cpu, Float80 value) {
    FpuState *fpu = &cpu->state.fpu;
    if (!x87_is_empty(fpu, 7)) {
        if (!x87_raise_overflow(cpu))
            return;
        value = FLOAT80_INDEFINITE;
    }
    x87_set_top(fpu, x87_get_top(fpu) - 1);
    x87_set(fpu, 0, value);
}

HelperResult x87_check_pending(Cpu *cpu) {
    if ((cpu->state.fpu.status & X87_ERROR_SUMMARY) == 0)
        return HELPER_NEXT;
    if (cpu->state.cr0 & CR0_NE)
        return cpu_raise(cpu, EXCEPTION_MF);
    if (cpu->state.ignne)
        return HELPER_NEXT;
    set_ferr(cpu, 1);
    /* Standing still takes time, so that timers and the user still reach the machine if IRQ 13 is
     * masked. */
    cpu->iterations = 1;
    return HELPER_AGAIN;
}

void x87_set_ignne(void *opaque, int line, int level) {
    Cpu *cpu = opaque;
    (void)line;
    /* Without a pending exception the pin has no effect, and the flip-flop that drives it is reset.
     */
    cpu->state.ignne = level && (cpu->state.fpu.status & X87_ERROR_SUMMARY);
}

unsigned fpu_find_ready_units(const Cpu *cpu) {
    enum { MXCSR_MASKS = 0x3F << 7, MXCSR_BITS = 0xFFFF };
    const CpuState *state = &cpu->state;
    const FpuState *fpu = &state->fpu;
    if (state->cr0 & (CR0_EM | CR0_TS))
        return 0;
    bool x87 = cpu_has(cpu, FEATURE_FPU) && !(fpu->status & X87_ERROR_SUMMARY) &&
               (fpu->control & FLOAT_EXCEPTIONS) == FLOAT_EXCEPTIONS;
    /* Bits that do not exist come from a damaged checkpoint alone; hosts fault at them. */
    bool sse = (state->cr4 & CR4_OSFXSR) != 0 && (fpu->mxcsr & MXCSR_MASKS) == MXCSR_MASKS &&
               fpu->mxcsr <= MXCSR_BITS;
    return (x87 ? FPU_UNIT_X87 : 0) | (sse ? FPU_UNIT_SSE : 0);
}

HelperResult fpu_finish_helper(Cpu *cpu, unsigned ready_before) {
    if (fpu_find_ready_units(cpu) == ready_before)
        return HELPER_NEXT;
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}
