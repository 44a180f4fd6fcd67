/* Host code for decimal adjustment, which a 64-bit host has no instructions for: DAA, DAS, AAA and
 * AAS by a table of all there is to know (AL, CF and AF), AAM and AAD by a division and a
 * multiplication. */
#include "flags.h"
#include "x86_64_internal.h"

static uint16_t adjust(UopCode code, uint16_t ax, uint32_t *flags) {
    switch (code) {
    case UOP_DAA:
        return (uint16_t)((ax & 0xFF00) | alu_daa((uint8_t)ax, flags));
    case UOP_DAS:
        return (uint16_t)((ax & 0xFF00) | alu_das((uint8_t)ax, flags));
    case UOP_AAA:
        return alu_aaa(ax, flags);
    default:
        return alu_aas(ax, flags);
    }
}

/* What is added to AX, and above it the flags as LAHF and SETO leave them. OF is always 0. What
 * happens to AH does not depend on it. */
void x86_fill_decimal_table(JitBackend *backend) {
    for (unsigned code = UOP_DAA; code <= UOP_AAS; code++)
        for (unsigned index = 0; index < X86_DECIMAL_CASES; index++) {
            uint32_t flags = (index >> 8 & 1 ? FLAG_CF : 0) | (index >> 9 & 1 ? FLAG_AF : 0);
            uint16_t ax = index & 0xFF;
            uint16_t change = (uint16_t)(adjust((UopCode)code, ax, &flags) - ax);
            backend->decimal[code - UOP_DAA][index] =
                change | (flags & 0xFF & FLAG_STATUS) << 24 | FLAG_1 << 24;
        }
}

/*     mov r8d, eax; lahf; movzx ebp, ah; mov eax, r8d
 *     and ebp, 11h; mov r8d, ebp; shr r8d, 3; or ebp, r8d; and ebp, 3   ; CF and AF
 *     shl ebp, 8; movzx r8d, al; or ebp, r8d
 *     mov r8, table; mov ebp, [r8 + rbp*4]
 *     add ax, bp; shr ebp, 16; mov [flags_image], bp */
void x86_emit_adjust(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_before_register_write(translation, REG_EAX);
    x86_flags_to_host(translation, FLAG_GROUP_C | FLAG_GROUP_S);
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RAX));
    asm_byte(assembler, 0x9F); /* lahf */
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_RBP, host_reg(HOST_AH));
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_R8));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RBP), 0x11);
    asm_mov(assembler, 4, HOST_R8, host_reg(HOST_RBP));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_R8), 3);
    asm_alu(assembler, 4, ALU_OR, HOST_RBP, host_reg(HOST_R8));
    asm_alu_imm(assembler, 4, ALU_AND, host_reg(HOST_RBP), 3);
    asm_shift_imm(assembler, 4, SHIFT_SHL, host_reg(HOST_RBP), 8);
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_R8, host_reg(HOST_RAX));
    asm_alu(assembler, 4, ALU_OR, HOST_RBP, host_reg(HOST_R8));
    asm_mov_imm64(assembler, HOST_R8,
                  (uint64_t)(uintptr_t)translation->backend->decimal[uop->code - UOP_DAA]);
    asm_mov(assembler, 4, HOST_RBP, host_mem_index(HOST_R8, HOST_RBP, 4, 0));
    asm_alu(assembler, 2, ALU_ADD, HOST_RAX, host_reg(HOST_RBP));
    asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_RBP), 16);
    asm_mov_to(assembler, 2, cpu_mem(CPU_OFFSET(state.flags_image)), HOST_RBP);
    translation->in_host = 0;
    x86_flags_locate(translation, FLAG_GROUP_ALL, (FlagSource){.kind = FLAG_SOURCE_IMAGE});
}

/* SF, ZF and PF of AL, the others 0. */
static void flags_of_al(Translation *translation) {
    translation->in_host = 0;
    x86_flags_locate(
        translation, FLAG_GROUP_ALL,
        (FlagSource){.kind = FLAG_SOURCE_LOGIC, .size = 1, .a = flag_register(REG_EAX)});
}

/* mov r8d, base; mov ah, 0; div r8b; xchg al, ah */
void x86_emit_aam(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_before_register_write(translation, REG_EAX);
    asm_mov_imm(assembler, 4, host_reg(HOST_R8), uop->imm);
    asm_mov_imm(assembler, 1, host_reg(HOST_AH), 0);
    asm_unary(assembler, 1, UNARY_DIV, host_reg(HOST_R8));
    asm_reg_rm(assembler, 1, 0x86, HOST_RAX, host_reg(HOST_AH));
    flags_of_al(translation);
}

/* movzx ebp, ah; imul ebp, ebp, base; add ebp, eax; movzx ebp, bpl; mov ax, bp */
void x86_emit_aad(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    x86_flags_before_register_write(translation, REG_EAX);
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_RBP, host_reg(HOST_AH));
    asm_reg_rm(assembler, 4, 0x69, HOST_RBP, host_reg(HOST_RBP));
    asm_dword(assembler, uop->imm);
    asm_alu(assembler, 4, ALU_ADD, HOST_RBP, host_reg(HOST_RAX));
    asm_reg_rm_sized(assembler, 4, 1, 0x0FB6, HOST_RBP, host_reg(HOST_RBP));
    asm_mov(assembler, 2, HOST_RAX, host_reg(HOST_RBP));
    flags_of_al(translation);
}
