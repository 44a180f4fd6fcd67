/* Random instruction sequences on the host's own processor and in a guest, with every backend:
 * registers, memory, defined flags, x87 and SSE state must be the same at the end, and a divide
 * error must come at the same instruction with the same state. What test_opcode_oracle.c does with
 * one instruction cannot show what one leaves to the next.
 *
 * A sequence that does not agree is cut down to its first instruction that does not. REPRISE_SEED
 * runs the sequence of that number alone; REPRISE_CASES says how many there are. */
#include "guest_fixture.h"
#include "helpers.h"
#include "oracle_compare.h"
#include "oracle_guest.h"
#include "oracle_host.h"
#include "oracle_operands.h"
#include "oracle_random_code.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT_RUN = 50000,
    LONG_RUN = 1000000,
    REPORTED_MAX = 10,
    GUEST_COUNT = 3,
    TAIL_BYTES = 8,
    IMAGE_BYTES = 28,
    IMAGE = ORACLE_STACK + ORACLE_STACK_BYTES - 32,
    STACK_BYTES = 0x1000, /* of the stack pages, those that differ from case to case */
};

static const struct {
    const char *name;
    TranslatorOptions options;
} guest_kinds[GUEST_COUNT] = {
    {"portable", {.backend = BACKEND_PORTABLE}},
    {"x86-64", {.backend = BACKEND_JIT}},
    {"x86-64, all flags", {.backend = BACKEND_JIT, .no_flag_liveness = true}},
};

typedef struct Oracle {
    OracleHost host;
    Guest guests[GUEST_COUNT];
    uint64_t features;
    unsigned long divide_errors;
} Oracle;

/* What one run starts from. */
typedef struct Sequence {
    uint64_t seed;
    RandomCode code;
    OracleInput input;
    uint8_t data[RANDOM_DATA_BYTES], stack[STACK_BYTES];
} Sequence;

static void make_sequence(Sequence *sequence, uint64_t seed, uint64_t features) {
    enum { MASKED = 0x3F };
    uint64_t random = seed;
    OracleInput *input = &sequence->input;
    sequence->seed = seed;
    guest_random(&random);
    random_code_make(&sequence->code, &random, (RandomKind)(seed % RANDOM_KIND_COUNT),
                     5 + oracle_below(&random, 16), features);
    for (unsigned i = 0; i < RANDOM_DATA_BYTES; i += 16)
        oracle_fill(&random, sequence->data + i, 16);
    for (unsigned i = 0; i < STACK_BYTES; i += 16)
        oracle_fill(&random, sequence->stack + i, 16);
    for (unsigned i = 0; i < 8; i++) {
        input->gpr[i] = oracle_choose_integer(&random);
        oracle_fill(&random, input->xmm[i], 16);
    }
    oracle_fill_fpu(&random, input->fpu);
    input->fpu[0] |= MASKED;
    input->gpr[REG_ESP] = ORACLE_STACK + STACK_BYTES / 2;
    input->eip =
        ORACLE_CODE + oracle_below(&random, ORACLE_CODE_BYTES - RANDOM_CODE_BYTES_MAX - 16);
    input->eflags = ((uint32_t)guest_random(&random) & (FLAG_STATUS | FLAG_DF)) | FLAG_IF | FLAG_1;
    input->mxcsr = 0x1F80;
    if (oracle_below(&random, 2)) /* rounding, DAZ, FTZ, sticky flags */
        input->mxcsr |= (uint32_t)guest_random(&random) & 0xE07F;
    for (unsigned s = 0; s < SEG_COUNT; s++)
        input->segment[s] = s == SEG_CS ? ORACLE_CS : ORACLE_DS;
}

/* ---- Running it ---- */

/* NOPs stand for the instructions behind the first 'count'. At the end FNSTENV shows addresses of
 * the last x87 instruction, which a signal may cost. */
