/* Single instructions in real mode as a real 80286 ran them: the recorded cases of
 * conformance/286-real-mode, whose README describes the format, through every backend.
 *
 * All memory is compared, not only what a case names: pages that were written carry a dirty bit,
 * and those must hold what is expected. What a 386 does otherwise than a 286 is listed in
 * 'known_differences'; 'known_flags' lists the few flags that the manual leaves undefined and that
 * a 286 leaves otherwise than a Pentium 4 and later. All others are compared, undefined or not. */
#include "cpu_feature.h"
#include "guest_fixture.h"
#include "helpers.h"
#include "insn.h"
#include "suite_run.h"
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    SLICE = 5, /* one case of so many, where not all are run */
    LINE_MAX_BYTES = 4 << 20,
    BYTES_MAX = 1 << 17, /* of one list, and what an adaptation adds */
    ADDED_BYTES = 8,
    INSTRUCTIONS_MAX = 200000, /* the longest REP string is 65536 iterations */
    LENGTH_MAX_OF_286 = 10,
    FLAGS_OF_286 = 0x0FFF, /* bits 12 to 15 read 0 in real mode on a 286, not on a 386 */
    NO_EXCEPTION = -1,
};

/* The order of the files' register fields. */
typedef enum CaseRegister {
    CASE_AX,
    CASE_BX,
    CASE_CX,
    CASE_DX,
    CASE_CS,
    CASE_SS,
    CASE_DS,
    CASE_ES,
    CASE_SP,
    CASE_BP,
    CASE_SI,
    CASE_DI,
    CASE_IP,
    CASE_FLAGS,
    CASE_REGISTER_COUNT
} CaseRegister;

static const char *const register_names[CASE_REGISTER_COUNT] = {
    "ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip", "flags"};

/* Which of ours each is, up to CASE_DI. */
static const struct {
    bool is_segment;
    uint8_t number;
} register_places[CASE_IP] = {
    {false, REG_EAX}, {false, REG_EBX}, {false, REG_ECX}, {false, REG_EDX},
    {true, SEG_CS},   {true, SEG_SS},   {true, SEG_DS},   {true, SEG_ES},
    {false, REG_ESP}, {false, REG_EBP}, {false, REG_ESI}, {false, REG_EDI},
};

typedef struct ByteAt {
    uint32_t address;
    uint8_t value;
} ByteAt;

typedef struct ByteList {
    ByteAt *items;
    size_t count;
} ByteList;

typedef struct Case {
    const char *name;
    uint8_t code[16];
    unsigned code_length;
    uint16_t before[CASE_REGISTER_COUNT], after[CASE_REGISTER_COUNT];
    ByteList memory, changes;
    int exception;
    Insn insn;
    DecodeStatus status;
} Case;

/* ---- Reading ---- */

static bool parse_registers(char *field, uint16_t registers[CASE_REGISTER_COUNT]) {
    for (unsigned i = 0; i < CASE_REGISTER_COUNT; i++)
        registers[i] = (uint16_t)strtoul(field, &field, 16);
    return *field == '\0';
}

static bool parse_changes(char *field, uint16_t registers[CASE_REGISTER_COUNT]) {
    char *rest = NULL;
    for (char *item = strtok_r(field, " ", &rest); item != NULL;
         item = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(item, '=');
        unsigned i = 0;
        if (equals == NULL)
            return false;
        *equals = '\0';
        while (i < CASE_REGISTER_COUNT && strcmp(register_names[i], item) != 0)
            i++;
        if (i == CASE_REGISTER_COUNT)
            return false;
        registers[i] = (uint16_t)strtoul(equals + 1, NULL, 16);
    }
    return true;
}

static bool parse_bytes(char *field, ByteList *list) {
    list->count = 0;
    while (*field != '\0') {
        if (list->count == BYTES_MAX)
            return false;
        ByteAt *item = &list->items[list->count++];
        item->address = (uint32_t)strtoul(field, &field, 16);
        if (*field != '=' || item->address >= GUEST_RAM_BYTES)
            return false;
        item->value = (uint8_t)strtoul(field + 1, &field, 16);
        field += *field == ' ';
    }
    return true;
}

static bool parse_code(const char *field, Case *item) {
    for (item->code_length = 0; *field != '\0'; field += 2) {
        unsigned value;
        if (item->code_length == sizeof(item->code) || sscanf(field, "%2x", &value) != 1)
            return false;
        item->code[item->code_length++] = (uint8_t)value;
    }
    return item->code_length > 1;
}

