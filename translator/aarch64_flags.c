/* Keeping track of the guest's flags while AArch64 code is emitted.
 *
 * Each group has a source all the time: the operands from which it can be computed (flag_state.h),
 * in guest registers, in one of four kept registers, or in memory. A CMP emits nothing but what
 * keeps its operands; the branch that reads its flags compares. Of a sum, a branch on zero or sign
 * looks at the result itself. */
#include "aarch64_internal.h"
#include <string.h>

enum { ROOM = 4, SLOTS = 4 };

static const uint8_t group_bit[FLAG_GROUP_COUNT] = {FLAG_GROUP_C, FLAG_GROUP_O, FLAG_GROUP_S};

uint8_t arm_flags_wanted_before(const ArmTranslation *translation) {
    const Uop *uop = translation->uop;
    uint8_t replaced = uop->may_keep_flags ? 0 : uop->flags_written;
    return (uop->flags_needed & (uint8_t)~replaced) | uop->flags_read;
}

/* --- places --- */

static void mark_place(const FlagOperand *operand, unsigned *kept, unsigned *slots) {
    if (operand->kind == FLAG_OPERAND_KEPT)
        *kept |= 1u << operand->number;
    if (operand->kind == FLAG_OPERAND_SLOT)
        *slots |= 1u << operand->number;
}

static void find_places(const ArmTranslation *translation, unsigned *kept, unsigned *slots) {
    *kept = *slots = 0;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        mark_place(&translation->flags.source[g].a, kept, slots);
        mark_place(&translation->flags.source[g].b, kept, slots);
    }
}

/* Sources of groups that the present micro-op replaces, or that nobody wants, hold no places. */
static void forget_unwanted(ArmTranslation *translation) {
    uint8_t wanted = arm_flags_wanted_before(translation) | translation->uop->flags_needed;
    uint8_t replaced = translation->uop->may_keep_flags ? 0 : translation->uop->flags_written;
    wanted = (uint8_t)((wanted & ~replaced) | translation->uop->flags_read);
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if (!(wanted & group_bit[g]))
            memset(&translation->flags.source[g], 0, sizeof(FlagSource));
}

void arm_flags_make_room(ArmTranslation *translation) {
    unsigned kept, slots;
    if (!uop_has_memory(translation->uop) &&
        !(uop_info[translation->uop->code].traits & (UOP_EXITS | UOP_CALLS)))
        forget_unwanted(translation);
    find_places(translation, &kept, &slots);
    unsigned used = (unsigned)(__builtin_popcount(kept) + __builtin_popcount(slots));
    if (ARM_KEPT_COUNT + SLOTS - used < ROOM)
        arm_flags_to_memory(translation);
}

FlagOperand arm_flags_keep(ArmTranslation *translation, unsigned reg) {
    unsigned kept, slots;
    find_places(translation, &kept, &slots);
    kept |= translation->places_taken;
    for (unsigned i = 0; i < ARM_KEPT_COUNT; i++) {
        unsigned number = arm_kept_numbers[i];
        if (!(kept >> number & 1)) {
            arm_mov(&translation->assembler, ARM_KEPT + number, reg);
            translation->places_taken |= 1u << number;
            return (FlagOperand){.kind = FLAG_OPERAND_KEPT, .number = (uint8_t)number};
        }
    }
    slots |= translation->places_taken >> 16;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (!(slots >> slot & 1)) {
            arm_store_cpu(translation, 4, reg, CPU_OFFSET(flag_slot[0]) + 4 * (int32_t)slot);
            translation->places_taken |= 1u << (16 + slot);
            return (FlagOperand){.kind = FLAG_OPERAND_SLOT, .number = (uint8_t)slot};
        }
    translation->failed = true; /* no emitter keeps so many: see arm_flags_make_room() */
    return (FlagOperand){0};
}

