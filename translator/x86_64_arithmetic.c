/* Host code for arithmetic and logic. Above each emitter stands what it emits. */
#include "x86_64_operands.h"

static unsigned alu_digit(unsigned code) {
    static const uint8_t digits[UOP_COUNT] = {
        [UOP_ADD] = ALU_ADD, [UOP_OR] = ALU_OR,   [UOP_ADC] = ALU_ADC, [UOP_SBB] = ALU_SBB,
        [UOP_AND] = ALU_AND, [UOP_SUB] = ALU_SUB, [UOP_XOR] = ALU_XOR, [UOP_CMP] = ALU_CMP,
    };
    return digits[code];
}

/* A memory source whose value the flags may be recomputed from is loaded into the kept register
 * first. */
static bool keep_memory_source(Translation *translation, const Uop *uop) {
    bool wanted = uop->code == UOP_CMP || uop->code == UOP_ADD || uop->code == UOP_SUB;
    return wanted && x86_src_is_memory(uop) && x86_flags_are_needed(uop) &&
           x86_flags_kept_is_free(translation, uop->flags_needed & (uint8_t)~uop->flags_written) &&
           uop->dst < UREG_AH;
}

/* Likewise what is compared in memory: CMP [mem], reg or immediate, TEST [mem]. */
static bool keep_memory_destination(Translation *translation, const Uop *uop) {
    return (uop->code == UOP_CMP || uop->code == UOP_TEST) && x86_dst_is_memory(uop) &&
           x86_flags_are_needed(uop) &&
           x86_flags_kept_is_free(translation, uop->flags_needed & (uint8_t)~uop->flags_written) &&
           !(uop->src_kind == UOPERAND_REG && uop->src >= UREG_AH);
}

static void load_kept(Translation *translation, unsigned size) {
    Assembler *assembler = &translation->assembler;
    if (size == 4)
        asm_mov(assembler, 4, HOST_KEPT, x86_guest_memory(translation));
    else
        asm_reg_rm_sized(assembler, 4, size, size == 1 ? 0x0FB6 : 0x0FB7, HOST_KEPT,
                         x86_guest_memory(translation));
}

static FlagOperand src_flag_operand(const Uop *uop) {
    return uop->src_kind == UOPERAND_IMM ? flag_imm(uop->imm) : flag_register(uop->src);
}

/* What the flags of a finished operation can be recomputed from, if from anything. 'kept': the
 * source value is in the kept register. */
static void locate_result(Translation *translation, const Uop *uop, bool kept) {
    if (!x86_flags_are_needed(uop) || x86_dst_is_memory(uop) || x86_is_temporary(uop->dst))
        return;
    FlagSource source = {.size = uop->size, .a = flag_register(uop->dst)};
    bool src_usable = kept || uop->src_kind == UOPERAND_IMM ||
                      (uop->src_kind == UOPERAND_REG && !x86_is_temporary(uop->src));
    source.b = kept ? flag_kept() : src_usable ? src_flag_operand(uop) : (FlagOperand){0};
    bool same_register = uop->src_kind == UOPERAND_REG &&
                         flag_operand_is_register(&source.b, uop->dst & 3) &&
                         flag_operand_is_register(&source.a, uop->dst & 3);
    bool same = uop->src_kind == UOPERAND_REG &&
                (uop->src == uop->dst || (uop->size == 1 && (uop->src & 3) == (uop->dst & 3)) ||
                 same_register);
    switch (uop->code) {
    case UOP_AND:
    case UOP_OR:
    case UOP_XOR:
        source.kind = FLAG_SOURCE_LOGIC;
        source.b = (FlagOperand){0};
        break;
    case UOP_TEST:
        if (uop->src_kind != UOPERAND_REG || uop->src != uop->dst)
            return;
        source.kind = FLAG_SOURCE_LOGIC;
        source.b = (FlagOperand){0};
        break;
    case UOP_CMP:
        if (!src_usable)
            return;
        source.kind = FLAG_SOURCE_COMPARE;
        break;
    case UOP_ADD:
    case UOP_SUB:
        if (!src_usable || same)
            return;
        source.kind = uop->code == UOP_ADD ? FLAG_SOURCE_ADD : FLAG_SOURCE_SUBTRACT;
        break;
    default:
        return;
    }
    x86_locate_flags(translation, uop, source);
}

/* mov r9, [mem]; cmp r9, src: so that the flags can be told later */
static void emit_kept_destination(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    load_kept(translation, uop->size);
    FlagSource source = {.size = uop->size, .a = flag_kept()};
    if (uop->code == UOP_CMP) {
        source.kind = FLAG_SOURCE_COMPARE;
        source.b = src_flag_operand(uop);
        if (uop->src_kind == UOPERAND_IMM)
            asm_alu_imm(assembler, uop->size, ALU_CMP, host_reg(HOST_KEPT), uop->imm);
        else
            asm_alu(assembler, uop->size, ALU_CMP, HOST_KEPT, x86_src_operand(translation, uop));
    } else {
        source.kind = FLAG_SOURCE_LOGIC;
        if (uop->src_kind == UOPERAND_IMM)
            asm_alu_imm(assembler, uop->size, ALU_AND, host_reg(HOST_KEPT), uop->imm);
        else
            asm_alu(assembler, uop->size, ALU_AND, HOST_KEPT, x86_src_operand(translation, uop));
    }
    x86_sets_flags(translation, uop);
    if (!(uop->src_kind == UOPERAND_REG && x86_is_temporary(uop->src)) || uop->code == UOP_TEST)
        x86_locate_flags(translation, uop, source);
    x86_end_operands(translation, uop);
}

