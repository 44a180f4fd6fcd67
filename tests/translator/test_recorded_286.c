/* Instructions recorded from a real 80286 in real mode, run by each backend.
 *
 * The recordings lie outside the project: in the folder that REPRISE_CONFORMANCE names, else in
 * ../shared/conformance beside the source tree; without them the test is skipped. They are one case
 * a line, packed, one file an opcode form:
 *
 *   name | bytes | ax bx cx dx cs ss ds es sp bp si di ip flags | memory before | registers changed
 * | memory changed | exception
 *
 * What a 386 does otherwise than a 286 is listed below, each with its reason. Anything else is a
 * failure. */
#include "cpu.h"
#include "guest_fixture.h"
#include "helpers.h"
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AX, BX, CX, DX, CS, SS, DS, ES, SP, BP, SI, DI, IP, FLAGS, REGISTERS };
static const char *const register_names[REGISTERS] = {"ax", "bx", "cx", "dx", "cs", "ss", "ds",
                                                      "es", "sp", "bp", "si", "di", "ip", "flags"};

typedef struct MemoryByte {
    uint32_t address;
    uint8_t value;
} MemoryByte;

enum { CASE_BYTES = 300 };

typedef struct RecordedCase {
    const char *form; /* opcode, and ModRM's reg field where it chooses */
    const char *name;
    unsigned length; /* bytes of the instruction */
    uint16_t before[REGISTERS], after[REGISTERS];
    MemoryByte memory_before[CASE_BYTES], memory_after[CASE_BYTES];
    unsigned before_count, after_count;
    int exception;         /* -1: none */
    uint32_t pushed_flags; /* where the flags word of the exception lies */
} RecordedCase;

typedef struct Tally {
    unsigned passed, skipped, failed;
} Tally;

static Guest guest;

/* ---- Reading ---- */

static unsigned parse_memory(char *text, MemoryByte *bytes) {
    unsigned count = 0;
    for (char *item = strtok(text, " "); item != NULL; item = strtok(NULL, " ")) {
        ck_assert_uint_lt(count, CASE_BYTES);
        bytes[count].address = (uint32_t)strtoul(item, &item, 16);
        bytes[count++].value = (uint8_t)strtoul(item + 1, NULL, 16);
    }
    return count;
}

static void parse_changes(char *text, uint16_t *registers) {
    for (char *item = strtok(text, " "); item != NULL; item = strtok(NULL, " ")) {
        char *equals = strchr(item, '=');
        *equals = 0;
        for (unsigned i = 0; i < REGISTERS; i++)
            if (strcmp(item, register_names[i]) == 0)
                registers[i] = (uint16_t)strtoul(equals + 1, NULL, 16);
    }
}

static void parse_case(char *line, const char *form, RecordedCase *recorded) {
    char *field[7];
    for (unsigned i = 0; i < 7; i++)
        field[i] = strsep(&line, "|");
    recorded->form = form;
    recorded->name = field[0];
    recorded->length = (unsigned)strlen(field[1]) / 2 - 1;
    char *values = field[2];
    for (unsigned i = 0; i < REGISTERS; i++)
        recorded->before[i] = recorded->after[i] = (uint16_t)strtoul(values, &values, 16);
    recorded->before_count = parse_memory(field[3], recorded->memory_before);
    parse_changes(field[4], recorded->after);
    recorded->after_count = parse_memory(field[5], recorded->memory_after);
    recorded->exception = -1;
    /* The address that stands there is rounded down to a word. */
    if (strchr(field[6], '@') != NULL)
        recorded->exception = (int)strtol(field[6], NULL, 16);
    recorded->pushed_flags = recorded->before[SS] * 16u + (uint16_t)(recorded->after[SP] + 4);
}

/* ---- Where a 386 differs ---- */

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_string_form(const char *form) {
    static const char *const forms[] = {"6C", "6D", "6E", "6F", "A4", "A5", "A6",
                                        "A7", "AA", "AB", "AC", "AD", "AE", "AF"};
    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(form, forms[i]) == 0)
            return true;
    return false;
}

/* A 286 leaves SI, DI, CX and the flags of the iteration that faulted, a 386 those before it (SDM
 * vol. 2B, REP). */
static bool is_faulting_string(const RecordedCase *recorded) {
    return recorded->exception == EXCEPTION_GP && is_string_form(recorded->form);
}

