#include "shared_bytes.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(the_last_holder_frees) {
    uint8_t source[5000];
    memset(source, 0x5A, sizeof source);
    SharedBytes *bytes = shared_bytes_create(source, sizeof source);
    source[0] = 0; /* it is a copy */
    ck_assert_uint_eq((uintptr_t)bytes->data % SHARED_BYTES_ALIGNMENT, 0);
    ck_assert_ptr_eq(shared_bytes_hold(bytes), bytes);
    shared_bytes_release(bytes);
    ck_assert_uint_eq(bytes->size, sizeof source);
    ck_assert_uint_eq(bytes->data[0], 0x5A);
    ck_assert_uint_eq(bytes->data[4999], 0x5A);
    shared_bytes_release(bytes);
    ck_assert_ptr_null(shared_bytes_hold(NULL));
    shared_bytes_release(NULL);
}
END_TEST

START_TEST(nothing_is_held_too) {
    SharedBytes *bytes = shared_bytes_create(NULL, 0);
    ck_assert_uint_eq(bytes->size, 0);
    shared_bytes_release(bytes);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("shared_bytes");
    tcase_add_test(tests, the_last_holder_frees);
    tcase_add_test(tests, nothing_is_held_too);
    Suite *suite = suite_create("shared_bytes");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
