/* The keyboard controller with keyboard and mouse behind it, as software sees them. */
#include "a20_gate.h"
#include "chip_fixture.h"
#include "i8042.h"
#include "keyboard_layouts.h"
#include <string.h>

enum { DATA = 0x60, COMMAND = 0x64, STATUS = 0x64, FULL = 0x01, AUXILIARY = 0x20 };

static ChipFixture *fixture;
static Ps2Keyboard *keyboard;
static Ps2Mouse *mouse;
static A20Gate *gate;
static I8042 *controller;
static Probe irq1, irq12, reset;

static void setup(void) {
    fixture = chip_fixture_create();
    irq1 = irq12 = reset = (Probe){0};
    gate = a20_gate_create(&fixture->context);
    keyboard = ps2_keyboard_create(&fixture->context, NULL);
    mouse = ps2_mouse_create(&fixture->context, NULL);
    I8042Wires wires = {
        probe_wire(&irq1), probe_wire(&irq12), {a20_gate_set_pin, gate, 0}, probe_wire(&reset)};
    controller = i8042_create(&fixture->context, &wires, keyboard, mouse, NULL);
    ck_assert_ptr_nonnull(controller);
    port_out(fixture, COMMAND, 0x60);
    port_out(fixture, DATA, 0x47); /* both ports on, both interrupts, translation */
}

static void teardown(void) {
    i8042_destroy(controller);
    ps2_mouse_destroy(mouse);
    ps2_keyboard_destroy(keyboard);
    a20_gate_destroy(gate);
    chip_fixture_destroy(fixture);
}

/* Reads whatever comes within some milliseconds, as hexadecimal; bytes of the mouse in brackets. */
static const char *collect(int milliseconds) {
    static char text[512];
    text[0] = 0;
    for (int i = 0; i < milliseconds; i++) {
        chip_fixture_run(fixture, 1000000);
        uint8_t status = port_in(fixture, STATUS);
        if (status & FULL)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     status & AUXILIARY ? "%s[%02X]" : "%s%02X", text[0] ? " " : "",
                     port_in(fixture, DATA));
    }
    return text;
}

static const char *send_keyboard(uint8_t byte) {
    port_out(fixture, DATA, byte);
    return collect(10);
}

static const char *send_mouse(uint8_t byte) {
    port_out(fixture, COMMAND, 0xD4);
    port_out(fixture, DATA, byte);
    return collect(10);
}

static void press(const char *name) {
    int key = keyboard_key_find(name);
    ck_assert_msg(key >= 0, "no key %s", name);
    ps2_keyboard_set_key(keyboard, key, true);
}

static void release(const char *name) {
    ps2_keyboard_set_key(keyboard, keyboard_key_find(name), false);
}

static const char *tap(const char *name) {
    press(name);
    release(name);
    return collect(20);
}

static uint8_t controller_ask(uint8_t command) {
    port_out(fixture, COMMAND, command);
    ck_assert_uint_eq(port_in(fixture, STATUS) & FULL, FULL);
    return port_in(fixture, DATA);
}

/* --- the controller --- */

START_TEST(controller_answers) {
    ck_assert_uint_eq(controller_ask(0xAA), 0x55);
    ck_assert_uint_eq(port_in(fixture, STATUS) & 0x0C,
                      0x0C); /* system flag; a command was the last */
    ck_assert_uint_eq(controller_ask(0xAB), 0x00);
    ck_assert_uint_eq(controller_ask(0xA9), 0x00);
    ck_assert_uint_eq(controller_ask(0xA4), 0xF1);
    ck_assert_uint_eq(controller_ask(0x20), 0x47);
    port_out(fixture, COMMAND, 0xAD);
    port_out(fixture, COMMAND, 0xA7);
    ck_assert_uint_eq(controller_ask(0x20), 0x77);
    port_out(fixture, COMMAND, 0xAE);
    port_out(fixture, COMMAND, 0xA8);
    ck_assert_uint_eq(controller_ask(0x20), 0x47);
    port_out(fixture, COMMAND, 0x65);
    port_out(fixture, DATA, 0x99);
    ck_assert_uint_eq(controller_ask(0x25), 0x99);
    ck_assert_uint_eq(controller_ask(0xC0) & 0x80, 0x80);
}
END_TEST

