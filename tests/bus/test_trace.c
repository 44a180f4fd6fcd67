/* The list behind -d, and what reaches the log. */
#include "suite_run.h"
#include "trace.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(lists_become_masks) {
    Trace trace = {0};
    Error error = {0};
    ck_assert(trace_parse(&trace, "in_asm,int", &error));
    ck_assert_uint_eq(trace.mask, TRACE_IN_ASM | TRACE_INT);
    ck_assert(trace_parse(&trace, "op,out_asm,exec,cpu,guest_errors,unimp,port,post", &error));
    ck_assert_uint_eq(trace.mask, TRACE_OP | TRACE_OUT_ASM | TRACE_EXEC | TRACE_CPU |
                                      TRACE_GUEST_ERRORS | TRACE_UNIMP | TRACE_PORT | TRACE_POST);
    ck_assert(trace_parse(&trace, "", &error));
    ck_assert_uint_eq(trace.mask, 0);
}
END_TEST

START_TEST(words_of_qemu_are_accepted) {
    Trace trace = {0};
    Error error = {0};
    ck_assert(trace_parse(&trace, "nochain,exec,page", &error));
    ck_assert_uint_eq(trace.mask, TRACE_EXEC);
}
END_TEST

START_TEST(unknown_words_are_refused) {
    const char *const lists[] = {"in_as", "in_asmx", "exec,foo", "foo,exec", "in asm"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        Trace trace = {.mask = TRACE_CPU};
        Error error = {0};
        ck_assert(!trace_parse(&trace, lists[i], &error));
        ck_assert_uint_eq(trace.mask, TRACE_CPU);
        ck_assert_ptr_nonnull(strstr(error.message, "guest_errors"));
    }
}
END_TEST

START_TEST(only_what_was_asked_for_is_printed) {
    char *text = NULL;
    size_t size = 0;
    Trace trace = {.mask = TRACE_INT, .output = open_memstream(&text, &size)};
    TRACE(&trace, TRACE_INT, "vector %d\n", 8);
    TRACE(&trace, TRACE_CPU, "registers\n");
    fclose(trace.output);
    ck_assert_str_eq(text, "vector 8\n");
    free(text);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("trace");
    tcase_add_test(tests, lists_become_masks);
    tcase_add_test(tests, words_of_qemu_are_accepted);
    tcase_add_test(tests, unknown_words_are_refused);
    tcase_add_test(tests, only_what_was_asked_for_is_printed);
    Suite *suite = suite_create("trace");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
