/* Bits of model-specific registers that more than msr.c knows: SDM vol. 4. */
#ifndef REPRISE_MSR_H
#define REPRISE_MSR_H

#include <stdint.h>

/* IA32_MISC_ENABLE. Neither branch traces nor precise events are there. */
#define MISC_ENABLE_FAST_STRINGS (UINT64_C(1) << 0)
#define MISC_ENABLE_FOPCODE                                                                        \
    (UINT64_C(1) << 2) /* FOP of every x87 instruction: SDM vol. 1 8.1.9.1 */
#define MISC_ENABLE_PERFORMANCE (UINT64_C(1) << 7) /* performance counters are there */
#define MISC_ENABLE_NO_BRANCH_TRACE (UINT64_C(1) << 11)
#define MISC_ENABLE_NO_PRECISE_EVENTS (UINT64_C(1) << 12)
#define MISC_ENABLE_MONITOR (UINT64_C(1) << 18)     /* without it MONITOR and MWAIT are not there */
#define MISC_ENABLE_LIMIT_CPUID (UINT64_C(1) << 22) /* CPUID shows leaves up to 3 */
#define MISC_ENABLE_NO_NX (UINT64_C(1) << 34)
#define MISC_ENABLE_RESET                                                                          \
    (MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_NO_BRANCH_TRACE | MISC_ENABLE_NO_PRECISE_EVENTS)

#endif
