/* AArch64 code for shifts and rotates. Operands of 1 and 2 bytes lie in the low bits of registers;
 * above them is anything. Above each emitter stands what it emits for 4 bytes. */
#include "aarch64_internal.h"

static unsigned bits_of(const Uop *uop) {
    return 8u * uop->size;
}

static bool is_constant_below(const Uop *uop, unsigned limit) {
    return uop->src_kind == UOPERAND_IMM && (uop->imm & 31) != 0 && (uop->imm & 31) < limit;
}

static void shift_value(ArmTranslation *translation, const Uop *uop, unsigned d, unsigned n,
                        unsigned count) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned bits = bits_of(uop);
    if (uop->code == UOP_SHL)
        arm_shift_imm(assembler, false, ARM_LSL, d, n, count);
    else
        arm_extract(assembler, uop->code == UOP_SAR, d, n, count, bits - count);
}

/* SHL, SHR, SAR by a constant: mov w9, w19; lsl w19, w19, #count. C and O come from the first
 * value. */
static void emit_constant_shift(ArmTranslation *translation, const Uop *uop) {
    uint8_t needed = uop->flags_needed & uop->flags_written;
    unsigned count = uop->imm & 31;
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    FlagSource before = {0};
    if (needed & (FLAG_GROUP_C | FLAG_GROUP_O))
        before = (FlagSource){.kind = uop->code == UOP_SHL   ? FLAG_SOURCE_SHL
                                      : uop->code == UOP_SHR ? FLAG_SOURCE_SHR
                                                             : FLAG_SOURCE_SAR,
                              .size = uop->size,
                              .a = arm_flags_keep(translation, n),
                              .b = flag_imm(count)};
    arm_keep_flags_of_dst(translation, uop);
    shift_value(translation, uop, d, n, count);
    arm_write_dst(translation, uop, d);
    FlagOperand a = {0};
    if (needed & FLAG_GROUP_S)
        a = arm_result_operand(translation, uop, d);
    arm_flags_set(translation, FLAG_GROUP_C | FLAG_GROUP_O, before);
    arm_flags_set(translation, FLAG_GROUP_S,
                  (FlagSource){.kind = FLAG_SOURCE_RESULT, .size = uop->size, .a = a});
    arm_end_operands(translation, uop);
}

/* --- by CL --- */

/* A count of 0 changes no flag: what comes next is entered with those that were, by a jump of its
 * own. */
static void leave_if_zero_count(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    const UopInsn *insn = &translation->lifted->insn[uop->insn];
    arm_emit_x87_pointers(translation);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, arm_register(REG_ECX), 31);
    arm_add_link(translation, arm_branch_if(assembler, ARM_EQ), insn->eip + insn->length);
}

static bool changes_count(const Uop *uop) {
    return uop->dst_kind == UOPERAND_REG && arm_register(uop->dst) == arm_register(REG_ECX);
}

/* SHL, SHR, SAR by CL: lsl w19, w19, w20 takes the count modulo 32, too. Flags come from the first
 * value and the count. */
static void emit_variable_shift(ArmTranslation *translation, const Uop *uop) {
    static const ArmShift shifts[UOP_COUNT] = {
        [UOP_SHL] = ARM_LSL, [UOP_SHR] = ARM_LSR, [UOP_SAR] = ARM_ASR};
    static const uint8_t kinds[UOP_COUNT] = {
        [UOP_SHL] = FLAG_SOURCE_SHL, [UOP_SHR] = FLAG_SOURCE_SHR, [UOP_SAR] = FLAG_SOURCE_SAR};
    ArmAssembler *assembler = &translation->assembler;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    FlagSource before = {0}, after = {.kind = FLAG_SOURCE_RESULT, .size = uop->size};
    if (needed & (FLAG_GROUP_C | FLAG_GROUP_O))
        before = (FlagSource){.kind = kinds[uop->code],
                              .size = uop->size,
                              .a = arm_flags_keep(translation, n),
                              .b = flag_register(REG_ECX)};
    arm_keep_flags_of_dst(translation, uop);
    if (uop->size != 4) {
        arm_extract(assembler, uop->code == UOP_SAR, ARM_SCRATCH, n, 0, bits_of(uop));
        n = ARM_SCRATCH;
    }
    arm_shift_register(assembler, false, shifts[uop->code], d, n, arm_register(REG_ECX));
    arm_write_dst(translation, uop, d);
    if (needed & FLAG_GROUP_S)
        after.a = arm_result_operand(translation, uop, d);
    arm_end_operands(translation, uop);
    if (needed == 0)
        return;
    leave_if_zero_count(translation, uop);
    arm_flags_set(translation, FLAG_GROUP_C | FLAG_GROUP_O, before);
    arm_flags_set(translation, FLAG_GROUP_S, after);
}

