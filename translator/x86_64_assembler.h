/* Encoding of x86-64 instructions into a buffer. Each function emits one instruction; sizes are in
 * bytes. */
#ifndef REPRISE_X86_64_ASSEMBLER_H
#define REPRISE_X86_64_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Assembler {
    uint8_t *code; /* where the next byte goes, in the writable mapping */
    uint8_t *end;  /* of the buffer; past it nothing is written and 'overflow' is set */
    bool overflow;
} Assembler;

/* A number of RBP's or R13's form that no register has: SIB without a base. */
enum { HOST_NO_BASE = 0x25 };

/* A register or memory operand. */
typedef struct HostOperand {
    bool is_memory;
    uint8_t reg;          /* register operand: HOST_*; memory: base, or HOST_NO_BASE */
    uint8_t index, scale; /* index HOST_RSP: none */
    int32_t displacement;
} HostOperand;

static inline HostOperand host_reg(unsigned reg) {
    return (HostOperand){.reg = (uint8_t)reg};
}
static inline HostOperand host_mem(unsigned base, int32_t displacement) {
    return (HostOperand){.is_memory = true,
                         .reg = (uint8_t)base,
                         .index = 4,
                         .scale = 1,
                         .displacement = displacement};
}
static inline HostOperand host_mem_index(unsigned base, unsigned index, unsigned scale,
                                         int32_t displacement) {
    return (HostOperand){true, (uint8_t)base, (uint8_t)index, (uint8_t)scale, displacement};
}

/* index * scale + displacement, without a base. */
static inline HostOperand host_mem_scaled(unsigned index, unsigned scale, int32_t displacement) {
    return (HostOperand){true, HOST_NO_BASE, (uint8_t)index, (uint8_t)scale, displacement};
}

/* The eight operations of the 80h group, by their /digit, and shifts of the C0h group by theirs. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR = 7 };
enum { UNARY_NOT = 2, UNARY_NEG, UNARY_MUL, UNARY_IMUL, UNARY_DIV, UNARY_IDIV }; /* F6h group */
enum {
    COND_O,
    COND_NO,
    COND_B,
    COND_NB,
    COND_Z,
    COND_NZ,
    COND_BE,
    COND_NBE,
    COND_S,
    COND_NS,
    COND_L = 12
};

void asm_byte(Assembler *assembler, unsigned byte);
void asm_dword(Assembler *assembler, uint32_t value);
void asm_qword(Assembler *assembler, uint64_t value);

/* opcode reg, rm: 'opcode' up to three bytes, most significant first (0x0FB6). Byte registers 4 to
 * 7 get the REX prefix that makes them SPL to DIL; HOST_AH to BH must not meet a REX prefix.
 * 'rm_size' is the operand size of rm where it differs (MOVZX). */
void asm_reg_rm(Assembler *assembler, unsigned size, uint32_t opcode, unsigned reg, HostOperand rm);
void asm_reg_rm_sized(Assembler *assembler, unsigned size, unsigned rm_size, uint32_t opcode,
                      unsigned reg, HostOperand rm);

void asm_mov(Assembler *assembler, unsigned size, unsigned reg,
             HostOperand source); /* mov reg, rm */
void asm_mov_to(Assembler *assembler, unsigned size, HostOperand destination,
                unsigned reg); /* mov rm, reg */
void asm_mov_imm(Assembler *assembler, unsigned size, HostOperand destination, uint32_t value);
void asm_mov_imm64(Assembler *assembler, unsigned reg, uint64_t value);
void asm_lea(Assembler *assembler, unsigned size, unsigned reg, HostOperand address);
void asm_alu(Assembler *assembler, unsigned size, unsigned operation, unsigned reg,
             HostOperand source); /* op reg, rm */
void asm_alu_to(Assembler *assembler, unsigned size, unsigned operation, HostOperand destination,
                unsigned reg); /* op rm, reg */
void asm_alu_imm(Assembler *assembler, unsigned size, unsigned operation, HostOperand destination,
                 uint32_t value);
void asm_test(Assembler *assembler, unsigned size, HostOperand rm, unsigned reg);
void asm_test_imm(Assembler *assembler, unsigned size, HostOperand rm, uint32_t value);
void asm_unary(Assembler *assembler, unsigned size, unsigned digit,
               HostOperand operand); /* F6h group */
void asm_inc(Assembler *assembler, unsigned size, bool decrement, HostOperand operand);
void asm_shift_imm(Assembler *assembler, unsigned size, unsigned digit, HostOperand operand,
                   unsigned count);
/* shrx reg32, source32, count32: BMI2; leaves the flags alone */
void asm_shrx(Assembler *assembler, unsigned reg, unsigned source, unsigned count);
void asm_shift_cl(Assembler *assembler, unsigned size, unsigned digit, HostOperand operand);
void asm_setcc(Assembler *assembler, unsigned condition, HostOperand operand);
void asm_call_mem(Assembler *assembler, HostOperand target);
void asm_jmp_mem(Assembler *assembler, HostOperand target);

/* Jumps with a 32-bit displacement to be filled in: give the address of the displacement. */
uint8_t *asm_jcc(Assembler *assembler, unsigned condition);
uint8_t *asm_jmp(Assembler *assembler);
uint8_t *asm_call(Assembler *assembler);
/* Fills the displacement at 'site' so that the jump goes to 'target' (both in the writable
 * mapping). NULL sites are ignored. */
void asm_patch(uint8_t *site, const uint8_t *target);

#endif
