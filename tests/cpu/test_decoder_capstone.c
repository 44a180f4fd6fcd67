/* The decoder against Capstone, over random byte strings and firmware: is it an instruction, how
 * long, which one, which operands.
 *
 * Where both disagree and we are right, one row of 'disagreements' says so, and why; anything else
 * fails the test. A short slice runs by default; with REPRISE_LONG=1 in the environment, ten
 * million strings. */
#include "cpu.h"
#include "insn.h"
#include "suite_run.h"
#include <capstone/capstone.h>
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRING_LENGTH = 16, SHORT_RUN = 300000, LONG_RUN = 10000000, REPORTED_MAX = 20 };
enum { ADDRESS = 0x1000 };

/* ---- Random instructions ---- */

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Random bytes, in which prefixes and escapes are as common as they must be to meet each opcode
 * often. */
static void make_string(uint64_t *random, uint8_t bytes[STRING_LENGTH]) {
    static const uint8_t prefixes[] = {0x66, 0xF2, 0xF3, 0x67, 0x66, 0xF2, 0xF3, 0x26,
                                       0x2E, 0x36, 0x3E, 0x64, 0x65, 0xF0, 0x66, 0xF3};
    for (int i = 0; i < STRING_LENGTH; i++) {
        bytes[i] = (uint8_t)(next_random(random) >> 24);
    }
    uint64_t choice = next_random(random) >> 20;
    unsigned count = choice % 8 < 4 ? 0 : choice % 8 < 7 ? 1 : choice >> 3 & 3;
    unsigned at = 0;
    while (at < count) {
        bytes[at++] = prefixes[next_random(random) >> 30 & 15];
    }
    switch (choice >> 8 & 7) {
    case 0:
    case 1:
    case 2:
        bytes[at] = 0x0F;
        break;
    case 3:
        bytes[at] = 0x0F;
        bytes[at + 1] = choice >> 12 & 1 ? 0x38 : 0x3A;
        break;
    default:
        break;
    }
}

/* ---- What Capstone knows of a string ---- */

typedef struct Case {
    const uint8_t *bytes;
    DecodeMode mode;
    DecodeStatus status;
    Insn insn;
    const cs_insn *capstone; /* NULL: no instruction */
    csh handle;
} Case;

static unsigned count_prefixes(const Case *test, uint8_t prefix) {
    static const uint8_t all[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3};
    unsigned count = 0;
    for (unsigned i = 0; i < STRING_LENGTH && memchr(all, test->bytes[i], sizeof all) != NULL;
         i++) {
        count += test->bytes[i] == prefix;
    }
    return count;
}

/* Our mnemonic, and Capstone's, without prefixes. */
static void get_mnemonic(const char *text, char mnemonic[32]) {
    static const char *const prefixes[] = {"lock",  "rep",      "repe",     "repne", "repz",
                                           "repnz", "xacquire", "xrelease", "bnd"};
    for (;;) {
        size_t length = strcspn(text, " ");
        bool prefix = false;
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
            prefix |= strlen(prefixes[i]) == length && memcmp(prefixes[i], text, length) == 0;
        }
        if (!prefix || text[length] == '\0') {
            snprintf(mnemonic, 32, "%.*s", (int)length, text);
            return;
        }
        text += length + 1;
    }
}

/* Capstone's other names: {ours, Capstone's}. A '*' stands for anything. */
static const char *const aliases[][2] = {
    {"xlat", "xlatb"},
    {"shl", "sal"},
    {"pushad", "pushal"},
    {"popad", "popal"},
    {"fstp", "fstpnce"},
    {"fneni", "feni8087_nop"},
    {"fndisi", "fdisi8087_nop"},
    {"fnsetpm", "fsetpm"},
    {"fcomip", "fcompi"},
    {"fucomip", "fucompi"},
    {"ud1", "ud2b"},
    {"cmpps", "cmp*ps"}, /* the predicate as part of the name */
    {"cmppd", "cmp*pd"},
    {"cmpss", "cmp*ss"},
    {"cmpsd", "cmp*sd"},
    {"pclmulqdq", "pclmul*dq"},
};

