/* Large memory: zeros that can be written, in memory and in a file; an error where there is no
 * room. */
#include "scratch_memory.h"
#include "suite_run.h"
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void use(size_t size) {
    Error error = {0};
    uint8_t *memory = scratch_memory_map(size, &error);
    ck_assert_msg(memory != NULL, "%s", error.message);
    ck_assert_uint_eq(memory[0], 0);
    ck_assert_uint_eq(memory[size - 1], 0);
    memory[0] = 1;
    memory[size - 1] = 2;
    ck_assert_uint_eq(memory[0] + memory[size - 1], 3);
    scratch_memory_unmap(memory, size);
}

START_TEST(small_and_large) {
    use(2);
    use(1 << 20);
    use(SCRATCH_MEMORY_MAXIMUM + 1);
}
END_TEST

START_TEST(no_room_is_an_error) {
    Error error = {0};
    setenv("TMPDIR", "/nowhere", 1);
    ck_assert_ptr_null(scratch_memory_map(SCRATCH_MEMORY_MAXIMUM + 1, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere"));
    unsetenv("TMPDIR");
    error.set = false;
    ck_assert_ptr_null(scratch_memory_map((size_t)1 << 55, &error));
    ck_assert(error.set);
    scratch_memory_unmap(NULL, 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scratch memory");
    TCase *tests = tcase_create("scratch memory");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, small_and_large);
    tcase_add_test(tests, no_room_is_an_error);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