FlagOperand arm_flags_keep_condition(ArmTranslation *translation, ArmCondition condition) {
    unsigned kept, slots;
    find_places(translation, &kept, &slots);
    kept |= translation->places_taken;
    for (unsigned i = 0; i < ARM_KEPT_COUNT; i++) {
        unsigned number = arm_kept_numbers[i];
        if (kept >> number & 1)
            continue;
        arm_cset(&translation->assembler, ARM_KEPT + number, condition);
        translation->places_taken |= 1u << number;
        return (FlagOperand){.kind = FLAG_OPERAND_KEPT, .number = (uint8_t)number};
    }
    arm_cset(&translation->assembler, ARM_SCRATCH, condition);
    return arm_flags_keep(translation, ARM_SCRATCH);
}

static bool needs(const FlagOperand *operand, unsigned gpr) {
    return flag_operand_is_register(operand, gpr);
}

void arm_flags_before_register_write(ArmTranslation *translation, unsigned ureg) {
    if (ureg >= UREG_T0)
        return;
    unsigned gpr = ureg >= UREG_AH ? ureg - UREG_AH : ureg;
    uint8_t wanted = arm_flags_wanted_before(translation);
    FlagOperand whole = {0}, high = {0};
    for (unsigned i = 0; i < 2 * FLAG_GROUP_COUNT; i++) {
        FlagSource *source = &translation->flags.source[i / 2];
        FlagOperand *operand = i % 2 == 0 ? &source->a : &source->b;
        if (!needs(operand, gpr))
            continue;
        if (!(wanted & group_bit[i / 2])) {
            memset(source, 0, sizeof(*source));
            continue;
        }
        FlagOperand *kept = operand->number >= UREG_AH ? &high : &whole;
        if (kept->kind == FLAG_OPERAND_NONE && kept == &high) {
            arm_extract(&translation->assembler, false, ARM_SCRATCH, ARM_GUEST + gpr, 8, 8);
            *kept = arm_flags_keep(translation, ARM_SCRATCH);
        } else if (kept->kind == FLAG_OPERAND_NONE) {
            *kept = arm_flags_keep(translation, ARM_GUEST + gpr);
        }
        *operand = *kept;
    }
}

void arm_flags_set(ArmTranslation *translation, uint8_t groups, FlagSource source) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        if (!(groups & group_bit[g]))
            continue;
        if (translation->uop->flags_needed & group_bit[g])
            translation->flags.source[g] = source;
        else
            memset(&translation->flags.source[g], 0, sizeof(FlagSource));
    }
}

void arm_flags_are_in_memory(ArmTranslation *translation) {
    memset(&translation->flags, 0, sizeof(translation->flags));
}

uint32_t arm_flags_number(ArmTranslation *translation) {
    uint32_t number = flag_state_number(translation->backend->flag_states, &translation->flags);
    if (number == FLAG_STATE_COUNT) {
        translation->failed = true;
        return 0;
    }
    return number;
}

/* --- reading --- */

/* The register that has the operand, maybe 'scratch'. Bits above its size are whatever they are. */
static unsigned load_operand(ArmTranslation *translation, const FlagOperand *operand,
                             unsigned scratch) {
    ArmAssembler *assembler = &translation->assembler;
    switch (operand->kind) {
    case FLAG_OPERAND_REGISTER:
        if (!arm_is_high_byte(operand->number))
            return arm_register(operand->number);
        arm_extract(assembler, false, scratch, arm_register(operand->number), 8, 8);
        return scratch;
    case FLAG_OPERAND_KEPT:
        return ARM_KEPT + operand->number;
    case FLAG_OPERAND_SLOT:
        arm_load_cpu(translation, 4, scratch,
                     CPU_OFFSET(flag_slot[0]) + 4 * (int32_t)operand->number);
        return scratch;
    default:
        arm_mov_imm(assembler, scratch, operand->value);
        return scratch;
    }
}

static bool is_imm(const FlagOperand *operand) {
    return operand->kind == FLAG_OPERAND_IMM;
}

/* Sums and differences whose host flags are those of the guest. */
static bool sets_host_flags(const FlagSource *source) {
    switch (source->kind) {
    case FLAG_SOURCE_COMPARE:
    case FLAG_SOURCE_ADD:
    case FLAG_SOURCE_SUBTRACT:
    case FLAG_SOURCE_LOGIC:
    case FLAG_SOURCE_RESULT:
    case FLAG_SOURCE_INCREMENT:
    case FLAG_SOURCE_DECREMENT:
    case FLAG_SOURCE_NEGATE:
        return true;
    default:
        return false;
    }
}