static unsigned put_code(const Sequence *sequence, unsigned count, uint8_t *bytes) {
    static const uint8_t store[] = {0x36, 0xD9, 0x35}; /* fnstenv ss:[...] */
    const uint32_t image = IMAGE;
    const RandomInsn *last = &sequence->code.insns[count - 1];
    unsigned size = sequence->code.length;
    memset(bytes, 0x90, size);
    memcpy(bytes, sequence->code.bytes, last->offset + last->length);
    memcpy(bytes + size, store, sizeof(store));
    memcpy(bytes + size + sizeof(store), &image, 4);
    bytes[size + sizeof(store) + 4] = ORACLE_FILLER;
    return size + TAIL_BYTES;
}

static void put_memory(uint8_t *memory, const Sequence *sequence) {
    memcpy(memory + (RANDOM_DATA - ORACLE_BASE), sequence->data, RANDOM_DATA_BYTES);
    memcpy(memory + (ORACLE_STACK - ORACLE_BASE), sequence->stack, STACK_BYTES);
    memset(memory + (IMAGE - ORACLE_BASE), 0, IMAGE_BYTES);
}

static uint8_t *guest_memory(const Guest *guest) {
    return guest->ram + ORACLE_BASE;
}

static bool run_host(Oracle *oracle, const Sequence *sequence, const uint8_t *code, unsigned size,
                     OracleState *state) {
    memcpy(oracle->host.memory + (sequence->input.eip - ORACLE_BASE), code, size);
    put_memory(oracle->host.memory, sequence);
    return oracle_host_run(&oracle->host, &sequence->input, state);
}

static bool run_guest(Guest *guest, const Sequence *sequence, const uint8_t *code, unsigned size,
                      OracleState *state) {
    physical_write_bytes(guest->map, sequence->input.eip, code, size);
    put_memory(guest_memory(guest), sequence);
    return oracle_guest_run(guest, &sequence->input, state);
}

/* ---- Comparing ---- */

static uint32_t undefined_flags(const Sequence *sequence, unsigned count,
                                const OracleState *hosts) {
    const RandomInsn *insns = sequence->code.insns;
    if (hosts->vector == EXCEPTION_BP)
        return insns[count - 1].undefined_after;
    for (unsigned i = 0; i < count; i++)
        if (sequence->input.eip + insns[i].offset == hosts->eip)
            return insns[i].undefined_before | insns[i].undefined_after;
    return 0;
}

static bool compare(const Oracle *oracle, unsigned guest, const Sequence *sequence, unsigned count,
                    const OracleState *ours, const OracleState *hosts, char *text, size_t size) {
    const uint8_t *host_memory = oracle->host.memory;
    uint8_t *memory = guest_memory(&oracle->guests[guest]);
    uint32_t at = IMAGE - ORACLE_BASE;
    OracleOpen open = {.eflags = undefined_flags(sequence, count, hosts)};
    oracle_take_open_image(&oracle->host, &open, INSN_FNSTENV, host_memory + at, memory + at,
                           IMAGE_BYTES);
    return oracle_compare_states(&oracle->host, &open, ours, hosts, text, size) &&
           oracle_compare_bytes("memory", memory + (ORACLE_DATA - ORACLE_BASE),
                                host_memory + (ORACLE_DATA - ORACLE_BASE), ORACLE_DATA_BYTES,
                                ORACLE_DATA, text, size) &&
           oracle_compare_bytes("stack", memory + (ORACLE_STACK - ORACLE_BASE),
                                host_memory + (ORACLE_STACK - ORACLE_BASE), ORACLE_STACK_BYTES,
                                ORACLE_STACK, text, size);
}

/* Its first 'count' instructions everywhere; false with a description where a guest differs. The
 * host runs again where they differ: a switch of tasks in the middle may have cost it the x87's
 * last instruction's addresses. */
