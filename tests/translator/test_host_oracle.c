/* Random instruction sequences on the host's own processor and in a guest, with every backend:
 * registers, memory, defined flags, x87 and SSE state must be the same at the end, and a divide
 * error must come at the same instruction with the same state.
 *
 * A sequence that does not agree is cut down to its first instruction that does not. REPRISE_SEED
 * runs the sequence of that number alone; REPRISE_CASES says how many there are. */
#include "cpu_feature.h"
#include "guest_fixture.h"
#include "helpers.h"
#include "host_code_fixture.h"
#include "random_code_fixture.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum {
    SHORT_RUN = 50000,
    LONG_RUN = 1000000,
    REPORTED_MAX = 10,
    TABLES = 0x100000,
    FPU_BYTES = 108,
    GUEST_COUNT = 3,
};

typedef struct GuestKind {
    const char *name;
    TranslatorBackend backend;
    bool paging;
} GuestKind;

static const GuestKind guest_kinds[GUEST_COUNT] = {
    {"portable", BACKEND_PORTABLE, false},
    {"x86-64", BACKEND_X86_64, false},
    {"x86-64 with paging", BACKEND_X86_64, true},
};

typedef struct Oracle {
    HostCode host;
    Guest guests[GUEST_COUNT];
    uint64_t features;
    unsigned long divide_errors;
} Oracle;

/* What one run starts from. */
typedef struct Sequence {
    uint64_t seed;
    RandomCode code;
    uint32_t address;
    OracleInput input;
    uint8_t data[ORACLE_DATA_BYTES], stack[ORACLE_STACK_BYTES];
} Sequence;

/* ---- Making a sequence ---- */

/* Eight bytes that are interesting as integers or as floating-point numbers. */
static uint64_t random_value(uint64_t *random) {
    uint64_t r = guest_random(random), choice = guest_random(random);
    switch (choice >> 8 & 7) {
    case 0:
        return r & 0x7F007F007F007F;
    case 1: /* doubles around 1 */
        return (r & UINT64_C(0x800FFFFFFFFFFFFF)) | (1019 + (choice >> 16 & 7)) << 52;
    case 2: /* two singles around 1 */
        return (r & UINT64_C(0x807FFFFF807FFFFF)) | (choice >> 16 & 7) * 0x0080000000800000 |
               UINT64_C(0x3E0000003E000000);
    case 3: { /* zeroes, ones, infinities, NaNs, denormals */
        static const uint64_t special[] = {0,
                                           UINT64_MAX,
                                           0x7FF0000000000000,
                                           0xFFF8000000000000,
                                           0x7FF0000000000001,
                                           0x7F800000FF800000,
                                           0x7FC000017F800001,
                                           0x8000000000000000,
                                           0x8000000080000000,
                                           0x7FFFFFFF7FFFFFFF,
                                           0x0000000000000001,
                                           0x0000000100000001,
                                           0x8000800080008000,
                                           0x3FF0000000000000,
                                           0x3F8000003F800000,
                                           0x7FEFFFFFFFFFFFFF};
        return special[r % (sizeof(special) / sizeof(special[0]))];
    }
    default:
        return r;
    }
}

static void fill(uint64_t *random, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 8) {
        uint64_t value = random_value(random);
        memcpy(bytes + i, &value, 8);
    }
}

static void put_16(uint8_t *bytes, unsigned value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

/* An FNSAVE image: most registers in use, numbers of all kinds, all exceptions masked. */
static void make_fpu(uint64_t *random, uint8_t *image) {
    unsigned tags = 0;
    memset(image, 0, FPU_BYTES);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t r = guest_random(random), significand = random_value(random);
        unsigned exponent = r & 7 ? 16383 - 32 + (r >> 8 & 63) : (r >> 8 & 1 ? 0x7FFF : r >> 16);
        if (r >> 3 & 7)
            significand |= UINT64_C(1) << 63;
        memcpy(image + 28 + 10 * i, &significand, 8);
        put_16(image + 36 + 10 * i, (exponent & 0x7FFF) | (unsigned)(r >> 40 & 1) << 15);
        if ((r >> 48 & 3) == 0)
            tags |= 3u << 2 * i;
    }
    put_16(image, 0x7F | ((unsigned)guest_random(random) & 0xF) << 8);
    put_16(image + 4, (unsigned)guest_random(random) & 0x7F00);
    put_16(image + 8, tags);
}

