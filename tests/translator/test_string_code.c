/* REP strings in translated code against the portable backend: all sizes, counts and directions,
 * operands that overlap, that run over a page's end, to memory that does not follow or is not
 * there. */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE = 0x60000,
    DATA = 0x20000,
    PAGES = 8, /* of data */
    ELSEWHERE = 0x40000,
    TABLES = 0x100000,
    STACK = 0x50000,
    SLOT_BYTES = 8,
    CASES = 3000
};

static const uint8_t opcodes[] = {0xA4, 0xA6, 0xAA, 0xAC, 0xAE}; /* MOVS CMPS STOS LODS SCAS */

/* Slot n: what prefixes and opcode its bits say, then HLT. */
enum { SLOTS = 5 << 4 };
static void put_slot(uint8_t *at, unsigned slot) {
    unsigned bits = slot & 15;
    *at++ = bits & 1 ? 0xF3 : 0xF2;
    if (bits & 2)
        *at++ = 0x66;
    if (bits & 4)
        *at++ = 0x67;
    *at++ = opcodes[slot >> 4] | (bits >> 3);
    *at = 0xF4;
}

static void open_guest(Guest *guest, const TranslatorOptions *options) {
    guest_create(guest, options);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        put_slot(guest->ram + CODE + slot * SLOT_BYTES, slot);
    guest_enter_flat_mode(guest, TABLES, CODE, true);
    /* Odd pages of the data lie elsewhere, backwards; the last one is missing. */
    for (uint32_t page = 1; page < PAGES; page += 2)
        store_le32(guest->ram + TABLES + 0x2000 + 4 * ((DATA >> PAGE_BITS) + page),
                   page == PAGES - 1 ? 0 : (ELSEWHERE - page * PAGE_SIZE) | 7);
    tlb_flush_all(&guest->cpu->tlb);
}

static uint32_t random_below(uint64_t *random, uint32_t limit) {
    return (uint32_t)(guest_random(random) >> 20) % limit;
}

/* The same registers and data for both. */
static void prepare(Guest *guest, uint64_t seed) {
    uint64_t random = seed;
    CpuState *state = &guest->cpu->state;
    uint32_t slot = random_below(&random, SLOTS);
    bool narrow = (slot & 4) != 0; /* 67h: SI and DI, which reach all of the low 64 KB */
    uint32_t base = narrow ? 0x8000 : DATA;
    uint32_t counts[] = {8, 40, 300, 5000};
    uint32_t count = random_below(&random, counts[random_below(&random, 4)]);
    uint32_t from = random_below(&random, PAGES * PAGE_SIZE - 64);
    uint32_t to = random_below(&random, 3) != 0 ? from + random_below(&random, 80) - 40
                                                : random_below(&random, PAGES * PAGE_SIZE - 64);
    bool narrow_end = narrow && random_below(&random, 8) == 0;
    state->gpr[REG_ESI] = narrow_end ? 0xFFF0 : base + from;
    state->gpr[REG_EDI] = base + to;
    state->gpr[REG_ECX] = narrow ? count | 0x770000 : count;
    state->gpr[REG_EAX] = 0x61616161 + random_below(&random, 3) * 0x01010101;
    state->gpr[REG_ESP] = STACK;
    state->eip = CODE + slot * SLOT_BYTES;
    state->halted = 0;
    cpu_set_eflags(guest->cpu, random_below(&random, 8) == 0 ? FLAG_DF : 0);
    /* Few values, so that comparisons go on for a while. */
    unsigned rare = 1 + random_below(&random, 100);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t at = (i & 1 ? base + to : base + from) + random_below(&random, 200);
        uint8_t run[200];
        for (unsigned k = 0; k < sizeof run; k++)
            run[k] = (uint8_t)(0x61 + (random_below(&random, rare) == 0));
        for (uint32_t k = 0; k < sizeof run; k++)
            guest->ram[(at + k) % 0x40000] = run[k];
    }
}

static const TranslatorOptions modes[] = {
    {0},
    {.stress_seed = 11},
    {.no_inline_strings = true},
    {.no_bmi2 = true, .no_flag_states = true},
};

START_TEST(backends_agree_about_strings) {
    Guest guests[2];
    char text[200];
    TranslatorOptions options = modes[_i];
    options.backend = translator_default_backend();
    uint64_t seed = getenv("REPRISE_SEED") != NULL ? strtoull(getenv("REPRISE_SEED"), NULL, 0) : 1;
    open_guest(&guests[0], &(TranslatorOptions){.backend = BACKEND_PORTABLE});
    open_guest(&guests[1], &options);
    for (unsigned i = 0; i < CASES; i++) {
        for (unsigned k = 0; k < 2; k++) {
            prepare(&guests[k], seed * 1000003 + i);
            uint64_t target = guests[k].cpu->state.instruction_count + 20000;
            ck_assert_int_eq(guest_run(&guests[k], target), RUN_HALTED);
        }
        bool whole = i % 8 == 0 || i + 1 == CASES; /* all memory; else the state alone */
        bool same =
            memcmp(guests[0].cpu->state.gpr, guests[1].cpu->state.gpr,
                   sizeof guests[0].cpu->state.gpr) == 0 &&
            guests[0].cpu->state.eip == guests[1].cpu->state.eip &&
            guests[0].cpu->state.instruction_count == guests[1].cpu->state.instruction_count &&
            memcmp(guests[0].ram + DATA, guests[1].ram + DATA, 0x21000) == 0;
        ck_assert_msg(same, "case %u", i);
        ck_assert_msg(!whole || guest_compare(&guests[0], &guests[1], text, sizeof text),
                      "case %u: %s", i, text);
    }
    guest_destroy(&guests[0]);
    guest_destroy(&guests[1]);
}
END_TEST

int main(void) {
    if (translator_default_backend() == BACKEND_PORTABLE) {
        printf("skipped: this host has the portable backend alone\n");
        return 77;
    }
    Suite *suite = suite_create("string_code");
    TCase *tests = tcase_create("strings");
    tcase_add_loop_test(tests, backends_agree_about_strings, 0,
                        (int)(sizeof modes / sizeof modes[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
