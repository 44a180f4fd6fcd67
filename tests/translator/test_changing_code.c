/* Code that changes all the time: how often it is translated, and what is kept of it. */
#include "guest_fixture.h"
#include "retired_blocks.h"
#include "suite_run.h"
#include "translator_internal.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { CODE = 0x10000, FUNCTION = 0x11000, TABLES = 0x100000, STACK = 0x28000, ROUNDS = 600 };

/* Makes another function of "operation EDI, immediate; RET" in each round, and calls it twice, the
 * flags coming from two different instructions. */
static const uint8_t program[] = {
    0x69, 0xD2, 0x0D, 0x66, 0x19, 0x00, /* again: IMUL EDX, EDX, 19660Dh */
    0x81, 0xC2, 0x5F, 0xF3, 0x6E, 0x3C, /* ADD EDX, 3C6EF35Fh */
    0x88, 0xF0,                         /* MOV AL, DH */
    0x24, 0x30, 0x0C, 0xC7,             /* AND AL, 30h; OR AL, 0C7h: ADD, ADC, AND, XOR */
    0xA2, 0x01, 0x10, 0x01, 0x00,       /* MOV [FUNCTION + 1], AL */
    0x89, 0x15, 0x02, 0x10, 0x01, 0x00, /* MOV [FUNCTION + 2], EDX */
    0x83, 0xFA, 0x05,                   /* CMP EDX, 5 */
    0xFF, 0xD3,                         /* CALL EBX */
    0x83, 0xC1, 0x03,                   /* ADD ECX, 3 */
    0xFF, 0xD3,                         /* CALL EBX */
    0x4E,                               /* DEC ESI */
    0x75, 0xD6,                         /* JNZ again */
    0xF4,                               /* HLT */
};

static void run_program(Guest *guest, const TranslatorOptions *options) {
    guest_create(guest, options);
    memcpy(guest->ram + CODE, program, sizeof(program));
    memcpy(guest->ram + FUNCTION, (uint8_t[]){0x81, 0xC7, 0, 0, 0, 0, 0xC3}, 7);
    guest_enter_flat_mode(guest, TABLES, CODE, false);
    guest->cpu->state.gpr[REG_ESP] = STACK;
    guest->cpu->state.gpr[REG_EBX] = FUNCTION;
    guest->cpu->state.gpr[REG_ESI] = ROUNDS;
    ck_assert_int_eq(guest_run(guest, 100 * ROUNDS), RUN_HALTED);
    ck_assert_uint_eq(guest->cpu->state.gpr[REG_ESI], 0);
}

/* How often a function is translated with these options; the results must be the interpreter's. */
static double translations_a_round(const TranslatorOptions *options) {
    Guest expected, guest;
    char text[200];
    run_program(&expected, &(TranslatorOptions){.backend = BACKEND_PORTABLE});
    run_program(&guest, options);
    ck_assert_msg(guest_compare(&expected, &guest, text, sizeof(text)), "%s", text);
    double translations = (double)guest.translator->counters.translations / ROUNDS;
    guest_destroy(&expected);
    guest_destroy(&guest);
    return translations;
}

START_TEST(changing_code_is_translated_once) {
    if (translator_default_backend() != BACKEND_JIT)
        return;
    ck_assert_double_lt(translations_a_round(&(TranslatorOptions){.backend = BACKEND_JIT}), 1.2);
    ck_assert_double_gt(
        translations_a_round(&(TranslatorOptions){.backend = BACKEND_JIT, .no_single_entry = true}),
        1.8);
}
END_TEST

/* --- retired blocks --- */

static RetiredBlocks retired;

static Block *make_retired(uint32_t physical, const uint8_t *bytes, uint32_t count) {
    Block *block = calloc(1, sizeof(*block));
    ck_assert_ptr_nonnull(block);
    block->key = (BlockKey){.physical = physical, .eip = physical, .context = 1};
    block->byte_count = (uint16_t)count;
    ck_assert_ptr_null(
        retired_blocks_add(&retired, block, &(BlockBytes){.first = bytes, .first_count = count}));
    return block;
}

static void free_retired(Block *block) {
    free(block->retired_bytes);
    free(block);
}

START_TEST(bytes_decide_what_is_taken_back) {
    uint8_t a[100], b[100];
    for (unsigned i = 0; i < 100; i++)
        a[i] = b[i] = (uint8_t)(i * 7);
    b[99]++; /* behind those that are hashed */
    Block *block = make_retired(0x5000, a, 100);
    BlockKey other = block->key;
    other.flag_state = 1;
    ck_assert_ptr_null(retired_blocks_take(&retired, &block->key, b, NULL));
    ck_assert_ptr_null(retired_blocks_take(&retired, &other, a, NULL));
    ck_assert_ptr_eq(retired_blocks_take(&retired, &block->key, a, NULL), block);
    ck_assert_ptr_null(retired_blocks_take(&retired, &block->key, a, NULL));
    free_retired(block);
}
END_TEST

START_TEST(holes_take_any_bytes) {
    uint8_t bytes[20] = {1, 2, 3};
    Block *block = calloc(1, sizeof(*block));
    block->key = (BlockKey){.physical = 0x5000, .eip = 0x5000, .context = 1};
    block->byte_count = sizeof(bytes);
    block->hole_count = 1;
    block->hole[0] = (BlockHole){.offset = 4, .size = 4};
    ck_assert_ptr_null(retired_blocks_add(
        &retired, block, &(BlockBytes){.first = bytes, .first_count = sizeof(bytes)}));
    bytes[8] = 9;
    ck_assert_ptr_null(retired_blocks_take(&retired, &block->key, bytes, NULL));
    bytes[8] = 0;
    bytes[5] = 9;
    ck_assert_ptr_eq(retired_blocks_take(&retired, &block->key, bytes, NULL), block);
    free_retired(block);
}
END_TEST

START_TEST(oldest_version_makes_room) {
    Block *version[RETIRED_WAYS];
    uint8_t bytes[8] = {0};
    for (unsigned i = 0; i < RETIRED_WAYS; i++) {
        bytes[0] = (uint8_t)i;
        version[i] = make_retired(0x5000, bytes, sizeof(bytes));
    }
    Block *next = calloc(1, sizeof(*next));
    *next = (Block){.key = version[0]->key, .byte_count = sizeof(bytes)};
    bytes[0] = RETIRED_WAYS;
    ck_assert_ptr_eq(
        retired_blocks_add(&retired, next,
                           &(BlockBytes){.first = bytes, .first_count = sizeof(bytes)}),
        version[0]);
    ck_assert_ptr_eq(retired_blocks_take(&retired, &next->key, bytes, NULL), next);
    free_retired(next);
    free_retired(version[0]);
    unsigned dropped = 0;
    for (Block *block; (block = retired_blocks_drop(&retired)) != NULL; dropped++)
        free_retired(block);
    ck_assert_uint_eq(dropped, RETIRED_WAYS - 1);
    ck_assert_uint_eq(retired.count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("changing_code");
    TCase *tests = tcase_create("changing_code");
    tcase_add_test(tests, changing_code_is_translated_once);
    tcase_add_test(tests, bytes_decide_what_is_taken_back);
    tcase_add_test(tests, holes_take_any_bytes);
    tcase_add_test(tests, oldest_version_makes_room);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
