/* What the comparison with the host's processor (test_opcode_oracle.c) once found wrong, one named
 * case each: they run without that host too, with each backend. */
#include "little_endian.h"
#include "oracle_guest.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum { CODE = ORACLE_CODE + 0x100, ABSENT = ORACLE_BASE + 0x8000, PENDING = 1 << 7 };
enum { ERROR_PRESENT = 1, ERROR_WRITE = 2, ERROR_USER = 4 };

static const TranslatorOptions backends[] = {{.backend = BACKEND_PORTABLE},
                                             {.backend = BACKEND_JIT}};

static OracleInput plain_input(void) {
    OracleInput input = {.eip = CODE,
                         .eflags = FLAG_1 | FLAG_IF,
                         .segment = {ORACLE_DS, ORACLE_CS, ORACLE_DS, ORACLE_DS, ORACLE_DS, 0},
                         .mxcsr = 0x1F80,
                         .fpu = {0x7F, 0x03}};
    input.gpr[REG_ESP] = ORACLE_STACK + 0x800;
    return input;
}

/* The state behind these bytes, or at the exception they raise. */
static void run(int backend, const OracleInput *input, const uint8_t *code, size_t size,
                OracleState *state) {
    Guest guest;
    uint8_t filler[64];
    oracle_guest_open(&guest, &backends[backend], 0);
    memset(filler, ORACLE_FILLER, sizeof(filler));
    physical_write_bytes(guest.map, CODE, filler, sizeof(filler));
    physical_write_bytes(guest.map, input->eip, code, size);
    ck_assert(oracle_guest_run(&guest, input, state));
    guest_destroy(&guest);
}
#define RUN(input, state, ...)                                                                     \
    run(_i, input, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), state)

static void assert_page_fault(const OracleState *state, uint32_t address, uint32_t code) {
    ck_assert_uint_eq(state->vector, EXCEPTION_PF);
    ck_assert_uint_eq(state->cr2, address);
    ck_assert_uint_eq(state->error_code, code);
    ck_assert_uint_eq(state->eip, CODE);
}

START_TEST(test_clflush_needs_its_page) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_EAX] = ABSENT;
    RUN(&input, &state, 0x0F, 0xAE, 0x38); /* clflush [eax] */
    assert_page_fault(&state, ABSENT, ERROR_USER);
}
END_TEST

START_TEST(test_shift_by_zero_needs_a_writable_page) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_EAX] = ORACLE_READ_ONLY;
    RUN(&input, &state, 0xC0, 0x20, 0x00); /* shl byte [eax], 0 */
    assert_page_fault(&state, ORACLE_READ_ONLY, ERROR_PRESENT | ERROR_WRITE | ERROR_USER);
    RUN(&input, &state, 0x0F, 0xA4, 0x08, 0x20); /* shld [eax], ecx, 32 */
    assert_page_fault(&state, ORACLE_READ_ONLY, ERROR_PRESENT | ERROR_WRITE | ERROR_USER);
}
END_TEST

START_TEST(test_shift_by_zero_keeps_memory_and_flags) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_ESI] = ORACLE_DATA;
    input.eflags |= FLAG_STATUS;
    /* mov dword [esi], 12345678h; rcl dword [esi], 0; mov eax, [esi] */
    RUN(&input, &state, 0xC7, 0x06, 0x78, 0x56, 0x34, 0x12, 0xC1, 0x16, 0x00, 0x8B, 0x06);
    ck_assert_uint_eq(state.gpr[REG_EAX], 0x12345678);
    ck_assert_uint_eq(state.eflags & FLAG_STATUS, FLAG_STATUS);
}
END_TEST

START_TEST(test_cmpxchg8b_is_a_write) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_ESI] = ABSENT;
    RUN(&input, &state, 0x0F, 0xC7, 0x0E); /* cmpxchg8b [esi] */
    assert_page_fault(&state, ABSENT, ERROR_WRITE | ERROR_USER);
    input.gpr[REG_ESI] = ABSENT - 4;
    RUN(&input, &state, 0x0F, 0xC7, 0x0E);
    assert_page_fault(&state, ABSENT, ERROR_WRITE | ERROR_USER);
    RUN(&input, &state, 0x2E, 0x0F, 0xC7, 0x0E); /* cmpxchg8b cs:[esi] */
    ck_assert_uint_eq(state.vector, EXCEPTION_GP);
}
END_TEST

