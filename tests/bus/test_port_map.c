/* Who answers at a port, and how accesses are cut that a device does not take whole. */
#include "port_map.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

static PortMap *map;
static char log_text[512]; /* every callback writes one word here */

static void note(const char *format, unsigned offset, unsigned size, unsigned value) {
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, format, offset, size, value);
}

static uint32_t on_read(void *opaque, uint32_t offset, unsigned size) {
    note("r%u/%u ", offset, size, 0);
    (void)opaque;
    return 0xC3B2A190 + offset; /* more bits than asked for: they must be cut */
}

static void on_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)opaque;
    note("w%u/%u=%X ", offset, size, value);
}

static PortRange make_range(uint16_t first, uint32_t count, uint8_t widths) {
    return (PortRange){
        .name = "chip",
        .first = first,
        .count = count,
        .widths = widths,
        .read = on_read,
        .write = on_write,
        .opaque = &log_text,
    };
}

static void add(uint16_t first, uint32_t count, uint8_t widths) {
    PortRange range = make_range(first, count, widths);
    Error error = {0};
    ck_assert_msg(port_map_add(map, &range, &error), "%s", error.message);
}

static void set_up(void) {
    map = port_map_create();
    log_text[0] = 0;
}

static void tear_down(void) {
    port_map_destroy(map);
}

static void expect_read(uint16_t port, unsigned size, uint32_t value, const char *calls) {
    log_text[0] = 0;
    ck_assert_uint_eq(port_map_read(map, port, size), value);
    ck_assert_str_eq(log_text, calls);
}

static void expect_write(uint16_t port, unsigned size, uint32_t value, const char *calls) {
    log_text[0] = 0;
    port_map_write(map, port, size, value);
    ck_assert_str_eq(log_text, calls);
}

START_TEST(nobody_answers_with_ones) {
    expect_read(0x80, 1, 0xFF, "");
    expect_read(0xFFFF, 2, 0xFFFF, "");
    expect_read(0xFFFD, 4, 0xFFFFFFFF, "");
    expect_write(0xFFFF, 4, 1, "");
}
END_TEST

START_TEST(whole_accesses_reach_the_device) {
    add(0x100, 8, PORT_8 | PORT_16 | PORT_32);
    expect_read(0x100, 1, 0x90, "r0/1 ");
    expect_read(0x102, 2, 0xA192, "r2/2 ");
    expect_read(0x104, 4, 0xC3B2A194, "r4/4 ");
    expect_write(0x107, 1, 0x1FF, "w7/1=FF ");
    expect_write(0x101, 4, 0x12345678, "w1/4=12345678 ");
}
END_TEST

START_TEST(wide_accesses_are_split_low_first) {
    add(0x100, 8, PORT_8);
    expect_read(0x100, 4, 0x93929190, "r0/1 r1/1 r2/1 r3/1 ");
    expect_write(0x102, 4, 0x44332211, "w2/1=11 w3/1=22 w4/1=33 w5/1=44 ");
    add(0x200, 8, PORT_8 | PORT_16);
    expect_read(0x200, 4, 0xA192A190, "r0/2 r2/2 ");
    expect_write(0x201, 4, 0x44332211, "w1/2=2211 w3/2=4433 ");
}
END_TEST

START_TEST(accesses_that_leave_a_range_are_split) {
    add(0x100, 3, PORT_8 | PORT_16 | PORT_32);
    expect_read(0x100, 4, 0xFF92A190, "r0/2 r2/1 ");
    expect_read(0x102, 2, 0xFF92, "r2/1 ");
    expect_read(0xFF, 2, 0x90FF, "r0/1 ");
    expect_write(0xFE, 4, 0x44332211, "w0/2=4433 ");
    add(0x103, 1, PORT_8);
    expect_write(0x102, 2, 0x2211, "w2/1=11 w0/1=22 ");
}
END_TEST

START_TEST(too_narrow_accesses_are_not_taken) {
    add(0x1F0, 4, PORT_32);
    expect_read(0x1F0, 2, 0xFFFF, "");
    expect_write(0x1F0, 1, 5, "");
    expect_read(0x1F0, 4, 0xC3B2A190, "r0/4 ");
}
END_TEST

START_TEST(missing_callbacks_are_allowed) {
    PortRange range = make_range(0x300, 4, PORT_8 | PORT_16);
    range.read = NULL;
    range.write = NULL;
    ck_assert(port_map_add(map, &range, NULL));
    expect_read(0x300, 2, 0xFFFF, "");
    expect_write(0x300, 2, 7, "");
}
END_TEST

START_TEST(overlap_names_both) {
    add(0x3F0, 8, PORT_8);
    PortRange other = make_range(0x3F7, 2, PORT_8);
    other.name = "ide";
    Error error = {0};
    ck_assert(!port_map_add(map, &other, &error));
    ck_assert_msg(strstr(error.message, "ide") != NULL && strstr(error.message, "chip") != NULL,
                  "%s", error.message);
    expect_read(0x3F8, 1, 0xFF, ""); /* nothing of it was plugged in */
}
END_TEST

START_TEST(ranges_must_fit) {
    PortRange range = make_range(0xFFFE, 3, PORT_8);
    ck_assert(!port_map_add(map, &range, NULL));
    range.count = 0;
    ck_assert(!port_map_add(map, &range, NULL));
    range.count = 2;
    ck_assert(port_map_add(map, &range, NULL));
    expect_read(0xFFFE, 4, 0xFFFF9190, "r0/1 r1/1 ");
}
END_TEST

START_TEST(removed_ranges_are_free_again) {
    add(0x100, 16, PORT_8);
    port_map_remove(map, 0x100, &map); /* somebody else's */
    port_map_remove(map, 0x101, &log_text);
    expect_read(0x100, 1, 0x90, "r0/1 ");
    port_map_remove(map, 0x100, &log_text);
    port_map_remove(map, 0x100, &log_text);
    expect_read(0x100, 1, 0xFF, "");
    expect_read(0x10F, 1, 0xFF, "");
    for (int i = 0; i < 1000; i++) { /* a BAR that moves does not use slots up */
        add(0x108, 4, PORT_8);
        port_map_remove(map, 0x108, &log_text);
    }
    add(0x100, 16, PORT_8);
}
END_TEST

static void on_write_move(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    note("m%u/%u=%X ", offset, size, value);
    port_map_remove(map, 0x400, opaque);
    for (uint16_t port = 0x500; port < 0x540; port++)
        add(port, 1, PORT_8);
}

START_TEST(a_callback_may_unplug_its_own_range) {
    PortRange range = make_range(0x400, 2, PORT_8);
    range.write = on_write_move;
    ck_assert(port_map_add(map, &range, NULL));
    expect_write(0x400, 2, 0x2211, "m0/1=11 "); /* the second byte finds nobody */
    expect_write(0x53F, 1, 1, "w0/1=1 ");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("port_map");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nobody_answers_with_ones);
    tcase_add_test(tests, whole_accesses_reach_the_device);
    tcase_add_test(tests, wide_accesses_are_split_low_first);
    tcase_add_test(tests, accesses_that_leave_a_range_are_split);
    tcase_add_test(tests, too_narrow_accesses_are_not_taken);
    tcase_add_test(tests, missing_callbacks_are_allowed);
    tcase_add_test(tests, overlap_names_both);
    tcase_add_test(tests, ranges_must_fit);
    tcase_add_test(tests, removed_ranges_are_free_again);
    tcase_add_test(tests, a_callback_may_unplug_its_own_range);
    Suite *suite = suite_create("port_map");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
