/* The models that -cpu names. Signatures and features as the processors' own manuals and
 * identification notes give them (AP-485). */
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
#define FEATURES_P3   (FEATURES_P2 | BIT(SSE))
#define FEATURES_P4   (FEATURES_P3 | BIT(SSE2) | BIT(CLFLUSH))
#define FEATURES_QEMU32 ((FEATURES_P4 | BIT(SSE3)) & ~(BIT(CLFLUSH) | BIT(VME) | BIT(MTRR) | BIT(MCA) | BIT(PSE36)))
#define FEATURES_MAX  (FEATURES_P4 | BIT(SSE3) | BIT(SSSE3) | BIT(SSE41) | BIT(SSE42) | BIT(POPCNT) | BIT(MOVBE) | BIT(NX) | \
                       BIT(SMEP) | BIT(UMIP) | BIT(RDTSCP) | BIT(AES) | BIT(PCLMUL) | BIT(MONITOR) | BIT(RDRAND) | BIT(INVPCID) | \
                       BIT(SMAP) | BIT(LZCNT) | BIT(X2APIC) | BIT(TSC_DEADLINE) | BIT(TSC_ADJUST) | BIT(PMU))
/* What scripts may switch off by name and nobody can switch on: long mode's, and BMI1's instructions with VEX prefixes. */
#define FEATURES_ABSENT (BIT(SYSCALL) | BIT(LONG_MODE) | BIT(CX16) | BIT(BMI1))

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
     .vendor = "GenuineIntel", .brand_index = 2, .cache_descriptors = {0x03020101, 0, 0, 0x0C040882}, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(0x08) << 32},
    {.name = "pentium4", .description = "Intel Pentium 4 (Northwood)", .features = FEATURES_P4, .signature = 0xF24, .max_leaf = 2,
     .max_extended_leaf = 0x80000004, .vendor = "GenuineIntel", .brand = "Intel(R) Pentium(R) 4 CPU 1.00GHz",
     .brand_index = 9, .cache_descriptors = {0x665B5001, 0, 0, 0x007B7040}, .tsc_hz = HZ_1G,
     .microcode_revision = UINT64_C(0x1E) << 32},
    {.name = "qemu32", .description = "A plain 32-bit processor as QEMU's default is one", .features = FEATURES_QEMU32, .signature = 0x663,
     .max_leaf = 4, .max_extended_leaf = 0x80000004, .vendor = "GenuineIntel", .brand = "Reprise Virtual CPU",
     .cache_descriptors = {0x00000001, 0, 0, 0x002C307D}, .tsc_hz = HZ_1G, .microcode_revision = UINT64_C(1) << 32},
    {.name = "max", .description = "Every feature that there is", .features = FEATURES_MAX, .signature = 0x6A5,
     .max_leaf = 0xB, .max_extended_leaf = 0x80000008, .vendor = "GenuineIntel", .brand = "Reprise Virtual CPU",
     .cache_descriptors = {0x00000001, 0, 0, 0x002C307D}, .tsc_hz = HZ_1G, .microcode_revision = UINT64_C(1) << 32},
};

