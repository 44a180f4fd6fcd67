/* The cable between a network card and its back end. */
#include "chip_fixture.h"
#include "network_card.h"
#include "network_link.h"
#include <stdlib.h>
#include <string.h>

static ChipFixture *fixture;
static NetworkLink *cable;
static bool is_ready;
static unsigned received, sent, seen, recorded, rooms, changes;
static size_t last_size;
static uint8_t last[NETWORK_FRAME_MAX], frame[NETWORK_FRAME_MAX + 1];

static bool can_receive(void *opaque) {
    (void)opaque;
    return is_ready;
}

static void receive(void *opaque, const uint8_t *data, size_t size) {
    (void)opaque;
    received++;
    last_size = size;
    memcpy(last, data, size);
}

static void link_changed(void *opaque, bool up) {
    (void)opaque;
    (void)up;
    changes++;
}

static void send_frame(void *opaque, const uint8_t *data, size_t size) {
    (void)opaque;
    (void)data;
    (void)size;
    sent++;
}

static void room(void *opaque) {
    (void)opaque;
    rooms++;
}

static void count_frame(void *opaque, const uint8_t *data, size_t size, int64_t now_ns) {
    (void)data;
    (void)size;
    (void)now_ns;
    (*(unsigned *)opaque)++;
}

static void set_up(void) {
    const NetworkCardPort card = {can_receive, receive, link_changed, NULL};
    const NetworkBackEndPort back_end = {send_frame, room, NULL};
    fixture = chip_fixture_create();
    cable = network_link_create(&fixture->context, "link");
    network_link_attach_card(cable, &card);
    network_link_attach_back_end(cable, &back_end);
    is_ready = true;
    received = sent = seen = recorded = rooms = changes = 0;
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 13 + i / 256);
}

static void tear_down(void) {
    network_link_destroy(cable);
    chip_fixture_destroy(fixture);
}

START_TEST(frames_come_after_a_while_and_whole) {
    ck_assert(network_link_deliver(cable, frame, 1514));
    ck_assert_uint_eq(received, 0);
    chip_fixture_run(fixture, NETWORK_LATENCY_NS - 1);
    ck_assert_uint_eq(received, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_uint_eq(received, 1);
    ck_assert_uint_eq(last_size, 1514);
    ck_assert_mem_eq(last, frame, 1514);
}
END_TEST

START_TEST(short_frames_are_filled_up) {
    ck_assert(network_link_deliver(cable, frame, 42));
    chip_fixture_run(fixture, NETWORK_LATENCY_NS);
    ck_assert_uint_eq(last_size, NETWORK_FRAME_MIN);
    ck_assert_mem_eq(last, frame, 42);
    ck_assert_uint_eq(last[42] | last[59], 0);
}
END_TEST

START_TEST(what_no_card_takes_is_dropped) {
    ck_assert(network_link_deliver(cable, frame, NETWORK_FRAME_MAX + 1));
    ck_assert(network_link_deliver(cable, frame, 0));
    network_link_send(cable, frame, NETWORK_FRAME_MAX + 1);
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(received + sent, 0);
}
END_TEST

/* The ring's end lies within frames, too. */
START_TEST(a_card_that_is_busy_makes_the_back_end_wait) {
    unsigned given = 0;
    is_ready = false;
    while (network_link_deliver(cable, frame, 1000 + given % 7))
        given++;
    ck_assert_uint_gt(given, NETWORK_LINK_QUEUE / 1100);
    ck_assert_uint_le(given, NETWORK_LINK_QUEUE / 1000);
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(received, 0);
    is_ready = true;
    network_link_flush(cable);
    chip_fixture_run(fixture, NETWORK_LATENCY_NS);
    ck_assert_uint_eq(received, given);
    ck_assert_uint_eq(last_size, 1000 + (given - 1) % 7);
    ck_assert_mem_eq(last, frame, last_size);
    ck_assert_uint_eq(rooms, 1);
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert(network_link_deliver(cable, frame, 60 + i));
        chip_fixture_run(fixture, NETWORK_LATENCY_NS);
        ck_assert_uint_eq(last_size, 60 + i);
        ck_assert_mem_eq(last, frame, last_size);
    }
}
END_TEST

START_TEST(nothing_passes_a_cable_that_is_out) {
    network_link_set_up(cable, false);
    network_link_set_up(cable, false);
    ck_assert(!network_link_is_up(cable));
    ck_assert_uint_eq(changes, 1);
    network_link_send(cable, frame, 100);
    ck_assert(network_link_deliver(cable, frame, 100));
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(received + sent, 0);
    network_link_set_up(cable, true);
    ck_assert_uint_eq(changes, 2);
    network_link_send(cable, frame, 100);
    ck_assert_uint_eq(sent, 1);
}
END_TEST

START_TEST(observers_see_both_directions_and_the_recorder_what_enters) {
    const NetworkObserver observer = {count_frame, &seen}, recorder = {count_frame, &recorded};
    ck_assert(network_link_add_observer(cable, &observer));
    network_link_set_recorder(cable, &recorder);
    network_link_send(cable, frame, 100);
    network_link_deliver(cable, frame, 100);
    ck_assert_uint_eq(seen, 2);
    ck_assert_uint_eq(recorded, 1);
    network_link_remove_observer(cable, &seen);
    network_link_send(cable, frame, 100);
    ck_assert_uint_eq(seen, 2);
}
END_TEST

static void leave_frames(ChipFixture *unused) {
    (void)unused;
    network_link_deliver(cable, frame, 777);
    network_link_deliver(cable, frame, 100);
}

START_TEST(frames_on_their_way_are_saved) {
    Snapshot snapshot;
    check_devices_save_and_restore(fixture, leave_frames);
    leave_frames(NULL);
    snapshot_take(fixture, &snapshot);
    chip_fixture_run(fixture, NETWORK_LATENCY_NS);
    unsigned before = received;
    snapshot_restore(fixture, &snapshot);
    received = 0;
    chip_fixture_run(fixture, NETWORK_LATENCY_NS);
    ck_assert_uint_eq(received, before);
    ck_assert_uint_eq(last_size, 100);
    snapshot_free(&snapshot);
}
END_TEST

/* IEEE 802.3's CRC of "123456789" is CBF43926h; of 01-00-5E-00-00-01, which everybody joins, a
 * DP8390 looks at bit 31. */
START_TEST(checksums_and_hashes) {
    static const uint8_t all_hosts[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0x01};
    ck_assert_uint_eq(network_frame_checksum((const uint8_t *)"123456789", 9), 0xCBF43926);
    ck_assert_uint_eq(network_multicast_hash(all_hosts), 31);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, frames_come_after_a_while_and_whole);
    tcase_add_test(tests, short_frames_are_filled_up);
    tcase_add_test(tests, what_no_card_takes_is_dropped);
    tcase_add_test(tests, a_card_that_is_busy_makes_the_back_end_wait);
    tcase_add_test(tests, nothing_passes_a_cable_that_is_out);
    tcase_add_test(tests, observers_see_both_directions_and_the_recorder_what_enters);
    tcase_add_test(tests, frames_on_their_way_are_saved);
    tcase_add_test(tests, checksums_and_hashes);
}

int main(void) {
    return run_suite("network_link", add);
}
