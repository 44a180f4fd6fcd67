/* AArch64 code for arithmetic, shifts and bits. Operands of 1 and 2 bytes lie in the low bits of
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
static unsigned read_dst(ArmTranslation *translation, const Uop *uop) {
    if (!dst_is_memory(uop))
        return arm_read_register(translation, uop->dst, uop->size, ARM_VALUE);
    arm_load(&translation->assembler, uop->size, ARM_VALUE, ARM_HOST, 0);
    return ARM_VALUE;
}

/* Where the result is best computed. */
static unsigned result_register(const Uop *uop) {
    bool whole = !dst_is_memory(uop) && uop->size == 4;
    return whole ? arm_register(uop->dst) : ARM_RESULT;
}

static void write_dst(ArmTranslation *translation, const Uop *uop, unsigned value) {
    if (dst_is_memory(uop))
        arm_store(&translation->assembler, uop->size, value, ARM_HOST, 0);
    else
        arm_write_register(translation, uop->dst, uop->size, value);
}

/* The result as an operand of a flag source, after it was written. */
static FlagOperand result_operand(ArmTranslation *translation, const Uop *uop, unsigned value) {
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

static void keep_flags_of_dst(ArmTranslation *translation, const Uop *uop) {
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
    unsigned n = read_dst(translation, uop);
    unsigned m =
        uop->src_kind == UOPERAND_IMM ? 0 : arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    bool same = uop->src_kind == UOPERAND_REG && !dst_is_memory(uop) && uop->src == uop->dst;
    if (test && !same) {
        emit_logic(translation, uop, ARM_RESULT, n, m);
        FlagOperand a = arm_flags_keep(translation, ARM_RESULT);
        set_source(translation, uop, FLAG_SOURCE_LOGIC, a, (FlagOperand){0});
        return;
    }
    FlagOperand a = result_operand(translation, uop, n);
    FlagOperand b = test ? (FlagOperand){0} : source_operand(translation, uop, m);
    set_source(translation, uop, test ? FLAG_SOURCE_LOGIC : FLAG_SOURCE_COMPARE, a, b);
}

/* add w19, w19, w20 */
static void emit_operation(ArmTranslation *translation, const Uop *uop) {
    bool sum = uop->code == UOP_ADD || uop->code == UOP_SUB;
    bool needed = arm_flags_are_needed(uop);
    unsigned d = result_register(uop);
    unsigned m =
        uop->src_kind == UOPERAND_IMM ? 0 : arm_read_src(translation, uop, uop->size, ARM_SOURCE);
    unsigned n = read_dst(translation, uop);
    FlagOperand b = {0};
    if (sum && needed)
        b = source_operand(translation, uop, m);
    keep_flags_of_dst(translation, uop);
    if (sum)
        emit_sum(translation, uop, d, n, m);
    else
        emit_logic(translation, uop, d, n, m);
    write_dst(translation, uop, d);
    if (!needed) {
        arm_flags_set(translation, uop->flags_written, (FlagSource){0});
        return;
    }
    unsigned kind = uop->code == UOP_ADD   ? FLAG_SOURCE_ADD
                    : uop->code == UOP_SUB ? FLAG_SOURCE_SUBTRACT
                                           : FLAG_SOURCE_LOGIC;
    set_source(translation, uop, kind, result_operand(translation, uop, d), b);
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
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    keep_flags_of_dst(translation, uop);
    arm_sum_imm(assembler, false, decrement ? ARM_SUB : ARM_ADD, d, n, 1);
    write_dst(translation, uop, d);
    FlagOperand a = {0};
    if (arm_flags_are_needed(uop))
        a = result_operand(translation, uop, d);
    set_source(translation, uop, decrement ? FLAG_SOURCE_DECREMENT : FLAG_SOURCE_INCREMENT, a,
               (FlagOperand){0});
    arm_end_operands(translation, uop);
}

/* NEG: neg w19, w19. NOT: mvn w19, w19 */
void arm_emit_negate(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_begin_operands(translation, uop);
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    keep_flags_of_dst(translation, uop);
    if (uop->code == UOP_NEG)
        arm_sum(assembler, false, ARM_SUB, d, ARM_ZERO, n, ARM_LSL, 0);
    else
        arm_logic(assembler, false, ARM_ORR, true, d, ARM_ZERO, n, ARM_LSL, 0);
    write_dst(translation, uop, d);
    if (uop->code == UOP_NEG) {
        FlagOperand a = {0};
        if (arm_flags_are_needed(uop))
            a = result_operand(translation, uop, d);
        set_source(translation, uop, FLAG_SOURCE_NEGATE, a, (FlagOperand){0});
    }
    arm_end_operands(translation, uop);
}

static FlagSource carry_source(FlagOperand a) {
    return (FlagSource){.kind = FLAG_SOURCE_CARRY, .size = 1, .a = a};
}

/* ADC, SBB of 4 bytes: CF to the host's C or its opposite; adcs or sbcs. AF is bit 4 of operands
 * and result. */
void arm_emit_carry_sum(ArmTranslation *translation, const Uop *uop) {
    if (uop->size != 4) {
        arm_emit_portable(translation, uop);
        return;
    }
    ArmAssembler *assembler = &translation->assembler;
    bool subtract = uop->code == UOP_SBB;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    arm_flags_settle(translation, 2); /* B */
    arm_begin_operands(translation, uop);
    bool inverted = arm_flags_carry_to_host(translation);
    if (subtract && !inverted) {
        arm_cset(assembler, ARM_SCRATCH, ARM_CC);
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, 1);
    } else if (!subtract && inverted) {
        arm_cset(assembler, ARM_SCRATCH, ARM_CC);
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, 1);
    }
    unsigned m = arm_read_src(translation, uop, 4, ARM_SOURCE);
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    keep_flags_of_dst(translation, uop);
    if (needed & FLAG_GROUP_S)
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH2, n, m, ARM_LSL, 0);
    arm_sum_carry(assembler, subtract ? ARM_SUBS : ARM_ADDS, d, n, m);
    write_dst(translation, uop, d);
    FlagSource sources[FLAG_GROUP_COUNT] = {{0}};
    if (needed & FLAG_GROUP_C) {
        arm_cset(assembler, ARM_SCRATCH, subtract ? ARM_CC : ARM_CS);
        sources[FLAG_GROUP_INDEX_C] = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_O) {
        arm_cset(assembler, ARM_SCRATCH, ARM_VS);
        sources[FLAG_GROUP_INDEX_O] = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_S) {
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH2, ARM_SCRATCH2, d, ARM_LSL, 0);
        FlagOperand b = arm_flags_keep(translation, ARM_SCRATCH2);
        sources[FLAG_GROUP_INDEX_S] = (FlagSource){.kind = FLAG_SOURCE_RESULT,
                                                   .size = 4,
                                                   .a = result_operand(translation, uop, d),
                                                   .b = b};
    }
    arm_flags_set(translation, FLAG_GROUP_C, sources[FLAG_GROUP_INDEX_C]);
    arm_flags_set(translation, FLAG_GROUP_O, sources[FLAG_GROUP_INDEX_O]);
    arm_flags_set(translation, FLAG_GROUP_S, sources[FLAG_GROUP_INDEX_S]);
    arm_end_operands(translation, uop);
}

