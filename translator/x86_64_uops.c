/* Host code for each micro-op. Above each emitter stands what it emits. */
#include "x86_64_internal.h"

typedef void EmitFunction(Translation *translation, const Uop *uop);

/* --- operands --- */

static HostOperand guest_memory(const Translation *translation) {
    return translation->memory;
}

static bool dst_is_memory(const Uop *uop) {
    return uop->dst_kind == UOPERAND_MEM;
}
static bool src_is_memory(const Uop *uop) {
    return uop->src_kind == UOPERAND_MEM;
}

/* The destination as a host operand: memory must have been begun. */
static HostOperand dst_operand(const Translation *translation, const Uop *uop) {
    return dst_is_memory(uop) ? guest_memory(translation) : host_reg(host_register(uop->dst));
}

static HostOperand src_operand(const Translation *translation, const Uop *uop) {
    return src_is_memory(uop) ? guest_memory(translation) : host_reg(host_register(uop->src));
}

/* The memory operand, if there is one, is looked up; flags that must survive are saved. */
static void begin_operands(Translation *translation, const Uop *uop) {
    bool reads_dst = uop_info[uop->code].traits & UOP_READS_DST,
         writes_dst = uop_info[uop->code].traits & UOP_WRITES_DST;
    if (dst_is_memory(uop))
        x86_memory_begin(translation,
                         !writes_dst ? SITE_READ
                         : reads_dst ? SITE_MODIFY
                                     : SITE_WRITE,
                         uop->size);
    else if (src_is_memory(uop))
        x86_memory_begin(translation, SITE_READ, uop->src_size ? uop->src_size : uop->size);
}

static void end_operands(Translation *translation, const Uop *uop) {
    if (uop_has_memory(uop))
        x86_memory_end(translation);
}

static void writes_register(Translation *translation, unsigned ureg) {
    x86_flags_before_register_write(translation, ureg);
}

/* A host instruction that sets exactly uop->flags_written and keeps the other groups. */
static void sets_flags(Translation *translation, const Uop *uop) {
    x86_flags_written(translation, uop->flags_written);
}

static bool flags_are_needed(const Uop *uop) {
    return (uop->flags_written & uop->flags_needed) != 0;
}

/* Group sets that a source can be told for: only where somebody may still want them. */
static void locate(Translation *translation, const Uop *uop, FlagSource source) {
    if (flags_are_needed(uop))
        x86_flags_locate(translation, uop->flags_written, source);
}

/* --- moving --- */

/* The number of the micro-op that extends the byte which this one loads into T0 (LODSB; XLAT); 0:
 * none. */
static unsigned find_extension(const Translation *translation, const Uop *uop) {
    const UopBlock *lifted = translation->lifted;
    unsigned next = (unsigned)(uop - lifted->uop) + 1;
    if (uop->size != 1 || !src_is_memory(uop) || uop->dst >= 4)
        return 0;
    while (next < lifted->uop_count &&
           (lifted->uop[next].code == UOP_LEA || lifted->uop[next].code == UOP_STEP) &&
           lifted->uop[next].dst < UREG_T0)
        next++;
    const Uop *extension = &lifted->uop[next];
    bool found = next < lifted->uop_count && extension->code == UOP_MOVZX && extension->size == 4 &&
                 extension->src_size == 1 && extension->dst == UREG_T0 &&
                 extension->src_kind == UOPERAND_REG && extension->src == uop->dst;
    return found ? next : 0;
}

/* movzx r10d, src; mov dst, r10b: what goes on with T0 does not wait for the rest of the register.
 */
static void load_extended(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned extended = host_register(UREG_T0);
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, extended, guest_memory(translation));
    asm_mov(assembler, 1, host_register(uop->dst), host_reg(extended));
}

/* mov dst, src */
static void emit_mov(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned extension = find_extension(translation, uop);
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    if (uop->src_kind == UOPERAND_IMM)
        asm_mov_imm(assembler, uop->size, dst_operand(translation, uop), uop->imm);
    else if (dst_is_memory(uop))
        asm_mov_to(assembler, uop->size, guest_memory(translation), host_register(uop->src));
    else if (extension != 0)
        load_extended(translation, uop);
    else
        asm_mov(assembler, uop->size, host_register(uop->dst), src_operand(translation, uop));
    end_operands(translation, uop);
    translation->extended = extension;
}

/* movzx or movsx dst, src. From AH to BH into a register that needs REX: movzx r8d by way of ebp.
 */
