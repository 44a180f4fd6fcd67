/* Every row of the opcode tables run on every CPU model in every mode, under both backends: #UD
 * exactly where the model lacks the row's feature, or the mode the instruction. And the ways by
 * which software tells processors apart. */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "guest_fixture.h"
#include "helpers.h"
#include "insn.h"
#include "opcode_table.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

/* ---- All rows ---- */

enum { CODE_BYTES = 16, ROWS_MAX = 8000 };

/* One encoding of a row. */
typedef struct Encoding {
    const OpcodeRow *row;
    uint8_t bytes[CODE_BYTES]; /* with trailing zeroes */
    bool memory;
} Encoding;

typedef struct RowList {
    Encoding entries[ROWS_MAX];
    unsigned count;
} RowList;

static bool is_listed(const RowList *list, const OpcodeRow *row, bool memory) {
    for (unsigned i = list->count; i-- > 0;)
        if (list->entries[i].row == row && list->entries[i].memory == memory)
            return true;
    return false;
}

static void visit_encoding(RowList *list, const uint8_t *bytes, unsigned modrm) {
    Insn insn;
    if (insn_decode(bytes, CODE_BYTES, DECODE_32, &insn) != DECODE_OK)
        return;
    bool memory = (insn.row->attributes & ROW_MODRM) && modrm < 0xC0;
    if (is_listed(list, insn.row, memory))
        return;
    ck_assert_uint_lt(list->count, ROWS_MAX);
    Encoding *entry = &list->entries[list->count++];
    *entry = (Encoding){.row = insn.row, .memory = memory};
    memcpy(entry->bytes, bytes, CODE_BYTES);
}

/* Memory operands are at [BX] or [EDI]. */
static void visit_opcode(RowList *list, unsigned map, unsigned opcode, uint8_t prefix) {
    static const uint8_t escapes[4][2] = {{0}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}};
    static const uint8_t escape_lengths[4] = {0, 1, 2, 2};
    uint8_t bytes[CODE_BYTES] = {prefix};
    unsigned at = prefix != 0;
    memcpy(bytes + at, escapes[map], escape_lengths[map]);
    at += escape_lengths[map];
    bytes[at] = (uint8_t)opcode;
    for (unsigned reg = 0; reg < 8; reg++) {
        bytes[at + 1] = (uint8_t)(reg << 3 | 7);
        visit_encoding(list, bytes, bytes[at + 1]);
    }
    for (unsigned modrm = 0xC0; modrm < 0x100; modrm++) {
        bytes[at + 1] = (uint8_t)modrm;
        visit_encoding(list, bytes, modrm);
    }
}

/* 3DNow! has its opcodes behind the operands. */
static void visit_suffixes(RowList *list) {
    for (unsigned suffix = 0; suffix < 256; suffix++) {
        uint8_t bytes[CODE_BYTES] = {0x0F, 0x0F, 0x07, (uint8_t)suffix};
        visit_encoding(list, bytes, bytes[2]);
        bytes[2] = 0xC1;
        visit_encoding(list, bytes, bytes[2]);
    }
}

static void collect_rows(RowList *list) {
    static const uint8_t prefixes[] = {0, 0x66, 0xF3, 0xF2};
    list->count = 0;
    for (unsigned map = 0; map < 4; map++)
        for (unsigned opcode = 0; opcode < 256; opcode++)
            for (unsigned p = 0; p < 4; p++)
                if (!(opcode_maps[map][opcode].attributes & (ROW_PREFIX | ROW_ESCAPE)))
                    visit_opcode(list, map, opcode, prefixes[p]);
    visit_suffixes(list);
}

/* ---- Modes ---- */

typedef enum Mode { MODE_REAL, MODE_V8086, MODE_CODE16, MODE_LEVEL_0, MODE_LEVEL_3 } Mode;
enum { MODE_COUNT = MODE_LEVEL_3 + 1 };
static const char *const mode_names[] = {"real mode", "v8086 mode", "16-bit code", "level 0",
                                         "level 3"};

enum {
    GDT = 0x1000,
    TSS = 0x1100,
    IDT = 0x2000,
    HANDLERS = 0x5000, /* of vector n: HANDLERS + n */
    STACK = 0x7000,
    LEVEL_0_STACK = 0x7800,
    DATA = 0x8000,
    CODE = 0x10000,
    CODE_END = 0x90000,
};
enum {
    SELECTOR_CODE = 0x08,
    SELECTOR_DATA = 0x10,
    SELECTOR_CODE16 = 0x18,
    SELECTOR_TSS = 0x20,
    SELECTOR_USER_CODE = 0x2B,
    SELECTOR_USER_DATA = 0x33,
};

