/* Host code for shifts and rotates. Above each emitter stands what it emits. */
#include "x86_64_operands.h"

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
    bool may_keep = uop->may_keep_flags && x86_flags_are_needed(uop);
    uint8_t kept = may_keep ? uop->flags_needed & uop->flags_written : 0;
    if (uop->flags_read | kept) /* together: bringing one group may lose another */
        x86_flags_to_host(translation, uop->flags_read | kept);
    if (may_keep && !is_rotate(uop))
        asm_mov_to(&translation->assembler, 4,
                   cpu_mem(CPU_OFFSET(flag_slot[0]) + 4 * X86_AF_COUNT_SLOT), HOST_RCX);
}

/* After a shift AF differs between hosts: it is told apart by the count. */
static void mark_shift_flags(Translation *translation, const Uop *uop) {
    x86_sets_flags(translation, uop);
    if (!is_rotate(uop))
        translation->af_count = uop->may_keep_flags ? (FlagOperand){.kind = FLAG_OPERAND_SLOT,
                                                                    .number = X86_AF_COUNT_SLOT}
                                                    : flag_imm(1);
}

static bool keep_shifted_value(Translation *translation, const Uop *uop, FlagOperand *kept) {
    return uop->src_kind == UOPERAND_IMM && !is_rotate(uop) && !x86_dst_is_memory(uop) &&
           !x86_is_temporary(uop->dst) && uop->dst < UREG_AH && x86_flags_are_needed(uop) &&
           x86_flags_keep(translation, uop->dst, kept);
}

/* shift dst, imm or cl */
void x86_emit_shift(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    static const uint8_t source_kinds[UOP_COUNT] = {
        [UOP_SHL] = FLAG_SOURCE_SHL, [UOP_SHR] = FLAG_SOURCE_SHR, [UOP_SAR] = FLAG_SOURCE_SAR};
    x86_begin_operands(translation, uop);
    FlagOperand kept;
    bool keep = keep_shifted_value(translation, uop, &kept);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    prepare_count(translation, uop);
    if (uop->src_kind == UOPERAND_IMM)
        asm_shift_imm(assembler, uop->size, shift_digit(uop->code),
                      x86_dst_operand(translation, uop), uop->imm);
    else
        asm_shift_cl(assembler, uop->size, shift_digit(uop->code),
                     x86_dst_operand(translation, uop));
    mark_shift_flags(translation, uop);
    if (keep)
        x86_locate_flags(translation, uop,
                         (FlagSource){.kind = source_kinds[uop->code],
                                      .size = uop->size,
                                      .a = kept,
                                      .b = flag_imm(uop->imm)});
    x86_end_operands(translation, uop);
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
void x86_emit_double_shift(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    bool by_cl = uop->imm == 0;
    if (leave_for_long_count(translation, uop))
        return;
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    prepare_count(translation, uop);
    uint32_t opcode = (uop->code == UOP_SHLD ? 0x0FA4u : 0x0FACu) + by_cl;
    asm_reg_rm(assembler, uop->size, opcode, host_register(uop->src),
               x86_dst_operand(translation, uop));
    if (!by_cl)
        asm_byte(assembler, uop->imm);
    mark_shift_flags(translation, uop);
    x86_end_operands(translation, uop);
}