/* Names as CPUID's documentation writes them; the 386's own instructions have none. */
static const char *const feature_names[FEATURE_COUNT] = {
    [FEATURE_FPU] = "fpu", [FEATURE_VME] = "vme", [FEATURE_DE] = "de", [FEATURE_PSE] = "pse", [FEATURE_TSC] = "tsc",
    [FEATURE_MSR] = "msr", [FEATURE_PAE] = "pae", [FEATURE_MCE] = "mce", [FEATURE_CX8] = "cx8", [FEATURE_APIC] = "apic",
    [FEATURE_SEP] = "sep", [FEATURE_MTRR] = "mtrr", [FEATURE_PGE] = "pge", [FEATURE_MCA] = "mca", [FEATURE_CMOV] = "cmov",
    [FEATURE_PAT] = "pat", [FEATURE_PSE36] = "pse36", [FEATURE_CLFLUSH] = "clflush", [FEATURE_MMX] = "mmx",
    [FEATURE_FXSR] = "fxsr", [FEATURE_SSE] = "sse", [FEATURE_SSE2] = "sse2", [FEATURE_CPUID] = "cpuid", [FEATURE_NOPL] = "nopl",
    [FEATURE_RDPMC] = "rdpmc", [FEATURE_SSE3] = "sse3", [FEATURE_PCLMUL] = "pclmulqdq", [FEATURE_MONITOR] = "monitor",
    [FEATURE_SSSE3] = "ssse3", [FEATURE_CX16] = "cx16", [FEATURE_SSE41] = "sse4.1", [FEATURE_SSE42] = "sse4.2",
    [FEATURE_MOVBE] = "movbe", [FEATURE_POPCNT] = "popcnt", [FEATURE_AES] = "aes", [FEATURE_RDRAND] = "rdrand",
    [FEATURE_HYPERVISOR] = "hypervisor", [FEATURE_BMI1] = "bmi1", [FEATURE_SMEP] = "smep", [FEATURE_INVPCID] = "invpcid",
    [FEATURE_SMAP] = "smap", [FEATURE_UMIP] = "umip", [FEATURE_SYSCALL] = "syscall", [FEATURE_NX] = "nx",
    [FEATURE_RDTSCP] = "rdtscp", [FEATURE_LZCNT] = "lzcnt", [FEATURE_LONG_MODE] = "lm",
    [FEATURE_X2APIC] = "x2apic", [FEATURE_TSC_DEADLINE] = "tsc-deadline", [FEATURE_TSC_ADJUST] = "tsc_adjust", [FEATURE_PMU] = "pmu",
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

const char *cpu_feature_name(CpuFeature feature) {
    return (unsigned)feature < FEATURE_COUNT ? feature_names[feature] : NULL;
}

/* "sse4.1", "sse4-1" and "sse4_1" are the same feature. */
static bool is_same_feature(const char *name, const char *text, size_t length) {
    if (strlen(name) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool separator = strchr(".-_", name[i]) != NULL && strchr(".-_", text[i]) != NULL;
        if (name[i] != text[i] && !separator)
            return false;
    }
    return true;
}

static int find_feature(const char *text, size_t length) {
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (feature_names[i] != NULL && is_same_feature(feature_names[i], text, length))
            return i;
    return -1;
}

static bool is_text(const char *item, size_t length, const char *text) {
    return strlen(text) == length && memcmp(text, item, length) == 0;
}

/* QEMU's properties that change nothing here: the vendor that the model has anyway, and how a
 * host's processor would be shown. */
static bool is_known_property(const CpuModel *model, const char *item, size_t length) {
    static const char *const harmless[] = {
        "check",          "enforce",          "enforce=on",    "enforce=off",
        "migratable=on",  "migratable=off",   "migratable=no", "host-phys-bits=off",
        "host-phys-bits", "host-phys-bits=on"};
    enum { VENDOR_BYTES = 7 };
    if (length > VENDOR_BYTES && memcmp(item, "vendor=", VENDOR_BYTES) == 0)
        return is_text(item + VENDOR_BYTES, length - VENDOR_BYTES, model->vendor);
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (is_text(item, length, harmless[i]))
            return true;
    return false;
}

/* One item after the model's name: "+sse", "-sse", "sse", "sse=on". */
static bool parse_feature(const CpuModel *model, const char *item, size_t length,
                          uint64_t *features, Error *error) {
    bool on = true;
    const char *name = item;
    size_t name_length = length;
    if (is_known_property(model, item, length))
        return true;
    if (length > 0 && (item[0] == '+' || item[0] == '-')) {
        on = item[0] == '+';
        name++;
        name_length--;
    } else {
        const char *equals = memchr(item, '=', length);
        if (equals != NULL) {
            size_t value_length = length - (size_t)(equals - item) - 1;
            bool is_on = value_length == 2 && memcmp(equals + 1, "on", 2) == 0;
            bool is_off = value_length == 3 && memcmp(equals + 1, "off", 3) == 0;
            if (!is_on && !is_off)
                return error_set(error, "CPU feature '%.*s': the value is 'on' or 'off'",
                                 (int)length, item);
            on = is_on;
            name_length = (size_t)(equals - item);
        }
    }
    int feature = find_feature(name, name_length);
    if (feature < 0)
        return error_set(error, "unknown CPU feature '%.*s' (see -cpu help)", (int)name_length,
                         name);
    if (on && (FEATURES_ABSENT & FEATURE_BIT(feature)) != 0)
        return error_set(error, "CPU feature '%.*s' is not in this version", (int)name_length,
                         name);
    if (on)
        *features |= FEATURE_BIT(feature);
    else
        *features &= ~FEATURE_BIT(feature);
    return true;
}

bool cpu_model_parse(const char *text, const CpuModel **model, uint64_t *features, Error *error) {
    size_t length = strcspn(text, ",");
    *model = NULL;
    for (unsigned i = 0; i < MODEL_COUNT; i++)
        if (strlen(models[i].name) == length && memcmp(models[i].name, text, length) == 0)
            *model = &models[i];
    if (*model == NULL) {
        ByteBuffer known = {0};
        for (unsigned i = 0; i < MODEL_COUNT; i++)
            byte_buffer_print(&known, " %s", models[i].name);
        error_set(error, "unknown CPU model '%.*s'; known:%s", (int)length, text,
                  (const char *)known.data);
        byte_buffer_free(&known);
        return false;
    }
    *features = (*model)->features;
    for (const char *item = text + length; *item == ','; item += length) {
        item++;
        length = strcspn(item, ",");
        if (!parse_feature(*model, item, length, features, error))
            return false;
    }
    return true;
}

void cpu_model_print_list(ByteBuffer *text) {
    byte_buffer_print(text, "CPU models:\n");
    for (unsigned i = 0; i < MODEL_COUNT; i++)
        byte_buffer_print(text, "  %-14s %s\n", models[i].name, models[i].description);
    byte_buffer_print(text, "CPU features (+NAME or -NAME after the model):\n ");
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (feature_names[i] != NULL)
            byte_buffer_print(text, " %s", feature_names[i]);
    byte_buffer_print(text, "\n");
}
