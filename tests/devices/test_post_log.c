/* The POST card: what it hears at two ports, keeps and tells. */
#include "chip_fixture.h"
#include "i8237.h"
#include "post_log.h"
#include <stdlib.h>

static ChipFixture *fixture;
static I8237 *dma;
static PostLog *post_log;
static PostCode heard[64];
static unsigned heard_count;

static void hear(void *opaque, PostCode code) {
    (void)opaque;
    if (heard_count < sizeof heard / sizeof heard[0])
        heard[heard_count++] = code;
}

static void setup(void) {
    const PostSink sink = {hear, NULL};
    heard_count = 0;
    fixture = chip_fixture_create();
    dma = i8237_create(&fixture->context, NULL);
    post_log = post_log_create(&fixture->context, &sink, NULL);
    ck_assert_ptr_nonnull(post_log);
    i8237_watch_port_80(dma, post_log_write_at, post_log);
}

static void teardown(void) {
    post_log_destroy(post_log);
    i8237_destroy(dma);
    chip_fixture_destroy(fixture);
}

START_TEST(both_ports_are_heard) {
    PostCode codes[POST_CODES_KEPT];
    uint8_t last;
    ck_assert(!post_log_get_last(post_log, POST_PORT_AT, &last));
    ck_assert_uint_eq(post_log_get_codes(post_log, codes), 0);
    port_out(fixture, 0x80, 0x03);
    port_out(fixture, 0x190, 0xFF);
    port_out(fixture, 0x81, 0x55);
    port_out(fixture, 0x191, 0x66);
    ck_assert_uint_eq(post_log_get_codes(post_log, codes), 2);
    ck_assert(codes[0].port == 0x80 && codes[0].code == 0x03);
    ck_assert(codes[1].port == 0x190 && codes[1].code == 0xFF);
    ck_assert(post_log_get_last(post_log, POST_PORT_AT, &last) && last == 0x03);
    ck_assert(post_log_get_last(post_log, POST_PORT_PS2, &last) && last == 0xFF);
    ck_assert(!post_log_get_last(post_log, 0x81, &last));
    ck_assert_uint_eq(heard_count, 2);
    ck_assert(heard[1].port == 0x190 && heard[1].code == 0xFF);
}
END_TEST

START_TEST(the_page_registers_stay) {
    port_out(fixture, 0x80, 0x5A);
    port_out(fixture, 0x8F, 0x77);
    ck_assert_uint_eq(port_in(fixture, 0x80), 0x5A);
    ck_assert_uint_eq(port_in(fixture, 0x8F), 0x77);
    ck_assert_uint_eq(port_in(fixture, 0x190), 0xFF); /* nobody answers */
}
END_TEST

START_TEST(the_newest_are_kept_in_order) {
    PostCode codes[POST_CODES_KEPT];
    for (unsigned i = 0; i < 100; i++)
        port_out(fixture, i % 2 ? 0x80 : 0x190, (uint8_t)i);
    ck_assert_uint_eq(post_log_get_count(post_log), 100);
    ck_assert_uint_eq(post_log_get_codes(post_log, codes), POST_CODES_KEPT);
    for (unsigned i = 0; i < POST_CODES_KEPT; i++) {
        unsigned number = 100 - POST_CODES_KEPT + i;
        ck_assert_uint_eq(codes[i].code, number);
        ck_assert_uint_eq(codes[i].port, number % 2 ? 0x80 : 0x190);
    }
    device_list_reset(&fixture->devices);
    ck_assert_uint_eq(post_log_get_codes(post_log, codes), POST_CODES_KEPT);
}
END_TEST

START_TEST(lines_are_traced_on_demand) {
    char *text = NULL;
    size_t size = 0;
    fixture->trace.output = open_memstream(&text, &size);
    port_out(fixture, 0x190, 0x01);
    fixture->trace.mask = TRACE_POST;
    port_out(fixture, 0x190, 0xFF);
    port_out(fixture, 0x80, 0x0A);
    ck_assert_str_eq(text, "190: FF\n80: 0A\n"); /* flushed line by line */
    fclose(fixture->trace.output);
    fixture->trace.output = NULL;
    free(text);
}
END_TEST

static void change(ChipFixture *board) {
    port_out(board, 0x80, 0x21);
    port_out(board, 0x190, 0x22);
}

START_TEST(saves_and_restores) {
    port_out(fixture, 0x190, 0x11);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, both_ports_are_heard);
    tcase_add_test(tests, the_page_registers_stay);
    tcase_add_test(tests, the_newest_are_kept_in_order);
    tcase_add_test(tests, lines_are_traced_on_demand);
    tcase_add_test(tests, saves_and_restores);
}

int main(void) {
    return run_suite("post log", add);
}
