#include "chip_fixture.h"
#include "i8259.h"

enum { MASTER = 0x20, SLAVE = 0xA0, EOI = 0x20, READ_IRR = 0x0A, READ_ISR = 0x0B };

static ChipFixture *fixture;
static I8259 *pic;
static Probe intr;

static void pic_program(uint8_t icw4) {
    port_out(fixture, MASTER, 0x11);
    port_out(fixture, MASTER + 1, 0x08);
    port_out(fixture, MASTER + 1, 0x04);
    port_out(fixture, MASTER + 1, icw4);
    port_out(fixture, SLAVE, 0x11);
    port_out(fixture, SLAVE + 1, 0x70);
    port_out(fixture, SLAVE + 1, 0x02);
    port_out(fixture, SLAVE + 1, icw4);
}

static void setup(void) {
    fixture = chip_fixture_create();
    intr = (Probe){0};
    Wire wire = probe_wire(&intr);
    pic = i8259_create(&fixture->context, &wire, NULL);
    ck_assert_ptr_nonnull(pic);
    pic_program(0x01);
}

static void teardown(void) {
    i8259_destroy(pic);
    chip_fixture_destroy(fixture);
}

static uint8_t pic_read(uint16_t port, uint8_t command) {
    port_out(fixture, port, command);
    return port_in(fixture, port);
}

START_TEST(request_is_acknowledged_and_ended) {
    ck_assert_int_eq(intr.level, 0);
    i8259_set_irq(pic, 1, 1);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(pic_read(MASTER, READ_IRR), 0x02);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x09);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(pic_read(MASTER, READ_IRR), 0x00);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x02);
    port_out(fixture, MASTER, EOI);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x00);
    /* The line stayed high: only a new edge asks again. */
    ck_assert_int_eq(intr.level, 0);
    i8259_set_irq(pic, 1, 0);
    i8259_set_irq(pic, 1, 1);
    ck_assert_int_eq(intr.level, 1);
}
END_TEST

START_TEST(higher_priority_interrupts_lower) {
    i8259_set_irq(pic, 4, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0C);
    i8259_set_irq(pic, 5, 1);
    ck_assert_int_eq(intr.level, 0);
    i8259_set_irq(pic, 3, 1);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0B);
    port_out(fixture, MASTER, EOI); /* ends 3, the highest in service */
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x10);
    ck_assert_int_eq(intr.level, 0);
    port_out(fixture, MASTER, 0x60 | 4); /* specific */
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0D);
}
END_TEST

START_TEST(mask_holds_a_request) {
    port_out(fixture, MASTER + 1, 0x02);
    i8259_set_irq(pic, 1, 1);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(port_in(fixture, MASTER + 1), 0x02);
    port_out(fixture, MASTER + 1, 0x00);
    ck_assert_int_eq(intr.level, 1);
}
END_TEST

START_TEST(request_that_goes_away_is_spurious) {
    i8259_set_irq(pic, 3, 1);
    i8259_set_irq(pic, 3, 0);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0F);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x00); /* a handler tells it by that */
}
END_TEST

START_TEST(withdrawn_request_of_the_slave) {
    i8259_set_irq(pic, 12, 1);
    ck_assert_uint_eq(pic_read(MASTER, READ_IRR), 0x04);
    port_out(fixture, SLAVE + 1, 0x10);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0F);
    port_out(fixture, SLAVE + 1, 0x00);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x74);
    port_out(fixture, SLAVE, EOI);
    port_out(fixture, MASTER, EOI);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x00);
}
END_TEST

START_TEST(slave_comes_through_pin_2) {
    i8259_set_irq(pic, 8, 1);
    i8259_set_irq(pic, 14, 1);
    i8259_set_irq(pic, 3, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x70); /* before IRQ 3 */
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x04);
    ck_assert_uint_eq(pic_read(SLAVE, READ_ISR), 0x01);
    ck_assert_int_eq(intr.level, 0);
    port_out(fixture, SLAVE, EOI);
    ck_assert_int_eq(intr.level, 0); /* 14 waits behind the master's pin 2 */
    port_out(fixture, MASTER, EOI);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x76);
    port_out(fixture, SLAVE, EOI);
    port_out(fixture, MASTER, EOI);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0B);
}
END_TEST

START_TEST(special_fully_nested_lets_the_slave_interrupt_itself) {
    pic_program(0x11);
    i8259_set_irq(pic, 14, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x76);
    i8259_set_irq(pic, 15, 1);
    ck_assert_int_eq(intr.level, 0);
    i8259_set_irq(pic, 8, 1);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x70);
}
END_TEST

