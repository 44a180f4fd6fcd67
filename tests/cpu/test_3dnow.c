/* 3DNow! instructions by their manual (AMD 21928, 22466): results, limits, zeros, denormals, and
 * the accuracy that its sequences promise. */
#include "fpu_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <math.h>
#include <string.h>

static FpuFixture fixture;

static void set_up(void) {
    fixture_open(&fixture);
    fixture.cpu->features[0] |= FEATURE_BIT(FEATURE_3DNOW) | FEATURE_BIT(FEATURE_3DNOWEXT);
    ck_assert_int_eq(fixture_x87(&fixture, 0xDB, 0xE3), HELPER_NEXT); /* FNINIT */
}

static void tear_down(void) {
    fixture_close(&fixture);
}

/* MM0 = a, MM1 = b, OPCODE MM0, MM1. */
static HelperResult run(unsigned opcode, uint64_t a, uint64_t b) {
    FpuState *fpu = &fixture.cpu->state.fpu;
    fixture.cpu->exception.vector = EXCEPTION_NONE;
    fpu->st[0].significand = a;
    fpu->st[1].significand = b;
    fpu->status &= ~0x3800; /* TOP */
    return fixture_done(helper_vector(fixture.cpu, 1u << 24 | 0x0F << 8 | 0xC1, opcode << 8, 0, 0));
}