static void put(Guest *guest, uint32_t address, unsigned size, uint64_t value) {
    physical_write(guest->map, address, size, value);
}

static void make_tables(Guest *guest) {
    static const uint64_t descriptors[] = {
        0,
        0x00CF9B000000FFFF,
        0x00CF93000000FFFF,
        0x008F9B000000FFFF,
        0x00008B0000000067 | (uint64_t)TSS << 16,
        0x00CFFB000000FFFF,
        0x00CFF3000000FFFF,
    };
    for (unsigned i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++)
        put(guest, GDT + 8 * i, 8, descriptors[i]);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint32_t handler = HANDLERS + vector;
        put(guest, 4 * vector, 4, handler);
        put(guest, IDT + 8 * vector, 8,
            UINT64_C(0xEE00) << 32 | (uint64_t)SELECTOR_CODE << 16 | handler);
        put(guest, handler, 1, 0xF4);
    }
    put(guest, TSS + 4, 4, LEVEL_0_STACK);
    put(guest, TSS + 8, 4, SELECTOR_DATA);
}

static void set_segment(Cpu *cpu, unsigned s, uint16_t selector, uint16_t access) {
    cpu->state.segment[s] = (Segment){
        .selector = selector, .access = access, .limit = access & ACCESS_G ? UINT32_MAX : 0xFFFF};
    segment_classify(&cpu->state.segment[s]);
}

static void set_segments(Cpu *cpu, Mode mode) {
    enum { CODE_ACCESS = 0x809B, DATA_ACCESS = 0xC093, USER = 0x60, WIDE = 0x4000 };
    for (unsigned s = 0; s < SEG_COUNT; s++)
        if (mode == MODE_REAL)
            segment_load_real(cpu, s, 0);
        else if (mode == MODE_V8086)
            set_segment(cpu, s, 0, 0x00F3);
        else if (mode == MODE_LEVEL_3)
            set_segment(cpu, s, SELECTOR_USER_DATA, DATA_ACCESS | USER);
        else
            set_segment(cpu, s, SELECTOR_DATA, DATA_ACCESS);
    if (mode == MODE_CODE16)
        set_segment(cpu, SEG_CS, SELECTOR_CODE16, CODE_ACCESS);
    else if (mode == MODE_LEVEL_0)
        set_segment(cpu, SEG_CS, SELECTOR_CODE, CODE_ACCESS | WIDE);
    else if (mode == MODE_LEVEL_3)
        set_segment(cpu, SEG_CS, SELECTOR_USER_CODE, CODE_ACCESS | USER | WIDE);
}

/* As after RESET, but with all units on. */
static void enter_mode(Guest *guest, Mode mode) {
    Cpu *cpu = guest->cpu;
    CpuState *state = &cpu->state;
    cpu_reset(cpu, false);
    set_segments(cpu, mode);
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = DATA;
    state->gpr[REG_ESP] = STACK;
    if (cpu_has(cpu, FEATURE_FXSR))
        state->cr4 = CR4_OSFXSR;
    state->cr0 = CR0_ET | (mode != MODE_REAL ? CR0_PE : 0);
    state->cpl = mode == MODE_V8086 || mode == MODE_LEVEL_3 ? 3 : 0;
    cpu_set_eflags(cpu, FLAG_1 | (mode == MODE_V8086 ? FLAG_VM | FLAG_IOPL : 0));
    if (mode == MODE_REAL)
        state->idtr = (DescriptorTable){0, 0x3FF};
    else
        state->idtr = (DescriptorTable){IDT, 0x7FF};
    state->gdtr = (DescriptorTable){GDT, 0xFF};
    state->segment[SEG_TR] =
        (Segment){.selector = SELECTOR_TSS, .access = 0x8B, .base = TSS, .limit = 0x67};
    segment_classify(&state->segment[SEG_TR]);
    state->instruction_count = 0;
    state->halted = 0;
}

