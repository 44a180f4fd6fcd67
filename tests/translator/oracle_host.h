/* One side of the oracle: the host's own processor, in 32-bit code of a 64-bit process.
 *
 * Only on x86-64 Linux, which lets a process far-jump to a 32-bit segment and tells by a signal's
 * frame what the processor did. */
#ifndef REPRISE_ORACLE_HOST_H
#define REPRISE_ORACLE_HOST_H

#include "oracle_state.h"

typedef struct OracleHost {
    uint8_t *memory; /* what lies at ORACLE_BASE, here with all rights */
    bool is_intel;
    bool has_our_undefined_flags; /* they are compared as well */
    bool has_pointers;     /* a signal's frame has FIP whether or not an exception is pending */
    bool has_data_pointer; /* and FDP is kept for every instruction, */
    bool has_opcode;       /* and FOP */
    bool has_ldt;
    uint64_t features; /* FEATURE_BIT()s of cpu_feature.h that this processor has */
} OracleHost;

/* False where this host cannot. */
bool oracle_host_open(OracleHost *host);
void oracle_host_close(OracleHost *host);
/* Memory is as the case wants it already. False if the way in or out failed. */
bool oracle_host_run(OracleHost *host, const OracleInput *input, OracleState *state);

#endif