static uint64_t result(unsigned opcode, uint64_t a, uint64_t b) {
    ck_assert_int_eq(run(opcode, a, b), HELPER_NEXT);
    ck_assert_uint_eq(fixture.cpu->state.fpu.tags & 3, 2); /* an MMX register: exponent all ones */
    return fixture.cpu->state.fpu.st[0].significand;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t pair(float low, float high) {
    return (uint64_t)bits_of(high) << 32 | bits_of(low);
}

enum { ADD = 0x9E, SUB = 0x9A, SUBR = 0xAA, MUL = 0xB4, MAX = 0xA4, MIN = 0x94 };
enum { PFRCP = 0x96, PFRCPIT1 = 0xA6, PFRCPIT2 = 0xB6, PFRSQRT = 0x97, PFRSQIT1 = 0xA7 };

START_TEST(test_lanes) {
    static const struct {
        unsigned opcode;
        float a0, a1, b0, b1, r0, r1;
    } rows[] = {
        {ADD, 1, 2, 3, 4, 4, 6},     {SUB, 1, 2, 3, 5, -2, -3},
        {SUBR, 1, 2, 3, 5, 2, 3},    {MUL, 3, -2, 0.5f, 8, 1.5f, -16},
        {MAX, 1, -7, 2, -8, 2, -7},  {MIN, 1, -7, 2, -8, 1, -8},
        {MAX, -1, 5, 0, 0, 0, 5},    {MIN, 1, -5, -0.0f, 0, 0, -5},
        {0xAE, 1, 2, 3, 4, 3, 7},    /* PFACC */
        {0x8A, 1, 5, 3, 10, -4, -7}, /* PFNACC */
        {0x8E, 1, 5, 3, 10, -4, 13}, /* PFPNACC */
        {0xBB, 1, 2, 3, 4, 4, 3},    /* PSWAPD */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t got =
            result(rows[i].opcode, pair(rows[i].a0, rows[i].a1), pair(rows[i].b0, rows[i].b1));
        ck_assert_msg(got == pair(rows[i].r0, rows[i].r1), "row %u: %016llx", i,
                      (unsigned long long)got);
    }
}
END_TEST

/* Nothing is infinite, nothing is denormal. */
START_TEST(test_limits) {
    const uint32_t largest = 0x7F7FFFFF, smallest = 0x00800000, denormal = 0x00400000;
    ck_assert_uint_eq((uint32_t)result(ADD, largest, largest), largest);
    ck_assert_uint_eq((uint32_t)result(MUL, largest | 1u << 31, largest), largest | 1u << 31);
    ck_assert_uint_eq((uint32_t)result(MUL, smallest, smallest), 0);
    ck_assert_uint_eq((uint32_t)result(MUL, smallest, smallest | 1u << 31), 1u << 31);
    ck_assert_uint_eq((uint32_t)result(ADD, denormal, denormal), 0);
    ck_assert_uint_eq((uint32_t)result(ADD, denormal, bits_of(1)), bits_of(1));
    ck_assert_uint_eq((uint32_t)result(SUB, bits_of(5), bits_of(5)), 0);
    ck_assert_uint_eq((uint32_t)result(ADD, 0x7F800000, bits_of(1)), largest);
    ck_assert_uint_eq((uint32_t)result(PFRCP, 0, 0), largest);
    ck_assert_uint_eq((uint32_t)result(PFRCP, 0, 1u << 31), largest | 1u << 31);
    ck_assert_uint_eq((uint32_t)result(PFRSQRT, 0, 0), largest);
    /* Rounding to the nearest even, whatever MXCSR says. */
    fixture.cpu->state.fpu.mxcsr = 0x7F80;
    ck_assert_uint_eq((uint32_t)result(ADD, bits_of(1), 0x33800000), bits_of(1)); /* 2^-24 */
    ck_assert_uint_eq((uint32_t)result(ADD, bits_of(1), 0x33800001), 0x3F800001);
    ck_assert_uint_eq(fixture.cpu->state.fpu.mxcsr, 0x7F80);
}
END_TEST

START_TEST(test_comparisons) {
    const uint64_t a = pair(1, -0.0f), b = pair(1, 0), c = pair(0.5f, 3);
    const uint64_t both = UINT64_MAX, low = UINT32_MAX, high = both - low;
    ck_assert_uint_eq(result(0xB0, a, b), both); /* PFCMPEQ: zeros are equal */
    ck_assert_uint_eq(result(0x90, a, b), both); /* PFCMPGE */
    ck_assert_uint_eq(result(0xA0, a, b), 0);    /* PFCMPGT */
    ck_assert_uint_eq(result(0xA0, a, c), low);
    ck_assert_uint_eq(result(0x90, c, a), high);
}
END_TEST

START_TEST(test_conversions) {
    ck_assert_uint_eq(result(0x1D, 0, pair(-1.9f, 3e9f)), 0x7FFFFFFFFFFFFFFF); /* PF2ID */
    ck_assert_uint_eq(result(0x1D, 0, pair(2.9f, -3e9f)), 0x8000000000000002);
    ck_assert_uint_eq(result(0x1C, 0, pair(40000, -40000)), 0xFFFF800000007FFF); /* PF2IW */
    ck_assert_uint_eq(result(0x0D, 0, 0xFFFFFFFF01000001), pair(16777216, -1));  /* PI2FD is cut */
    ck_assert_uint_eq(result(0x0D, 0, 0x7FFFFFFF), pair(2147483520.0f, 0));
    ck_assert_uint_eq(result(0x0C, 0, 0x1234FFFE00007FFF), pair(32767, -2)); /* PI2FW */
    ck_assert_uint_eq(result(0xB7, 0x8000400000020003, 0x8000400040004000),
                      0x4000100000010001); /* PMULHRW */
    ck_assert_uint_eq(result(0xBF, 0x00FF010203040506, 0x01FF020202020202), 0x01FF020203030404);
}
END_TEST

/* 14 bits of PFRCP, 15 of PFRSQRT, 24 by the sequences: AMD 21928, "Division and Square Root". The
 * root's square has 24 bits, too, before it is used, which costs a part of the last place. */
START_TEST(test_accuracy) {
    uint64_t random = 0x9E3779B97F4A7C15;
    for (unsigned i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t bits = (uint32_t)(random >> 33) % 0x3F000000 + 0x20000000;
        double value = float_of(bits);
        uint32_t x0 = (uint32_t)result(PFRCP, 0, bits);
        ck_assert_double_lt(fabs(float_of(x0) * value - 1), 0x1p-14);
        uint32_t x1 = (uint32_t)result(PFRCPIT1, bits, x0);
        uint32_t x2 = (uint32_t)result(PFRCPIT2, x1, x0);
        ck_assert_double_lt(fabs(float_of(x2) * value - 1), 0x1p-23);
        uint32_t y0 = (uint32_t)result(PFRSQRT, 0, bits);
        ck_assert_double_lt(fabs(float_of(y0) * sqrt(value) - 1), 0x1p-15);
        uint32_t square = (uint32_t)result(MUL, y0, y0);
        uint32_t y1 = (uint32_t)result(PFRSQIT1, square, bits);
        uint32_t y2 = (uint32_t)result(PFRCPIT2, y1, y0);
        ck_assert_double_lt(fabs(float_of(y2) * sqrt(value) - 1), 0x1.4p-23);
    }
    /* Both lanes are the lower one's; a negative root keeps its sign. */
    ck_assert_uint_eq(result(PFRCP, 0, pair(4, 9)), pair(0.25f, 0.25f));
    ck_assert_uint_eq(result(PFRSQRT, 0, pair(-4, 9)), pair(-0.5f, -0.5f));
}
END_TEST

START_TEST(test_availability) {
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_3DNOWEXT);
    ck_assert_int_eq(run(0xBB, 0, 0), HELPER_FAULT); /* PSWAPD */
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_UD);
    ck_assert_int_eq(run(ADD, 0, 0), HELPER_NEXT);
    ck_assert_int_eq(run(0xFF, 0, 0), HELPER_FAULT);
    fixture.cpu->state.cr0 |= CR0_TS;
    ck_assert_int_eq(run(ADD, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_NM);
    fixture.cpu->features[0] &= ~FEATURE_BIT(FEATURE_3DNOW);
    ck_assert_int_eq(run(ADD, 0, 0), HELPER_FAULT);
    ck_assert_uint_eq(fixture.cpu->exception.vector, EXCEPTION_UD);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("3dnow");
    TCase *tests = tcase_create("3dnow");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_lanes);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_comparisons);
    tcase_add_test(tests, test_conversions);
    tcase_add_test(tests, test_accuracy);
    tcase_add_test(tests, test_availability);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