static void set_position(Cpu *cpu, Mode mode, uint32_t address) {
    Segment *cs = &cpu->state.segment[SEG_CS];
    cpu->state.eip = address;
    if (mode == MODE_REAL || mode == MODE_V8086) {
        cs->selector = (uint16_t)(address >> 4);
        cs->base = address;
        cpu->state.eip = 0;
        segment_classify(cs);
    }
}

/* ---- Running one instruction ---- */

typedef struct Runner {
    Guest guest;
    Mode mode;
    CpuState start;
    uint32_t next; /* where code goes that was not run before */
} Runner;

static void runner_create(Runner *runner, TranslatorBackend backend, const char *model) {
    guest_create_model(
        &runner->guest,
        &(TranslatorOptions){.backend = backend, .buffer_bytes = 4 << 20, .exact_end = true},
        model);
    runner->next = CODE;
}

static void runner_set_mode(Runner *runner, Mode mode) {
    runner->mode = mode;
    make_tables(&runner->guest);
    enter_mode(&runner->guest, mode);
    runner->start = runner->guest.cpu->state;
}

/* The vector that was raised, or -1. */
static int run_one(Runner *runner, const uint8_t *bytes) {
    Cpu *cpu = runner->guest.cpu;
    if (runner->next == CODE_END) {
        translator_flush(runner->guest.translator);
        runner->next = CODE;
    }
    physical_write_bytes(runner->guest.map, runner->next, bytes, CODE_BYTES);
    cpu->state = runner->start;
    set_position(cpu, runner->mode, runner->next);
    cpu_state_restored(cpu);
    runner->next += CODE_BYTES;
    guest_run(&runner->guest, 1);
    uint32_t from_handlers = cpu->state.eip - HANDLERS;
    return from_handlers < 256 ? (int)from_handlers : -1;
}

/* ---- What must happen ---- */

static bool is_undefined_everywhere(unsigned code) {
    return code == INSN_UD0 || code == INSN_UD1 || code == INSN_UD2 ||
           code == INSN_RSM ||                          /* but in system management mode */
           code == INSN_SYSCALL || code == INSN_SYSRET; /* but with EFER.SCE */
}

/* MONITOR and its like are #UD, not #GP, above level 0: SDM vol. 2A and 2B. */
static bool is_undefined_for_users(unsigned code) {
    return code == INSN_MONITOR || code == INSN_MWAIT || code == INSN_CLAC || code == INSN_STAC;
}

/* A CR4 that has no bits does not exist. */
static bool has_cr4(const Cpu *cpu) {
    return cpu_has(cpu, FEATURE_VME) || cpu_has(cpu, FEATURE_PSE) || cpu_has(cpu, FEATURE_TSC);
}

static bool is_undefined(const Runner *runner, const Insn *insn) {
    const Cpu *cpu = runner->guest.cpu;
    const OpcodeRow *row = insn->row;
    bool virtual = runner->mode == MODE_REAL || runner->mode == MODE_V8086;
    bool user = runner->mode == MODE_V8086 || runner->mode == MODE_LEVEL_3;
    if (is_undefined_everywhere(row->code) || (virtual && (row->attributes & ROW_PROTECTED)))
        return true;
    if (row->code == INSN_TZCNT || row->code == INSN_LZCNT) /* BSF and BSR where absent */
        return false;
    bool x87 = (row->attributes & ROW_X87) && row->feature != FEATURE_FXSR;
    if (x87 && !cpu_has(cpu, FEATURE_FPU)) /* nobody answers */
        return false;
    if (row->feature != 0 && !cpu_has(cpu, row->feature))
        return true;
    if (row->code == INSN_MOV_TR && !user && (insn->modrm >> 3 & 7) < 6)
        return !cpu_has(cpu, FEATURE_486); /* TR3 to TR5 test the 486's cache */
    if (row->code == INSN_MOV_CR && !user && (insn->modrm >> 3 & 7) == 4)
        return !has_cr4(cpu);
    return user && is_undefined_for_users(row->code);
}

static void check_encoding(Runner *runner, const Encoding *encoding, const char *model) {
    Insn insn;
    bool code32 = runner->mode == MODE_LEVEL_0 || runner->mode == MODE_LEVEL_3;
    ck_assert_int_eq(
        insn_decode(encoding->bytes, CODE_BYTES, code32 ? DECODE_32 : DECODE_16, &insn), DECODE_OK);
    int vector = run_one(runner, encoding->bytes);
    bool expected = is_undefined(runner, &insn);
    ck_assert_msg((vector == EXCEPTION_UD) == expected,
                  "%s on %s in %s: vector %d, %s was to be (%02X %02X %02X %02X)",
                  insn_code_name(insn.code), model, mode_names[runner->mode], vector,
                  expected ? "#UD" : "no #UD", encoding->bytes[0], encoding->bytes[1],
                  encoding->bytes[2], encoding->bytes[3]);
}