static void make_sequence(Sequence *sequence, uint64_t seed, uint64_t features) {
    uint64_t random = seed;
    OracleInput *input = &sequence->input;
    sequence->seed = seed;
    guest_random(&random);
    random_code_make(&sequence->code, &random, (RandomKind)(seed % RANDOM_KIND_COUNT),
                     5 + guest_random(&random) % 16, features);
    sequence->address = ORACLE_CODE + (uint32_t)(guest_random(&random) %
                                                 (ORACLE_CODE_BYTES - RANDOM_CODE_BYTES_MAX - 8));
    fill(&random, sequence->data, ORACLE_DATA_BYTES);
    fill(&random, sequence->stack, ORACLE_STACK_BYTES);
    fill(&random, (uint8_t *)input->gpr, sizeof(input->gpr));
    fill(&random, (uint8_t *)input->xmm, sizeof(input->xmm));
    make_fpu(&random, input->fpu);
    input->eflags = ((uint32_t)guest_random(&random) & (FLAG_STATUS | FLAG_DF)) | FLAG_IF | FLAG_1;
    input->esp = ORACLE_STACK + ORACLE_STACK_BYTES / 2;
    input->target = sequence->address;
    input->mxcsr = 0x1F80;
    if ((guest_random(&random) & 1) == 0) /* rounding, DAZ, FTZ, sticky flags */
        input->mxcsr |= (uint32_t)guest_random(&random) & 0xE07F;
}

/* ---- Running it ---- */

/* NOPs stand for the instructions behind the first 'count'. */
static void put_code(const Sequence *sequence, unsigned count, uint8_t *bytes, uint32_t *size) {
    const RandomInsn *last = &sequence->code.insns[count - 1];
    *size = sequence->code.length;
    memset(bytes, 0x90, *size);
    memcpy(bytes, sequence->code.bytes, last->offset + last->length);
    int32_t distance = ORACLE_STORE - (int32_t)(sequence->address + *size + 5);
    bytes[*size] = 0xE9; /* jmp store */
    memcpy(bytes + *size + 1, &distance, 4);
    *size += 5;
}

static void run_guest(Guest *guest, const Sequence *sequence, const uint8_t *code, uint32_t size) {
    static const OracleOutput none;
    CpuState *state = &guest->cpu->state;
    physical_write_bytes(guest->map, sequence->address, code, size);
    physical_write_bytes(guest->map, ORACLE_DATA, sequence->data, ORACLE_DATA_BYTES);
    physical_write_bytes(guest->map, ORACLE_STACK, sequence->stack, ORACLE_STACK_BYTES);
    physical_write_bytes(guest->map, ORACLE_INPUT, &sequence->input, sizeof(OracleInput));
    physical_write_bytes(guest->map, ORACLE_OUTPUT, &none, sizeof(none));
    state->eip = ORACLE_LOAD;
    state->halted = 0;
    state->instruction_count = 0;
    guest_run(guest, 100000);
}

static uint8_t *host_memory(const Oracle *oracle, uint32_t address) {
    return oracle->host.memory + (address - ORACLE_BASE);
}

static bool run_host(Oracle *oracle, const Sequence *sequence, const uint8_t *code, uint32_t size) {
    int signal;
    uint32_t eip;
    memcpy(host_memory(oracle, sequence->address), code, size);
    memcpy(host_memory(oracle, ORACLE_DATA), sequence->data, ORACLE_DATA_BYTES);
    memcpy(host_memory(oracle, ORACLE_STACK), sequence->stack, ORACLE_STACK_BYTES);
    memcpy(host_memory(oracle, ORACLE_INPUT), &sequence->input, sizeof(OracleInput));
    memset(host_memory(oracle, ORACLE_OUTPUT), 0, sizeof(OracleOutput));
    if (host_code_run(&oracle->host, &signal, &eip))
        return true;
    fprintf(stderr, "sequence %llu: signal %d at %08X\n", (unsigned long long)sequence->seed,
            signal, eip);
    return false;
}

/* ---- Comparing ---- */

static uint32_t undefined_flags(const Sequence *sequence, unsigned count, uint32_t fault_eip) {
    const RandomInsn *insns = sequence->code.insns;
    if (fault_eip == 0)
        return insns[count - 1].undefined_after;
    for (unsigned i = 0; i < count; i++)
        if (sequence->address + insns[i].offset == fault_eip)
            return insns[i].undefined_before | insns[i].undefined_after;
    return 0;
}

