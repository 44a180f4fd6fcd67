#include "chip_fixture.h"
#include "uart16550.h"
#include <string.h>

enum { PORT = 0x3F8, DATA = PORT, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static ChipFixture *fixture;
static Uart16550 *uart;
static Probe irq;
static Sink sink;

#define CHARACTER_NS 86805 /* 10 bits at 115200 baud */
#define SEND_NS 1000       /* a character that leaves the machine, at any speed */

static void setup(void) {
    fixture = chip_fixture_create();
    irq = (Probe){0};
    sink = (Sink){0};
    Uart16550Options options = {"serial0", PORT, probe_wire(&irq), sink_write, &sink};
    uart = uart16550_create(&fixture->context, &options, NULL);
    ck_assert_ptr_nonnull(uart);
    port_out(fixture, LCR, 0x83);
    port_out(fixture, DATA, 1);
    port_out(fixture, IER, 0);
    port_out(fixture, LCR, 0x03);
    port_out(fixture, MCR, 0x0B);
}

static void teardown(void) {
    uart16550_destroy(uart);
    chip_fixture_destroy(fixture);
}

START_TEST(registers_keep_their_bits) {
    ck_assert_uint_eq(port_in(fixture, MSR), 0xB0);
    port_out(fixture, SCR, 0x5A);
    ck_assert_uint_eq(port_in(fixture, SCR), 0x5A);
    port_out(fixture, IER, 0xFF);
    ck_assert_uint_eq(port_in(fixture, IER), 0x0F);
    port_out(fixture, MCR, 0xFF);
    ck_assert_uint_eq(port_in(fixture, MCR), 0x1F);
    port_out(fixture, LCR, 0x83);
    ck_assert_uint_eq(port_in(fixture, DATA), 1);
    port_out(fixture, IER, 0x12);
    ck_assert_uint_eq(port_in(fixture, IER), 0x12);
    port_out(fixture, LCR, 0x03);
    ck_assert_uint_eq(port_in(fixture, IER), 0x0F);
    ck_assert_uint_eq(port_in(fixture, IIR) & 0xC0, 0x00);
    port_out(fixture, IIR, 0x01);
    ck_assert_uint_eq(port_in(fixture, IIR) & 0xC0, 0xC0);
}
END_TEST

START_TEST(line_that_nobody_set_up_has_8_bits) {
    device_list_reset(fixture->context.devices);
    port_out(fixture, DATA, 'x');
    chip_fixture_run(fixture, SEND_NS);
    ck_assert_uint_eq(sink.bytes[0], 'x');
    port_out(fixture, LCR, 0x80);
    port_out(fixture, DATA, 1);
    port_out(fixture, LCR, 0x00); /* now 5 bits are meant */
    port_out(fixture, DATA, 'x');
    chip_fixture_run(fixture, 100 * SEND_NS);
    ck_assert_uint_eq(sink.bytes[1], 'x' & 0x1F);
}
END_TEST

/* 7 data bits, parity, 2 stop bits at 300 baud: 11 bits. */
static void set_slow_line(void) {
    port_out(fixture, LCR, 0x8E);
    port_out(fixture, DATA, 0x80);
    port_out(fixture, IER, 0x01);
    port_out(fixture, LCR, 0x0E);
}

START_TEST(characters_leave_at_once) {
    ck_assert_uint_eq(port_in(fixture, LSR), 0x60);
    port_out(fixture, DATA, 'A');
    ck_assert_uint_eq(port_in(fixture, LSR), 0x20); /* shifting already */
    port_out(fixture, DATA, 'B');
    ck_assert_uint_eq(port_in(fixture, LSR), 0x00);
    chip_fixture_run(fixture, SEND_NS - 1);
    ck_assert_uint_eq(sink.count, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_uint_eq(sink.count, 1);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x20);
    chip_fixture_run(fixture, SEND_NS);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x60);
    ck_assert_mem_eq(sink.bytes, "AB", 2);
    set_slow_line();
    port_out(fixture, DATA, 0xFF);
    chip_fixture_run(fixture, SEND_NS);
    ck_assert_uint_eq(sink.count, 3);
    ck_assert_uint_eq(sink.bytes[2], 0x7F);
}
END_TEST

START_TEST(status_is_not_late) {
    port_out(fixture, DATA, 'A');
    port_out(fixture, DATA, 'B');
    fixture->clock.stopped_ns += SEND_NS - 1; /* time passes, and events wait */
    ck_assert_uint_eq(port_in(fixture, LSR), 0x00);
    fixture->clock.stopped_ns += 1;
    ck_assert_uint_eq(port_in(fixture, LSR), 0x20);
    ck_assert_uint_eq(sink.count, 1);
    fixture->clock.stopped_ns += SEND_NS;
    ck_assert_uint_eq(port_in(fixture, LSR), 0x60);
    ck_assert_mem_eq(sink.bytes, "AB", 2);
    chip_fixture_run(fixture, 10 * SEND_NS);
    ck_assert_uint_eq(sink.count, 2);
}
END_TEST