static const char *const models[] = {
    "386",
    "486",
    "486,-fpu",
    "pentium",
    "pentium-mmx",
    "pentium2",
    "pentium3",
    "pentium4",
    "athlon",
    "athlon,-3dnowext",
    "qemu32",
    "max",
    "max,-sse3,-cmov,-apic",
};

static RowList rows; /* 300 KB */

START_TEST(every_row_on_every_model) {
    static const TranslatorBackend backends[] = {BACKEND_JIT, BACKEND_PORTABLE};
    TranslatorBackend backend = backends[_i % 2];
    if (backend == BACKEND_JIT && translator_default_backend() != BACKEND_JIT)
        return;
    collect_rows(&rows);
    ck_assert_uint_gt(rows.count, 1500);
    const char *model = models[_i / 2];
    Runner runner;
    runner_create(&runner, backend, model);
    for (unsigned mode = 0; mode < MODE_COUNT; mode++) {
        runner_set_mode(&runner, (Mode)mode);
        for (unsigned i = 0; i < rows.count; i++)
            check_encoding(&runner, &rows.entries[i], model);
    }
    guest_destroy(&runner.guest);
}
END_TEST

/* ---- Units that are off ---- */

typedef struct UnitSetting {
    const char *name;
    uint32_t cr0, cr4_off;
    int x87, mmx, sse; /* vectors that must be raised, -1: not that */
} UnitSetting;

/* SDM vol. 2A tables 2-16 to 2-26, vol. 3A 2.5 and 13.1. */
static const UnitSetting unit_settings[] = {
    {"EM", CR0_EM, 0, EXCEPTION_NM, EXCEPTION_UD, EXCEPTION_UD},
    {"TS", CR0_TS, 0, EXCEPTION_NM, EXCEPTION_NM, EXCEPTION_NM},
    {"EM and TS", CR0_EM | CR0_TS, 0, EXCEPTION_NM, EXCEPTION_UD, EXCEPTION_UD},
    {"no OSFXSR", 0, CR4_OSFXSR, -1, -1, EXCEPTION_UD},
};

/* FXSAVE and FXRSTOR are x87 instructions; FWAIT looks at MP. */
static int expected_vector(const OpcodeRow *row, const UnitSetting *setting) {
    if (row->code == INSN_WAIT)
        return -1;
    if (row->attributes & ROW_X87)
        return setting->x87;
    return row->attributes & ROW_SSE ? setting->sse : setting->mmx;
}

START_TEST(units_that_are_off) {
    const UnitSetting *setting = &unit_settings[_i / 2];
    TranslatorBackend backend = _i % 2 != 0 ? BACKEND_PORTABLE : translator_default_backend();
    unsigned seen = 0;
    Runner runner;
    collect_rows(&rows);
    runner_create(&runner, backend, "max");
    runner_set_mode(&runner, MODE_LEVEL_0);
    runner.start.cr0 |= setting->cr0;
    runner.start.cr4 &= ~setting->cr4_off;
    for (unsigned i = 0; i < rows.count; i++) {
        const OpcodeRow *row = rows.entries[i].row;
        if (!(row->attributes & (ROW_X87 | ROW_MMX | ROW_SSE)) ||
            (row->feature != 0 && !cpu_has(runner.guest.cpu, row->feature)))
            continue;
        int wanted = expected_vector(row, setting);
        int vector = run_one(&runner, rows.entries[i].bytes);
        ck_assert_msg(wanted >= 0 ? vector == wanted
                                  : vector != EXCEPTION_UD && vector != EXCEPTION_NM,
                      "%s with %s: vector %d, not %d", insn_code_name((InsnCode)row->code),
                      setting->name, vector, wanted);
        seen++;
    }
    ck_assert_uint_gt(seen, 900);
    guest_destroy(&runner.guest);
}
END_TEST

/* ---- How software tells processors apart ---- */

