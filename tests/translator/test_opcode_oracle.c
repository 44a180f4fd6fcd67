/* Every row of the opcode table, in all forms, with interesting operands: on the host's own
 * processor and in guests with each backend. The state at the exception that ends a case must be
 * the same: registers, memory, flags, x87, SSE, the fault itself.
 *
 * REPRISE_CASES is the number of cases in all (10 million take some three minutes of one
 * processor); REPRISE_SEED the first seed; REPRISE_ROW runs one row alone, by its name as in
 * the report; REPRISE_REPORT prints a line for each row. A mismatch tells what to set to see it
 * again. */
#include "cpu_feature.h"
#include "helpers.h"
#include "oracle_case.h"
#include "oracle_coverage.h"
#include "oracle_guest.h"
#include "oracle_host.h"
#include "oracle_latitude.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT_RUN = 120000,
    LONG_RUN = 10000000,
    REPORTED_MAX = 20,
    GUEST_COUNT = 3,
    TRIES = 200,
    RESERVED_ROUNDS = 16
};

typedef struct GuestKind {
    const char *name;
    TranslatorOptions options;
} GuestKind;

static const GuestKind guest_kinds[GUEST_COUNT] = {
    {"portable", {.backend = BACKEND_PORTABLE}},
    {"x86-64", {.backend = BACKEND_JIT}},
    {"x86-64, slow path", {.backend = BACKEND_JIT, .force_misses = true, .no_chaining = true}},
};

typedef struct Oracle {
    OracleHost host;
    bool has_host;
    Guest guests[GUEST_COUNT];
    unsigned guest_count;
    OracleRowList rows;
    RowCoverage coverage[ORACLE_ROWS_MAX];
    OracleMemory memory; /* the template; while a case runs, with its own bytes */
    unsigned long failures;
} Oracle;

/* ---- Memory ---- */

/* Where this address is in an OracleMemory, and how far from there; NULL: nowhere. */
static uint8_t *find_memory(OracleMemory *memory, uint32_t address, uint32_t *left) {
    static const struct {
        uint32_t address, size;
    } parts[] = {{ORACLE_CODE, ORACLE_CODE_BYTES},
                 {ORACLE_DATA, ORACLE_DATA_BYTES},
                 {ORACLE_STACK, ORACLE_STACK_BYTES}};
    uint8_t *bytes = (uint8_t *)memory;
    for (unsigned i = 0; i < 3; bytes += parts[i++].size)
        if (address - parts[i].address < parts[i].size) {
            *left = parts[i].size - (address - parts[i].address);
            return bytes + (address - parts[i].address);
        }
    return NULL;
}

static void put_data(uint8_t *memory, const OracleMemory *from) {
    memcpy(memory + (ORACLE_DATA - ORACLE_BASE), from->data, ORACLE_DATA_BYTES);
    memcpy(memory + (ORACLE_STACK - ORACLE_BASE), from->stack, ORACLE_STACK_BYTES);
}

static void put_bytes(OracleMemory *memory, uint32_t address, const uint8_t *bytes,
                      uint32_t length) {
    while (length > 0) {
        uint32_t left = 1;
        uint8_t *to = find_memory(memory, address, &left);
        uint32_t part = left < length ? left : length;
        if (to != NULL)
            memcpy(to, bytes, part);
        address += part;
        bytes += part;
        length -= part;
    }
}

static uint8_t *guest_memory(const Guest *guest) {
    return guest->ram + ORACLE_BASE;
}

static void put_code(Oracle *oracle, uint32_t address, const uint8_t *code, unsigned length) {
    if (oracle->has_host)
        memcpy(oracle->host.memory + (address - ORACLE_BASE), code, length);
    for (unsigned i = 0; i < oracle->guest_count; i++)
        physical_write_bytes(oracle->guests[i].map, address, code, length);
}

/* ---- One case ---- */

typedef struct Outcome {
    OracleState host, guests[GUEST_COUNT];
    bool host_ran;
    const char *other; /* what the first guest was compared with last */
    char text[400];
} Outcome;

static bool runs_on_host(const Oracle *oracle, const OracleCase *made) {
    const OracleRow *row = made->row;
    return oracle->has_host && !row->is_reserved && !oracle_host_lacks(&oracle->host, row) &&
           oracle_row_listing(row) != ROW_NOT_RUN && oracle_may_run(made);
}

static bool compare_memory(const uint8_t *ours, const uint8_t *others, Outcome *outcome) {
    static const struct {
        const char *name;
        uint32_t address, size;
    } parts[] = {{"code", ORACLE_CODE, ORACLE_CODE_BYTES},
                 {"memory", ORACLE_DATA, ORACLE_DATA_BYTES},
                 {"stack", ORACLE_STACK, ORACLE_STACK_BYTES}};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t at = parts[i].address - ORACLE_BASE;
        if (!oracle_compare_bytes(parts[i].name, ours + at, others + at, parts[i].size,
                                  parts[i].address, outcome->text, sizeof(outcome->text)))
            return false;
    }
    return true;
}

