/* CPUID, SDM vol. 2A: everything follows from the model and the features chosen for it. */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "helpers.h"
#include "msr.h"
#include "performance.h"
#include <string.h>

typedef struct CpuidBit {
    uint8_t feature, bit;
} CpuidBit;

// clang-format off
static const CpuidBit leaf_1_edx[] = {
    {FEATURE_FPU, 0}, {FEATURE_VME, 1}, {FEATURE_DE, 2}, {FEATURE_PSE, 3}, {FEATURE_TSC, 4}, {FEATURE_MSR, 5}, {FEATURE_PAE, 6},
    {FEATURE_MCE, 7}, {FEATURE_CX8, 8}, {FEATURE_APIC, 9}, {FEATURE_SEP, 11}, {FEATURE_MTRR, 12}, {FEATURE_PGE, 13},
    {FEATURE_MCA, 14}, {FEATURE_CMOV, 15}, {FEATURE_PAT, 16}, {FEATURE_PSE36, 17}, {FEATURE_CLFLUSH, 19}, {FEATURE_MMX, 23},
    {FEATURE_FXSR, 24}, {FEATURE_SSE, 25}, {FEATURE_SSE2, 26}, {0, 0},
};
static const CpuidBit leaf_1_ecx[] = {
    {FEATURE_SSE3, 0}, {FEATURE_PCLMUL, 1}, {FEATURE_MONITOR, 3}, {FEATURE_SSSE3, 9}, {FEATURE_CX16, 13}, {FEATURE_SSE41, 19},
    {FEATURE_SSE42, 20}, {FEATURE_X2APIC, 21}, {FEATURE_MOVBE, 22}, {FEATURE_POPCNT, 23}, {FEATURE_TSC_DEADLINE, 24}, {FEATURE_AES, 25}, {FEATURE_RDRAND, 30},
    {FEATURE_HYPERVISOR, 31}, {0, 0},
};
static const CpuidBit leaf_7_ebx[] = {
    {FEATURE_TSC_ADJUST, 1}, {FEATURE_BMI1, 3}, {FEATURE_SMEP, 7}, {FEATURE_INVPCID, 10}, {FEATURE_SMAP, 20}, {0, 0},
};
static const CpuidBit leaf_7_ecx[] = {{FEATURE_UMIP, 2}, {0, 0}};
static const CpuidBit extended_1_edx[] = {
    {FEATURE_SYSCALL, 11}, {FEATURE_NX, 20}, {FEATURE_RDTSCP, 27}, {FEATURE_LONG_MODE, 29}, {0, 0},
};
static const CpuidBit extended_1_ecx[] = {{FEATURE_LZCNT, 5}, {0, 0}};
// clang-format on

static uint32_t feature_bits(const Cpu *cpu, const CpuidBit *row) {
    uint32_t bits = 0;
    for (; row->feature != 0; row++)
        if (cpu_has(cpu, row->feature))
            bits |= 1u << row->bit;
    return bits;
}

static uint32_t text_word(const char *text, size_t size, size_t offset) {
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++)
        if (offset + i < size)
            word |= (uint32_t)(uint8_t)text[offset + i] << 8 * i;
    return word;
}

/* A disabled APIC is as none at all: SDM vol. 3A 10.4.3. */
static bool has_enabled_apic(const Cpu *cpu) {
    enum { IA32_APIC_BASE = 0x1B, ENABLED = 1 << 11 };
    uint64_t base;
    return msr_map_read(&cpu->msrs, IA32_APIC_BASE, &base) && (base & ENABLED);
}

uint32_t cpuid_features(const Cpu *cpu) {
    return feature_bits(cpu, leaf_1_edx);
}

static CpuidLeaf features_leaf(const Cpu *cpu) {
    enum { CLFLUSH_LINE_8_QUADWORDS = 8 << 8, LOCAL_APIC_EXTENSIONS = 1 << 21 | 1 << 24 };
    CpuidLeaf leaf = {.eax = cpu->model->signature,
                      .ebx = cpu->model->brand_index,
                      .ecx = feature_bits(cpu, leaf_1_ecx),
                      .edx = feature_bits(cpu, leaf_1_edx)};
    if (cpu_has(cpu, FEATURE_CLFLUSH))
        leaf.ebx |= CLFLUSH_LINE_8_QUADWORDS;
    if (!has_enabled_apic(cpu))
        leaf.edx &= ~(1u << 9);
    if (!cpu_has(cpu, FEATURE_APIC))
        leaf.ecx &= ~(uint32_t)(LOCAL_APIC_EXTENSIONS);
    return leaf;
}

