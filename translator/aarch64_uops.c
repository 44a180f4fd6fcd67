/* AArch64 code for each micro-op: moving, conditions, jumps. Above each emitter stands what it
 * emits for operands of 4 bytes. What has no emitter is run by the portable backend's function. */
#include "aarch64_internal.h"

typedef void EmitFunction(ArmTranslation *translation, const Uop *uop);

static bool dst_is_memory(const Uop *uop) {
    return uop->dst_kind == UOPERAND_MEM;
}
static bool src_is_memory(const Uop *uop) {
    return uop->src_kind == UOPERAND_MEM;
}

/* --- operands --- */

void arm_begin_operands(ArmTranslation *translation, const Uop *uop) {
    bool reads_dst = uop_info[uop->code].traits & UOP_READS_DST,
         writes_dst = uop_info[uop->code].traits & UOP_WRITES_DST;
    if (dst_is_memory(uop))
        arm_memory_begin(translation,
                         !writes_dst ? SITE_READ
                         : reads_dst ? SITE_MODIFY
                                     : SITE_WRITE,
                         uop->size);
    else if (src_is_memory(uop))
        arm_memory_begin(translation, SITE_READ, uop->src_size ? uop->src_size : uop->size);
}

void arm_end_operands(ArmTranslation *translation, const Uop *uop) {
    if (uop_has_memory(uop))
        arm_memory_end(translation);
}

unsigned arm_read_register(ArmTranslation *translation, unsigned ureg, unsigned size,
                           unsigned scratch) {
    (void)size;
    if (!arm_is_high_byte(ureg))
        return arm_register(ureg);
    arm_extract(&translation->assembler, false, scratch, arm_register(ureg), 8, 8);
    return scratch;
}

unsigned arm_read_src(ArmTranslation *translation, const Uop *uop, unsigned size,
                      unsigned scratch) {
    if (uop->src_kind == UOPERAND_REG)
        return arm_read_register(translation, uop->src, size, scratch);
    if (uop->src_kind == UOPERAND_IMM)
        arm_mov_imm(&translation->assembler, scratch, uop->imm);
    else
        arm_load_memory(translation, size, scratch, 0);
    return scratch;
}

void arm_write_register(ArmTranslation *translation, unsigned ureg, unsigned size, unsigned value) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned reg = arm_register(ureg);
    if (arm_is_high_byte(ureg))
        arm_insert(assembler, reg, value, 8, 8);
    else if (size != 4 && ureg >= UREG_T0)
        arm_extract(assembler, false, reg, value, 0, 8 * size);
    else if (size != 4)
        arm_insert(assembler, reg, value, 0, 8 * size);
    else if (reg != value)
        arm_mov(assembler, reg, value);
}

/* Where the value of a full register is best computed. */
static unsigned target_register(const Uop *uop) {
    return uop->size == 4 ? arm_register(uop->dst) : ARM_RESULT;
}

/* --- moving --- */

/* mov w19, w20; ldr w19, [x1]; str w19, [x1] */
static void emit_mov(ArmTranslation *translation, const Uop *uop) {
    arm_begin_operands(translation, uop);
    if (dst_is_memory(uop)) {
        unsigned value = ARM_ZERO;
        if (uop->src_kind != UOPERAND_IMM || uop->imm != 0)
            value = arm_read_src(translation, uop, uop->size, ARM_RESULT);
        arm_store_memory(translation, uop->size, value, 0);
    } else {
        arm_flags_before_register_write(translation, uop->dst);
        unsigned value = arm_read_src(translation, uop, uop->size, target_register(uop));
        arm_write_register(translation, uop->dst, uop->size, value);
    }
    arm_end_operands(translation, uop);
}

/* MOVZX, MOVSX: ubfx or sbfx w19, w20, #0, #bits; ldrb w19, [x1] */
static void emit_extend(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool is_signed = uop->code == UOP_MOVSX;
    unsigned d = target_register(uop);
    arm_begin_operands(translation, uop);
    arm_flags_before_register_write(translation, uop->dst);
    if (!src_is_memory(uop))
        arm_extract(assembler, is_signed, d, arm_register(uop->src),
                    arm_is_high_byte(uop->src) ? 8 : 0, 8u * uop->src_size);
    else if (is_signed)
        arm_load_memory_signed(translation, uop->src_size, d, 0);
    else
        arm_load_memory(translation, uop->src_size, d, 0);
    arm_write_register(translation, uop->dst, uop->size, d);
    arm_end_operands(translation, uop);
}