/* x op b, both moved to the top of the register; x may be ARM_SCRATCH. */
static void compare_at_top(ArmTranslation *translation, const FlagSource *source, ArmSum operation,
                           unsigned x, const FlagOperand *operand) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned shift = 32 - 8 * source->size;
    if (shift != 0) {
        arm_shift_imm(assembler, false, ARM_LSL, ARM_SCRATCH, x, shift);
        x = ARM_SCRATCH;
    }
    if (is_imm(operand)) {
        arm_sum_imm(assembler, false, operation, ARM_ZERO, x, operand->value << shift);
    } else {
        unsigned y = load_operand(translation, operand, ARM_SCRATCH2);
        arm_sum(assembler, false, operation, ARM_ZERO, x, y, ARM_LSL, shift);
    }
}

/* The first operand again, from the result and the second: ARM_SCRATCH. */
static void undo(ArmTranslation *translation, const FlagSource *source, ArmSum operation,
                 const FlagOperand *second) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned result = load_operand(translation, &source->a, ARM_SCRATCH);
    if (is_imm(second))
        arm_sum_imm(assembler, false, operation, ARM_SCRATCH, result, second->value);
    else
        arm_sum(assembler, false, operation, ARM_SCRATCH, result,
                load_operand(translation, second, ARM_SCRATCH2), ARM_LSL, 0);
}

/* N, Z, V as SF, ZF, OF; C as CF or, if true is given back, the opposite. */
static bool to_host_flags(ArmTranslation *translation, const FlagSource *source) {
    ArmAssembler *assembler = &translation->assembler;
    const FlagOperand one = flag_imm(1);
    switch (source->kind) {
    case FLAG_SOURCE_COMPARE:
        compare_at_top(translation, source, ARM_SUBS,
                       load_operand(translation, &source->a, ARM_SCRATCH), &source->b);
        return true;
    case FLAG_SOURCE_SUBTRACT:
        undo(translation, source, ARM_ADD, &source->b);
        compare_at_top(translation, source, ARM_SUBS, ARM_SCRATCH, &source->b);
        return true;
    case FLAG_SOURCE_ADD:
        undo(translation, source, ARM_SUB, &source->b);
        compare_at_top(translation, source, ARM_ADDS, ARM_SCRATCH, &source->b);
        return false;
    case FLAG_SOURCE_INCREMENT:
        undo(translation, source, ARM_SUB, &one);
        compare_at_top(translation, source, ARM_ADDS, ARM_SCRATCH, &one);
        return false;
    case FLAG_SOURCE_DECREMENT:
        undo(translation, source, ARM_ADD, &one);
        compare_at_top(translation, source, ARM_SUBS, ARM_SCRATCH, &one);
        return true;
    case FLAG_SOURCE_NEGATE: {
        unsigned result = load_operand(translation, &source->a, ARM_SCRATCH);
        arm_sum(assembler, false, ARM_SUB, ARM_SCRATCH, ARM_ZERO, result, ARM_LSL, 0);
        arm_sum(assembler, false, ARM_SUBS, ARM_ZERO, ARM_ZERO, ARM_SCRATCH, ARM_LSL,
                32 - 8u * source->size);
        return true;
    }
    default: { /* LOGIC, RESULT: C and V are clear */
        unsigned result = load_operand(translation, &source->a, ARM_SCRATCH);
        unsigned shift = 32 - 8u * source->size;
        if (shift != 0) {
            arm_shift_imm(assembler, false, ARM_LSL, ARM_SCRATCH, result, shift);
            result = ARM_SCRATCH;
        }
        arm_logic(assembler, false, ARM_ANDS, false, ARM_ZERO, result, result, ARM_LSL, 0);
        return false;
    }
    }
}

