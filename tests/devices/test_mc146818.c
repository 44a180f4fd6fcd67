#include "chip_fixture.h"
#include "mc146818.h"

static ChipFixture *fixture;
static Mc146818 *rtc;
static Probe irq;

#define NOON_1995 788961600LL /* 1995-01-01 12:00:00, a Sunday */
#define MS 1000000LL

static void setup(void) {
    fixture = chip_fixture_create();
    irq = (Probe){0};
    Wire wire = probe_wire(&irq);
    rtc = mc146818_create(&fixture->context, &wire, NULL);
    ck_assert_ptr_nonnull(rtc);
    mc146818_set_time(rtc, NOON_1995);
}

static void teardown(void) {
    mc146818_destroy(rtc);
    chip_fixture_destroy(fixture);
}

static uint8_t rtc_get(uint8_t index) {
    port_out(fixture, 0x70, index);
    return port_in(fixture, 0x71);
}

static void rtc_put(uint8_t index, uint8_t value) {
    port_out(fixture, 0x70, index);
    port_out(fixture, 0x71, value);
}

static void check_time(unsigned hour, unsigned minute, unsigned second) {
    ck_assert_uint_eq(rtc_get(4), hour);
    ck_assert_uint_eq(rtc_get(2), minute);
    ck_assert_uint_eq(rtc_get(0), second);
}

START_TEST(time_runs_with_the_clock) {
    check_time(0x12, 0x00, 0x00);
    ck_assert_uint_eq(rtc_get(6), 1);
    ck_assert_uint_eq(rtc_get(7), 0x01);
    ck_assert_uint_eq(rtc_get(8), 0x01);
    ck_assert_uint_eq(rtc_get(9), 0x95);
    ck_assert_uint_eq(rtc_get(CMOS_CENTURY), 0x19);
    ck_assert_uint_eq(rtc_get(13), 0x80);
    chip_fixture_run(fixture, 1000 * MS - 1);
    check_time(0x12, 0x00, 0x00);
    chip_fixture_run(fixture, 1);
    check_time(0x12, 0x00, 0x01);
    chip_fixture_run(fixture, 12 * 3600000 * MS);
    check_time(0x00, 0x00, 0x01);
    ck_assert_uint_eq(rtc_get(6), 2);
    ck_assert_uint_eq(rtc_get(7), 0x02);
    ck_assert_int_eq(mc146818_time(rtc), NOON_1995 + 12 * 3600 + 1);
}
END_TEST

/* As while a machine is paused; parts of a second add up. */
START_TEST(time_passes_beside_the_clock) {
    mc146818_pass_time(rtc, 3600 * 1000 * MS + 700 * MS);
    check_time(0x13, 0x00, 0x00);
    chip_fixture_run(fixture, 299 * MS);
    check_time(0x13, 0x00, 0x00);
    chip_fixture_run(fixture, MS);
    check_time(0x13, 0x00, 0x01);
    mc146818_pass_time(rtc, -5);
    check_time(0x13, 0x00, 0x01);
    mc146818_pass_time(rtc, 86400ll * 1000 * MS * 400);
    check_time(0x13, 0x00, 0x01);
    ck_assert_int_eq(mc146818_time(rtc), NOON_1995 + 3601 + 86400ll * 400);
}
END_TEST

START_TEST(century_turns) {
    mc146818_set_time(rtc, 946684799); /* 1999-12-31 23:59:59, a Friday */
    ck_assert_uint_eq(rtc_get(6), 6);
    chip_fixture_run(fixture, 1000 * MS);
    check_time(0, 0, 0);
    ck_assert_uint_eq(rtc_get(9), 0x00);
    ck_assert_uint_eq(rtc_get(CMOS_CENTURY), 0x20);
    ck_assert_uint_eq(rtc_get(6), 7);
    chip_fixture_run(fixture, (31 + 28) * 86400000LL * MS); /* 2000 had a 29th of February */
    ck_assert_uint_eq(rtc_get(8), 0x02);
    ck_assert_uint_eq(rtc_get(7), 0x29);
}
END_TEST

START_TEST(formats) {
    mc146818_set_time(rtc, NOON_1995 + 3 * 3600 + 45 * 60 + 59);
    rtc_put(11, 0x06);
    mc146818_set_time(rtc, NOON_1995 + 3 * 3600 + 45 * 60 + 59);
    check_time(15, 45, 59);
    rtc_put(11, 0x04);
    mc146818_set_time(rtc, NOON_1995 + 3 * 3600 + 45 * 60 + 59);
    check_time(0x83, 45, 59);
    rtc_put(11, 0x00);
    mc146818_set_time(rtc, NOON_1995 + 3 * 3600 + 45 * 60 + 59);
    check_time(0x83, 0x45, 0x59);
    mc146818_set_time(rtc, NOON_1995);
    ck_assert_uint_eq(rtc_get(4), 0x92);
    chip_fixture_run(fixture, 12 * 3600000 * MS);
    ck_assert_uint_eq(rtc_get(4), 0x12);
}
END_TEST

START_TEST(set_bit_stops_updates) {
    rtc_put(11, 0x82);
    chip_fixture_run(fixture, 5000 * MS);
    check_time(0x12, 0x00, 0x00);
    rtc_put(4, 0x23);
    rtc_put(2, 0x59);
    rtc_put(0, 0x58);
    rtc_put(11, 0x02);
    chip_fixture_run(fixture, 3000 * MS);
    check_time(0x00, 0x00, 0x01);
    ck_assert_uint_eq(rtc_get(7), 0x02);
}
END_TEST