START_TEST(test_lar_gives_the_limits_upper_part) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_ECX] = ORACLE_CS;
    RUN(&input, &state, 0x0F, 0x02, 0xC1); /* lar eax, ecx */
    ck_assert_uint_eq(state.gpr[REG_EAX], 0x00CFFB00);
}
END_TEST

START_TEST(test_conversion_enters_mmx_state_before_its_exception) {
    OracleInput input = plain_input();
    OracleState state;
    const uint32_t one_third = 0x3EAAAAAB;
    input.mxcsr = 0; /* nothing is masked */
    input.fpu[5] = 0x18;
    memset(input.fpu + 8, 0xFF, 2);
    store_le32(input.xmm[0], one_third);
    RUN(&input, &state, 0x0F, 0x2D, 0xC8); /* cvtps2pi mm1, xmm0: inexact */
    ck_assert_uint_eq(state.vector, EXCEPTION_XM);
    ck_assert_uint_eq(state.tags, 0xFF);
    ck_assert_uint_eq(state.status >> 11 & 7, 0);
}
END_TEST

START_TEST(test_fst_that_stores_nothing_needs_its_page) {
    OracleInput input = plain_input();
    OracleState state;
    input.fpu[0] = 0; /* nothing is masked */
    memset(input.fpu + 8, 0xFF, 2);
    input.gpr[REG_EAX] = ABSENT;
    RUN(&input, &state, 0xD9, 0x10); /* fst dword [eax] of an empty register */
    assert_page_fault(&state, ABSENT, ERROR_WRITE | ERROR_USER);
    ck_assert_uint_eq(state.status & PENDING, 0);
    RUN(&input, &state, 0xDF, 0x30); /* fbstp [eax] */
    assert_page_fault(&state, ABSENT, ERROR_WRITE | ERROR_USER);
    input.gpr[REG_EAX] = ORACLE_DATA;
    RUN(&input, &state, 0xDB, 0x18); /* fistp dword [eax] */
    ck_assert_uint_ne(state.status & PENDING, 0);
}
END_TEST

START_TEST(test_single_step_of_repe_cmps_shows_its_flags) {
    OracleInput input = plain_input();
    OracleState state;
    input.eflags |= FLAG_TF | FLAG_CF | FLAG_SF;
    input.gpr[REG_ECX] = 3;
    input.gpr[REG_ESI] = input.gpr[REG_EDI] = ORACLE_DATA;
    RUN(&input, &state, 0xF3, 0xA6); /* repe cmpsb */
    ck_assert_uint_eq(state.vector, EXCEPTION_DB);
    ck_assert_uint_eq(state.gpr[REG_ECX], 2);
    ck_assert_uint_eq(state.eip, CODE);
    ck_assert_uint_eq(state.eflags & FLAG_STATUS, FLAG_ZF | FLAG_PF);
}
END_TEST

START_TEST(test_all_bytes_are_fetched_before_an_undefined_opcode) {
    OracleInput input = plain_input();
    OracleState state;
    input.eip = ORACLE_CODE + ORACLE_CODE_BYTES - 4;
    RUN(&input, &state, 0x66, 0x0F, 0xC5, 0x00); /* pextrw eax, [eax]: the immediate is missing */
    ck_assert_uint_eq(state.vector, EXCEPTION_PF);
    ck_assert_uint_eq(state.cr2, ORACLE_CODE + ORACLE_CODE_BYTES);
    input.eip -= 1;
    RUN(&input, &state, 0x66, 0x0F, 0xC5, 0x00, 0x01);
    ck_assert_uint_eq(state.vector, EXCEPTION_UD);
}
END_TEST

