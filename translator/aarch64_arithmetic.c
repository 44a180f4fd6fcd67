/* AArch64 code for sums, logic and bits. Operands of 1 and 2 bytes lie in the low bits of
 * registers; above them is anything. Above each emitter stands what it emits for 4 bytes. */
#include "aarch64_internal.h"

static bool dst_is_memory(const Uop *uop) {
    return uop->dst_kind == UOPERAND_MEM;
}

static bool writes_dst(const Uop *uop) {
    return (uop_info[uop->code].traits & UOP_WRITES_DST) != 0;
}

static unsigned bits_of(const Uop *uop) {
    return 8u * uop->size;
}

/* The first operand's value; memory is loaded into ARM_VALUE. */
unsigned arm_read_dst(ArmTranslation *translation, const Uop *uop) {
    if (!dst_is_memory(uop))
        return arm_read_register(translation, uop->dst, uop->size, ARM_VALUE);
    arm_load_memory(translation, uop->size, ARM_VALUE, 0);
    return ARM_VALUE;
}

/* Where the result is best computed. */
unsigned arm_result_register(const Uop *uop) {
    bool whole = !dst_is_memory(uop) && uop->size == 4;
    return whole ? arm_register(uop->dst) : ARM_RESULT;
}

void arm_write_dst(ArmTranslation *translation, const Uop *uop, unsigned value) {
    if (dst_is_memory(uop))
        arm_store_memory(translation, uop->size, value, 0);
    else
        arm_write_register(translation, uop->dst, uop->size, value);
}

/* The result as an operand of a flag source, after it was written. */
FlagOperand arm_result_operand(ArmTranslation *translation, const Uop *uop, unsigned value) {
    if (!dst_is_memory(uop) && uop->dst < UREG_T0)
        return flag_register(uop->dst);
    return arm_flags_keep(translation, value);
}

static bool shares_register(const Uop *uop) {
    if (uop->src_kind != UOPERAND_REG || dst_is_memory(uop) || !writes_dst(uop))
        return false;
    return arm_register(uop->src) == arm_register(uop->dst);
}

/* The second operand as one of a flag source; before the result is written. */
static FlagOperand source_operand(ArmTranslation *translation, const Uop *uop, unsigned value) {
    if (uop->src_kind == UOPERAND_IMM)
        return flag_imm(uop->imm);
    if (uop->src_kind == UOPERAND_REG && uop->src < UREG_T0 && !shares_register(uop))
        return flag_register(uop->src);
    return arm_flags_keep(translation, value);
}

void arm_keep_flags_of_dst(ArmTranslation *translation, const Uop *uop) {
    if (!dst_is_memory(uop) && writes_dst(uop))
        arm_flags_before_register_write(translation, uop->dst);
}

static void set_source(ArmTranslation *translation, const Uop *uop, unsigned kind, FlagOperand a,
                       FlagOperand b) {
    arm_flags_set(translation, uop->flags_written,
                  (FlagSource){.kind = (uint8_t)kind, .size = uop->size, .a = a, .b = b});
}

/* --- sums and logic --- */

static void emit_sum(ArmTranslation *translation, const Uop *uop, unsigned d, unsigned n,
                     unsigned m) {
    ArmAssembler *assembler = &translation->assembler;
    ArmSum operation = uop->code == UOP_ADD ? ARM_ADD : ARM_SUB;
    if (uop->src_kind == UOPERAND_IMM)
        arm_sum_imm(assembler, false, operation, d, n, uop->imm);
    else
        arm_sum(assembler, false, operation, d, n, m, ARM_LSL, 0);
}

static void emit_logic(ArmTranslation *translation, const Uop *uop, unsigned d, unsigned n,
                       unsigned m) {
    ArmAssembler *assembler = &translation->assembler;
    ArmLogic operation = uop->code == UOP_OR ? ARM_ORR : uop->code == UOP_XOR ? ARM_EOR : ARM_AND;
    bool same = uop->src_kind == UOPERAND_REG && !dst_is_memory(uop) && uop->src == uop->dst;
    if (uop->src_kind == UOPERAND_IMM)
        arm_logic_imm(assembler, operation, d, n, uop->imm);
    else if (same && uop->code == UOP_XOR)
        arm_mov_imm(assembler, d, 0);
    else if (!same)
        arm_logic(assembler, false, operation, false, d, n, m, ARM_LSL, 0);
    else if (d != n)
        arm_mov(assembler, d, n);
}

/* CMP and TEST: what keeps the operands.
 *     [ldr  w2, [x1]; mov w9, w2]
 * TEST of different operands: and w9, dst, src */