START_TEST(update_in_progress) {
    /* Set 244 us before the update, which ends with the new second after 1984 us more. */
    chip_fixture_run(fixture, 1000 * MS - 2229000);
    ck_assert_uint_eq(rtc_get(10) & 0x80, 0);
    chip_fixture_run(fixture, 2000);
    ck_assert_uint_eq(rtc_get(10) & 0x80, 0x80);
    chip_fixture_run(fixture, 2226999);
    ck_assert_uint_eq(rtc_get(10) & 0x80, 0x80);
    check_time(0x12, 0x00, 0x00);
    chip_fixture_run(fixture, 1);
    ck_assert_uint_eq(rtc_get(10) & 0x80, 0);
    check_time(0x12, 0x00, 0x01);
    rtc_put(11, 0x82);
    chip_fixture_run(fixture, 999 * MS);
    ck_assert_uint_eq(rtc_get(10) & 0x80, 0);
}
END_TEST

START_TEST(update_ended_interrupt) {
    rtc_put(11, 0x12);
    rtc_get(12);
    chip_fixture_run(fixture, 1000 * MS - 1);
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(rtc_get(12) & 0x90, 0x90);
    ck_assert_int_eq(irq.level, 0);
    ck_assert_uint_eq(rtc_get(12), 0);
    chip_fixture_run(fixture, 5000 * MS);
    ck_assert_int_eq(irq.rises, 2); /* it was not read any more */
}
END_TEST

START_TEST(alarm) {
    rtc_put(1, 0x05);
    rtc_put(3, 0x01);
    rtc_put(5, 0x12);
    rtc_put(11, 0x22);
    chip_fixture_run(fixture, 64999 * MS);
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, 1 * MS);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(rtc_get(12) & 0xA0, 0xA0);
    chip_fixture_run(fixture, 3600000 * MS);
    ck_assert_int_eq(irq.level, 0);
    rtc_put(5, 0xFF); /* any hour */
    chip_fixture_run(fixture, 3600000 * MS);
    ck_assert_uint_eq(rtc_get(12) & 0xA0, 0xA0);
}
END_TEST

START_TEST(periodic_interrupt) {
    rtc_put(10, 0x26); /* 1024 Hz */
    rtc_put(11, 0x42);
    rtc_get(12);
    int count = 0;
    for (int i = 0; i < 10000; i++) {
        chip_fixture_run(fixture, MS / 10);
        if (irq.level) {
            ck_assert_uint_eq(rtc_get(12) & 0xC0, 0xC0);
            count++;
        }
    }
    ck_assert_int_eq(count, 1024);
    rtc_put(10, 0x20);
    chip_fixture_run(fixture, 1000 * MS);
    ck_assert_uint_eq(rtc_get(12) & 0x40, 0);
}
END_TEST

START_TEST(flags_come_without_interrupts) {
    rtc_get(12);
    chip_fixture_run(fixture, 1100 * MS);
    ck_assert_uint_eq(rtc_get(12), 0x50);
    ck_assert_int_eq(irq.rises, 0);
    ck_assert_int_eq(clock_next_due_ns(&fixture->clock), TIMER_NEVER);
}
END_TEST

START_TEST(divider_reset_holds_the_time) {
    rtc_put(10, 0x70);
    chip_fixture_run(fixture, 5000 * MS);
    check_time(0x12, 0x00, 0x00);
    rtc_put(10, 0x26);
    chip_fixture_run(fixture, 500 * MS - 1);
    check_time(0x12, 0x00, 0x00);
    chip_fixture_run(fixture, 1);
    check_time(0x12, 0x00, 0x01);
}
END_TEST

START_TEST(ram_keeps_bytes) {
    mc146818_set_cmos(rtc, 0x14, 0x41);
    ck_assert_uint_eq(rtc_get(0x14), 0x41);
    rtc_put(0xFF, 0x5A); /* bit 7 masks NMI */
    ck_assert_uint_eq(rtc_get(0x7F), 0x5A);
    ck_assert_uint_eq(mc146818_cmos(rtc, 0x7F), 0x5A);
    device_list_reset(&fixture->devices);
    ck_assert_uint_eq(rtc_get(0x7F), 0x5A);
}
END_TEST

START_TEST(impossible_times_are_survived) {
    static const uint8_t values[] = {0x00, 0x7F, 0x80, 0x99, 0xAA, 0xFF};
    for (unsigned format = 0; format < 8; format += 2)
        for (uint8_t index = 0; index < 10; index++)
            for (unsigned i = 0; i < sizeof values; i++) {
                rtc_put(11, (uint8_t)format);
                rtc_put(index, values[i]);
                rtc_put(CMOS_CENTURY, values[5 - i]);
                chip_fixture_run(fixture, 100000 * MS);
                rtc_get(index);
            }
}
END_TEST

static void change(ChipFixture *board) {
    chip_fixture_run(board, 3333 * MS);
    rtc_put(0x30, 0x77);
    rtc_get(12);
}

START_TEST(saves_and_restores) {
    rtc_put(11, 0x72);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    check_survives_random_accesses(fixture, 0x70, 2, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, time_runs_with_the_clock);
    tcase_add_test(tests, time_passes_beside_the_clock);
    tcase_add_test(tests, century_turns);
    tcase_add_test(tests, formats);
    tcase_add_test(tests, set_bit_stops_updates);
    tcase_add_test(tests, update_in_progress);
    tcase_add_test(tests, update_ended_interrupt);
    tcase_add_test(tests, alarm);
    tcase_add_test(tests, periodic_interrupt);
    tcase_add_test(tests, flags_come_without_interrupts);
    tcase_add_test(tests, divider_reset_holds_the_time);
    tcase_add_test(tests, ram_keeps_bytes);
    tcase_add_test(tests, impossible_times_are_survived);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("mc146818", add);
}