/* --- multiplying and dividing --- */

/* S by the low half; C and O if the product does not fit, which ARM_SCRATCH says by 0 or 1. */
static void set_product_flags(ArmTranslation *translation, const Uop *uop, FlagOperand low) {
    uint8_t needed = uop->flags_needed & uop->flags_written;
    FlagSource wide = {0};
    if (needed & (FLAG_GROUP_C | FLAG_GROUP_O))
        wide = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
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
        low = result_operand(translation, uop, ARM_RESULT);
    set_product_flags(translation, uop, low);
    arm_end_operands(translation, uop);
}

/* DIV of 4 bytes; what faults is run alone.
 *     cmp   edx, src
 *     b.hs  step                   ; the quotient does not fit, or src is 0
 *     orr   x8, eax, edx, lsl #32
 *     udiv  x2, x8, src
 *     msub  x21, x2, src, x8       ; EDX
 *     mov   w19, w2 */
void arm_emit_divide(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned eax = arm_register(REG_EAX), edx = arm_register(REG_EDX);
    if (uop->size != 4 || uop->code == UOP_IDIV) {
        arm_emit_portable(translation, uop);
        return;
    }
    arm_begin_operands(translation, uop);
    unsigned m = arm_read_src(translation, uop, 4, ARM_SOURCE);
    if (m != ARM_SOURCE)
        arm_mov(assembler, ARM_SOURCE, m);
    arm_end_operands(translation, uop);
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    arm_sum(assembler, false, ARM_SUBS, ARM_ZERO, edx, ARM_SOURCE, ARM_LSL, 0);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_CS), LEAVE_STEP, site);
    arm_logic(assembler, true, ARM_ORR, false, ARM_RESULT, eax, edx, ARM_LSL, 32);
    arm_divide(assembler, true, false, ARM_VALUE, ARM_RESULT, ARM_SOURCE);
    arm_flags_before_register_write(translation, REG_EAX);
    arm_flags_before_register_write(translation, REG_EDX);
    arm_multiply_add(assembler, true, true, edx, ARM_VALUE, ARM_SOURCE, ARM_RESULT);
    arm_mov(assembler, eax, ARM_VALUE);
}