/* add w19, w20, w21, lsl #2; add w19, w19, #displacement */
static void emit_lea(ArmTranslation *translation, const Uop *uop) {
    unsigned d = target_register(uop);
    arm_flags_before_register_write(translation, uop->dst);
    arm_emit_offset(translation, d, &uop->address);
    arm_write_register(translation, uop->dst, uop->size, d);
}

/* mov x8, #address; ldrsb w10, [x8] */
static void emit_fetch(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_mov_imm(assembler, ARM_RESULT, uop->imm | (uint64_t)uop->imm2 << 32);
    arm_load_signed(assembler, uop->src_size, ARM_RESULT, ARM_RESULT, 0);
    arm_write_register(translation, uop->dst, 4, ARM_RESULT);
}

/* mov w8, w19; mov w19, w20; mov w20, w8 */
static void emit_xchg(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_begin_operands(translation, uop);
    if (dst_is_memory(uop))
        arm_load_memory(translation, uop->size, ARM_RESULT, 0);
    else
        arm_mov(assembler, ARM_RESULT,
                arm_read_register(translation, uop->dst, uop->size, ARM_VALUE));
    unsigned other = arm_read_register(translation, uop->src, uop->size, ARM_SOURCE);
    if (dst_is_memory(uop)) {
        arm_store_memory(translation, uop->size, other, 0);
    } else {
        arm_flags_before_register_write(translation, uop->dst);
        arm_write_register(translation, uop->dst, uop->size, other);
    }
    arm_flags_before_register_write(translation, uop->src);
    arm_write_register(translation, uop->src, uop->size, ARM_RESULT);
    arm_end_operands(translation, uop);
}

/* The look-up alone. */
static void emit_check_write(ArmTranslation *translation, const Uop *uop) {
    arm_begin_operands(translation, uop);
    arm_end_operands(translation, uop);
}

/* rev w19, w19 */
static void emit_bswap(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_flags_before_register_write(translation, uop->dst);
    if (uop->size == 2)
        arm_insert(assembler, arm_register(uop->dst), ARM_ZERO, 0, 16);
    else
        arm_reverse_bytes(assembler, arm_register(uop->dst), arm_register(uop->dst));
}

/* asr w21, w19, #31 */
static void emit_cwd(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned bits = 8u * uop->size, eax = arm_register(REG_EAX), edx = arm_register(REG_EDX);
    arm_flags_before_register_write(translation, REG_EDX);
    unsigned d = bits == 32 ? edx : ARM_RESULT;
    arm_extract(assembler, true, d, eax, bits - 1, 1);
    arm_write_register(translation, REG_EDX, uop->size, d);
}

/* ldr w8, [direction]; add w25, w25, w8, lsl #2 */
static void emit_step(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned d = target_register(uop);
    arm_flags_before_register_write(translation, uop->dst);
    arm_load_cpu(translation, 4, ARM_SCRATCH, CPU_OFFSET(state.direction));
    arm_sum(assembler, false, ARM_ADD, d, arm_register(uop->dst), ARM_SCRATCH, ARM_LSL,
            (unsigned)__builtin_ctz(uop->imm));
    arm_write_register(translation, uop->dst, uop->size, d);
}

/* The offset of the bit's byte, rounded down to the operand's size. */
static void emit_bit_address(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned d = arm_register(uop->dst);
    arm_extract(assembler, true, ARM_RESULT, arm_register(uop->src), 3, 8u * uop->src_size - 3);
    arm_logic_imm(assembler, ARM_AND, ARM_RESULT, ARM_RESULT, -(uint32_t)uop->src_size);
    arm_emit_offset(translation, ARM_ADDRESS, &uop->address);
    arm_sum(assembler, false, ARM_ADD, d, ARM_ADDRESS, ARM_RESULT, ARM_LSL, 0);
    if (uop->address.address_size == 2)
        arm_extract(assembler, false, d, d, 0, 16);
}

/* --- compare and exchange --- */

