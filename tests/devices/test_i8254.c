#include "chip_fixture.h"
#include "i8254.h"
#include "pc_speaker.h"

static ChipFixture *fixture;
static I8254 *pit;
static PcSpeaker *speaker;
static Probe out0;

static void setup(void) {
    fixture = chip_fixture_create();
    out0 = (Probe){0};
    Wire wire = probe_wire(&out0);
    pit = i8254_create(&fixture->context, &wire, NULL);
    speaker = pc_speaker_create(&fixture->context, pit, NULL, NULL);
    ck_assert_ptr_nonnull(pit);
    ck_assert_ptr_nonnull(speaker);
}

static void teardown(void) {
    pc_speaker_destroy(speaker);
    i8254_destroy(pit);
    chip_fixture_destroy(fixture);
}

/* The first nanosecond of a CLK cycle. */
static int64_t cycle_ns(int64_t cycle) {
    return (cycle * NS_PER_SECOND + I8254_HZ - 1) / I8254_HZ;
}

static int64_t now_cycle(void) {
    return clock_scale(fixture->clock.stopped_ns, I8254_HZ, NS_PER_SECOND);
}

static void run_cycles(int64_t cycles) {
    chip_fixture_run_to(fixture, cycle_ns(now_cycle() + cycles));
}

static void program(unsigned counter, unsigned mode, uint16_t count) {
    port_out(fixture, 0x43, (uint8_t)(counter << 6 | 0x30 | mode << 1));
    port_out(fixture, (uint16_t)(0x40 + counter), (uint8_t)count);
    port_out(fixture, (uint16_t)(0x40 + counter), (uint8_t)(count >> 8));
}

static unsigned read_latched(unsigned counter) {
    port_out(fixture, 0x43, (uint8_t)(counter << 6));
    unsigned low = port_in(fixture, (uint16_t)(0x40 + counter));
    return low | (unsigned)port_in(fixture, (uint16_t)(0x40 + counter)) << 8;
}

static uint8_t read_status(unsigned counter) {
    port_out(fixture, 0x43, (uint8_t)(0xE0 | 2u << counter));
    return port_in(fixture, (uint16_t)(0x40 + counter));
}

/* OUT of a counter over the next cycles, as a string of 0 and 1. */
static const char *trace_out(unsigned counter, unsigned cycles) {
    static char text[128];
    for (unsigned i = 0; i < cycles; i++) {
        text[i] = i8254_out(pit, counter) ? '1' : '0';
        run_cycles(1);
    }
    text[cycles] = 0;
    return text;
}

START_TEST(mode_0_interrupts_on_terminal_count) {
    program(0, 0, 4);
    /* The count is loaded one cycle after it was written, and OUT is high N + 1 after. */
    ck_assert_str_eq(trace_out(0, 8), "00000111");
    ck_assert_int_eq(out0.rises, 2); /* one is from the high level after reset */
    ck_assert_uint_eq(read_latched(0), (uint16_t)-3);
    run_cycles(100000);
    ck_assert_int_eq(out0.rises, 2);
    ck_assert_int_eq(out0.level, 1);
}
END_TEST

START_TEST(mode_0_first_byte_stops_counting) {
    program(0, 0, 1000);
    run_cycles(500);
    port_out(fixture, 0x40, 0x10);
    run_cycles(2000);
    ck_assert(!i8254_out(pit, 0));
    port_out(fixture, 0x40, 0x00);
    run_cycles(16);
    ck_assert(!i8254_out(pit, 0));
    run_cycles(1);
    ck_assert(i8254_out(pit, 0));
}
END_TEST

START_TEST(mode_2_divides) {
    program(0, 2, 4);
    /* 1 cycle to load, then 3 high and 1 low, again and again. */
    ck_assert_str_eq(trace_out(0, 14), "11110111011101");
    int before = out0.rises;
    run_cycles(400);
    ck_assert_int_eq(out0.rises - before, 100);
}
END_TEST