START_TEST(loopback_takes_the_time_of_the_line) {
    port_out(fixture, MCR, 0x10);
    set_slow_line();
    port_out(fixture, DATA, 0xFF);
    chip_fixture_run(fixture, 36666665);
    ck_assert_uint_eq(port_in(fixture, LSR) & 0x01, 0);
    chip_fixture_run(fixture, 2);
    ck_assert_uint_eq(port_in(fixture, LSR) & 0x01, 1);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x7F);
}
END_TEST

START_TEST(transmitter_interrupts_when_empty) {
    port_out(fixture, IER, 0x02);
    ck_assert_int_eq(irq.level, 1); /* it is empty */
    ck_assert_uint_eq(port_in(fixture, IIR), 0x02);
    ck_assert_int_eq(irq.level, 0);
    ck_assert_uint_eq(port_in(fixture, IIR), 0x01);
    port_out(fixture, DATA, 'A');
    port_out(fixture, DATA, 'B');
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_int_eq(irq.level, 1);
}
END_TEST

START_TEST(receives_one_by_one) {
    port_out(fixture, IER, 0x01);
    ck_assert_uint_eq(uart16550_receive(uart, "xyz", 3), 3);
    chip_fixture_run(fixture, CHARACTER_NS - 1);
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, IIR), 0x04);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x61);
    chip_fixture_run(fixture, 100 * CHARACTER_NS); /* the others wait, nothing is overrun */
    ck_assert_uint_eq(port_in(fixture, LSR), 0x61);
    ck_assert_uint_eq(port_in(fixture, DATA), 'x');
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, DATA), 'y');
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, DATA), 'z');
    ck_assert_uint_eq(port_in(fixture, LSR), 0x60);
}
END_TEST

START_TEST(fifo_triggers) {
    port_out(fixture, IIR, 0x81); /* 8 characters */
    port_out(fixture, IER, 0x01);
    uart16550_receive(uart, "0123456789", 10);
    chip_fixture_run(fixture, 7 * CHARACTER_NS + 100);
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, IIR), 0xC4);
    chip_fixture_run(fixture, 2 * CHARACTER_NS);
    for (int i = 0; i < 2; i++)
        port_in(fixture, DATA);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, DATA), '2');
    ck_assert_int_eq(irq.level, 0);
    /* What stays below the trigger is told after the time of four characters. */
    chip_fixture_run(fixture, 4 * CHARACTER_NS - 1);
    ck_assert_int_eq(irq.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, IIR), 0xCC);
    ck_assert_uint_eq(port_in(fixture, DATA), '3');
    ck_assert_uint_eq(port_in(fixture, IIR), 0xC1);
}
END_TEST

START_TEST(room_is_told) {
    char text[200];
    memset(text, 'x', sizeof text);
    ck_assert_uint_eq(uart16550_room(uart), 64);
    ck_assert_uint_eq(uart16550_receive(uart, text, sizeof text), 64);
    ck_assert_uint_eq(uart16550_room(uart), 0);
    ck_assert_uint_eq(uart16550_receive(uart, text, 1), 0);
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_uint_eq(uart16550_room(uart), 1);
}
END_TEST

START_TEST(transmit_fifo) {
    port_out(fixture, IIR, 0x01);
    for (int i = 0; i < 20; i++) /* one goes on, 16 wait, 3 are lost */
        port_out(fixture, DATA, (uint8_t)('a' + i));
    chip_fixture_run(fixture, 30 * CHARACTER_NS);
    ck_assert_uint_eq(sink.count, 17);
    ck_assert_mem_eq(sink.bytes, "abcdefghijklmnopq", 17);
    port_out(fixture, DATA, '1');
    port_out(fixture, DATA, '2');
    port_out(fixture, IIR, 0x05); /* clears what waits */
    chip_fixture_run(fixture, 30 * CHARACTER_NS);
    ck_assert_uint_eq(sink.count, 18);
}
END_TEST

