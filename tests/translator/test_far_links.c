/* Far calls, jumps and returns of real mode, and IRET, in translated code against helpers: through
 * several segments with the same bytes, and with stacks that are full at any of the words that are
 * pushed.
 */
#include "guest_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

enum {
    CODE = 0x1000,
    OTHER = 0x2000,
    THIRD = 0x2080,
    STACK = 0x3000,
    HANDLER = 0x600,
    FLAG_HANDLER = 0x680,
    ROUNDS = 50
};

/* Calls OTHER:0, which jumps to THIRD:20h, which returns, and again; then halts. Between two calls
 * is an interrupt whose handler changes flags in its frame: one after another.
 *     mov cx, rounds; mov si, 1
 * next: push si; call OTHER:0; add bx, ax; pop si
 *     int 40h; pushf; pop bp; add bx, bp
 * other: rol si, 1; test si, NT IOPL OF DF SF ZF AF PF CF; jz other
 *     dec cx; jnz next; hlt */
static const uint8_t caller[] = {0xB9, ROUNDS,       0,          0xBE, 1,    0,    0x56, 0x9A, 0,
                                 0,    OTHER & 0xFF, OTHER >> 8, 0x01, 0xC3, 0x5E, 0xCD, 0x40, 0x9C,
                                 0x5D, 0x01,         0xEB,       0xD1, 0xC6, 0xF7, 0xC6, 0xD5, 0x7C,
                                 0x74, 0xF8,         0x49,       0x75, 0xE6, 0xF4};
/* mov bp, sp; xor [bp + 4], si; iret */
static const uint8_t flag_handler[] = {0x89, 0xE5, 0x31, 0x76, 0x04, 0xCF};
/* inc ax; mov dx, cs; push cs; jmp THIRD:20h */
static const uint8_t called[] = {0x40, 0x8C, 0xCA, 0x0E, 0xEA, 0x20, 0, THIRD & 0xFF, THIRD >> 8};
/* pop si; mov di, cs; add ax, si; add ax, di; retf */
static const uint8_t last[] = {0x5E, 0x8C, 0xCF, 0x01, 0xF0, 0x01, 0xF8, 0xCB};

static void write_code(Guest *guest) {
    memcpy(guest->ram + CODE * 16, caller, sizeof caller);
    memcpy(guest->ram + OTHER * 16, called, sizeof called);
    memcpy(guest->ram + THIRD * 16 + 0x20, last, sizeof last);
    for (unsigned vector = 0; vector < 32; vector++) /* every exception halts */
        store_le32(guest->ram + 4 * vector, HANDLER);
    guest->ram[HANDLER] = 0xF4;
    memcpy(guest->ram + FLAG_HANDLER, flag_handler, sizeof flag_handler);
    store_le32(guest->ram + 4 * 0x40, FLAG_HANDLER);
}

static void run(Guest *guest, const TranslatorOptions *options, uint32_t esp) {
    guest_create(guest, options);
    guest_enter_real_mode(guest, CODE, 0);
    write_code(guest);
    memset(guest->ram + STACK * 16, 0xAA, 0x10000);
    CpuState *state = &guest->cpu->state;
    state->segment[SEG_SS].selector = STACK;
    state->segment[SEG_SS].base = STACK * 16;
    state->gpr[REG_ESP] = esp;
    state->gpr[REG_EAX] = state->gpr[REG_EBX] = 0;
    guest_run(guest, 10000); /* or until a stack fault has no room for its own words */
}

static const TranslatorOptions modes[] = {
    {0},
    {.eager_hot_paths = true},
    {.no_chaining = true},
    {.stress_seed = 3},
    {.one_insn_blocks = true},
    {.backend = BACKEND_PORTABLE},
};

START_TEST(far_calls_are_as_by_helpers) {
    static const uint32_t stacks[] = {0x8000, 0x8001, 0, 1, 2, 3, 4, 5, 6, 7, 0xFFFE, 0x778000};
    char text[200];
    TranslatorOptions options = modes[_i];
    bool portable = _i + 1 == sizeof modes / sizeof modes[0];
    options.backend = portable ? BACKEND_PORTABLE : translator_default_backend();
    for (unsigned i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        Guest guests[2];
        run(&guests[0], &(TranslatorOptions){.no_far_links = true}, stacks[i]);
        run(&guests[1], &options, stacks[i]);
        ck_assert_msg(guest_compare(&guests[0], &guests[1], text, sizeof text), "stack %X: %s",
                      stacks[i], text);
        if (stacks[i] == 0x8000) {
            const CpuState *state = &guests[1].cpu->state;
            ck_assert_uint_eq((uint16_t)state->gpr[REG_ECX], 0);
            ck_assert_uint_eq((uint16_t)state->gpr[REG_EAX],
                              (ROUNDS * (1 + OTHER + THIRD)) & 0xFFFF);
            ck_assert_uint_eq(state->segment[SEG_CS].base, CODE * 16);
            ck_assert_uint_eq((uint16_t)state->gpr[REG_EDI], THIRD);
        }
        guest_destroy(&guests[0]);
        guest_destroy(&guests[1]);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("far_links");
    TCase *tests = tcase_create("far_links");
    tcase_add_loop_test(tests, far_calls_are_as_by_helpers, 0,
                        (int)(sizeof modes / sizeof modes[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