START_TEST(a20_gate_by_output_port) {
    ck_assert_uint_eq(controller_ask(0xD0) & 0x03, 0x03);
    port_out(fixture, COMMAND, 0xD1);
    port_out(fixture, DATA, 0xDD);
    ck_assert(!physical_map_a20(fixture->context.memory));
    ck_assert_uint_eq(controller_ask(0xD0) & 0x03, 0x01);
    port_out(fixture, COMMAND, 0xD1);
    port_out(fixture, DATA, 0xDF);
    ck_assert(physical_map_a20(fixture->context.memory));
    port_out(fixture, COMMAND, 0xDD);
    ck_assert(!physical_map_a20(fixture->context.memory));
    port_out(fixture, COMMAND, 0xDF);
    ck_assert(physical_map_a20(fixture->context.memory));
    ck_assert_int_eq(reset.rises, 0);
}
END_TEST

START_TEST(reset_pulses) {
    port_out(fixture, COMMAND, 0xF1); /* pulses other pins */
    ck_assert_int_eq(reset.rises, 0);
    port_out(fixture, COMMAND, 0xFE);
    ck_assert_int_eq(reset.rises, 1);
    port_out(fixture, COMMAND, 0xD1);
    port_out(fixture, DATA, 0x02);
    ck_assert_int_eq(reset.rises, 2);
}
END_TEST

START_TEST(interrupt_lasts_until_the_byte_is_read) {
    press("a");
    chip_fixture_run(fixture, 999999);
    ck_assert_int_eq(irq1.level, 0);
    chip_fixture_run(fixture, 1);
    ck_assert_int_eq(irq1.level, 1);
    chip_fixture_run(fixture, 5000000);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x1E);
    ck_assert_int_eq(irq1.level, 0);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x1E); /* the latch keeps it */
    ck_assert_int_eq(irq12.rises, 0);
}
END_TEST

START_TEST(disabled_keyboard_waits) {
    port_out(fixture, COMMAND, 0xAD);
    press("b");
    ck_assert_str_eq(collect(10), "");
    port_out(fixture, COMMAND, 0xAE);
    ck_assert_str_eq(collect(10), "30");
}
END_TEST

START_TEST(answer_does_not_lose_a_key) {
    press("a");
    chip_fixture_run(fixture, 1000000);
    ck_assert_uint_eq(controller_ask(0x20), 0x47);
    ck_assert_uint_eq(port_in(fixture, STATUS) & FULL, FULL);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x1E);
}
END_TEST

START_TEST(bytes_can_be_put_into_the_buffer) {
    port_out(fixture, COMMAND, 0xD2);
    port_out(fixture, DATA, 0x12);
    ck_assert_int_eq(irq1.level, 1);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x12);
    port_out(fixture, COMMAND, 0xD3);
    port_out(fixture, DATA, 0x34);
    ck_assert_int_eq(irq12.level, 1);
    ck_assert_uint_eq(port_in(fixture, STATUS) & (FULL | AUXILIARY), FULL | AUXILIARY);
    ck_assert_uint_eq(port_in(fixture, DATA), 0x34);
}
END_TEST

/* --- the keyboard --- */

START_TEST(translated_codes) {
    ck_assert_str_eq(tap("a"), "1E 9E");
    ck_assert_str_eq(tap("f7"), "41 C1");
    ck_assert_str_eq(tap("ret"), "1C 9C");
    ck_assert_str_eq(tap("up"), "E0 48 E0 C8");
    ck_assert_str_eq(tap("kp_8"), "48 C8");
    ck_assert_str_eq(tap("ctrl_r"), "E0 1D E0 9D");
    ck_assert_str_eq(tap("less"), "56 D6");
    ck_assert_str_eq(tap("print"), "E0 2A E0 37 E0 B7 E0 AA");
    ck_assert_str_eq(tap("pause"), "E1 1D 45 E1 9D C5");
    press("ctrl");
    collect(5);
    ck_assert_str_eq(tap("pause"), "E0 46 E0 C6");
    release("ctrl");
    collect(5);
    press("alt");
    collect(5);
    ck_assert_str_eq(tap("print"), "54 D4");
}
END_TEST

/* Every key: what the keyboard sends in set 2 is, translated, its code in set 1. */
START_TEST(sets_agree_for_every_key) {
    for (int key = 0; key < KEYBOARD_KEY_COUNT; key++) {
        const KeyboardKeyInfo *info = keyboard_key_info(key);
        char expected[32];
        if (key == KEYBOARD_KEY_PRINT || key == KEYBOARD_KEY_PAUSE)
            continue;
        unsigned code = info->code[0] & 0xFF;
        if (info->code[0] > 0xFF)
            snprintf(expected, sizeof expected, "E0 %02X E0 %02X", code, code | 0x80);
        else
            snprintf(expected, sizeof expected, "%02X %02X", code, code | 0x80);
        ck_assert_msg(strcmp(tap(info->name), expected) == 0, "%s", info->name);
        ck_assert_int_eq(keyboard_key_find(info->name), key);
    }
}
END_TEST