/* --- shifts --- */

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
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    FlagSource before = {0};
    if (needed & (FLAG_GROUP_C | FLAG_GROUP_O))
        before = (FlagSource){.kind = uop->code == UOP_SHL   ? FLAG_SOURCE_SHL
                                      : uop->code == UOP_SHR ? FLAG_SOURCE_SHR
                                                             : FLAG_SOURCE_SAR,
                              .size = uop->size,
                              .a = arm_flags_keep(translation, n),
                              .b = flag_imm(count)};
    keep_flags_of_dst(translation, uop);
    shift_value(translation, uop, d, n, count);
    write_dst(translation, uop, d);
    FlagOperand a = {0};
    if (needed & FLAG_GROUP_S)
        a = result_operand(translation, uop, d);
    arm_flags_set(translation, FLAG_GROUP_C | FLAG_GROUP_O, before);
    arm_flags_set(translation, FLAG_GROUP_S,
                  (FlagSource){.kind = FLAG_SOURCE_RESULT, .size = uop->size, .a = a});
    arm_end_operands(translation, uop);
}

/* By CL, where nobody looks at the flags: lsl w19, w19, w20 takes the count modulo 32, too. */
static void emit_variable_shift(ArmTranslation *translation, const Uop *uop) {
    static const ArmShift shifts[UOP_COUNT] = {
        [UOP_SHL] = ARM_LSL, [UOP_SHR] = ARM_LSR, [UOP_SAR] = ARM_ASR};
    ArmAssembler *assembler = &translation->assembler;
    arm_begin_operands(translation, uop);
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    keep_flags_of_dst(translation, uop);
    if (uop->size != 4) {
        arm_extract(assembler, uop->code == UOP_SAR, ARM_SCRATCH, n, 0, bits_of(uop));
        n = ARM_SCRATCH;
    }
    arm_shift_register(assembler, false, shifts[uop->code], d, n, arm_register(REG_ECX));
    write_dst(translation, uop, d);
    arm_end_operands(translation, uop);
}

void arm_emit_shift(ArmTranslation *translation, const Uop *uop) {
    if (is_constant_below(uop, bits_of(uop)))
        emit_constant_shift(translation, uop);
    else if (uop->src_kind == UOPERAND_REG && !arm_flags_are_needed(uop))
        emit_variable_shift(translation, uop);
    else
        arm_emit_portable(translation, uop);
}

/* ROL, ROR of 4 bytes by a constant: ror w19, w19, #count. CF is the result's lowest or highest
 * bit, OF the two highest ones' difference (ROR), or CF's and the highest one's. */
