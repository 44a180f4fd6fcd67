/* The transcendental instructions against an x86-64 host: values within one unit in the last place
 * (ours are correctly rounded, the manuals promise less than one unit for the host's), special
 * operands and flags exactly. */
#include <check.h>

#if defined(__x86_64__)
#include "suite_run.h"
#include "x87_host.h"

enum { CASES = 3000, CLASS_STEP = 37 };

/* The host's reduction of large angles is its own affair: ours, by a 66-bit pi, has the relative
 * error 2^-66 in the angle. */
static Float80 random_small_angle(uint64_t *seed) {
    return random_float80_near(seed,
                               0x3FFF - (int)random_below(seed, random_below(seed, 4) ? 4 : 70));
}

static Float80 make_argument(uint64_t *seed, unsigned modrm, bool first) {
    if (random_below(seed, 4) == 0)
        return random_float80(seed);
    switch (modrm) {
    case 0xF0:
        return random_float80_near(
            seed, 0x3FFE - (int)random_below(seed, random_below(seed, 4) ? 4 : 70));
    case 0xF1:
        return random_float80_near(seed, first ? 0x3FFF - 2 + (int)random_below(seed, 4)
                                               : 0x3FFF - 100 + (int)random_below(seed, 200));
    case 0xF3:
        return random_float80_near(seed, 0x3FFF - 10 + (int)random_below(seed, 20));
    case 0xF9:
        return random_float80_near(
            seed, 0x3FFD - (int)random_below(seed, random_below(seed, 4) ? 4 : 70));
    default:
        return random_small_angle(seed);
    }
}

static void put_register(MachineState *state, unsigned index, Float80 value) {
    memcpy(state->image + 28 + 10 * index, &value.significand, 8);
    memcpy(state->image + 36 + 10 * index, &value.sign_exponent, 2);
}

static Float80 get_register(const MachineState *state, unsigned index) {
    Float80 value;
    memcpy(&value.significand, state->image + 28 + 10 * index, 8);
    memcpy(&value.sign_exponent, state->image + 36 + 10 * index, 2);
    return value;
}

static void make_state(uint64_t *seed, unsigned modrm, MachineState *state) {
    memset(state, 0, sizeof *state);
    unsigned masks = random_below(seed, 4) != 0 ? 0x3F : random_below(seed, 64);
    put_16(state->image, 0x340 | masks | random_below(seed, 4) << 10);
    unsigned top = random_below(seed, 8);
    put_16(state->image + 4, top << 11 | (random_u64(seed) & 0x4700));
    unsigned tags = 3u << 2 * ((top + 7) & 7);
    if (random_below(seed, 8) == 0)
        tags = (unsigned)random_u64(seed) & (unsigned)random_u64(seed);
    tags &= tags << 1 & 0xAAAA;
    tags |= tags >> 1;
    put_16(state->image + 8, tags);
    for (unsigned i = 0; i < 8; i++)
        put_register(state, i, make_argument(seed, modrm, i == 0));
    state->flags = 0x202;
}

static bool is_near(Float80 a, Float80 b, uint64_t tolerance) {
    if (a.sign_exponent == b.sign_exponent) {
        uint64_t distance = a.significand > b.significand ? a.significand - b.significand
                                                          : b.significand - a.significand;
        return distance <= tolerance;
    }
    Float80 low = a.sign_exponent < b.sign_exponent ? a : b,
            high = a.sign_exponent < b.sign_exponent ? b : a;
    /* From a denormal to a normal number. */
    if ((low.sign_exponent & 0x7FFF) == 0 && high.sign_exponent == low.sign_exponent + 1)
        return high.significand - low.significand <= tolerance;
    /* Across a power of two. */
    return high.sign_exponent - low.sign_exponent == 1 &&
           high.significand - (UINT64_C(1) << 63) <= tolerance &&
           UINT64_MAX - low.significand <= 2 * tolerance;
}

static bool is_alike(MachineState *host, MachineState *ours) {
    bool inexact = (get_16(ours->image + 4) & FLOAT_INEXACT) != 0;
    if (inexact)
        host->image[5] = (uint8_t)((host->image[5] & ~2) | (ours->image[5] & 2)); /* C1 */
    /* A unit in the last place may make another tag, but none that is empty. */
    unsigned host_tags = get_16(host->image + 8), our_tags = get_16(ours->image + 8);
    unsigned host_empty = host_tags & host_tags >> 1 & 0x5555;
    unsigned our_empty = our_tags & our_tags >> 1 & 0x5555;
    bool alike = get_16(host->image + 4) == get_16(ours->image + 4) && host_empty == our_empty &&
                 (inexact || host_tags == our_tags);
    unsigned tolerance = host_is_amd() ? 1 : 2;
    for (unsigned i = 0; i < 8; i++)
        alike =
            alike && is_near(get_register(host, i), get_register(ours, i), inexact ? tolerance : 0);
    return alike;
}