START_TEST(raw_sets) {
    port_out(fixture, COMMAND, 0x60);
    port_out(fixture, DATA, 0x07);
    ck_assert_str_eq(tap("a"), "1C F0 1C");
    ck_assert_str_eq(tap("up"), "E0 75 E0 F0 75");
    ck_assert_str_eq(tap("pause"), "E1 14 77 E1 F0 14 F0 77");
    ck_assert_str_eq(send_keyboard(0xF0), "FA");
    ck_assert_str_eq(send_keyboard(0x00), "FA 02");
    send_keyboard(0xF0);
    ck_assert_str_eq(send_keyboard(0x01), "FA");
    ck_assert_str_eq(tap("a"), "1E 9E");
    send_keyboard(0xF0);
    ck_assert_str_eq(send_keyboard(0x03), "FA");
    ck_assert_str_eq(tap("a"), "1C"); /* typematic: no break code */
    ck_assert_str_eq(tap("shift"), "12 F0 12");
    ck_assert_str_eq(tap("up"), "63");
    ck_assert_str_eq(send_keyboard(0xF8), "FA");
    ck_assert_str_eq(tap("a"), "1C F0 1C");
    ck_assert_str_eq(send_keyboard(0xFD), "FA"); /* make only: A */
    ck_assert_str_eq(send_keyboard(0x1C), "FA");
    ck_assert_str_eq(send_keyboard(0xF4), "FA");
    ck_assert_str_eq(tap("a"), "1C");
}
END_TEST

START_TEST(keyboard_commands) {
    ck_assert_str_eq(send_keyboard(0xEE), "EE");
    ck_assert_str_eq(send_keyboard(0xED), "FA");
    ck_assert_str_eq(send_keyboard(0x05), "FA");
    ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 0x05);
    ck_assert_str_eq(send_keyboard(0xF2), "FA AB 41"); /* 83h, translated */
    ck_assert_str_eq(send_keyboard(0xF5), "FA");
    ck_assert_str_eq(tap("a"), "");
    ck_assert_str_eq(send_keyboard(0xF4), "FA");
    ck_assert_str_eq(tap("a"), "1E 9E");
    ck_assert_str_eq(send_keyboard(0xFE), "1E"); /* the last byte that was sent: 1Ch */
    ck_assert_str_eq(send_keyboard(0xC3), "FE");
    ck_assert_str_eq(send_keyboard(0xFF), "FA AA");
    ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 0x00);
    ck_assert_str_eq(send_keyboard(0xED), "FA"); /* a command where a parameter was due */
    ck_assert_str_eq(send_keyboard(0xF4), "FA");
}
END_TEST

START_TEST(typematic_runs_in_guest_time) {
    press("x");
    chip_fixture_run(fixture, 499000000);
    ck_assert_str_eq(collect(1), "2D");
    ck_assert_str_eq(collect(4), "2D"); /* after half a second */
    const char *repeats = collect(1000);
    ck_assert_uint_eq((strlen(repeats) + 1) / 3, 10); /* 10.9 a second */
    press("x");                                       /* the host's own repeats are nothing */
    release("x");
    ck_assert_str_eq(collect(1000), "AD");
    send_keyboard(0xF3);
    send_keyboard(0x00); /* 250 ms, 30 a second */
    press("y");
    chip_fixture_run(fixture, 240000000);
    ck_assert_str_eq(collect(5), "15");
    repeats = collect(1005);
    ck_assert_uint_eq((strlen(repeats) + 1) / 3, 30);
    press("z");
    release("y"); /* another key repeats now */
    ck_assert_str_eq(collect(3), "2C 95");
    ck_assert_uint_gt(strlen(collect(400)), 3);
}
END_TEST

