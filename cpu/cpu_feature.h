/* What a CPU model may have or lack. Bit numbers of a 64-bit mask (Cpu.features[0]); an opcode's
 * row names the one feature that brings it, and the instruction is #UD where the model lacks it. */
#ifndef REPRISE_CPU_FEATURE_H
#define REPRISE_CPU_FEATURE_H

#include <stdint.h>

typedef enum CpuFeature {
#define FEATURE(name, text, word, bit) FEATURE_##name,
#include "cpu_features.def"
#undef FEATURE
    FEATURE_COUNT
} CpuFeature;

/* The words of CPUID in which features are bits. */
typedef enum CpuidWord {
    CPUID_NONE,
    CPUID_1_EDX,
    CPUID_1_ECX,
    CPUID_7_EBX,
    CPUID_7_ECX,
    CPUID_80000001_EDX,
    CPUID_80000001_ECX,
    CPUID_WORDS
} CpuidWord;

_Static_assert(FEATURE_386 == 0, "rows without a feature have 0 there");
_Static_assert(FEATURE_COUNT <= 64, "features are bits of a uint64_t");

#define FEATURE_BIT(feature) (UINT64_C(1) << (feature))

#endif
