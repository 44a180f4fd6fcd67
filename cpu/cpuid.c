/* CPUID, SDM vol. 2A: everything follows from the model and the features chosen for it. */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "helpers.h"
#include "msr.h"
#include "performance.h"
#include <string.h>

enum { HYPERVISOR_LEAF = 0x40000000, HYPERVISOR_LEAF_LAST };
#define EXTENDED_LEAF 0x80000000u

static const struct {
    uint8_t word, bit;
} feature_places[FEATURE_COUNT] = {
#define FEATURE(name, text, word, bit) {CPUID_##word, bit},
#include "cpu_features.def"
#undef FEATURE
};

static uint32_t feature_bit(CpuFeature feature) {
    return 1u << feature_places[feature].bit;
}

void cpuid_prepare(Cpu *cpu) {
    memset(cpu->cpuid_words, 0, sizeof(cpu->cpuid_words));
    cpu->cpuid_words_of = cpu->features[0];
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (cpu_has(cpu, i))
            cpu->cpuid_words[feature_places[i].word] |= feature_bit(i);
}

/* The features that are there, of one word. */
static uint32_t feature_bits(const Cpu *cpu, CpuidWord word) {
    return cpu->cpuid_words[word];
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
    return feature_bits(cpu, CPUID_1_EDX);
}

static CpuidLeaf features_leaf(const Cpu *cpu) {
    enum { CLFLUSH_LINE = 0xFF00, CLFLUSH_LINE_8_QUADWORDS = 8 << 8 };
    CpuidLeaf leaf = {.eax = cpu->model->signature,
                      .ebx = cpu->model->leaf_1_ebx | (uint32_t)cpu->number << 24,
                      .ecx = feature_bits(cpu, CPUID_1_ECX),
                      .edx = feature_bits(cpu, CPUID_1_EDX)};
    if (cpu_has(cpu, FEATURE_CLFLUSH) && (leaf.ebx & CLFLUSH_LINE) == 0)
        leaf.ebx |= CLFLUSH_LINE_8_QUADWORDS;
    if (!has_enabled_apic(cpu))
        leaf.edx &= ~feature_bit(FEATURE_APIC);
    if (!(cpu->state.misc_enable & MISC_ENABLE_MONITOR))
        leaf.ecx &= ~feature_bit(FEATURE_MONITOR);
    if (!cpu_has(cpu, FEATURE_APIC))
        leaf.ecx &= ~(feature_bit(FEATURE_X2APIC) | feature_bit(FEATURE_TSC_DEADLINE));
    return leaf;
}

static CpuidLeaf brand_leaf(const CpuModel *model, uint32_t part) {
    size_t at = part * 16, size = sizeof(model->brand);
    return (CpuidLeaf){.eax = text_word(model->brand, size, at),
                       .ebx = text_word(model->brand, size, at + 4),
                       .ecx = text_word(model->brand, size, at + 8),
                       .edx = text_word(model->brand, size, at + 12)};
}

static CpuidLeaf vendor_leaf(const CpuModel *model, uint32_t highest) {
    return (CpuidLeaf){.eax = highest,
                       .ebx = text_word(model->vendor, 12, 0),
                       .ecx = text_word(model->vendor, 12, 8),
                       .edx = text_word(model->vendor, 12, 4)};
}

/* A leaf that is data of the model. */
static CpuidLeaf data_leaf(const Cpu *cpu, uint32_t number) {
    uint32_t subleaf = (uint32_t)cpu->state.gpr[REG_ECX];
    if (number == 5 && !cpu_has(cpu, FEATURE_MONITOR))
        return (CpuidLeaf){0};
    for (const CpuidLeaf *row = cpu->model->leaves; row != NULL && row->leaf != 0; row++)
        if (row->leaf == number && (row->subleaf == CPUID_ANY_SUBLEAF || row->subleaf == subleaf))
            return *row;
    return (CpuidLeaf){0};
}

/* Firmware can hide NX from systems that it confuses. */
static uint32_t hidden_nx(const Cpu *cpu) {
    return cpu->state.misc_enable & MISC_ENABLE_NO_NX ? feature_bit(FEATURE_NX) : 0;
}

/* And leaves beyond 3, which confused Windows NT 4. */
static uint32_t highest_basic_leaf(const Cpu *cpu) {
    uint32_t highest = cpu->model->max_leaf;
    bool limited = (cpu->state.misc_enable & MISC_ENABLE_LIMIT_CPUID) != 0;
    return limited && highest > 3 ? 3 : highest;
}

/* AMD's processors repeat most of leaf 1 there: AMD 24594, CPUID Fn8000_0001. */
static uint32_t repeated_features(const Cpu *cpu) {
    enum { REPEATED = 0x0183F3FF };
    bool amd = memcmp(cpu->model->vendor, "AuthenticAMD", 12) == 0;
    return amd ? features_leaf(cpu).edx & REPEATED : 0;
}

