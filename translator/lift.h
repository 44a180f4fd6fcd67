/* The lifter: guest instructions to micro-ops. */
#ifndef REPRISE_LIFT_H
#define REPRISE_LIFT_H

#include "code_bytes.h"
#include "uop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of the CPU's state decides how bytes are lifted: part of the block key. */
typedef struct LiftMode {
    bool code32;         /* CS.D */
    bool stack32;        /* SS.B */
    bool protected_mode; /* protected and not v8086 */
    uint8_t cpl;
    int8_t direction;      /* of string instructions: 1, -1; 0: to be looked at when they run */
    uint8_t real_segments; /* by bit of SEG_*: data segments whose load cannot fault, nor change
                              their kind: SEGMENT_REAL, in real or v8086 mode */
    bool real_code;        /* so is CS */
    bool real_returns;     /* and far returns need no helper */
    uint32_t cs_limit;
    uint64_t features;
    unsigned ready_units;   /* FPU_UNIT_* that take instructions without a look at their state */
    uint64_t host_features; /* vector instructions of these features may become UOP_VECTOR */
    /* The record of the page that the bytes are in, whose stored operands are to be fetched when
     * the block runs, and where on it they begin. NULL: all are taken as they are now. The bytes
     * must be the guest's memory then. */
    const CodeBytes *stored;
    uint32_t page_offset, stored_end; /* of the bytes; of those of the page that were stored into */
} LiftMode;

typedef enum LiftStatus {
    LIFT_OK,
    LIFT_TRUNCATED, /* the first instruction does not end within the given bytes: nothing was lifted
                     */
} LiftStatus;

/* Lifts a basic block that starts at 'eip' from 'available' bytes, at most 'max_insns' instructions
 * (1 to UOP_BLOCK_INSNS). It ends at a branch, at an instruction that the run loop must look after,
 * before an instruction that 'bytes' do not hold whole, or at the limit. Bytes beyond the limit of
 * CS must not be given; 'limit_ends' says that the bytes end because the limit does, so that a
 * truncated instruction is #GP(0). */
LiftStatus lift_block(UopBlock *block, const LiftMode *mode, const uint8_t *bytes, size_t available,
                      bool limit_ends, uint32_t eip, unsigned max_insns);

#endif