/* Flags that the manual leaves undefined after this form: flags.h has rules of its own. */
static uint16_t undefined_flags(const RecordedCase *recorded) {
    if (is_faulting_string(recorded))
        return FLAG_STATUS;
    static const struct {
        const char *form;
        uint16_t flags;
    } rows[] = {
        {"27", FLAG_OF},
        {"2F", FLAG_OF},
        {"37", FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF},
        {"3F", FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF},
        {"69", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"6B", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"F6.4", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"F6.5", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"F7.4", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"F7.5", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF},
        {"F6.6", FLAG_STATUS},
        {"F6.7", FLAG_STATUS},
        {"F7.6", FLAG_STATUS},
        {"F7.7", FLAG_STATUS},
        {"D4", FLAG_OF | FLAG_AF | FLAG_CF},
        {"D5", FLAG_OF | FLAG_AF | FLAG_CF},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].form, recorded->form) == 0)
            return rows[i].flags;
    static const char *const shifts[] = {"C0.", "C1.", "D0.", "D1.", "D2.", "D3."};
    for (unsigned i = 0; i < 6; i++)
        if (starts_with(recorded->form, shifts[i]) && recorded->form[3] >= '4')
            return FLAG_AF;
    return 0;
}

/* Why a case says nothing about a 386; NULL if it does. */
static const char *reason_to_skip(const RecordedCase *recorded) {
    if (strstr(recorded->name, "lock") != NULL)
        return "LOCK is #UD where a 386 does not allow it";
    if (strstr(recorded->name, "fs") != NULL || strstr(recorded->name, "gs") != NULL)
        return "FS and GS exist";
    if (recorded->length > 10 && recorded->exception == EXCEPTION_GP)
        return "the limit is 15 bytes, not 10";
    if (strcmp(recorded->form, "8F") == 0 && recorded->exception == EXCEPTION_GP)
        return "POP to memory that faults leaves SP as it was";
    return NULL;
}

/* ---- Running ---- */

static void set_register(unsigned number, uint16_t value) {
    static const uint8_t gprs[REGISTERS] = {
        [AX] = REG_EAX, [BX] = REG_EBX, [CX] = REG_ECX, [DX] = REG_EDX,
        [SP] = REG_ESP, [BP] = REG_EBP, [SI] = REG_ESI, [DI] = REG_EDI};
    static const uint8_t segments[REGISTERS] = {
        [CS] = SEG_CS, [SS] = SEG_SS, [DS] = SEG_DS, [ES] = SEG_ES};
    if (number == IP)
        guest.cpu->state.eip = value;
    else if (number == FLAGS)
        cpu_set_eflags(guest.cpu, value & 0xFFF);
    else if (number >= CS && number <= ES)
        segment_load_real(guest.cpu, segments[number], value);
    else
        guest.cpu->state.gpr[gprs[number]] = value;
}

static uint16_t get_register(unsigned number) {
    const CpuState *state = &guest.cpu->state;
    const uint64_t values[REGISTERS] = {state->gpr[REG_EAX],
                                        state->gpr[REG_EBX],
                                        state->gpr[REG_ECX],
                                        state->gpr[REG_EDX],
                                        state->segment[SEG_CS].selector,
                                        state->segment[SEG_SS].selector,
                                        state->segment[SEG_DS].selector,
                                        state->segment[SEG_ES].selector,
                                        state->gpr[REG_ESP],
                                        state->gpr[REG_EBP],
                                        state->gpr[REG_ESI],
                                        state->gpr[REG_EDI],
                                        state->eip,
                                        cpu_get_eflags(guest.cpu)};
    return (uint16_t)values[number];
}

static void store_bytes(const MemoryByte *bytes, unsigned count, bool clear) {
    for (unsigned i = 0; i < count; i++)
        physical_write(guest.map, bytes[i].address, 1, clear ? 0 : bytes[i].value);
}

/* A word at SS:FFFFh is exception 12 on a 386, 13 on a 286: one handler serves both here. */
static void share_stack_fault_handler(void) {
    enum { STACK_FAULT = EXCEPTION_SS * 4, PROTECTION_FAULT = EXCEPTION_GP * 4 };
    physical_write(guest.map, STACK_FAULT, 4, physical_read(guest.map, PROTECTION_FAULT, 4));
}

static void set_up_case(const RecordedCase *recorded) {
    cpu_reset(guest.cpu, false);
    guest.cpu->state.idtr.limit = 0x3FF;
    store_bytes(recorded->memory_before, recorded->before_count, false);
    if (recorded->exception == EXCEPTION_GP)
        share_stack_fault_handler();
    for (unsigned i = 0; i < REGISTERS; i++)
        set_register(i, recorded->before[i]);
}

