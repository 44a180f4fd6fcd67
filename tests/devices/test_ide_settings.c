/* What a disk can be set to and tells of itself: power modes, hidden sectors, SMART and the logs.
 */
#include "ide_fixture.h"

enum { LBA = 0xE0 };
enum { SMART_KEY = 0xC24F00 };
#define DISK_SECTORS 5000
#define SECOND_NS 1000000000LL

static void plug_disk(void) {
    plug_one_disk(DISK_SECTORS);
}

static void run(uint8_t code, uint8_t device, uint32_t lba, uint8_t count) {
    command(code, device, lba, count);
    expect_end(0x50, 0);
}

static void read_sector(uint8_t *data) {
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    ck_assert_uint_eq(in(PORT_STATUS), 0x58);
    read_words(data, 512);
}

static void expect_checksum(const uint8_t *data) {
    uint8_t sum = 0;
    for (unsigned i = 0; i < 512; i++)
        sum += data[i];
    ck_assert_uint_eq(sum, 0);
}

static void identify(uint8_t *data) {
    command(0xEC, 0xA0, 0, 0);
    read_sector(data);
    expect_checksum(data);
}

static void pass_time(int64_t ns) {
    machine.clock.stopped_ns += ns;
    clock_run_due(&machine.clock);
}

static unsigned power_mode(void) {
    run(0xE5, 0xA0, 0, 0);
    return in(PORT_COUNT);
}

START_TEST(power_modes) {
    plug_disk();
    ck_assert_uint_eq(power_mode(), 0xFF);
    run(0xE1, 0xA0, 0, 0); /* IDLE IMMEDIATE */
    ck_assert_uint_eq(power_mode(), 0x80);
    run(0xE0, 0xA0, 0, 0); /* STANDBY IMMEDIATE */
    ck_assert_uint_eq(power_mode(), 0x00);
    run(0x95, 0xA0, 0, 0); /* by their old codes */
    ck_assert_uint_eq(power_mode(), 0x80);
    run(0x94, 0xA0, 0, 0);
    ck_assert_uint_eq(power_mode(), 0x00);
    run(0x40, LBA, 0, 1); /* what needs the medium makes it turn */
    ck_assert_uint_eq(power_mode(), 0xFF);
    run(0xE3, 0xA0, 0, 2); /* IDLE, and standby after 10 seconds */
    ck_assert_uint_eq(power_mode(), 0x80);
    pass_time(9 * SECOND_NS);
    ck_assert_uint_eq(power_mode(), 0x80);
    save_and_restore();
    pass_time(SECOND_NS);
    ck_assert_uint_eq(power_mode(), 0x00);
    run(0x40, LBA, 0, 1);
    ck_assert_uint_eq(power_mode(), 0xFF);
    run(0xE3, 0xA0, 0, 242); /* an hour */
    pass_time(3599 * SECOND_NS);
    ck_assert_uint_eq(power_mode(), 0x80);
    pass_time(SECOND_NS);
    ck_assert_uint_eq(power_mode(), 0x00);
    run(0xE3, 0xA0, 0, 0); /* never */
    pass_time(100000 * SECOND_NS);
    ck_assert_uint_eq(power_mode(), 0x80);
    unplug();
}
END_TEST

START_TEST(sleeps_until_it_is_reset) {
    plug_disk();
    run(0xE6, 0xA0, 0, 0);
    command(0xEC, 0xA0, 0, 0);
    ck_assert(!next_event());
    ck_assert_uint_eq(in(PORT_CONTROL), 0x50);
    save_and_restore();
    command(0x20, LBA, 0, 1);
    ck_assert(!next_event());
    out(PORT_CONTROL, 0x04);
    out(PORT_CONTROL, 0x00);
    wait_not_busy();
    ck_assert_uint_eq(power_mode(), 0x00);
    uint8_t data[512];
    identify(data);
    unplug();
}
END_TEST

