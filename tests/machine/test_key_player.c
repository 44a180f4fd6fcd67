/* Scripted keys: held and let go in guest time, saved and restored in the middle. */
#include "key_player.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

static VirtualClock virtual_clock;
static DeviceList devices;
static KeyPlayer player;
static char played[256];

static void note_key(void *opaque, int key, bool down) {
    char text[16];
    (void)opaque;
    snprintf(text, sizeof(text), "%c%d ", down ? '+' : '-', key);
    strncat(played, text, sizeof(played) - strlen(played) - 1);
}

static void set_up(void) {
    clock_init(&virtual_clock);
    devices = (DeviceList){.count = 0};
    key_player_init(&player, &virtual_clock, &devices, note_key, NULL);
    played[0] = '\0';
}

static void tear_down(void) {
    clock_destroy(&virtual_clock);
}

static void run_until_ms(int64_t ms) {
    virtual_clock.stopped_ns = ms * 1000000;
    clock_run_due(&virtual_clock);
}

START_TEST(keys_go_down_in_order_and_up_in_reverse) {
    const int keys[] = {3, 5};
    ck_assert(key_player_press(&player, keys, 2, 100));
    ck_assert_str_eq(played, "+3 +5 ");
    run_until_ms(99);
    ck_assert_str_eq(played, "+3 +5 ");
    run_until_ms(100);
    ck_assert_str_eq(played, "+3 +5 -5 -3 ");
}
END_TEST

START_TEST(presses_queue_behind_each_other) {
    const int first = 1, second = 2;
    ck_assert(key_player_press(&player, &first, 1, 50));
    ck_assert(key_player_press(&player, &second, 1, 50));
    run_until_ms(50);
    ck_assert_str_eq(played, "+1 -1 ");
    run_until_ms(80);
    ck_assert_str_eq(played, "+1 -1 +2 ");
    run_until_ms(200);
    ck_assert_str_eq(played, "+1 -1 +2 -2 ");
}
END_TEST

START_TEST(what_does_not_fit_is_refused_whole) {
    const int key = 7;
    int presses = 0;
    while (key_player_press(&player, &key, 1, 10))
        presses++;
    ck_assert_int_gt(presses, 100);
    ck_assert_int_lt(presses, KEY_PLAYER_EVENTS);
    ck_assert(!key_player_press(&player, &key, 0, 10));
    for (int64_t ms = 0; ms < presses * 40; ms += 10)
        run_until_ms(ms);
    ck_assert(key_player_press(&player, &key, 1, 10));
}
END_TEST

START_TEST(state_is_covered_saved_and_restored) {
    const int keys[] = {3, 5};
    ByteBuffer saved = {.data = NULL};
    ck_assert_int_eq(field_table_find_gap(devices.entries[0].device_class->fields), -1);
    ck_assert(key_player_press(&player, keys, 2, 100));
    device_list_save(&devices, &saved);
    run_until_ms(500);
    ck_assert_str_eq(played, "+3 +5 -5 -3 ");
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert(device_list_load(&devices, &reader, NULL));
    virtual_clock.stopped_ns = 0;
    clock_rebuild(&virtual_clock);
    played[0] = '\0';
    run_until_ms(100);
    ck_assert_str_eq(played, "-5 -3 ");
    byte_buffer_free(&saved);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("key_player");
    TCase *tests = tcase_create("key_player");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, keys_go_down_in_order_and_up_in_reverse);
    tcase_add_test(tests, presses_queue_behind_each_other);
    tcase_add_test(tests, what_does_not_fit_is_refused_whole);
    tcase_add_test(tests, state_is_covered_saved_and_restored);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