static bool try_sequence(Oracle *oracle, const Sequence *sequence, unsigned count, char *text,
                         size_t size) {
    enum { ATTEMPTS = 3 };
    uint8_t code[RANDOM_CODE_BYTES_MAX + TAIL_BYTES];
    unsigned code_size = put_code(sequence, count, code);
    OracleState hosts, ours;
    for (unsigned i = 0; i < GUEST_COUNT; i++) {
        int length = snprintf(text, size, "%s: ", guest_kinds[i].name);
        if (!run_guest(&oracle->guests[i], sequence, code, code_size, &ours)) {
            snprintf(text + length, size - (size_t)length, "ended at EIP %X",
                     oracle->guests[i].cpu->state.eip);
            return false;
        }
        bool agrees = false;
        for (unsigned attempt = 0; !agrees && attempt < ATTEMPTS; attempt++)
            agrees = run_host(oracle, sequence, code, code_size, &hosts) &&
                     compare(oracle, i, sequence, count, &ours, &hosts, text + length,
                             size - (size_t)length);
        if (!agrees)
            return false;
    }
    oracle->divide_errors += hosts.vector == EXCEPTION_DE;
    return true;
}

static void report(Oracle *oracle, const Sequence *sequence) {
    char text[300], insn_text[100];
    Insn insn;
    unsigned count = 1;
    while (count < sequence->code.count &&
           try_sequence(oracle, sequence, count, text, sizeof(text)))
        count++;
    try_sequence(oracle, sequence, count, text, sizeof(text));
    const RandomInsn *last = &sequence->code.insns[count - 1];
    const uint8_t *bytes = sequence->code.bytes + last->offset;
    insn_decode(bytes, last->length, DECODE_32, &insn);
    insn_format(&insn, sequence->input.eip + last->offset, insn_text, sizeof(insn_text));
    fprintf(stderr, "sequence %llu, instruction %u of %u, '%s' (",
            (unsigned long long)sequence->seed, count, sequence->code.count, insn_text);
    for (unsigned i = 0; i < last->length; i++)
        fprintf(stderr, "%02X", bytes[i]);
    fprintf(stderr, "): %s\n", text);
}

/* ---- The test ---- */

static void open_oracle(Oracle *oracle) {
    memset(oracle, 0, sizeof(*oracle));
    ck_assert(oracle_host_open(&oracle->host));
    for (unsigned i = 0; i < GUEST_COUNT; i++)
        oracle_guest_open(&oracle->guests[i], &guest_kinds[i].options, 0);
    oracle->features = oracle->guests[0].cpu->features[0] & oracle->host.features;
}

START_TEST(test_guests_agree_with_the_host) {
    static Oracle oracle;
    static Sequence sequence;
    const char *seed = getenv("REPRISE_SEED"), *cases = getenv("REPRISE_CASES");
    unsigned long count = cases != NULL                    ? strtoul(cases, NULL, 0)
                          : getenv("REPRISE_LONG") != NULL ? LONG_RUN
                                                           : SHORT_RUN;
    uint64_t first = seed != NULL ? strtoull(seed, NULL, 0) : 1;
    unsigned long instructions = 0, failures = 0;
    if (seed != NULL && cases == NULL)
        count = 1;
    open_oracle(&oracle);
    for (unsigned long i = 0; i < count && failures < REPORTED_MAX; i++) {
        char text[300];
        make_sequence(&sequence, first + i, oracle.features);
        instructions += sequence.code.count;
        if (try_sequence(&oracle, &sequence, sequence.code.count, text, sizeof(text)))
            continue;
        fprintf(stderr, "sequence %llu: %s\n", (unsigned long long)sequence.seed, text);
        report(&oracle, &sequence);
        failures++;
    }
    printf("%lu sequences, %lu instructions, %lu divide errors\n", count, instructions,
           oracle.divide_errors);
    fflush(stdout);
    ck_assert_uint_eq(failures, 0);
    for (unsigned i = 0; i < GUEST_COUNT; i++)
        guest_destroy(&oracle.guests[i]);
    oracle_host_close(&oracle.host);
}
END_TEST

static bool can_run(void) {
    OracleHost host;
    if (translator_default_backend() != BACKEND_JIT || !oracle_host_open(&host))
        return false;
    oracle_host_close(&host);
    return true;
}

int main(void) {
    if (!can_run()) {
        printf("skipped: only an x86-64 Linux host, without sanitizers, can run the sequences\n");
        return 77;
    }
    Suite *suite = suite_create("host_oracle");
    TCase *tests = tcase_create("sequences");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, test_guests_agree_with_the_host);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