static ArmTest test_flags(ArmCondition condition) {
    return (ArmTest){.kind = ARM_TEST_FLAGS, .condition = (uint8_t)condition};
}
static ArmTest test_bit(unsigned reg, unsigned bit) {
    return (ArmTest){.kind = ARM_TEST_BIT, .reg = (uint8_t)reg, .bit = (uint8_t)bit};
}
static ArmTest test_zero(unsigned reg) {
    return (ArmTest){.kind = ARM_TEST_ZERO, .reg = (uint8_t)reg};
}

/* One flag of an image, as LAHF and SETO left it. */
static ArmTest test_image(ArmTranslation *translation, unsigned bit, unsigned scratch) {
    arm_load_cpu(translation, 2, scratch, CPU_OFFSET(state.flags_image));
    return test_bit(scratch, bit);
}

/* By a count in a register, which is not 0 modulo 32. */
static bool is_variable_shift(const FlagSource *source) {
    return source->b.kind != FLAG_OPERAND_IMM &&
           (source->kind == FLAG_SOURCE_SHL || source->kind == FLAG_SOURCE_SHR ||
            source->kind == FLAG_SOURCE_SAR);
}

/* CF of 4 bytes: the bit that left last. */
static ArmTest test_variable_shift(ArmTranslation *translation, const FlagSource *source,
                                   unsigned scratch) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned count = load_operand(translation, &source->b, ARM_SCRATCH2);
    if (source->kind == FLAG_SOURCE_SHL)
        arm_sum(assembler, false, ARM_SUB, ARM_SCRATCH2, ARM_ZERO, count, ARM_LSL, 0);
    else
        arm_sum_imm(assembler, false, ARM_SUB, ARM_SCRATCH2, count, 1);
    unsigned value = load_operand(translation, &source->a, scratch);
    arm_shift_register(assembler, false, ARM_LSR, scratch, value, ARM_SCRATCH2);
    return test_bit(scratch, 0);
}

static bool shift_kind(const FlagSource *source) {
    return source->kind == FLAG_SOURCE_SHL || source->kind == FLAG_SOURCE_SHR ||
           source->kind == FLAG_SOURCE_SAR;
}

/* CF or OF of a shift by a constant that is less than the operand's bits. */
static ArmTest test_shift(ArmTranslation *translation, const FlagSource *source, bool overflow,
                          unsigned scratch) {
    unsigned bits = 8u * source->size, count = source->b.value;
    unsigned value = load_operand(translation, &source->a, scratch);
    if (!overflow)
        return test_bit(value, source->kind == FLAG_SOURCE_SHL ? bits - count : count - 1);
    if (source->kind == FLAG_SOURCE_SHR && count == 1)
        return test_bit(value, bits - 1);
    if (source->kind != FLAG_SOURCE_SHL) {
        arm_mov_imm(&translation->assembler, scratch, 0);
        return test_bit(scratch, 0);
    }
    arm_logic(&translation->assembler, false, ARM_EOR, false, scratch, value, value, ARM_LSR, 1);
    return test_bit(scratch, bits - 1 - count);
}

/* CF or OF. */
static ArmTest test_carry_or_overflow(ArmTranslation *translation, bool overflow,
                                      unsigned scratch) {
    const FlagSource *source =
        &translation->flags.source[overflow ? FLAG_GROUP_INDEX_O : FLAG_GROUP_INDEX_C];
    if (source->kind == FLAG_SOURCE_IMAGE)
        return test_image(translation, overflow ? 0 : 8, scratch);
    if (source->kind == FLAG_SOURCE_CARRY)
        return test_bit(load_operand(translation, &source->a, scratch), 0);
    if (is_variable_shift(source))
        return test_variable_shift(translation, source, scratch);
    if (shift_kind(source))
        return test_shift(translation, source, overflow, scratch);
    bool inverted = to_host_flags(translation, source);
    return test_flags(overflow ? ARM_VS : inverted ? ARM_CC : ARM_CS);
}

