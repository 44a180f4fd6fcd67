/* The event queue: order, determinism, what a callback may do, and queueing anew after a restore.
 */
#include "clock.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TIMERS 16

typedef struct Bench {
    VirtualClock clock;
    Timer timer[TIMERS];
    int64_t due[TIMERS];
    int fired[256];
    int fired_count;
    int64_t told_due;
    int told_count;
} Bench;

typedef struct Slot {
    Bench *bench;
    int number;
} Slot;

static Bench bench;
static Slot slots[TIMERS];

static void on_fire(void *opaque) {
    Slot *slot = opaque;
    ck_assert_int_lt(slot->bench->fired_count, 256);
    slot->bench->fired[slot->bench->fired_count++] = slot->number;
}

static void on_earlier(void *opaque, int64_t due_ns) {
    Bench *told = opaque;
    told->told_due = due_ns;
    told->told_count++;
}

static void set_up(void) {
    memset(&bench, 0, sizeof bench);
    clock_init(&bench.clock);
    for (int i = 0; i < TIMERS; i++) {
        slots[i] = (Slot){&bench, i};
        bench.due[i] = 5;
        timer_init(&bench.timer[i], &bench.clock, "timer", &bench.due[i], on_fire, &slots[i]);
        ck_assert(bench.due[i] == TIMER_NEVER);
    }
}

static void tear_down(void) {
    clock_destroy(&bench.clock);
}

static void run_until(int64_t now_ns) {
    bench.clock.stopped_ns = now_ns;
    clock_run_due(&bench.clock);
}

