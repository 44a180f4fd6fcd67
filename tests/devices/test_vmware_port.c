/* VMware's port as its drivers call it: the pointer's queue, and the clipboard. */
#include "chip_fixture.h"
#include "vmware_port.h"
#include <string.h>

enum { MS = 1000000 };
enum { GET_VERSION = 10, DATA = 39, STATUS = 40, POINTER = 41, GET_CLOCKS = 45 };
enum { LENGTH = 6, PIECE = 7, SET_LENGTH = 8, SET_PIECE = 9 };
#define READ_ID 0x45414552u
#define ABSOLUTE 0x53424152u
#define RELATIVE 0x4C455252u
#define NOTHING UINT32_MAX

static ChipFixture *fixture;
static Ps2Mouse *mouse;
static Ps2Port cable;
static VmwarePort *port;
static VmwareRegisters registers;
static Probe waiting;
static char copied[64];

static void take_copy(void *opaque, const uint8_t *text, size_t size) {
    (void)opaque;
    memset(copied, 0, sizeof(copied));
    memcpy(copied, text, size < sizeof(copied) ? size : sizeof(copied) - 1);
}

static uint32_t call(uint32_t command, uint32_t parameter) {
    registers = (VmwareRegisters){.eax = VMWARE_MAGIC, .ebx = parameter, .ecx = command};
    vmware_port_call(port, &registers);
    return registers.eax;
}

static void set_up(void) {
    fixture = chip_fixture_create();
    mouse = ps2_mouse_create(&fixture->context, NULL);
    waiting = (Probe){0};
    Wire wire = probe_wire(&waiting);
    cable = ps2_mouse_connect(mouse, &wire);
    cable.write(cable.device, 0xF4); /* enable */
    ck_assert_uint_eq(cable.take(cable.device), 0xFA);
    port = vmware_port_create(&fixture->context, &(VmwarePortOptions){.mouse = mouse,
                                                                      .ram_bytes = 16 << 20,
                                                                      .tsc_hz = 5000000000,
                                                                      .apic_hz = 1000000000,
                                                                      .copied = take_copy});
}

static void tear_down(void) {
    vmware_port_destroy(port);
    ps2_mouse_destroy(mouse);
    chip_fixture_destroy(fixture);
}

static void enable(void) {
    call(POINTER, READ_ID);
    ck_assert_uint_eq(call(STATUS, 0), 1);
    ck_assert_uint_eq(call(DATA, 1), 0x3442554A);
    call(POINTER, ABSOLUTE);
    ck_assert(vmware_port_is_used(port));
}

static void expect_event(uint32_t flags, uint32_t x, uint32_t y, uint32_t wheel) {
    ck_assert_uint_eq(call(DATA, 4), flags);
    ck_assert_uint_eq(registers.ebx, x);
    ck_assert_uint_eq(registers.ecx, y);
    ck_assert_uint_eq(registers.edx, wheel);
}

START_TEST(it_is_found) {
    ck_assert_uint_eq(call(GET_VERSION, 0), 6);
    ck_assert_uint_eq(registers.ebx, VMWARE_MAGIC);
    ck_assert_uint_eq(call(20, 0), 16 << 20);
    ck_assert_uint_eq(call(999, 0), NOTHING);
    ck_assert_uint_eq(call(GET_CLOCKS, NOTHING), 5000000000 & UINT32_MAX);
    ck_assert_uint_eq(registers.ebx, 1);
    ck_assert_uint_eq(registers.ecx, 1000000000);
    ck_assert_uint_eq(call(STATUS, 0), 0xFFFF0000);
    vmware_port_place(port, 5, 5); /* nobody listens */
    ck_assert(vmware_port_is_idle(port));
    enable();
}
END_TEST

START_TEST(events_come_with_an_interrupt) {
    enable();
    vmware_port_place(port, 100, 200);
    vmware_port_place(port, 300, 70000); /* joins the first */
    ck_assert_int_eq(waiting.level, 1);
    vmware_port_set_buttons(port, 1);
    vmware_port_set_buttons(port, 0);
    vmware_port_move(port, 0, 0, -1);
    vmware_port_move(port, 5, 7, 0);
    ck_assert_uint_eq(call(STATUS, 0), 20);
    expect_event(0, 300, 0xFFFF, 0);
    expect_event(0x20, 300, 0xFFFF, 0);
    expect_event(0, 300, 0xFFFF, 0);
    expect_event(0, 300, 0xFFFF, 0xFFFFFFFF);
    expect_event(0x10000, 5, (uint32_t)-7, 0);
    ck_assert_uint_eq(call(STATUS, 0), 0);
}
END_TEST

