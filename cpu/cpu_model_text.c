/* The text of -cpu: a model's name, features and properties, as QEMU's users write them. */
#include "cpu_model.h"
#include <stdlib.h>
#include <string.h>

/* The names as QEMU and CPUID's documentation write them; what only this program knows has none. */
static const char *const feature_names[FEATURE_COUNT] = {
#define FEATURE(name, text, word, bit) [FEATURE_##name] = text,
#include "cpu_features.def"
#undef FEATURE
};

// clang-format off
/* Other names of the same features. */
static const struct {
    const char *name, *feature;
} aliases[] = {
    {"pni", "sse3"}, {"pclmuldq", "pclmulqdq"}, {"xd", "nx"}, {"abm", "lzcnt"}, {"prefetchw", "3dnowprefetch"},
};

/* Features that QEMU knows and that are not here: they may be switched off, which changes nothing.
 * '*' stands for any rest. */
static const char *const absent_features[] = {
    "3dnow-*", "acpi", "amd-*", "amx-*", "arat", "arch-*", "avx*", "bmi2", "bus-lock-detect", "cid", "cldemote", "clzero",
    "cmp-legacy", "core-capability", "cr8legacy", "cx16", "dca", "ds", "ds-cpl", "dtes64", "est", "extapic", "f16c",
    "fdp-excptn-only", "fma", "fma4", "flush-l1d", "fsgsbase", "fsrm", "fxsr-opt", "ffxsr", "gfni", "hle", "ht", "i64",
    "ia64", "ibpb", "ibrs", "ibrs-all", "ibs", "intel-pt", "invtsc", "kvm*", "la57", "lahf-lm", "lbrv", "lm", "lwp", "md-clear",
    "mds-no", "misalignsse", "movdir*", "mp", "mpx", "nodeid-msr", "npt", "nrip-save", "ospke", "osvw", "osxsave", "pbe",
    "pcid", "pcommit", "pdcm", "pdpe1gb", "perfctr-*", "pks", "pku", "pn", "rdctl-no", "rdpid", "rsba", "rtm", "sgx*", "sha-ni",
    "skinit", "skip-l1dfl-vmentry", "smx", "spec-ctrl", "ssb-no", "ssbd", "sse4a", "stibp", "svm*", "tbm", "taa-no", "tce",
    "tm", "tm2", "topoext", "tsc-scale", "tsx-*", "vaes", "virt-ssbd", "vmx*", "vpclmulqdq",
    "vgif", "waitpkg", "wbnoinvd", "wdt", "xcrypt*", "xgetbv1", "xop", "xsave*", "xstore*", "xtpr", "zero-fcs-fds",
};

/* QEMU's properties that change nothing here whatever they are: about a host's processor, about
 * hardware virtualization, and whether a missing feature is an error, which it always is. */
