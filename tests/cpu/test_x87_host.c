/* Every x87 instruction, bit for bit against the x87 of an x86-64 host: registers, tags, control
 * and status word, memory operand and EFLAGS, over random and edge operands, in all precision and
 * rounding modes, with masked and unmasked exceptions. */
#include <check.h>

#if defined(__x86_64__)
#include "suite_run.h"
#include "x87_host.h"

/* The step is prime to the number of control words, so that all of them come. */
enum { CASES = 1200, CLASS_STEP = 37 };

static void make_operand(uint64_t *seed, unsigned opcode, unsigned field, uint8_t *memory) {
    for (unsigned i = 0; i < MEMORY_BYTES; i++)
        memory[i] = (uint8_t)random_u64(seed);
    uint32_t single = random_float32(seed);
    uint64_t wide = random_float64(seed);
    Float80 extended = random_float80(seed);
    if (opcode == 0xD8 || (opcode == 0xD9 && field == 0)) {
        memcpy(memory, &single, 4);
    } else if (opcode == 0xDC || (opcode == 0xDD && field == 0)) {
        memcpy(memory, &wide, 8);
    } else if (opcode == 0xDB && field == 5) {
        memcpy(memory, &extended.significand, 8);
        memcpy(memory + 8, &extended.sign_exponent, 2);
    } else if (opcode == 0xDF && field == 4) {
        for (unsigned i = 0; i < 9; i++)
            memory[i] = (uint8_t)(random_below(seed, 10) << 4 | random_below(seed, 10));
    } else {
        uint64_t integer = random_runs(seed);
        memcpy(memory, &integer, 8);
    }
}

static void make_state(uint64_t *seed, unsigned opcode, unsigned modrm, MachineState *state) {
    static const uint16_t precisions[4] = {0x300, 0x200, 0x000, 0x100};
    memset(state, 0, sizeof *state);
    unsigned masks = random_below(seed, 3) != 0 ? 0x3F : random_below(seed, 64);
    unsigned control =
        precisions[random_below(seed, 4)] | random_below(seed, 4) << 10 | masks | 0x40;
    unsigned tags = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (random_below(seed, 6) == 0)
            tags |= 3u << (2 * i);
    }
    unsigned status = (unsigned)random_u64(seed) & 0x7F00;
    put_16(state->image, control);
    put_16(state->image + 4, status);
    put_16(state->image + 8, tags);
    Float80 previous = {0, 0};
    for (unsigned i = 0; i < 8; i++) {
        Float80 value = random_float80(seed);
        if (random_below(seed, 4) ==
            0) /* near its neighbour, for cancellation, comparison and scaling */
            value = random_float80_near(seed, (previous.sign_exponent & 0x7FFF) +
                                                  (int)random_below(seed, 5) - 2);
        if (random_below(seed, 16) == 0)
            value = previous;
        memcpy(state->image + 28 + 10 * i, &value.significand, 8);
        memcpy(state->image + 28 + 10 * i + 8, &value.sign_exponent, 2);
        previous = value;
    }
    make_operand(seed, opcode, modrm >> 3 & 7, state->memory);
    state->flags = 0x202 | (random_u64(seed) & FLAG_STATUS);
}

static bool is_environment_memory(unsigned opcode, unsigned modrm) {
    unsigned field = modrm >> 3 & 7;
    return modrm < 0xC0 && ((opcode == 0xD9 && (field == 4 || field == 6)) ||
                            (opcode == 0xDD && (field == 4 || field == 6)));
}

static bool is_transcendental(unsigned opcode, unsigned modrm) {
    return opcode == 0xD9 &&
           ((modrm >= 0xF0 && modrm <= 0xF3) || modrm == 0xF9 || modrm == 0xFB || modrm >= 0xFE);
}

/* Bits of the status word that need not be the host's. */
static unsigned get_undefined(unsigned opcode, unsigned modrm, const MachineState *ours) {
    enum { C1 = 0x200, CONDITIONS = 0x4700, ERROR_SUMMARY = 0x80 };
    if ((opcode == 0xDB || opcode == 0xDF) && modrm >= 0xE8 && modrm < 0xF8)
        return C1; /* FCOMI: Intel clears it (SDM vol. 2), AMD leaves it */
    if (host_is_amd())
        return 0;
    bool move = (opcode == 0xDA || opcode == 0xDB) && modrm >= 0xC0 && modrm < 0xE0;
    bool free = (opcode == 0xDD || opcode == 0xDF) && modrm >= 0xC0 && modrm < 0xC8;
    bool remainder = opcode == 0xD9 && (modrm == 0xF5 || modrm == 0xF8);
    if (move || free)
        return C1;
    if (remainder && (get_16(ours->image + 36) & 0x7FFF) == 0x7FFF)
        return CONDITIONS;
    return get_16(ours->image + 4) & ERROR_SUMMARY ? CONDITIONS & ~C1 : 0;
}

