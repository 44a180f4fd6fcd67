/* MMX and SSE instructions that fault, against an x86-64 host: which lanes' exceptions are reported
 * where some are unmasked, that nothing but MXCSR changes then, and which operands in memory must
 * be aligned. */
#include <check.h>

#if defined(__x86_64__)
#include "suite_run.h"
#include "vector_host_fixture.h"
#include <signal.h>
#include <ucontext.h>

enum { CASES = 300, CASES_A_THUNK = 20, MISALIGNMENTS = 16 };
enum {
    CONTEXT_RIP = 16
}; /* <sys/ucontext.h> tells its names with _GNU_SOURCE alone, and they
      clash with ours */

static volatile sig_atomic_t faulted;
static unsigned instruction_length;

/* Goes on behind the instruction. */
static void skip(int signal, siginfo_t *info, void *opaque) {
    ucontext_t *context = opaque;
    (void)info;
    faulted = signal;
    context->uc_mcontext.gregs[CONTEXT_RIP] += instruction_length;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    ck_assert_int_eq(sigaction(SIGFPE, &action, NULL), 0);
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
}

static uint8_t *open_code(FpuFixture *fixture) {
    fixture_open(fixture);
    catch_signals();
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    return code;
}

static void close_code(FpuFixture *fixture, uint8_t *code) {
    munmap(code, 4096);
    fixture_close(fixture);
}

static bool prepare(const Encoding *encoding, unsigned modrm, unsigned immediate, uint8_t *code) {
    unsigned feature;
    if (is_excepted(encoding) || !is_vector(encoding, modrm, &instruction_length, &feature) ||
        !has_feature(feature))
        return false;
    write_bytes(encoding, modrm, immediate, code);
    code[instruction_length] = 0xC3;
    return true;
}

static void print_difference(const Encoding *encoding, unsigned modrm, const VectorState *before,
                             const VectorState *host, const VectorState *ours) {
    printf("map %u prefix %02X opcode %02X modrm %02X\n", encoding->map, encoding->prefix,
           encoding->opcode, modrm);
    print_state("before", before);
    print_state("host  ", host);
    print_state("ours  ", ours);
}

static unsigned compare_encoding(FpuFixture *fixture, uint8_t *code, const Encoding *encoding,
                                 unsigned base, unsigned *faults) {
    uint64_t seed =
        (encoding->map << 24 | encoding->prefix << 16 | encoding->opcode << 8 | base) + 77;
    unsigned failures = 0, modrm = base, immediate = 0;
    for (unsigned i = 0; i < CASES; i++) {
        if (i % CASES_A_THUNK == 0) {
            modrm = base | random_below(&seed, 3) << 3 | (base ? random_below(&seed, 3) : 6);
            immediate = (unsigned)random_u64(&seed) & 0xFF;
            if (!prepare(encoding, modrm, immediate, code))
                return 0;
        }
        VectorState before, host, ours;
        make_state(&seed, &before);
        before.mxcsr &= ~(random_below(&seed, 64) << 7);
        host = ours = before;
        faulted = 0;
        run_host(code, &host);
        HelperResult result = run_ours(fixture, encoding, modrm, immediate, &ours);
        bool both = (faulted == SIGFPE) == (result == HELPER_FAULT);
        if (result == HELPER_FAULT)
            both = both && fixture->cpu->exception.vector == EXCEPTION_XM;
        *faults += faulted != 0;
        if (both && is_equal(&host, &ours))
            continue;
        if (failures++ < 2)
            print_difference(encoding, modrm, &before, &host, &ours);
    }
    return failures;
}

START_TEST(test_unmasked_exceptions) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    unsigned failures = 0, faults = 0;
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture);
    for (unsigned i = 0; i < 3 * 256; i++) {
        Encoding encoding = {1 + i / 256, prefixes[_i], i & 255};
        /* Those that calculate with floats: 0F 2A to 7F, C2, D0, E6, 0F 3A 08 to 0B, 40, 41. */
        if (encoding.map == 2 ||
            (encoding.map == 1 && encoding.opcode >= 0x71 && encoding.opcode <= 0x73))
            continue;
        failures += compare_encoding(&fixture, code, &encoding, 0xC0, &faults);
        failures += compare_encoding(&fixture, code, &encoding, 0, &faults);
    }
    ck_assert_uint_eq(failures, 0);
    ck_assert_uint_gt(faults, 500);
    close_code(&fixture, code);
}
END_TEST

/* Does the host fault with an operand 'misalignment' bytes past a multiple of 16? */
static bool host_faults(uint8_t *code, unsigned misalignment) {
    static VectorState states[2] __attribute__((aligned(64)));
    uint64_t seed = 3;
    VectorState *state = (VectorState *)&states[0];
    make_state(&seed, state);
    state->mxcsr = 0x1F80;
    code[instruction_length] = 0xC3;
    faulted = 0;
    run_host_at(code, state, (uint8_t *)&states[1] + misalignment);
    return faulted != 0;
}

START_TEST(test_alignment) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    unsigned failures = 0, aligned = 0;
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture);
    for (unsigned i = 0; i < 3 * 256; i++) {
        Encoding encoding = {1 + i / 256, prefixes[_i], i & 255};
        if (!prepare(&encoding, 6, 0, code))
            continue;
        for (unsigned misalignment = 0; misalignment < MISALIGNMENTS; misalignment++) {
            bool host = host_faults(code, misalignment);
            uint32_t a = encoding.map << 24 | encoding.prefix << 16 | encoding.opcode << 8 | 6;
            fixture.cpu->exception.vector = EXCEPTION_NONE;
            fixture.cpu->state.fpu.mxcsr = 0x1F80;
            HelperResult result =
                helper_vector(fixture.cpu, a, SEG_DS, OPERAND_ADDRESS + misalignment, 0);
            bool ours = result == HELPER_FAULT && fixture.cpu->exception.vector == EXCEPTION_GP;
            aligned += host;
            if (host == ours)
                continue;
            failures++;
            printf("map %u prefix %02X opcode %02X, %u bytes off: host %d, ours %d\n", encoding.map,
                   encoding.prefix, encoding.opcode, misalignment, host, ours);
        }
    }
    ck_assert_uint_eq(failures, 0);
    ck_assert(prefixes[_i] >= 0xF2 || aligned > 100);
    close_code(&fixture, code);
}
END_TEST

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    Suite *suite = suite_create("vector_faults_host");
    TCase *instructions = tcase_create("instructions");
    tcase_set_timeout(instructions, 120);
    tcase_add_loop_test(instructions, test_unmasked_exceptions, 0, 4);
    tcase_add_loop_test(instructions, test_alignment, 0, 4);
    suite_add_tcase(suite, instructions);
    return suite_run(suite);
}
#else
int main(void) {
    return 77;
}
#endif
