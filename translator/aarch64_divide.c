/* AArch64 code for products and quotients. Above each emitter stands what it emits for 4 bytes. */
#include "aarch64_internal.h"

static unsigned bits_of(const Uop *uop) {
    return 8u * uop->size;
}

/* S by the low half; C and O if the product does not fit, which ARM_SCRATCH says by 0 or 1. */
static void set_product_flags(ArmTranslation *translation, const Uop *uop, FlagOperand low) {
    uint8_t needed = uop->flags_needed & uop->flags_written;
    FlagSource wide = {0};
    if (needed & (FLAG_GROUP_C | FLAG_GROUP_O))
        wide = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    arm_flags_set(translation, FLAG_GROUP_C | FLAG_GROUP_O, wide);
    arm_flags_set(translation, FLAG_GROUP_S,
                  (FlagSource){.kind = FLAG_SOURCE_RESULT, .size = uop->size, .a = low});
}

/* MUL, IMUL: umull x8, w19, src; lsr x21, x8, #32; mov w19, w8. Bytes give AX alone. */
void arm_emit_multiply(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool is_signed = uop->code == UOP_IMUL;
    unsigned bits = bits_of(uop), eax = arm_register(REG_EAX), edx = arm_register(REG_EDX);
    arm_begin_operands(translation, uop);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_SOURCE), n = eax;
    if (bits != 32) {
        arm_extract(assembler, is_signed, ARM_SOURCE, m, 0, bits);
        arm_extract(assembler, is_signed, ARM_VALUE, eax, 0, bits);
        m = ARM_SOURCE;
        n = ARM_VALUE;
    }
    arm_multiply_long(assembler, is_signed, ARM_RESULT, n, m);
    arm_flags_before_register_write(translation, REG_EAX);
    if (bits != 8)
        arm_flags_before_register_write(translation, REG_EDX);
    if (bits == 32) {
        arm_mov(assembler, eax, ARM_RESULT);
        arm_shift_imm(assembler, true, ARM_LSR, edx, ARM_RESULT, 32);
    } else if (bits == 16) {
        arm_insert(assembler, eax, ARM_RESULT, 0, 16);
        arm_shift_imm(assembler, false, ARM_LSR, ARM_SCRATCH2, ARM_RESULT, 16);
        arm_insert(assembler, edx, ARM_SCRATCH2, 0, 16);
    } else {
        arm_insert(assembler, eax, ARM_RESULT, 0, 16);
    }
    /* Does the product differ from its low half, extended? */
    arm_bitfield(assembler, true, is_signed ? ARM_SBFM : ARM_UBFM, ARM_SCRATCH2, ARM_RESULT, 0,
                 bits - 1);
    arm_sum(assembler, true, ARM_SUBS, ARM_ZERO, ARM_SCRATCH2, ARM_RESULT, ARM_LSL, 0);
    arm_cset(assembler, ARM_SCRATCH, ARM_NE);
    set_product_flags(translation, uop, flag_register(REG_EAX));
    arm_end_operands(translation, uop);
}

/* IMUL with two and three operands: smull x8, dst, src */
void arm_emit_multiply_two(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned bits = bits_of(uop);
    arm_begin_operands(translation, uop);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_SOURCE), n = ARM_VALUE;
    if (uop->code == UOP_IMUL3)
        arm_mov_imm(assembler, ARM_VALUE,
                    bits == 16 ? (uint32_t)(int32_t)(int16_t)uop->imm : uop->imm);
    else
        n = arm_read_register(translation, uop->dst, uop->size, ARM_VALUE);
    if (bits != 32) {
        arm_extract(assembler, true, ARM_SOURCE, m, 0, bits);
        arm_extract(assembler, true, ARM_VALUE, n, 0, bits);
        m = ARM_SOURCE;
        n = ARM_VALUE;
    }
    arm_multiply_long(assembler, true, ARM_RESULT, n, m);
    arm_flags_before_register_write(translation, uop->dst);
    arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
    if (arm_flags_are_needed(uop)) {
        arm_bitfield(assembler, true, ARM_SBFM, ARM_SCRATCH2, ARM_RESULT, 0, bits - 1);
        arm_sum(assembler, true, ARM_SUBS, ARM_ZERO, ARM_SCRATCH2, ARM_RESULT, ARM_LSL, 0);
        arm_cset(assembler, ARM_SCRATCH, ARM_NE);
    }
    FlagOperand low = {0};
    if (uop->flags_needed & FLAG_GROUP_S)
        low = arm_result_operand(translation, uop, ARM_RESULT);
    set_product_flags(translation, uop, low);
    arm_end_operands(translation, uop);
}

/* --- dividing --- */

static void leave_if(ArmTranslation *translation, ArmCondition condition, uint32_t site) {
    arm_add_leave(translation, arm_branch_if(&translation->assembler, condition), LEAVE_STEP, site);
}

/* ARM_RESULT = what is divided, extended to 64 bits. */
static void load_dividend(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned eax = arm_register(REG_EAX), edx = arm_register(REG_EDX), bits = bits_of(uop);
    bool is_signed = uop->code == UOP_IDIV;
    if (bits == 32) {
        arm_logic(assembler, true, ARM_ORR, false, ARM_RESULT, eax, edx, ARM_LSL, 32);
        return;
    }
    if (bits == 16) {
        arm_extract(assembler, false, ARM_RESULT, eax, 0, 16);
        arm_insert(assembler, ARM_RESULT, edx, 16, 16);
    } else {
        arm_mov(assembler, ARM_RESULT, eax);
    }
    arm_bitfield(assembler, true, is_signed ? ARM_SBFM : ARM_UBFM, ARM_RESULT, ARM_RESULT, 0,
                 2 * bits - 1);
}

/* DIV, IDIV; what faults is run alone, with nothing changed.
 *     [ubfx or sbfx x3, src]
 *     cbz   x3, step
 *     orr   x8, eax, edx, lsl #32
 *     udiv  x2, x8, x3
 *     cmp   x2, w2, uxtw           ; does the quotient fit?
 *     b.ne  step
 *     msub  x21, x2, x3, x8        ; EDX
 *     mov   w19, w2 */
void arm_emit_divide(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned bits = bits_of(uop);
    bool is_signed = uop->code == UOP_IDIV;
    arm_begin_operands(translation, uop);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    arm_bitfield(assembler, true, is_signed ? ARM_SBFM : ARM_UBFM, ARM_SOURCE, m, 0, bits - 1);
    arm_end_operands(translation, uop);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_add_leave(translation, arm_branch_zero(assembler, true, false, ARM_SOURCE), LEAVE_STEP,
                  site);
    load_dividend(translation, uop);
    arm_divide(assembler, true, is_signed, ARM_VALUE, ARM_RESULT, ARM_SOURCE);
    arm_bitfield(assembler, true, is_signed ? ARM_SBFM : ARM_UBFM, ARM_SCRATCH, ARM_VALUE, 0,
                 bits - 1);
    arm_sum(assembler, true, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, ARM_VALUE, ARM_LSL, 0);
    leave_if(translation, ARM_NE, site);
    arm_flags_before_register_write(translation, REG_EAX);
    if (bits != 8)
        arm_flags_before_register_write(translation, REG_EDX);
    arm_multiply_add(assembler, true, true, ARM_SOURCE, ARM_VALUE, ARM_SOURCE, ARM_RESULT);
    arm_write_register(translation, REG_EAX, uop->size, ARM_VALUE);
    arm_write_register(translation, bits == 8 ? (unsigned)UREG_AH : (unsigned)REG_EDX, uop->size,
                       ARM_SOURCE);
}
