/* Pushes of segment registers with a 32-bit operand: the Pentium writes four bytes, every other
 * processor two of the four that ESP moves by. SDM vol. 3B 22.31.1. */
#include "guest_fixture.h"
#include "helpers.h"
#include "suite_run.h"
#include <check.h>

enum { TABLES = 0x10000, CODE = 0x20000, STACK = 0x30000, BEFORE = 0xAAAAAAAA, DATA_SELECTOR = 16 };

typedef struct PushCase {
    const char *model;
    uint32_t pushed;
} PushCase;

static const PushCase cases[] = {
    {"386", 0xAAAA0000 | DATA_SELECTOR},
    {"486", 0xAAAA0000 | DATA_SELECTOR},
    {"pentium", DATA_SELECTOR},
    {"pentium-mmx", DATA_SELECTOR},
    {"pentium2", 0xAAAA0000 | DATA_SELECTOR},
    {"pentium4", 0xAAAA0000 | DATA_SELECTOR},
    {"max", 0xAAAA0000 | DATA_SELECTOR},
};
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static void push_selectors(TranslatorBackend backend, const PushCase *item) {
    static const uint8_t code[] = {0x1E,       /* push ds */
                                   0x0F, 0xA0, /* push fs */
                                   0x07,       /* pop es */
                                   0xF4};
    TranslatorOptions options = {.backend = backend};
    Guest guest;
    guest_create_model(&guest, &options, item->model);
    guest_enter_flat_mode(&guest, TABLES, CODE, false);
    physical_write_bytes(guest.map, CODE, code, sizeof(code));
    physical_write(guest.map, STACK - 4, 4, BEFORE);
    physical_write(guest.map, STACK - 8, 4, BEFORE);
    guest.cpu->state.gpr[REG_ESP] = STACK;
    ck_assert_int_eq(guest_run(&guest, 20), RUN_HALTED);
    ck_assert_uint_eq(guest.cpu->state.gpr[REG_ESP], STACK - 4);
    ck_assert_uint_eq(physical_read(guest.map, STACK - 4, 4), item->pushed);
    ck_assert_uint_eq(physical_read(guest.map, STACK - 8, 4), item->pushed);
    guest_destroy(&guest);
}

START_TEST(selectors_are_pushed_as_by_the_model) {
    push_selectors(BACKEND_PORTABLE, &cases[_i]);
    push_selectors(translator_default_backend(), &cases[_i]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("selector_push");
    TCase *tests = tcase_create("push");
    tcase_add_loop_test(tests, selectors_are_pushed_as_by_the_model, 0, CASE_COUNT);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