/* Intel's AP-485 and what C compilers' start-up code does: bits 12 to 15 of FLAGS, AC and ID of
 * EFLAGS, the answer of a coprocessor, infinities of a 287, and Cyrix's 5 / 2. */
static const uint8_t identification[] = {
    // clang-format off
    0x9C, 0x58,                               /* pushf; pop ax */
    0x89, 0xC1,                               /* mov cx, ax */
    0x25, 0xFF, 0x0F,                         /* and ax, 0FFFh */
    0x50, 0x9D, 0x9C, 0x58,                   /* push ax; popf; pushf; pop ax */
    0x89, 0xC6,                               /* mov si, ax: an 8086 has F in bits 15:12 */
    0x89, 0xC8,                               /* mov ax, cx */
    0x0D, 0x00, 0xF0,                         /* or ax, F000h */
    0x50, 0x9D, 0x9C, 0x58,                   /* push ax; popf; pushf; pop ax */
    0x89, 0xC7,                               /* mov di, ax: a 286 in real mode has 0 there */
    0x51, 0x9D,                               /* push cx; popf */
    0x66, 0x9C, 0x66, 0x58,                   /* pushfd; pop eax */
    0x66, 0x89, 0xC1,                         /* mov ecx, eax */
    0x66, 0x35, 0x00, 0x00, 0x24, 0x00,       /* xor eax, 240000h: ID, AC */
    0x66, 0x50, 0x66, 0x9D,                   /* push eax; popfd */
    0x66, 0x9C, 0x66, 0x58,                   /* pushfd; pop eax */
    0x66, 0x31, 0xC8,                         /* xor eax, ecx */
    0x66, 0x89, 0xC5,                         /* mov ebp, eax: those that can be toggled */
    0x66, 0x51, 0x66, 0x9D,                   /* push ecx; popfd */
    0xC7, 0x06, 0x00, 0x80, 0x5A, 0x5A,       /* mov word [8000h], 5A5Ah */
    0xC7, 0x06, 0x02, 0x80, 0x5A, 0x5A,       /* mov word [8002h], 5A5Ah */
    0xDB, 0xE3,                               /* fninit */
    0xDD, 0x3E, 0x00, 0x80,                   /* fnstsw [8000h] */
    0xD9, 0x3E, 0x02, 0x80,                   /* fnstcw [8002h] */
    0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9,       /* fld1; fldz; fdivp */
    0xD9, 0xC0, 0xD9, 0xE0, 0xDE, 0xD9,       /* fld st0; fchs; fcompp */
    0xDD, 0x3E, 0x04, 0x80,                   /* fnstsw [8004h]: C3 where infinities are equal */
    0x31, 0xC0, 0x9E,                         /* xor ax, ax; sahf */
    0xB0, 0x05, 0xB3, 0x02,                   /* mov al, 5; mov bl, 2 */
    0xF6, 0xF3,                               /* div bl */
    0x9F, 0x88, 0xE1,                         /* lahf; mov cl, ah: 2 on a Cyrix */
    0xF4,                                     /* hlt */
    // clang-format on
};

typedef struct Identity {
    const char *model;
    uint32_t toggled, status, control, flags_of_5_by_2;
} Identity;

enum { UNTOUCHED = 0x5A5A, STATUS_CLEAR = 0, CONTROL_INIT = 0x37F, INFINITIES_EQUAL = 1 << 14 };

static const Identity identities[] = {
    {"386", 0, STATUS_CLEAR, CONTROL_INIT, 0x13},
    {"386,-fpu", 0, UNTOUCHED, UNTOUCHED, 0x13},
    {"486", FLAG_AC | FLAG_ID, STATUS_CLEAR, CONTROL_INIT, 0x13},
    {"486,-cpuid", FLAG_AC, STATUS_CLEAR, CONTROL_INIT, 0x13},
    {"486,-fpu", FLAG_AC | FLAG_ID, UNTOUCHED, UNTOUCHED, 0x13},
    {"pentium", FLAG_AC | FLAG_ID, STATUS_CLEAR, CONTROL_INIT, 2},
    {"pentium3", FLAG_AC | FLAG_ID, STATUS_CLEAR, CONTROL_INIT, 2},
    {"qemu32", FLAG_AC | FLAG_ID, STATUS_CLEAR, CONTROL_INIT, 2},
    {"max", FLAG_AC | FLAG_ID, STATUS_CLEAR, CONTROL_INIT, 2},
};

