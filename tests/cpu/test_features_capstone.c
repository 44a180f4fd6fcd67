/* Every encoding of 32-bit code - each opcode of each map with each mandatory prefix and each ModRM
 * byte - against Capstone: is it an instruction, and which feature brings it? So no instruction is
 * missing, and none stands under the wrong feature.
 *
 * What is known to differ stands in three lists, with the reason; a line that no encoding needs any
 * more fails the test, too. */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "insn.h"
#include "suite_run.h"
#include <capstone/capstone.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 16, ADDRESS = 0x1000, NAME_SIZE = 32, REPORTED_MAX = 40 };

typedef struct Difference {
    const char *name; /* a mnemonic; '*' at its end stands for any rest */
    const char *reason;
    unsigned count; /* of encodings that it explained */
} Difference;

/* Capstone has it, no model does. */
static Difference absent[] = {
    {"v*", "AVX, and VMX: this processor has neither", 0},
    {"tzcnt", "BMI1: without it BSF", 0},
    {"extrq", "SSE4A of AMD", 0},
    {"insertq", "SSE4A", 0},
    {"femms", "0F 0F with 0E behind, which Capstone takes for FEMMS", 0},
    {"skinit", "SVM of AMD", 0},
    {"stgi", "SVM", 0},
    {"clgi", "SVM", 0},
    {"invlpga", "SVM", 0},
    {"swapgs", "64-bit mode alone", 0},
    {"getsec", "SMX", 0},
    {"encls", "SGX", 0},
    {"enclu", "SGX", 0},
    {"xabort", "RTM", 0},
    {"xbegin", "RTM", 0},
    {"xend", "RTM", 0},
    {"xtest", "RTM", 0},
    {"xgetbv", "XSAVE", 0},
    {"xsetbv", "XSAVE", 0},
    {"xsave*", "XSAVE", 0},
    {"xrstor*", "XSAVE", 0},
    {"invept", "VMX", 0},
    {"invvpid", "VMX", 0},
    {"montmul", "VIA's PadLock", 0},
    {"xsha*", "PadLock", 0},
    {"xstore*", "PadLock", 0},
    {"xcrypt*", "PadLock", 0},
    {"mov", "MOV CS and control registers that there are not: SDM vol. 2B, MOV, #UD", 0},
    {"sha*", "SHA", 0},
    {"movhlps", "66 0F 12 with a register: SDM vol. 2B, MOVLPD: the source is m64", 0},
    {"movlhps", "66 0F 16 with a register: SDM vol. 2B, MOVHPD: the source is m64", 0},
};

/* A model has it, Capstone does not. */
static Difference additional[] = {
    {"NOP", "SDM vol. 2D table A-3: reserved NOPs", 0},
    {"PREFETCH", "0F 0D /0, a NOP on Intel's", 0},
    {"LFENCE", "SDM vol. 2A: the r/m field is ignored", 0},
    {"MFENCE", "likewise", 0},
    {"SFENCE", "likewise", 0},
    {"UD0", "Capstone takes 0F FF without ModRM for invalid", 0},
};

