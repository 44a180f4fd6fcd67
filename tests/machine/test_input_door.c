/* The input door: order, stamps, bounds, waking a sleeper. */
#include "input_door.h"
#include "machine_time.h"
#include "suite_run.h"
#include <check.h>

static InputDoor door;

static void set_up(void) {
    input_door_init(&door);
}
static void tear_down(void) {
    input_door_destroy(&door);
}

static InputItem key_item(int key) {
    return (InputItem){.kind = INPUT_KEY, .key = {key, true}};
}

START_TEST(items_leave_in_order_with_their_stamp) {
    InputItem item;
    for (int i = 0; i < 5; i++) {
        InputItem put = key_item(i);
        ck_assert(input_door_put(&door, &put));
    }
    ck_assert(input_door_is_waiting(&door));
    for (int i = 0; i < 5; i++) {
        ck_assert(input_door_take(&door, 1000u + (unsigned)i, &item));
        ck_assert_int_eq(item.key.key, i);
        ck_assert_uint_eq(item.instruction_count, 1000u + (unsigned)i);
    }
    ck_assert(!input_door_take(&door, 0, &item));
    ck_assert(!input_door_is_waiting(&door));
}
END_TEST

START_TEST(a_full_door_drops_and_goes_on) {
    InputItem item = key_item(1);
    for (int i = 0; i < INPUT_DOOR_ITEMS; i++)
        ck_assert(input_door_put(&door, &item));
    ck_assert(!input_door_put(&door, &item));
    ck_assert(input_door_take(&door, 0, &item));
    ck_assert(input_door_put(&door, &item));
}
END_TEST

START_TEST(waiting_ends_at_the_deadline) {
    int64_t start = host_clock_ns();
    input_door_wait(&door, 5000000);
    ck_assert_int_ge(host_clock_ns() - start, 5000000);
}
END_TEST

static void *put_later(void *opaque) {
    InputItem item = key_item(9);
    (void)opaque;
    input_door_put(&door, &item);
    return NULL;
}

static void *wake_later(void *opaque) {
    (void)opaque;
    input_door_wake(&door);
    return NULL;
}

/* Would hang, and be killed by Check's time limit, if the sleeper were not woken. */
START_TEST(items_and_wakes_end_a_sleep_without_limit) {
    pthread_t thread;
    InputItem item;
    pthread_create(&thread, NULL, put_later, NULL);
    input_door_wait(&door, -1);
    pthread_join(thread, NULL);
    ck_assert(input_door_take(&door, 0, &item));
    ck_assert_int_eq(item.key.key, 9);
    pthread_create(&thread, NULL, wake_later, NULL);
    input_door_wait(&door, -1);
    pthread_join(thread, NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("input_door");
    TCase *tests = tcase_create("input_door");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, items_leave_in_order_with_their_stamp);
    tcase_add_test(tests, a_full_door_drops_and_goes_on);
    tcase_add_test(tests, waiting_ends_at_the_deadline);
    tcase_add_test(tests, items_and_wakes_end_a_sleep_without_limit);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