START_TEST(software_tells_models_apart) {
    const Identity *identity = &identities[_i / 2];
    TranslatorBackend backend = _i % 2 != 0 ? BACKEND_PORTABLE : translator_default_backend();
    Guest guest;
    guest_create_model(&guest, &(TranslatorOptions){.backend = backend}, identity->model);
    memcpy(guest.ram + CODE, identification, sizeof(identification));
    guest_enter_real_mode(&guest, 0, 0);
    segment_load_real(guest.cpu, SEG_CS, CODE >> 4);
    guest.cpu->state.gpr[REG_ESP] = STACK;
    ck_assert_int_eq(guest_run(&guest, 1000), RUN_HALTED);
    const uint64_t *gpr = guest.cpu->state.gpr;
    ck_assert_uint_eq(gpr[REG_ESI] & 0xF000, 0);
    ck_assert_uint_eq(gpr[REG_EDI] & 0xF000, 0x7000);
    ck_assert_uint_eq(gpr[REG_EBP], identity->toggled);
    ck_assert_uint_eq(physical_read(guest.map, DATA, 2), identity->status);
    ck_assert_uint_eq(physical_read(guest.map, DATA + 2, 2), identity->control);
    ck_assert_uint_eq(physical_read(guest.map, DATA + 4, 2) & INFINITIES_EQUAL, 0);
    ck_assert_uint_eq(gpr[REG_ECX] & 0xFF, identity->flags_of_5_by_2);
    guest_destroy(&guest);
}
END_TEST

/* Cases out of the recordings of an 80286: flags that the manual leaves undefined. */
START_TEST(divisions_of_the_first_models) {
    static const struct {
        uint8_t code[2];
        uint32_t eax, edx, ecx, flags;
    } cases[] = {
        {{0xF6, 0xF1}, 0x016E, 0, 0xF6, FLAG_OF | FLAG_AF | FLAG_PF | FLAG_CF},
        {{0xF6, 0xF1}, 0x4D7F, 0, 0xA1, FLAG_AF | FLAG_PF},
        {{0xF6, 0xF1}, 0x0000, 0, 0x29, FLAG_OF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF},
        {{0xF6, 0xF1}, 0x37C0, 0, 0xFF, FLAG_OF | FLAG_SF | FLAG_AF | FLAG_CF},
        {{0xF6, 0xF9}, 0x0007, 0, 0xFE, FLAG_AF}, /* 7 / -2 */
        {{0xF6, 0xF9},
         0xFFF9,
         0,
         0x02,
         FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF | FLAG_CF}, /* -7 / 2 */
    };
    TranslatorBackend backend = _i != 0 ? BACKEND_PORTABLE : translator_default_backend();
    Runner runner;
    runner_create(&runner, backend, "486");
    runner_set_mode(&runner, MODE_LEVEL_0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[CODE_BYTES] = {cases[i].code[0], cases[i].code[1]};
        runner.start.gpr[REG_EAX] = cases[i].eax;
        runner.start.gpr[REG_EDX] = cases[i].edx;
        runner.start.gpr[REG_ECX] = cases[i].ecx;
        ck_assert_int_eq(run_one(&runner, bytes), -1);
        uint32_t flags = cpu_get_status_flags(runner.guest.cpu);
        ck_assert_msg(flags == cases[i].flags, "case %u: flags %x", i, (unsigned)flags);
    }
    uint8_t by_zero[CODE_BYTES] = {0xF7, 0xF3}; /* div ebx */
    runner.start.gpr[REG_EBX] = 0;
    ck_assert_int_eq(run_one(&runner, by_zero), EXCEPTION_DE);
    guest_destroy(&runner.guest);
}
END_TEST

/* ---- RESET and INIT ---- */

typedef struct ResetState {
    const char *model;
    uint32_t edx, cr0;
} ResetState;

/* SDM vol. 3A table 9-1; 386 and 486 manuals, "Processor State After Reset". */
static const ResetState reset_states[] = {
    {"386", 0x308, CR0_ET},
    {"386,-fpu", 0x308, 0},
    {"486", 0x435, CR0_ET | CR0_CD | CR0_NW},
    {"pentium", 0x52C, CR0_ET | CR0_CD | CR0_NW},
    {"pentium4", 0xF24, CR0_ET | CR0_CD | CR0_NW},
};