START_TEST(test_arpl_that_faults_keeps_zf) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_EAX] = ORACLE_READ_ONLY;
    input.gpr[REG_ECX] = 3;
    RUN(&input, &state, 0x63, 0x08); /* arpl [eax], cx */
    assert_page_fault(&state, ORACLE_READ_ONLY, ERROR_PRESENT | ERROR_WRITE | ERROR_USER);
    ck_assert_uint_eq(state.eflags & FLAG_ZF, 0);
    input.gpr[REG_EAX] = 0xABCD1230;
    RUN(&input, &state, 0x63, 0xC8); /* arpl ax, cx */
    ck_assert_uint_eq(state.gpr[REG_EAX], 0xABCD1233);
    ck_assert_uint_eq(state.eflags & FLAG_ZF, FLAG_ZF);
    RUN(&input, &state, 0x63, 0xC9); /* arpl cx, cx */
    ck_assert_uint_eq(state.gpr[REG_ECX], 3);
    ck_assert_uint_eq(state.eflags & FLAG_ZF, 0);
}
END_TEST

START_TEST(test_into_without_overflow_is_single_stepped) {
    OracleInput input = plain_input();
    OracleState state;
    input.eflags |= FLAG_TF;
    RUN(&input, &state, 0xCE, 0x90); /* into; nop */
    ck_assert_uint_eq(state.vector, EXCEPTION_DB);
    ck_assert_uint_eq(state.eip, CODE + 1);
    input.eflags |= FLAG_OF;
    RUN(&input, &state, 0xCE, 0x90);
    ck_assert_uint_eq(state.vector, EXCEPTION_OF);
    ck_assert_uint_eq(state.eip, CODE + 1);
}
END_TEST

START_TEST(test_exact_underflow_is_one_where_it_is_unmasked) {
    OracleInput input = plain_input();
    OracleState state;
    const uint32_t denormal = 1;
    store_le32(input.xmm[0], denormal);
    store_le32(input.xmm[1], denormal);
    input.mxcsr = 0x1F80 & ~0x800;
    RUN(&input, &state, 0x0F, 0x58, 0xC1); /* addps xmm0, xmm1 */
    ck_assert_uint_eq(state.vector, EXCEPTION_XM);
    ck_assert_uint_eq(state.mxcsr & 0x3F, 0x12);
    input.mxcsr = 0x1F80;
    RUN(&input, &state, 0x0F, 0x58, 0xC1);
    ck_assert_uint_eq(state.vector, EXCEPTION_BP);
    ck_assert_uint_eq(state.mxcsr & 0x3F, 0x02);
}
END_TEST

START_TEST(test_fxrstor_needs_all_of_its_area) {
    OracleInput input = plain_input();
    OracleState state;
    input.gpr[REG_EAX] = ABSENT - 496;
    RUN(&input, &state, 0x0F, 0xAE, 0x08); /* fxrstor [eax] */
    assert_page_fault(&state, ABSENT, ERROR_USER);
}
END_TEST

int main(void) {
    const TTest *const cases[] = {
        test_clflush_needs_its_page,
        test_shift_by_zero_needs_a_writable_page,
        test_shift_by_zero_keeps_memory_and_flags,
        test_cmpxchg8b_is_a_write,
        test_lar_gives_the_limits_upper_part,
        test_conversion_enters_mmx_state_before_its_exception,
        test_fst_that_stores_nothing_needs_its_page,
        test_single_step_of_repe_cmps_shows_its_flags,
        test_all_bytes_are_fetched_before_an_undefined_opcode,
        test_arpl_that_faults_keeps_zf,
        test_into_without_overflow_is_single_stepped,
        test_exact_underflow_is_one_where_it_is_unmasked,
        test_fxrstor_needs_all_of_its_area,
    };
    int count = translator_default_backend() == BACKEND_JIT ? 2 : 1;
    Suite *suite = suite_create("oracle_regressions");
    TCase *tests = tcase_create("cases");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        tcase_add_loop_test(tests, cases[i], 0, count);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