START_TEST(full_queue_drops_and_says_so) {
    port_out(fixture, COMMAND, 0x60);
    port_out(fixture, DATA, 0x17); /* keyboard disabled, no translation */
    ck_assert_uint_eq(ps2_keyboard_room(keyboard), 16);
    for (int key = KEYBOARD_KEY_Q; key < KEYBOARD_KEY_Q + 20; key++)
        ps2_keyboard_set_key(keyboard, key, true);
    ck_assert_uint_eq(ps2_keyboard_room(keyboard), 0);
    port_out(fixture, COMMAND, 0xAE);
    ck_assert_str_eq(collect(30), "15 1D 24 2D 2C 35 3C 43 44 4D 54 5B 5A 14 1C 1B 00");
    ck_assert_uint_eq(ps2_keyboard_room(keyboard), 16);
    ck_assert(ps2_keyboard_is_idle(keyboard));
}
END_TEST

START_TEST(typed_text_fits_when_room_is_asked_for) {
    const char *text = "The quick brown fox jumps over the lazy dog, 0123456789!";
    char typed[1024] = "";
    for (const char *at = text; *at != 0;) {
        KeyboardTyping typing;
        ck_assert(keyboard_layout_type(NULL, (uint8_t)*at, &typing));
        int key = (int)typing.strokes[0].key;
        if (ps2_keyboard_room(keyboard) < 2 * PS2_KEYBOARD_LONGEST_SEQUENCE) {
            const char *bytes = collect(1);
            if (bytes[0] != 0)
                snprintf(typed + strlen(typed), sizeof typed - strlen(typed), "%s ", bytes);
            continue;
        }
        ps2_keyboard_set_key(keyboard, KEYBOARD_KEY_SHIFT,
                             typing.strokes[0].modifiers == KEYBOARD_SHIFT);
        ps2_keyboard_set_key(keyboard, key, true);
        ps2_keyboard_set_key(keyboard, key, false);
        at++;
    }
    snprintf(typed + strlen(typed), sizeof typed - strlen(typed), "%s ", collect(50));
    ck_assert_ptr_null(strstr(typed, "00"));
    /* Every key's make code, in order. */
    const char *position = typed;
    for (const char *at = text; *at != 0; at++) {
        KeyboardTyping typing;
        keyboard_layout_type(NULL, (uint8_t)*at, &typing);
        int key = (int)typing.strokes[0].key;
        char code[8];
        snprintf(code, sizeof code, "%02X ", keyboard_key_info(key)->code[0]);
        position = strstr(position, code);
        ck_assert_ptr_nonnull(position);
        position += 3;
    }
}
END_TEST

/* What a typist looks at: who may send, what was not read yet; and the quick cable. */
START_TEST(flow_control_sees_what_was_not_read) {
    ps2_keyboard_set_key(keyboard, KEYBOARD_KEY_A, true);
    ck_assert(ps2_keyboard_is_down(keyboard, KEYBOARD_KEY_A));
    ck_assert(!ps2_keyboard_is_down(keyboard, KEYBOARD_KEY_B));
    chip_fixture_run(fixture, 10000);
    ck_assert(!i8042_holds_byte(controller, I8042_KEYBOARD));
    i8042_hasten(controller);
    chip_fixture_run(fixture, 1);
    ck_assert(i8042_holds_byte(controller, I8042_KEYBOARD));
    ck_assert(!i8042_holds_byte(controller, I8042_AUXILIARY));
    ck_assert(ps2_keyboard_is_idle(keyboard));
    ck_assert_uint_eq(port_in(fixture, DATA), 0x1E);
    ck_assert(!i8042_holds_byte(controller, I8042_KEYBOARD));
    i8042_hasten(controller); /* nothing is on its way */
    chip_fixture_run(fixture, 1);
    ck_assert(!i8042_holds_byte(controller, I8042_KEYBOARD));
}
END_TEST

START_TEST(flow_control_sees_who_listens) {
    ck_assert(i8042_port_is_enabled(controller, I8042_KEYBOARD));
    ck_assert(i8042_port_is_enabled(controller, I8042_AUXILIARY));
    port_out(fixture, COMMAND, 0xAD);
    ck_assert(!i8042_port_is_enabled(controller, I8042_KEYBOARD));
    port_out(fixture, COMMAND, 0xA7);
    ck_assert(!i8042_port_is_enabled(controller, I8042_AUXILIARY));
    ck_assert_str_eq(send_keyboard(0xF5), "FA");
    ck_assert(!ps2_keyboard_is_scanning(keyboard));
    ck_assert_str_eq(send_keyboard(0xF4), "FA");
    ck_assert(ps2_keyboard_is_scanning(keyboard));
    ck_assert_str_eq(send_mouse(0xF4), "[FA]");
    ps2_mouse_set_buttons(mouse, PS2_MOUSE_LEFT);
    ck_assert(!ps2_mouse_is_idle(mouse));
    ck_assert_uint_eq(ps2_mouse_buttons(mouse), PS2_MOUSE_LEFT);
    ck_assert_str_eq(collect(10), "[09] [00] [00]");
    ck_assert(ps2_mouse_is_idle(mouse));
}
END_TEST

