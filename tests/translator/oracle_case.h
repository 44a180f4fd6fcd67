/* A case: one instruction of a row, with registers and memory that bring interesting operands
 * where it looks. */
#ifndef REPRISE_ORACLE_CASE_H
#define REPRISE_ORACLE_CASE_H

#include "oracle_insn.h"
#include "oracle_state.h"

enum { ORACLE_TAIL_BYTES = 9, ORACLE_VALUE_BYTES = 512 };

typedef struct OracleCase {
    uint64_t seed;
    const OracleRow *row;
    OracleInsn insn;
    OracleInput input;
    uint32_t address; /* linear, of the instruction */
    uint8_t code[ORACLE_INSN_BYTES + ORACLE_TAIL_BYTES];
    unsigned code_length; /* those of it that lie in the code pages */
    /* Memory that the instruction is to find; the rest is whatever the template has. */
    uint32_t value_address;
    unsigned value_length;
    uint8_t value[ORACLE_VALUE_BYTES];
    /* An x87 image that it stores, or 0. */
    uint32_t image_address;
    unsigned image_length;
} OracleCase;

/* The case of this row and seed, always the same. False where the seed leads to none. */
bool oracle_case_make(OracleCase *made, const OracleRow *row, uint64_t seed, bool has_ldt);

/* Is there an LDT or flat segment behind the selector, and where does it begin? */
uint32_t oracle_segment_base(uint16_t selector);

#endif