START_TEST(mode_2_edges_are_exact) {
    chip_fixture_run_to(fixture, 12345);
    program(0, 2, 1193);
    int64_t loaded = now_cycle() + 1;
    int before = out0.rises;
    for (int i = 1; i <= 1000; i++) {
        chip_fixture_run_to(fixture, cycle_ns(loaded + i * 1193LL) - 1);
        ck_assert_int_eq(out0.rises - before, i - 1);
        chip_fixture_run_to(fixture, cycle_ns(loaded + i * 1193LL));
        ck_assert_int_eq(out0.rises - before, i);
    }
}
END_TEST

START_TEST(mode_2_takes_a_new_count_at_the_end_of_the_cycle) {
    program(2, 2, 10);
    port_out(fixture, 0x61, 0x01);
    run_cycles(1);
    run_cycles(4);
    port_out(fixture, 0x42, 5);
    port_out(fixture, 0x42, 0);
    ck_assert_uint_eq(read_latched(2), 6);
    ck_assert_str_eq(trace_out(2, 16), "1111101111011110");
}
END_TEST

START_TEST(mode_3_square_wave) {
    program(0, 3, 6);
    run_cycles(1);
    ck_assert_str_eq(trace_out(0, 13), "1110001110001");
    program(0, 3, 5); /* odd: the high half is one longer */
    run_cycles(1);
    ck_assert_str_eq(trace_out(0, 12), "111001110011");
    int before = out0.rises;
    run_cycles(5000);
    ck_assert_int_eq(out0.rises - before, 1000);
    ck_assert_int_eq(out0.level, i8254_out(pit, 0));
}
END_TEST

START_TEST(mode_3_counts_by_two) {
    program(0, 3, 8);
    run_cycles(1);
    static const unsigned expected[] = {8, 6, 4, 2, 8, 6, 4, 2, 8};
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ck_assert_uint_eq(read_latched(0), expected[i]);
        run_cycles(1);
    }
}
END_TEST

START_TEST(mode_1_is_a_retriggerable_one_shot) {
    port_out(fixture, 0x61, 0x00);
    program(2, 1, 3);
    ck_assert_str_eq(trace_out(2, 4), "1111");
    port_out(fixture, 0x61, 0x01);
    ck_assert_str_eq(trace_out(2, 6), "100011");
    port_out(fixture, 0x61, 0x00);
    port_out(fixture, 0x61, 0x01);
    ck_assert_str_eq(trace_out(2, 3), "100");
    port_out(fixture, 0x61, 0x00);
    port_out(fixture, 0x61, 0x01);
    ck_assert_str_eq(trace_out(2, 6), "000011");
}
END_TEST

START_TEST(mode_4_and_5_strobe) {
    program(0, 4, 3);
    ck_assert_str_eq(trace_out(0, 8), "11110111");
    port_out(fixture, 0x61, 0x00);
    program(2, 5, 3);
    ck_assert_str_eq(trace_out(2, 3), "111");
    port_out(fixture, 0x61, 0x01);
    ck_assert_str_eq(trace_out(2, 8), "11110111");
}
END_TEST

START_TEST(gate_freezes_and_restarts) {
    port_out(fixture, 0x61, 0x01);
    program(2, 0, 100);
    run_cycles(41);
    port_out(fixture, 0x61, 0x00);
    run_cycles(1000);
    ck_assert_uint_eq(read_latched(2), 60);
    port_out(fixture, 0x61, 0x01);
    run_cycles(59);
    ck_assert_uint_eq(port_in(fixture, 0x61) & 0x20, 0);
    run_cycles(1);
    ck_assert_uint_eq(port_in(fixture, 0x61) & 0x20, 0x20);
    program(2, 2, 100);
    run_cycles(41);
    port_out(fixture, 0x61, 0x00);
    ck_assert(i8254_out(pit, 2));
    port_out(fixture, 0x61, 0x01);
    run_cycles(1);
    ck_assert_uint_eq(read_latched(2), 100); /* a rising gate loads anew */
}
END_TEST