void arm_emit_rotate(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool left = uop->code == UOP_ROL;
    uint8_t needed = uop->flags_needed & uop->flags_written;
    unsigned bits = bits_of(uop), count = uop->imm & (bits - 1);
    if (uop->src_kind != UOPERAND_IMM || (uop->imm & 31) == 0 || count == 0) {
        arm_emit_portable(translation, uop);
        return;
    }
    unsigned right = left ? bits - count : count;
    arm_begin_operands(translation, uop);
    unsigned n = read_dst(translation, uop), d = result_register(uop);
    keep_flags_of_dst(translation, uop);
    if (bits == 32) {
        arm_rotate_imm(assembler, d, n, right);
    } else { /* twice beside itself */
        arm_extract(assembler, false, ARM_SCRATCH, n, 0, bits);
        arm_logic(assembler, false, ARM_ORR, false, ARM_SCRATCH, ARM_SCRATCH, ARM_SCRATCH, ARM_LSL,
                  bits);
        arm_shift_imm(assembler, false, ARM_LSR, d, ARM_SCRATCH, right);
    }
    write_dst(translation, uop, d);
    FlagSource carry = {0}, overflow = {0};
    if (needed & FLAG_GROUP_C) {
        arm_extract(assembler, false, ARM_SCRATCH, d, left ? 0 : bits - 1, 1);
        carry = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_O) {
        arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, d, d, ARM_LSR,
                  left ? bits - 1 : 1);
        arm_extract(assembler, false, ARM_SCRATCH, ARM_SCRATCH, left ? 0 : bits - 2, 1);
        overflow = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
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
    unsigned n = read_dst(translation, uop), m = arm_register(uop->src);
    unsigned d = result_register(uop);
    FlagSource carry = {0}, overflow = {0};
    if (needed & FLAG_GROUP_C) {
        arm_extract(assembler, false, ARM_SCRATCH, n, left ? 32 - count : count - 1, 1);
        carry = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (needed & FLAG_GROUP_O)
        arm_extract(assembler, false, ARM_SCRATCH2, n, left ? 32 - count : count - 1, 1);
    keep_flags_of_dst(translation, uop);
    unsigned high = left ? n : m, low = left ? m : n;
    arm_emit(assembler, 0x13800000 | low << 16 | (left ? 32 - count : count) << 10 | high << 5 | d);
    write_dst(translation, uop, d);
    if (needed & FLAG_GROUP_O) { /* the highest bit, and CF or the one below it */
        if (left)
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, ARM_SCRATCH2, d, ARM_LSR, 31);
        else
            arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, d, d, ARM_LSR, 1);
        if (!left)
            arm_shift_imm(assembler, false, ARM_LSR, ARM_SCRATCH, ARM_SCRATCH, 30);
        overflow = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    FlagOperand a = {0};
    if (needed & FLAG_GROUP_S)
        a = result_operand(translation, uop, d);
    arm_flags_set(translation, FLAG_GROUP_C, carry);
    arm_flags_set(translation, FLAG_GROUP_O, overflow);
    arm_flags_set(translation, FLAG_GROUP_S,
                  (FlagSource){.kind = FLAG_SOURCE_RESULT, .size = 4, .a = a});
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
    unsigned n = read_dst(translation, uop), d = result_register(uop), index = ARM_SOURCE;
    if (uop->src_kind == UOPERAND_IMM)
        arm_mov_imm(assembler, ARM_SOURCE, uop->imm & (bits - 1));
    else
        arm_logic_imm(assembler, ARM_AND, ARM_SOURCE, arm_register(uop->src), bits - 1);
    FlagSource carry = {0};
    if (arm_flags_are_needed(uop)) {
        arm_shift_register(assembler, false, ARM_LSR, ARM_SCRATCH, n, index);
        arm_logic_imm(assembler, ARM_AND, ARM_SCRATCH, ARM_SCRATCH, 1);
        carry = carry_source(arm_flags_keep(translation, ARM_SCRATCH));
    }
    if (uop->code != UOP_BT) {
        keep_flags_of_dst(translation, uop);
        arm_mov_imm(assembler, ARM_SCRATCH, 1);
        arm_shift_register(assembler, false, ARM_LSL, ARM_SCRATCH, ARM_SCRATCH, index);
        arm_logic(assembler, false, operations[uop->code], uop->code == UOP_BTR, d, n, ARM_SCRATCH,
                  ARM_LSL, 0);
        write_dst(translation, uop, d);
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