static ArmTest test_zero_flag(ArmTranslation *translation, unsigned scratch) {
    const FlagSource *source = &translation->flags.source[FLAG_GROUP_INDEX_S];
    ArmAssembler *assembler = &translation->assembler;
    if (source->kind == FLAG_SOURCE_IMAGE)
        return test_image(translation, 14, scratch);
    if (source->kind == FLAG_SOURCE_COMPARE) {
        bool byte = source->size < 4 && is_imm(&source->b);
        if (source->size == 4 && is_imm(&source->b) && source->b.value == 0)
            return test_zero(load_operand(translation, &source->a, scratch));
        if (!byte) {
            to_host_flags(translation, source);
            return test_flags(ARM_EQ);
        }
        unsigned bits = 8u * source->size, a = load_operand(translation, &source->a, ARM_SCRATCH);
        arm_extract(assembler, false, ARM_SCRATCH, a, 0, bits);
        uint32_t value = source->b.value & (uint32_t)(bits == 8 ? 0xFF : 0xFFFF);
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, value);
        return test_flags(ARM_EQ);
    }
    unsigned result = load_operand(translation, &source->a, scratch);
    if (source->size == 4)
        return test_zero(result);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, result, source->size == 1 ? 0xFF : 0xFFFF);
    return test_flags(ARM_EQ);
}

static ArmTest test_sign(ArmTranslation *translation, unsigned scratch) {
    const FlagSource *source = &translation->flags.source[FLAG_GROUP_INDEX_S];
    if (source->kind == FLAG_SOURCE_IMAGE)
        return test_image(translation, 15, scratch);
    if (source->kind == FLAG_SOURCE_COMPARE) {
        to_host_flags(translation, source);
        return test_flags(ARM_MI);
    }
    return test_bit(load_operand(translation, &source->a, scratch), 8u * source->size - 1);
}

/* PF is set if the low byte of the result has an even number of bits. */
static ArmTest test_parity(ArmTranslation *translation, unsigned scratch) {
    const FlagSource *source = &translation->flags.source[FLAG_GROUP_INDEX_S];
    ArmAssembler *assembler = &translation->assembler;
    if (source->kind == FLAG_SOURCE_IMAGE)
        return test_image(translation, 10, scratch);
    unsigned value = load_operand(translation, &source->a, scratch);
    if (source->kind == FLAG_SOURCE_COMPARE) {
        if (is_imm(&source->b))
            arm_sum_imm(assembler, false, ARM_SUB, scratch, value, source->b.value);
        else
            arm_sum(assembler, false, ARM_SUB, scratch, value,
                    load_operand(translation, &source->b, ARM_SCRATCH2), ARM_LSL, 0);
        value = scratch;
    }
    for (unsigned shift = 4; shift != 0; shift /= 2, value = scratch)
        arm_logic(assembler, false, ARM_EOR, false, scratch, value, value, ARM_LSR, shift);
    ArmTest test = test_bit(scratch, 0);
    test.inverted = true;
    return test;
}

static ArmTest opposite(ArmTest test) {
    if (test.kind == ARM_TEST_FLAGS)
        test.condition ^= 1;
    else
        test.inverted = !test.inverted;
    return test;
}

void arm_test_set(ArmTranslation *translation, ArmTest test, unsigned d) {
    ArmAssembler *assembler = &translation->assembler;
    if (test.kind == ARM_TEST_BIT) {
        arm_extract(assembler, false, d, test.reg, test.bit, 1);
        if (test.inverted)
            arm_logic_imm(assembler, ARM_EOR, d, d, 1);
        return;
    }
    ArmCondition condition = test.condition;
    if (test.kind == ARM_TEST_ZERO) {
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, test.reg, 0);
        condition = test.inverted ? ARM_NE : ARM_EQ;
    }
    arm_cset(assembler, d, condition);
}

