/* Every MMX and SSE instruction that the decoder knows, bit for bit against an x86-64 host:
 * registers, memory, EFLAGS and MXCSR, over random and edge operands, in all rounding modes, with
 * and without FTZ and DAZ. */
#include <check.h>

#if defined(__x86_64__)
#include "suite_run.h"
#include "vector_float.h"
#include "vector_host_fixture.h"

enum { CASES = 400, CASES_A_THUNK = 16, CASES_AN_IMMEDIATE = 8 };

static unsigned compare_encoding(FpuFixture *fixture, uint8_t *code, const Encoding *encoding,
                                 unsigned base) {
    uint64_t seed =
        (encoding->map << 24 | encoding->prefix << 16 | encoding->opcode << 8 | base) + 1;
    unsigned failures = 0, immediate = 0, modrm = base, length, feature;
    if (!is_vector(encoding, base, &length, &feature) || !has_feature(feature))
        return 0;
    bool group = encoding->map == 1 && encoding->opcode >= 0x71 && encoding->opcode <= 0x73;
    /* Behind escape and ModRM: then every immediate is tried. */
    bool has_immediate = length > (encoding->prefix != 0) + 2u + (encoding->map != 1);
    unsigned cases = has_immediate ? 256 * CASES_AN_IMMEDIATE : CASES;
    for (unsigned i = 0; i < cases; i++) {
        if (i % (has_immediate ? CASES_AN_IMMEDIATE : CASES_A_THUNK) == 0) {
            modrm = base | (group ? 0 : random_below(&seed, 3) << 3) |
                    (base >= 0xC0 ? random_below(&seed, 3) : 6);
            immediate = i / CASES_AN_IMMEDIATE & 0xFF;
            write_bytes(encoding, modrm, immediate, code);
            code[length] = 0xC3;
        }
        VectorState before, host, ours;
        make_state(&seed, &before);
        host = ours = before;
        run_host(code, &host);
        HelperResult result = run_ours(fixture, encoding, modrm, immediate, &ours);
        if (result == HELPER_NEXT && is_equal(&host, &ours))
            continue;
        if (failures++ < 2) {
            printf("map %u prefix %02X opcode %02X modrm %02X imm %02X: result %d\n", encoding->map,
                   encoding->prefix, encoding->opcode, modrm, immediate, result);
            print_state("before", &before);
            print_state("host  ", &host);
            print_state("ours  ", &ours);
        }
    }
    if (failures != 0)
        printf("FAIL map %u prefix %02X opcode %02X base %02X: %u of %u cases differ\n",
               encoding->map, encoding->prefix, encoding->opcode, base, failures, cases);
    return failures;
}

START_TEST(test_against_host) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    unsigned failures = 0;
    FpuFixture fixture;
    fixture_open(&fixture);
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        Encoding encoding = {1 + (unsigned)_i / 4, prefixes[_i % 4], opcode};
        if (is_excepted(&encoding))
            continue;
        bool group = encoding.map == 1 && opcode >= 0x71 && opcode <= 0x73;
        for (unsigned field = 0; field < (group ? 8 : 1); field++)
            failures += compare_encoding(&fixture, code, &encoding, 0xC0 | field << 3);
        if (!group)
            failures += compare_encoding(&fixture, code, &encoding, 0);
    }
    ck_assert_uint_eq(failures, 0);
    munmap(code, 4096);
    fixture_close(&fixture);
}
END_TEST

/* Decoder and helper agree on what exists. */
START_TEST(test_every_row_has_a_handler) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    FpuFixture fixture;
    fixture_open(&fixture);
    for (unsigned i = 0; i < 3 * 4 * 256 * 256; i++) {
        Encoding encoding = {1 + i / (4 * 256 * 256), prefixes[i >> 16 & 3], i >> 8 & 0xFF};
        unsigned modrm = i & 0xFF, length, feature;
        if ((modrm & 7) != 5 && (modrm & 7) != 1)
            continue;
        if (!is_vector(&encoding, modrm, &length, &feature))
            continue;
        VectorState state;
        uint64_t seed = i + 1;
        make_state(&seed, &state);
        memset(fixture_operand(&fixture), 0, 512);
        run_ours(&fixture, &encoding, modrm, 0, &state);
        ck_assert_msg(fixture.cpu->exception.vector != EXCEPTION_UD,
                      "map %u prefix %02X opcode %02X modrm %02X is #UD", encoding.map,
                      encoding.prefix, encoding.opcode, modrm);
    }
    fixture_close(&fixture);
}
END_TEST

/* vector_arithmetic() uses the host's SSE unit: the software that other hosts use agrees with it.
 */
START_TEST(test_software_arithmetic) {
    static const VectorArithmetic kinds[] = {VECTOR_ADD, VECTOR_MULTIPLY, VECTOR_MINUS,
                                             VECTOR_MIN, VECTOR_DIVIDE,   VECTOR_MAX,
                                             VECTOR_ROOT};
    FpuFixture fixture;
    uint64_t seed = 5;
    fixture_open(&fixture);
    uint32_t *mxcsr = &fixture.cpu->state.fpu.mxcsr;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned form = (i & 1 ? VECTOR_DOUBLE : 0) | (i & 2 ? VECTOR_SCALAR : 0);
        VectorRow row = {.parameter = (uint8_t)(form | kinds[i / 4 % 7])};
        VectorState state;
        make_state(&seed, &state);
        VectorOperation host = {.row = &row, .wide = true};
        memcpy(&host.a, state.xmm[0], 16);
        memcpy(&host.b, state.xmm[1], 16);
        host.result = host.a;
        VectorOperation ours = host;
        *mxcsr = state.mxcsr;
        ck_assert(vector_run_on_host(fixture.cpu, &host));
        uint32_t host_mxcsr = *mxcsr;
        *mxcsr = state.mxcsr;
        ck_assert_int_eq(vector_arithmetic_exact(fixture.cpu, &ours), HELPER_NEXT);
        ck_assert_uint_eq(*mxcsr, host_mxcsr);
        ck_assert_msg(memcmp(&host.result, &ours.result, sizeof(Vector)) == 0,
                      "parameter %02x, case %u", row.parameter, i);
    }
    fixture_close(&fixture);
}
END_TEST

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    Suite *suite = suite_create("vector_host");
    TCase *instructions = tcase_create("instructions");
    tcase_set_timeout(instructions, 120);
    tcase_add_loop_test(instructions, test_against_host, 0, 12);
    tcase_add_test(instructions, test_every_row_has_a_handler);
    tcase_add_test(instructions, test_software_arithmetic);
    suite_add_tcase(suite, instructions);
    return suite_run(suite);
}
#else
int main(void) {
    return 77;
}
#endif