/* FSTP1, whose treatment of an empty register is nowhere documented. */
static bool is_undocumented(unsigned opcode, unsigned modrm) {
    return opcode == 0xD9 && modrm >= 0xD8 && modrm < 0xE0 && !host_is_amd();
}

/* Invalid on the host. */
static bool is_missing(unsigned opcode, unsigned modrm) {
    unsigned field = modrm >> 3 & 7;
    if (modrm < 0xC0)
        return (opcode == 0xD9 && field == 1) || (opcode == 0xDB && (field == 4 || field == 6)) ||
               (opcode == 0xDD && field == 5);
    switch (opcode) {
    case 0xD9:
        return (modrm >= 0xD1 && modrm <= 0xD7) || modrm == 0xE2 || modrm == 0xE3 ||
               modrm == 0xE6 || modrm == 0xE7 || modrm == 0xEF;
    case 0xDA:
        return field >= 4 && modrm != 0xE9;
    case 0xDB:
        return (field == 4 && modrm > 0xE4) || field == 7;
    case 0xDD:
        return field >= 6;
    case 0xDE:
        return field == 3 && modrm != 0xD9;
    case 0xDF:
        return (field == 4 && modrm != 0xE0) || field == 7;
    default:
        return false;
    }
}

static bool is_equal(const MachineState *a, const MachineState *b) {
    return get_16(a->image) == get_16(b->image) && get_16(a->image + 4) == get_16(b->image + 4) &&
           get_16(a->image + 8) == get_16(b->image + 8) &&
           memcmp(a->image + 28, b->image + 28, 80) == 0 &&
           memcmp(a->memory, b->memory, MEMORY_BYTES) == 0 &&
           ((a->flags ^ b->flags) & FLAG_STATUS) == 0 && a->ax == b->ax;
}

/* One case; the thunk holds the instruction. */
static bool is_alike(FpuFixture *fixture, uint8_t *code, unsigned opcode, unsigned modrm,
                     const MachineState *before, bool report) {
    MachineState host = *before, ours = *before;
    run_host(code, &host);
    run_ours(fixture, opcode, modrm < 0xC0 ? (modrm & 0x38) | 5 : modrm, &ours);
    unsigned undefined = get_undefined(opcode, modrm, &ours);
    unsigned status = get_16(host.image + 4);
    put_16(host.image + 4, (status & ~undefined) | (get_16(ours.image + 4) & undefined));
    if (is_equal(&host, &ours))
        return true;
    if (report) {
        printf("%02X %02X differs\n", opcode, modrm);
        print_state("before", before);
        print_state("host  ", &host);
        print_state("ours  ", &ours);
    }
    return false;
}

static unsigned compare_instruction(FpuFixture *fixture, uint8_t *code, unsigned opcode,
                                    unsigned modrm, unsigned cases) {
    uint64_t seed = opcode * 256 + modrm + 1;
    unsigned failures = 0;
    write_thunk(code, opcode, modrm < 0xC0 ? (modrm & 0x38) | 6 : modrm);
    for (unsigned i = 0; i < cases; i++) {
        MachineState before;
        make_state(&seed, opcode, modrm, &before);
        failures += !is_alike(fixture, code, opcode, modrm, &before, failures < 3);
    }
    if (failures != 0)
        printf("%02X %02X: %u of %u cases differ\n", opcode, modrm, failures, cases);
    return failures;
}

/* --- every class of operands with every other --- */

/* The class in a narrower format of memory: the host itself rounds it. */
static void put_operand(MachineState *state, unsigned opcode, unsigned field, unsigned class) {
    Float80 value = classes[class / 2 % (sizeof classes / sizeof classes[0])];
    FloatStatus status = {.masked = FLOAT_EXCEPTIONS, .precision = 64};
    bool single = opcode == 0xD8 || opcode == 0xD9, wide = opcode == 0xDC || opcode == 0xDD;
    bool nan = (value.sign_exponent & 0x7FFF) == 0x7FFF && value.significand << 1 != 0;
    uint64_t bits = value.significand;
    if (single)
        bits = nan ? 0x7F800000 | value.significand >> 40 : float80_to_32(value, &status);
    else if (wide)
        bits = nan ? UINT64_C(0x7FF0000000000000) | (value.significand << 1 >> 12)
                   : float80_to_64(value, &status);
    if (class & 1)
        bits ^= single ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    memcpy(state->memory, &bits, 8);
    put_16(state->memory + 8, value.sign_exponent | (class & 1 ? 0x8000 : 0));
    if (opcode == 0xDF && field == 4) /* digits, and no digits */
        memset(state->memory, (int)(class * 0x11), class & 1 ? 9 : 3);
}