static bool parse_exception(char *field, Case *item) {
    item->exception = NO_EXCEPTION;
    if (*field == '\0')
        return true;
    item->exception = (int)strtoul(field, &field, 16);
    return *field == '@'; /* the flags word's address, rounded down to an even one */
}

static bool parse_case(char *line, Case *item) {
    char *fields[7] = {line};
    for (unsigned i = 1; i < 7; i++) {
        fields[i] = strchr(fields[i - 1], '|');
        if (fields[i] == NULL)
            return false;
        *fields[i]++ = '\0';
    }
    fields[6][strcspn(fields[6], "\r\n")] = '\0';
    item->name = fields[0];
    if (!parse_code(fields[1], item) || !parse_registers(fields[2], item->before))
        return false;
    memcpy(item->after, item->before, sizeof(item->after));
    if (!parse_bytes(fields[3], &item->memory) || !parse_changes(fields[4], item->after) ||
        !parse_bytes(fields[5], &item->changes) || !parse_exception(fields[6], item))
        return false;
    item->status = insn_decode(item->code, item->code_length, DECODE_16, &item->insn);
    return true;
}

/* ---- What a 386 does otherwise ---- */

/* 'adapt' changes what is expected; without it there is nothing to compare. */
typedef struct Difference {
    const char *reason;
    bool (*applies)(const Case *item);
    void (*adapt)(Case *item);
} Difference;

static bool is_lock_refused(const Case *item) {
    return item->status == DECODE_INVALID && item->insn.prefixes & PREFIX_LOCK;
}

static void add_byte(ByteList *list, uint32_t address, uint8_t value) {
    list->items[list->count++] = (ByteAt){address, value};
}

static bool names_address(const Case *item, uint32_t address) {
    for (size_t i = 0; i < item->memory.count; i++)
        if (item->memory.items[i].address == address)
            return true;
    return false;
}

/* #UD at the instruction, and a HLT as its handler at 'segment':0. */
static void expect_invalid_opcode(Case *item) {
    enum { STACK_FRAME = 6 };
    uint16_t segment = 0xA000;
    while (names_address(item, segment * 16u))
        segment++;
    const uint16_t frame[3] = {item->before[CASE_IP], item->before[CASE_CS],
                               (item->before[CASE_FLAGS] & FLAGS_OF_286) | FLAG_1};
    const uint8_t vector[4] = {0, 0, (uint8_t)segment, (uint8_t)(segment >> 8)};
    memcpy(item->after, item->before, sizeof(item->after));
    item->after[CASE_SP] = (uint16_t)(item->before[CASE_SP] - STACK_FRAME);
    item->after[CASE_CS] = segment;
    item->after[CASE_IP] = 1;
    item->after[CASE_FLAGS] &= ~(FLAG_TF | FLAG_IF);
    item->changes.count = 0;
    for (unsigned i = 0; i < STACK_FRAME; i++)
        add_byte(&item->changes, item->before[CASE_SS] * 16u + (uint16_t)(item->after[CASE_SP] + i),
                 (uint8_t)(frame[i / 2] >> 8 * (i & 1)));
    for (unsigned i = 0; i < sizeof(vector); i++)
        add_byte(&item->memory, 4 * EXCEPTION_UD + i, vector[i]);
    add_byte(&item->memory, segment * 16u, 0xF4);
    item->exception = EXCEPTION_UD;
}

static bool is_long(const Case *item) {
    return item->status == DECODE_OK && item->insn.length > LENGTH_MAX_OF_286;
}

static bool uses_fs_or_gs(const Case *item) {
    return item->status == DECODE_OK && item->insn.code == INSN_MOV_SREG &&
           item->exception == EXCEPTION_UD &&
           ((item->insn.modrm >> 3 & 7) == SEG_FS || (item->insn.modrm >> 3 & 7) == SEG_GS);
}

/* At the time of the fault the source is looked at first. */
static bool is_stack_fault(const Case *item) {
    if (item->exception != EXCEPTION_GP || item->status != DECODE_OK)
        return false;
    if (item->insn.row->attributes & ROW_STRING)
        return item->insn.memory.segment == SEG_SS && item->after[CASE_SI] == 0xFFFF;
    for (unsigned i = 0; i < item->insn.operand_count; i++)
        if (item->insn.operand[i].kind == OPERAND_MEM)
            return item->insn.memory.segment == SEG_SS;
    return true;
}