static const char *const ignored_properties[] = {
    "check", "enforce", "fill-mtrr-mask", "full-cpuid-auto-level", "host-cache-info", "host-phys-bits", "host-phys-bits-limit",
    "hv-*", "kvm", "kvm-*", "l3-cache", "legacy-cache", "migratable", "vmware-cpuid-freq",
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A part of the text. */
typedef struct Word {
    const char *at;
    size_t length;
} Word;

static bool is_separator(char c) {
    return c == '.' || c == '-' || c == '_';
}

/* "sse4.1", "sse4-1" and "sse4_1" are the same name. A '*' at the end of 'name' is any rest. */
static bool is_name(const char *name, Word word) {
    size_t i = 0;
    for (; i < word.length && name[i] != '\0' && name[i] != '*'; i++)
        if (name[i] != word.at[i] && !(is_separator(name[i]) && is_separator(word.at[i])))
            return false;
    return name[i] == '*' || (name[i] == '\0' && i == word.length);
}

static bool is_listed(const char *const *names, size_t count, Word word) {
    for (size_t i = 0; i < count; i++)
        if (is_name(names[i], word))
            return true;
    return false;
}

static int find_feature(Word word) {
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (is_name(aliases[i].name, word))
            word = (Word){aliases[i].feature, strlen(aliases[i].feature)};
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (feature_names[i] != NULL && is_name(feature_names[i], word))
            return i;
    return -1;
}

/* ---- Properties with a value ---- */

typedef bool PropertySetter(CpuModel *model, Word value, Error *error);

/* Decimal or hexadecimal, with a suffix k, M or G of thousands. */
static bool parse_number(Word word, uint64_t least, uint64_t most, uint64_t *number, Error *error) {
    char text[32] = "";
    char *end = text;
    *number = 0;
    if (word.length > 0 && word.length < sizeof(text) && strchr("-+ ", word.at[0]) == NULL) {
        memcpy(text, word.at, word.length);
        *number = strtoull(text, &end, 0);
    }
    uint64_t scale = *end == 'k' || *end == 'K' ? 1000 : *end == 'M' ? 1000000 : 1000000000;
    if (end != text && *end != '\0' && strchr("kKMG", *end) != NULL && *number <= most / scale) {
        *number *= scale;
        end++;
    }
    if (end == text || *end != '\0' || *number < least || *number > most)
        return error_set(error, "CPU property: '%.*s' is no number from %llu to %llu",
                         (int)word.length, word.at, (unsigned long long)least,
                         (unsigned long long)most);
    return true;
}

/* Families from 15 on and models from 16 on have their upper parts in bits 27:20 and 19:16. */
static bool set_family(CpuModel *model, Word value, Error *error) {
    enum { EXTENDED = 15, HIGHEST = EXTENDED + 255 };
    uint64_t family;
    if (!parse_number(value, 3, HIGHEST, &family, error))
        return false;
    uint32_t low = family < EXTENDED ? (uint32_t)family : EXTENDED;
    uint32_t rest = (uint32_t)family - low;
    model->signature = (model->signature & ~0x0FF00F00u) | low << 8 | rest << 20;
    return true;
}

static bool set_model(CpuModel *model, Word value, Error *error) {
    uint64_t number;
    if (!parse_number(value, 0, 255, &number, error))
        return false;
    uint32_t low = number & 15, high = (uint32_t)number >> 4;
    model->signature = (model->signature & ~0x000F00F0u) | low << 4 | high << 16;
    return true;
}

static bool set_stepping(CpuModel *model, Word value, Error *error) {
    uint64_t stepping;
    if (!parse_number(value, 0, 15, &stepping, error))
        return false;
    model->signature = (model->signature & ~15u) | (uint32_t)stepping;
    return true;
}

/* Leaves that are not known are zeroes. */
static bool set_level(CpuModel *model, Word value, Error *error) {
    enum { HIGHEST = 0x20 };
    uint64_t level;
    if (!parse_number(value, 0, HIGHEST, &level, error))
        return false;
    model->max_leaf = (uint32_t)level;
    return true;
}

static bool set_least_level(CpuModel *model, Word value, Error *error) {
    uint32_t level = model->max_leaf;
    if (!set_level(model, value, error))
        return false;
    if (model->max_leaf < level)
        model->max_leaf = level;
    return true;
}

static bool set_extended_level(CpuModel *model, Word value, Error *error) {
    const uint64_t lowest = 0x80000000, highest = 0x80000020;
    uint64_t level;
    if (value.length == 1 && *value.at == '0')
        level = 0;
    else if (!parse_number(value, lowest, highest, &level, error))
        return false;
    model->max_extended_leaf = (uint32_t)level;
    return true;
}

static bool set_least_extended_level(CpuModel *model, Word value, Error *error) {
    uint32_t level = model->max_extended_leaf;
    if (!set_extended_level(model, value, error))
        return false;
    if (model->max_extended_leaf < level)
        model->max_extended_leaf = level;
    return true;
}

static bool set_tsc_frequency(CpuModel *model, Word value, Error *error) {
    enum { LEAST = 1000000 };
    uint64_t hz;
    if (!parse_number(value, LEAST, UINT32_MAX, &hz, error))
        return false;
    model->tsc_hz = (uint32_t)hz;
    return true;
}

/* Millions of instructions a second, with a point: "25", "0.33". */
static bool set_speed(CpuModel *model, Word value, Error *error) {
    const double least = 0.01, most = 100000;
    char text[32] = "", *end = text;
    double millions = 0;
    if (value.length > 0 && value.length < sizeof(text) && value.at[0] >= '0' &&
        value.at[0] <= '9') {
        memcpy(text, value.at, value.length);
        millions = strtod(text, &end);
    }
    if (end == text || *end != '\0' || !(millions >= least && millions <= most))
        return error_set(error, "CPU property 'mips': '%.*s' is no number from 0.01 to 100000",
                         (int)value.length, value.at);
    model->instructions_per_second = (uint64_t)(millions * 1e6 + 0.5);
    return true;
}

static bool set_vendor(CpuModel *model, Word value, Error *error) {
    if (value.length != sizeof(model->vendor) - 1)
        return error_set(error, "CPU property 'vendor': '%.*s' is not 12 characters",
                         (int)value.length, value.at);
    memcpy(model->vendor, value.at, value.length);
    return true;
}

static bool set_model_id(CpuModel *model, Word value, Error *error) {
    const uint32_t brand_end = 0x80000004;
    if (value.length >= sizeof(model->brand))
        return error_set(error, "CPU property 'model-id': at most 48 characters");
    memset(model->brand, 0, sizeof(model->brand));
    memcpy(model->brand, value.at, value.length);
    if (model->max_extended_leaf < brand_end)
        model->max_extended_leaf = brand_end;
    return true;
}

static bool set_physical_bits(CpuModel *model, Word value, Error *error) {
    unsigned bits = model->features & FEATURE_BIT(FEATURE_PAE) ? 36 : 32;
    uint64_t wanted;
    if (!parse_number(value, 0, 64, &wanted, error))
        return false;
    return wanted == 0 || wanted == bits ||
           error_set(error, "CPU property 'phys-bits': this model has %u", bits);
}

static bool parse_switch(Word name, Word value, bool *on, Error *error) {
    *on = is_name("on", value) || is_name("yes", value) || is_name("true", value) ||
          is_name("y", value);
    return *on || is_name("off", value) || is_name("no", value) || is_name("false", value) ||
           is_name("n", value) ||
           error_set(error, "CPU feature '%.*s': the value is 'on' or 'off', not '%.*s'",
                     (int)name.length, name.at, (int)value.length, value.at);
}

static bool set_tcg_leaf(CpuModel *model, Word value, Error *error) {
    bool on;
    if (!parse_switch((Word){"tcg-cpuid", 9}, value, &on, error))
        return false;
    model->hides_hypervisor = !on;
    return true;
}

static const struct {
    const char *name;
    PropertySetter *set;
} properties[] = {
    {"family", set_family},
    {"model", set_model},
    {"stepping", set_stepping},
    {"level", set_level},
    {"min-level", set_least_level},
    {"xlevel", set_extended_level},
    {"min-xlevel", set_least_extended_level},
    {"tsc-frequency", set_tsc_frequency},
    {"tsc-freq", set_tsc_frequency},
    {"mips", set_speed},
    {"vendor", set_vendor},
    {"model-id", set_model_id},
    {"phys-bits", set_physical_bits},
    {"tcg-cpuid", set_tcg_leaf},
};

/* ---- The whole ---- */

/* As QEMU applies them: "+" after "feature=on", and "-" after all others. */
typedef struct Changes {
    uint64_t plus, minus;
} Changes;

static bool change_feature(uint64_t *set, uint64_t *cleared, Word name, bool on, Error *error) {
    int feature = find_feature(name);
    if (feature == FEATURE_BMI1 ||
        (feature < 0 && is_listed(absent_features, COUNT(absent_features), name)))
        return !on || error_set(error, "CPU feature '%.*s' is not in this version",
                                (int)name.length, name.at);
    if (feature < 0)
        return error_set(error, "unknown CPU feature '%.*s' (see -cpu help)", (int)name.length,
                         name.at);
    if (on)
        *set |= FEATURE_BIT(feature);
    else
        *cleared |= FEATURE_BIT(feature);
    return true;
}

bool cpu_feature_is_absent(const char *name, size_t length) {
    Word word = {name, length};
    int feature = find_feature(word);
    return feature == FEATURE_BMI1 ||
           (feature < 0 && is_listed(absent_features, COUNT(absent_features), word));
}

/* "NAME=VALUE", or "NAME" for "NAME=on". */
static bool parse_property(CpuModel *model, Word item, Error *error) {
    const char *equals = memchr(item.at, '=', item.length);
    Word name = {item.at, equals != NULL ? (size_t)(equals - item.at) : item.length};
    Word value = {"on", 2};
    if (equals != NULL)
        value = (Word){equals + 1, item.length - name.length - 1};
    for (size_t i = 0; i < COUNT(properties); i++)
        if (is_name(properties[i].name, name))
            return properties[i].set(model, value, error);
    if (is_listed(ignored_properties, COUNT(ignored_properties), name))
        return true;
    bool on;
    uint64_t set = 0, cleared = 0;
    if (!parse_switch(name, value, &on, error) || !change_feature(&set, &cleared, name, on, error))
        return false;
    model->features = (model->features | set) & ~cleared;
    return true;
}

static bool parse_item(CpuModel *model, Changes *changes, Word item, Error *error) {
    if (item.length == 0 || (*item.at != '+' && *item.at != '-'))
        return parse_property(model, item, error);
    Word name = {item.at + 1, item.length - 1};
    if (is_listed(ignored_properties, COUNT(ignored_properties), name))
        return true;
    return change_feature(&changes->plus, &changes->minus, name, *item.at == '+', error);
}

/* NULL: an error. */
static const CpuModel *find_model(Word name, Error *error) {
    Word base = name;
    if (base.length > 3 && memcmp(base.at + base.length - 3, "-v1", 3) == 0)
        base.length -= 3; /* QEMU's versions of a model; these have one each */
    const CpuModel *each;
    for (unsigned i = 0; (each = cpu_model_at(i)) != NULL; i++) {
        if (strlen(each->name) == base.length && memcmp(each->name, base.at, base.length) == 0)
            return each;
    }
    if (name.length == 4 && memcmp(name.at, "host", 4) == 0) {
        error_set(error, "CPU model 'host' is the host's own processor, which no guest runs "
                         "on here; 'max' has every feature that there is");
        return NULL;
    }
    ByteBuffer known = {0};
    for (unsigned i = 0; (each = cpu_model_at(i)) != NULL; i++)
        byte_buffer_print(&known, " %s", each->name);
    error_set(error, "unknown CPU model '%.*s'; known:%s", (int)name.length, name.at,
              (const char *)known.data);
    byte_buffer_free(&known);
    return NULL;
}

/* The leaf of each word of features; 0 needs none. */
#define LEAF_OF_NONE 0
#define LEAF_OF_1_EDX 1
#define LEAF_OF_1_ECX 1
#define LEAF_OF_7_EBX 7
#define LEAF_OF_7_ECX 7
#define LEAF_OF_80000001_EDX 0x80000001
#define LEAF_OF_80000001_ECX 0x80000001

/* CPUID must reach the leaves of features that the model did not have, unless a level was given. */
static void raise_levels(CpuModel *model, const CpuModel *named) {
    static const struct {
        uint32_t leaf;
        uint8_t feature;
    } needed[] = {
#define FEATURE(name, text, word, bit) {LEAF_OF_##word, FEATURE_##name},
#include "cpu_features.def"
#undef FEATURE
        {0xA, FEATURE_PMU},
        {0xB, FEATURE_X2APIC},
    };
    uint64_t added = model->features & ~named->features;
    uint32_t basic = named->max_leaf, extended = named->max_extended_leaf;
    for (size_t i = 0; i < COUNT(needed); i++) {
        if (!(added >> needed[i].feature & 1))
            continue;
        uint32_t *level = needed[i].leaf >> 31 ? &extended : &basic;
        if (*level < needed[i].leaf)
            *level = needed[i].leaf;
    }
    if (model->max_leaf == named->max_leaf)
        model->max_leaf = basic;
    if (model->max_extended_leaf == named->max_extended_leaf)
        model->max_extended_leaf = extended;
}

bool cpu_model_parse(const char *text, CpuModel *model, Error *error) {
    Changes changes = {0};
    size_t length = strcspn(text, ",");
    const CpuModel *named = find_model((Word){text, length}, error);
    if (named == NULL)
        return false;
    *model = *named;
    for (const char *item = text + length; *item == ','; item += length) {
        item++;
        length = strcspn(item, ",");
        if (!parse_item(model, &changes, (Word){item, length}, error))
            return false;
    }
    model->features = cpu_features_complete((model->features | changes.plus) & ~changes.minus);
    raise_levels(model, named);
    return true;
}

const char *cpu_feature_name(CpuFeature feature) {
    return (unsigned)feature < FEATURE_COUNT ? feature_names[feature] : NULL;
}

void cpu_model_print_list(ByteBuffer *text) {
    const CpuModel *model;
    byte_buffer_print(text, "CPU models:\n");
    for (unsigned i = 0; (model = cpu_model_at(i)) != NULL; i++)
        byte_buffer_print(text, "  %-14s %s\n", model->name, model->description);
    byte_buffer_print(text, "CPU features (+NAME or -NAME after the model):\n ");
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (feature_names[i] != NULL && i != FEATURE_BMI1)
            byte_buffer_print(text, " %s", feature_names[i]);
    byte_buffer_print(text, "\nCPU properties (NAME=VALUE):\n ");
    for (size_t i = 0; i < COUNT(properties); i++)
        byte_buffer_print(text, " %s", properties[i].name);
    byte_buffer_print(text, "\n");
}