uint8_t *arm_test_branch(ArmTranslation *translation, ArmTest test) {
    enum { NEAR_UOPS = 64 }; /* TBZ reaches 32 KB */
    ArmAssembler *assembler = &translation->assembler;
    if (test.kind == ARM_TEST_ZERO)
        return arm_branch_zero(assembler, false, test.inverted, test.reg);
    if (test.kind == ARM_TEST_FLAGS)
        return arm_branch_if(assembler, test.condition);
    if (translation->lifted->uop_count <= NEAR_UOPS)
        return arm_branch_bit(assembler, !test.inverted, test.reg, test.bit);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, test.reg, 1u << test.bit);
    return arm_branch_if(assembler, test.inverted ? ARM_EQ : ARM_NE);
}

static bool same_source(const ArmTranslation *translation, uint8_t groups,
                        const FlagSource **source) {
    *source = NULL;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        if (!(groups & group_bit[g]))
            continue;
        if (*source != NULL && memcmp(*source, &translation->flags.source[g], sizeof(**source)))
            return false;
        *source = &translation->flags.source[g];
    }
    return true;
}

/* Two flags at once from the host's; false: not from this source. */
static bool test_at_once(ArmTranslation *translation, unsigned condition, ArmTest *test) {
    const FlagSource *source;
    if (!same_source(translation, uop_condition_groups(condition), &source) ||
        !sets_host_flags(source) || source->kind == FLAG_SOURCE_RESULT)
        return false;
    unsigned pair = condition >> 1;
    if (pair == 3) { /* CF or ZF */
        if (source->kind == FLAG_SOURCE_LOGIC) {
            *test = test_zero_flag(translation, ARM_SCRATCH);
            return true;
        }
        if (source->kind == FLAG_SOURCE_ADD)
            return false;
    }
    to_host_flags(translation, source);
    *test = test_flags(pair == 3 ? ARM_LS : pair == 6 ? ARM_LT : ARM_LE);
    return true;
}

/* By single bits: BE, L and LE. */
static ArmTest test_by_bits(ArmTranslation *translation, unsigned pair) {
    ArmAssembler *assembler = &translation->assembler;
    const unsigned d = ARM_RESULT, e = ARM_SOURCE;
    if (pair == 3) {
        arm_test_set(translation, test_carry_or_overflow(translation, false, d), d);
    } else {
        arm_test_set(translation, test_sign(translation, d), d);
        arm_test_set(translation, test_carry_or_overflow(translation, true, e), e);
        arm_logic(assembler, false, ARM_EOR, false, d, d, e, ARM_LSL, 0);
    }
    if (pair != 6) {
        arm_test_set(translation, test_zero_flag(translation, e), e);
        arm_logic(assembler, false, ARM_ORR, false, d, d, e, ARM_LSL, 0);
    }
    return test_bit(d, 0);
}

static bool is_scan(const FlagSource *source) {
    return source->kind == FLAG_SOURCE_BIT_SCAN || source->kind == FLAG_SOURCE_BIT_SCAN_REVERSE;
}

static bool has_short_way(const FlagSource *source, unsigned group, unsigned condition) {
    if (is_variable_shift(source))
        return group == FLAG_GROUP_INDEX_C && source->size == 4;
    return !is_scan(source) || condition >> 1 == 2;
}

/* Of what has no short way here the flags go to memory first. */
void arm_flags_settle(ArmTranslation *translation, unsigned condition) {
    uint8_t groups = uop_condition_groups(condition);
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if ((groups & group_bit[g]) && !has_short_way(&translation->flags.source[g], g, condition))
            arm_flags_to_memory(translation);
}

ArmTest arm_flags_test(ArmTranslation *translation, unsigned condition) {
    ArmTest test;
    arm_flags_settle(translation, condition);
    switch (condition >> 1) {
    case 0:
        test = test_carry_or_overflow(translation, true, ARM_RESULT);
        break;
    case 1:
        test = test_carry_or_overflow(translation, false, ARM_RESULT);
        break;
    case 2:
        test = test_zero_flag(translation, ARM_RESULT);
        break;
    case 4:
        test = test_sign(translation, ARM_RESULT);
        break;
    case 5:
        test = test_parity(translation, ARM_RESULT);
        break;
    default:
        if (!test_at_once(translation, condition, &test))
            test = test_by_bits(translation, condition >> 1);
        break;
    }
    return condition & 1 ? opposite(test) : test;
}

