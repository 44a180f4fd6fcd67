/* Every x87, MMX and SSE instruction that translated code does without a helper, with operands of
 * every class: translated code against the portable backend, whose helpers are compared with the
 * host's own units elsewhere. */
#include "cpu_model.h"
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include "vector.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

enum { TABLES = 0x8000, CODE = 0x10000, DATA = 0x20000, DATA_BYTES = 0x1000, BLOCK_INSNS = 6 };

/* Numbers, where rounding, overflow and underflow are near; zeros, infinities, denormals, NaNs. */
static const uint32_t singles[] = {
    0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x3FC00000, 0x40490FDB, 0x00000001, 0x807FFFFF,
    0x00800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F800001,
    0xFFBFFFFF, 0x4F000000, 0xCF000000, 0x4EFFFFFF, 0x3F000000, 0x3EAAAAAB, 0x33800000, 0x0C800000,
};
static const uint64_t doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0xBFF8000000000000,
    0x400921FB54442D18, 0x3FD5555555555555, 0x0000000000000001, 0x800FFFFFFFFFFFFF,
    0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000,
    0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000012345678, 0x7FF0000000000001,
    0xFFF7FFFFFFFFFFFF, 0x41DFFFFFFFC00000, 0xC1E0000000000000, 0x41E0000000000000,
    0x3FE0000000000000, 0x47EFFFFFF0000000, 0x3810000000000000, 0x36A0000000000000,
};

static uint64_t pick(uint64_t *random, unsigned kind) {
    uint64_t r = guest_random(random);
    switch (kind) {
    case 0: /* mostly plain numbers */
        return doubles[r % 6];
    case 1:
        return singles[r % 6] | (uint64_t)singles[r >> 8 & 3] << 32;
    case 2:
        return doubles[r % (sizeof doubles / sizeof doubles[0])];
    case 3:
        return singles[r % 24] | (uint64_t)singles[(r >> 8) % 24] << 32;
    case 4: /* a number of about this size */
        return (r & 0x800FFFFFFFFFFFFF) | (uint64_t)(0x3F0 + (r >> 52 & 31)) << 52;
    case 5:
        return r & 0x001F001F001F001F;
    default:
        return r;
    }
}

static void set_operands(Guest *guest, uint64_t seed, unsigned kind) {
    uint64_t random = seed;
    for (unsigned i = 0; i < DATA_BYTES; i += 8)
        store_le64(guest->ram + DATA + i, pick(&random, kind));
    FpuState *fpu = &guest->cpu->state.fpu;
    for (unsigned i = 0; i < 8; i++) {
        store_le64(fpu->xmm[i], pick(&random, kind));
        store_le64(fpu->xmm[i] + 8, pick(&random, kind));
    }
    uint64_t r = guest_random(&random);
    fpu->mxcsr = 0x1F80 | ((r & 3) == 0 ? 0x20 : 0) | ((r & 12) == 0 ? (uint32_t)r & 0xE040 : 0);
    for (unsigned i = 0; i < 8; i++)
        guest->cpu->state.gpr[i] = (uint32_t)guest_random(&random);
    guest->cpu->state.gpr[REG_ESP] = 0x7000;
}

/* Registers, or memory in DATA, mostly aligned. */
static uint8_t *emit_operands(uint8_t *at, uint64_t *random) {
    uint64_t r = guest_random(random);
    unsigned reg = r >> 8 & 7;
    if (reg == REG_ESP) /* the stack is not needed, but has to stay where it is */
        reg = REG_EBP;
    if (r & 1) {
        unsigned rm = r >> 16 & 7;
        *at++ = (uint8_t)(0xC0 | reg << 3 | (rm == REG_ESP ? REG_EBP : rm));
        return at;
    }
    uint32_t address = DATA + (r >> 20 & 0x7F0);
    if ((r >> 40) % 16 == 0)
        address += r >> 50 & 15;
    *at++ = (uint8_t)(0x05 | reg << 3);
    store_le32(at, address);
    return at + 4;
}

/* An escape opcode, D8h to DFh, has 'prefix' 0 and is told by 'x87'. */
typedef struct Row {
    uint8_t prefix, opcode;
    bool x87;
} Row;

static bool is_vector_row(unsigned prefix, unsigned opcode) {
    for (unsigned modrm = 0; modrm <= 0xFF; modrm++)
        if (vector_find_shape(1u << 24 | prefix << 16 | opcode << 8 | modrm).by_host)
            return true;
    return false;
}

/* One that can be met by translated code; no state image is loaded. */
static uint8_t *emit_x87(uint8_t *at, uint8_t opcode, uint64_t *random) {
    for (;;) {
        uint8_t *end = emit_operands(at + 1, random);
        unsigned modrm = at[1], field = modrm >> 3 & 7;
        at[0] = opcode;
        if ((guest_random(random) & 7) == 0 && opcode == 0xD9) /* single instructions */
            at[1] = (uint8_t)(modrm = 0xE0 | (guest_random(random) & 31)), end = at + 2,
            field = modrm >> 3 & 7;
        bool image = modrm < 0xC0 && ((opcode == 0xD9 && (field == 4 || field == 5)) ||
                                      (opcode == 0xDD && field == 4));
        bool unmasks = opcode == 0xDB && modrm == 0xE3;
        if (!image && !unmasks)
            return end;
    }
}