static bool compare_with_host(Oracle *oracle, const OracleCase *made, Outcome *outcome) {
    const OracleState *hosts = &outcome->host;
    OracleOpen open = oracle_find_open(&oracle->host, made, hosts);
    uint8_t *ours = guest_memory(&oracle->guests[0]);
    uint32_t at = made->image_address - ORACLE_BASE;
    bool is_stored = made->image_length != 0 && hosts->eip != made->input.eip &&
                     oracle_is_mapped(made->image_address) &&
                     oracle_is_mapped(made->image_address + made->image_length - 1);
    if (is_stored)
        oracle_take_open_image(&oracle->host, &open, made->insn.insn.code, oracle->host.memory + at,
                               ours + at, made->image_length);
    return oracle_compare_states(&oracle->host, &open, &outcome->guests[0], hosts, outcome->text,
                                 sizeof(outcome->text)) &&
           (oracle_is_memory_open(made, hosts) ||
            compare_memory(ours, oracle->host.memory, outcome));
}

static bool compare_guests(Oracle *oracle, unsigned i, Outcome *outcome) {
    const Guest *first = &oracle->guests[0], *other = &oracle->guests[i];
    return !field_table_diff(&cpu_fields, &first->cpu->state, &other->cpu->state, outcome->text,
                             sizeof(outcome->text)) &&
           compare_memory(guest_memory(other), guest_memory(first), outcome);
}

/* No instruction: #UD, or a fault of fetching it. */
static bool is_refused(const OracleState *state) {
    return state->vector == EXCEPTION_UD || state->vector == EXCEPTION_PF ||
           state->vector == EXCEPTION_GP;
}

/* False with a description where two do not agree. */
static bool compare_all(Oracle *oracle, const OracleCase *made, Outcome *outcome) {
    for (unsigned i = 1; i < oracle->guest_count; i++)
        if (!compare_guests(oracle, i, outcome)) {
            outcome->other = guest_kinds[i].name;
            return false;
        }
    if (made->row->is_reserved && !is_refused(&outcome->guests[0])) {
        outcome->other = "the manual";
        snprintf(outcome->text, sizeof(outcome->text), "there is no such instruction");
        return false;
    }
    outcome->other = "host";
    outcome->host_ran =
        outcome->host_ran && oracle_is_comparable(made, &outcome->guests[0], &outcome->host);
    return !outcome->host_ran || compare_with_host(oracle, made, outcome);
}

static bool run_everywhere(Oracle *oracle, const OracleCase *made, Outcome *outcome) {
    memset(outcome, 0, offsetof(Outcome, text) + 1);
    if (runs_on_host(oracle, made)) {
        put_data(oracle->host.memory, &oracle->memory);
        if (!oracle_host_run(&oracle->host, &made->input, &outcome->host)) {
            snprintf(outcome->text, sizeof(outcome->text), "the host did not come to the case");
            return false;
        }
        outcome->host_ran = true;
    }
    for (unsigned i = 0; i < oracle->guest_count; i++) {
        put_data(guest_memory(&oracle->guests[i]), &oracle->memory);
        if (!oracle_guest_run(&oracle->guests[i], &made->input, &outcome->guests[i])) {
            snprintf(outcome->text, sizeof(outcome->text), "%s did not end in an exception, EIP %X",
                     guest_kinds[i].name, oracle->guests[i].cpu->state.eip);
            return false;
        }
    }
    return compare_all(oracle, made, outcome);
}

/* After a case that reached code pages with a store. */
static void restore_code(Oracle *oracle) {
    const uint8_t *code = guest_memory(&oracle->guests[0]) + (ORACLE_CODE - ORACLE_BASE);
    if (memcmp(code, oracle->memory.code, ORACLE_CODE_BYTES) != 0)
        put_code(oracle, ORACLE_CODE, oracle->memory.code, ORACLE_CODE_BYTES);
}

static bool run_case(Oracle *oracle, const OracleCase *made, Outcome *outcome) {
    static const uint8_t filler[sizeof(made->code)] = {[0 ... sizeof(made->code) - 1] =
                                                           ORACLE_FILLER};
    static uint8_t kept[ORACLE_VALUE_BYTES];
    OracleMemory *memory = &oracle->memory;
    uint32_t left;
    for (unsigned i = 0; i < made->value_length; i++) {
        const uint8_t *at = find_memory(memory, made->value_address + i, &left);
        kept[i] = at != NULL ? *at : 0;
    }
    put_bytes(memory, made->value_address, made->value, made->value_length);
    put_code(oracle, made->address, made->code, made->code_length);
    bool agrees = run_everywhere(oracle, made, outcome);
    put_code(oracle, made->address, filler, made->code_length);
    restore_code(oracle);
    put_bytes(memory, made->value_address, kept, made->value_length);
    return agrees;
}

