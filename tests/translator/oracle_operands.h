/* Interesting values of every kind of operand. */
#ifndef REPRISE_ORACLE_OPERANDS_H
#define REPRISE_ORACLE_OPERANDS_H

#include "insn.h"

/* A number below 'limit'. */
unsigned oracle_below(uint64_t *random, unsigned limit);
uint32_t oracle_choose_integer(uint64_t *random);
/* Integers or numbers of one of the formats. */
void oracle_fill(uint64_t *random, uint8_t *bytes, unsigned size);
/* What this instruction can make something of. */
void oracle_fill_operand(uint64_t *random, const Insn *insn, uint8_t *bytes, unsigned size);
/* An FNSAVE image of 108 bytes: every kind of number, precision and rounding; sometimes registers
 * that are empty, exceptions unmasked, or one pending. */
void oracle_fill_fpu(uint64_t *random, uint8_t *image);
uint32_t oracle_choose_mxcsr(uint64_t *random);

#endif