static void emit_extend(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    uint32_t opcode = (uop->code == UOP_MOVZX ? 0x0FB6u : 0x0FBEu) + (uop->src_size == 2);
    if (translation->extended != 0 && uop == &translation->lifted->uop[translation->extended])
        return; /* its load did it */
    begin_operands(translation, uop);
    writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    bool high = !src_is_memory(uop) && host_register(uop->src) >= HOST_AH;
    if (high && dst >= 8) {
        asm_reg_rm_sized(assembler, uop->size, uop->src_size, opcode, HOST_RBP,
                         src_operand(translation, uop));
        asm_mov(assembler, uop->size, dst, host_reg(HOST_RBP));
    } else {
        asm_reg_rm_sized(assembler, uop->size, uop->src_size, opcode, dst,
                         src_operand(translation, uop));
    }
    bool byte = uop->code == UOP_MOVZX && uop->size == 4 && uop->src_size == 1;
    if (byte && uop->dst < UREG_AH)
        translation->byte_registers |= (uint8_t)(1u << uop->dst);
    end_operands(translation, uop);
}

/* The low word of an address does not depend on the address size. */
static void emit_lea_word(Translation *translation, const UopAddress *address, unsigned dst) {
    HostOperand sum = host_mem(host_register(address->base), address->displacement);
    if (address->index != UREG_NONE)
        sum = host_mem_index(host_register(address->base), host_register(address->index),
                             address->scale, address->displacement);
    asm_lea(&translation->assembler, 2, dst, sum);
}

/* lea dst, [address]; with an odd size by way of ebp */
static void emit_lea(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    const UopAddress *address = &uop->address;
    writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    if (uop->size == 4) {
        x86_emit_offset(translation, dst, address);
        return;
    }
    if (uop->size == 2 && address->base != UREG_NONE) {
        emit_lea_word(translation, address, dst);
        return;
    }
    x86_emit_offset(translation, HOST_RBP, address);
    asm_mov(assembler, uop->size, dst, host_reg(HOST_RBP));
}

/* mov rbp, address; movsx dst, [rbp] */
static void emit_fetch(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned dst = host_register(uop->dst);
    asm_mov_imm64(assembler, HOST_RBP, uop->imm | (uint64_t)uop->imm2 << 32);
    if (uop->src_size == 4)
        asm_mov(assembler, 4, dst, host_mem(HOST_RBP, 0));
    else
        asm_reg_rm_sized(assembler, 4, uop->src_size, uop->src_size == 1 ? 0x0FBE : 0x0FBF, dst,
                         host_mem(HOST_RBP, 0));
}

/* xchg dst, src */
static void emit_xchg(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    writes_register(translation, uop->src);
    Assembler *assembler = &translation->assembler;
    unsigned src = host_register(uop->src);
    if (dst_is_memory(uop) &&
        src < HOST_AH) { /* without the bus lock of XCHG: one thread runs a machine */
        asm_mov(assembler, uop->size, HOST_R8, guest_memory(translation));
        asm_mov_to(assembler, uop->size, guest_memory(translation), src);
        asm_mov(assembler, uop->size, src, host_reg(HOST_R8));
    } else {
        asm_reg_rm(assembler, uop->size, uop->size == 1 ? 0x86 : 0x87, src,
                   dst_operand(translation, uop));
    }
    end_operands(translation, uop);
}

/* The look-up alone. */
static void emit_check_write(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    end_operands(translation, uop);
}

/* bswap dst; xor dst16, dst16 by mov */
static void emit_bswap(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    if (uop->size == 2) {
        asm_mov_imm(assembler, 2, host_reg(dst), 0);
        return;
    }
    if (dst >= 8)
        asm_byte(assembler, 0x41);
    asm_byte(assembler, 0x0F);
    asm_byte(assembler, 0xC8 | (dst & 7));
}

/* cdq or cwd */
static void emit_cwd(Translation *translation, const Uop *uop) {
    writes_register(translation, REG_EDX);
    if (uop->size == 2)
        asm_byte(&translation->assembler, 0x66);
    asm_byte(&translation->assembler, 0x99);
}

/* mov ebp, [direction]; lea dst, [dst + rbp * size] */
static void emit_step(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    asm_mov(assembler, 4, HOST_RBP, cpu_mem(CPU_OFFSET(state.direction)));
    asm_lea(assembler, uop->size, dst, host_mem_index(dst, HOST_RBP, uop->imm, 0));
}

/* --- arithmetic and logic --- */

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
    return wanted && src_is_memory(uop) && flags_are_needed(uop) &&
           x86_flags_kept_is_free(translation, uop->flags_needed & (uint8_t)~uop->flags_written) &&
           uop->dst < UREG_AH;
}

/* Likewise what is compared in memory: CMP [mem], reg or immediate, TEST [mem]. */
static bool keep_memory_destination(Translation *translation, const Uop *uop) {
    return (uop->code == UOP_CMP || uop->code == UOP_TEST) && dst_is_memory(uop) &&
           flags_are_needed(uop) &&
           x86_flags_kept_is_free(translation, uop->flags_needed & (uint8_t)~uop->flags_written) &&
           !(uop->src_kind == UOPERAND_REG && uop->src >= UREG_AH);
}