static bool compare_bytes(const char *what, const uint8_t *ours, const uint8_t *hosts, size_t size,
                          uint32_t address, char *text, size_t text_size) {
    for (size_t i = 0; i < size; i++)
        if (ours[i] != hosts[i]) {
            int length = snprintf(text, text_size, "%s at %X is", what, address + (uint32_t)i);
            size_t shown = size - i < 10 ? size - i : 10;
            for (size_t j = 0; j < shown; j++)
                length += snprintf(text + length, text_size - length, " %02X", ours[i + j]);
            length += snprintf(text + length, text_size - length, ", the host's");
            for (size_t j = 0; j < shown; j++)
                length += snprintf(text + length, text_size - length, " %02X", hosts[i + j]);
            return false;
        }
    return true;
}

static bool compare_registers(const OracleOutput *ours, const OracleOutput *hosts,
                              uint32_t undefined, char *text, size_t size) {
    uint32_t compared = (FLAG_STATUS | FLAG_DF) & ~undefined;
    if (ours->fault_eip != hosts->fault_eip) {
        snprintf(text, size, "divide error at %X, the host's at %X", ours->fault_eip,
                 hosts->fault_eip);
        return false;
    }
    if (((ours->eflags ^ hosts->eflags) & compared) != 0) {
        snprintf(text, size, "flags are %03X, the host's %03X, undefined %03X",
                 ours->eflags & compared, hosts->eflags & compared, undefined);
        return false;
    }
    if (ours->mxcsr != hosts->mxcsr) {
        snprintf(text, size, "MXCSR is %04X, the host's %04X", ours->mxcsr, hosts->mxcsr);
        return false;
    }
    return compare_bytes("general register", (const uint8_t *)ours->gpr,
                         (const uint8_t *)hosts->gpr, sizeof(ours->gpr), 0, text, size) &&
           compare_bytes("XMM", ours->xmm[0], hosts->xmm[0], sizeof(ours->xmm), 0, text, size);
}

/* Reserved words and selectors are not compared: newer processors store zeroes. A signal
 * costs an AMD processor the last instruction's addresses, which XSAVE leaves out. */
static bool compare_fpu(const OracleOutput *ours, const OracleOutput *hosts, char *text,
                        size_t size) {
    static const struct {
        const char *name;
        uint8_t offset, size;
        bool lost_by_signal;
    } parts[] = {{"FPU control word", 0, 2, false}, {"FPU status word", 4, 2, false},
                 {"FPU tags", 8, 2, false},         {"FPU IP", 12, 4, true},
                 {"FPU opcode", 18, 2, true},       {"FPU DP", 20, 4, true},
                 {"FPU register", 28, 80, false}};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!(parts[i].lost_by_signal && hosts->fault_eip != 0) &&
            !compare_bytes(parts[i].name, ours->fpu + parts[i].offset, hosts->fpu + parts[i].offset,
                           parts[i].size, 0, text, size))
            return false;
    return true;
}

static bool compare(const Oracle *oracle, const Guest *guest, const Sequence *sequence,
                    unsigned count, char *text, size_t size) {
    const uint8_t *ram = guest->ram;
    OracleOutput ours, hosts;
    memcpy(&ours, ram + ORACLE_OUTPUT, sizeof(ours));
    memcpy(&hosts, host_memory(oracle, ORACLE_OUTPUT), sizeof(hosts));
    uint32_t eip = guest->cpu->state.eip, stack = ORACLE_STACK;
    if (!guest->cpu->state.halted || eip < ORACLE_STORE || eip >= ORACLE_FAULT) {
        snprintf(text, size, "the guest ended at %X", eip);
        return false;
    }
    if (hosts.fault_eip != 0) /* the guest's exception frame lies below ESP */
        stack = hosts.gpr[REG_ESP];
    return compare_registers(&ours, &hosts, undefined_flags(sequence, count, hosts.fault_eip), text,
                             size) &&
           compare_fpu(&ours, &hosts, text, size) &&
           compare_bytes("memory", ram + ORACLE_DATA, host_memory(oracle, ORACLE_DATA),
                         ORACLE_DATA_BYTES, ORACLE_DATA, text, size) &&
           compare_bytes("stack", ram + stack, host_memory(oracle, stack),
                         ORACLE_STACK + ORACLE_STACK_BYTES - stack, stack, text, size);
}