/* The two operands are ST(0) and ST(1), or ST(0) and memory. The rest of the stack is empty
 * or full. */
static unsigned compare_classes(FpuFixture *fixture, uint8_t *code, unsigned opcode, unsigned modrm,
                                unsigned step) {
    bool memory = modrm < 0xC0;
    unsigned failures = 0, cases = 0;
    write_thunk(code, opcode, memory ? (modrm & 0x38) | 6 : modrm);
    for (unsigned i = 0; i < CLASS_COUNT * CLASS_COUNT * CONTROL_COUNT; i += step) {
        unsigned pair = i / CONTROL_COUNT, a = pair % CLASS_COUNT, b = pair / CLASS_COUNT;
        unsigned top = (i >> 3) & 7;
        MachineState before;
        memset(&before, 0, sizeof before);
        put_16(before.image, find_control(i % CONTROL_COUNT));
        put_16(before.image + 4, top << 11 | (i & 1 ? 0x4700 : 0));
        put_16(before.image + 8, i & 2 ? 0 : 0xFFFF & ~(3u << 2 * top | 3u << 2 * ((top + 1) & 7)));
        put_class(&before, top, 0, a);
        put_class(&before, (top + 1) & 7, 1, memory ? a ^ 1 : b);
        put_operand(&before, opcode, modrm >> 3 & 7, b);
        before.flags = 0x202 | (i & 4 ? FLAG_STATUS : 0);
        failures += !is_alike(fixture, code, opcode, modrm, &before, failures < 3);
        cases++;
    }
    if (failures != 0)
        printf("%02X %02X: %u of %u pairs of classes differ\n", opcode, modrm, failures, cases);
    return failures;
}

static uint8_t *open_code(FpuFixture *fixture) {
    fixture_open(fixture);
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(code, MAP_FAILED);
    return code;
}

static void close_code(FpuFixture *fixture, uint8_t *code) {
    munmap(code, 4096);
    fixture_close(fixture);
}

static bool is_comparable(unsigned opcode, unsigned modrm) {
    if (modrm < 0xC0 && (modrm & 0xC7) != 0)
        return false;
    return !is_missing(opcode, modrm) && !is_undocumented(opcode, modrm) &&
           !is_environment_memory(opcode, modrm) && !is_transcendental(opcode, modrm);
}

/* One of eight that differ in the register alone? */
static bool names_register(unsigned opcode, unsigned modrm) {
    return modrm >= 0xC0 && !(opcode == 0xD9 && modrm >= 0xE0);
}

START_TEST(test_against_host) {
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture);
    unsigned opcode = 0xD8 + (unsigned)_i, failures = 0;
    for (unsigned modrm = 0; modrm < 0x100; modrm++) {
        if (is_comparable(opcode, modrm))
            failures += compare_instruction(&fixture, code, opcode, modrm,
                                            names_register(opcode, modrm) ? CASES / 4 : CASES);
    }
    ck_assert_uint_eq(failures, 0);
    close_code(&fixture, code);
}
END_TEST

START_TEST(test_classes_against_host) {
    FpuFixture fixture;
    uint8_t *code = open_code(&fixture);
    unsigned opcode = 0xD8 + (unsigned)_i, failures = 0;
    unsigned step = getenv("REPRISE_LONG") != NULL ? 1 : CLASS_STEP;
    for (unsigned modrm = 0; modrm < 0x100; modrm++) {
        bool second = (modrm & 7) == 1 || !names_register(opcode, modrm); /* ST(1) stands for all */
        if (is_comparable(opcode, modrm) && second)
            failures += compare_classes(&fixture, code, opcode, modrm, step);
    }
    ck_assert_uint_eq(failures, 0);
    close_code(&fixture, code);
}
END_TEST

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    Suite *suite = suite_create("x87_host");
    TCase *instructions = tcase_create("instructions");
    tcase_set_timeout(instructions, getenv("REPRISE_LONG") != NULL ? 3600 : 120);
    tcase_add_loop_test(instructions, test_against_host, 0, 8);
    tcase_add_loop_test(instructions, test_classes_against_host, 0, 8);
    suite_add_tcase(suite, instructions);
    return suite_run(suite);
}
#else
int main(void) {
    return 77;
}
#endif