static void load_kept(Translation *translation, unsigned size) {
    Assembler *assembler = &translation->assembler;
    if (size == 4)
        asm_mov(assembler, 4, HOST_KEPT, guest_memory(translation));
    else
        asm_reg_rm_sized(assembler, 4, size, size == 1 ? 0x0FB6 : 0x0FB7, HOST_KEPT,
                         guest_memory(translation));
}

static FlagOperand src_flag_operand(const Uop *uop) {
    return uop->src_kind == UOPERAND_IMM ? flag_imm(uop->imm) : flag_register(uop->src);
}

static bool is_temporary(unsigned ureg) {
    return ureg >= UREG_T0;
}

/* What the flags of a finished operation can be recomputed from, if from anything. 'kept': the
 * source value is in the kept register. */
static void locate_result(Translation *translation, const Uop *uop, bool kept) {
    if (!flags_are_needed(uop) || dst_is_memory(uop) || is_temporary(uop->dst))
        return;
    FlagSource source = {.size = uop->size, .a = flag_register(uop->dst)};
    bool src_usable = kept || uop->src_kind == UOPERAND_IMM ||
                      (uop->src_kind == UOPERAND_REG && !is_temporary(uop->src));
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
    locate(translation, uop, source);
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
            asm_alu(assembler, uop->size, ALU_CMP, HOST_KEPT, src_operand(translation, uop));
    } else {
        source.kind = FLAG_SOURCE_LOGIC;
        if (uop->src_kind == UOPERAND_IMM)
            asm_alu_imm(assembler, uop->size, ALU_AND, host_reg(HOST_KEPT), uop->imm);
        else
            asm_alu(assembler, uop->size, ALU_AND, HOST_KEPT, src_operand(translation, uop));
    }
    sets_flags(translation, uop);
    if (!(uop->src_kind == UOPERAND_REG && is_temporary(uop->src)) || uop->code == UOP_TEST)
        locate(translation, uop, source);
    end_operands(translation, uop);
}

static void emit_alu_operation(Translation *translation, const Uop *uop, bool kept) {
    Assembler *assembler = &translation->assembler;
    unsigned size = uop->size;
    if (uop->code == UOP_TEST) {
        if (uop->src_kind == UOPERAND_IMM)
            asm_test_imm(assembler, size, dst_operand(translation, uop), uop->imm);
        else if (src_is_memory(uop))
            asm_test(assembler, size, guest_memory(translation), host_register(uop->dst));
        else
            asm_test(assembler, size, dst_operand(translation, uop), host_register(uop->src));
        return;
    }
    unsigned digit = alu_digit(uop->code);
    if (uop->src_kind == UOPERAND_IMM)
        asm_alu_imm(assembler, size, digit, dst_operand(translation, uop), uop->imm);
    else if (dst_is_memory(uop))
        asm_alu_to(assembler, size, digit, guest_memory(translation), host_register(uop->src));
    else
        asm_alu(assembler, size, digit, host_register(uop->dst),
                kept ? host_reg(HOST_KEPT) : src_operand(translation, uop));
}

/* op dst, src */
static void emit_alu(Translation *translation, const Uop *uop) {
    if (uop->flags_read == FLAG_GROUP_C && uop_has_memory(uop))
        x86_flags_keep_carry(translation);
    begin_operands(translation, uop);
    if (keep_memory_destination(translation, uop)) {
        emit_kept_destination(translation, uop);
        return;
    }
    if (!dst_is_memory(uop) && (uop_info[uop->code].traits & UOP_WRITES_DST))
        writes_register(translation, uop->dst);
    if (uop->flags_read)
        x86_flags_to_host(translation, uop->flags_read);
    bool kept = keep_memory_source(translation, uop);
    if (kept)
        load_kept(translation, uop->size);
    emit_alu_operation(translation, uop, kept);
    sets_flags(translation, uop);
    locate_result(translation, uop, kept);
    bool masks = uop->code == UOP_AND && uop->size == 4 && uop->src_kind == UOPERAND_IMM;
    if (masks && uop->imm <= 0xFF && !dst_is_memory(uop) && uop->dst < UREG_AH)
        translation->byte_registers |= (uint8_t)(1u << uop->dst);
    end_operands(translation, uop);
}

/* inc or dec dst. CF stays in the host's flags if it is there. */
static void emit_inc(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    bool decrement = uop->code == UOP_DEC;
    asm_inc(&translation->assembler, uop->size, decrement, dst_operand(translation, uop));
    sets_flags(translation, uop);
    if (!dst_is_memory(uop) && !is_temporary(uop->dst) && uop->dst < UREG_AH)
        locate(translation, uop,
               (FlagSource){.kind = decrement ? FLAG_SOURCE_DECREMENT : FLAG_SOURCE_INCREMENT,
                            .size = uop->size,
                            .a = flag_register(uop->dst)});
    end_operands(translation, uop);
}