/* ---- Telling ---- */

static void print_bytes(const char *name, const uint8_t *bytes, unsigned size) {
    fprintf(stderr, "  %s", name);
    for (unsigned i = 0; i < size; i++)
        fprintf(stderr, "%s%02X", i % 16 == 0 && i != 0 ? "\n      " : " ", bytes[i]);
    fprintf(stderr, "\n");
}

static void print_state(const char *name, const OracleState *state) {
    fprintf(stderr, "  %s: exception %u code %X CR2 %X EIP %X EFLAGS %X\n   ", name, state->vector,
            state->error_code, state->cr2, state->eip, state->eflags);
    for (unsigned i = 0; i < 8; i++)
        fprintf(stderr, " %08X", state->gpr[i]);
    fprintf(stderr, "\n    control %04X status %04X tags %02X MXCSR %04X FIP %X FDP %X FOP %X\n",
            state->control, state->status, state->tags, state->mxcsr, state->ip, state->dp,
            state->opcode);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t significand;
        memcpy(&significand, state->st[i], 8);
        fprintf(stderr, "    ST%u %02X%02X %016llX\n", i, state->st[i][9], state->st[i][8],
                (unsigned long long)significand);
    }
}

static void report(Oracle *oracle, const OracleCase *made, const Outcome *outcome) {
    const OracleInput *input = &made->input;
    char insn_text[120];
    insn_format(&made->insn.insn, input->eip, insn_text, sizeof(insn_text));
    fprintf(stderr,
            "REPRISE_ROW='%s' REPRISE_SEED=%llu REPRISE_CASES=1\n  '%s'%s, compared with %s: %s\n",
            made->row->name, (unsigned long long)made->seed, insn_text,
            made->insn.mode == DECODE_16 ? " in 16-bit code" : "",
            outcome->other != NULL ? outcome->other : "nothing", outcome->text);
    print_bytes("code", made->code, made->code_length);
    fprintf(stderr, "  inputs: EIP %X EFLAGS %X MXCSR %X\n   ", input->eip, input->eflags,
            input->mxcsr);
    for (unsigned i = 0; i < 8; i++)
        fprintf(stderr, " %08X", input->gpr[i]);
    fprintf(stderr, "\n   ");
    for (unsigned i = 0; i < 6; i++)
        fprintf(stderr, " %04X", input->segment[i]);
    fprintf(stderr, "\n");
    if (made->value_length != 0)
        print_bytes("memory", made->value, made->value_length < 32 ? made->value_length : 32);
    if (made->row->row->attributes & ROW_X87)
        print_bytes("x87", input->fpu, 108);
    if (made->row->row->attributes & ROW_SSE)
        print_bytes("XMM", input->xmm[0], 128);
    print_state(guest_kinds[0].name, &outcome->guests[0]);
    if (outcome->host_ran)
        print_state("host", &outcome->host);
    oracle->failures++;
}

static void count(const Oracle *oracle, const OracleCase *made, const Outcome *outcome,
                  RowCoverage *coverage) {
    const OracleState *host = &outcome->host;
    coverage->guest_cases++;
    if (!outcome->host_ran)
        return;
    coverage->host_cases++;
    coverage->differing_flags |=
        (host->eflags ^ outcome->guests[0].eflags) & oracle_open_flags(&oracle->host, made, host);
    bool is_complete = host->vector == EXCEPTION_BP || host->vector == EXCEPTION_DB ||
                       host->eip != made->input.eip;
    if (is_complete)
        coverage->completed++;
    else
        coverage->faults[host->vector % ORACLE_VECTORS]++;
}

/* ---- The test ---- */

