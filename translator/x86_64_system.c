/* Host code for micro-ops of operating systems: EFLAGS as a whole, interrupts on and off, segment
 * registers. What is common is done here, or by a short function in C that keeps to a few
 * registers; what is rare leaves for a single step. */
#include "cpu_debug.h"
#include "x86_64_internal.h"

static HostOperand eflags(void) {
    return cpu_mem(CPU_OFFSET(state.eflags));
}

static void step_if(Translation *translation, unsigned condition, uint32_t site) {
    x86_emit_leave(translation, (int)condition, LEAVE_STEP, site);
}

/* Bit test: CF = bit of a register. */
static void emit_bit_test(Assembler *assembler, unsigned reg, unsigned bit) {
    asm_reg_rm(assembler, 4, 0x0FBA, 4, host_reg(reg));
    asm_byte(assembler, bit);
}

/*     movzx dst, word [flags_image]
 *     mov   r8d, dst
 *     shr   dst, 8
 *     and   r8d, 1
 *     shl   r8d, 11
 *     or    dst, r8d
 *     mov   r8d, [direction]
 *     and   r8d, 400h
 *     or    dst, r8d
 *     or    dst, [eflags]         ; RF and VM are clear where this code runs */
void x86_emit_read_eflags(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned dst = host_register(uop->dst);
    x86_flags_to_memory(translation);
    asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, dst, cpu_mem(CPU_OFFSET(state.flags_image)));
    asm_mov(assembler, 4, HOST_R8, host_reg(dst));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(dst), 8);
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), 1);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_R8), 11);
    asm_alu(assembler, 4, ALU_OR, dst, host_reg(HOST_R8));
    asm_mov(assembler, 4, HOST_R8, cpu_mem(CPU_OFFSET(state.direction)));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), FLAG_DF);
    asm_alu(assembler, 4, ALU_OR, dst, host_reg(HOST_R8));
    asm_alu(assembler, 4, ALU_OR, dst, eflags());
}

/* R8: the bits of EFLAGS that change.
 *     test  r8d, IF
 *     jz    same
 *     bt    src, 9
 *     jnc   flip
 *     cmp   [intr_level], 0
 *     jne   step                  ; an interrupt waits for this
 * flip:
 *     xor   [eflags], IF
 * same: */
static void emit_interrupt_flag(Translation *translation, unsigned src, uint32_t site) {
    Assembler *assembler = &translation->assembler;
    asm_test_imm(assembler, 4, host_reg(HOST_R8), FLAG_IF);
    uint8_t *same = asm_jcc(assembler, COND_Z);
    emit_bit_test(assembler, src, 9);
    uint8_t *flip = asm_jcc(assembler, COND_NB);
    asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(state.intr_level)), 0);
    step_if(translation, COND_NZ, site);
    asm_patch(flip, assembler->code);
    asm_alu_imm(assembler, 4, ALU_XOR, eflags(), FLAG_IF);
    asm_patch(same, assembler->code);
}

/*     bt    src, 10               ; or nothing of that
 *     sbb   r8d, r8d
 *     or    r8d, 1
 *     mov   [direction], r8d
 *     mov   r8d, src
 *     and   r8d, D5h              ; SF ZF AF PF CF
 *     or    r8d, 2
 *     shl   r8d, 8
 *     bt    src, 11
 *     adc   r8d, 0
 *     mov   word [flags_image], r8w */
static void emit_status_flags(Assembler *assembler, unsigned src, bool with_direction) {
    if (with_direction) {
        emit_bit_test(assembler, src, 10);
        asm_alu(assembler, 4, ALU_SBB, HOST_R8, host_reg(HOST_R8));
        asm_alu_imm(assembler, 4, ALU_OR, host_reg(HOST_R8), 1);
        asm_mov_to(assembler, 4, cpu_mem(CPU_OFFSET(state.direction)), HOST_R8);
    }
    asm_mov(assembler, 4, HOST_R8, host_reg(src));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), FLAG_STATUS & 0xFF);
    asm_alu_imm(assembler, 4, ALU_OR, host_reg(HOST_R8), FLAG_1);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_R8), 8);
    emit_bit_test(assembler, src, 11);
    asm_alu_imm(assembler, 4, ALU_ADC, host_reg(HOST_R8), 0);
    asm_mov_to(assembler, 2, cpu_mem(CPU_OFFSET(state.flags_image)), HOST_R8);
}

/* POPF that changes but status flags, at level 0 IF, and DF where it is not known ([eflags] has it
 * clear).
 *     (cmp  [nmi_blocked], 0; jne step   ; IRET)
 *     mov   r8d, src
 *     xor   r8d, [eflags]
 *     (xor  r8d, DF)
 *     test  r8d, others
 *     jnz   step */
