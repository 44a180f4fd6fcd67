/* Run states: names, and which may follow which. */
#include "run_state.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(names_are_those_of_qemu) {
    ck_assert_str_eq(run_state_name(RUN_STATE_PRELAUNCH), "prelaunch");
    ck_assert_str_eq(run_state_name(RUN_STATE_RUNNING), "running");
    ck_assert_str_eq(run_state_name(RUN_STATE_PAUSED), "paused");
    ck_assert_str_eq(run_state_name(RUN_STATE_SHUTDOWN), "shutdown");
    ck_assert_str_eq(run_state_name(RUN_STATE_INTERNAL_ERROR), "internal-error");
    ck_assert_str_eq(run_state_name(RUN_STATE_GUEST_PANICKED), "guest-panicked");
    for (int state = 0; state < RUN_STATE_COUNT; state++)
        ck_assert_ptr_nonnull(run_state_name((RunState)state));
}
END_TEST

START_TEST(staying_is_always_allowed) {
    for (int state = 0; state < RUN_STATE_COUNT; state++)
        ck_assert(run_state_allows((RunState)state, (RunState)state));
}
END_TEST

START_TEST(start_stop_and_end) {
    ck_assert(run_state_allows(RUN_STATE_PRELAUNCH, RUN_STATE_RUNNING));
    ck_assert(run_state_allows(RUN_STATE_RUNNING, RUN_STATE_PAUSED));
    ck_assert(run_state_allows(RUN_STATE_PAUSED, RUN_STATE_RUNNING));
    ck_assert(run_state_allows(RUN_STATE_RUNNING, RUN_STATE_SHUTDOWN));
}
END_TEST

START_TEST(what_ended_runs_again_only_through_a_reset) {
    ck_assert(!run_state_allows(RUN_STATE_SHUTDOWN, RUN_STATE_RUNNING));
    ck_assert(!run_state_allows(RUN_STATE_INTERNAL_ERROR, RUN_STATE_RUNNING));
    ck_assert(!run_state_allows(RUN_STATE_GUEST_PANICKED, RUN_STATE_RUNNING));
    ck_assert(run_state_allows(RUN_STATE_GUEST_PANICKED, RUN_STATE_PAUSED));
    ck_assert(run_state_allows(RUN_STATE_SHUTDOWN, RUN_STATE_PAUSED));
    ck_assert(!run_state_allows(RUN_STATE_PRELAUNCH, RUN_STATE_SHUTDOWN));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("run_state");
    TCase *tests = tcase_create("run_state");
    tcase_add_test(tests, names_are_those_of_qemu);
    tcase_add_test(tests, staying_is_always_allowed);
    tcase_add_test(tests, start_stop_and_end);
    tcase_add_test(tests, what_ended_runs_again_only_through_a_reset);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