/* The vector of #GP serves as that of #SS too. */
static void expect_stack_fault(Case *item) {
    for (size_t i = 0, count = item->memory.count; i < count; i++)
        if (item->memory.items[i].address / 4 == EXCEPTION_GP) {
            ByteAt *copy = &item->memory.items[item->memory.count++];
            *copy = item->memory.items[i];
            copy->address += 4 * (EXCEPTION_SS - EXCEPTION_GP);
        }
}

static bool is_string_fault(const Case *item) {
    return item->exception == EXCEPTION_GP && item->status == DECODE_OK &&
           item->insn.row->attributes & ROW_STRING;
}

/* SI, DI and CX are those of the element that faults, which is the first at offset FFFFh. */
static void expect_restored_pointers(Case *item) {
    uint16_t step = item->before[CASE_FLAGS] & FLAG_DF ? (uint16_t)-2 : 2;
    uint16_t si = item->before[CASE_SI], di = item->before[CASE_DI], done = 0;
    bool uses_si = false, uses_di = false;
    for (unsigned i = 0; i < item->insn.operand_count; i++) {
        uses_si |= item->insn.operand[i].kind == OPERAND_STRING_SOURCE;
        uses_di |= item->insn.operand[i].kind == OPERAND_STRING_DESTINATION;
    }
    while (!(uses_si && si == 0xFFFF) && !(uses_di && di == 0xFFFF) && done < UINT16_MAX) {
        si = (uint16_t)(si + step * uses_si);
        di = (uint16_t)(di + step * uses_di);
        done++;
    }
    item->after[CASE_SI] = si;
    item->after[CASE_DI] = di;
    item->after[CASE_CX] = (uint16_t)(item->before[CASE_CX] - done);
}

/* The flags word that the exception pushed. */
static bool is_pushed_flags(const Case *item, uint32_t address, unsigned *byte) {
    for (*byte = 0; *byte < 2; ++*byte) {
        uint16_t offset = (uint16_t)(item->after[CASE_SP] + 4 + *byte);
        if (item->exception != NO_EXCEPTION && address == item->after[CASE_SS] * 16u + offset)
            return true;
    }
    return false;
}

static bool is_compare_fault(const Case *item) {
    return is_string_fault(item) && (item->insn.code == INSN_CMPS || item->insn.code == INSN_SCAS);
}

static void expect_restored_flags(Case *item) {
    unsigned byte;
    item->after[CASE_FLAGS] = item->before[CASE_FLAGS] & ~(FLAG_TF | FLAG_IF);
    for (size_t i = 0; i < item->changes.count; i++)
        if (is_pushed_flags(item, item->changes.items[i].address, &byte))
            item->changes.items[i].value =
                (uint8_t)((item->before[CASE_FLAGS] & FLAGS_OF_286) >> 8 * byte);
}

static bool is_divide_error(const Case *item) {
    return item->exception == EXCEPTION_DE && item->status == DECODE_OK;
}

static bool is_pop_fault(const Case *item) {
    return item->exception == EXCEPTION_GP && item->insn.code == INSN_POP &&
           item->insn.operand[0].kind == OPERAND_MEM;
}

/* So the exception is pushed one word lower. */
static void expect_restored_stack_pointer(Case *item) {
    uint32_t base = item->after[CASE_SS] * 16u;
    item->after[CASE_SP] -= 2;
    for (size_t i = 0; i < item->changes.count; i++) {
        uint32_t *address = &item->changes.items[i].address;
        *address = base + (uint16_t)(*address - base - 2);
    }
}

static const Difference known_differences[] = {
    {"LOCK is #UD where it makes no sense; a 286 allows it anywhere (SDM vol. 3B 22.18.6)",
     is_lock_refused, expect_invalid_opcode},
    {"instructions may have 15 bytes, not 10", is_long, NULL},
    {"FS and GS are there", uses_fs_or_gs, NULL},
    {"a faulting string instruction leaves SI, DI and CX as they were before that element",
     is_string_fault, expect_restored_pointers},
    {"and the flags as they were before the first one (SDM vol. 2, REP)", is_compare_fault,
     expect_restored_flags},
    {"a divide error leaves the flags as they were (SDM vol. 3A 6.15, interrupt 0)",
     is_divide_error, expect_restored_flags},
    {"a word at SS:FFFFh is #SS, not #GP", is_stack_fault, expect_stack_fault},
    {"a faulting POP to memory leaves SP alone", is_pop_fault, expect_restored_stack_pointer},
};
enum { DIFFERENCE_COUNT = sizeof(known_differences) / sizeof(known_differences[0]) };

