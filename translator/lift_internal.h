/* What the lifter's files share: one context an instruction, and small constructors for micro-ops.
 */
#ifndef REPRISE_LIFT_INTERNAL_H
#define REPRISE_LIFT_INTERNAL_H

#include "cpu.h"
#include "helpers.h"
#include "insn.h"
#include "lift.h"

typedef struct Lifter {
    UopBlock *block;
    const LiftMode *mode;
    const Insn *insn;
    uint32_t eip, next_eip; /* of this instruction */
    bool ended;             /* the block ends with this instruction */
} Lifter;

typedef void LiftFunction(Lifter *lifter);

/* From InsnCode to the function that lifts it (lift_table.c); NULL: not an instruction that we
 * have, #UD. */
extern LiftFunction *const lift_table[];
LiftFunction lift_x87, lift_vector;
/* The last micro-op, an x87 or vector instruction, gets the flag effects of its row. */
void lift_set_fpu_flag_effects(Lifter *lifter);

/* Appends a micro-op of this size with the flag effects of its row in uop.def. */
Uop *lift_emit(Lifter *lifter, UopCode code, unsigned size);

/* After an instruction was lifted from bytes[position]: where the guest has stored into its
 * immediate or displacement, these become operands that are fetched when it runs. lift_fetch.c */
void lift_fetch_operands(Lifter *lifter, const uint8_t *bytes, size_t position);

/* Operands. Registers are UREG_* of the micro-op's size; a decoded operand is translated by
 * lift_set_*_operand. */
void lift_set_dst_register(Uop *uop, unsigned reg);
void lift_set_src_register(Uop *uop, unsigned reg);
void lift_set_src_immediate(Uop *uop, uint32_t value);
void lift_set_dst_operand(Lifter *lifter, Uop *uop, const Operand *operand);
void lift_set_src_operand(Lifter *lifter, Uop *uop, const Operand *operand);
void lift_set_insn_address(
    Lifter *lifter, Uop *uop); /* the instruction's memory operand, as LEA and helpers need it */
/* [segment:base + displacement] of this address size. */
void lift_set_address(Uop *uop, unsigned segment, unsigned base, int32_t displacement,
                      unsigned address_size);
unsigned lift_register(const Operand *operand); /* UREG_* of an OPERAND_GPR */

/* Whole micro-ops. */
void lift_load_temporary(Lifter *lifter, unsigned temporary,
                         const Operand *operand); /* zero-extended */
/* T0 = offset of the memory operand in its segment, cut to the address size. */
void lift_load_offset(Lifter *lifter);
void lift_helper(Lifter *lifter, HelperId helper, uint32_t a, uint32_t b);
void lift_raise(Lifter *lifter, unsigned vector); /* without error code; ends the block */
void lift_raise_error(Lifter *lifter, unsigned vector, uint32_t error_code);
void lift_exit(Lifter *lifter); /* the run loop must look after this instruction; ends the block */
void lift_jump(Lifter *lifter, uint32_t target); /* checks CS's limit; ends the block */
void lift_go_on(Lifter *lifter); /* to the next instruction, whatever the limit; ends the block */
void lift_jump_if(Lifter *lifter, unsigned condition, uint32_t target);
/* Leaves the block for a target that is within the limit, or goes on with the next micro-op. */
void lift_leave_if(Lifter *lifter, unsigned condition, uint32_t target);

/* Loads a segment register with T0 where that is a matter of a shift (LiftMode, but SS, which holds
 * back interrupts); false, and nothing lifted, elsewhere. */
bool lift_load_real_segment(Lifter *lifter, unsigned segment);
/* ES, DS, FS or GS = T0. */
void lift_load_sreg(Lifter *lifter, unsigned segment, uint32_t then);

/* The stack: size of the stack pointer, and moving it. */
static inline unsigned lift_stack_size(const Lifter *lifter) {
    return lifter->mode->stack32 ? 4 : 2;
}
void lift_move_stack(Lifter *lifter, int32_t bytes);
/* MOV [SS:ESP + displacement], register or immediate. */
void lift_store_stack(Lifter *lifter, int32_t displacement, unsigned size, unsigned reg);
void lift_store_stack_immediate(Lifter *lifter, int32_t displacement, unsigned size,
                                uint32_t value);
/* temporary or register = [SS:ESP + displacement] */
void lift_load_stack(Lifter *lifter, unsigned reg, int32_t displacement, unsigned size);

#endif