/* Both have it, under different features. */
static Difference different_feature[] = {
    {"prefetch*", "a NOP from the Pentium Pro on, where nothing is prefetched", 0},
    {"pi2fw", "Capstone: 3DNow!'s Athlon part. AMD 22466: extensions of 3DNow!", 0},
    {"pf2iw", "likewise", 0},
    {"pfnacc", "likewise", 0},
    {"pfpnacc", "likewise", 0},
    {"pswapd", "likewise", 0},
    {"fisttp", "Capstone: x87. SDM: SSE3", 0},
    {"fucomi*", "Capstone: x87. SDM: CMOV and FPU", 0},
    {"fcomi*", "likewise", 0},
    {"monitor", "Capstone: SSE3. SDM: MONITOR", 0},
    {"mwait", "likewise", 0},
    {"clac", "Capstone: none. SDM: SMAP", 0},
    {"stac", "likewise", 0},
    {"clflush", "Capstone: SSE2. SDM: CLFSH", 0},
    {"sfence", "Capstone: SSE. SDM: SSE; AMD's extensions to MMX have it, too", 0},
    {"pause", "Capstone: SSE2. SDM: a NOP on earlier processors", 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool matches(const char *pattern, const char *name) {
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, name, length - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static bool explain(Difference *list, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (matches(list[i].name, name)) {
            list[i].count++;
            return true;
        }
    return false;
}

/* ---- Reports, one for each mnemonic ---- */

typedef struct Report {
    char name[NAME_SIZE];
    const char *what;
    uint8_t bytes[LENGTH]; /* the first encoding */
    unsigned feature;
} Report;

static Report reports[REPORTED_MAX];
static unsigned report_count;

static void report(const char *what, const char *name, const uint8_t *bytes, unsigned feature) {
    for (unsigned i = 0; i < report_count; i++)
        if (strcmp(reports[i].name, name) == 0 && reports[i].what == what)
            return;
    if (report_count == REPORTED_MAX)
        return;
    Report *entry = &reports[report_count++];
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->what = what;
    entry->feature = feature;
    memcpy(entry->bytes, bytes, LENGTH);
}

static void print_reports(void) {
    for (unsigned i = 0; i < report_count; i++) {
        fprintf(stderr, "%s: %s (", reports[i].name, reports[i].what);
        for (unsigned j = 0; j < 6; j++)
            fprintf(stderr, " %02X", reports[i].bytes[j]);
        const char *feature = cpu_feature_name(reports[i].feature);
        fprintf(stderr, " ), our feature %s\n", feature != NULL ? feature : "none");
    }
}

/* ---- One encoding ---- */

/* The features that Capstone names. */
static const struct {
    uint8_t group, feature;
} groups[] = {
    {X86_GRP_3DNOW, FEATURE_3DNOW}, {X86_GRP_AES, FEATURE_AES},
    {X86_GRP_ADX, FEATURE_ADX},     {X86_GRP_CMOV, FEATURE_CMOV},
    {X86_GRP_MMX, FEATURE_MMX},     {X86_GRP_SSE1, FEATURE_SSE},
    {X86_GRP_SSE2, FEATURE_SSE2},   {X86_GRP_SSE3, FEATURE_SSE3},
    {X86_GRP_SSE41, FEATURE_SSE41}, {X86_GRP_SSE42, FEATURE_SSE42},
    {X86_GRP_SSSE3, FEATURE_SSSE3}, {X86_GRP_SMAP, FEATURE_SMAP},
    {X86_GRP_BMI, FEATURE_BMI1},    {X86_GRP_PCLMUL, FEATURE_PCLMUL},
};

/* Does Capstone name this feature, or none? */
static bool is_same_feature(const cs_insn *capstone, unsigned feature) {
    bool named = false, same = false, comparable = false;
    for (size_t i = 0; i < COUNT(groups); i++) {
        comparable |= groups[i].feature == feature;
        for (unsigned j = 0; j < capstone->detail->groups_count; j++)
            if (capstone->detail->groups[j] == groups[i].group) {
                named = true;
                same |= groups[i].feature == feature;
            }
    }
    return named ? same : !comparable;
}

/* What SSE and SSE2 added for MMX registers: Capstone calls it MMX, or SSE what AMD's extensions to
 * MMX have, too. */
static bool is_added_to_mmx(const Insn *insn) {
    bool has_register = false;
    for (unsigned i = 0; i < insn->operand_count; i++)
        has_register |= insn->operand[i].kind == OPERAND_MM;
    return has_register &&
           (insn->row->feature == FEATURE_MMX_INTEGER || insn->row->feature == FEATURE_SSE2);
}

/* Without the prefixes that Capstone writes before it. */
static void get_mnemonic(const cs_insn *capstone, char name[NAME_SIZE]) {
    const char *space = strrchr(capstone->mnemonic, ' ');
    snprintf(name, NAME_SIZE, "%s", space != NULL ? space + 1 : capstone->mnemonic);
}

/* SDM vol. 2A 3.1.1.1: "NP: the use of 66/F2/F3 prefixes is not allowed"; Capstone ignores them. */
static bool has_forbidden_prefix(const Insn *insn, const uint8_t *bytes) {
    Insn without;
    return insn->code == INSN_INVALID && insn->mandatory != 0 && insn->mandatory == bytes[0] &&
           insn_decode(bytes + 1, LENGTH - 1, DECODE_32, &without) == DECODE_OK;
}

static void compare(const uint8_t *bytes, const cs_insn *capstone, uint64_t features) {
    Insn insn;
    char name[NAME_SIZE];
    bool valid = insn_decode(bytes, LENGTH, DECODE_32, &insn) == DECODE_OK &&
                 (insn.row->feature == 0 || (features >> insn.row->feature & 1));
    if (capstone != NULL)
        get_mnemonic(capstone, name);
    else
        snprintf(name, sizeof(name), "%s", insn_code_name(insn.code));
    if (capstone != NULL && !valid && has_forbidden_prefix(&insn, bytes)) {
        return;
    } else if (capstone != NULL && !valid) {
        if (!explain(absent, COUNT(absent), name))
            report("missing", name, bytes, 0);
    } else if (capstone == NULL && valid) {
        if (!explain(additional, COUNT(additional), name))
            report("ours alone", name, bytes, insn.row->feature);
    } else if (valid && !is_same_feature(capstone, insn.row->feature) && !is_added_to_mmx(&insn)) {
        if (!explain(different_feature, COUNT(different_feature), name))
            report("of another feature", name, bytes, insn.row->feature);
    }
}

/* ---- All encodings ---- */

typedef struct Walk {
    csh handle;
    cs_insn *scratch;
    uint64_t features;
    unsigned encodings;
} Walk;

static void visit(Walk *walk, const uint8_t *bytes) {
    const uint8_t *code = bytes;
    size_t size = LENGTH;
    uint64_t address = ADDRESS;
    bool known = cs_disasm_iter(walk->handle, &code, &size, &address, walk->scratch);
    compare(bytes, known ? walk->scratch : NULL, walk->features);
    walk->encodings++;
}

static bool is_prefix(unsigned opcode) {
    return strchr("\x26\x2E\x36\x3E\x64\x65\x66\x67\xF0\xF2\xF3", (int)opcode) != NULL &&
           opcode != 0;
}

static void visit_map(Walk *walk, uint8_t prefix, const uint8_t *escape, unsigned escape_length) {
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        if (escape_length == 0 && is_prefix(opcode))
            continue;
        uint8_t bytes[LENGTH] = {prefix};
        unsigned at = prefix != 0;
        memcpy(bytes + at, escape, escape_length);
        at += escape_length;
        bytes[at] = (uint8_t)opcode;
        for (unsigned modrm = 0; modrm < 256; modrm++) {
            bytes[at + 1] = (uint8_t)modrm;
            visit(walk, bytes);
        }
    }
}

/* 3DNow! has its opcodes behind the operands. */
static void visit_suffixes(Walk *walk) {
    uint8_t bytes[LENGTH] = {0x0F, 0x0F};
    for (unsigned suffix = 0; suffix < 256; suffix++) {
        bytes[3] = (uint8_t)suffix;
        for (unsigned modrm = 0xC0; modrm < 256; modrm++) {
            bytes[2] = (uint8_t)modrm;
            visit(walk, bytes);
        }
        bytes[2] = 0x07;
        visit(walk, bytes);
    }
}

static void expect_all_needed(const Difference *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(list[i].count > 0, "no encoding differs for '%s' any more", list[i].name);
}

START_TEST(every_encoding_is_known) {
    static const uint8_t prefixes[] = {0, 0x66, 0xF3, 0xF2};
    static const uint8_t escapes[][2] = {{0}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}};
    static const uint8_t escape_lengths[] = {0, 1, 2, 2};
    Walk walk = {.features = cpu_model_find("max")->features | cpu_model_find("athlon")->features};
    ck_assert_int_eq(cs_open(CS_ARCH_X86, CS_MODE_32, &walk.handle), CS_ERR_OK);
    ck_assert_int_eq(cs_option(walk.handle, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
    walk.scratch = cs_malloc(walk.handle);
    for (size_t p = 0; p < COUNT(prefixes); p++)
        for (size_t e = 0; e < COUNT(escapes); e++)
            visit_map(&walk, prefixes[p], escapes[e], escape_lengths[e]);
    visit_suffixes(&walk);
    cs_free(walk.scratch, 1);
    cs_close(&walk.handle);
    print_reports();
    ck_assert_uint_eq(report_count, 0);
    ck_assert_uint_eq(walk.encodings, 4 * (4 * 256 - 11) * 256 + 256 * 65);
    expect_all_needed(absent, COUNT(absent));
    expect_all_needed(additional, COUNT(additional));
    expect_all_needed(different_feature, COUNT(different_feature));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("features_capstone");
    TCase *tests = tcase_create("encodings");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_encoding_is_known);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