static void emit_compare(ArmTranslation *translation, const Uop *uop) {
    bool needed = arm_flags_are_needed(uop), test = uop->code == UOP_TEST;
    if (!needed)
        return;
    unsigned n = arm_read_dst(translation, uop);
    unsigned m =
        uop->src_kind == UOPERAND_IMM ? 0 : arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    bool same = uop->src_kind == UOPERAND_REG && !dst_is_memory(uop) && uop->src == uop->dst;
    if (test && !same) {
        emit_logic(translation, uop, ARM_RESULT, n, m);
        FlagOperand a = arm_flags_keep(translation, ARM_RESULT);
        set_source(translation, uop, FLAG_SOURCE_LOGIC, a, (FlagOperand){0});
        return;
    }
    FlagOperand a = arm_result_operand(translation, uop, n);
    FlagOperand b = test ? (FlagOperand){0} : source_operand(translation, uop, m);
    set_source(translation, uop, test ? FLAG_SOURCE_LOGIC : FLAG_SOURCE_COMPARE, a, b);
}

/* add w19, w19, w20 */
static void emit_operation(ArmTranslation *translation, const Uop *uop) {
    bool sum = uop->code == UOP_ADD || uop->code == UOP_SUB;
    bool needed = arm_flags_are_needed(uop);
    unsigned d = arm_result_register(uop);
    unsigned m =
        uop->src_kind == UOPERAND_IMM ? 0 : arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    unsigned n = arm_read_dst(translation, uop);
    FlagOperand b = {0};
    if (sum && needed)
        b = source_operand(translation, uop, m);
    arm_keep_flags_of_dst(translation, uop);
    if (sum)
        emit_sum(translation, uop, d, n, m);
    else
        emit_logic(translation, uop, d, n, m);
    arm_write_dst(translation, uop, d);
    if (!needed) {
        arm_flags_set(translation, uop->flags_written, (FlagSource){0});
        return;
    }
    unsigned kind = uop->code == UOP_ADD   ? FLAG_SOURCE_ADD
                    : uop->code == UOP_SUB ? FLAG_SOURCE_SUBTRACT
                                           : FLAG_SOURCE_LOGIC;
    set_source(translation, uop, kind, arm_result_operand(translation, uop, d), b);
}

void arm_emit_alu(ArmTranslation *translation, const Uop *uop) {
    arm_begin_operands(translation, uop);
    if (writes_dst(uop))
        emit_operation(translation, uop);
    else
        emit_compare(translation, uop);
    if (!writes_dst(uop) && !arm_flags_are_needed(uop))
        arm_flags_set(translation, uop->flags_written, (FlagSource){0});
    arm_end_operands(translation, uop);
}

/* INC, DEC: add w19, w19, #1. CF keeps its source. */
void arm_emit_step_by_one(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool decrement = uop->code == UOP_DEC;
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    arm_keep_flags_of_dst(translation, uop);
    arm_sum_imm(assembler, false, decrement ? ARM_SUB : ARM_ADD, d, n, 1);
    arm_write_dst(translation, uop, d);
    FlagOperand a = {0};
    if (arm_flags_are_needed(uop))
        a = arm_result_operand(translation, uop, d);
    set_source(translation, uop, decrement ? FLAG_SOURCE_DECREMENT : FLAG_SOURCE_INCREMENT, a,
               (FlagOperand){0});
    arm_end_operands(translation, uop);
}

/* NEG: neg w19, w19. NOT: mvn w19, w19 */
void arm_emit_negate(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    arm_keep_flags_of_dst(translation, uop);
    if (uop->code == UOP_NEG)
        arm_sum(assembler, false, ARM_SUB, d, ARM_ZERO, n, ARM_LSL, 0);
    else
        arm_logic(assembler, false, ARM_ORR, true, d, ARM_ZERO, n, ARM_LSL, 0);
    arm_write_dst(translation, uop, d);
    if (uop->code == UOP_NEG) {
        FlagOperand a = {0};
        if (arm_flags_are_needed(uop))
            a = arm_result_operand(translation, uop, d);
        set_source(translation, uop, FLAG_SOURCE_NEGATE, a, (FlagOperand){0});
    }
    arm_end_operands(translation, uop);
}

/* adcs or sbcs; narrow operands at the top of the register, with ones below that of a sum, so that
 * the carry runs through: ARM_SCRATCH is shifted down then. */
static void emit_sum_with_carry(ArmTranslation *translation, const Uop *uop, unsigned d, unsigned n,
                                unsigned m) {
    ArmAssembler *assembler = &translation->assembler;
    bool subtract = uop->code == UOP_SBB;
    ArmSum operation = subtract ? ARM_SUBS : ARM_ADDS;
    unsigned unused = 32 - bits_of(uop);
    if (unused == 0) {
        arm_sum_carry(assembler, operation, d, n, m);
        return;
    }
    arm_shift_imm(assembler, false, ARM_LSL, ARM_SCRATCH, m, unused);
    if (!subtract)
        arm_logic_imm(assembler, ARM_ORR, ARM_SCRATCH, ARM_SCRATCH, (1u << unused) - 1);
    arm_shift_imm(assembler, false, ARM_LSL, ARM_RESULT, n, unused);
    arm_sum_carry(assembler, operation, ARM_RESULT, ARM_RESULT, ARM_SCRATCH);
    arm_shift_imm(assembler, false, ARM_LSR, d, ARM_RESULT, unused);
}

/* ADC, SBB: CF to the host's C or its opposite; adcs or sbcs. AF is bit 4 of operands and
 * result. */