/* Arguments for which the manual promises something, and results that are not exact. */
static bool is_defined(unsigned modrm, const MachineState *before) {
    Float80 x = get_register(before, 0);
    unsigned exponent = x.sign_exponent & 0x7FFF;
    if (host_is_amd() || exponent == 0x7FFF)
        return true;
    switch (modrm) {
    case 0xF0:
        return exponent < 0x3FFF;
    case 0xF1:
        return x.significand << 1 != 0 || exponent == 0;
    case 0xF9:
        return exponent < 0x3FFD;
    case 0xF3:
        return true;
    default:
        return exponent < 0x3FFF; /* larger angles show the host's own pi */
    }
}

/* One case; the thunk holds the instruction. */
static bool is_same(FpuFixture *fixture, uint8_t *code, unsigned modrm, const MachineState *before,
                    bool report) {
    MachineState host = *before, ours = *before;
    run_host(code, &host);
    run_ours(fixture, 0xD9, modrm, &ours);
    if (is_alike(&host, &ours))
        return true;
    if (report) {
        printf("D9 %02X differs\n", modrm);
        print_state("before", before);
        print_state("host  ", &host);
        print_state("ours  ", &ours);
    }
    return false;
}

static uint8_t *open_code(FpuFixture *fixture, unsigned modrm) {
    fixture_open(fixture);
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    write_thunk(code, 0xD9, modrm);
    return code;
}

static void close_code(FpuFixture *fixture, uint8_t *code) {
    munmap(code, 4096);
    fixture_close(fixture);
}

static const uint8_t instructions[8] = {0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF};

START_TEST(test_against_host) {
    unsigned modrm = instructions[_i], failures = 0;
    uint64_t seed = modrm;
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture, modrm);
    for (unsigned i = 0; i < CASES; i++) {
        MachineState before;
        make_state(&seed, modrm, &before);
        if (is_defined(modrm, &before))
            failures += !is_same(&fixture, code, modrm, &before, failures < 10);
    }
    if (failures != 0)
        printf("D9 %02X: %u of %u differ\n", modrm, failures, CASES);
    ck_assert_uint_eq(failures, 0);
    close_code(&fixture, code);
}
END_TEST

/* Every class of operands with every other, the tables of special operands among them (SDM vol. 2,
 * FPATAN, FYL2X, FYL2XP1). Precision control has no effect. */
START_TEST(test_classes_against_host) {
    unsigned modrm = instructions[_i], failures = 0;
    unsigned step = getenv("REPRISE_LONG") != NULL ? 1 : CLASS_STEP;
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture, modrm);
    for (unsigned i = 0; i < CLASS_COUNT * CLASS_COUNT * CONTROL_COUNT; i += step) {
        unsigned pair = i / CONTROL_COUNT, top = i >> 3 & 7;
        MachineState before;
        memset(&before, 0, sizeof before);
        put_16(before.image, find_control(i % CONTROL_COUNT));
        put_16(before.image + 4, top << 11 | (i & 1 ? 0x4700 : 0));
        put_16(before.image + 8, 0xFFFF & ~(3u << 2 * top | 3u << 2 * ((top + 1) & 7)));
        put_class(&before, top, 0, pair % CLASS_COUNT);
        put_class(&before, (top + 1) & 7, 1, pair / CLASS_COUNT);
        before.flags = 0x202;
        if (is_defined(modrm, &before))
            failures += !is_same(&fixture, code, modrm, &before, failures < 10);
    }
    if (failures != 0)
        printf("D9 %02X: %u pairs of classes differ\n", modrm, failures);
    ck_assert_uint_eq(failures, 0);
    close_code(&fixture, code);
}
END_TEST

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    Suite *suite = suite_create("x87_transcendental_host");
    TCase *host = tcase_create("host");
    tcase_set_timeout(host, 120);
    tcase_add_loop_test(host, test_against_host, 0, 8);
    tcase_add_loop_test(host, test_classes_against_host, 0, 8);
    suite_add_tcase(suite, host);
    return suite_run(suite);
}
#else
int main(void) {
    return 77;
}
#endif
