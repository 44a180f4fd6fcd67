/* Errors are one line, whatever names are in them. */
#include "error.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(the_first_message_wins) {
    Error error = {.set = false};
    ck_assert(!error_set(&error, "no room on %s", "a.img"));
    ck_assert(!error_set(&error, "something else"));
    ck_assert_str_eq(error.message, "no room on a.img");
    ck_assert(!error_prefix(&error, "drive %d: ", 1));
    ck_assert_str_eq(error.message, "drive 1: no room on a.img");
    ck_assert(!error_set(NULL, "nobody wants to know"));
}
END_TEST

START_TEST(messages_have_no_control_characters) {
    Error error = {.set = false};
    error_set(&error, "cannot open '%s'", "a\nb\x1B[2J\x7F\xC3\xA4");
    ck_assert_str_eq(error.message, "cannot open 'a?b?[2J?\xC3\xA4'");
    error_prefix(&error, "%s: ", "x\r\n");
    ck_assert_str_eq(error.message, "x??: cannot open 'a?b?[2J?\xC3\xA4'");
}
END_TEST

START_TEST(long_messages_are_cut) {
    Error error = {.set = false};
    char text[1000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    error_set(&error, "%s", text);
    error_prefix(&error, "%s", text);
    ck_assert_uint_eq(strlen(error.message), sizeof(error.message) - 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, the_first_message_wins);
    tcase_add_test(tests, messages_have_no_control_characters);
    tcase_add_test(tests, long_messages_are_cut);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
