#include "chip_fixture.h"
#include "gameport.h"

static ChipFixture *fixture;
static Gameport *port;

static void setup(void) {
    fixture = chip_fixture_create();
    port = gameport_create(&fixture->context, NULL);
    gameport_set_axis(port, 0, 0);
    gameport_set_axis(port, 1, GAMEPORT_CENTER);
}

static void teardown(void) {
    gameport_destroy(port);
    chip_fixture_destroy(fixture);
}

static uint8_t read_after(int64_t ns) {
    chip_fixture_run(fixture, ns);
    return port_in(fixture, 0x201);
}

/* 24.2 us and 11 ns an ohm: 552 us in the middle, however fast the processor is. */
START_TEST(axes_take_time) {
    ck_assert_uint_eq(port_in(fixture, 0x201), 0xF0);
    port_out(fixture, 0x201, 0);
    ck_assert_uint_eq(port_in(fixture, 0x201), 0xFF);
    ck_assert_uint_eq(read_after(24199), 0xFF);
    ck_assert_uint_eq(read_after(1), 0xFE);
    ck_assert_uint_eq(read_after(552156 - 1), 0xFE);
    ck_assert_uint_eq(read_after(100), 0xFC);
    ck_assert_uint_eq(read_after(NS_PER_SECOND), 0xFC); /* no second joystick */
    gameport_set_axis(port, 0, 255);
    gameport_set_axis(port, 2, 1000);
    port_out(fixture, 0x201, 0);
    ck_assert_uint_eq(read_after(24200 + 1099000), 0xFD);
    ck_assert_uint_eq(read_after(2000), 0xF8);
}
END_TEST

START_TEST(buttons_are_low_while_down) {
    gameport_set_button(port, 0, true);
    gameport_set_button(port, 3, true);
    gameport_set_button(port, 9, true);
    ck_assert_uint_eq(port_in(fixture, 0x201), 0x60);
    gameport_set_button(port, 0, false);
    ck_assert_uint_eq(port_in(fixture, 0x207), 0x70);
}
END_TEST

static void change(ChipFixture *board) {
    gameport_set_button(port, 1, true);
    port_out(board, 0x201, 0);
    chip_fixture_run(board, 100000);
}

START_TEST(saves_and_restores) {
    port_out(fixture, 0x201, 0);
    check_devices_save_and_restore(fixture, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, axes_take_time);
    tcase_add_test(tests, buttons_are_low_while_down);
    tcase_add_test(tests, saves_and_restores);
}

int main(void) {
    return run_suite("gameport", add);
}