/* A bit moves to C by comparing 0 or 1 with 1, or 0 with it. */
static void bit_to_carry(ArmAssembler *assembler, unsigned bit, bool inverted) {
    if (inverted)
        arm_sum(assembler, false, ARM_SUBS, ARM_ZERO, ARM_ZERO, bit, ARM_LSL, 0);
    else
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, bit, 1);
}

void arm_flags_carry_to_host(ArmTranslation *translation, bool inverted) {
    ArmAssembler *assembler = &translation->assembler;
    const FlagSource *source = &translation->flags.source[FLAG_GROUP_INDEX_C];
    unsigned bit = ARM_RESULT;
    if (sets_host_flags(source)) {
        if (to_host_flags(translation, source) == inverted)
            return;
        arm_cset(assembler, bit, ARM_CS);
        bit_to_carry(assembler, bit, true);
        return;
    }
    if (source->kind == FLAG_SOURCE_CARRY)
        bit = load_operand(translation, &source->a, bit);
    else
        arm_test_set(translation, test_carry_or_overflow(translation, false, bit), bit);
    bit_to_carry(assembler, bit, inverted);
}

/* --- to memory --- */

/* The operation behind a source: its result in ARM_RESULT or where it is, and bit 4 of ARM_SOURCE
 * as AF. */
static unsigned find_result(ArmTranslation *translation, const FlagSource *source) {
    ArmAssembler *assembler = &translation->assembler;
    const bool compares = source->kind == FLAG_SOURCE_COMPARE;
    const bool adds = source->kind == FLAG_SOURCE_ADD || source->kind == FLAG_SOURCE_INCREMENT;
    FlagOperand second = source->b;
    if (source->kind == FLAG_SOURCE_INCREMENT || source->kind == FLAG_SOURCE_DECREMENT)
        second = flag_imm(1);
    unsigned a = load_operand(translation, &source->a, ARM_RESULT), d = ARM_SOURCE;
    if (source->kind == FLAG_SOURCE_LOGIC || source->kind == FLAG_SOURCE_RESULT) {
        bool none = source->kind == FLAG_SOURCE_LOGIC || second.kind == FLAG_OPERAND_NONE;
        arm_mov(assembler, d, none ? ARM_ZERO : load_operand(translation, &second, d));
        return a;
    }
    if (source->kind == FLAG_SOURCE_NEGATE) { /* 0 - (0 - a) */
        arm_sum(assembler, false, ARM_SUB, d, ARM_ZERO, a, ARM_LSL, 0);
        arm_logic(assembler, false, ARM_EOR, false, d, d, a, ARM_LSL, 0);
        return a;
    }
    unsigned b = load_operand(translation, &second, ARM_SCRATCH2);
    arm_sum(assembler, false, compares || adds ? ARM_SUB : ARM_ADD, d, a, b, ARM_LSL, 0);
    arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, a, b, ARM_LSL, 0);
    if (!compares) {
        arm_logic(assembler, false, ARM_EOR, false, d, d, ARM_SCRATCH, ARM_LSL, 0);
        return a;
    }
    arm_mov(assembler, ARM_RESULT, d);
    arm_logic(assembler, false, ARM_EOR, false, d, d, ARM_SCRATCH, ARM_LSL, 0);
    return ARM_RESULT;
}

/* AF and PF of the image in ARM_VALUE. */
static void emit_byte_flags(ArmTranslation *translation, const FlagSource *source) {
    enum { AF_BIT = 12, PF_BIT = 10, AF_OF_OPERANDS = 4 };
    ArmAssembler *assembler = &translation->assembler;
    unsigned result = find_result(translation, source), d = ARM_SCRATCH;
    arm_extract(assembler, false, ARM_SOURCE, ARM_SOURCE, AF_OF_OPERANDS, 1);
    arm_logic(assembler, false, ARM_ORR, false, ARM_VALUE, ARM_VALUE, ARM_SOURCE, ARM_LSL, AF_BIT);
    for (unsigned shift = 4; shift != 0; shift /= 2, result = d)
        arm_logic(assembler, false, ARM_EOR, false, d, result, result, ARM_LSR, shift);
    arm_logic(assembler, false, ARM_ORR, true, d, ARM_ZERO, d, ARM_LSL, 0);
    arm_insert(assembler, ARM_VALUE, d, PF_BIT, 1);
}

