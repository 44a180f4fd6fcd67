/* The models that -cpu names. Signatures and features as the processors' own manuals and
 * identification notes give them (AP-485; AMD 20734 for the Athlon); 'qemu32' as QEMU 7.2 has it.
 *
 * Where QEMU's models of the same name differ, these follow the chips: QEMU's 486 has the signature
 * of a DX4 and PSE, its pentium is one with MMX and a local APIC, none has VME, all but the newest
 * have the cache descriptors of one made-up processor, and every one calls itself a guest's. What
 * the chips have and these lack, because nothing is behind it: a serial number (Pentium III),
 * the debug store, thermal monitor and clock control (Pentium 4). */
#include "cpu_model.h"
#include <stdlib.h>
#include <string.h>

#define BIT(name) FEATURE_BIT(FEATURE_##name)

// clang-format off
enum { HZ_1G = 1000000000 };

#define FEATURES_386  (BIT(386) | BIT(TEST_REGISTERS) | BIT(FPU))
#define FEATURES_486  (FEATURES_386 | BIT(486) | BIT(CPUID))
#define FEATURES_P5   (BIT(386) | BIT(486) | BIT(FPU) | BIT(CPUID) | BIT(VME) | BIT(DE) | BIT(PSE) | BIT(TSC) | BIT(MSR) | BIT(MCE) | BIT(CX8))
#define FEATURES_P55C (FEATURES_P5 | BIT(MMX) | BIT(RDPMC))
#define FEATURES_P2   (FEATURES_P55C | BIT(PAE) | BIT(APIC) | BIT(SEP) | BIT(MTRR) | BIT(PGE) | BIT(MCA) | BIT(CMOV) | BIT(PAT) | BIT(PSE36) | BIT(FXSR) | BIT(NOPL))
#define FEATURES_P3   (FEATURES_P2 | BIT(SSE) | BIT(MMX_INTEGER))
#define FEATURES_P4   (FEATURES_P3 | BIT(SSE2) | BIT(CLFLUSH) | BIT(SS))
/* An Athlon before the XP: no SSE, but what it added to MMX. */
#define FEATURES_ATHLON (FEATURES_P2 | BIT(MMX_INTEGER) | BIT(SYSCALL) | BIT(MMXEXT) | BIT(3DNOW) | BIT(3DNOWEXT))
#define FEATURES_QEMU32 ((FEATURES_P4 | BIT(SSE3) | BIT(HYPERVISOR)) & ~(BIT(CLFLUSH) | BIT(VME) | BIT(MTRR) | BIT(MCA) | BIT(PSE36) | BIT(SS)))
/* What of QEMU's models with long mode a 32-bit machine has. */
#define FEATURES_QEMU_64  (FEATURES_QEMU32 | BIT(MTRR) | BIT(CLFLUSH) | BIT(MCA) | BIT(PSE36) | BIT(NX))
#define FEATURES_MAX  (FEATURES_P4 | BIT(SSE3) | BIT(SSSE3) | BIT(SSE41) | BIT(SSE42) | BIT(POPCNT) | BIT(MOVBE) | BIT(NX) | \
                       BIT(SMEP) | BIT(UMIP) | BIT(RDTSCP) | BIT(AES) | BIT(PCLMUL) | BIT(MONITOR) | BIT(RDRAND) | BIT(INVPCID) | \
                       BIT(SMAP) | BIT(LZCNT) | BIT(ERMS) | BIT(ADX) | BIT(RDSEED) | BIT(CLFLUSHOPT) | BIT(CLWB) | BIT(PREFETCHW) | BIT(HYPERVISOR) | \
                       BIT(X2APIC) | BIT(TSC_DEADLINE) | BIT(TSC_ADJUST) | BIT(PMU))

/* Cache parameters (leaf 4) of QEMU's made-up processor: L1 of 32 KB each, L2 of 4 MB, L3 of 16 MB. */
#define CACHE_LEAVES \
    {4, 0, 0x121, 0x01C0003F, 0x0000003F, 1}, \
    {4, 1, 0x122, 0x01C0003F, 0x0000003F, 1}, \
    {4, 2, 0x143, 0x03C0003F, 0x00000FFF, 1}, \
    {4, 3, 0x163, 0x03C0003F, 0x00003FFF, 6}

static const CpuidLeaf leaves_qemu32[] = {CACHE_LEAVES, {0, 0, 0, 0, 0, 0}};
static const CpuidLeaf leaves_qemu64[] = {
    CACHE_LEAVES,
    {5, CPUID_ANY_SUBLEAF, 0, 0, 3, 0},
    {0x80000005, CPUID_ANY_SUBLEAF, 0x01FF01FF, 0x01FF01FF, 0x40020140, 0x40020140},
    {0x80000006, CPUID_ANY_SUBLEAF, 0, 0x42004200, 0x02008140, 0x00808140},
    {0, 0, 0, 0, 0, 0},
};
static const CpuidLeaf leaves_max[] = {
    CACHE_LEAVES,
    {5, CPUID_ANY_SUBLEAF, 64, 64, 0, 0x10}, /* MONITOR: lines of 64 bytes, no extensions, one state C1 */
    {0x80000006, CPUID_ANY_SUBLEAF, 0, 0, 0x10008040, 0}, /* L2: 4 MB, 16 ways, lines of 64 bytes */
    {0, 0, 0, 0, 0, 0},
};