START_TEST(reset_of_each_model) {
    const ResetState *wanted = &reset_states[_i];
    Guest guest;
    guest_create_model(&guest, &(TranslatorOptions){.backend = BACKEND_PORTABLE}, wanted->model);
    Cpu *cpu = guest.cpu;
    for (unsigned init = 0; init < 2; init++) {
        ck_assert_uint_eq(cpu->state.gpr[REG_EDX], wanted->edx);
        ck_assert_uint_eq(cpu->state.gpr[REG_EAX], 0); /* self-test passed */
        ck_assert_uint_eq(cpu->state.cr0, wanted->cr0);
        ck_assert_uint_eq(cpu->state.cr4, 0);
        ck_assert_uint_eq(cpu->state.dr[6], 0xFFFF0FF0);
        ck_assert_uint_eq(cpu->state.dr[7], 0x400);
        ck_assert_uint_eq(cpu_get_eflags(cpu), 2);
        /* ET is wired from the 486 on; INIT finds it as it is. */
        ck_assert_int_ne(helper_write_cr(cpu, 0, 0, 0, 0), HELPER_FAULT);
        ck_assert_uint_eq(cpu->state.cr0, cpu_has(cpu, FEATURE_486) ? CR0_ET : 0);
        cpu->state.gpr[REG_EAX] = 1;
        cpu->state.cr0 = wanted->cr0 | CR0_PE | CR0_TS;
        cpu_reset(cpu, true);
    }
    guest_destroy(&guest);
}
END_TEST

/* ---- Bits of registers ---- */

typedef struct RegisterBits {
    const char *model;
    uint32_t cr0, cr4, eflags;
    bool has_msrs, has_mtrrs, has_pat;
} RegisterBits;

enum {
    CR0_OF_386 = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET,
    CR0_OF_486 = CR0_OF_386 | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD,
    FLAGS_OF_386 = 0x7FD5,
    FLAGS_OF_486 = FLAGS_OF_386 | FLAG_AC,
    FLAGS_OF_PENTIUM = FLAGS_OF_486 | FLAG_ID | FLAG_VIF | FLAG_VIP,
};

/* SDM vol. 3A 2.5, vol. 3B 22.11 and 22.22 ("Architecture Compatibility"). */
static const RegisterBits register_bits[] = {
    {"386", CR0_OF_386, 0, FLAGS_OF_386, false, false, false},
    {"486", CR0_OF_486, 0, FLAGS_OF_486 | FLAG_ID, false, false, false},
    {"pentium", CR0_OF_486, 0x5F, FLAGS_OF_PENTIUM, true, false, false},
    {"pentium-mmx", CR0_OF_486, 0x15F, FLAGS_OF_PENTIUM, true, false, false},
    {"pentium2", CR0_OF_486, 0x3FF, FLAGS_OF_PENTIUM, true, true, true},
    {"pentium3", CR0_OF_486, 0x7FF, FLAGS_OF_PENTIUM, true, true, true},
    {"pentium4", CR0_OF_486, 0x7FF, FLAGS_OF_PENTIUM, true, true, true},
    {"athlon", CR0_OF_486, 0x3FF, FLAGS_OF_PENTIUM, true, true, true},
    {"qemu32", CR0_OF_486, 0x7FC, FLAGS_OF_486 | FLAG_ID, true, false, true},
    {"max", CR0_OF_486, 0x300FFF, FLAGS_OF_PENTIUM, true, true, true},
};

static bool has_msr(Cpu *cpu, uint32_t number) {
    cpu->state.gpr[REG_ECX] = number;
    bool has = cpu_has(cpu, FEATURE_MSR) && helper_rdmsr(cpu, 0, 0, 0, 0) == HELPER_NEXT;
    cpu->exception.vector = EXCEPTION_NONE;
    return has;
}