void arm_emit_shift(ArmTranslation *translation, const Uop *uop) {
    if (is_constant_below(uop, bits_of(uop)))
        emit_constant_shift(translation, uop);
    else if (uop->src_kind == UOPERAND_REG && (!arm_flags_are_needed(uop) || !changes_count(uop)))
        emit_variable_shift(translation, uop);
    else
        arm_emit_portable(translation, uop);
}

/* --- rotating --- */

/* ARM_SCRATCH = bytes or words beside each other until all 32 bits are taken. */
static unsigned fill_register(ArmTranslation *translation, const Uop *uop, unsigned n) {
    ArmAssembler *assembler = &translation->assembler;
    if (uop->size == 4)
        return n;
    arm_extract(assembler, false, ARM_SCRATCH, n, 0, bits_of(uop));
    for (unsigned bits = bits_of(uop); bits < 32; bits *= 2)
        arm_logic(assembler, false, ARM_ORR, false, ARM_SCRATCH, ARM_SCRATCH, ARM_SCRATCH, ARM_LSL,
                  bits);
    return ARM_SCRATCH;
}

/* CF is the result's lowest or highest bit, OF the two highest ones' difference (to the right), or
 * CF's and the highest one's. */
static void find_rotate_flags(ArmTranslation *translation, const Uop *uop, unsigned d,
                              FlagSource sources[2]) {
    ArmAssembler *assembler = &translation->assembler;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    unsigned bits = bits_of(uop);
    bool left = uop->code == UOP_ROL;
    if (needed & FLAG_GROUP_C) {
        arm_extract(assembler, false, ARM_SCRATCH, d, left ? 0 : bits - 1, 1);
        sources[0] = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_O) {
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, d, d, ARM_LSR,
                  left ? bits - 1 : 1);
        arm_extract(assembler, false, ARM_SCRATCH, ARM_SCRATCH, left ? 0 : bits - 2, 1);
        sources[1] = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
}

/* ROL, ROR: ror w19, w19, #count, or by [neg w15, w20]; ror w19, w19, w15 */
void arm_emit_rotate(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool left = uop->code == UOP_ROL, variable = uop->src_kind == UOPERAND_REG;
    unsigned bits = bits_of(uop), count = uop->imm & (bits - 1), ecx = arm_register(REG_ECX);
    if ((!variable && count == 0) ||
        (variable && arm_flags_are_needed(uop) && changes_count(uop))) {
        arm_emit_portable(translation, uop);
        return;
    }
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    arm_keep_flags_of_dst(translation, uop);
    n = fill_register(translation, uop, n);
    if (variable && left) {
        arm_sum(assembler, false, ARM_SUB, ARM_SCRATCH2, ARM_ZERO, ecx, ARM_LSL, 0);
        ecx = ARM_SCRATCH2;
    }
    if (variable)
        arm_shift_register(assembler, false, ARM_ROR, d, n, ecx);
    else
        arm_rotate_imm(assembler, d, n, (left ? 32 - count : count) & 31);
    arm_write_dst(translation, uop, d);
    FlagSource sources[2] = {{0}, {0}};
    find_rotate_flags(translation, uop, d, sources);
    arm_end_operands(translation, uop);
    if (variable && arm_flags_are_needed(uop))
        leave_if_zero_count(translation, uop);
    if (!variable || arm_flags_are_needed(uop)) {
        arm_flags_set(translation, FLAG_GROUP_C, sources[0]);
        arm_flags_set(translation, FLAG_GROUP_O, sources[1]);
    }
}