/* neg or not dst */
static void emit_neg(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    asm_unary(&translation->assembler, uop->size, uop->code == UOP_NOT ? UNARY_NOT : UNARY_NEG,
              dst_operand(translation, uop));
    if (uop->code == UOP_NEG) {
        sets_flags(translation, uop);
        if (!dst_is_memory(uop) && !is_temporary(uop->dst) && uop->dst < UREG_AH)
            locate(translation, uop,
                   (FlagSource){.kind = FLAG_SOURCE_NEGATE,
                                .size = uop->size,
                                .a = flag_register(uop->dst)});
    }
    end_operands(translation, uop);
}

/* The multiplication is done: CF and OF are the host's and equal, SF, ZF and PF by rule those of
 * the low half in 'result'. */
static void multiply_flags(Translation *translation, const Uop *uop, unsigned result) {
    translation->in_host = 0;
    translation->located &= (uint8_t)~FLAG_GROUP_ALL;
    if (!flags_are_needed(uop))
        return;
    asm_setcc(&translation->assembler, COND_B, host_reg(HOST_KEPT));
    x86_flags_locate(translation, FLAG_GROUP_C | FLAG_GROUP_O,
                     (FlagSource){.kind = FLAG_SOURCE_CARRY, .size = 1, .a = flag_kept()});
    x86_flags_locate(
        translation, FLAG_GROUP_S,
        (FlagSource){.kind = FLAG_SOURCE_LOGIC, .size = uop->size, .a = flag_register(result)});
}

/* mul or imul src */
static void emit_mul(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    writes_register(translation, REG_EAX);
    if (uop->size != 1)
        writes_register(translation, REG_EDX);
    asm_unary(&translation->assembler, uop->size, uop->code == UOP_MUL ? UNARY_MUL : UNARY_IMUL,
              src_operand(translation, uop));
    multiply_flags(translation, uop, REG_EAX);
    end_operands(translation, uop);
}

/* imul dst, src; imul dst, src, imm */
static void emit_imul2(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    begin_operands(translation, uop);
    writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    if (uop->code == UOP_IMUL3) {
        asm_reg_rm(assembler, uop->size, 0x69, dst, src_operand(translation, uop));
        asm_byte(assembler, uop->imm & 0xFF);
        asm_byte(assembler, uop->imm >> 8 & 0xFF);
        if (uop->size == 4) {
            asm_byte(assembler, uop->imm >> 16 & 0xFF);
            asm_byte(assembler, uop->imm >> 24);
        }
    } else {
        asm_reg_rm(assembler, uop->size, 0x0FAF, dst, src_operand(translation, uop));
    }
    multiply_flags(translation, uop, uop->dst);
    end_operands(translation, uop);
}

/* --- shifts --- */

static unsigned shift_digit(unsigned code) {
    static const uint8_t digits[UOP_COUNT] = {
        [UOP_ROL] = SHIFT_ROL, [UOP_ROR] = SHIFT_ROR, [UOP_RCL] = SHIFT_RCL, [UOP_RCR] = SHIFT_RCR,
        [UOP_SHL] = SHIFT_SHL, [UOP_SHR] = SHIFT_SHR, [UOP_SAR] = SHIFT_SAR,
    };
    return digits[code];
}

static bool is_rotate(const Uop *uop) {
    return uop->code <= UOP_RCR && uop->code >= UOP_ROL;
}

/* A count in CL may be zero: then the flags before must be there for the host instruction to keep.
 */
static void prepare_count(Translation *translation, const Uop *uop) {
    bool may_keep = uop->may_keep_flags && flags_are_needed(uop);
    uint8_t kept = may_keep ? uop->flags_needed & uop->flags_written : 0;
    if (uop->flags_read | kept) /* together: bringing one group may lose another */
        x86_flags_to_host(translation, uop->flags_read | kept);
    if (may_keep && !is_rotate(uop))
        asm_mov_to(&translation->assembler, 4,
                   cpu_mem(CPU_OFFSET(flag_slot[0]) + 4 * X86_AF_COUNT_SLOT), HOST_RCX);
}

/* After a shift AF differs between hosts: it is told apart by the count. */
static void mark_shift_flags(Translation *translation, const Uop *uop) {
    sets_flags(translation, uop);
    if (!is_rotate(uop))
        translation->af_count = uop->may_keep_flags ? (FlagOperand){.kind = FLAG_OPERAND_SLOT,
                                                                    .number = X86_AF_COUNT_SLOT}
                                                    : flag_imm(1);
}

