/* Encoding of AArch64 instructions (Arm ARM C6). Each function emits one instruction, but where it
 * says otherwise; 'wide' is true for X registers. */
#ifndef REPRISE_AARCH64_ASSEMBLER_H
#define REPRISE_AARCH64_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ArmAssembler {
    uint8_t *code; /* where the next instruction goes, in the writable mapping */
    uint8_t *end;  /* past it nothing is written, and 'overflow' is set */
    bool overflow;
} ArmAssembler;

typedef enum ArmCondition {
    ARM_EQ,
    ARM_NE,
    ARM_CS,
    ARM_CC,
    ARM_MI,
    ARM_PL,
    ARM_VS,
    ARM_VC,
    ARM_HI,
    ARM_LS,
    ARM_GE,
    ARM_LT,
    ARM_GT,
    ARM_LE,
    ARM_ALWAYS,
} ArmCondition;

/* ADD, ADDS, SUB, SUBS as opcode bits 30:29; likewise AND, ORR, EOR, ANDS. */
typedef enum ArmSum { ARM_ADD, ARM_ADDS, ARM_SUB, ARM_SUBS } ArmSum;
typedef enum ArmLogic { ARM_AND, ARM_ORR, ARM_EOR, ARM_ANDS } ArmLogic;
typedef enum ArmShift { ARM_LSL, ARM_LSR, ARM_ASR, ARM_ROR } ArmShift;
typedef enum ArmExtend { ARM_UXTB, ARM_UXTH, ARM_UXTW, ARM_SXTB = 4, ARM_SXTH, ARM_SXTW } ArmExtend;
/* Opcode bits 11:10 of the shifts by a register. */
typedef enum ArmBitfield { ARM_SBFM, ARM_BFM, ARM_UBFM } ArmBitfield;

void arm_emit(ArmAssembler *assembler, uint32_t instruction);

/* d = n +- m shifted */
void arm_sum(ArmAssembler *assembler, bool wide, ArmSum operation, unsigned d, unsigned n,
             unsigned m, ArmShift shift, unsigned amount);
/* d = n +- value; by way of ARM_SCRATCH2 (up to three instructions) where it does not fit. With
 * ADD and SUB, 31 is the stack pointer. */
void arm_sum_imm(ArmAssembler *assembler, bool wide, ArmSum operation, unsigned d, unsigned n,
                 uint32_t value);
/* d = n op m shifted; 'negate' takes the complement of m */
void arm_logic(ArmAssembler *assembler, bool wide, ArmLogic operation, bool negate, unsigned d,
               unsigned n, unsigned m, ArmShift shift, unsigned amount);
/* d = n op value; by way of ARM_SCRATCH2 where it is no bit pattern that fits */
void arm_logic_imm(ArmAssembler *assembler, ArmLogic operation, unsigned d, unsigned n,
                   uint32_t value);
/* ADC, ADCS, SBC, SBCS of W registers, numbered as ArmSum */
void arm_sum_carry(ArmAssembler *assembler, ArmSum operation, unsigned d, unsigned n, unsigned m);
void arm_mov(ArmAssembler *assembler, unsigned d, unsigned m);      /* W registers */
void arm_mov_wide(ArmAssembler *assembler, unsigned d, unsigned m); /* X registers */
/* One to four instructions. */
void arm_mov_imm(ArmAssembler *assembler, unsigned d, uint64_t value);
void arm_bitfield(ArmAssembler *assembler, bool wide, ArmBitfield operation, unsigned d, unsigned n,
                  unsigned rotate, unsigned last);
void arm_shift_imm(ArmAssembler *assembler, bool wide, ArmShift shift, unsigned d, unsigned n,
                   unsigned amount); /* not ARM_ROR */
void arm_shift_register(ArmAssembler *assembler, bool wide, ArmShift shift, unsigned d, unsigned n,
                        unsigned m);
void arm_rotate_imm(ArmAssembler *assembler, unsigned d, unsigned n, unsigned amount);
/* d = bits from 'first' on, 'count' of them, zero- or sign-extended to 32 bits */
void arm_extract(ArmAssembler *assembler, bool is_signed, unsigned d, unsigned n, unsigned first,
                 unsigned count);
/* the same bits of d = the lowest of n */
void arm_insert(ArmAssembler *assembler, unsigned d, unsigned n, unsigned first, unsigned count);
void arm_cset(ArmAssembler *assembler, unsigned d, ArmCondition condition);
void arm_csel(ArmAssembler *assembler, unsigned d, unsigned n, unsigned m, ArmCondition condition);
/* d = a + n * m (or a - n * m); X registers if wide */
void arm_multiply_add(ArmAssembler *assembler, bool wide, bool subtract, unsigned d, unsigned n,
                      unsigned m, unsigned a);
/* X register d = W registers n * m */
void arm_multiply_long(ArmAssembler *assembler, bool is_signed, unsigned d, unsigned n, unsigned m);
void arm_divide(ArmAssembler *assembler, bool wide, bool is_signed, unsigned d, unsigned n,
                unsigned m);
void arm_reverse_bytes(ArmAssembler *assembler, unsigned d, unsigned n);
void arm_reverse_bits(ArmAssembler *assembler, unsigned d, unsigned n);
void arm_count_zeros(ArmAssembler *assembler, unsigned d, unsigned n);

/* Loads (zero- or sign-extended) and stores of 1, 2, 4 or 8 bytes at n + offset, which must be a
 * multiple of the size and below 4096 times it. */
void arm_load(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n, uint32_t offset);
void arm_load_signed(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                     uint32_t offset);
void arm_store(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n, uint32_t offset);
/* ldr t, [n, m, lsl #3] */
void arm_load_indexed(ArmAssembler *assembler, unsigned t, unsigned n, unsigned m);
/* ldp t, u, [n]: X registers */
void arm_load_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned n, int offset);
void arm_store_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned n, int offset);
/* stp t, u, [sp, #-bytes]! and ldp t, u, [sp], #bytes */
void arm_push_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned bytes);
void arm_pop_pair(ArmAssembler *assembler, unsigned t, unsigned u, unsigned bytes);

/* Loads and stores of 2, 4, 8 or 16 bytes of a V register; the bytes above are cleared. */
void arm_load_vector(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                     uint32_t offset);
void arm_store_vector(ArmAssembler *assembler, unsigned size, unsigned t, unsigned n,
                      uint32_t offset);
/* An instruction of aarch64_vector_codes.h with its registers. */
void arm_vector(ArmAssembler *assembler, uint32_t code, unsigned d, unsigned n, unsigned m);

/* Jumps to be filled in by arm_patch(): the address of the instruction. */
uint8_t *arm_branch(ArmAssembler *assembler);
uint8_t *arm_branch_if(ArmAssembler *assembler, ArmCondition condition);
uint8_t *arm_branch_zero(ArmAssembler *assembler, bool wide, bool if_not, unsigned t);
uint8_t *arm_branch_bit(ArmAssembler *assembler, bool if_set, unsigned t, unsigned bit);
uint8_t *arm_call(ArmAssembler *assembler);
void arm_branch_register(ArmAssembler *assembler, unsigned n);
void arm_call_register(ArmAssembler *assembler, unsigned n);
void arm_return(ArmAssembler *assembler);
/* Makes the jump at 'site' go to 'target'; both in the writable mapping. NULL sites are ignored.
 * False: too far for that kind of jump. */
bool arm_patch(uint8_t *site, const uint8_t *target);

static inline ArmCondition arm_opposite(ArmCondition condition) {
    return condition ^ 1;
}

#endif
