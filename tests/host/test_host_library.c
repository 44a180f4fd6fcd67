/* Libraries are found by name, and what is missing is told. */
#include "host_library.h"
#include "suite_run.h"
#include <check.h>
#include <math.h>
#include <string.h>

typedef struct Functions {
    double (*floor)(double x);
    double (*ceil)(double x);
} Functions;

START_TEST(functions_are_found) {
    static const char *const names[] = {"floor", "ceil"};
    Functions functions;
    Error error = {.set = false};
    ck_assert_msg(host_library_load("libm.so.6", names, 2, &functions, &error), "%s",
                  error.message);
    ck_assert(functions.floor(1.5) == 1.0 && functions.ceil(1.5) == 2.0);
}
END_TEST

START_TEST(missing_ones_are_told) {
    static const char *const names[] = {"no_such_function"};
    Functions functions;
    Error error = {.set = false};
    ck_assert(!host_library_load("libno-such-library.so.9", names, 1, &functions, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "libno-such-library.so.9"));
    error.set = false;
    ck_assert(!host_library_load("libm.so.6", names, 1, &functions, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no_such_function"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("host library");
    TCase *tests = tcase_create("host library");
    tcase_add_test(tests, functions_are_found);
    tcase_add_test(tests, missing_ones_are_told);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