START_TEST(registers_of_each_model) {
    enum { MTRR_CAPABILITIES = 0xFE, PAT = 0x277, TIME_STAMP_COUNTER = 0x10 };
    const RegisterBits *wanted = &register_bits[_i];
    Guest guest;
    guest_create_model(&guest, &(TranslatorOptions){.backend = BACKEND_PORTABLE}, wanted->model);
    Cpu *cpu = guest.cpu;
    helper_write_cr(cpu, 0, 0, UINT32_MAX & ~CR0_PG, 0);
    ck_assert_uint_eq(cpu->state.cr0, wanted->cr0);
    helper_write_cr(cpu, 0, 0, CR0_ET, 0);
    uint32_t bits = 0;
    for (unsigned i = 0; i < 32; i++) {
        cpu->state.cr4 = 0;
        if (helper_write_cr(cpu, 4, 0, 1u << i, 0) == HELPER_JUMP)
            bits |= cpu->state.cr4;
    }
    cpu->state.cr4 = 0;
    ck_assert_uint_eq(bits, wanted->cr4);
    cpu_set_eflags(cpu, UINT32_MAX & ~(uint32_t)(FLAG_VM | FLAG_RF));
    ck_assert_uint_eq(cpu_get_eflags(cpu), wanted->eflags | FLAG_1);
    ck_assert_int_eq(has_msr(cpu, TIME_STAMP_COUNTER), wanted->has_msrs);
    ck_assert_int_eq(has_msr(cpu, MTRR_CAPABILITIES), wanted->has_mtrrs);
    ck_assert_int_eq(has_msr(cpu, PAT), wanted->has_pat);
    guest_destroy(&guest);
}
END_TEST

/* ---- SYSCALL and SYSRET of the Athlon ---- */

START_TEST(system_calls_of_an_athlon) {
    enum { EFER = 0xC0000080, STAR = 0xC0000081, ENTRY = 0x12340 };
    static const uint8_t call[CODE_BYTES] = {0x0F, 0x05}, back[CODE_BYTES] = {0x0F, 0x07};
    TranslatorBackend backend = _i != 0 ? BACKEND_PORTABLE : translator_default_backend();
    Runner runner;
    runner_create(&runner, backend, "athlon");
    runner_set_mode(&runner, MODE_LEVEL_3);
    CpuState *state = &runner.guest.cpu->state;
    ck_assert_int_eq(run_one(&runner, call), EXCEPTION_UD); /* not before EFER.SCE */
    runner.start.efer = 1;
    runner.start.eflags |= FLAG_IF;
    runner.start.star = UINT64_C(0x0023000800000000) | ENTRY;
    uint32_t next = runner.next + 2;
    ck_assert_int_eq(run_one(&runner, call), -1);
    ck_assert_uint_eq(state->eip, ENTRY);
    ck_assert_uint_eq(state->gpr[REG_ECX], next);
    ck_assert_uint_eq(state->gpr[REG_ESP], STACK);
    ck_assert_uint_eq(state->cpl, 0);
    ck_assert_uint_eq(state->segment[SEG_CS].selector, 8);
    ck_assert_uint_eq(state->segment[SEG_SS].selector, 0x10);
    ck_assert_uint_eq(state->eflags & FLAG_IF, 0);
    ck_assert_int_eq(run_one(&runner, back), EXCEPTION_GP); /* at level 3 */
    uint64_t star = runner.start.star;
    runner_set_mode(&runner, MODE_LEVEL_0);
    runner.start.efer = 1;
    runner.start.star = star;
    ck_assert_int_eq(run_one(&runner, back), -1);
    ck_assert_uint_eq(state->eip, DATA); /* ECX */
    ck_assert_uint_eq(state->cpl, 3);
    ck_assert_uint_eq(state->segment[SEG_CS].selector, 0x23);
    ck_assert_uint_eq(state->segment[SEG_SS].selector, 0x2B);
    ck_assert_uint_eq(state->segment[SEG_SS].access & ACCESS_DPL, ACCESS_DPL);
    ck_assert_uint_ne(state->eflags & FLAG_IF, 0);
    guest_destroy(&runner.guest);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cpu_models");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_row_on_every_model, 0, 2 * sizeof(models) / sizeof(models[0]));
    tcase_add_loop_test(tests, units_that_are_off, 0,
                        2 * sizeof(unit_settings) / sizeof(unit_settings[0]));
    tcase_add_loop_test(tests, software_tells_models_apart, 0,
                        2 * sizeof(identities) / sizeof(identities[0]));
    tcase_add_loop_test(tests, divisions_of_the_first_models, 0, 2);
    tcase_add_loop_test(tests, reset_of_each_model, 0,
                        sizeof(reset_states) / sizeof(reset_states[0]));
    tcase_add_loop_test(tests, registers_of_each_model, 0,
                        sizeof(register_bits) / sizeof(register_bits[0]));
    tcase_add_loop_test(tests, system_calls_of_an_athlon, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