/* False where the case cannot be compared. 'counts' has an element for each difference. */
static bool apply_differences(Case *item, unsigned long *counts) {
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        if (known_differences[i].applies(item)) {
            counts[i]++;
            if (known_differences[i].adapt == NULL)
                return false;
            known_differences[i].adapt(item);
        }
    return true;
}

/* Flags that the manual leaves undefined after an instruction and in which a 286 differs from what
 * our models do. Shifts by 0 change no flag. */
static const struct {
    uint16_t code;
    uint16_t flags;
    bool late; /* the 386 agrees */
    const char *of_a_286;
} known_flags[] = {
    {INSN_DAA, FLAG_OF, false, "OF of the additions; cleared"},
    {INSN_DAS, FLAG_OF, false, "OF of the subtractions; cleared"},
    {INSN_AAA, FLAG_PF | FLAG_ZF | FLAG_SF | FLAG_OF, false, "of AL before it is masked; after"},
    {INSN_AAS, FLAG_PF | FLAG_ZF | FLAG_SF | FLAG_OF, false, "the same"},
    {INSN_AAD, FLAG_CF | FLAG_AF | FLAG_OF, false, "of the addition; cleared"},
    {INSN_MUL, FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF, false,
     "of its last step; of the low half, AF 0"},
    {INSN_IMUL, FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF, false, "the same"},
    {INSN_DIV, FLAG_STATUS, true, "of its last step; kept"},
    {INSN_IDIV, FLAG_STATUS, true, "the same"},
    {INSN_SHL, FLAG_AF, false, "bit 4 of the result; 0"},
    {INSN_SHR, FLAG_AF, false, "1; 0"},
    {INSN_SAR, FLAG_AF, false, "1; 0"},
};
enum { FLAGS_COUNT = sizeof(known_flags) / sizeof(known_flags[0]) };

static bool is_shift_by_zero(const Case *item) {
    uint8_t kind = item->insn.operand[1].kind;
    if (item->insn.code != INSN_SHL && item->insn.code != INSN_SHR && item->insn.code != INSN_SAR)
        return false;
    uint32_t count = kind == OPERAND_IMM   ? item->insn.immediate
                     : kind == OPERAND_ONE ? 1
                                           : item->before[CASE_CX];
    return (count & 31) == 0;
}

/* What is not compared: nothing where an exception came. */
static uint16_t ignored_flags(const Case *item, bool late) {
    if (item->status != DECODE_OK || is_shift_by_zero(item) || item->exception != NO_EXCEPTION)
        return 0;
    for (unsigned i = 0; i < FLAGS_COUNT; i++)
        if (known_flags[i].code == item->insn.code && (late || !known_flags[i].late))
            return known_flags[i].flags & item->insn.row->flags_undefined;
    return 0;
}

/* ---- Running ---- */

/* One backend at work on one file after the other. */
typedef struct Runner {
    Guest guest;
    uint8_t *expected; /* what RAM is to hold; all zero between cases, as RAM is */
    char *line;
    Case item;
    bool lists_left_out;
    unsigned long passed, left_out, failed;
    unsigned long differences[DIFFERENCE_COUNT];
} Runner;

static void put_byte(Runner *runner, const ByteAt *byte) {
    physical_write(runner->guest.map, byte->address, 1, byte->value);
    runner->expected[byte->address] = byte->value;
}

static void set_up(Runner *runner, const Case *item) {
    CpuState *state = &runner->guest.cpu->state;
    for (size_t i = 0; i < item->memory.count; i++)
        put_byte(runner, &item->memory.items[i]);
    physical_map_clear_dirty(runner->guest.map, PAGE_DIRTY_CHECKPOINT);
    for (unsigned i = 0; i < CASE_IP; i++) {
        if (register_places[i].is_segment)
            segment_load_real(runner->guest.cpu, register_places[i].number, item->before[i]);
        else
            state->gpr[register_places[i].number] = item->before[i];
    }
    state->eip = item->before[CASE_IP];
    cpu_set_eflags(runner->guest.cpu, (item->before[CASE_FLAGS] & FLAGS_OF_286) | FLAG_1);
    state->fpu.control = 0x037F; /* as after FNINIT: D8 has no effect but on the FPU */
    state->fpu.status = 0;
    state->fpu.tags = 0xFFFF;
    state->halted = state->shutdown = 0;
    state->interrupt_shadow = 0;
    state->instruction_count = 0;
    for (size_t i = 0; i < item->changes.count; i++)
        runner->expected[item->changes.items[i].address] = item->changes.items[i].value;
}