START_TEST(key_names) {
    ck_assert_int_eq(keyboard_key_find("spc"), KEYBOARD_KEY_SPC);
    ck_assert_int_eq(keyboard_key_find("0x1c"), KEYBOARD_KEY_RET);
    ck_assert_int_eq(keyboard_key_find("0x9d"), KEYBOARD_KEY_CTRL_R); /* QEMU's E0 1D */
    ck_assert_int_eq(keyboard_key_find("no-such-key"), -1);
    ck_assert_int_eq(keyboard_key_find("0xfoo"), -1);
    ck_assert_int_eq(keyboard_key_find(""), -1);
    ck_assert_ptr_null(keyboard_key_info(KEYBOARD_KEY_COUNT));
    ck_assert_ptr_null(keyboard_key_info(-1));
}
END_TEST

/* --- the mouse --- */

START_TEST(mouse_commands) {
    ck_assert_str_eq(send_mouse(0xFF), "[FA] [AA] [00]");
    ck_assert_str_eq(send_mouse(0xF2), "[FA] [00]");
    ck_assert_str_eq(send_mouse(0xE9), "[FA] [00] [02] [64]");
    ck_assert_str_eq(send_mouse(0xE8), "[FA]");
    ck_assert_str_eq(send_mouse(0x03), "[FA]");
    ck_assert_str_eq(send_mouse(0xE7), "[FA]");
    ck_assert_str_eq(send_mouse(0xF4), "[FA]");
    ck_assert_str_eq(send_mouse(0xE9), "[FA] [30] [03] [64]");
    ck_assert_str_eq(send_mouse(0xF6), "[FA]");
    ck_assert_str_eq(send_mouse(0xE9), "[FA] [00] [02] [64]");
    ck_assert_str_eq(send_mouse(0xEE), "[FA]");
    ck_assert_str_eq(send_mouse(0x77), "[77]");
    ck_assert_str_eq(send_mouse(0xEC), "[FA]");
    ck_assert_str_eq(send_mouse(0x77), "[FE]");
    ck_assert_int_gt(irq12.rises, 10);
    ck_assert_int_eq(irq1.rises, 0);
}
END_TEST

START_TEST(mouse_streams_packets) {
    ps2_mouse_move(mouse, 5, 5, 0);
    ck_assert_str_eq(collect(20), ""); /* not enabled */
    send_mouse(0xF4);
    ps2_mouse_move(mouse, 5, -3, 0);
    ck_assert_str_eq(collect(20), "[08] [05] [03]");
    ps2_mouse_move(mouse, -1, 2, 0);
    ck_assert_str_eq(collect(20), "[38] [FF] [FE]");
    ps2_mouse_set_buttons(mouse, PS2_MOUSE_LEFT | PS2_MOUSE_MIDDLE);
    ck_assert_str_eq(collect(20), "[0D] [00] [00]");
    ps2_mouse_set_buttons(mouse, 0);
    ck_assert_str_eq(collect(20), "[08] [00] [00]");
    ps2_mouse_move(mouse, 300, 0, 0); /* in two packets */
    ck_assert_str_eq(collect(30), "[08] [FF] [00] [08] [2D] [00]");
    send_mouse(0xF5);
    ps2_mouse_move(mouse, 1, 1, 0);
    ck_assert_str_eq(collect(20), "");
}
END_TEST

START_TEST(mouse_keeps_its_sample_rate) {
    send_mouse(0xF3);
    send_mouse(20);
    send_mouse(0xF4);
    int packets = 0;
    for (int i = 0; i < 1000; i++) {
        ps2_mouse_move(mouse, 1, 0, 0);
        packets += strlen(collect(1)) > 0;
    }
    ck_assert_int_ge(packets, 3 * 19);
    ck_assert_int_le(packets, 3 * 21);
}
END_TEST