/* AMD 20734, "AMD Processor Recognition", of a Thunderbird: L1 of 64 KB each, L2 of 256 KB. */
static const CpuidLeaf leaves_athlon[] = {
    {0x80000005, CPUID_ANY_SUBLEAF, 0x0408FF08, 0xFF20FF10, 0x40020140, 0x40020140},
    {0x80000006, CPUID_ANY_SUBLEAF, 0, 0x41004100, 0x01008140, 0},
    {0, 0, 0, 0, 0, 0},
};

static const CpuModel models[] = {
    {.name = "386", .description = "Intel 386 DX with a 387", .features = FEATURES_386, .signature = 0x308, .tsc_hz = HZ_1G},
    {.name = "486", .description = "Intel 486 DX2", .features = FEATURES_486, .signature = 0x435, .max_leaf = 1,
     .vendor = "GenuineIntel", .tsc_hz = HZ_1G},
    {.name = "pentium", .description = "Intel Pentium (P54C)", .features = FEATURES_P5, .signature = 0x52C, .max_leaf = 1,
     .vendor = "GenuineIntel", .tsc_hz = HZ_1G},
    {.name = "pentium-mmx", .description = "Intel Pentium with MMX (P55C)", .features = FEATURES_P55C, .signature = 0x543, .max_leaf = 1,
     .vendor = "GenuineIntel", .tsc_hz = HZ_1G},
    {.name = "pentium2", .description = "Intel Pentium II (Deschutes)", .features = FEATURES_P2, .signature = 0x652, .max_leaf = 2,
     .vendor = "GenuineIntel", .cache_descriptors = {0x03020101, 0, 0, 0x0C040843}, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(0x2A) << 32},
    {.name = "pentium3", .description = "Intel Pentium III (Coppermine)", .features = FEATURES_P3, .signature = 0x686, .max_leaf = 2,
     .vendor = "GenuineIntel", .leaf_1_ebx = 2, .cache_descriptors = {0x03020101, 0, 0, 0x0C040882}, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(0x08) << 32},
    {.name = "pentium4", .description = "Intel Pentium 4 (Northwood)", .features = FEATURES_P4, .signature = 0xF24, .max_leaf = 2,
     .max_extended_leaf = 0x80000004, .vendor = "GenuineIntel", .brand = "Intel(R) Pentium(R) 4 CPU 1.00GHz",
     .leaf_1_ebx = 0x0809, .cache_descriptors = {0x665B5001, 0, 0, 0x007B7040}, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(0x1E) << 32},
    {.name = "athlon", .description = "AMD Athlon (Thunderbird)", .features = FEATURES_ATHLON, .signature = 0x642, .max_leaf = 1,
     .max_extended_leaf = 0x80000008, .vendor = "AuthenticAMD", .brand = "AMD Athlon(tm) Processor", .has_amd_leaves = true,
     .leaves = leaves_athlon, .tsc_hz = HZ_1G},
    {.name = "qemu32", .description = "What QEMU 7.2 calls by this name, feature by feature", .features = FEATURES_QEMU32, .signature = 0x663,
     .max_leaf = 4, .max_extended_leaf = 0x80000004, .vendor = "GenuineIntel", .brand = "QEMU Virtual CPU version 2.5+",
     .leaf_1_ebx = 0x0800, .has_amd_leaves = true, .cache_descriptors = {0x00000001, 0, 0x0000004D, 0x002C307D}, .leaves = leaves_qemu32,
     .tsc_hz = HZ_1G, .microcode_revision = UINT64_C(1) << 32},
    {.name = "qemu64", .description = "The same, as qemu-system-i386 has it: without long mode", .features = FEATURES_QEMU_64,
     .signature = 0x60FB1, .max_leaf = 0xD, .max_extended_leaf = 0x8000000A, .vendor = "AuthenticAMD",
     .brand = "QEMU Virtual CPU version 2.5+", .leaf_1_ebx = 0x0800, .has_amd_leaves = true,
     .cache_descriptors = {0x00000001, 0, 0x0000004D, 0x002C307D}, .leaves = leaves_qemu64, .tsc_hz = HZ_1G},
    {.name = "kvm64", .description = "Likewise, an Intel processor", .features = FEATURES_QEMU_64, .signature = 0xF61, .max_leaf = 0xD,
     .max_extended_leaf = 0x80000008, .vendor = "GenuineIntel", .brand = "Common KVM processor", .leaf_1_ebx = 0x0800, .has_amd_leaves = true,
     .cache_descriptors = {0x00000001, 0, 0x0000004D, 0x002C307D}, .leaves = leaves_qemu64, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(1) << 32},
    {.name = "max", .description = "Every feature that there is", .features = FEATURES_MAX, .signature = 0x6A5,
     .max_leaf = 0xB, .max_extended_leaf = 0x80000008, .vendor = "GenuineIntel", .brand = "Reprise Virtual CPU",
     .leaf_1_ebx = 0x0800, .cache_descriptors = {0x00000001, 0, 0x0000004D, 0x002C307D}, .leaves = leaves_max, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(1) << 32},
};
// clang-format on

enum { MODEL_COUNT = sizeof(models) / sizeof(models[0]) };

const CpuModel *cpu_model_at(unsigned index) {
    return index < MODEL_COUNT ? &models[index] : NULL;
}

const CpuModel *cpu_model_find(const char *name) {
    for (unsigned i = 0; i < MODEL_COUNT; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

uint64_t cpu_features_complete(uint64_t features) {
    bool has_mmx_integer = (features & (BIT(SSE) | BIT(MMXEXT))) != 0;
    return has_mmx_integer ? features | BIT(MMX_INTEGER) : features & ~BIT(MMX_INTEGER);
}