static bool keep_shifted_value(Translation *translation, const Uop *uop, FlagOperand *kept) {
    return uop->src_kind == UOPERAND_IMM && !is_rotate(uop) && !dst_is_memory(uop) &&
           !is_temporary(uop->dst) && uop->dst < UREG_AH && flags_are_needed(uop) &&
           x86_flags_keep(translation, uop->dst, kept);
}

/* shift dst, imm or cl */
static void emit_shift(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    static const uint8_t source_kinds[UOP_COUNT] = {
        [UOP_SHL] = FLAG_SOURCE_SHL, [UOP_SHR] = FLAG_SOURCE_SHR, [UOP_SAR] = FLAG_SOURCE_SAR};
    begin_operands(translation, uop);
    FlagOperand kept;
    bool keep = keep_shifted_value(translation, uop, &kept);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    prepare_count(translation, uop);
    if (uop->src_kind == UOPERAND_IMM)
        asm_shift_imm(assembler, uop->size, shift_digit(uop->code), dst_operand(translation, uop),
                      uop->imm);
    else
        asm_shift_cl(assembler, uop->size, shift_digit(uop->code), dst_operand(translation, uop));
    mark_shift_flags(translation, uop);
    if (keep)
        locate(translation, uop,
               (FlagSource){.kind = source_kinds[uop->code],
                            .size = uop->size,
                            .a = kept,
                            .b = flag_imm(uop->imm)});
    end_operands(translation, uop);
}

/* A 16-bit count above 16 is not the same on every host: run alone. By CL that is found when it
 * runs: mov r8d, ecx; and r8d, 31; cmp r8d, 16; ja step */
static bool leave_for_long_count(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    bool by_cl = uop->imm == 0;
    if (uop->size != 2 || (!by_cl && uop->imm <= 16))
        return false;
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    if (by_cl) {
        asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RCX));
        asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), 31);
        asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R8), 16);
    }
    x86_emit_leave(translation, by_cl ? COND_NBE : -1, LEAVE_STEP, site);
    return !by_cl;
}

/* shld or shrd dst, src, imm or cl */
static void emit_double_shift(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    bool by_cl = uop->imm == 0;
    if (leave_for_long_count(translation, uop))
        return;
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    prepare_count(translation, uop);
    uint32_t opcode = (uop->code == UOP_SHLD ? 0x0FA4u : 0x0FACu) + by_cl;
    asm_reg_rm(assembler, uop->size, opcode, host_register(uop->src),
               dst_operand(translation, uop));
    if (!by_cl)
        asm_byte(assembler, uop->imm);
    mark_shift_flags(translation, uop);
    end_operands(translation, uop);
}

/* --- bits --- */

/* bt dst, src: index in range for memory, since the lifter moved the address */
static void emit_bit_test(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    static const uint8_t digits[UOP_COUNT] = {
        [UOP_BT] = 4, [UOP_BTS] = 5, [UOP_BTR] = 6, [UOP_BTC] = 7};
    unsigned digit = digits[uop->code];
    begin_operands(translation, uop);
    /* What the host does with the other flags is undefined. */
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    if (!dst_is_memory(uop) && uop->code != UOP_BT)
        writes_register(translation, uop->dst);
    if (uop->src_kind == UOPERAND_IMM) {
        asm_reg_rm_sized(assembler, uop->size, uop->size, 0x0FBA, digit,
                         dst_operand(translation, uop));
        asm_byte(assembler, uop->imm & (uop->size * 8 - 1));
    } else if (dst_is_memory(uop)) {
        asm_mov(assembler, 4, HOST_R8, src_operand(translation, uop));
        asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), uop->size * 8u - 1);
        asm_reg_rm(assembler, uop->size, 0x0F83 + 8 * digit, HOST_R8, guest_memory(translation));
    } else {
        asm_reg_rm(assembler, uop->size, 0x0F83 + 8 * digit, host_register(uop->src),
                   dst_operand(translation, uop));
    }
    sets_flags(translation, uop);
    translation->in_host = FLAG_GROUP_C;
    end_operands(translation, uop);
}

/* mov r9d, src (kept, zero-extended); cmp r9, 0; cmovz r8.. : dst stays if there is no bit.
 *     bsf r8, r9; cmovnz dst, r8 */
static void emit_bit_scan(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    begin_operands(translation, uop);
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    if (uop->size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_KEPT, src_operand(translation, uop));
    else
        asm_mov(assembler, 4, HOST_KEPT, src_operand(translation, uop));
    writes_register(translation, uop->dst);
    asm_reg_rm(assembler, 4, uop->code == UOP_BSF ? 0x0FBC : 0x0FBD, HOST_R8, host_reg(HOST_KEPT));
    asm_reg_rm(assembler, uop->size, 0x0F45, host_register(uop->dst),
               host_reg(HOST_R8)); /* cmovnz */
    translation->in_host = 0;
    translation->located &= (uint8_t)~uop->flags_written;
    locate(translation, uop,
           (FlagSource){.kind = uop->code == UOP_BSF ? FLAG_SOURCE_BIT_SCAN
                                                     : FLAG_SOURCE_BIT_SCAN_REVERSE,
                        .size = uop->size,
                        .a = flag_kept()});
    end_operands(translation, uop);
}

