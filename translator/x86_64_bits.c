/* Host code for single bits: tests, scans, counts. Above each emitter stands what it emits. */
#include "x86_64_operands.h"

/* bt dst, src: index in range for memory, since the lifter moved the address */
void x86_emit_bit_test(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    static const uint8_t digits[UOP_COUNT] = {
        [UOP_BT] = 4, [UOP_BTS] = 5, [UOP_BTR] = 6, [UOP_BTC] = 7};
    unsigned digit = digits[uop->code];
    x86_begin_operands(translation, uop);
    /* What the host does with the other flags is undefined. */
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    if (!x86_dst_is_memory(uop) && uop->code != UOP_BT)
        x86_writes_register(translation, uop->dst);
    if (uop->src_kind == UOPERAND_IMM) {
        asm_reg_rm_sized(assembler, uop->size, uop->size, 0x0FBA, digit,
                         x86_dst_operand(translation, uop));
        asm_byte(assembler, uop->imm & (uop->size * 8 - 1));
    } else if (x86_dst_is_memory(uop)) {
        asm_mov(assembler, 4, HOST_R8, x86_src_operand(translation, uop));
        asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), uop->size * 8u - 1);
        asm_reg_rm(assembler, uop->size, 0x0F83 + 8 * digit, HOST_R8,
                   x86_guest_memory(translation));
    } else {
        asm_reg_rm(assembler, uop->size, 0x0F83 + 8 * digit, host_register(uop->src),
                   x86_dst_operand(translation, uop));
    }
    x86_sets_flags(translation, uop);
    translation->in_host = FLAG_GROUP_C;
    x86_end_operands(translation, uop);
}

/* mov r9d, src (kept, zero-extended); cmp r9, 0; cmovz r8.. : dst stays if there is no bit.
 *     bsf r8, r9; cmovnz dst, r8 */
void x86_emit_bit_scan(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_begin_operands(translation, uop);
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    if (uop->size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_KEPT, x86_src_operand(translation, uop));
    else
        asm_mov(assembler, 4, HOST_KEPT, x86_src_operand(translation, uop));
    x86_writes_register(translation, uop->dst);
    asm_reg_rm(assembler, 4, uop->code == UOP_BSF ? 0x0FBC : 0x0FBD, HOST_R8, host_reg(HOST_KEPT));
    asm_reg_rm(assembler, uop->size, 0x0F45, host_register(uop->dst),
               host_reg(HOST_R8)); /* cmovnz */
    translation->in_host = 0;
    translation->located &= (uint8_t)~uop->flags_written;
    x86_locate_flags(translation, uop,
                     (FlagSource){.kind = uop->code == UOP_BSF ? FLAG_SOURCE_BIT_SCAN
                                                               : FLAG_SOURCE_BIT_SCAN_REVERSE,
                                  .size = uop->size,
                                  .a = flag_kept()});
    x86_end_operands(translation, uop);
}

/* popcnt dst, src; ZF by the result, the others 0. A host that lacks it runs the instruction alone.
 */
void x86_emit_popcnt(Translation *translation, const Uop *uop) {
    if (!translation->backend->has_popcnt) {
        x86_flags_clobber(translation, FLAG_GROUP_ALL);
        x86_emit_leave(translation, -1, LEAVE_STEP, x86_add_site(translation, SITE_OTHER, 0, 0));
        return;
    }
    x86_begin_operands(translation, uop);
    x86_flags_clobber(translation, uop->flags_needed & (uint8_t)~uop->flags_written);
    x86_writes_register(translation, uop->dst);
    asm_reg_rm(&translation->assembler, uop->size, 0xF30FB8, host_register(uop->dst),
               x86_src_operand(translation, uop));
    translation->in_host = 0;
    x86_flags_locate(
        translation, FLAG_GROUP_ALL,
        (FlagSource){.kind = FLAG_SOURCE_POPCNT, .size = uop->size, .a = flag_register(uop->dst)});
    x86_end_operands(translation, uop);
}

/* lea rbp, [address]; movsx r8d, src; sar r8d, 3; and r8d, -size; add; cut */
void x86_emit_bit_address(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_clobber(translation, uop->flags_needed);
    x86_emit_offset(translation, HOST_RBP, &uop->address);
    if (uop->src_size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FBF, HOST_R8, x86_src_operand(translation, uop));
    else
        asm_mov(assembler, 4, HOST_R8, x86_src_operand(translation, uop));
    asm_shift_imm(assembler, 4, SHIFT_SAR, host_reg(HOST_R8), 3);
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_R8), -(uint32_t)uop->src_size);
    unsigned dst = host_register(uop->dst);
    asm_lea(assembler, 4, dst, host_mem_index(HOST_RBP, HOST_R8, 1, 0));
    if (uop->address.address_size == 2)
        asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, dst, host_reg(dst));
}