/* What the x87 registers are filled with; and PC and RC. */
static uint8_t *emit_x87_loads(uint8_t *at, uint64_t *random) {
    for (unsigned i = 0; i < 6; i++) {
        uint64_t r = guest_random(random);
        *at++ = r & 0xF00 ? 0xDD : r & 0x1000 ? 0xD9 : 0xDB; /* FLD m64, m32; FILD m32 */
        *at++ = 0x05;
        store_le32(at, DATA + (r & 0xF8));
        at += 4;
    }
    return at;
}

/* Mostly instructions of one opcode. */
static void make_x87_code(Guest *guest, Row row, uint64_t seed) {
    uint64_t random = seed ^ 0xC0DE;
    uint8_t *at = emit_x87_loads(guest->ram + CODE, &random);
    for (unsigned i = 0; i < 2 * BLOCK_INSNS; i++) {
        at = emit_x87(at, i % 3 == 2 ? (uint8_t)(0xD8 | (guest_random(&random) & 7)) : row.opcode,
                      &random);
        *at++ = 0x40; /* INC EAX */
    }
    *at = 0xF4;
    uint64_t r = guest_random(&random);
    guest->cpu->state.fpu.control = (uint16_t)(0x7F | ((r & 3) != 0 ? 0x300 : r & 0xF00));
}

/* The same instruction several times, and a HLT. */
static void make_code(Guest *guest, Row row, uint64_t seed) {
    uint64_t random = seed ^ 0xC0DE;
    uint8_t *at = guest->ram + CODE;
    for (unsigned i = 0; i < BLOCK_INSNS; i++) {
        if (row.prefix != 0)
            *at++ = row.prefix;
        *at++ = 0x0F;
        *at++ = row.opcode;
        at = row.opcode == 0x77 ? at : emit_operands(at, &random);
        if (row.opcode == 0xC2 || row.opcode == 0xC4 || row.opcode == 0xC5 || row.opcode == 0xC6 ||
            (row.opcode >= 0x70 && row.opcode <= 0x73))
            *at++ = (uint8_t)(guest_random(&random) >> (guest_random(&random) & 7));
        *at++ = 0x40; /* INC EAX */
    }
    *at = 0xF4;
}

static void begin(Guest *guest) {
    cpu_reset(guest->cpu, false);
    tlb_flush_all(&guest->cpu->tlb);
    guest_enter_flat_mode(guest, TABLES, CODE, true);
    guest->cpu->state.cr4 |= CR4_OSFXSR;
    guest->cpu->state.fpu.control = 0x37F;
    guest->cpu->state.fpu.tags = 0xFFFF;
    guest->cpu->state.instruction_count = 0;
    translator_flush(guest->translator);
}

static bool agree(const Guest *a, const Guest *b, char *text, size_t size) {
    if (field_table_diff(&cpu_fields, &a->cpu->state, &b->cpu->state, text, size))
        return false;
    unsigned i = 0;
    while (i < DATA_BYTES && a->ram[DATA + i] == b->ram[DATA + i])
        i++;
    snprintf(text, size, "byte %X of the operands", i);
    return i == DATA_BYTES;
}

static void check_row(Guest *guests, Row row, unsigned rounds) {
    char text[200];
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t seed = (uint64_t)round << 16 | row.prefix << 8 | row.opcode;
        seed = seed * 0x9E3779B97F4A7C15 + 1;
        for (unsigned i = 0; i < 2; i++) {
            begin(&guests[i]);
            set_operands(&guests[i], seed, round % 7);
            if (row.x87)
                make_x87_code(&guests[i], row, seed);
            else
                make_code(&guests[i], row, seed);
            guest_run(&guests[i], 1000);
        }
        if (!agree(&guests[0], &guests[1], text, sizeof text))
            ck_abort_msg("%02X 0F %02X, round %u, after %llu instructions: %s", row.prefix,
                         row.opcode, round,
                         (unsigned long long)guests[0].cpu->state.instruction_count, text);
    }
}

static void run_rows(const TranslatorOptions *options, unsigned rounds) {
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    Guest guests[2];
    guest_create(&guests[0], &(TranslatorOptions){.backend = BACKEND_PORTABLE});
    guest_create(&guests[1], options);
    unsigned rows = 0;
    for (unsigned i = 0; i < 4 * 256; i++) {
        Row row = {prefixes[i / 256], (uint8_t)i, false};
        if (!is_vector_row(row.prefix, row.opcode))
            continue;
        check_row(guests, row, rounds);
        rows++;
    }
    ck_assert_uint_ge(rows, 200);
    for (unsigned i = 0xD8; i <= 0xDF; i++)
        check_row(guests, (Row){0, (uint8_t)i, true}, 20 * rounds);
    guest_destroy(&guests[0]);
    guest_destroy(&guests[1]);
}

static const TranslatorOptions modes[] = {
    {.backend = BACKEND_JIT},
    {.backend = BACKEND_JIT, .force_misses = true},
    {.backend = BACKEND_JIT, .one_insn_blocks = true},
};

START_TEST(test_vector_rows) {
    unsigned rounds = getenv("REPRISE_LONG") != NULL ? 400 : 14;
    run_rows(&modes[_i], rounds);
}
END_TEST

int main(void) {
    if (translator_default_backend() != BACKEND_JIT) {
        printf("skipped: there is no translator for this host\n");
        return 77;
    }
    Suite *suite = suite_create("fpu_rows");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, test_vector_rows, 0, sizeof modes / sizeof modes[0]);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