/* popcnt dst, src; ZF by the result, the others 0. A host that lacks it runs the instruction alone.
 */
static void emit_popcnt(Translation *translation, const Uop *uop) {
    if (!translation->backend->has_popcnt) {
        x86_flags_clobber(translation, FLAG_GROUP_ALL);
        x86_emit_leave(translation, -1, LEAVE_STEP, x86_add_site(translation, SITE_OTHER, 0, 0));
        return;
    }
    begin_operands(translation, uop);
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    writes_register(translation, uop->dst);
    asm_reg_rm(&translation->assembler, uop->size, 0xF30FB8, host_register(uop->dst),
               src_operand(translation, uop));
    translation->in_host = 0;
    x86_flags_locate(
        translation, FLAG_GROUP_ALL,
        (FlagSource){.kind = FLAG_SOURCE_POPCNT, .size = uop->size, .a = flag_register(uop->dst)});
    end_operands(translation, uop);
}

/* lea rbp, [address]; movsx r8d, src; sar r8d, 3; and r8d, -size; add; cut */
static void emit_bit_address(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_clobber(translation, uop->flags_needed);
    x86_emit_offset(translation, HOST_RBP, &uop->address);
    if (uop->src_size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FBF, HOST_R8, src_operand(translation, uop));
    else
        asm_mov(assembler, 4, HOST_R8, src_operand(translation, uop));
    asm_shift_imm(assembler, 4, SHIFT_SAR, host_reg(HOST_R8), 3);
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), -(uint32_t)uop->src_size);
    unsigned dst = host_register(uop->dst);
    asm_lea(assembler, 4, dst, host_mem_index(HOST_RBP, HOST_R8, 1, 0));
    if (uop->address.address_size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, dst, host_reg(dst));
}

/* --- compare and exchange --- */

/* cmpxchg dst, src */
static void emit_cmpxchg(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    writes_register(translation, REG_EAX);
    asm_reg_rm(&translation->assembler, uop->size, uop->size == 1 ? 0x0FB0 : 0x0FB1,
               host_register(uop->src), dst_operand(translation, uop));
    sets_flags(translation, uop);
    end_operands(translation, uop);
}

/* xadd dst, src */
static void emit_xadd(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    writes_register(translation, uop->src);
    asm_reg_rm(&translation->assembler, uop->size, uop->size == 1 ? 0x0FC0 : 0x0FC1,
               host_register(uop->src), dst_operand(translation, uop));
    sets_flags(translation, uop);
    end_operands(translation, uop);
}

/* --- flags --- */

/* setcc dst */
static void emit_setcc(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    if (!dst_is_memory(uop))
        writes_register(translation, uop->dst);
    unsigned condition = x86_flags_condition_to_host(translation, uop->condition);
    asm_setcc(&translation->assembler, condition, dst_operand(translation, uop));
    end_operands(translation, uop);
}

/* cmovcc dst, src. With a 32-bit operand the host zeroes the upper half in any case. */
static void emit_cmov(Translation *translation, const Uop *uop) {
    begin_operands(translation, uop);
    writes_register(translation, uop->dst);
    unsigned condition = x86_flags_condition_to_host(translation, uop->condition);
    asm_reg_rm(&translation->assembler, uop->size, 0x0F40 | condition, host_register(uop->dst),
               src_operand(translation, uop));
    end_operands(translation, uop);
}

/* setc al; neg al would do, but for the flags: sbb r8d, r8d; mov al, r8b */
static void emit_salc(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, uop->flags_needed | FLAG_GROUP_C);
    writes_register(translation, REG_EAX);
    x86_flags_to_host(translation, FLAG_GROUP_C);
    asm_alu(&translation->assembler, 4, ALU_SBB, HOST_R8, host_reg(HOST_R8));
    asm_mov(&translation->assembler, 1, HOST_RAX, host_reg(HOST_R8));
    translation->in_host = 0;
}

/* lahf */
static void emit_lahf(Translation *translation, const Uop *uop) {
    (void)uop;
    writes_register(translation, REG_EAX);
    x86_flags_to_host(translation, FLAG_GROUP_C | FLAG_GROUP_S);
    asm_byte(&translation->assembler, 0x9F);
}