START_TEST(bcd_counts_in_decimal) {
    port_out(fixture, 0x43, 0x31);
    port_out(fixture, 0x40, 0x34);
    port_out(fixture, 0x40, 0x12);
    run_cycles(1 + 35);
    ck_assert_uint_eq(read_latched(0), 0x1199);
    run_cycles(1200);
    ck_assert_uint_eq(read_latched(0), 0x9999);
}
END_TEST

START_TEST(count_0_is_the_largest) {
    program(0, 2, 0);
    run_cycles(1);
    ck_assert_uint_eq(read_latched(0), 0);
    run_cycles(1);
    ck_assert_uint_eq(read_latched(0), 0xFFFF);
    int before = out0.rises;
    run_cycles(65535);
    ck_assert_int_eq(out0.rises - before, 1);
}
END_TEST

START_TEST(latch_holds_until_read) {
    program(0, 2, 1000);
    run_cycles(1 + 10);
    port_out(fixture, 0x43, 0x00);
    run_cycles(100);
    port_out(fixture, 0x43, 0x00); /* ignored: the first was not read */
    ck_assert_uint_eq(port_in(fixture, 0x40), 990 & 0xFF);
    run_cycles(100);
    ck_assert_uint_eq(port_in(fixture, 0x40), 990 >> 8);
    ck_assert_uint_eq(port_in(fixture, 0x40), (1000 - 210) & 0xFF); /* live again */
}
END_TEST

START_TEST(read_back_gives_status_then_count) {
    port_out(fixture, 0x43, 0x34);
    ck_assert_uint_eq(read_status(0), 0xF4); /* OUT, null count, both bytes, mode 2 */
    port_out(fixture, 0x40, 100);
    port_out(fixture, 0x40, 0);
    run_cycles(1);
    port_out(fixture, 0x43, 0xC2);
    ck_assert_uint_eq(port_in(fixture, 0x40), 0xB4);
    ck_assert_uint_eq(port_in(fixture, 0x40), 100);
    ck_assert_uint_eq(port_in(fixture, 0x40), 0);
}
END_TEST

START_TEST(access_modes_for_one_byte) {
    port_out(fixture, 0x43, 0x24); /* counter 0, high byte, mode 2 */
    port_out(fixture, 0x40, 0x12);
    run_cycles(1);
    ck_assert_uint_eq(port_in(fixture, 0x40), 0x12);
    run_cycles(1);
    ck_assert_uint_eq(port_in(fixture, 0x40), 0x11);
    port_out(fixture, 0x43, 0x14); /* low byte */
    port_out(fixture, 0x40, 0x80);
    run_cycles(1 + 8);
    ck_assert_uint_eq(port_in(fixture, 0x40), 0x78);
}
END_TEST

START_TEST(port_61_shows_refresh_and_drives_the_speaker) {
    int changes = 0, last = port_in(fixture, 0x61) & 0x10;
    for (int i = 0; i < 1800; i++) {
        run_cycles(1);
        changes += (port_in(fixture, 0x61) & 0x10) != last;
        last = port_in(fixture, 0x61) & 0x10;
    }
    ck_assert_int_eq(changes, 100); /* every 15.09 us */
    program(2, 3, 1193);
    port_out(fixture, 0x61, 0x03);
    run_cycles(2);
    ck_assert_uint_eq(port_in(fixture, 0x61) & 0x0F, 0x03);
    port_out(fixture, 0x61, 0x00);
    ck_assert_uint_eq(port_in(fixture, 0x61) & 0x0F, 0x00);
}
END_TEST

static void change(ChipFixture *board) {
    chip_fixture_run(board, 123456789);
    port_out(board, 0x61, 0x03);
    program(1, 2, 18);
    port_in(board, 0x40);
}