void arm_emit_carry_sum(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool subtract = uop->code == UOP_SBB;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    arm_flags_settle(translation, 2); /* B */
    arm_begin_operands(translation, uop);
    arm_flags_carry_to_host(translation, subtract);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop);
    arm_keep_flags_of_dst(translation, uop);
    if (needed & FLAG_GROUP_S)
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH2, n, m, ARM_LSL, 0);
    emit_sum_with_carry(translation, uop, d, n, m);
    arm_write_dst(translation, uop, d);
    FlagSource sources[FLAG_GROUP_COUNT] = {{0}};
    if (needed & FLAG_GROUP_C)
        sources[FLAG_GROUP_INDEX_C] =
            arm_carry_source(arm_flags_keep_condition(translation, subtract ? ARM_CC : ARM_CS));
    if (needed & FLAG_GROUP_O)
        sources[FLAG_GROUP_INDEX_O] =
            arm_carry_source(arm_flags_keep_condition(translation, ARM_VS));
    if (needed & FLAG_GROUP_S) {
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH2, ARM_SCRATCH2, d, ARM_LSL, 0);
        FlagOperand b = arm_flags_keep(translation, ARM_SCRATCH2);
        sources[FLAG_GROUP_INDEX_S] = (FlagSource){.kind = FLAG_SOURCE_RESULT,
                                                   .size = uop->size,
                                                   .a = arm_result_operand(translation, uop, d),
                                                   .b = b};
    }
    arm_flags_set(translation, FLAG_GROUP_C, sources[FLAG_GROUP_INDEX_C]);
    arm_flags_set(translation, FLAG_GROUP_O, sources[FLAG_GROUP_INDEX_O]);
    arm_flags_set(translation, FLAG_GROUP_S, sources[FLAG_GROUP_INDEX_S]);
    arm_end_operands(translation, uop);
}

/* --- bits --- */

/* BT to BTC: lsr w15, dst, index; CF is its lowest bit. */
void arm_emit_bit_test(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    static const ArmLogic operations[UOP_COUNT] = {
        [UOP_BTS] = ARM_ORR, [UOP_BTR] = ARM_AND, [UOP_BTC] = ARM_EOR};
    unsigned bits = bits_of(uop);
    arm_begin_operands(translation, uop);
    unsigned n = arm_read_dst(translation, uop), d = arm_result_register(uop), index = ARM_SOURCE;
    if (uop->src_kind == UOPERAND_IMM)
        arm_mov_imm(assembler, ARM_SOURCE, uop->imm & (bits - 1));
    else
        arm_logic_imm(assembler, ARM_AND, ARM_SOURCE, arm_register(uop->src), bits - 1);
    FlagSource carry = {0};
    if (arm_flags_are_needed(uop)) {
        arm_shift_register(assembler, false, ARM_LSR, ARM_SCRATCH, n, index);
        arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_SCRATCH, 1);
        carry = arm_carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (uop->code != UOP_BT) {
        arm_keep_flags_of_dst(translation, uop);
        arm_mov_imm(assembler, ARM_SCRATCH, 1);
        arm_shift_register(assembler, false, ARM_LSL, ARM_SCRATCH, ARM_SCRATCH, index);
        arm_logic(assembler, false, operations[uop->code], uop->code == UOP_BTR, d, n, ARM_SCRATCH,
                  ARM_LSL, 0);
        arm_write_dst(translation, uop, d);
    }
    arm_flags_set(translation, FLAG_GROUP_C, carry);
    arm_end_operands(translation, uop);
}

/* BSF, BSR: of 0 nothing is written, and ZF and PF are set.
 *     rbit  w15, src               ; BSF
 *     clz   w15, w15               ; 32 if there is none
 *     [eor  w15, w15, #31]         ; BSR
 *     cmp   src, #0
 *     csel  w19, w19, w15, eq */
void arm_emit_bit_scan(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool forward = uop->code == UOP_BSF;
    arm_begin_operands(translation, uop);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    arm_extract(assembler, false, ARM_SOURCE, m, 0, bits_of(uop));
    if (forward)
        arm_reverse_bits(assembler, ARM_RESULT, ARM_SOURCE);
    arm_count_zeros(assembler, ARM_RESULT, forward ? ARM_RESULT : ARM_SOURCE);
    if (!forward)
        arm_logic_imm(assembler, ARM_EOR, ARM_RESULT, ARM_RESULT, 31);
    arm_flags_before_register_write(translation, uop->dst);
    arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SOURCE, 0);
    arm_csel(assembler, ARM_RESULT, arm_register(uop->dst), ARM_RESULT, ARM_EQ);
    arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
    FlagOperand a = {0};
    if (arm_flags_are_needed(uop))
        a = arm_flags_keep(translation, ARM_SOURCE);
    set_source(translation, uop, forward ? FLAG_SOURCE_BIT_SCAN : FLAG_SOURCE_BIT_SCAN_REVERSE, a,
               (FlagOperand){0});
    arm_end_operands(translation, uop);
}