/* sahf; OF stays */
static void emit_sahf(Translation *translation, const Uop *uop) {
    asm_byte(&translation->assembler, 0x9E);
    sets_flags(translation, uop);
}

/* clc, stc, cmc */
static void emit_carry(Translation *translation, const Uop *uop) {
    static const uint8_t opcodes[UOP_COUNT] = {
        [UOP_CLC] = 0xF8, [UOP_STC] = 0xF9, [UOP_CMC] = 0xF5};
    if (uop->flags_read)
        x86_flags_to_host(translation, uop->flags_read);
    asm_byte(&translation->assembler, opcodes[uop->code]);
    sets_flags(translation, uop);
}

/* mov dword [direction], 1 or -1 */
static void emit_direction(Translation *translation, const Uop *uop) {
    asm_mov_imm(&translation->assembler, 4, cpu_mem(CPU_OFFSET(state.direction)),
                uop->code == UOP_CLD ? 1 : UINT32_MAX);
}

/* --- control --- */

/* movzx ebp, word [selector]; mov dst, ebp */
static void emit_read_sreg(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    writes_register(translation, uop->dst);
    int32_t offset = CPU_OFFSET(state.segment[0].selector) + (int32_t)(uop->imm * sizeof(Segment));
    asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_RBP, cpu_mem(offset));
    asm_mov(assembler, uop->size, host_register(uop->dst), host_reg(HOST_RBP));
}

/* movzx r8d, src; mov [selector], r8w; lea r8d, [r8 + r8]; lea r8d, [r8*8]; mov [base], r8d
 * In real mode: mov byte [access], 93h. No flags are touched. */
static void emit_load_real_sreg(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    int32_t segment = CPU_OFFSET(state.segment[0]) + (int32_t)(uop->imm * sizeof(Segment));
    asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_R8, host_reg(host_register(uop->src)));
    asm_mov_to(assembler, 2, cpu_mem(segment + (int32_t)offsetof(Segment, selector)), HOST_R8);
    asm_lea(assembler, 4, HOST_R8, host_mem_index(HOST_R8, HOST_R8, 1, 0));
    asm_lea(assembler, 4, HOST_R8, host_mem_scaled(HOST_R8, 8, 0));
    asm_mov_to(assembler, 4, cpu_mem(segment + (int32_t)offsetof(Segment, base)), HOST_R8);
    if (context_cpl(translation->context) == 0) /* v8086 mode has it already */
        asm_mov_imm(assembler, 1, cpu_mem(segment + (int32_t)offsetof(Segment, access)),
                    ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A);
}

/* cmp src, limit; ja step: the instruction is run alone and faults */
static void emit_check_cs(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    asm_alu_imm(&translation->assembler, 4, ALU_CMP, src_operand(translation, uop),
                translation->context->cs_limit);
    x86_emit_leave(translation, COND_NBE, LEAVE_STEP, site);
}

/* jcc target */
static void emit_jcc(Translation *translation, const Uop *uop) {
    x86_settle_flags(translation, uop->imm);
    unsigned condition = x86_flags_condition_to_host(translation, uop->condition);
    x86_flags_before_clobber(translation, FLAG_GROUP_ALL);
    x86_emit_link(translation, (int)condition, uop->imm);
}

/* test ecx, ecx; jz or jnz target */
static void emit_jcxz(Translation *translation, const Uop *uop) {
    x86_settle_flags(translation, uop->imm);
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    asm_test(&translation->assembler, uop->size, host_reg(HOST_RCX), HOST_RCX);
    x86_emit_link(translation, uop->code == UOP_JCXZ ? COND_Z : COND_NZ, uop->imm);
}

static void emit_jmp(Translation *translation, const Uop *uop) {
    x86_settle_flags(translation, uop->imm);
    x86_flags_before_clobber(translation, FLAG_GROUP_ALL);
    x86_emit_link(translation, -1, uop->imm);
    jit_note_change(translation->backend, uop);
}

static void emit_jmp_indirect(Translation *translation, const Uop *uop) {
    x86_emit_indirect(translation, host_register(uop->src));
}

/* mov dst, [result] */
static void emit_result(Translation *translation, const Uop *uop) {
    writes_register(translation, uop->dst);
    asm_mov(&translation->assembler, uop->size, host_register(uop->dst),
            cpu_mem(CPU_OFFSET(result)));
}

/* Everything is done: the run loop looks before it goes on at imm. */
static void emit_exit(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t number = x86_add_site(translation, SITE_OTHER, 0, 0);
    Site *site = &translation->backend->sites[number];
    site->eip = uop->imm;
    site->uncounted--;
    x86_emit_leave(translation, -1, LEAVE_EXIT, number);
}