static bool matches(const char *pattern, const char *name) {
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(pattern, name) == 0;
    }
    size_t head = (size_t)(star - pattern), tail = strlen(star + 1), length = strlen(name);
    return length >= head + tail && memcmp(name, pattern, head) == 0 &&
           strcmp(name + length - tail, star + 1) == 0;
}

static bool same_mnemonic(const Case *test) {
    char text[128], ours[32], theirs[32];
    insn_format(&test->insn, ADDRESS, text, sizeof text);
    get_mnemonic(text, ours);
    get_mnemonic(test->capstone->mnemonic, theirs);
    if (strcmp(ours, theirs) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(aliases[i][0], ours) == 0 && matches(aliases[i][1], theirs)) {
            return true;
        }
    }
    return false;
}

/* ---- Operands, in a spelling common to both ---- */

enum { SPELLING_MAX = 64, OPERANDS_MAX = 6 };

typedef struct Spelling {
    unsigned count;
    char text[OPERANDS_MAX][SPELLING_MAX];
} Spelling;

static const char *const gpr_names[3][8] = {
    {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"},
    {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"},
    {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"},
};
static const char *const segment_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

static const char *gpr_name(unsigned reg, unsigned size) {
    return reg == NO_REGISTER ? "" : gpr_names[size == 1 ? 0 : size == 2 ? 1 : 2][reg & 7];
}

static uint32_t cut(int64_t value, unsigned size) {
    return (uint32_t)value & (size == 1 ? 0xFF : size == 2 ? 0xFFFF : 0xFFFFFFFF);
}

__attribute__((format(printf, 2, 3))) static void spell(Spelling *spelling, const char *format,
                                                        ...) {
    va_list arguments;
    va_start(arguments, format);
    ck_assert_uint_lt(spelling->count, OPERANDS_MAX);
    vsnprintf(spelling->text[spelling->count++], SPELLING_MAX, format, arguments);
    va_end(arguments);
}

/* Capstone's sizes are right for plain integer operands alone: it has 2 or 4 bytes for a far
 * pointer, 16 for COMISS, whose operand is 4 (SDM vol. 2A, COMISS), and some for instructions that
 * touch no memory. */
static bool has_comparable_size(const Insn *insn, const Operand *operand) {
    switch (insn->code) {
    case INSN_LAR:
    case INSN_LSL:
    case INSN_LES:
    case INSN_LDS:
    case INSN_LSS:
    case INSN_LFS:
    case INSN_LGS:
    case INSN_JMP_FAR:
    case INSN_CALL_FAR:
        return false;
    default:
        return operand->size != 0 && !(insn->row->attributes & (ROW_X87 | ROW_MMX | ROW_SSE));
    }
}

static void spell_memory(Spelling *spelling, unsigned size, const char *segment, const char *base,
                         const char *index, int scale, uint32_t displacement) {
    spell(spelling, "%u %s[%s,%s*%d,%x]", size, segment, base, index, *index != '\0' ? scale : 1,
          displacement);
}

static void spell_our_memory(const Insn *insn, const Operand *operand, Spelling *spelling) {
    const MemoryOperand *memory = &insn->memory;
    bool string =
        operand->kind == OPERAND_STRING_SOURCE || operand->kind == OPERAND_STRING_DESTINATION;
    const char *segment = insn->prefixes & PREFIX_SEGMENT ? segment_names[memory->segment] : "";
    if (operand->kind == OPERAND_STRING_DESTINATION) {
        segment = "es";
    }
    spell_memory(spelling, has_comparable_size(insn, operand) ? operand->size : 0, segment,
                 gpr_name(string ? operand->reg : memory->base, insn->address_size),
                 gpr_name(memory->index, insn->address_size), memory->scale,
                 cut(memory->displacement, insn->address_size));
}

static void spell_our_operand(const Insn *insn, const Operand *operand, Spelling *spelling) {
    static const char *const numbered[] = {
        [OPERAND_CR] = "cr%u",   [OPERAND_DR] = "dr%u", [OPERAND_TR] = "tr%u",
        [OPERAND_ST] = "st(%u)", [OPERAND_MM] = "mm%u", [OPERAND_XMM] = "xmm%u",
    };
    uint32_t next = ADDRESS + insn->length;
    switch ((OperandKind)operand->kind) {
    case OPERAND_NONE:
        break;
    case OPERAND_GPR:
        spell(spelling, "%s", gpr_name(operand->reg, operand->size));
        break;
    case OPERAND_MEM:
    case OPERAND_MOFFS:
    case OPERAND_STRING_SOURCE:
    case OPERAND_STRING_DESTINATION:
        spell_our_memory(insn, operand, spelling);
        break;
    case OPERAND_IMM:
        spell(spelling, "%x", insn->immediate);
        break;
    case OPERAND_IMM2:
        spell(spelling, "%x", insn->immediate2);
        break;
    case OPERAND_REL:
        spell(spelling, "%x", cut(next + insn->immediate, insn->operand_size));
        break;
    case OPERAND_FAR:
        spell(spelling, "%x", insn->immediate2);
        spell(spelling, "%x", insn->immediate);
        break;
    case OPERAND_SREG:
        spell(spelling, "%s", segment_names[operand->reg]);
        break;
    case OPERAND_ONE:
        spell(spelling, "1");
        break;
    case OPERAND_DX:
        spell(spelling, "dx");
        break;
    default:
        ck_assert_uint_lt(operand->kind, sizeof numbered / sizeof numbered[0]);
        spell(spelling, numbered[operand->kind], operand->reg);
        break;
    }
}

static void spell_capstone_operand(csh handle, const Insn *insn, const Operand *ours,
                                   const cs_x86_op *operand, Spelling *spelling) {
    const char *segment = "", *base = "", *index = "";
    unsigned immediate_size = ours->kind == OPERAND_REL ? insn->operand_size : ours->size;
    switch (operand->type) {
    case X86_OP_REG:
        spell(spelling, "%s", cs_reg_name(handle, operand->reg));
        break;
    case X86_OP_IMM:
        spell(spelling, "%x", cut(operand->imm, immediate_size));
        break;
    case X86_OP_MEM:
        if (operand->mem.segment != X86_REG_INVALID) {
            segment = cs_reg_name(handle, operand->mem.segment);
        }
        if (operand->mem.base != X86_REG_INVALID) {
            base = cs_reg_name(handle, operand->mem.base);
        }
        if (operand->mem.index != X86_REG_INVALID) {
            index = cs_reg_name(handle, operand->mem.index);
        }
        spell_memory(spelling, has_comparable_size(insn, ours) ? operand->size : 0, segment, base,
                     index, operand->mem.scale, cut(operand->mem.disp, insn->address_size));
        break;
    default:
        spell(spelling, "?");
        break;
    }
}

/* Capstone writes ST(0) where the manual does not, and leaves it out where it does. */
static void drop_stack_top(Spelling *spelling) {
    unsigned kept = 0;
    for (unsigned i = 0; i < spelling->count; i++) {
        if (strcmp(spelling->text[i], "st(0)") != 0) {
            memmove(spelling->text[kept++], spelling->text[i], SPELLING_MAX);
        }
    }
    spelling->count = kept;
}

static void spell_both(const Case *test, Spelling *ours, Spelling *theirs) {
    const Insn *insn = &test->insn;
    const cs_x86 *x86 = &test->capstone->detail->x86;
    ours->count = theirs->count = 0;
    for (unsigned i = 0; i < insn->operand_count; i++) {
        spell_our_operand(insn, &insn->operand[i], ours);
    }
    for (unsigned i = 0; i < x86->op_count && i < OPERANDS_MAX; i++) {
        const Operand *operand = &insn->operand[i < insn->operand_count ? i : 0];
        spell_capstone_operand(test->handle, insn, operand, &x86->operands[i], theirs);
    }
    if (insn->row->attributes & ROW_X87) {
        drop_stack_top(ours);
        drop_stack_top(theirs);
    }
}

static bool same_operands(const Case *test) {
    Spelling ours, theirs;
    spell_both(test, &ours, &theirs);
    if (ours.count != theirs.count) {
        return false;
    }
    for (unsigned i = 0; i < ours.count; i++) {
        if (strcmp(ours.text[i], theirs.text[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- Where both disagree, and why we are right ---- */

static bool has_repeat(const Case *test) {
    return count_prefixes(test, 0xF2) + count_prefixes(test, 0xF3) > 0;
}

static bool is_mandatory_prefix_in_16_bit_code(const Case *test) {
    return test->mode == DECODE_16 && test->insn.map >= 1 &&
           (count_prefixes(test, 0x66) > 0 || has_repeat(test));
}

static bool is_pause_in_16_bit_code(const Case *test) {
    return test->mode == DECODE_16 && test->insn.code == INSN_PAUSE;
}

static bool is_operand_size_beside_repeat(const Case *test) {
    return count_prefixes(test, 0x66) > 0 && has_repeat(test);
}

static bool is_mandatory_prefix_further_ahead(const Case *test) {
    return test->insn.mandatory != 0 && test->bytes[1] != 0x0F;
}

static bool is_illegal_lock(const Case *test) {
    return test->status == DECODE_INVALID && test->insn.code != INSN_INVALID &&
           (test->insn.prefixes & PREFIX_LOCK);
}

static bool is_forbidden_prefix(const Case *test) {
    return test->status == DECODE_INVALID && test->insn.code == INSN_INVALID &&
           test->insn.mandatory != 0;
}

static bool is_register_of_memory_only_form(const Case *test) {
    return test->status == DECODE_INVALID && test->insn.mandatory == 0x66 &&
           (test->insn.code == INSN_MOVLPD || test->insn.code == INSN_MOVHPD);
}

static bool is_register_that_does_not_exist(const Case *test) {
    return test->status == DECODE_INVALID &&
           (test->insn.code == INSN_MOV_CR || test->insn.code == INSN_MOV_SREG);
}

static bool is_of_another_processor(const Case *test) {
    static const char *const names[] = {
        "femms",   "vm*",      "getsec", "xsave*", "xrstor*",    "xsetbv",   "xgetbv",  "clgi",
        "stgi",    "skinit",   "inv*",   "rdseed", "sha*",       "xcrypt*",  "xstore*", "xsha*",
        "montmul", "pi2f*",    "pf*",    "v*",     "pavgusb",    "pmulhrw",  "pswapd",  "xtest",
        "xbegin",  "xabort",   "xend",   "clwb",   "clflushopt", "pcommit",  "extrq",   "insertq",
        "movntss", "movntsd",  "adcx",   "adox",   "enc*",       "rdpkru",   "wrpkru",  "andn",
        "bextr",   "bls*",     "blc*",   "bzhi",   "pdep",       "pext",     "mulx",    "rorx",
        "sarx",    "shlx",     "shrx",   "k*",     "t1mskc",     "tzmsk",    "lwp*",    "*lwpcb",
        "swapgs",  "monitorx", "mwaitx", "clzero", "fxrstor64",  "fxsave64",
    };
    if (test->status != DECODE_INVALID || test->capstone == NULL) {
        return false;
    }
    char name[32];
    get_mnemonic(test->capstone->mnemonic, name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (matches(names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_hint(const Case *test) {
    return test->status == DECODE_OK && test->insn.map == 1 &&
           (test->insn.code == INSN_PREFETCH ? test->capstone == NULL
            : test->insn.code == INSN_NOP
                ? test->capstone == NULL || test->insn.length == test->capstone->size
                : false);
}

static bool is_unknown_test_register(const Case *test) {
    return test->status == DECODE_OK && test->capstone == NULL && test->insn.code == INSN_MOV_TR;
}

static bool is_fence_with_rm(const Case *test) {
    const Insn *insn = &test->insn;
    return test->capstone == NULL && (insn->modrm & 7) != 0 &&
           (insn->code == INSN_LFENCE || insn->code == INSN_MFENCE || insn->code == INSN_SFENCE);
}

static bool is_undefined_with_modrm(const Case *test) {
    return test->insn.code == INSN_UD0 || test->insn.code == INSN_UD1;
}

static bool is_size_in_name(const Case *test) {
    return (test->insn.code == INSN_CBW || test->insn.code == INSN_CWD) && test->capstone != NULL &&
           test->insn.length == test->capstone->size;
}

static bool is_counter_of_16_bits_in_32_bit_code(const Case *test) {
    return test->insn.code == INSN_JCXZ && count_prefixes(test, 0x67) > 0;
}

static bool is_implicit_operand(const Case *test) {
    static const uint16_t codes[] = {INSN_XLAT,    INSN_OUTS,     INSN_MASKMOVQ, INSN_MASKMOVDQU,
                                     INSN_MONITOR, INSN_PBLENDVB, INSN_BLENDVPS, INSN_BLENDVPD,
                                     INSN_AAM,     INSN_AAD};
    bool listed = false;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        listed |= codes[i] == test->insn.code;
    }
    return listed && test->capstone != NULL && test->insn.length == test->capstone->size &&
           same_mnemonic(test);
}

static bool is_comparison_by_name(const Case *test) {
    unsigned code = test->insn.code;
    return (code == INSN_CMPPS || code == INSN_CMPSS || code == INSN_CMPPD ||
            code == INSN_CMPSD_SSE) &&
           test->insn.immediate < 8 && test->capstone != NULL &&
           test->insn.length == test->capstone->size;
}

static bool is_segment_load_from_register(const Case *test) {
    return test->status == DECODE_OK && test->insn.code == INSN_MOV_SREG &&
           test->insn.modrm >= 0xC0 && test->capstone != NULL &&
           test->insn.length == test->capstone->size;
}

static bool is_relative_with_size_prefix(const Case *test) {
    return test->status == DECODE_OK && test->insn.operand[0].kind == OPERAND_REL &&
           count_prefixes(test, 0x66) + count_prefixes(test, 0x67) > 0;
}

typedef struct Disagreement {
    bool (*explains)(const Case *test);
    const char *reason;
} Disagreement;

static const Disagreement disagreements[] = {
    {is_mandatory_prefix_in_16_bit_code, "Capstone takes no mandatory prefix in 16-bit code. SDM "
                                         "vol. 2A 2.1.2: it selects the instruction in every mode"},
    {is_pause_in_16_bit_code, "SDM vol. 2B, PAUSE: F3 90, in every mode"},
    {is_operand_size_beside_repeat, "Capstone drops 66 beside F2 or F3, or lets it select. SDM "
                                    "vol. 2A 2.1.2: 'mandatory prefix F2 or F3 ... 66H is then "
                                    "an operand-size prefix'; processors do the same"},
    {is_mandatory_prefix_further_ahead, "Capstone wants the mandatory prefix right before 0F. SDM "
                                        "vol. 2A 2.1.1: the groups 'may be placed in any order'"},
    {is_illegal_lock,
     "SDM vol. 2A, LOCK: '#UD if the LOCK prefix is used with an instruction not listed'"},
    {is_forbidden_prefix, "SDM vol. 2A 3.1.1.1: 'NP: the use of 66/F2/F3 prefixes is not allowed'; "
                          "processors raise #UD"},
    {is_register_of_memory_only_form,
     "SDM vol. 2B, MOVLPD and MOVHPD: the source of the load is m64"},
    {is_register_that_does_not_exist,
     "SDM vol. 2B, MOV: CS cannot be loaded, and '#UD: attempt to access CR1, CR5, CR6, CR7'"},
    {is_of_another_processor, "No CPU model has these: without their CPUID bits they are #UD"},
    {is_hint, "SDM vol. 2D table A-3: 0F 0D and 0F 18 to 0F 1F are NOPs with a ModRM byte, "
              "registers included"},
    {is_unknown_test_register,
     "i486 Programmer's Reference Manual, MOV: 0F 24 and 0F 26 move test registers"},
    {is_fence_with_rm,
     "SDM vol. 2A, LFENCE: 'the processor ignores the r/m field of the ModR/M byte'"},
    {is_undefined_with_modrm, "SDM vol. 2B, UD: UD0 is 0F FF /r and UD1 is 0F B9 /r"},
    {is_size_in_name, "Capstone has the names of 98 and 99 the wrong way round in 16-bit code and "
                      "behind several prefixes"},
    {is_counter_of_16_bits_in_32_bit_code, "SDM vol. 2A, Jcc: the address size selects CX or ECX"},
    {is_implicit_operand,
     "Capstone leaves the implicit operand out, or lists OUTS the other way round"},
    {is_comparison_by_name, "Capstone makes the predicate part of the name"},
    {is_segment_load_from_register,
     "Capstone names the register by the operand size. SDM vol. 2B, MOV: 'r/m16'"},
    {is_relative_with_size_prefix, "Capstone cuts the target by the mode or by 67. SDM vol. 2A, "
                                   "JMP: 'the operand-size attribute determines the size'"},
};

/* Why this disagreement is none of ours; NULL if we do not know. */
static const Disagreement *find_disagreement(const Case *test) {
    for (size_t i = 0; i < sizeof disagreements / sizeof disagreements[0]; i++) {
        if (disagreements[i].explains(test)) {
            return &disagreements[i];
        }
    }
    return NULL;
}

/* ---- The run ---- */

static bool agree(const Case *test) {
    if (test->status != DECODE_OK || test->capstone == NULL) {
        return test->status != DECODE_OK && test->capstone == NULL;
    }
    return test->insn.length == test->capstone->size && same_mnemonic(test) && same_operands(test);
}

static void report(const Case *test) {
    char text[128] = "(none)";
    if (test->status == DECODE_OK) {
        insn_format(&test->insn, ADDRESS, text, sizeof text);
    }
    fprintf(stderr, "%d-bit ", test->mode == DECODE_16 ? 16 : 32);
    for (unsigned i = 0; i < STRING_LENGTH; i++) {
        fprintf(stderr, "%02x", test->bytes[i]);
    }
    fprintf(stderr, ": ours %u '%s' (status %d), Capstone's %u '%s %s'\n", test->insn.length, text,
            (int)test->status, test->capstone != NULL ? test->capstone->size : 0,
            test->capstone != NULL ? test->capstone->mnemonic : "(none)",
            test->capstone != NULL ? test->capstone->op_str : "");
    if (test->status == DECODE_OK && test->capstone != NULL) {
        Spelling ours, theirs;
        spell_both(test, &ours, &theirs);
        for (unsigned i = 0; i < ours.count; i++) {
            fprintf(stderr, "    ours %s\n", ours.text[i]);
        }
        for (unsigned i = 0; i < theirs.count; i++) {
            fprintf(stderr, "    Capstone's %s\n", theirs.text[i]);
        }
    }
}

typedef struct Tally {
    unsigned agreed, explained, failed;
} Tally;

/* Decodes one string both ways. */
static void compare(csh handle, cs_insn *scratch, DecodeMode mode, const uint8_t *bytes,
                    Tally *tally) {
    Case test = {.bytes = bytes, .mode = mode, .handle = handle};
    test.status = insn_decode(bytes, STRING_LENGTH, mode, &test.insn);
    const uint8_t *code = bytes;
    size_t size = STRING_LENGTH;
    uint64_t address = ADDRESS;
    if (cs_disasm_iter(handle, &code, &size, &address, scratch)) {
        test.capstone = scratch;
    }
    if (agree(&test)) {
        tally->agreed++;
    } else if (find_disagreement(&test) != NULL) {
        tally->explained++;
    } else {
        tally->failed++;
        report(&test);
    }
}

typedef struct Comparison {
    DecodeMode mode;
    csh handle;
    cs_insn *scratch;
    Tally tally;
} Comparison;

static void comparison_open(Comparison *comparison, DecodeMode mode) {
    cs_mode capstone_mode = mode == DECODE_16 ? CS_MODE_16 : CS_MODE_32;
    *comparison = (Comparison){.mode = mode};
    ck_assert_int_eq(cs_open(CS_ARCH_X86, capstone_mode, &comparison->handle), CS_ERR_OK);
    ck_assert_int_eq(cs_option(comparison->handle, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
    comparison->scratch = cs_malloc(comparison->handle);
    ck_assert_ptr_nonnull(comparison->scratch);
}

static void comparison_close(Comparison *comparison) {
    cs_free(comparison->scratch, 1);
    cs_close(&comparison->handle);
    ck_assert_uint_eq(comparison->tally.failed, 0);
    /* Explanations must stay the exception, or they explain our own mistakes too. */
    ck_assert_uint_lt(comparison->tally.explained, comparison->tally.agreed / 4);
}

static bool is_long_run(void) {
    return getenv("REPRISE_LONG") != NULL;
}

static void compare_random_strings(DecodeMode mode, uint64_t seed) {
    Comparison comparison;
    comparison_open(&comparison, mode);
    long strings = is_long_run() ? LONG_RUN : SHORT_RUN;
    for (long i = 0; i < strings / 2 && comparison.tally.failed < REPORTED_MAX; i++) {
        uint8_t bytes[STRING_LENGTH];
        make_string(&seed, bytes);
        compare(comparison.handle, comparison.scratch, mode, bytes, &comparison.tally);
    }
    comparison_close(&comparison);
}

/* From each byte of a firmware image as if an instruction began there, in the short run with gaps.
 */
static void compare_image(DecodeMode mode, const char *path) {
    static uint8_t image[256 * 1024];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return; /* not installed */
    }
    size_t length = fread(image, 1, sizeof image, file);
    fclose(file);
    Comparison comparison;
    comparison_open(&comparison, mode);
    size_t step = is_long_run() ? 1 : 7;
    for (size_t at = 0; at + STRING_LENGTH <= length; at += step) {
        compare(comparison.handle, comparison.scratch, mode, image + at, &comparison.tally);
        if (comparison.tally.failed == REPORTED_MAX) {
            break;
        }
    }
    comparison_close(&comparison);
}

START_TEST(random_strings_decode_alike_in_16_bit_code) {
    compare_random_strings(DECODE_16, 0x9E3779B97F4A7C15);
}
END_TEST

START_TEST(random_strings_decode_alike_in_32_bit_code) {
    compare_random_strings(DECODE_32, 0xD1B54A32D192ED03);
}
END_TEST

START_TEST(firmware_decodes_alike) {
    compare_image(DECODE_16, "/usr/share/seabios/bios.bin");
    compare_image(DECODE_32, "/usr/share/seabios/bios.bin");
    compare_image(DECODE_16, "/usr/share/seabios/vgabios-stdvga.bin");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("decoder_capstone");
    TCase *tests = tcase_create("agreement");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, random_strings_decode_alike_in_16_bit_code);
    tcase_add_test(tests, random_strings_decode_alike_in_32_bit_code);
    tcase_add_test(tests, firmware_decodes_alike);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
