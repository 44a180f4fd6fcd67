/* What the translator counts, for 'info jit'. */
#ifndef REPRISE_TRANSLATOR_COUNTERS_H
#define REPRISE_TRANSLATOR_COUNTERS_H

#include "byte_buffer.h"
#include "cpu.h"
#include "helpers.h"
#include <stdint.h>

/* Why translated code left to C. */
typedef enum LeaveReason {
    LEFT_FOR_JUMP,          /* a direct jump that was not joined yet */
    LEFT_FOR_INDIRECT_JUMP, /* to a place that the table does not have */
    LEFT_FOR_POLL,          /* the next event is due */
    LEFT_FOR_STEP,          /* an instruction that is run by the portable backend */
    LEFT_FOR_FAULT,
    LEFT_FOR_LOOK, /* a helper or an instruction after which the run loop must look */
    LEAVE_REASON_COUNT
} LeaveReason;

/* How an access without a TLB entry ended. */
typedef enum SlowReason {
    SLOWLY_BESIDE_CODE, /* a store on a page that holds translated code, but not into it */
    SLOWLY_FILLED,      /* plain memory: mostly the entry is there the next time */
    SLOWLY_BY_PIECES,   /* over a page's end, or to a device that does not mind */
    SLOWLY_FAULTED,
    SLOWLY_STEPPED, /* a device, a store into code, a breakpoint */
    SLOW_REASON_COUNT
} SlowReason;

/* Why translations were forgotten. */
typedef enum ForgetReason {
    FORGOTTEN_BY_STORE,    /* by the processor or by DMA, into translated code */
    FORGOTTEN_BY_LAYOUT,   /* another memory lies at the page: PAM, SMRAM, a BAR */
    FORGOTTEN_BUFFER_FULL, /* all of them */
    FORGOTTEN_CONTEXTS,    /* all, as the numbers of contexts ran out */
    FORGOTTEN_ON_REQUEST,  /* all: a state was loaded, a setting changed */
    FORGET_REASON_COUNT
} ForgetReason;

typedef struct TranslatorCounters {
    uint64_t translations, guest_bytes, host_bytes, translation_ns;
    uint64_t lookups, block_entries; /* of the run loop */
    uint64_t revivals;               /* of translations that were forgotten by a store */
    uint64_t single_steps, faults, interrupts;
    uint64_t links, unlinks;
    uint64_t hot_paths;
    uint64_t leaves[LEAVE_REASON_COUNT], slow[SLOW_REASON_COUNT], forgotten[FORGET_REASON_COUNT];
    uint64_t helper_calls[HELPER_ID_COUNT]; /* from translated code */
} TranslatorCounters;

/* As text, a line each; helpers by how often they were called. */
void translator_counters_print(const TranslatorCounters *counters, const Cpu *cpu,
                               ByteBuffer *text);

#endif
