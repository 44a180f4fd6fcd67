/* Two machines side by side that must not differ: the same guest under the portable backend and
 * under another one.
 *
 * Both run under icount from the same state. After every step of some instructions the processors'
 * whole state is compared, and a hash of devices and RAM after every stretch. At a difference both
 * go back to the last stretch, and the first instruction after which they differ is found by
 * halves. */
#ifndef REPRISE_LOCKSTEP_H
#define REPRISE_LOCKSTEP_H

#include "byte_buffer.h"
#include "machine_config.h"

typedef struct LockstepOptions {
    uint64_t instructions; /* to run */
    uint64_t step; /* instructions between two comparisons of the processors; 0: the default, 61 */
    uint64_t stretch; /* instructions between two snapshots; 0: the default, a million */
    const char
        *keys; /* names of keys to press, comma-separated, one after each stretch; NULL: none */
    TranslatorOptions reference, tested;
} LockstepOptions;

typedef enum LockstepResult { LOCKSTEP_AGREE, LOCKSTEP_DIFFER, LOCKSTEP_FAILED } LockstepResult;

/* 'report' gets what was run or where they part: the instruction, its bytes, and the first
 * differing field. On LOCKSTEP_FAILED 'error' says why there was no comparison. */
LockstepResult lockstep_run(const MachineConfig *config, const LockstepOptions *options,
                            ByteBuffer *report, Error *error);

#endif