START_TEST(hides_sectors) {
    plug_disk();
    uint8_t data[512];
    command(0xF9, LBA, 999, 0); /* not after READ NATIVE MAX ADDRESS */
    expect_end(0x51, 0x04);
    run(0xF8, LBA, 0, 0);
    ck_assert_uint_eq(in(PORT_LOW) | in(PORT_MID) << 8, DISK_SECTORS - 1);
    run(0xF9, LBA, 999, 0);
    identify(data);
    ck_assert_uint_eq(load_le32(data + 120), 1000);
    ck_assert_uint_eq(load_le64(data + 200), 1000);
    save_and_restore();
    command(0x20, LBA, 1000, 1);
    expect_end(0x51, 0x10);
    run(0x40, LBA, 999, 1);
    run(0xF8, LBA, 0, 0); /* the native size stays */
    ck_assert_uint_eq(in(PORT_LOW) | in(PORT_MID) << 8, DISK_SECTORS - 1);
    command(0xF9, LBA, DISK_SECTORS, 0);
    expect_end(0x51, 0x10);
    device_list_reset(&machine.devices); /* it was until then */
    identify(data);
    ck_assert_uint_eq(load_le32(data + 120), DISK_SECTORS);
    command_48(0x27, LBA, 0, 0);
    expect_end(0x50, 0);
    command_48(0x37, LBA, 1999, 1); /* for longer */
    expect_end(0x50, 0);
    device_list_reset(&machine.devices);
    identify(data);
    ck_assert_uint_eq(load_le32(data + 120), 2000);
    run(0xF8, LBA, 0, 0);
    out(PORT_FEATURES, 1); /* SET PASSWORD */
    command(0xF9, LBA, 99, 0);
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(buffer) {
    plug_disk();
    uint8_t data[512], back[512];
    for (unsigned i = 0; i < 512; i++)
        data[i] = (uint8_t)(i * 3);
    command(0xE8, 0xA0, 0, 0);
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    write_words(data, 512);
    expect_end(0x50, 0);
    save_and_restore();
    command(0xE4, 0xA0, 0, 0);
    read_sector(back);
    ck_assert_mem_eq(data, back, 512);
    unplug();
}
END_TEST

START_TEST(refuses_what_it_has_not) {
    static const uint8_t codes[] = {0x00, 0xB1, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0x3F};
    plug_disk();
    for (size_t i = 0; i < sizeof(codes); i++) {
        command(codes[i], 0xA0, 0, 1);
        expect_end(0x51, 0x04);
    }
    out(PORT_FEATURES, 0x42);
    command(0xEF, 0xA0, 0, 0);
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(writes_through_the_cache) {
    plug_disk();
    uint8_t data[512], back[512];
    memset(data, 0x6D, sizeof(data));
    command_48(0xCE, LBA, 70, 1); /* WRITE MULTIPLE FUA EXT */
    ck_assert_uint_eq(wait_not_busy(), 0x58);
    write_words(data, 512);
    expect_end(0x50, 0);
    ck_assert(block_read(machine.media[0], 70 * 512, back, 512, NULL));
    ck_assert_mem_eq(data, back, 512);
    unplug();
}
END_TEST

static void give_smart(uint8_t feature, uint8_t low, uint8_t count) {
    out(PORT_FEATURES, feature);
    command(0xB0, 0xA0, SMART_KEY | low, count);
}

static void smart(uint8_t feature, uint8_t low, uint8_t count) {
    give_smart(feature, low, count);
    expect_end(0x50, 0);
}

static void smart_read(uint8_t feature, uint8_t low, uint8_t *data) {
    give_smart(feature, low, 1);
    read_sector(data);
    if (feature != 0xD5 || low != 0)
        expect_checksum(data);
}

static void expect_smart_failure(uint8_t feature, uint8_t low, uint8_t count) {
    give_smart(feature, low, count);
    expect_end(0x51, 0x04);
}

START_TEST(smart_attributes) {
    plug_disk();
    uint8_t data[512], thresholds[512];
    pass_time(3 * 3600 * SECOND_NS);
    smart_read(0xD0, 0, data);
    smart_read(0xD1, 0, thresholds);
    ck_assert_uint_eq(load_le16(data), 0x10);
    unsigned seen_hours = 0;
    for (unsigned at = 2; data[at] != 0; at += 12) {
        ck_assert_uint_eq(data[at], thresholds[at]);
        ck_assert_uint_gt(data[at + 3], thresholds[at + 1]);
        if (data[at] == 9)
            seen_hours = load_le32(data + at + 5);
    }
    ck_assert_uint_eq(seen_hours, 3);
    ck_assert_uint_eq(data[362], 0); /* nothing collected off-line */
    smart(0xD4, 0, 0);
    smart_read(0xD0, 0, data);
    ck_assert_uint_eq(data[362], 2);
    smart(0xDA, 0, 0);
    ck_assert_uint_eq(in(PORT_MID), 0x4F);
    ck_assert_uint_eq(in(PORT_HIGH), 0xC2);
    smart(0xD2, 0, 0xF1);
    smart(0xD2, 0, 0);
    expect_smart_failure(0xD2, 0, 5);
    smart(0xD3, 0, 0);
    unplug();
}
END_TEST

START_TEST(smart_can_be_disabled) {
    plug_disk();
    uint8_t data[512];
    identify(data);
    ck_assert_uint_eq(load_le16(data + 170) & 1, 1);
    smart(0xD9, 0, 0);
    expect_smart_failure(0xD0, 0, 1);
    identify(data);
    ck_assert_uint_eq(load_le16(data + 170) & 1, 0);
    smart(0xD8, 0, 0);
    smart_read(0xD0, 0, data);
    expect_smart_failure(0xDF, 0, 0);
    out(PORT_FEATURES, 0xD0);
    command(0xB0, 0xA0, 0, 0); /* without the key */
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

static unsigned test_status(void) {
    uint8_t data[512];
    smart_read(0xD0, 0, data);
    return data[363];
}

START_TEST(self_tests) {
    plug_disk();
    uint8_t data[512];
    ck_assert_uint_eq(test_status(), 0);
    smart(0xD4, 1, 0);
    ck_assert_uint_eq(test_status(), 0xF9);
    pass_time(16 * SECOND_NS);
    ck_assert_uint_eq(test_status(), 0xF4);
    save_and_restore();
    smart_read(0xD5, 6, data);
    ck_assert_uint_eq(data[508], 0); /* not logged while it runs */
    pass_time(14 * SECOND_NS);
    ck_assert_uint_eq(test_status(), 0);
    smart_read(0xD5, 6, data);
    ck_assert_uint_eq(data[508], 1);
    ck_assert_uint_eq(data[2], 1);
    ck_assert_uint_eq(data[3], 0);
    smart(0xD4, 2, 0);
    smart(0xD4, 0x7F, 0); /* no more */
    ck_assert_uint_eq(test_status(), 0x10);
    smart(0xD4, 2, 0);
    out(PORT_CONTROL, 0x04);
    out(PORT_CONTROL, 0x00);
    wait_not_busy();
    ck_assert_uint_eq(test_status(), 0x20);
    int64_t before = machine.clock.stopped_ns;
    smart(0xD4, 0x81, 0); /* captive */
    ck_assert_int_ge(machine.clock.stopped_ns - before, 30 * SECOND_NS);
    ck_assert_uint_eq(in(PORT_MID), 0x4F);
    smart_read(0xD5, 6, data);
    ck_assert_uint_eq(data[508], 4);
    ck_assert_uint_eq(data[2 + 24 + 1], 0x10);
    ck_assert_uint_eq(data[2 + 48 + 1], 0x20);
    ck_assert_uint_eq(data[2 + 72], 0x81);
    expect_smart_failure(0xD4, 4, 0); /* selective */
    unplug();
}
END_TEST

START_TEST(log_of_tests_is_a_ring) {
    plug_disk();
    uint8_t data[512];
    for (unsigned i = 0; i < 25; i++) {
        smart(0xD4, i == 24 ? 2 : 1, 0);
        pass_time(100 * SECOND_NS);
    }
    smart_read(0xD5, 6, data);
    ck_assert_uint_eq(data[508], 4);
    ck_assert_uint_eq(data[2 + 3 * 24], 2);
    ck_assert_uint_eq(data[2 + 4 * 24], 1);
    command_48(0x2F, 0xA0, 7, 1); /* the long one, of 19 rows */
    read_sector(data);
    expect_checksum(data);
    ck_assert_uint_eq(load_le16(data + 2), 6);
    ck_assert_uint_eq(data[4 + 5 * 26], 2);
    unplug();
}
END_TEST

START_TEST(errors_are_logged) {
    plug_disk();
    uint8_t data[512];
    smart_read(0xD5, 1, data);
    ck_assert_uint_eq(data[0], 1);
    ck_assert_uint_eq(data[1], 0);
    ck_assert_uint_eq(load_le16(data + 452), 0);
    command(0x20, LBA, DISK_SECTORS, 1); /* a wrong command is no error of the disk */
    expect_end(0x51, 0x10);
    pass_time(7200 * SECOND_NS);
    ck_assert_int_eq(truncate(path_of("a.img"), 100000), 0);
    for (unsigned i = 0; i < 7; i++) {
        command(0x20, LBA, 300 + i, 5);
        expect_end(0x51, 0x40);
    }
    save_and_restore();
    smart_read(0xD5, 1, data);
    ck_assert_uint_eq(data[1], 2);
    ck_assert_uint_eq(load_le16(data + 452), 7);
    const uint8_t *row = data + 2 + 90;
    ck_assert_uint_eq(row[48 + 2], 5); /* the last of five commands: count, address, code */
    ck_assert_uint_eq(load_le16(row + 48 + 3), 306);
    ck_assert_uint_eq(row[48 + 7], 0x20);
    ck_assert_uint_ge(load_le32(row + 48 + 8), 7200000);
    ck_assert_uint_eq(row[60 + 1], 0x40);
    ck_assert_uint_eq(load_le16(row + 60 + 3), 306);
    ck_assert_uint_eq(row[60 + 7], 0x51);
    ck_assert_uint_eq(load_le16(row + 60 + 28), 2);
    command_48(0x2F, 0xA0, 3, 1);
    read_sector(data);
    expect_checksum(data);
    ck_assert_uint_eq(load_le16(data + 2), 3); /* of four rows */
    ck_assert_uint_eq(load_le16(data + 500), 7);
    row = data + 4 + 2 * 124 + 90;
    ck_assert_uint_eq(row[1], 0x40);
    ck_assert_uint_eq(row[4] | row[6] << 8, 306);
    ck_assert_uint_eq(row[11], 0x51);
    smart(0xD4, 1, 0); /* and a test finds them */
    pass_time(100 * SECOND_NS);
    ck_assert_uint_eq(test_status(), 0x70);
    smart_read(0xD5, 6, data);
    ck_assert_uint_ge(load_le32(data + 7), 100000 / 512);
    ck_assert_uint_lt(load_le32(data + 7), DISK_SECTORS);
    give_smart(0xD4, 0x81, 0);
    expect_end(0x51, 0x04);
    ck_assert_uint_eq(in(PORT_MID), 0xF4);
    ck_assert_uint_eq(in(PORT_HIGH), 0x2C);
    unplug();
}
END_TEST

START_TEST(directory_of_logs) {
    plug_disk();
    uint8_t data[512];
    smart_read(0xD5, 0, data);
    ck_assert_uint_eq(load_le16(data), 1);
    for (unsigned log = 1; log < 256; log++) {
        unsigned there = log == 1 || log == 3 || log == 6 || log == 7;
        ck_assert_uint_eq(load_le16(data + log * 2), there);
    }
    command_48(0x2F, 0xA0, 0, 1);
    read_sector(data);
    ck_assert_uint_eq(load_le16(data + 6), 1);
    expect_smart_failure(0xD5, 9, 1);
    expect_smart_failure(0xD5, 3, 1); /* only by READ LOG EXT */
    expect_smart_failure(0xD5, 1, 2); /* longer than it is */
    command_48(0x2F, 0xA0, 1, 1);
    expect_end(0x51, 0x04);
    command_48(0x2F, 0xA0, 0x103, 1); /* its second page */
    expect_end(0x51, 0x04);
    unplug();
}
END_TEST

START_TEST(identity_is_complete) {
    plug_disk();
    uint8_t data[512];
    identify(data);
    ck_assert_uint_eq(load_le16(data + 4), 0xC837);
    ck_assert_uint_eq(load_le16(data + 160) & 0x80, 0x80); /* ATA-7 */
    ck_assert_uint_eq(load_le16(data + 164), 0x7469);
    ck_assert_uint_eq(load_le16(data + 168), 0x4063);
    ck_assert_uint_eq(load_le16(data + 170), 0x7469);
    ck_assert_uint_eq(load_le16(data + 174), 0x4063);
    ck_assert_uint_eq(load_le16(data + 256), 0); /* no security */
    ck_assert_uint_eq(data[510], 0xA5);
    out(PORT_FEATURES, 0x82);
    run(0xEF, 0xA0, 0, 0);
    out(PORT_FEATURES, 0x55);
    run(0xEF, 0xA0, 0, 0);
    identify(data);
    ck_assert_uint_eq(load_le16(data + 170), 0x7409);
    unplug();
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, power_modes);
    tcase_add_test(tests, sleeps_until_it_is_reset);
    tcase_add_test(tests, hides_sectors);
    tcase_add_test(tests, buffer);
    tcase_add_test(tests, refuses_what_it_has_not);
    tcase_add_test(tests, writes_through_the_cache);
    tcase_add_test(tests, smart_attributes);
    tcase_add_test(tests, smart_can_be_disabled);
    tcase_add_test(tests, self_tests);
    tcase_add_test(tests, log_of_tests_is_a_ring);
    tcase_add_test(tests, errors_are_logged);
    tcase_add_test(tests, directory_of_logs);
    tcase_add_test(tests, identity_is_complete);
}

int main(void) {
    return run_suite("ide settings", add_tests);
}
