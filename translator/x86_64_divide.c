/* Host code for DIV and IDIV. What would fault on the host is looked for first, since its own #DE
 * must never come: that instruction is run alone, and faults there. */
#include "x86_64_internal.h"

/* A jump to the single step, with the flags as they are before the instruction. */
static void step_if(Translation *translation, unsigned condition, uint32_t site) {
    x86_emit_leave(translation, (int)condition, LEAVE_STEP, site);
}

/* r11d = the divisor, extended by 'opcode' (0FB6h or 0FBEh, and the next for words). R11 is free: a
 * division has no second temporary. */
static uint32_t load_divisor(Translation *translation, const Uop *uop, uint32_t opcode) {
    Assembler *assembler = &translation->assembler;
    unsigned size = uop->size;
    bool memory = uop->src_kind == UOPERAND_MEM;
    if (memory)
        x86_memory_begin(translation, SITE_READ, size);
    else
        x86_flags_clobber(translation, FLAG_GROUP_ALL);
    uint32_t site = x86_add_site(translation, SITE_OTHER, 0, 0);
    HostOperand source = memory ? translation->memory : host_reg(host_register(uop->src));
    if (size == 4) {
        asm_mov(assembler, 4, HOST_R11, source);
    } else if (size == 1 && !memory) { /* AH to BH must not meet a REX prefix */
        asm_reg_rm_sized(assembler, 4, 1, opcode, HOST_RBP, source);
        asm_mov(assembler, 4, HOST_R11, host_reg(HOST_RBP));
    } else {
        asm_reg_rm_sized(assembler, 4, size, opcode + (size == 2), HOST_R11, source);
    }
    if (memory)
        x86_memory_end(translation);
    return site;
}

/* Unsigned: upper half below the divisor, or #DE.
 *     mov r11, src; cmp upper, r11; jae step; div r11 */
void x86_emit_div(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    unsigned size = uop->size;
    uint32_t site = load_divisor(translation, uop, 0x0FB6);
    if (size == 1) {
        asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_RBP, host_reg(HOST_AH));
        asm_alu(assembler, 4, ALU_CMP, HOST_RBP, host_reg(HOST_R11));
    } else {
        asm_alu(assembler, size, ALU_CMP, HOST_RDX, host_reg(HOST_R11));
    }
    step_if(translation, COND_NB, site);
    x86_flags_before_register_write(translation, REG_EAX);
    if (size != 1)
        x86_flags_before_register_write(translation, REG_EDX);
    asm_unary(assembler, size, UNARY_DIV, host_reg(HOST_R11));
}

static void exchange(Assembler *assembler, unsigned size, unsigned a, unsigned b) {
    asm_reg_rm(assembler, size, 0x87, a, host_reg(b));
}

/* A division of twice the size or more, which cannot overflow there:
 *     idiv r11; xchg rax, rbp; xchg rdx, r8        ; the guest's are back, RBP is the quotient
 *     mov r11, r8                                  ; R11 the remainder
 *     movsx r8, bp or bpl or ebp; cmp r8, rbp; jne step */
static void divide_wide(Translation *translation, const Uop *uop, uint32_t site) {
    Assembler *assembler = &translation->assembler;
    unsigned host_size = uop->size == 4 ? 8 : 4;
    asm_unary(assembler, host_size, UNARY_IDIV, host_reg(HOST_R11));
    exchange(assembler, host_size, HOST_RAX, HOST_RBP);
    exchange(assembler, host_size, HOST_RDX, HOST_R8);
    asm_mov(assembler, host_size, HOST_R11, host_reg(HOST_R8));
    uint32_t extend = uop->size == 4 ? 0x63 : uop->size == 2 ? 0x0FBF : 0x0FBE;
    asm_reg_rm_sized(assembler, host_size, uop->size, extend, HOST_R8, host_reg(HOST_RBP));
    asm_alu(assembler, host_size, ALU_CMP, HOST_R8, host_reg(HOST_RBP));
    step_if(translation, COND_NZ, site);
}

/* The guest's registers as a wide dividend; their values go to RBP and R8.
 *     8 bits:  mov ebp, eax; mov r8d, edx; movsx eax, ax; cdq
 *     16 bits: mov ebp, eax; mov r8d, edx; shl edx, 16; movzx eax, ax; or eax, edx; cdq
 *     32 bits: mov rbp, rax; mov r8, rdx; shl rdx, 32; or rax, rdx; cqo */