START_TEST(mouse_remote_mode) {
    send_mouse(0xF0);
    send_mouse(0xF4);
    ps2_mouse_move(mouse, 7, 0, 0);
    ck_assert_str_eq(collect(20), "");
    ck_assert_str_eq(send_mouse(0xEB), "[FA] [08] [07] [00]");
    ck_assert_str_eq(send_mouse(0xEB), "[FA] [08] [00] [00]");
}
END_TEST

static void knock(uint8_t second) {
    const uint8_t rates[] = {200, second, 80};
    for (int i = 0; i < 3; i++) {
        send_mouse(0xF3);
        send_mouse(rates[i]);
    }
}

START_TEST(mouse_wheel) {
    knock(100);
    ck_assert_str_eq(send_mouse(0xF2), "[FA] [03]");
    send_mouse(0xF4);
    ps2_mouse_move(mouse, 0, 0, -1);
    ck_assert_str_eq(collect(20), "[08] [00] [00] [FF]");
    knock(200);
    ck_assert_str_eq(send_mouse(0xF2), "[FA] [04]");
    ps2_mouse_set_buttons(mouse, PS2_MOUSE_SIDE);
    ck_assert_str_eq(collect(20), "[08] [00] [00] [10]");
    ps2_mouse_move(mouse, 0, 0, -1);
    ck_assert_str_eq(collect(20), "[08] [00] [00] [1F]");
    ck_assert_str_eq(send_mouse(0xFF), "[FA] [AA] [00]");
    ck_assert_str_eq(send_mouse(0xF2), "[FA] [00]");
}
END_TEST

START_TEST(mouse_that_nobody_reads_is_bounded) {
    send_mouse(0xF4);
    for (int i = 0; i < 1000; i++) {
        ps2_mouse_move(mouse, INT32_MAX, INT32_MIN, INT32_MIN);
        chip_fixture_run(fixture, 1000000);
    }
    ck_assert_uint_lt(strlen(collect(2000)), 510);
}
END_TEST

/* --- all --- */

static void change(ChipFixture *board) {
    press("j");
    ps2_mouse_move(mouse, 3, 4, 0);
    chip_fixture_run(board, 700000000);
    port_in(board, DATA);
    port_out(board, COMMAND, 0xD1);
    port_out(board, DATA, 0x01);
    chip_fixture_run(board, 3000000);
    release("j");
}

START_TEST(saves_and_restores) {
    send_mouse(0xF4);
    press("k");
    check_devices_save_and_restore(fixture, change);
}
END_TEST

START_TEST(held_key_goes_on_repeating_after_restore) {
    Snapshot snapshot;
    char first[512];
    press("k");
    collect(700);
    snapshot_take(fixture, &snapshot);
    snprintf(first, sizeof first, "%s", collect(500));
    ck_assert_uint_gt(strlen(first), 10);
    device_list_reset(&fixture->devices);
    snapshot_restore(fixture, &snapshot);
    ck_assert_str_eq(collect(500), first);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 200; round++) {
        check_survives_random_accesses(fixture, 0x60, 5, 200);
        press("k");
        release("k");
        ps2_mouse_move(mouse, round, -round, 1);
    }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, controller_answers);
    tcase_add_test(tests, a20_gate_by_output_port);
    tcase_add_test(tests, reset_pulses);
    tcase_add_test(tests, interrupt_lasts_until_the_byte_is_read);
    tcase_add_test(tests, disabled_keyboard_waits);
    tcase_add_test(tests, answer_does_not_lose_a_key);
    tcase_add_test(tests, bytes_can_be_put_into_the_buffer);
    tcase_add_test(tests, translated_codes);
    tcase_add_test(tests, sets_agree_for_every_key);
    tcase_add_test(tests, raw_sets);
    tcase_add_test(tests, keyboard_commands);
    tcase_add_test(tests, typematic_runs_in_guest_time);
    tcase_add_test(tests, full_queue_drops_and_says_so);
    tcase_add_test(tests, typed_text_fits_when_room_is_asked_for);
    tcase_add_test(tests, key_names);
    tcase_add_test(tests, flow_control_sees_what_was_not_read);
    tcase_add_test(tests, flow_control_sees_who_listens);
    tcase_add_test(tests, mouse_commands);
    tcase_add_test(tests, mouse_streams_packets);
    tcase_add_test(tests, mouse_keeps_its_sample_rate);
    tcase_add_test(tests, mouse_remote_mode);
    tcase_add_test(tests, mouse_wheel);
    tcase_add_test(tests, mouse_that_nobody_reads_is_bounded);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, held_key_goes_on_repeating_after_restore);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("i8042", add);
}