/*     ldr  w2, [x1]
 *     cmp  eax, w2
 *     csel w8, src, w2, eq
 *     str  w8, [x1]
 *     mov  eax, w2                 ; the same already if it was equal */
static void emit_cmpxchg(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned bits = 8u * uop->size;
    arm_begin_operands(translation, uop);
    if (dst_is_memory(uop))
        arm_load_memory(translation, uop->size, ARM_VALUE, 0);
    else
        arm_extract(assembler, false, ARM_VALUE, arm_register(uop->dst),
                    arm_is_high_byte(uop->dst) ? 8 : 0, bits);
    arm_extract(assembler, false, ARM_SCRATCH, arm_register(REG_EAX), 0, bits);
    FlagOperand a = {0}, b = {0};
    if (arm_flags_are_needed(uop)) {
        a = arm_flags_keep(translation, ARM_SCRATCH);
        b = arm_flags_keep(translation, ARM_VALUE);
    }
    unsigned source = arm_read_register(translation, uop->src, uop->size, ARM_SOURCE);
    arm_sum(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, ARM_VALUE, ARM_LSL, 0);
    arm_csel(assembler, ARM_RESULT, source, ARM_VALUE, ARM_EQ);
    if (dst_is_memory(uop))
        arm_store_memory(translation, uop->size, ARM_RESULT, 0);
    arm_flags_before_register_write(translation, REG_EAX);
    arm_write_register(translation, REG_EAX, uop->size, ARM_VALUE);
    if (!dst_is_memory(uop)) {
        arm_flags_before_register_write(translation, uop->dst);
        arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
    }
    arm_flags_set(translation, uop->flags_written,
                  (FlagSource){.kind = FLAG_SOURCE_COMPARE, .size = uop->size, .a = a, .b = b});
    arm_end_operands(translation, uop);
}

/* ldr w2, [x1]; add w8, w2, src; str w8, [x1]; mov src, w2 */
static void emit_xadd(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_begin_operands(translation, uop);
    if (dst_is_memory(uop))
        arm_load_memory(translation, uop->size, ARM_VALUE, 0);
    else
        arm_extract(assembler, false, ARM_VALUE, arm_register(uop->dst),
                    arm_is_high_byte(uop->dst) ? 8 : 0, 8u * uop->size);
    unsigned source = arm_read_register(translation, uop->src, uop->size, ARM_SOURCE);
    arm_sum(assembler, false, ARM_ADD, ARM_RESULT, ARM_VALUE, source, ARM_LSL, 0);
    if (dst_is_memory(uop))
        arm_store_memory(translation, uop->size, ARM_RESULT, 0);
    FlagOperand a = {0}, b = {0};
    if (arm_flags_are_needed(uop)) {
        a = arm_flags_keep(translation, ARM_RESULT);
        b = arm_flags_keep(translation, source);
    }
    arm_flags_before_register_write(translation, uop->src);
    arm_write_register(translation, uop->src, uop->size, ARM_VALUE);
    if (!dst_is_memory(uop)) {
        arm_flags_before_register_write(translation, uop->dst);
        arm_write_register(translation, uop->dst, uop->size, ARM_RESULT);
    }
    arm_flags_set(translation, uop->flags_written,
                  (FlagSource){.kind = FLAG_SOURCE_ADD, .size = uop->size, .a = a, .b = b});
    arm_end_operands(translation, uop);
}

/* --- flags --- */

/* cmp; cset w8, condition */
static void emit_setcc(ArmTranslation *translation, const Uop *uop) {
    arm_flags_settle(translation, uop->condition);
    arm_begin_operands(translation, uop);
    arm_test_set(translation, arm_flags_test(translation, uop->condition), ARM_RESULT);
    if (dst_is_memory(uop)) {
        arm_store_memory(translation, 1, ARM_RESULT, 0);
    } else {
        arm_flags_before_register_write(translation, uop->dst);
        arm_write_register(translation, uop->dst, 1, ARM_RESULT);
    }
    arm_end_operands(translation, uop);
}