START_TEST(automatic_eoi_and_rotation) {
    pic_program(0x03);
    port_out(fixture, MASTER, 0x80); /* rotate in auto EOI mode */
    i8259_set_irq(pic, 0, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x08);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x00);
    i8259_set_irq(pic, 0, 0);
    i8259_set_irq(pic, 0, 1);
    i8259_set_irq(pic, 7, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0F); /* 0 is the lowest now */
}
END_TEST

START_TEST(rotation_by_command) {
    i8259_set_irq(pic, 3, 1);
    i8259_acknowledge(pic);
    port_out(fixture, MASTER, 0xA0); /* rotate on non-specific EOI */
    i8259_set_irq(pic, 3, 0);
    i8259_set_irq(pic, 3, 1);
    i8259_set_irq(pic, 4, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0C);
    port_out(fixture, MASTER, 0xC0 | 7); /* set priority: 7 the lowest again */
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0B);
}
END_TEST

START_TEST(special_mask_mode_lets_lower_ones_in) {
    i8259_set_irq(pic, 3, 1);
    i8259_acknowledge(pic);
    i8259_set_irq(pic, 6, 1);
    ck_assert_int_eq(intr.level, 0);
    port_out(fixture, MASTER + 1, 0x08);
    ck_assert_int_eq(intr.level, 0);
    port_out(fixture, MASTER, 0x68);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x0E);
    port_out(fixture, MASTER, EOI); /* not 3, which is masked */
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x08);
    port_out(fixture, MASTER, 0x48);
    port_out(fixture, MASTER, EOI);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x00);
}
END_TEST

START_TEST(poll_command_acknowledges) {
    ck_assert_uint_eq(pic_read(MASTER, 0x0C) & 0x80, 0x00);
    i8259_set_irq(pic, 6, 1);
    ck_assert_uint_eq(pic_read(MASTER, 0x0C), 0x86);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(pic_read(MASTER, READ_ISR), 0x40);
}
END_TEST

START_TEST(level_triggered_asks_until_it_falls) {
    port_out(fixture, 0x4D1, 0xFF);
    ck_assert_uint_eq(port_in(fixture, 0x4D1), 0xDE);
    port_out(fixture, 0x4D0, 0xFF);
    ck_assert_uint_eq(port_in(fixture, 0x4D0), 0xF8);
    i8259_set_irq(pic, 10, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x72);
    port_out(fixture, SLAVE, EOI);
    port_out(fixture, MASTER, EOI);
    ck_assert_int_eq(intr.level, 1);
    ck_assert_uint_eq(i8259_acknowledge(pic), 0x72);
    i8259_set_irq(pic, 10, 0);
    port_out(fixture, SLAVE, EOI);
    port_out(fixture, MASTER, EOI);
    ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(initialisation_forgets_edges_and_masks) {
    port_out(fixture, MASTER + 1, 0xFF);
    i8259_set_irq(pic, 1, 1);
    pic_program(0x01);
    ck_assert_uint_eq(port_in(fixture, MASTER + 1), 0x00);
    ck_assert_int_eq(intr.level, 0);
    ck_assert_uint_eq(pic_read(MASTER, READ_IRR), 0x00);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    i8259_set_irq(pic, 12, 1);
    i8259_acknowledge(pic);
    i8259_set_irq(pic, 1, 0);
    port_out(board, MASTER + 1, 0x55);
}

START_TEST(saves_and_restores) {
    i8259_set_irq(pic, 1, 1);
    i8259_acknowledge(pic);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(survives_random_accesses) {
    check_survives_random_accesses(fixture, 0x20, 2, 20000);
    check_survives_random_accesses(fixture, 0xA0, 2, 20000);
    for (int i = 0; i < 100; i++)
        i8259_acknowledge(pic);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, request_is_acknowledged_and_ended);
    tcase_add_test(tests, higher_priority_interrupts_lower);
    tcase_add_test(tests, mask_holds_a_request);
    tcase_add_test(tests, request_that_goes_away_is_spurious);
    tcase_add_test(tests, withdrawn_request_of_the_slave);
    tcase_add_test(tests, slave_comes_through_pin_2);
    tcase_add_test(tests, special_fully_nested_lets_the_slave_interrupt_itself);
    tcase_add_test(tests, automatic_eoi_and_rotation);
    tcase_add_test(tests, rotation_by_command);
    tcase_add_test(tests, special_mask_mode_lets_lower_ones_in);
    tcase_add_test(tests, poll_command_acknowledges);
    tcase_add_test(tests, level_triggered_asks_until_it_falls);
    tcase_add_test(tests, initialisation_forgets_edges_and_masks);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("i8259", add);
}
