/* x87 control instructions: initialisation, control and status word, the stack pointer. */
#include "x87_internal.h"
#include <string.h>

void x87_reset(FpuState *fpu, bool init) {
    if (!init) {
        memset(fpu, 0, sizeof *fpu);
        fpu->control =
            X87_CONTROL_FIXED; /* RESET alone leaves all exceptions unmasked and PC at 24 bits */
        fpu->tags = 0x5555;
        fpu->mxcsr = 0x1F80;
        return;
    }
    fpu->control = 0x037F;
    fpu->status = 0;
    fpu->tags = 0xFFFF;
    fpu->opcode = 0;
    fpu->ip = fpu->dp = 0;
    fpu->cs = fpu->ds = 0;
}

HelperResult x87_nop(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)cpu, (void)insn, (void)parameter;
    return HELPER_NEXT;
}

HelperResult x87_initialise(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    x87_reset(&cpu->state.fpu, true);
    x87_update_summary(cpu);
    return HELPER_NEXT;
}

HelperResult x87_clear_exceptions(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    cpu->state.fpu.status &= (uint16_t) ~(FLOAT_EXCEPTIONS | X87_STACK_FAULT);
    x87_update_summary(cpu);
    return HELPER_NEXT;
}

HelperResult x87_load_control(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    uint64_t value;
    if (!cpu_read(cpu, insn->segment, insn->offset, 2, &value))
        return HELPER_FAULT;
    cpu->state.fpu.control = (uint16_t)((value & X87_CONTROL_MASK) | X87_CONTROL_FIXED);
    x87_update_summary(cpu);
    return HELPER_NEXT;
}

HelperResult x87_store_control(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    bool stored = cpu_write(cpu, insn->segment, insn->offset, 2, cpu->state.fpu.control);
    return stored ? HELPER_NEXT : HELPER_FAULT;
}

HelperResult x87_store_status(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    bool stored = cpu_write(cpu, insn->segment, insn->offset, 2, cpu->state.fpu.status);
    return stored ? HELPER_NEXT : HELPER_FAULT;
}

HelperResult x87_store_status_ax(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    uint64_t *eax = &cpu->state.gpr[REG_EAX];
    *eax = (*eax & ~UINT64_C(0xFFFF)) | cpu->state.fpu.status;
    return HELPER_NEXT;
}

/* FINCSTP and FDECSTP: 'step' 1 or 7. */
HelperResult x87_rotate_stack(Cpu *cpu, const X87Instruction *insn, unsigned step) {
    (void)insn;
    FpuState *fpu = &cpu->state.fpu;
    x87_set_top(fpu, x87_get_top(fpu) + step);
    x87_set_conditions(fpu, X87_C1, 0);
    return HELPER_NEXT;
}

/* FFREE and the undocumented FFREEP. */
HelperResult x87_free(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    FpuState *fpu = &cpu->state.fpu;
    x87_set_tag(fpu, (x87_get_top(fpu) + (insn->modrm & 7)) & 7, X87_TAG_EMPTY);
    x87_set_conditions(fpu, X87_C1, 0);
    if (pop)
        x87_pop(fpu);
    return HELPER_NEXT;
}