START_TEST(saves_and_restores) {
    program(0, 3, 1193);
    program(2, 2, 500);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(goes_on_after_restore) {
    Snapshot snapshot;
    program(0, 3, 11931);
    chip_fixture_run(fixture, 1234567);
    snapshot_take(fixture, &snapshot);
    int before = out0.rises;
    chip_fixture_run(fixture, 100000000);
    int rises = out0.rises - before;
    ck_assert_int_eq(rises, 10);
    program(0, 0, 1);
    chip_fixture_run(fixture, 1000000);
    snapshot_restore(fixture, &snapshot);
    out0 = (Probe){.level = i8254_out(pit, 0)};
    chip_fixture_run(fixture, 100000000);
    ck_assert_int_eq(out0.rises, rises);
    snapshot_free(&snapshot);
}
END_TEST

/* A clock as a host has it: it goes on between any two questions. */
typedef struct HastyClock {
    int64_t now_ns, step_ns;
} HastyClock;

static int64_t hasty_clock(void *opaque) {
    HastyClock *hasty = opaque;
    return hasty->now_ns += hasty->step_ns;
}

/* One-shots, as systems without a periodic tick use them: each must give its interrupt, or the
 * system sleeps for ever. */
START_TEST(no_edge_is_lost_while_time_passes) {
    static const unsigned modes[] = {0, 4};
    static const int64_t steps[] = {300, 400, 500, 900, 2000};
    HastyClock hasty = {.step_ns = steps[_i]};
    fixture->clock.source = hasty_clock;
    fixture->clock.source_opaque = &hasty;
    for (unsigned i = 0; i < 2; i++) {
        for (uint16_t count = 1; count < 40; count++) {
            port_out(fixture, 0x43, (uint8_t)(0x30 | modes[i] << 1));
            port_out(fixture, 0x40, (uint8_t)count);
            out0.rises = 0;
            port_out(fixture, 0x40, 0);
            for (unsigned round = 0; round < 200; round++)
                clock_run_due(&fixture->clock);
            ck_assert_msg(out0.rises == 1, "mode %u, count %u: %d rises", modes[i], count,
                          out0.rises);
        }
    }
}
END_TEST

/* The processor reloads the counter before the run loop had time for an edge that was due. */
START_TEST(an_edge_that_is_due_comes_before_a_new_count) {
    program(0, 4, 100);
    out0.rises = 0;
    fixture->clock.stopped_ns += 100 * 1000000;
    program(0, 4, 100);
    ck_assert_int_eq(out0.rises, 1);
    run_cycles(200);
    ck_assert_int_eq(out0.rises, 2);
}
END_TEST

START_TEST(survives_random_accesses) {
    check_survives_random_accesses(fixture, 0x40, 4, 20000);
    chip_fixture_run(fixture, 1000000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, mode_0_interrupts_on_terminal_count);
    tcase_add_test(tests, mode_0_first_byte_stops_counting);
    tcase_add_test(tests, mode_2_divides);
    tcase_add_test(tests, mode_2_edges_are_exact);
    tcase_add_test(tests, mode_2_takes_a_new_count_at_the_end_of_the_cycle);
    tcase_add_test(tests, mode_3_square_wave);
    tcase_add_test(tests, mode_3_counts_by_two);
    tcase_add_test(tests, mode_1_is_a_retriggerable_one_shot);
    tcase_add_test(tests, mode_4_and_5_strobe);
    tcase_add_test(tests, gate_freezes_and_restarts);
    tcase_add_test(tests, bcd_counts_in_decimal);
    tcase_add_test(tests, count_0_is_the_largest);
    tcase_add_test(tests, latch_holds_until_read);
    tcase_add_test(tests, read_back_gives_status_then_count);
    tcase_add_test(tests, access_modes_for_one_byte);
    tcase_add_test(tests, port_61_shows_refresh_and_drives_the_speaker);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, goes_on_after_restore);
    tcase_add_loop_test(tests, no_edge_is_lost_while_time_passes, 0, 5);
    tcase_add_test(tests, an_edge_that_is_due_comes_before_a_new_count);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("i8254", add);
}