static EmitFunction *const emit_table[UOP_COUNT] = {
    [UOP_MOV] = emit_mov,
    [UOP_MOVZX] = emit_extend,
    [UOP_MOVSX] = emit_extend,
    [UOP_LEA] = emit_lea,
    [UOP_FETCH] = emit_fetch,
    [UOP_XCHG] = emit_xchg,
    [UOP_CHECK_WRITE] = emit_check_write,
    [UOP_BSWAP] = emit_bswap,
    [UOP_CWD] = emit_cwd,
    [UOP_STEP] = emit_step,
    [UOP_ADD] = emit_alu,
    [UOP_ADC] = emit_alu,
    [UOP_SUB] = emit_alu,
    [UOP_SBB] = emit_alu,
    [UOP_AND] = emit_alu,
    [UOP_OR] = emit_alu,
    [UOP_XOR] = emit_alu,
    [UOP_CMP] = emit_alu,
    [UOP_TEST] = emit_alu,
    [UOP_INC] = emit_inc,
    [UOP_DEC] = emit_inc,
    [UOP_NEG] = emit_neg,
    [UOP_NOT] = emit_neg,
    [UOP_MUL] = emit_mul,
    [UOP_IMUL] = emit_mul,
    [UOP_IMUL2] = emit_imul2,
    [UOP_IMUL3] = emit_imul2,
    [UOP_DIV] = x86_emit_div,
    [UOP_IDIV] = x86_emit_idiv,
    [UOP_ROL] = emit_shift,
    [UOP_ROR] = emit_shift,
    [UOP_RCL] = emit_shift,
    [UOP_RCR] = emit_shift,
    [UOP_SHL] = emit_shift,
    [UOP_SHR] = emit_shift,
    [UOP_SAR] = emit_shift,
    [UOP_SHLD] = emit_double_shift,
    [UOP_SHRD] = emit_double_shift,
    [UOP_BT] = emit_bit_test,
    [UOP_BTS] = emit_bit_test,
    [UOP_BTR] = emit_bit_test,
    [UOP_BTC] = emit_bit_test,
    [UOP_BSF] = emit_bit_scan,
    [UOP_BSR] = emit_bit_scan,
    [UOP_POPCNT] = emit_popcnt,
    [UOP_LZCNT] = x86_emit_lzcnt,
    [UOP_ADCX] = x86_emit_add_with_flag,
    [UOP_ADOX] = x86_emit_add_with_flag,
    [UOP_CRC32] = x86_emit_crc32,
    [UOP_SWAP_WORD] = x86_emit_swap_word,
    [UOP_READ_STATE] = x86_emit_read_state,
    [UOP_READ_DR] = x86_emit_read_dr,
    [UOP_BIT_ADDRESS] = emit_bit_address,
    [UOP_CMPXCHG] = emit_cmpxchg,
    [UOP_XADD] = emit_xadd,
    [UOP_CMPXCHG8B] = x86_emit_cmpxchg8b,
    [UOP_DAA] = x86_emit_adjust,
    [UOP_DAS] = x86_emit_adjust,
    [UOP_AAA] = x86_emit_adjust,
    [UOP_AAS] = x86_emit_adjust,
    [UOP_AAM] = x86_emit_aam,
    [UOP_AAD] = x86_emit_aad,
    [UOP_SETCC] = emit_setcc,
    [UOP_CMOV] = emit_cmov,
    [UOP_SALC] = emit_salc,
    [UOP_LAHF] = emit_lahf,
    [UOP_SAHF] = emit_sahf,
    [UOP_CLC] = emit_carry,
    [UOP_STC] = emit_carry,
    [UOP_CMC] = emit_carry,
    [UOP_CLD] = emit_direction,
    [UOP_STD] = emit_direction,
    [UOP_READ_EFLAGS] = x86_emit_read_eflags,
    [UOP_WRITE_EFLAGS] = x86_emit_write_eflags,
    [UOP_CLI] = x86_emit_cli,
    [UOP_STI] = x86_emit_sti,
    [UOP_READ_SREG] = emit_read_sreg,
    [UOP_LOAD_REAL_SREG] = emit_load_real_sreg,
    [UOP_LOAD_SREG] = x86_emit_load_sreg,
    [UOP_CHECK_CS] = emit_check_cs,
    [UOP_JCC] = emit_jcc,
    [UOP_JCXZ] = emit_jcxz,
    [UOP_JNCXZ] = emit_jcxz,
    [UOP_JMP] = emit_jmp,
    [UOP_JMP_INDIRECT] = emit_jmp_indirect,
    [UOP_HELPER] = x86_emit_helper,
    [UOP_X87] = x86_emit_x87,
    [UOP_VECTOR] = x86_emit_vector,
    [UOP_RESULT] = emit_result,
    [UOP_EXIT] = emit_exit,
};

void x86_emit_uop(Translation *translation, const Uop *uop) {
    emit_table[uop->code](translation, uop);
}
