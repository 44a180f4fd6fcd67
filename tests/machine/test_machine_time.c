/* Leaps of an idle guest's clock over the host's sleeps. */
#include "machine_parts.h"
#include "suite_run.h"
#include <check.h>

START_TEST(short_waits_leap_and_are_made_up_for) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 1 << 20;
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    machine_set_run_state(machine, RUN_STATE_RUNNING);
    MachineTime *time = &machine->time;
    int64_t before_ns = machine_time_now_ns(time), sleep_ns = 0;
    ck_assert_int_gt(machine_time_skip(time, before_ns + 10 * MACHINE_TIME_LEAP_NS), 0);
    unsigned leaps = 0;
    for (int64_t due_ns = 0; leaps < 1000; leaps++) {
        due_ns = machine_time_now_ns(time) + MACHINE_TIME_LEAP_NS / 2;
        sleep_ns = machine_time_skip(time, due_ns);
        if (sleep_ns != 0)
            break;
        ck_assert_int_ge(machine_time_now_ns(time), due_ns);
    }
    ck_assert_uint_ge(leaps, 10);
    ck_assert_uint_lt(leaps, 50);
    ck_assert_int_gt(time->leapt_ns, MACHINE_TIME_LEAPT_MAX_NS / 2);
    ck_assert_int_gt(sleep_ns, time->leapt_ns); /* all is made up for at once */
    int64_t leapt_ns = machine_time_now_ns(time), until_ns = host_clock_ns() + sleep_ns;
    while (host_clock_ns() < until_ns)
        ;
    machine_time_slept(time, sleep_ns);
    ck_assert_int_eq(time->leapt_ns, 0);
    ck_assert_int_ge(machine_time_now_ns(time), leapt_ns); /* never back */
    machine_destroy(machine);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine_time");
    TCase *tests = tcase_create("leaps");
    tcase_add_test(tests, short_waits_leap_and_are_made_up_for);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