static CpuidLeaf brand_leaf(const CpuModel *model, uint32_t part) {
    size_t at = part * 16, size = sizeof(model->brand);
    return (CpuidLeaf){.eax = text_word(model->brand, size, at),
                       .ebx = text_word(model->brand, size, at + 4),
                       .ecx = text_word(model->brand, size, at + 8),
                       .edx = text_word(model->brand, size, at + 12)};
}

/* Firmware can hide NX from systems that it confuses. */
static uint32_t hidden_nx(const Cpu *cpu) {
    return cpu->state.misc_enable & MISC_ENABLE_NO_NX ? 1u << 20 : 0;
}

/* And leaves beyond 3, which confused Windows NT 4. */
static uint32_t highest_basic_leaf(const Cpu *cpu) {
    uint32_t highest = cpu->model->max_leaf;
    bool limited = (cpu->state.misc_enable & MISC_ENABLE_LIMIT_CPUID) != 0;
    return limited && highest > 3 ? 3 : highest;
}

static CpuidLeaf extended_leaf(const Cpu *cpu, uint32_t number) {
    const CpuModel *model = cpu->model;
    switch (number) {
    case 0x80000000:
        return (CpuidLeaf){.eax = model->max_extended_leaf};
    case 0x80000001:
        return (CpuidLeaf){.ecx = feature_bits(cpu, extended_1_ecx),
                           .edx = feature_bits(cpu, extended_1_edx) & ~hidden_nx(cpu)};
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        return brand_leaf(model, number - 0x80000002);
    case 0x80000008: /* 32 physical address bits (36 with PAE), 32 linear ones */
        return (CpuidLeaf){.eax = cpu_has(cpu, FEATURE_PAE) ? 0x2024 : 0x2020};
    default:
        return (CpuidLeaf){0};
    }
}

static CpuidLeaf performance_leaf(const Cpu *cpu) {
    if (!cpu_has(cpu, FEATURE_PMU))
        return (CpuidLeaf){0};
    return (CpuidLeaf){.eax = performance_leaf_eax(),
                       .ebx = performance_leaf_ebx(),
                       .edx = performance_leaf_edx()};
}

/* One thread in one core, x2APIC ID 0. */
static CpuidLeaf topology_leaf(const Cpu *cpu) {
    enum { LEVEL_THREAD = 1 << 8, LEVEL_CORE = 2 << 8, LEVELS = 2 };
    uint32_t level = (uint32_t)cpu->state.gpr[REG_ECX];
    if (!cpu_has(cpu, FEATURE_X2APIC))
        return (CpuidLeaf){0};
    if (level >= LEVELS)
        return (CpuidLeaf){.ecx = level & 0xFF};
    return (CpuidLeaf){.ebx = 1, .ecx = level | (level == 0 ? LEVEL_THREAD : LEVEL_CORE)};
}

static CpuidLeaf basic_leaf(const Cpu *cpu, uint32_t number) {
    const CpuModel *model = cpu->model;
    switch (number) {
    case 0:
        return (CpuidLeaf){.eax = highest_basic_leaf(cpu),
                           .ebx = text_word(model->vendor, 12, 0),
                           .ecx = text_word(model->vendor, 12, 8),
                           .edx = text_word(model->vendor, 12, 4)};
    case 1:
        return features_leaf(cpu);
    case 2:
        return (CpuidLeaf){.eax = model->cache_descriptors[0],
                           .ebx = model->cache_descriptors[1],
                           .ecx = model->cache_descriptors[2],
                           .edx = model->cache_descriptors[3]};
    case 7:
        if (cpu->state.gpr[REG_ECX] != 0)
            return (CpuidLeaf){0};
        return (CpuidLeaf){.ebx = feature_bits(cpu, leaf_7_ebx),
                           .ecx = feature_bits(cpu, leaf_7_ecx)};
    case 0xA:
        return performance_leaf(cpu);
    case 0xB:
        return topology_leaf(cpu);
    default:
        break;
    }
    for (const CpuidLeaf *row = model->leaves; row != NULL && row->leaf != 0; row++)
        if (row->leaf == number)
            return *row;
    return (CpuidLeaf){0};
}

HelperResult helper_cpuid(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    const CpuModel *model = cpu->model;
    uint32_t number = (uint32_t)cpu->state.gpr[REG_EAX];
    bool extended = number >= 0x80000000 && number <= model->max_extended_leaf;
    if (!extended && number > highest_basic_leaf(cpu))
        number = highest_basic_leaf(cpu); /* SDM vol. 2A: data of the highest basic leaf */
    CpuidLeaf leaf = extended ? extended_leaf(cpu, number) : basic_leaf(cpu, number);
    cpu->state.gpr[REG_EAX] = leaf.eax;
    cpu->state.gpr[REG_EBX] = leaf.ebx;
    cpu->state.gpr[REG_ECX] = leaf.ecx;
    cpu->state.gpr[REG_EDX] = leaf.edx;
    return HELPER_NEXT;
}