/* cmp; csel w19, w20, w19, condition */
static void emit_cmov(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    arm_flags_settle(translation, uop->condition);
    arm_begin_operands(translation, uop);
    arm_flags_before_register_write(translation, uop->dst);
    unsigned m = arm_read_src(translation, uop, uop->size, ARM_VALUE), d = target_register(uop);
    ArmTest test = arm_flags_test(translation, uop->condition);
    ArmCondition condition = test.condition;
    if (test.kind == ARM_TEST_ZERO) {
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, test.reg, 0);
        condition = test.inverted ? ARM_NE : ARM_EQ;
    } else if (test.kind == ARM_TEST_BIT) {
        arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, test.reg, 1u << test.bit);
        condition = test.inverted ? ARM_EQ : ARM_NE;
    }
    arm_csel(assembler, d, m, arm_register(uop->dst), condition);
    arm_write_register(translation, uop->dst, uop->size, d);
    arm_end_operands(translation, uop);
}

/* CLC, STC */
static void emit_carry(ArmTranslation *translation, const Uop *uop) {
    arm_flags_set(translation, FLAG_GROUP_C,
                  (FlagSource){.kind = FLAG_SOURCE_CARRY,
                               .size = 1,
                               .a = {.kind = FLAG_OPERAND_IMM, .value = uop->code == UOP_STC}});
}

/* The image has SF ZF AF PF CF in its high byte, as AH gets them. */
static void emit_lahf(ArmTranslation *translation, const Uop *uop) {
    (void)uop;
    arm_flags_to_memory(translation);
    arm_load_cpu(translation, 2, ARM_RESULT, CPU_OFFSET(state.flags_image));
    arm_shift_imm(&translation->assembler, false, ARM_LSR, ARM_RESULT, ARM_RESULT, 8);
    arm_write_register(translation, UREG_AH, 1, ARM_RESULT);
}

/* mov w8, #1 or -1; str w8, [direction] */
static void emit_direction(ArmTranslation *translation, const Uop *uop) {
    arm_mov_imm(&translation->assembler, ARM_RESULT, uop->code == UOP_CLD ? 1 : UINT32_MAX);
    arm_store_cpu(translation, 4, ARM_RESULT, CPU_OFFSET(state.direction));
}

/* --- control --- */

/* cmp src, limit; b.hi step: the instruction is run alone and faults */
static void emit_check_cs(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    uint32_t site = arm_add_site(translation, SITE_OTHER, 0, 0);
    unsigned source = arm_read_src(translation, uop, 4, ARM_SOURCE);
    arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, source, translation->context->cs_limit);
    arm_add_leave(translation, arm_branch_if(assembler, ARM_HI), LEAVE_STEP, site);
}

/* cmp w19, w20; b.lt target */
static void emit_jcc(ArmTranslation *translation, const Uop *uop) {
    arm_settle_flags(translation, uop->imm);
    ArmTest test = arm_flags_test(translation, uop->condition);
    arm_add_link(translation, arm_test_branch(translation, test), uop->imm);
}

/* cbz w20, target */
static void emit_jcxz(ArmTranslation *translation, const Uop *uop) {
    ArmAssembler *assembler = &translation->assembler;
    bool if_not = uop->code == UOP_JNCXZ;
    unsigned ecx = arm_register(REG_ECX);
    arm_settle_flags(translation, uop->imm);
    if (uop->size != 4) {
        arm_extract(assembler, false, ARM_RESULT, ecx, 0, 8u * uop->size);
        ecx = ARM_RESULT;
    }
    arm_add_link(translation, arm_branch_zero(assembler, false, if_not, ecx), uop->imm);
}

static void emit_jmp(ArmTranslation *translation, const Uop *uop) {
    arm_settle_flags(translation, uop->imm);
    arm_add_link(translation, arm_branch(&translation->assembler), uop->imm);
    jit_note_change(translation->backend, uop);
}

static void emit_jmp_indirect(ArmTranslation *translation, const Uop *uop) {
    arm_emit_indirect(translation, arm_register(uop->src));
}

/* ldr w19, [result] */
static void emit_result(ArmTranslation *translation, const Uop *uop) {
    unsigned d = target_register(uop);
    arm_flags_before_register_write(translation, uop->dst);
    arm_load_cpu(translation, 4, d, CPU_OFFSET(result));
    arm_write_register(translation, uop->dst, uop->size, d);
}