void x86_emit_write_eflags(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned src = host_register(uop->src);
    bool system = context_cpl(translation->context) == 0;
    uint32_t others = FLAG_TF | FLAG_NT | FLAG_AC | FLAG_ID | (system ? FLAG_IOPL : FLAG_IF);
    int direction =
        translator_known_direction(translation->backend->translator, translation->context);
    if (direction != 0)
        others |= FLAG_DF;
    if (uop->size == 2)
        others &= 0xFFFF;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    if (uop->imm == UOP_EFLAGS_IRET) {
        asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(state.nmi_blocked)), 0);
        step_if(translation, COND_NZ, site);
    }
    asm_mov(assembler, 4, HOST_R8, host_reg(src));
    asm_alu(assembler, 4, ALU_XOR, HOST_R8, eflags());
    if (direction < 0)
        asm_alu_imm(assembler, 4, ALU_XOR, host_reg(HOST_R8), FLAG_DF);
    asm_test_imm(assembler, 4, host_reg(HOST_R8), others);
    step_if(translation, COND_NZ, site);
    if (system)
        emit_interrupt_flag(translation, src, site);
    emit_status_flags(assembler, src, direction == 0);
    x86_flags_locate(translation, FLAG_GROUP_ALL, (FlagSource){.kind = FLAG_SOURCE_IMAGE});
}

/* and dword [eflags], ~IF */
void x86_emit_cli(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, uop->flags_needed);
    asm_alu_imm(&translation->assembler, 4, ALU_AND, eflags(), ~(uint32_t)FLAG_IF);
}

/* Where no interrupt waits the shadow has nothing to hold back. It shows at the end of the budget
 * alone, when the run loop may be left.
 *     test  dword [eflags], IF
 *     jnz   done
 *     cmp   [intr_level], 0
 *     jne   step
 *     test  r15, r15
 *     jz    step
 *     or    dword [eflags], IF
 * done: */
void x86_emit_sti(Translation *translation, const Uop *uop) {
    (void)uop;
    Assembler *assembler = &translation->assembler;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    asm_test_imm(assembler, 4, eflags(), FLAG_IF);
    uint8_t *done = asm_jcc(assembler, COND_NZ);
    asm_alu_imm(assembler, 4, ALU_CMP, cpu_mem(CPU_OFFSET(state.intr_level)), 0);
    step_if(translation, COND_NZ, site);
    asm_test(assembler, 8, host_reg(HOST_COUNT), HOST_COUNT);
    step_if(translation, COND_Z, site);
    asm_alu_imm(assembler, 4, ALU_OR, eflags(), FLAG_IF);
    asm_patch(done, assembler->code);
}

/*     mov   ebp, argument
 *     call  quick
 *     jz    step */
void x86_emit_quick_call(Translation *translation, unsigned function, uint32_t argument) {
    Assembler *assembler = &translation->assembler;
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    asm_mov_imm(assembler, 4, host_reg(HOST_RBP), argument);
    asm_patch(asm_call(assembler), translation->backend->quick[function]);
    step_if(translation, COND_Z, site);
}

/* What a quick load does not do is done behind the exit, with the rest of the instruction. */
void x86_emit_load_sreg(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    Assembler *assembler = &translation->assembler;
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, uop->imm);
    translation->backend->sites[site].then = (uint16_t)uop->imm2;
    asm_mov_imm(assembler, 4, host_reg(HOST_RBP), uop->imm);
    asm_patch(asm_call(assembler), translation->backend->quick[JIT_QUICK_LOAD_SEGMENT]);
    x86_emit_leave(translation, COND_Z, LEAVE_SEGMENT, site);
}

bool x86_emit_quick_helper(Translation *translation, const Uop *uop) {
    if (uop->helper != HELPER_ID_verify_segment)
        return false;
    x86_emit_quick_call(translation, JIT_QUICK_VERIFY_SEGMENT, uop->imm);
    return true;
}

/* cmpxchg8b memory */
void x86_emit_cmpxchg8b(Translation *translation, const Uop *uop) {
    x86_memory_begin(translation, SITE_MODIFY, 8);
    x86_flags_before_register_write(translation, REG_EAX);
    x86_flags_before_register_write(translation, REG_EDX);
    x86_flags_to_host(translation, uop->flags_read);
    asm_reg_rm(&translation->assembler, 4, 0x0FC7, 1, translation->memory);
    x86_flags_written(translation, uop->flags_written);
    x86_memory_end(translation);
}

/* mov dst, [register]; of selectors movzx ebp, word [register]; mov dst, ebp */
void x86_emit_read_state(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    const UopStateField *field = &uop_state_fields[uop->imm];
    HostOperand from = cpu_mem((int32_t)field->offset);
    x86_flags_before_register_write(translation, uop->dst);
    if (field->size == 2) {
        asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_RBP, from);
        from = host_reg(HOST_RBP);
    }
    asm_mov(assembler, uop->size, host_register(uop->dst), from);
}

/* test dword [dr7], GD; jnz step; mov dst, [register] */
void x86_emit_read_dr(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    asm_test_imm(assembler, 4, cpu_mem(CPU_OFFSET(state.dr[7])), DR7_GD);
    step_if(translation, COND_NZ, site);
    x86_flags_before_register_write(translation, uop->dst);
    asm_mov(assembler, 4, host_register(uop->dst),
            cpu_mem(CPU_OFFSET(state.dr[0]) + 4 * (int32_t)uop->imm));
}