/* RCL, RCR by 1: ubfx w15, w19, #31, #1; orr w19, carry, w19, lsl #1 */
void arm_emit_rotate_carry(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool left = uop->code == UOP_RCL;
    unsigned bits = bits_of(uop);
    uint8_t needed = uop->flags_needed & uop->flags_written;
    if (uop->src_kind != UOPERAND_IMM || (uop->imm & 31) != 1) {
        arm_emit_portable(translation, uop);
        return;
    }
    arm_flags_settle(translation, 2); /* B */
    arm_begin_operands(translation, uop);
    arm_test_set(translation, arm_flags_test(translation, 2), ARM_SOURCE);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    arm_keep_flags_of_dst(translation, uop);
    arm_extract(assembler, false, ARM_SCRATCH2, n, left ? bits - 1 : 0, 1);
    if (left) {
        arm_logic(assembler, false, ARM_ORR, false, d, ARM_SOURCE, n, ARM_LSL, 1);
    } else {
        arm_extract(assembler, false, ARM_SCRATCH, n, 1, bits - 1);
        arm_logic(assembler, false, ARM_ORR, false, d, ARM_SCRATCH, ARM_SOURCE, ARM_LSL, bits - 1);
    }
    arm_write_dst(translation, uop, d);
    FlagSource carry = {0}, overflow = {0};
    if (needed & FLAG_GROUP_C)
        carry = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH2));
    if (needed & FLAG_GROUP_O) { /* the highest bit, and CF or the one below it */
        if (left)
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, ARM_SCRATCH2, d, ARM_LSR,
                      bits - 1);
        else
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, d, d, ARM_LSR, 1);
        arm_extract(assembler, false, ARM_SCRATCH, ARM_SCRATCH, left ? 0 : bits - 2, 1);
        overflow = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    arm_flags_set(translation, FLAG_GROUP_C, carry);
    arm_flags_set(translation, FLAG_GROUP_O, overflow);
    arm_end_operands(translation, uop);
}

/* SHLD, SHRD of 4 bytes by a constant: extr w8, dst, src, #32 - count */
void arm_emit_double_shift(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool left = uop->code == UOP_SHLD;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    unsigned count = uop->imm & 31;
    if (uop->size != 4 || uop->imm == 0 || count == 0) {
        arm_emit_portable(translation, uop);
        return;
    }
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), m = arm_register(uop->src);
    unsigned d = arm_result_register(uop);
    FlagSource carry = {0}, overflow = {0};
    if (needed & FLAG_GROUP_C) {
        arm_extract(assembler, false, ARM_SCRATCH, n, left ? 32 - count : count - 1, 1);
        carry = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_O)
        arm_extract(assembler, false, ARM_SCRATCH2, n, left ? 32 - count : count - 1, 1);
    arm_keep_flags_of_dst(translation, uop);
    unsigned high = left ? n : m, low = left ? m : n;
    arm_emit(assembler, 0x13800000 | low << 16 | (left ? 32 - count : count) << 10 | high << 5 | d);
    arm_write_dst(translation, uop, d);
    if (needed & FLAG_GROUP_O) { /* the highest bit, and CF or the one below it */
        if (left)
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, ARM_SCRATCH2, d, ARM_LSR, 31);
        else
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, d, d, ARM_LSR, 1);
        if (!left)
            arm_shift_imm(assembler, false, ARM_LSR, ARM_SCRATCH, ARM_SCRATCH, 30);
        overflow = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    FlagOperand a = {0};
    if (needed & FLAG_GROUP_S)
        a = arm_result_operand(translation, uop, d);
    arm_flags_set(translation, FLAG_GROUP_C, carry);
    arm_flags_set(translation, FLAG_GROUP_O, overflow);
    arm_flags_set(translation, FLAG_GROUP_S,
                  (FlagSource){.kind = FLAG_SOURCE_RESULT, .size = 4, .a = a});
    arm_end_operands(translation, uop);
}