static void emit_alu_operation(Translation *translation, const Uop *uop, bool kept) {
    Assembler *assembler = &translation->assembler;
    unsigned size = uop->size;
    if (uop->code == UOP_TEST) {
        if (uop->src_kind == UOPERAND_IMM)
            asm_test_imm(assembler, size, x86_dst_operand(translation, uop), uop->imm);
        else if (x86_src_is_memory(uop))
            asm_test(assembler, size, x86_guest_memory(translation), host_register(uop->dst));
        else
            asm_test(assembler, size, x86_dst_operand(translation, uop), host_register(uop->src));
        return;
    }
    unsigned digit = alu_digit(uop->code);
    if (uop->src_kind == UOPERAND_IMM)
        asm_alu_imm(assembler, size, digit, x86_dst_operand(translation, uop), uop->imm);
    else if (x86_dst_is_memory(uop))
        asm_alu_to(assembler, size, digit, x86_guest_memory(translation), host_register(uop->src));
    else
        asm_alu(assembler, size, digit, host_register(uop->dst),
                kept ? host_reg(HOST_KEPT) : x86_src_operand(translation, uop));
}

/* op dst, src */
void x86_emit_alu(Translation *translation, const Uop *uop) {
    if (uop->flags_read == FLAG_GROUP_C && uop_has_memory(uop))
        x86_flags_keep_carry(translation);
    x86_begin_operands(translation, uop);
    if (keep_memory_destination(translation, uop)) {
        emit_kept_destination(translation, uop);
        return;
    }
    if (!x86_dst_is_memory(uop) && (uop_info[uop->code].traits & UOP_WRITES_DST))
        x86_writes_register(translation, uop->dst);
    if (uop->flags_read)
        x86_flags_to_host(translation, uop->flags_read);
    bool kept = keep_memory_source(translation, uop);
    if (kept)
        load_kept(translation, uop->size);
    emit_alu_operation(translation, uop, kept);
    x86_sets_flags(translation, uop);
    locate_result(translation, uop, kept);
    bool masks = uop->code == UOP_AND && uop->size == 4 && uop->src_kind == UOPERAND_IMM;
    if (masks && uop->imm <= 0xFF && !x86_dst_is_memory(uop) && uop->dst < UREG_AH)
        translation->byte_registers |= (uint8_t)(1u << uop->dst);
    x86_end_operands(translation, uop);
}

/* inc or dec dst. CF stays in the host's flags if it is there. */
void x86_emit_inc(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    bool decrement = uop->code == UOP_DEC;
    asm_inc(&translation->assembler, uop->size, decrement, x86_dst_operand(translation, uop));
    x86_sets_flags(translation, uop);
    if (!x86_dst_is_memory(uop) && !x86_is_temporary(uop->dst) && uop->dst < UREG_AH)
        x86_locate_flags(
            translation, uop,
            (FlagSource){.kind = decrement ? FLAG_SOURCE_DECREMENT : FLAG_SOURCE_INCREMENT,
                         .size = uop->size,
                         .a = flag_register(uop->dst)});
    x86_end_operands(translation, uop);
}

/* neg or not dst */
void x86_emit_neg(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    asm_unary(&translation->assembler, uop->size, uop->code == UOP_NOT ? UNARY_NOT : UNARY_NEG,
              x86_dst_operand(translation, uop));
    if (uop->code == UOP_NEG) {
        x86_sets_flags(translation, uop);
        if (!x86_dst_is_memory(uop) && !x86_is_temporary(uop->dst) && uop->dst < UREG_AH)
            x86_locate_flags(translation, uop,
                             (FlagSource){.kind = FLAG_SOURCE_NEGATE,
                                          .size = uop->size,
                                          .a = flag_register(uop->dst)});
    }
    x86_end_operands(translation, uop);
}

/* The multiplication is done: CF and OF are the host's and equal, SF, ZF and PF by rule those of
 * the low half in 'result'. */
static void multiply_flags(Translation *translation, const Uop *uop, unsigned result) {
    translation->in_host = 0;
    translation->located &= (uint8_t)~FLAG_GROUP_ALL;
    if (!x86_flags_are_needed(uop))
        return;
    asm_setcc(&translation->assembler, COND_B, host_reg(HOST_KEPT));
    x86_flags_locate(translation, FLAG_GROUP_C | FLAG_GROUP_O,
                     (FlagSource){.kind = FLAG_SOURCE_CARRY, .size = 1, .a = flag_kept()});
    x86_flags_locate(
        translation, FLAG_GROUP_S,
        (FlagSource){.kind = FLAG_SOURCE_LOGIC, .size = uop->size, .a = flag_register(result)});
}

/* mul or imul src */
void x86_emit_mul(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    x86_writes_register(translation, REG_EAX);
    if (uop->size != 1)
        x86_writes_register(translation, REG_EDX);
    asm_unary(&translation->assembler, uop->size, uop->code == UOP_MUL ? UNARY_MUL : UNARY_IMUL,
              x86_src_operand(translation, uop));
    multiply_flags(translation, uop, REG_EAX);
    x86_end_operands(translation, uop);
}

/* imul dst, src; imul dst, src, imm */
void x86_emit_imul2(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_begin_operands(translation, uop);
    x86_writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    if (uop->code == UOP_IMUL3) {
        asm_reg_rm(assembler, uop->size, 0x69, dst, x86_src_operand(translation, uop));
        asm_byte(assembler, uop->imm & 0xFF);
        asm_byte(assembler, uop->imm >> 8 & 0xFF);
        if (uop->size == 4) {
            asm_byte(assembler, uop->imm >> 16 & 0xFF);
            asm_byte(assembler, uop->imm >> 24);
        }
    } else {
        asm_reg_rm(assembler, uop->size, 0x0FAF, dst, x86_src_operand(translation, uop));
    }
    multiply_flags(translation, uop, uop->dst);
    x86_end_operands(translation, uop);
}