static void expect_fired(int count, const int *numbers) {
    ck_assert_int_eq(bench.fired_count, count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(bench.fired[i], numbers[i]);
}

START_TEST(fires_in_order_of_time) {
    timer_arm(&bench.timer[0], 300);
    timer_arm(&bench.timer[1], 100);
    timer_arm(&bench.timer[2], 200);
    ck_assert(clock_next_due_ns(&bench.clock) == 100);
    run_until(99);
    ck_assert_int_eq(bench.fired_count, 0);
    run_until(200);
    expect_fired(2, (int[]){1, 2});
    ck_assert(!timer_is_armed(&bench.timer[1]));
    ck_assert(timer_is_armed(&bench.timer[0]));
    run_until(1000);
    expect_fired(3, (int[]){1, 2, 0});
    ck_assert(clock_next_due_ns(&bench.clock) == TIMER_NEVER);
}
END_TEST

START_TEST(same_time_fires_in_order_of_init) {
    /* Whatever the history of arming was. */
    const int arming[] = {9, 3, 15, 0, 7, 1, 8};
    for (size_t i = 0; i < sizeof arming / sizeof arming[0]; i++)
        timer_arm(&bench.timer[arming[i]], i % 2 == 0 ? 50 : 900);
    for (size_t i = 0; i < sizeof arming / sizeof arming[0]; i++)
        timer_arm(&bench.timer[arming[i]], 70);
    run_until(70);
    expect_fired(7, (int[]){0, 1, 3, 7, 8, 9, 15});
}
END_TEST

START_TEST(order_is_that_of_init_and_not_of_addresses) {
    const int order[] = {2, 0, 3, 1};
    VirtualClock clock;
    clock_init(&clock);
    for (int i = 0; i < 4; i++)
        timer_init(&bench.timer[order[i]], &clock, "timer", &bench.due[order[i]], on_fire,
                   &slots[order[i]]);
    for (int i = 0; i < 4; i++)
        timer_arm(&bench.timer[i], 10);
    clock.stopped_ns = 10;
    clock_run_due(&clock);
    expect_fired(4, order);
    clock_destroy(&clock);
}
END_TEST

START_TEST(cancel_and_move) {
    timer_arm(&bench.timer[0], 10);
    timer_arm(&bench.timer[1], 20);
    timer_arm(&bench.timer[2], 30);
    timer_cancel(&bench.timer[1]);
    timer_cancel(&bench.timer[1]);
    timer_cancel(&bench.timer[5]);
    timer_arm(&bench.timer[0], 40);
    timer_arm(&bench.timer[2], TIMER_NEVER);
    ck_assert(!timer_is_armed(&bench.timer[2]));
    run_until(100);
    expect_fired(1, (int[]){0});
}
END_TEST

START_TEST(tells_when_the_next_event_comes_nearer) {
    bench.clock.earlier = on_earlier;
    bench.clock.earlier_opaque = &bench;
    timer_arm(&bench.timer[0], 500);
    ck_assert_int_eq(bench.told_count, 1);
    ck_assert(bench.told_due == 500);
    timer_arm(&bench.timer[1], 600);
    timer_arm(&bench.timer[0], 550);
    ck_assert_int_eq(bench.told_count, 1);
    timer_arm(&bench.timer[1], 400);
    ck_assert_int_eq(bench.told_count, 2);
    ck_assert(bench.told_due == 400);
}
END_TEST

static void on_fire_again(void *opaque) {
    Slot *slot = opaque;
    on_fire(opaque);
    timer_arm(&slot->bench->timer[slot->number], 10LL * (slot->bench->fired_count + 1));
}

START_TEST(a_callback_may_arm_its_timer_again) {
    bench.timer[4].fire = on_fire_again;
    timer_arm(&bench.timer[4], 10);
    run_until(35);
    expect_fired(3, (int[]){4, 4, 4});
    ck_assert(bench.due[4] == 40);
}
END_TEST

static void on_fire_cancel_next(void *opaque) {
    Slot *slot = opaque;
    on_fire(opaque);
    timer_cancel(&slot->bench->timer[slot->number + 1]);
    timer_arm(&slot->bench->timer[slot->number + 2], 10);
}

START_TEST(a_callback_may_change_other_timers) {
    bench.timer[0].fire = on_fire_cancel_next;
    timer_arm(&bench.timer[0], 10);
    timer_arm(&bench.timer[1], 10);
    run_until(10);
    expect_fired(2, (int[]){0, 2});
}
END_TEST

START_TEST(rebuild_queues_what_the_states_hold) {
    timer_arm(&bench.timer[0], 10);
    timer_arm(&bench.timer[1], 20);
    timer_arm(&bench.timer[2], 30);
    bench.due[0] = 35;
    bench.due[1] = TIMER_NEVER;
    bench.due[9] = 5;
    bench.due[8] = 35;
    bench.clock.earlier = on_earlier;
    bench.clock.earlier_opaque = &bench;
    clock_rebuild(&bench.clock);
    ck_assert(bench.told_due == 5);
    run_until(100);
    expect_fired(4, (int[]){9, 2, 0, 8});
}
END_TEST

START_TEST(random_operations_agree_with_a_plain_search) {
    int64_t model[TIMERS];
    srand(1);
    for (int i = 0; i < TIMERS; i++)
        model[i] = TIMER_NEVER;
    for (int step = 0; step < 20000; step++) {
        int which = rand() % TIMERS, action = rand() % 4;
        if (action < 2) {
            model[which] = bench.clock.stopped_ns + rand() % 50;
            timer_arm(&bench.timer[which], model[which]);
        } else if (action == 2) {
            model[which] = TIMER_NEVER;
            timer_cancel(&bench.timer[which]);
        } else {
            bench.fired_count = 0;
            run_until(bench.clock.stopped_ns + rand() % 20);
            for (int fired = 0; fired < bench.fired_count; fired++) {
                int first = 0;
                for (int i = 1; i < TIMERS; i++)
                    if (model[i] < model[first])
                        first = i;
                ck_assert_int_eq(bench.fired[fired], first);
                ck_assert(model[first] <= bench.clock.stopped_ns);
                model[first] = TIMER_NEVER;
            }
            for (int i = 0; i < TIMERS; i++)
                ck_assert(model[i] > bench.clock.stopped_ns);
        }
    }
}
END_TEST

static int64_t ask_source(void *opaque) {
    return *(int64_t *)opaque;
}

START_TEST(time_comes_from_the_source) {
    int64_t now = 77;
    ck_assert(clock_now_ns(&bench.clock) == 0);
    bench.clock.source = ask_source;
    bench.clock.source_opaque = &now;
    ck_assert(clock_now_ns(&bench.clock) == 77);
    timer_arm(&bench.timer[0], 77);
    clock_run_due(&bench.clock);
    expect_fired(1, (int[]){0});
}
END_TEST

START_TEST(scale_does_not_overflow) {
    ck_assert(clock_scale(INT64_MAX, 1193182, NS_PER_SECOND) == 11005161493678455LL);
    ck_assert(clock_scale(7, 3, 2) == 10);
    /* Rates of more than 32 bits, and the largest below, give what the long division gives. */
    ck_assert(clock_scale(INT64_C(123456789012), INT64_C(5000000000), NS_PER_SECOND) ==
              INT64_C(617283945060));
    for (int64_t a = 999999999; a < INT64_MAX / 8; a = a * 3 + 1)
        ck_assert(clock_scale(a, UINT32_MAX, NS_PER_SECOND * 4) ==
                  (int64_t)((__int128)a * UINT32_MAX / (NS_PER_SECOND * 4)));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("clock");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, fires_in_order_of_time);
    tcase_add_test(tests, same_time_fires_in_order_of_init);
    tcase_add_test(tests, order_is_that_of_init_and_not_of_addresses);
    tcase_add_test(tests, cancel_and_move);
    tcase_add_test(tests, tells_when_the_next_event_comes_nearer);
    tcase_add_test(tests, a_callback_may_arm_its_timer_again);
    tcase_add_test(tests, a_callback_may_change_other_timers);
    tcase_add_test(tests, rebuild_queues_what_the_states_hold);
    tcase_add_test(tests, random_operations_agree_with_a_plain_search);
    tcase_add_test(tests, time_comes_from_the_source);
    tcase_add_test(tests, scale_does_not_overflow);
    Suite *suite = suite_create("clock");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
