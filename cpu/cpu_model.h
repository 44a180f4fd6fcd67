/* CPU models: what -cpu names, and what CPUID, the reset values and #UD follow from. */
#ifndef REPRISE_CPU_MODEL_H
#define REPRISE_CPU_MODEL_H

#include "byte_buffer.h"
#include "cpu_feature.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>

enum { CPUID_ANY_SUBLEAF = UINT32_MAX };

/* One leaf of CPUID that is data. */
typedef struct CpuidLeaf {
    uint32_t leaf, subleaf; /* or CPUID_ANY_SUBLEAF */
    uint32_t eax, ebx, ecx, edx;
} CpuidLeaf;

typedef struct CpuModel {
    const char *name;
    const char *description;
    uint64_t features;          /* FEATURE_BIT()s */
    uint32_t signature;         /* family, model, stepping: CPUID(1).EAX and EDX after RESET */
    uint32_t max_leaf;          /* CPUID(0).EAX */
    uint32_t max_extended_leaf; /* CPUID(80000000h).EAX; 0 where there are none */
    char vendor[13];
    char brand[49];                /* leaves 80000002h to 80000004h */
    uint16_t leaf_1_ebx;           /* CPUID(1).EBX 15:0: brand index, size of CLFLUSH's line */
    bool has_amd_leaves;           /* 80000000h and 80000001h repeat vendor and signature */
    bool hides_hypervisor;         /* no leaf 40000000h */
    uint32_t cache_descriptors[4]; /* CPUID(2) */
    const CpuidLeaf *leaves;       /* further ones, ended by an entry of zeroes; may be NULL */
    uint32_t tsc_hz;
    uint64_t instructions_per_second; /* mips=: how fast it is to be; 0: as fast as the host can */
    uint64_t microcode_revision;      /* IA32_BIOS_SIGN_ID after reset */
} CpuModel;

/* Families by which processors of one feature set are told apart. */
enum { CPU_FAMILY_P5 = 5, CPU_FAMILY_P6 = 6, CPU_FAMILY_PENTIUM_4 = 15 };

/* Bits 11:8 of the signature. */
static inline unsigned cpu_model_family(const CpuModel *model) {
    return model->signature >> 8 & 15;
}

/* NULL if there is no such model. */
const CpuModel *cpu_model_find(const char *name);
/* All models, in order of age; NULL past the last. */
const CpuModel *cpu_model_at(unsigned index);

/* Reads "MODEL[,+FEATURE|,-FEATURE|,FEATURE=on|off|,PROPERTY=VALUE]..." as -cpu takes it, with
 * QEMU's names. '*model' is the named one with the changes made. Anything unknown is an error. */
bool cpu_model_parse(const char *text, CpuModel *model, Error *error);

/* The name of a feature as CPUID documents and -cpu write it ("sse2"); NULL for those that have
 * none (FEATURE_386). */
const char *cpu_feature_name(CpuFeature feature);

/* The features with those that follow from others set or cleared. */
uint64_t cpu_features_complete(uint64_t features);

/* Whether processors have a feature of this name, but no model here. */
bool cpu_feature_is_absent(const char *name, size_t length);

/* Lists models and features, for '-cpu help'. */
void cpu_model_print_list(ByteBuffer *text);

#endif