static void open_oracle(Oracle *oracle) {
    uint64_t features = 0, random = 7;
    memset(oracle, 0, sizeof(*oracle));
    oracle_rows_list(&oracle->rows);
    for (unsigned i = 0; i < oracle->rows.count; i++)
        features |= FEATURE_BIT(oracle->rows.rows[i].row->feature);
    features &= ~FEATURE_BIT(FEATURE_BMI1); /* TZCNT is not there: no model has it */
    oracle->has_host = oracle_host_open(&oracle->host);
    if (!oracle->has_host)
        printf("only an x86-64 Linux host, without sanitizers, runs the cases itself\n");
    oracle->guest_count = translator_default_backend() == BACKEND_JIT ? GUEST_COUNT : 1;
    for (size_t i = 0; i < sizeof(oracle->memory); i++)
        ((uint8_t *)&oracle->memory)[i] = (uint8_t)guest_random(&random);
    memset(oracle->memory.code, ORACLE_FILLER, ORACLE_CODE_BYTES);
    for (unsigned i = 0; i < oracle->guest_count; i++)
        oracle_guest_open(&oracle->guests[i], &guest_kinds[i].options, features);
    put_code(oracle, ORACLE_CODE, oracle->memory.code, ORACLE_CODE_BYTES);
}

/* The case of a seed, or of the next that makes one. */
static bool make_case(const Oracle *oracle, OracleCase *made, unsigned row, uint64_t seed) {
    for (unsigned i = 0; i < TRIES; i++)
        if (oracle_case_make(made, &oracle->rows.rows[row], seed + i * UINT64_C(1000000007),
                             !oracle->has_host || oracle->host.has_ldt))
            return true;
    return false;
}

static void run_row(Oracle *oracle, unsigned row, uint64_t seed) {
    static OracleCase made;
    static Outcome outcome;
    RowCoverage *coverage = &oracle->coverage[row];
    if (!make_case(oracle, &made, row, seed))
        return;
    bool agrees = run_case(oracle, &made, &outcome);
    for (unsigned i = 0; !agrees && i < 2; i++) /* as a case of its own, not by chance */
        agrees = run_case(oracle, &made, &outcome);
    if (!agrees) {
        coverage->mismatches++;
        if (coverage->mismatches <= 2)
            report(oracle, &made, &outcome);
    }
    count(oracle, &made, &outcome, coverage);
}

/* Some forms hardly ever come to an end by chance. */
static void run_uncovered(Oracle *oracle, uint64_t seed) {
    enum { MORE_CASES = 1000 };
    for (unsigned row = 0; row < oracle->rows.count; row++)
        for (unsigned i = 0; i < MORE_CASES; i++) {
            if (oracle_is_covered(&oracle->rows.rows[row], &oracle->coverage[row], &oracle->host))
                break;
            run_row(oracle, row, seed + i);
        }
}

/* Reserved opcodes have less to show: they come in every sixteenth round. */
static unsigned count_rows_of_round(const OracleRowList *list) {
    unsigned reserved = 0;
    for (unsigned i = 0; i < list->count; i++)
        reserved += list->rows[i].is_reserved;
    return list->count - reserved + reserved / RESERVED_ROUNDS;
}

START_TEST(test_every_row_agrees_with_the_host) {
    static Oracle oracle;
    const char *seed = getenv("REPRISE_SEED"), *cases = getenv("REPRISE_CASES");
    const char *name = getenv("REPRISE_ROW");
    unsigned long wanted = cases != NULL                    ? strtoul(cases, NULL, 0)
                           : getenv("REPRISE_LONG") != NULL ? LONG_RUN
                                                            : SHORT_RUN;
    uint64_t first = seed != NULL ? strtoull(seed, NULL, 0) : 1;
    const char *most = getenv("REPRISE_MISMATCHES");
    unsigned long reported = most != NULL ? strtoul(most, NULL, 0) : REPORTED_MAX;
    open_oracle(&oracle);
    unsigned rows = name != NULL ? 1 : count_rows_of_round(&oracle.rows);
    unsigned long rounds = (wanted + rows - 1) / rows;
    for (unsigned long round = 0; round < rounds && oracle.failures < reported; round++)
        for (unsigned row = 0; row < oracle.rows.count; row++) {
            const OracleRow *which = &oracle.rows.rows[row];
            bool is_chosen = name != NULL ? strcmp(name, which->name) == 0
                                          : !which->is_reserved || round % RESERVED_ROUNDS == 0;
            if (is_chosen)
                run_row(&oracle, row, first + round);
        }
    if (name == NULL)
        run_uncovered(&oracle, first + rounds);
    if (getenv("REPRISE_REPORT") != NULL)
        oracle_print_coverage(&oracle.rows, oracle.coverage, &oracle.host);
    unsigned complaints = 0;
    if (name == NULL)
        complaints = oracle_check_coverage(&oracle.rows, oracle.coverage, &oracle.host);
    printf("%u rows, %lu cases each\n", oracle.rows.count, rounds);
    fflush(stdout);
    ck_assert_uint_eq(oracle.failures, 0);
    ck_assert_uint_eq(complaints, 0);
    for (unsigned i = 0; i < oracle.guest_count; i++)
        guest_destroy(&oracle.guests[i]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("opcode_oracle");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, test_every_row_agrees_with_the_host);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
