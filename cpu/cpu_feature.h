/* What a CPU model may have or lack. Bit numbers of a 64-bit mask (Cpu.features[0]); an opcode's
 * row names the one feature that brings it, and the instruction is #UD where the model lacks it.
 * Not CPUID's layout: cpu_models.c maps to that. */
#ifndef REPRISE_CPU_FEATURE_H
#define REPRISE_CPU_FEATURE_H

#include <stdint.h>

typedef enum CpuFeature {
    FEATURE_386 = 0,        /* every model has it */
    FEATURE_486,            /* BSWAP, XADD, CMPXCHG, INVLPG, INVD, WBINVD */
    FEATURE_TEST_REGISTERS, /* MOV to and from TR3 to TR7: the 386 and 486 only */

    FEATURE_FPU,
    FEATURE_VME, /* features of CR4, which add no opcode */
    FEATURE_DE,
    FEATURE_PSE,
    FEATURE_TSC,
    FEATURE_MSR,
    FEATURE_PAE,
    FEATURE_MCE,
    FEATURE_CX8,
    FEATURE_APIC,
    FEATURE_SEP,
    FEATURE_MTRR,
    FEATURE_PGE,
    FEATURE_MCA,
    FEATURE_CMOV, /* and FCMOVcc, FCOMI where there is an FPU */
    FEATURE_PAT,
    FEATURE_PSE36,
    FEATURE_CLFLUSH,
    FEATURE_MMX,
    FEATURE_FXSR,
    FEATURE_SSE,
    FEATURE_SSE2,
    FEATURE_CPUID, /* the instruction itself and EFLAGS.ID */
    FEATURE_NOPL,  /* hint NOPs 0F 0D and 0F 18 to 0F 1F, prefetches included: from the Pentium Pro
                      on, no CPUID bit */
    FEATURE_RDPMC, /* Pentium Pro and Pentium MMX, no CPUID bit */

    FEATURE_SSE3,
    FEATURE_PCLMUL,
    FEATURE_MONITOR,
    FEATURE_SSSE3,
    FEATURE_CX16,
    FEATURE_SSE41,
    FEATURE_SSE42,
    FEATURE_MOVBE,
    FEATURE_POPCNT,
    FEATURE_AES,
    FEATURE_RDRAND,
    FEATURE_HYPERVISOR,

    FEATURE_BMI1, /* TZCNT; without it F3 0F BC is BSF */
    FEATURE_SMEP,
    FEATURE_INVPCID,
    FEATURE_SMAP,
    FEATURE_UMIP,

    FEATURE_SYSCALL, /* SYSCALL and SYSRET in 32-bit modes */
    FEATURE_NX,
    FEATURE_RDTSCP,
    FEATURE_LZCNT, /* without it F3 0F BD is BSR */
    FEATURE_LONG_MODE,

    FEATURE_X2APIC,
    FEATURE_TSC_DEADLINE, /* the mode of the local APIC's timer */
    FEATURE_TSC_ADJUST,
    FEATURE_PMU, /* architectural performance monitoring, leaf 0Ah */
    FEATURE_COUNT
} CpuFeature;

_Static_assert(FEATURE_COUNT <= 64, "features are bits of a uint64_t");

#define FEATURE_BIT(feature) (UINT64_C(1) << (feature))

#endif
