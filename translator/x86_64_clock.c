/* RDTSC in translated code, where the guest's counter follows the host's: before the helper, which
 * looks at the clock and says for how long that is so. */
#include "helpers.h"
#include "x86_64_internal.h"

#define LINE_OFFSET(member) CPU_OFFSET(tsc_line.member)

/* imul reg, source */
static void multiply(Assembler *assembler, unsigned reg, HostOperand source) {
    asm_reg_rm(assembler, 8, 0x0FAF, reg, source);
}

/*     test  byte [cr4], TSD        ; above level 0
 *     jnz   slow
 *     mov   r8, rax
 *     mov   rbp, rdx
 *     rdtsc
 *     shl   rdx, 32
 *     or    rax, rdx
 *     sub   rax, [start]
 *     cmp   rax, [limit]
 *     jae   restore
 *     imul  rax, [rate]
 *     shr   rax, 32
 *     add   rax, [value]
 *     add   rax, [tsc_offset]
 *     inc   qword [outside_accesses]
 *     mov   rdx, rax
 *     shr   rdx, 32
 *     mov   eax, eax
 *     (mov  ecx, [tsc_aux])
 *     jmp   done
 * restore:
 *     mov   rax, r8
 *     mov   rdx, rbp
 * slow: */
uint8_t *x86_emit_read_tsc(Translation *translation, const Uop *uop) {
    Assembler *assembler = &translation->assembler;
    if (uop->helper != HELPER_ID_rdtsc || translation->backend->translator->options.no_inline_tsc)
        return NULL;
    uint8_t *refused = NULL;
    if (context_cpl(translation->context) != 0) {
        asm_test_imm(assembler, 4, cpu_mem(CPU_OFFSET(state.cr4)), CR4_TSD);
        refused = asm_jcc(assembler, COND_NZ);
    }
    asm_mov(assembler, 8, HOST_R8, host_reg(HOST_RAX));
    asm_mov(assembler, 8, HOST_RBP, host_reg(HOST_RDX));
    asm_byte(assembler, 0x0F); /* rdtsc */
    asm_byte(assembler, 0x31);
    asm_shift_imm(assembler, 8, SHIFT_SHL, host_reg(HOST_RDX), 32);
    asm_alu(assembler, 8, ALU_OR, HOST_RAX, host_reg(HOST_RDX));
    asm_alu(assembler, 8, ALU_SUB, HOST_RAX, cpu_mem(LINE_OFFSET(start)));
    asm_alu(assembler, 8, ALU_CMP, HOST_RAX, cpu_mem(LINE_OFFSET(limit)));
    uint8_t *beyond = asm_jcc(assembler, COND_NB);
    multiply(assembler, HOST_RAX, cpu_mem(LINE_OFFSET(rate)));
    asm_shift_imm(assembler, 8, SHIFT_SHR, host_reg(HOST_RAX), 32);
    asm_alu(assembler, 8, ALU_ADD, HOST_RAX, cpu_mem(LINE_OFFSET(value)));
    asm_alu(assembler, 8, ALU_ADD, HOST_RAX, cpu_mem(CPU_OFFSET(state.tsc_offset)));
    asm_inc(assembler, 8, false, cpu_mem(CPU_OFFSET(outside_accesses)));
    asm_mov(assembler, 8, HOST_RDX, host_reg(HOST_RAX));
    asm_shift_imm(assembler, 8, SHIFT_SHR, host_reg(HOST_RDX), 32);
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_RAX));
    if (uop->imm != 0) /* RDTSCP */
        asm_mov(assembler, 4, HOST_RCX, cpu_mem(CPU_OFFSET(state.tsc_aux)));
    uint8_t *done = asm_jmp(assembler);
    asm_patch(beyond, assembler->code);
    asm_mov(assembler, 8, HOST_RAX, host_reg(HOST_R8));
    asm_mov(assembler, 8, HOST_RDX, host_reg(HOST_RBP));
    asm_patch(refused, assembler->code);
    return done;
}
