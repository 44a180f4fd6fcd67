#include "chip_fixture.h"
#include "parallel.h"

enum { PORT = 0x378, STATUS = PORT + 1, CONTROL = PORT + 2 };

static ChipFixture *fixture;
static ParallelPort *port;
static Probe irq;
static Sink sink;

static void setup(void) {
    fixture = chip_fixture_create();
    irq = (Probe){0};
    sink = (Sink){0};
    ParallelOptions options = {"parallel0", PORT, probe_wire(&irq), sink_write, &sink};
    port = parallel_create(&fixture->context, &options, NULL);
    ck_assert_ptr_nonnull(port);
}

static void teardown(void) {
    parallel_destroy(port);
    chip_fixture_destroy(fixture);
}

static void print(uint8_t byte) {
    port_out(fixture, PORT, byte);
    port_out(fixture, CONTROL, 0x0D);
    port_out(fixture, CONTROL, 0x0C);
}

START_TEST(strobe_prints) {
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xDF);
    port_out(fixture, PORT, 'A');
    port_out(fixture, CONTROL, 0x0D);
    ck_assert_uint_eq(sink.count, 1);
    ck_assert_uint_eq(port_in(fixture, STATUS) & 0xC0, 0x40); /* busy */
    port_out(fixture, CONTROL, 0x0C);
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(port_in(fixture, STATUS) & 0xC0, 0x00); /* acknowledging, however late */
    ck_assert_uint_eq(port_in(fixture, STATUS), 0xDF);
    print('B');
    print('C'); /* at once */
    ck_assert_uint_eq(sink.count, 3);
    ck_assert_mem_eq(sink.bytes, "ABC", 3);
    ck_assert_int_eq(irq.rises, 0);
}
END_TEST

START_TEST(acknowledge_interrupts) {
    port_out(fixture, CONTROL, 0x1C);
    port_out(fixture, CONTROL, 0x1D);
    ck_assert_int_eq(irq.rises, 0);
    chip_fixture_run(fixture, 20000);
    ck_assert_int_eq(irq.rises, 1);
}
END_TEST

/* The interrupt is asked for after the strobe, but before the printer acknowledges; then too late.
 */
START_TEST(acknowledge_interrupts_who_asks_in_time) {
    print('A');
    chip_fixture_run(fixture, 5000);
    port_out(fixture, CONTROL, 0x1C);
    ck_assert_int_eq(irq.rises, 0);
    chip_fixture_run(fixture, 5000);
    ck_assert_int_eq(irq.rises, 1);
    port_out(fixture, CONTROL, 0x0C);
    print('B');
    chip_fixture_run(fixture, 10000);
    port_out(fixture, CONTROL, 0x1C);
    chip_fixture_run(fixture, 100000);
    ck_assert_int_eq(irq.rises, 1);
}
END_TEST

START_TEST(registers_read_back) {
    port_out(fixture, PORT, 0x5A);
    ck_assert_uint_eq(port_in(fixture, PORT), 0x5A);
    port_out(fixture, CONTROL, 0x2C);
    ck_assert_uint_eq(port_in(fixture, CONTROL), 0xEC);
    ck_assert_uint_eq(port_in(fixture, PORT), 0xFF);
}
END_TEST

START_TEST(without_a_printer) {
    ParallelOptions options = {"parallel1", 0x278, probe_wire(&irq), NULL, NULL};
    ParallelPort *empty = parallel_create(&fixture->context, &options, NULL);
    port_out(fixture, 0x27A, 0x0D);
    ck_assert_uint_eq(port_in(fixture, 0x279) & 0xB0, 0x20);
    parallel_destroy(empty);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    print('Z');
    port_out(fixture, CONTROL, 0x1C); /* with the acknowledgement's event */
    chip_fixture_run(fixture, 3000);
}

START_TEST(saves_and_restores) {
    print('Y');
    chip_fixture_run(fixture, 3000);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 100; round++) {
        sink.count = 0;
        check_survives_random_accesses(fixture, PORT, 3, 100);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, strobe_prints);
    tcase_add_test(tests, acknowledge_interrupts);
    tcase_add_test(tests, acknowledge_interrupts_who_asks_in_time);
    tcase_add_test(tests, registers_read_back);
    tcase_add_test(tests, without_a_printer);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("parallel", add);
}
