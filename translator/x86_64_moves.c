/* Host code for moving, extending and exchanging values. Above each emitter stands what it emits.
 */
#include "x86_64_operands.h"

/* The number of the micro-op that extends the byte which this one loads into T0 (LODSB; XLAT); 0:
 * none. */
static unsigned find_extension(const Translation *translation, const Uop *uop) {
    const UopBlock *lifted = translation->lifted;
    unsigned next = (unsigned)(uop - lifted->uop) + 1;
    if (uop->size != 1 || !x86_src_is_memory(uop) || uop->dst >= 4)
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
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, extended, x86_guest_memory(translation));
    asm_mov(assembler, 1, host_register(uop->dst), host_reg(extended));
}

/* mov dst, src */
void x86_emit_mov(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned extension = find_extension(translation, uop);
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    if (uop->src_kind == UOPERAND_IMM)
        asm_mov_imm(assembler, uop->size, x86_dst_operand(translation, uop), uop->imm);
    else if (x86_dst_is_memory(uop))
        asm_mov_to(assembler, uop->size, x86_guest_memory(translation), host_register(uop->src));
    else if (extension != 0)
        load_extended(translation, uop);
    else
        asm_mov(assembler, uop->size, host_register(uop->dst), x86_src_operand(translation, uop));
    x86_end_operands(translation, uop);
    translation->extended = extension;
}

/* movzx or movsx dst, src. From AH to BH into a register that needs REX: movzx r8d by way of ebp.
 */
void x86_emit_extend(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    uint32_t opcode = (uop->code == UOP_MOVZX ? 0x0FB6u : 0x0FBEu) + (uop->src_size == 2);
    if (translation->extended != 0 && uop == &translation->lifted->uop[translation->extended])
        return; /* its load did it */
    x86_begin_operands(translation, uop);
    x86_writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    bool high = !x86_src_is_memory(uop) && host_register(uop->src) >= HOST_AH;
    if (high && dst >= 8) {
        asm_reg_rm_sized(assembler, uop->size, uop->src_size, opcode, HOST_RBP,
                         x86_src_operand(translation, uop));
        asm_mov(assembler, uop->size, dst, host_reg(HOST_RBP));
    } else {
        asm_reg_rm_sized(assembler, uop->size, uop->src_size, opcode, dst,
                         x86_src_operand(translation, uop));
    }
    bool byte = uop->code == UOP_MOVZX && uop->size == 4 && uop->src_size == 1;
    if (byte && uop->dst < UREG_AH)
        translation->byte_registers |= (uint8_t)(1u << uop->dst);
    x86_end_operands(translation, uop);
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
void x86_emit_lea(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    const UopAddress *address = &uop->address;
    x86_writes_register(translation, uop->dst);
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
void x86_emit_fetch(Translation *translation, const Uop *uop) {
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
void x86_emit_xchg(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    if (!x86_dst_is_memory(uop))
        x86_writes_register(translation, uop->dst);
    x86_writes_register(translation, uop->src);
    Assembler *assembler = &translation->assembler;
    unsigned src = host_register(uop->src);
    if (x86_dst_is_memory(uop) &&
        src < HOST_AH) { /* without the bus lock of XCHG: one thread runs a machine */
        asm_mov(assembler, uop->size, HOST_R8, x86_guest_memory(translation));
        asm_mov_to(assembler, uop->size, x86_guest_memory(translation), src);
        asm_mov(assembler, uop->size, src, host_reg(HOST_R8));
    } else {
        asm_reg_rm(assembler, uop->size, uop->size == 1 ? 0x86 : 0x87, src,
                   x86_dst_operand(translation, uop));
    }
    x86_end_operands(translation, uop);
}

/* The look-up alone. */
void x86_emit_check_write(Translation *translation, const Uop *uop) {
    x86_begin_operands(translation, uop);
    x86_end_operands(translation, uop);
}

/* bswap dst; xor dst16, dst16 by mov */
void x86_emit_bswap(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_writes_register(translation, uop->dst);
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
void x86_emit_cwd(Translation *translation, const Uop *uop) {
    x86_writes_register(translation, REG_EDX);
    if (uop->size == 2)
        asm_byte(&translation->assembler, 0x66);
    asm_byte(&translation->assembler, 0x99);
}

/* mov ebp, [direction]; lea dst, [dst + rbp * size] */
void x86_emit_step(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_writes_register(translation, uop->dst);
    unsigned dst = host_register(uop->dst);
    asm_mov(assembler, 4, HOST_RBP, cpu_mem(CPU_OFFSET(state.direction)));
    asm_lea(assembler, uop->size, dst, host_mem_index(dst, HOST_RBP, uop->imm, 0));
}