static bool compare_registers(const Runner *runner, const Case *item, char *text, size_t size) {
    const CpuState *state = &runner->guest.cpu->state;
    uint16_t ignored = ignored_flags(item, cpu_has(runner->guest.cpu, FEATURE_CPUID));
    for (unsigned i = 0; i < CASE_REGISTER_COUNT; i++) {
        uint32_t value, wanted = item->after[i];
        if (i == CASE_FLAGS) {
            value = cpu_get_eflags(runner->guest.cpu) & FLAGS_OF_286 & ~ignored;
            wanted &= FLAGS_OF_286 & ~ignored;
        } else if (i == CASE_IP) {
            value = state->eip & 0xFFFF; /* EIP goes on to 10000h behind a HLT at FFFFh */
        } else {
            value = register_places[i].is_segment
                        ? state->segment[register_places[i].number].selector
                        : (uint32_t)state->gpr[register_places[i].number];
        }
        if (value != wanted) {
            snprintf(text, size, "%s is %04X, not %04X", register_names[i], value, wanted);
            return false;
        }
    }
    return true;
}

static bool compare_page(Runner *runner, uint32_t page, char *text, size_t size) {
    const uint8_t *ram = runner->guest.ram;
    if (memcmp(ram + page, runner->expected + page, PAGE_SIZE) == 0)
        return true;
    uint32_t at = page;
    while (ram[at] == runner->expected[at])
        at++;
    snprintf(text, size, "the byte at %06X is %02X, not %02X", at, ram[at], runner->expected[at]);
    return false;
}

static bool compare_memory(Runner *runner, const Case *item, char *text, size_t size) {
    const uint8_t *flags = physical_map_ram_flags(runner->guest.map);
    for (size_t i = 0; i < item->changes.count; i++) /* what should have been written and was not */
        if (!compare_page(runner, item->changes.items[i].address & ~PAGE_OFFSET_MASK, text, size))
            return false;
    for (uint32_t page = 0; page < GUEST_RAM_BYTES / PAGE_SIZE; page++)
        if (flags[page] & PAGE_DIRTY_CHECKPOINT &&
            !compare_page(runner, page * PAGE_SIZE, text, size))
            return false;
    return true;
}