/* A driver that takes one event for each interrupt gets all. */
START_TEST(interrupts_come_until_all_is_read) {
    enable();
    for (unsigned i = 0; i < 3; i++)
        vmware_port_set_buttons(port, i + 1);
    unsigned taken = 0;
    for (unsigned ms = 0; ms < 100; ms++) {
        chip_fixture_run(fixture, MS);
        if (!cable.is_waiting(cable.device))
            continue;
        while (cable.is_waiting(cable.device))
            cable.take(cable.device);
        if (call(STATUS, 0) >= 4) {
            call(DATA, 4);
            taken++;
        }
    }
    ck_assert_uint_eq(taken, 3);
    while (cable.is_waiting(cable.device))
        cable.take(cable.device);
    chip_fixture_run(fixture, 100 * MS);
    ck_assert(!cable.is_waiting(cable.device));
}
END_TEST

START_TEST(nonsense_is_an_error) {
    static const uint32_t sizes[] = {0, 7, 5};
    for (unsigned i = 0; i < 3; i++) {
        enable();
        vmware_port_place(port, 10 + i, 10);
        ck_assert_uint_eq(call(DATA, sizes[i]), NOTHING);
        ck_assert_uint_eq(call(STATUS, 0), 0xFFFF0000);
        ck_assert(!vmware_port_is_used(port));
    }
    enable();
    for (unsigned i = 0; i < 1000; i++)
        vmware_port_set_buttons(port, i);
    ck_assert_uint_le(call(STATUS, 0), 256);
    call(POINTER, RELATIVE);
    ck_assert_uint_eq(call(STATUS, 0), 0);
    ck_assert(!vmware_port_is_used(port));
}
END_TEST

START_TEST(texts_go_both_ways) {
    ck_assert(!vmware_port_wants_text(port));
    ck_assert_uint_eq(call(LENGTH, 0), NOTHING);
    ck_assert(vmware_port_wants_text(port));
    vmware_port_offer(port, (const uint8_t *)"hello", 5);
    ck_assert_uint_eq(call(LENGTH, 0), 5);
    ck_assert_uint_eq(call(PIECE, 0), 0x6C6C6568);
    ck_assert_uint_eq(call(PIECE, 0), 'o');
    ck_assert_uint_eq(call(PIECE, 0), 0);
    ck_assert_uint_eq(call(LENGTH, 0), NOTHING);
    call(SET_LENGTH, 6);
    call(SET_PIECE, 0x6C6C6568);
    ck_assert_str_eq(copied, "");
    call(SET_PIECE, 0x3F3F216F);
    ck_assert_str_eq(copied, "hello!");
    call(SET_LENGTH, 0x7FFFFFFF); /* too long */
    call(SET_PIECE, 0);
    ck_assert_str_eq(copied, "hello!");
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    call(DATA, 4);
    call(PIECE, 0);
    call(POINTER, RELATIVE);
}

START_TEST(state_is_saved) {
    enable();
    vmware_port_place(port, 1, 2);
    vmware_port_offer(port, (const uint8_t *)"text", 4);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    check_devices_save_and_restore(fixture, change);
    snapshot_restore(fixture, &snapshot);
    snapshot_free(&snapshot);
    ck_assert(vmware_port_is_used(port));
    expect_event(0, 1, 2, 0);
}
END_TEST

START_TEST(random_calls_do_no_harm) {
    uint32_t seed = 99;
    for (unsigned i = 0; i < 50000; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t parameter = seed >> 28 == 0   ? READ_ID
                             : seed >> 28 == 1 ? ABSOLUTE
                                               : seed >> 20 & 7;
        call(seed >> 8 & 1 ? DATA + (seed >> 9 & 3) : seed >> 9 & 15, parameter);
        vmware_port_move(port, (int32_t)seed, (int32_t)(seed << 3), (int32_t)(seed >> 30));
        vmware_port_set_buttons(port, seed >> 4 & 7);
        if (i % 32 == 0)
            chip_fixture_run(fixture, MS);
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, it_is_found);
    tcase_add_test(tests, events_come_with_an_interrupt);
    tcase_add_test(tests, interrupts_come_until_all_is_read);
    tcase_add_test(tests, nonsense_is_an_error);
    tcase_add_test(tests, texts_go_both_ways);
    tcase_add_test(tests, state_is_saved);
    tcase_add_test(tests, random_calls_do_no_harm);
}

int main(void) {
    return run_suite("vmware_port", add_tests);
}