/* CF or OF as a bit of the image in ARM_VALUE. */
static void emit_single_flag(ArmTranslation *translation, bool overflow) {
    ArmTest test = test_carry_or_overflow(translation, overflow, ARM_RESULT);
    arm_test_set(translation, test, ARM_RESULT);
    arm_insert(&translation->assembler, ARM_VALUE, ARM_RESULT, overflow ? 0 : 8, 1);
}

/*     cmp  a, b                    ; or what else gives them
 *     mrs  x8, nzcv
 *     lsr  w2, w8, #30             ; SF ZF
 *     lsl  w2, w2, #14
 *     orr  w2, w2, #200h
 *     CF and OF: bits of w8, or as a condition looks at them
 *     AF: f ^ b ^ result; PF: xors
 *     strh w2, [flags_image]
 * False: not of these sources. */
static bool emit_image(ArmTranslation *translation) {
    enum { MRS_NZCV = 0xD53B4200, CARRY = 29, OVERFLOW_BIT = 28, ALWAYS_SET = 1 << 9 };
    ArmAssembler *assembler = &translation->assembler;
    const FlagSource *sources = translation->flags.source, *sign = &sources[FLAG_GROUP_INDEX_S];
    if (!sets_host_flags(sign))
        return false;
    bool same[2];
    for (unsigned g = FLAG_GROUP_INDEX_C; g <= FLAG_GROUP_INDEX_O; g++) {
        same[g] = memcmp(&sources[g], sign, sizeof *sign) == 0 && sign->kind != FLAG_SOURCE_RESULT;
        if (!same[g] &&
            (!has_short_way(&sources[g], g, 2) || sources[g].kind == FLAG_SOURCE_POPCNT ||
             sources[g].kind == FLAG_SOURCE_LZCNT))
            return false;
    }
    bool inverted = to_host_flags(translation, sign);
    arm_emit(assembler, MRS_NZCV | ARM_RESULT);
    arm_shift_imm(assembler, false, ARM_LSR, ARM_VALUE, ARM_RESULT, 30);
    arm_shift_imm(assembler, false, ARM_LSL, ARM_VALUE, ARM_VALUE, 14);
    arm_logic_imm(assembler, ARM_ORR, ARM_VALUE, ARM_VALUE, ALWAYS_SET);
    if (same[FLAG_GROUP_INDEX_O]) {
        arm_extract(assembler, false, ARM_SOURCE, ARM_RESULT, OVERFLOW_BIT, 1);
        arm_logic(assembler, false, ARM_ORR, false, ARM_VALUE, ARM_VALUE, ARM_SOURCE, ARM_LSL, 0);
    }
    if (same[FLAG_GROUP_INDEX_C]) {
        if (inverted)
            arm_logic(assembler, false, ARM_ORR, true, ARM_RESULT, ARM_ZERO, ARM_RESULT, ARM_LSL,
                      0);
        arm_extract(assembler, false, ARM_SOURCE, ARM_RESULT, CARRY, 1);
        arm_insert(assembler, ARM_VALUE, ARM_SOURCE, 8, 1);
    }
    for (unsigned g = FLAG_GROUP_INDEX_C; g <= FLAG_GROUP_INDEX_O; g++)
        if (!same[g])
            emit_single_flag(translation, g == FLAG_GROUP_INDEX_O);
    emit_byte_flags(translation, sign);
    arm_store_cpu(translation, 2, ARM_VALUE, CPU_OFFSET(state.flags_image));
    return true;
}

void arm_flags_to_memory(ArmTranslation *translation) {
    uint32_t number = arm_flags_number(translation);
    if (number != FLAG_STATE_IN_MEMORY && !emit_image(translation))
        arm_emit_call(translation, translation->backend->materialize, number);
    arm_flags_are_in_memory(translation);
}
