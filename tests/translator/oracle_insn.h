/* Instructions made from a row of the opcode table. */
#ifndef REPRISE_ORACLE_INSN_H
#define REPRISE_ORACLE_INSN_H

#include "oracle_rows.h"

enum { ORACLE_INSN_BYTES = 24 };

typedef struct OracleInsn {
    uint8_t bytes[ORACLE_INSN_BYTES];
    unsigned length;
    uint8_t displacement, displacement_size; /* of ModRM or of a direct address; size 0: none */
    uint8_t immediate;                       /* where that begins; what follows up to 'length' */
    DecodeMode mode;
    DecodeStatus status;
    Insn insn;
} OracleInsn;

/* Any instruction of the row: prefixes, registers, addresses and immediates are chosen. False if
 * the choice leads to another row. */
bool oracle_insn_make(OracleInsn *made, const OracleRow *row, DecodeMode mode, uint64_t *random);

/* Again, after bytes of it have been changed. */
void oracle_insn_decode(OracleInsn *made);

#endif