/* Everything is done: the run loop looks before it goes on at imm. */
static void emit_exit(ArmTranslation *translation, const Uop *uop) {
    uint32_t number = arm_add_site(translation, SITE_OTHER, 0, 0);
    Site *site = &translation->backend->sites[number];
    site->eip = uop->imm;
    site->uncounted--;
    arm_add_leave(translation, arm_branch(&translation->assembler), LEAVE_EXIT, number);
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
    [UOP_BIT_ADDRESS] = emit_bit_address,
    [UOP_ADD] = arm_emit_alu,
    [UOP_ADC] = arm_emit_carry_sum,
    [UOP_SUB] = arm_emit_alu,
    [UOP_SBB] = arm_emit_carry_sum,
    [UOP_AND] = arm_emit_alu,
    [UOP_OR] = arm_emit_alu,
    [UOP_XOR] = arm_emit_alu,
    [UOP_CMP] = arm_emit_alu,
    [UOP_TEST] = arm_emit_alu,
    [UOP_INC] = arm_emit_step_by_one,
    [UOP_DEC] = arm_emit_step_by_one,
    [UOP_NEG] = arm_emit_negate,
    [UOP_NOT] = arm_emit_negate,
    [UOP_MUL] = arm_emit_multiply,
    [UOP_IMUL] = arm_emit_multiply,
    [UOP_IMUL2] = arm_emit_multiply_two,
    [UOP_IMUL3] = arm_emit_multiply_two,
    [UOP_DIV] = arm_emit_divide,
    [UOP_IDIV] = arm_emit_divide,
    [UOP_ROL] = arm_emit_rotate,
    [UOP_ROR] = arm_emit_rotate,
    [UOP_RCL] = arm_emit_rotate_carry,
    [UOP_RCR] = arm_emit_rotate_carry,
    [UOP_SHL] = arm_emit_shift,
    [UOP_SHR] = arm_emit_shift,
    [UOP_SAR] = arm_emit_shift,
    [UOP_SHLD] = arm_emit_double_shift,
    [UOP_SHRD] = arm_emit_double_shift,
    [UOP_BT] = arm_emit_bit_test,
    [UOP_BTS] = arm_emit_bit_test,
    [UOP_BTR] = arm_emit_bit_test,
    [UOP_BTC] = arm_emit_bit_test,
    [UOP_BSF] = arm_emit_bit_scan,
    [UOP_BSR] = arm_emit_bit_scan,
    [UOP_CMPXCHG] = emit_cmpxchg,
    [UOP_XADD] = emit_xadd,
    [UOP_SETCC] = emit_setcc,
    [UOP_CMOV] = emit_cmov,
    [UOP_LAHF] = emit_lahf,
    [UOP_CLC] = emit_carry,
    [UOP_STC] = emit_carry,
    [UOP_CLD] = emit_direction,
    [UOP_STD] = emit_direction,
    [UOP_READ_EFLAGS] = arm_emit_read_eflags,
    [UOP_WRITE_EFLAGS] = arm_emit_write_eflags,
    [UOP_CLI] = arm_emit_cli,
    [UOP_STI] = arm_emit_sti,
    [UOP_READ_SREG] = arm_emit_read_sreg,
    [UOP_LOAD_REAL_SREG] = arm_emit_load_real_sreg,
    [UOP_LOAD_SREG] = arm_emit_load_sreg,
    [UOP_READ_STATE] = arm_emit_read_state,
    [UOP_CHECK_CS] = emit_check_cs,
    [UOP_JCC] = emit_jcc,
    [UOP_JCXZ] = emit_jcxz,
    [UOP_JNCXZ] = emit_jcxz,
    [UOP_JMP] = emit_jmp,
    [UOP_JMP_INDIRECT] = emit_jmp_indirect,
    [UOP_HELPER] = arm_emit_helper,
    [UOP_X87] = arm_emit_x87,
    [UOP_VECTOR] = arm_emit_vector,
    [UOP_RESULT] = emit_result,
    [UOP_EXIT] = emit_exit,
};

void arm_emit_uop(ArmTranslation *translation, const Uop *uop) {
    EmitFunction *emit = emit_table[uop->code];
    translation->places_taken = 0;
    arm_flags_make_room(translation);
    if (emit == NULL)
        arm_emit_portable(translation, uop);
    else
        emit(translation, uop);
}