static CpuidLeaf extended_leaf(const Cpu *cpu, uint32_t number) {
    const CpuModel *model = cpu->model;
    switch (number) {
    case 0x80000000: {
        CpuidLeaf leaf = vendor_leaf(model, model->max_extended_leaf);
        return model->has_amd_leaves ? leaf : (CpuidLeaf){.eax = leaf.eax};
    }
    case 0x80000001:
        return (CpuidLeaf){.eax = model->has_amd_leaves ? model->signature : 0,
                           .ecx = feature_bits(cpu, CPUID_80000001_ECX),
                           .edx = (feature_bits(cpu, CPUID_80000001_EDX) & ~hidden_nx(cpu)) |
                                  repeated_features(cpu)};
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        return brand_leaf(model, number - 0x80000002);
    case 0x80000008: /* 32 physical address bits (36 with PAE), 32 linear ones */
        return (CpuidLeaf){.eax = cpu_has(cpu, FEATURE_PAE) ? 0x2024 : 0x2020};
    default:
        return data_leaf(cpu, number);
    }
}

/* What stands behind the processor, where FEATURE_HYPERVISOR says that something does: the name is
 * that which guests' tools know from QEMU without hardware virtualization. */
static CpuidLeaf hypervisor_leaf(const CpuModel *model, uint32_t number) {
    static const char name[] = "TCGTCGTCGTCG";
    if (number != HYPERVISOR_LEAF || model->hides_hypervisor)
        return (CpuidLeaf){0};
    return (CpuidLeaf){.eax = HYPERVISOR_LEAF_LAST,
                       .ebx = text_word(name, 12, 0),
                       .ecx = text_word(name, 12, 4),
                       .edx = text_word(name, 12, 8)};
}

static CpuidLeaf performance_leaf(const Cpu *cpu) {
    if (!cpu_has(cpu, FEATURE_PMU))
        return (CpuidLeaf){0};
    return (CpuidLeaf){.eax = performance_leaf_eax(),
                       .ebx = performance_leaf_ebx(),
                       .edx = performance_leaf_edx()};
}

/* One thread in one core, that is the processor. */
static CpuidLeaf topology_leaf(const Cpu *cpu) {
    enum { LEVEL_THREAD = 1 << 8, LEVEL_CORE = 2 << 8, LEVELS = 2 };
    uint32_t level = (uint32_t)cpu->state.gpr[REG_ECX];
    if (!cpu_has(cpu, FEATURE_X2APIC))
        return (CpuidLeaf){0};
    if (level >= LEVELS)
        return (CpuidLeaf){.ecx = level & 0xFF, .edx = cpu->number};
    return (CpuidLeaf){
        .ebx = 1, .ecx = level | (level == 0 ? LEVEL_THREAD : LEVEL_CORE), .edx = cpu->number};
}

static CpuidLeaf basic_leaf(const Cpu *cpu, uint32_t number) {
    const CpuModel *model = cpu->model;
    switch (number) {
    case 0:
        return vendor_leaf(model, highest_basic_leaf(cpu));
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
        return (CpuidLeaf){.ebx = feature_bits(cpu, CPUID_7_EBX),
                           .ecx = feature_bits(cpu, CPUID_7_ECX)};
    case 0xA:
        return performance_leaf(cpu);
    case 0xB:
        return topology_leaf(cpu);
    default:
        return data_leaf(cpu, number);
    }
}

static CpuidLeaf find_leaf(const Cpu *cpu, uint32_t number) {
    const CpuModel *model = cpu->model;
    if (number >= EXTENDED_LEAF && number <= model->max_extended_leaf)
        return extended_leaf(cpu, number);
    if (number >= HYPERVISOR_LEAF && number <= HYPERVISOR_LEAF_LAST &&
        cpu_has(cpu, FEATURE_HYPERVISOR))
        return hypervisor_leaf(model, number);
    uint32_t highest = highest_basic_leaf(cpu);
    /* SDM vol. 2A: beyond it, data of the highest basic leaf. */
    return basic_leaf(cpu, number > highest ? highest : number);
}

HelperResult helper_cpuid(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    if (cpu->cpuid_words_of != cpu->features[0])
        cpuid_prepare(cpu);
    CpuidLeaf leaf = find_leaf(cpu, (uint32_t)cpu->state.gpr[REG_EAX]);
    cpu->state.gpr[REG_EAX] = leaf.eax;
    cpu->state.gpr[REG_EBX] = leaf.ebx;
    cpu->state.gpr[REG_ECX] = leaf.ecx;
    cpu->state.gpr[REG_EDX] = leaf.edx;
    return HELPER_NEXT;
}
