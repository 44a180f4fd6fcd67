/* The ring of a script's events. */
#include "event_log.h"
#include "suite_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *print(const EventLog *log) {
    ByteBuffer text = {.data = NULL};
    event_log_print(log, &text);
    return (char *)text.data;
}

START_TEST(lines_have_time_count_and_machine) {
    static EventLog log;
    event_log_add(&log, "machine1", 1500000000, 123456, "wait(1.5)");
    event_log_add(&log, NULL, 7, 7, "step: next");
    char *text = print(&log);
    ck_assert_ptr_nonnull(
        strstr(text, "     1.500000000             123456  machine1    wait(1.5)\n"));
    ck_assert_ptr_nonnull(strstr(text, "            step: next\n"));
    free(text);
    event_log_clear(&log);
    ck_assert_uint_eq(log.count, 0);
}
END_TEST

START_TEST(repeated_lines_are_counted) {
    static EventLog log;
    for (int i = 0; i < 5; i++)
        event_log_add(&log, "m", i, (uint64_t)i, "read");
    event_log_add(&log, "n", 5, 5, "read"); /* another machine's */
    ck_assert_uint_eq(log.count, 2);
    char *text = print(&log);
    ck_assert_ptr_nonnull(strstr(text, "read  (and 4 times more)\n"));
    free(text);
    event_log_clear(&log);
}
END_TEST

START_TEST(the_last_lines_are_kept) {
    static EventLog log, copy;
    char line[32];
    for (int i = 0; i < EVENT_LOG_LINES + 10; i++) {
        snprintf(line, sizeof(line), "event %d.", i);
        event_log_add(&log, "m", i, 0, line);
    }
    event_log_add(&copy, "m", 0, 0, "gone by the copy");
    event_log_copy(&copy, &log);
    event_log_clear(&log);
    char *text = print(&copy);
    ck_assert_ptr_nonnull(strstr(text, "# 10 lines before these are left out\n"));
    ck_assert_ptr_null(strstr(text, "event 9.\n"));
    ck_assert_ptr_nonnull(strstr(text, "event 10.\n"));
    snprintf(line, sizeof(line), "event %d.\n", EVENT_LOG_LINES + 9);
    ck_assert_ptr_nonnull(strstr(text, line));
    ck_assert_ptr_null(strstr(text, "gone"));
    free(text);
    event_log_clear(&copy);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("event_log");
    TCase *tests = tcase_create("event_log");
    tcase_add_test(tests, lines_have_time_count_and_machine);
    tcase_add_test(tests, repeated_lines_are_counted);
    tcase_add_test(tests, the_last_lines_are_kept);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