/* The first difference as text; empty if there is none. */
static void compare_case(const RecordedCase *recorded, char *text, size_t size) {
    uint16_t ignored = undefined_flags(recorded);
    *text = 0;
    for (unsigned i = 0; i < REGISTERS && *text == 0; i++) {
        uint16_t mask = i == FLAGS ? (uint16_t)(0xFFF & ~ignored) : 0xFFFF;
        if ((i == SI || i == DI || i == CX) && is_faulting_string(recorded))
            continue;
        if (((get_register(i) ^ recorded->after[i]) & mask) != 0)
            snprintf(text, size, "%s is %04x, not %04x", register_names[i], get_register(i),
                     recorded->after[i]);
    }
    for (unsigned i = 0; i < recorded->after_count && *text == 0; i++) {
        const MemoryByte *byte = &recorded->memory_after[i];
        uint8_t value = (uint8_t)physical_read(guest.map, byte->address, 1), mask = 0xFF;
        if (recorded->exception >= 0 && byte->address == recorded->pushed_flags)
            mask = (uint8_t)~ignored;
        else if (recorded->exception >= 0 && byte->address == recorded->pushed_flags + 1)
            mask = (uint8_t) ~(ignored >> 8 | 0xF0);
        if (((value ^ byte->value) & mask) != 0)
            snprintf(text, size, "[%06x] is %02x, not %02x", byte->address, value, byte->value);
    }
}

static void run_case(const RecordedCase *recorded, Tally *tally) {
    enum { ENOUGH_INSTRUCTIONS = 400 }; /* repeated strings and ENTER take the most */
    if (reason_to_skip(recorded) != NULL) {
        tally->skipped++;
        return;
    }
    char text[100];
    set_up_case(recorded);
    uint64_t end = guest.cpu->state.instruction_count + ENOUGH_INSTRUCTIONS;
    RunExit exit = guest_run(&guest, end);
    compare_case(recorded, text, sizeof(text));
    if (*text == 0 && exit == RUN_HALTED) {
        tally->passed++;
    } else if (tally->failed++ < 20) {
        printf("%s: %s: %s\n", recorded->form, recorded->name, *text ? text : "does not halt");
    }
    store_bytes(recorded->memory_before, recorded->before_count, true);
    store_bytes(recorded->memory_after, recorded->after_count, true);
    physical_write(guest.map, EXCEPTION_SS * 4, 4, 0);
}

/* "folder/F7.6.txt.gz" */
static void run_file(const char *path, Tally *tally) {
    static char line[1 << 16];
    static RecordedCase recorded;
    char command[1000], form[16];
    snprintf(form, sizeof(form), "%s", strrchr(path, '/') + 1);
    *strstr(form, ".txt") = 0;
    snprintf(command, sizeof(command), "gzip -dc '%s'", path);
    FILE *file = popen(command, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        parse_case(line, form, &recorded);
        run_case(&recorded, tally);
    }
    ck_assert_int_eq(pclose(file), 0);
}

static const char *recordings_folder(void) {
    const char *folder = getenv("REPRISE_CONFORMANCE");
    return folder != NULL ? folder : REPRISE_SOURCE_DIR "/../shared/conformance";
}

static bool find_recordings(glob_t *found) {
    char pattern[1000];
    snprintf(pattern, sizeof(pattern), "%s/286-real-mode/*.txt.gz", recordings_folder());
    return glob(pattern, 0, NULL, found) == 0;
}

static void run_backend(TranslatorBackend backend) {
    Tally tally = {0};
    glob_t found;
    ck_assert(find_recordings(&found));
    guest_create(&guest, &(TranslatorOptions){.backend = backend});
    for (size_t i = 0; i < found.gl_pathc; i++)
        run_file(found.gl_pathv[i], &tally);
    guest_destroy(&guest);
    globfree(&found);
    printf("%u passed, %u failed, %u say nothing about a 386\n", tally.passed, tally.failed,
           tally.skipped);
    ck_assert_uint_eq(tally.failed, 0);
    ck_assert_uint_gt(tally.passed, tally.skipped * 20);
}

START_TEST(portable_backend) {
    run_backend(BACKEND_PORTABLE);
}
END_TEST

START_TEST(x86_64_backend) {
    run_backend(BACKEND_X86_64);
}
END_TEST

int main(void) {
    glob_t found;
    if (!find_recordings(&found)) {
        printf("skipped: no recordings in %s\n", recordings_folder());
        return 77;
    }
    globfree(&found);
    Suite *suite = suite_create("recorded_286");
    TCase *tests = tcase_create("recorded_286");
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, portable_backend);
    if (translator_default_backend() == BACKEND_X86_64)
        tcase_add_test(tests, x86_64_backend);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