static void load_dividend(Assembler *assembler, unsigned size) {
    unsigned host_size = size == 4 ? 8 : 4;
    asm_mov(assembler, host_size, HOST_RBP, host_reg(HOST_RAX));
    asm_mov(assembler, host_size, HOST_R8, host_reg(HOST_RDX));
    if (size == 1) {
        asm_reg_rm_sized(assembler, 4, 2, 0x0FBF, HOST_RAX, host_reg(HOST_RAX));
    } else {
        asm_shift_imm(assembler, host_size, SHIFT_SHL, host_reg(HOST_RDX), 8 * size);
        if (size == 2)
            asm_reg_rm_sized(assembler, 4, 2, 0x0FB7, HOST_RAX, host_reg(HOST_RAX));
        asm_alu(assembler, host_size, ALU_OR, HOST_RAX, host_reg(HOST_RDX));
    }
    if (host_size == 8)
        asm_byte(assembler, 0x48);
    asm_byte(assembler, 0x99);
}

/* 32 bits: by 64 bits only where EDX is not the sign of EAX, or the divisor -1.
 *     mov ebp, eax; sar ebp, 31; cmp ebp, edx; jne wide; cmp r11d, -1; je wide
 *     mov ebp, eax; mov r8d, edx; idiv r11d
 *     xchg eax, ebp; mov r11d, edx; mov edx, r8d */
static void divide_doubleword(Translation *translation, const Uop *uop, uint32_t site) {
    Assembler *assembler = &translation->assembler;
    asm_mov(assembler, 4, HOST_RBP, host_reg(HOST_RAX));
    asm_shift_imm(assembler, 4, SHIFT_SAR, host_reg(HOST_RBP), 31);
    asm_alu(assembler, 4, ALU_CMP, HOST_RBP, host_reg(HOST_RDX));
    uint8_t *not_sign = asm_jcc(assembler, COND_NZ);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_R11), UINT32_MAX);
    uint8_t *by_minus_one = asm_jcc(assembler, COND_Z);
    asm_mov(assembler, 4, HOST_RBP, host_reg(HOST_RAX));
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RDX));
    asm_unary(assembler, 4, UNARY_IDIV, host_reg(HOST_R11));
    exchange(assembler, 4, HOST_RAX, HOST_RBP);
    asm_mov(assembler, 4, HOST_R11, host_reg(HOST_RDX));
    asm_mov(assembler, 4, HOST_RDX, host_reg(HOST_R8));
    uint8_t *done = asm_jmp(assembler);
    asm_patch(not_sign, assembler->code);
    asm_patch(by_minus_one, assembler->code);
    asm_alu_imm(assembler, 4, ALU_CMP, host_reg(HOST_RDX), 0x80000000);
    step_if(translation, COND_Z, site);
    asm_reg_rm(assembler, 8, 0x63, HOST_R11, host_reg(HOST_R11)); /* movsxd */
    load_dividend(assembler, 4);
    divide_wide(translation, uop, site);
    asm_patch(done, assembler->code);
}

/* Quotient in RBP, remainder in R11: to the guest's registers. */
static void store_results(Translation *translation, unsigned size) {
    Assembler *assembler = &translation->assembler;
    x86_flags_before_register_write(translation, REG_EAX);
    if (size == 1) { /* movzx ebp, bpl; shl r11d, 8; or ebp, r11d; mov ax, bp */
        asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_RBP, host_reg(HOST_RBP));
        asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_R11), 8);
        asm_alu(assembler, 4, ALU_OR, HOST_RBP, host_reg(HOST_R11));
        asm_mov(assembler, 2, HOST_RAX, host_reg(HOST_RBP));
        return;
    }
    x86_flags_before_register_write(translation, REG_EDX);
    asm_mov(assembler, size, HOST_RAX, host_reg(HOST_RBP));
    asm_mov(assembler, size, HOST_RDX, host_reg(HOST_R11));
}

/* A dividend whose upper half is the least number has a quotient that is too large, and is the only
 * one that the wider division could fault for. */
void x86_emit_idiv(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    uint32_t site = load_divisor(translation, uop, 0x0FBE);
    asm_test(assembler, 4, host_reg(HOST_R11), HOST_R11);
    step_if(translation, COND_Z, site);
    if (uop->size == 4) {
        divide_doubleword(translation, uop, site);
    } else {
        if (uop->size == 2) {
            asm_alu_imm(assembler, 2, ALU_CMP, host_reg(HOST_RDX), 0x8000);
            step_if(translation, COND_Z, site);
        }
        load_dividend(assembler, uop->size);
        divide_wide(translation, uop, site);
    }
    store_results(translation, uop->size);
}