/* Zeroes all that the case and its set-up wrote. */
static void tidy_up(Runner *runner, const Case *item) {
    static const uint8_t zeroes[PAGE_SIZE];
    uint8_t *flags = physical_map_ram_flags(runner->guest.map);
    const ByteList *lists[2] = {&item->memory, &item->changes};
    for (unsigned i = 0; i < 2; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            flags[lists[i]->items[j].address / PAGE_SIZE] |= PAGE_DIRTY_CHECKPOINT;
    for (uint32_t page = 0; page < GUEST_RAM_BYTES / PAGE_SIZE; page++)
        if (flags[page] & PAGE_DIRTY_CHECKPOINT) {
            physical_write_bytes(runner->guest.map, page * PAGE_SIZE, zeroes, PAGE_SIZE);
            memset(runner->expected + page * PAGE_SIZE, 0, PAGE_SIZE);
        }
}

static bool run_case(Runner *runner, const Case *item, char *text, size_t size) {
    set_up(runner, item);
    RunExit exit = guest_run(&runner->guest, INSTRUCTIONS_MAX);
    bool passed = exit == RUN_HALTED;
    if (!passed)
        snprintf(text, size, "it does not end (exit %d)", (int)exit);
    else
        passed =
            compare_registers(runner, item, text, size) && compare_memory(runner, item, text, size);
    tidy_up(runner, item);
    return passed;
}

static void run_file(Runner *runner, const char *folder, const char *name, unsigned step) {
    char path[1024], text[200];
    unsigned long number = 0, failed = 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    gzFile file = gzopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot read %s", path);
    for (; gzgets(file, runner->line, LINE_MAX_BYTES) != NULL; number++) {
        if (number % step != 0)
            continue;
        ck_assert_msg(parse_case(runner->line, &runner->item), "%s: case %lu cannot be read", path,
                      number);
        if (!apply_differences(&runner->item, runner->differences)) {
            if (runner->lists_left_out)
                printf("%s, case %lu is left out: %s\n", name, number, runner->item.name);
            runner->left_out++;
        } else if (run_case(runner, &runner->item, text, sizeof(text))) {
            runner->passed++;
        } else if (failed++ == 0) {
            fprintf(stderr, "%s, case %lu, %s: %s\n", name, number, runner->item.name, text);
        }
    }
    if (failed > 1)
        fprintf(stderr, "%s: %lu cases failed\n", name, failed);
    runner->failed += failed;
    gzclose(file);
}

/* ---- The test ---- */

static const char *cases_folder(void) {
    static char folder[900];
    const char *root = getenv("REPRISE_CONFORMANCE");
    snprintf(folder, sizeof(folder), "%s/286-real-mode",
             root != NULL ? root : REPRISE_CONFORMANCE_DEFAULT);
    return folder;
}

static void print_summary(const Runner *runner, const char *where, const char *model) {
    printf("%s, %s: %lu recorded cases passed, %lu were left out, %lu failed\n", where, model,
           runner->passed, runner->left_out, runner->failed);
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        printf("  %5lu %s: %s\n", runner->differences[i],
               known_differences[i].adapt != NULL ? "adapted" : "left out",
               known_differences[i].reason);
    fflush(stdout);
}

static void print_ignored_flags(void) {
    for (unsigned i = 0; i < FLAGS_COUNT; i++)
        printf("flags %04X are not compared after %s%s (a 286: %s)\n", known_flags[i].flags,
               insn_code_name((InsnCode)known_flags[i].code),
               known_flags[i].late ? ", but of the 386" : "", known_flags[i].of_a_286);
}

/* The oldest model, and the one that a machine has by default. */
static const char *const models[] = {"386", "pentium4"};

static void run_backend(TranslatorBackend backend, const char *model) {
    Runner *runner = calloc(1, sizeof(Runner));
    TranslatorOptions options = {.backend = backend};
    unsigned step = getenv("REPRISE_LONG") != NULL ? 1 : SLICE;
    guest_create_model(&runner->guest, &options, model);
    runner->lists_left_out = backend == BACKEND_PORTABLE && strcmp(model, models[0]) == 0;
    runner->expected = calloc(1, GUEST_RAM_BYTES);
    runner->line = malloc(LINE_MAX_BYTES);
    runner->item.memory.items = malloc((BYTES_MAX + ADDED_BYTES) * sizeof(ByteAt));
    runner->item.changes.items = malloc((BYTES_MAX + ADDED_BYTES) * sizeof(ByteAt));
    struct dirent **entries;
    int count = scandir(cases_folder(), &entries, NULL, alphasort);
    ck_assert_int_gt(count, 2);
    for (int i = 0; i < count; i++) {
        if (strstr(entries[i]->d_name, ".txt.gz") != NULL)
            run_file(runner, cases_folder(), entries[i]->d_name, step);
        free(entries[i]);
    }
    free(entries);
    print_summary(runner, backend == BACKEND_PORTABLE ? "portable" : "default backend", model);
    ck_assert_uint_gt(runner->passed, 0);
    ck_assert_uint_eq(runner->failed, 0);
    free(runner->item.changes.items);
    free(runner->item.memory.items);
    free(runner->line);
    free(runner->expected);
    guest_destroy(&runner->guest);
    free(runner);
}

START_TEST(test_portable_backend_agrees_with_a_286) {
    run_backend(BACKEND_PORTABLE, models[_i]);
}
END_TEST

START_TEST(test_default_backend_agrees_with_a_286) {
    run_backend(translator_default_backend(), models[_i]);
}
END_TEST

int main(void) {
    DIR *folder = opendir(cases_folder());
    if (folder == NULL) {
        printf("skipped: no recorded cases at %s (REPRISE_CONFORMANCE names another folder)\n",
               cases_folder());
        return 77;
    }
    closedir(folder);
    print_ignored_flags();
    Suite *suite = suite_create("conformance_286");
    TCase *tests = tcase_create("recorded cases");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, test_portable_backend_agrees_with_a_286, 0, 2);
    tcase_add_loop_test(tests, test_default_backend_agrees_with_a_286, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
