/* String instructions whose direction is known when they are translated: programs that change DF
 * by CLD, STD and POPF in between, in loops, against the portable backend that looks at DF each
 * time. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE = 0x60000, /* and more programs behind it */
    PROGRAM_BYTES = 0x140,
    DATA = 0x20000,
    DATA_BYTES = 0x10000,
    TABLES = 0x100000,
    STACK = 0x50000,
    ROUNDS = 40,
    CASES = 300
};

typedef struct Piece {
    uint8_t size, bytes[12];
} Piece;

static const Piece pieces[] = {
    {1, {0xFC}},                                     /* CLD */
    {1, {0xFD}},                                     /* STD */
    {1, {0xAC}},                                     /* LODSB */
    {1, {0xAD}},                                     /* LODSD */
    {1, {0xAA}},                                     /* STOSB */
    {2, {0x66, 0xAB}},                               /* STOSW */
    {1, {0xA4}},                                     /* MOVSB */
    {1, {0xA6}},                                     /* CMPSB */
    {1, {0xAE}},                                     /* SCASB */
    {3, {0xAC, 0xD7, 0xAA}},                         /* LODSB; XLAT; STOSB */
    {4, {0xAC, 0x0F, 0xB6, 0xD0}},                   /* LODSB; MOVZX EDX, AL */
    {4, {0x00, 0xC2, 0xD1, 0xC2}},                   /* ADD DL, AL; ROL EDX, 1 */
    {7, {0xB9, 5, 0, 0, 0, 0xF3, 0xA4}},             /* ECX = 5; REP MOVSB */
    {6, {0x51, 0xFC, 0x66, 0xA5, 0x59, 0xFD}},       /* CLD and STD in between */
    {9, {0x9C, 0x81, 0x34, 0x24, 0, 4, 0, 0, 0x9D}}, /* PUSHF; XOR [ESP], DF; POPF */
    {2, {0x9C, 0x9D}},                               /* PUSHF; POPF */
    {11, {0x66, 0x9C, 0x66, 0x81, 0x34, 0x24, 0, 4, 0x66, 0x9D, 0x90}}, /* by words */
    {4, {0x74, 0x02, 0xFD, 0xAA}},                                      /* JZ over STD; STOSB */
};

static uint32_t random_below(uint64_t *random, uint32_t limit) {
    return (uint32_t)(guest_random(random) >> 20) % limit;
}

/* Some pieces, EBP times over. */
static void write_program(Guest *guest, uint32_t place, uint64_t seed) {
    uint64_t random = seed;
    uint8_t *start = guest->ram + place, *at = start;
    for (unsigned left = 3 + random_below(&random, 20); left != 0; left--) {
        const Piece *piece = &pieces[random_below(&random, sizeof pieces / sizeof pieces[0])];
        memcpy(at, piece->bytes, piece->size);
        at += piece->size;
    }
    memcpy(at, (uint8_t[]){0x4D, 0x0F, 0x85}, 3); /* DEC EBP; JNZ start */
    store_le32(at + 3, (uint32_t)(start - (at + 7)));
    at[7] = 0xF4;
    for (uint32_t i = 0; i < DATA_BYTES; i += 4)
        store_le32(guest->ram + DATA + i, (uint32_t)guest_random(&random));
}

static void start_program(Guest *guest, uint32_t place, uint64_t seed) {
    CpuState *state = &guest->cpu->state;
    state->gpr[REG_EAX] = state->gpr[REG_EDX] = (uint32_t)seed;
    state->gpr[REG_EBX] = DATA;
    state->gpr[REG_ECX] = 0;
    state->gpr[REG_EBP] = ROUNDS;
    state->gpr[REG_ESI] = DATA + DATA_BYTES / 4;
    state->gpr[REG_EDI] = DATA + DATA_BYTES / 2;
    state->gpr[REG_ESP] = STACK;
    state->eip = place;
    state->halted = 0;
    cpu_set_eflags(guest->cpu, seed & 1 ? FLAG_DF : 0);
}

static const TranslatorOptions modes[] = {
    {0},
    {.eager_hot_paths = true},
    {.stress_seed = 5},
    {.no_flag_states = true, .no_inline_strings = true},
    {.one_insn_blocks = true},
    {.no_chaining = true},
    {.backend = BACKEND_PORTABLE},
};

static void run_program(Guest *guest, uint32_t place, uint64_t seed) {
    write_program(guest, place, seed);
    for (unsigned i = 0; i < 3; i++) { /* translations of the time before are there */
        start_program(guest, place, seed + i);
        uint64_t target = guest->cpu->state.instruction_count + 100000;
        ck_assert_int_eq(guest_run(guest, target), RUN_HALTED);
    }
}

START_TEST(direction_is_what_the_program_made_it) {
    Guest guests[2];
    char text[200];
    TranslatorOptions options = modes[_i];
    bool portable = _i + 1 == sizeof modes / sizeof modes[0];
    options.backend = portable ? BACKEND_PORTABLE : translator_default_backend();
    uint64_t seed = getenv("REPRISE_SEED") != NULL ? strtoull(getenv("REPRISE_SEED"), NULL, 0) : 1;
    guest_create(&guests[0], &(TranslatorOptions){.no_known_direction = true});
    guest_create(&guests[1], &options);
    for (unsigned k = 0; k < 2; k++)
        guest_enter_flat_mode(&guests[k], TABLES, CODE, true);
    for (unsigned i = 0; i < CASES; i++) {
        for (unsigned k = 0; k < 2; k++)
            run_program(&guests[k], CODE + i * PROGRAM_BYTES, seed * 1009 + i);
        ck_assert_msg(memcmp(guests[0].cpu->state.gpr, guests[1].cpu->state.gpr,
                             sizeof guests[0].cpu->state.gpr) == 0,
                      "case %u: registers differ", i);
        ck_assert_msg(memcmp(guests[0].ram + DATA, guests[1].ram + DATA, DATA_BYTES) == 0,
                      "case %u: memory differs", i);
    }
    ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof text), "%s", text);
    guest_destroy(&guests[0]);
    guest_destroy(&guests[1]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("direction");
    TCase *tests = tcase_create("direction");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, direction_is_what_the_program_made_it, 0,
                        (int)(sizeof modes / sizeof modes[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