/* The guest has run. The host runs again where they differ: a switch of tasks in the middle may
 * have cost it the x87's last instruction's addresses, as a signal does. */
static bool agrees(Oracle *oracle, const Guest *guest, const Sequence *sequence, unsigned count,
                   const uint8_t *code, uint32_t code_size, char *text, size_t size) {
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        if (compare(oracle, guest, sequence, count, text, size))
            return true;
        if (!run_host(oracle, sequence, code, code_size))
            return false;
    }
    return false;
}

/* Its first 'count' instructions everywhere; false with a description where a guest differs. */
static bool try_sequence(Oracle *oracle, const Sequence *sequence, unsigned count, char *text,
                         size_t size) {
    uint8_t code[RANDOM_CODE_BYTES_MAX + 16];
    uint32_t code_size;
    put_code(sequence, count, code, &code_size);
    if (!run_host(oracle, sequence, code, code_size)) {
        snprintf(text, size, "the host got a signal");
        return false;
    }
    for (unsigned i = 0; i < GUEST_COUNT; i++) {
        run_guest(&oracle->guests[i], sequence, code, code_size);
        int length = snprintf(text, size, "%s: ", guest_kinds[i].name);
        if (!agrees(oracle, &oracle->guests[i], sequence, count, code, code_size, text + length,
                    size - (size_t)length))
            return false;
    }
    OracleOutput output;
    memcpy(&output, host_memory(oracle, ORACLE_OUTPUT), sizeof(output));
    oracle->divide_errors += output.fault_eip != 0;
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
    insn_format(&insn, sequence->address + last->offset, insn_text, sizeof(insn_text));
    fprintf(stderr, "sequence %llu, instruction %u of %u, '%s' (",
            (unsigned long long)sequence->seed, count, sequence->code.count, insn_text);
    for (unsigned i = 0; i < last->length; i++)
        fprintf(stderr, "%02X", bytes[i]);
    fprintf(stderr, "): %s\n", text);
}

/* Those of 'max' that not every host has which runs this test at all. */
static uint64_t find_missing_features(void) {
    uint64_t missing = 0;
#if defined(__x86_64__)
    static const struct {
        uint8_t bit, feature; /* of leaf 7, EBX */
    } rows[] = {{19, FEATURE_ADX}, {23, FEATURE_CLFLUSHOPT}, {24, FEATURE_CLWB}};
    unsigned eax, ebx = 0, ecx, edx;
    __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        missing |= ebx >> rows[i].bit & 1 ? 0 : FEATURE_BIT(rows[i].feature);
#endif
    return missing;
}

/* ---- The test ---- */

static void open_oracle(Oracle *oracle) {
    uint8_t frame[ORACLE_CODE - ORACLE_BASE];
    memset(oracle, 0, sizeof(*oracle));
    ck_assert(host_code_open(&oracle->host));
    oracle_write_frame(frame);
    for (unsigned i = 0; i < GUEST_COUNT; i++) {
        Guest *guest = &oracle->guests[i];
        TranslatorOptions options = {.backend = guest_kinds[i].backend};
        guest_create_model(guest, &options, "max");
        guest_enter_flat_mode(guest, TABLES, ORACLE_LOAD, guest_kinds[i].paging);
        guest->cpu->state.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
        cpu_state_restored(guest->cpu);
        physical_write_bytes(guest->map, ORACLE_BASE, frame, sizeof(frame));
        uint64_t gate = (uint64_t)(ORACLE_FAULT >> 16) << 48 | UINT64_C(0x8E00) << 32 | 8u << 16 |
                        (ORACLE_FAULT & 0xFFFF);
        physical_write(guest->map, TABLES + 0x100 + 8 * EXCEPTION_DE, 8, gate);
    }
    oracle->features = oracle->guests[0].cpu->features[0] & ~find_missing_features();
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
    host_code_close(&oracle.host);
}
END_TEST

/* The sequences may use whatever the guest's processor has. */
static bool host_has_features(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx = 0, edx, wanted = bit_SSE4_2 | bit_POPCNT | bit_MOVBE;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & wanted) == wanted;
#else
    return false;
#endif
}

static bool can_run(void) {
    HostCode host;
    if (translator_default_backend() != BACKEND_X86_64 || !host_has_features() ||
        !host_code_open(&host))
        return false;
    host_code_close(&host);
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
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