START_TEST(loopback) {
    port_out(fixture, MCR, 0x1A); /* RTS and OUT2 */
    ck_assert_uint_eq(port_in(fixture, MSR) & 0xF0, 0x90);
    port_out(fixture, MCR, 0x15); /* DTR and OUT1 */
    ck_assert_uint_eq(port_in(fixture, MSR) & 0xF0, 0x60);
    port_out(fixture, DATA, 0x42);
    uart16550_receive(uart, "z", 1); /* cut off meanwhile */
    chip_fixture_run(fixture, 3 * CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x42);
    ck_assert_uint_eq(sink.count, 0);
    chip_fixture_run(fixture, 3 * CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x60);
    /* Overrun without FIFOs: the new one replaces the old. */
    port_out(fixture, DATA, 1);
    port_out(fixture, DATA, 2);
    chip_fixture_run(fixture, 3 * CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x63);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x61);
    ck_assert_uint_eq(port_in(fixture, DATA), 2);
    /* A break. */
    port_out(fixture, LCR, 0x43);
    ck_assert_uint_eq(port_in(fixture, LSR), 0x79);
    ck_assert_uint_eq(port_in(fixture, DATA), 0);
    port_out(fixture, LCR, 0x03);
    port_out(fixture, MCR, 0x0B);
    chip_fixture_run(fixture, CHARACTER_NS);
    ck_assert_uint_eq(port_in(fixture, DATA), 'z');
}
END_TEST

START_TEST(line_status_interrupt_comes_first) {
    port_out(fixture, IER, 0x05);
    port_out(fixture, MCR, 0x18);
    port_out(fixture, LCR, 0x43);
    ck_assert_uint_eq(port_in(fixture, IIR), 0x06);
    ck_assert_int_eq(irq.level, 0); /* the card lets none out in loopback */
    port_in(fixture, LSR);
    ck_assert_uint_eq(port_in(fixture, IIR), 0x04);
}
END_TEST

START_TEST(modem_lines_report_changes) {
    port_in(fixture, MSR);
    port_out(fixture, IER, 0x08);
    uart16550_set_modem_lines(uart, UART_CLEAR_TO_SEND);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(port_in(fixture, IIR), 0x00);
    ck_assert_uint_eq(port_in(fixture, MSR), 0x1A);
    ck_assert_int_eq(irq.level, 0);
    ck_assert_uint_eq(port_in(fixture, MSR), 0x10);
    uart16550_set_modem_lines(uart, UART_CLEAR_TO_SEND | UART_RING_INDICATOR);
    ck_assert_int_eq(irq.level, 0);
    uart16550_set_modem_lines(uart, UART_CLEAR_TO_SEND);
    ck_assert_uint_eq(port_in(fixture, MSR), 0x14); /* the end of a ring */
}
END_TEST

START_TEST(out_2_gates_the_interrupt) {
    port_out(fixture, MCR, 0x03);
    port_out(fixture, IER, 0x02);
    ck_assert_int_eq(irq.level, 0);
    port_out(fixture, MCR, 0x0B);
    ck_assert_int_eq(irq.level, 1);
}
END_TEST

static void change(ChipFixture *board) {
    uart16550_receive(uart, "more", 4);
    chip_fixture_run(board, 3 * CHARACTER_NS / 2);
    port_in(board, DATA);
    port_out(board, SCR, 1);
}

START_TEST(saves_and_restores) {
    port_out(fixture, IIR, 0xC1);
    port_out(fixture, IER, 0x0F);
    uart16550_receive(uart, "hello", 5);
    chip_fixture_run(fixture, CHARACTER_NS / 2);
    port_out(fixture, DATA, 'A');
    port_out(fixture, DATA, 'B');
    chip_fixture_run(fixture, SEND_NS / 2);
    check_devices_save_and_restore(fixture, change);
    /* 'A' was on its way and 'B' behind it, in each of the three runs. */
    ck_assert_uint_eq(sink.count, 6);
    ck_assert_mem_eq(sink.bytes, "ABABAB", 6);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 400; round++) {
        sink.count = 0;
        check_survives_random_accesses(fixture, PORT, 8, 50);
        uart16550_receive(uart, "0123456789", (size_t)round % 10);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, registers_keep_their_bits);
    tcase_add_test(tests, line_that_nobody_set_up_has_8_bits);
    tcase_add_test(tests, characters_leave_at_once);
    tcase_add_test(tests, status_is_not_late);
    tcase_add_test(tests, loopback_takes_the_time_of_the_line);
    tcase_add_test(tests, transmitter_interrupts_when_empty);
    tcase_add_test(tests, receives_one_by_one);
    tcase_add_test(tests, fifo_triggers);
    tcase_add_test(tests, room_is_told);
    tcase_add_test(tests, transmit_fifo);
    tcase_add_test(tests, loopback);
    tcase_add_test(tests, line_status_interrupt_comes_first);
    tcase_add_test(tests, modem_lines_report_changes);
    tcase_add_test(tests, out_2_gates_the_interrupt);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("uart16550", add);
}
