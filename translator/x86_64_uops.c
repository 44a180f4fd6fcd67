/* Host code for each micro-op: which emitter it has, and those of flags and control. Above each
 * emitter stands what it emits. */
#include "x86_64_operands.h"

typedef void EmitFunction(Translation *translation, const Uop *uop);

/* --- compare and exchange --- */

/* cmpxchg dst, src */
static void emit_cmpxchg(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    x86_writes_register(translation, REG_EAX);
    asm_reg_rm(&translation->assembler, uop->size, uop->size == 1 ? 0x0FB0 : 0x0FB1,
               host_register(uop->src), x86_dst_operand(translation, uop));
    x86_sets_flags(translation, uop);
    x86_end_operands(translation, uop);
}

/* xadd dst, src */
static void emit_xadd(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    x86_writes_register(translation, uop->src);
    asm_reg_rm(&translation->assembler, uop->size, uop->size == 1 ? 0x0FC0 : 0x0FC1,
               host_register(uop->src), x86_dst_operand(translation, uop));
    x86_sets_flags(translation, uop);
    x86_end_operands(translation, uop);
}

/* --- flags --- */

/* setcc dst */
static void emit_setcc(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    unsigned condition = x86_flags_condition_to_host(translation, uop->condition);
    asm_setcc(&translation->assembler, condition, x86_dst_operand(translation, uop));
    x86_end_operands(translation, uop);
}

/* cmovcc dst, src. With a 32-bit operand the host zeroes the upper half in any case. */
static void emit_cmov(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    x86_writes_register(translation, uop->dst);
    unsigned condition = x86_flags_condition_to_host(translation, uop->condition);
    asm_reg_rm(&translation->assembler, uop->size, 0x0F40 | condition, host_register(uop->dst),
               x86_src_operand(translation, uop));
    x86_end_operands(translation, uop);
}

/* setc al; neg al would do, but for the flags: sbb r8d, r8d; mov al, r8b */
static void emit_salc(Translation *translation, const Uop *uop) {
    x86_flags_clobber(translation, uop->flags_needed | FLAG_GROUP_C);
    x86_writes_register(translation, REG_EAX);
    x86_flags_to_host(translation, FLAG_GROUP_C);
    asm_alu(&translation->assembler, 4, ALU_SBB, HOST_R8, host_reg(HOST_R8));
    asm_mov(&translation->assembler, 1, HOST_RAX, host_reg(HOST_R8));
    translation->in_host = 0;
}

/* lahf */
static void emit_lahf(Translation *translation, const Uop *uop) {
    (void)uop;
    x86_writes_register(translation, REG_EAX);
    x86_flags_to_host(translation, FLAG_GROUP_C | FLAG_GROUP_S);
    asm_byte(&translation->assembler, 0x9F);
}

/* sahf; OF stays */
static void emit_sahf(Translation *translation, const Uop *uop) {
    asm_byte(&translation->assembler, 0x9E);
    x86_sets_flags(translation, uop);
}

/* clc, stc, cmc */
static void emit_carry(Translation *translation, const Uop *uop) {
    static const uint8_t opcodes[UOP_COUNT] = {
        [UOP_CLC] = 0xF8, [UOP_STC] = 0xF9, [UOP_CMC] = 0xF5};
    if (uop->flags_read)
        x86_flags_to_host(translation, uop->flags_read);
    asm_byte(&translation->assembler, opcodes[uop->code]);
    x86_sets_flags(translation, uop);
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
    x86_writes_register(translation, uop->dst);
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
    asm_alu_imm(&translation->assembler, 4, ALU_CMP, x86_src_operand(translation, uop),
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
    if (uop->imm2 == UOP_FAR)
        x86_emit_far_indirect(translation);
    else
        x86_emit_indirect(translation, host_register(uop->src));
}

/* mov dst, [result] */
static void emit_result(Translation *translation, const Uop *uop) {
    x86_writes_register(translation, uop->dst);
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
    [UOP_MOV] = x86_emit_mov,
    [UOP_MOVZX] = x86_emit_extend,
    [UOP_MOVSX] = x86_emit_extend,
    [UOP_LEA] = x86_emit_lea,
    [UOP_FETCH] = x86_emit_fetch,
    [UOP_XCHG] = x86_emit_xchg,
    [UOP_CHECK_WRITE] = x86_emit_check_write,
    [UOP_BSWAP] = x86_emit_bswap,
    [UOP_CWD] = x86_emit_cwd,
    [UOP_STEP] = x86_emit_step,
    [UOP_ADD] = x86_emit_alu,
    [UOP_ADC] = x86_emit_alu,
    [UOP_SUB] = x86_emit_alu,
    [UOP_SBB] = x86_emit_alu,
    [UOP_AND] = x86_emit_alu,
    [UOP_OR] = x86_emit_alu,
    [UOP_XOR] = x86_emit_alu,
    [UOP_CMP] = x86_emit_alu,
    [UOP_TEST] = x86_emit_alu,
    [UOP_INC] = x86_emit_inc,
    [UOP_DEC] = x86_emit_inc,
    [UOP_NEG] = x86_emit_neg,
    [UOP_NOT] = x86_emit_neg,
    [UOP_MUL] = x86_emit_mul,
    [UOP_IMUL] = x86_emit_mul,
    [UOP_IMUL2] = x86_emit_imul2,
    [UOP_IMUL3] = x86_emit_imul2,
    [UOP_DIV] = x86_emit_div,
    [UOP_IDIV] = x86_emit_idiv,
    [UOP_ROL] = x86_emit_shift,
    [UOP_ROR] = x86_emit_shift,
    [UOP_RCL] = x86_emit_shift,
    [UOP_RCR] = x86_emit_shift,
    [UOP_SHL] = x86_emit_shift,
    [UOP_SHR] = x86_emit_shift,
    [UOP_SAR] = x86_emit_shift,
    [UOP_SHLD] = x86_emit_double_shift,
    [UOP_SHRD] = x86_emit_double_shift,
    [UOP_BT] = x86_emit_bit_test,
    [UOP_BTS] = x86_emit_bit_test,
    [UOP_BTR] = x86_emit_bit_test,
    [UOP_BTC] = x86_emit_bit_test,
    [UOP_BSF] = x86_emit_bit_scan,
    [UOP_BSR] = x86_emit_bit_scan,
    [UOP_POPCNT] = x86_emit_popcnt,
    [UOP_LZCNT] = x86_emit_lzcnt,
    [UOP_ADCX] = x86_emit_add_with_flag,
    [UOP_ADOX] = x86_emit_add_with_flag,
    [UOP_CRC32] = x86_emit_crc32,
    [UOP_SWAP_WORD] = x86_emit_swap_word,
    [UOP_READ_STATE] = x86_emit_read_state,
    [UOP_READ_DR] = x86_emit_read_dr,
    [UOP_BIT_ADDRESS] = x86_emit_bit_address,
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
