/* The UHCI and a tablet on it as a driver sees them, with honest and with hostile lists. */
#include "chip_fixture.h"
#include "little_endian.h"
#include "pci.h"
#include "uhci.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_tablet.h"
#include <string.h>

enum { SLOT = 1, FUNCTION = 2, BASE = 0xC000, PORTS_BYTES = 32 };
enum { COMMAND = 0, STATUS = 2, INTERRUPTS = 4, FRAME = 6, LIST = 8, PORT1 = 0x10, PORT2 = 0x12 };
enum { RUN = 1, RESET = 2, SUSPEND = 8, SINGLE_STEP = 0x20 };
enum { DONE = 1, ERROR = 2, RESUME = 4, SYSTEM = 8, PROCESS = 0x10, HALTED = 0x20 };
enum { CONNECTED = 1, CHANGED = 2, ENABLED = 4, PORT_RESET = 0x200, PORT_SUSPENDED = 0x1000 };
enum { FRAME_LIST = 0x10000, QUEUE = 0x20000, DESCRIPTORS = 0x21000, DATA = 0x30000 };
enum { END = 1, QUEUE_LINK = 2, DEPTH = 4 };
enum { SETUP = 0x2D, IN = 0x69, OUT = 0xE1 };
#define ACTIVE 0x00800000u
#define STALLED 0x00400000u
#define BABBLE 0x00100000u
#define NAK 0x00080000u
#define TIMED_OUT 0x00040000u
#define COMPLETE 0x01000000u
#define SHORT_PACKET 0x20000000u
#define THREE_ERRORS 0x18000000u
#define MS 1000000LL

static ChipFixture *fixture;
static PciBus *bus;
static Uhci *uhci;
static UsbBus *usb;
static UsbTablet *tablet;
static UsbKeyboard *keyboard;
static UsbMouse *mouse;
static Probe irq;
static unsigned address; /* of the device */

static uint8_t *ram(uint32_t at) {
    return physical_map_ram(fixture->context.memory) + at;
}

static uint32_t word(uint32_t at) {
    return load_le32(ram(at));
}

static uint32_t get(unsigned at) {
    return port_map_read(fixture->context.ports, (uint16_t)(BASE + at), 2);
}

static void put(unsigned at, uint32_t value) {
    port_map_write(fixture->context.ports, (uint16_t)(BASE + at), 2, value);
}

static void fill_list(uint32_t link) {
    for (unsigned i = 0; i < 1024; i++)
        store_le32(ram(FRAME_LIST + 4 * i), link);
}

static void set_up_without(bool with_tablet) {
    fixture = chip_fixture_create();
    bus = pci_bus_create(&fixture->context, NULL);
    irq = (Probe){0};
    Wire wires[PCI_PIRQS] = {{NULL, NULL, 0}};
    wires[3] = probe_wire(&irq); /* INTD# of slot 1 */
    pci_bus_set_pirq_wires(bus, wires);
    usb = usb_bus_create();
    uhci = uhci_create(&fixture->context, bus, usb, SLOT, FUNCTION, NULL);
    tablet = NULL;
    keyboard = usb_keyboard_create(&fixture->context, usb);
    mouse = usb_mouse_create(&fixture->context, usb);
    address = 0;
    if (with_tablet) {
        tablet = usb_tablet_create(&fixture->context, usb);
        ck_assert(usb_bus_plug_in(usb, 0, usb_tablet_device(tablet), NULL));
        ck_assert(!usb_bus_plug_in(usb, 1, usb_tablet_device(tablet), NULL));
        ck_assert(!usb_bus_plug_in(usb, 2, usb_tablet_device(tablet), NULL));
    }
    PciDevice *device = pci_bus_device(bus, SLOT, FUNCTION);
    pci_device_config_write(device, PCI_BASE_ADDRESS + 16, 4, BASE);
    pci_device_config_write(device, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    port_map_write(fixture->context.ports, BASE + LIST, 4, FRAME_LIST);
    fill_list(END);
    put(INTERRUPTS, 0xF);
}

static void set_up(void) {
    set_up_without(true);
}

static void set_up_empty(void) {
    set_up_without(false);
}

static void tear_down(void) {
    uhci_destroy(uhci);
    usb_tablet_destroy(tablet);
    usb_keyboard_destroy(keyboard);
    usb_mouse_destroy(mouse);
    usb_bus_destroy(usb);
    pci_bus_destroy(bus);
    chip_fixture_destroy(fixture);
}

static void enable_port(void) {
    put(PORT1, PORT_RESET);
    put(PORT1, 0);
    put(PORT1, ENABLED | CHANGED);
    ck_assert_uint_eq(get(PORT1) & 7, CONNECTED | ENABLED);
    put(COMMAND, RUN);
}

static void describe(unsigned index, uint32_t link, uint32_t control, uint32_t token,
                     uint32_t buffer) {
    uint8_t *descriptor = ram(DESCRIPTORS + 16 * index);
    store_le32(descriptor, link);
    store_le32(descriptor + 4, control);
    store_le32(descriptor + 8, token);
    store_le32(descriptor + 12, buffer);
}

static uint32_t make_token(unsigned pid, unsigned endpoint, unsigned size) {
    return pid | address << 8 | endpoint << 15 | ((size - 1) & 0x7FFu) << 21;
}

static uint32_t control_of(unsigned index) {
    return word(DESCRIPTORS + 16 * index + 4);
}

static void queue_up(void) {
    store_le32(ram(QUEUE), END);
    store_le32(ram(QUEUE + 4), DESCRIPTORS);
    fill_list(QUEUE | QUEUE_LINK);
}

static void frames(unsigned count) {
    chip_fixture_run(fixture, count * MS);
}

/* A control transfer; returns how many bytes came, or -1: it stalled. */
static int request(uint8_t type, uint8_t code, uint16_t value, uint16_t index, uint16_t length) {
    uint8_t *setup = ram(DATA);
    setup[0] = type;
    setup[1] = code;
    store_le16(setup + 2, value);
    store_le16(setup + 4, index);
    store_le16(setup + 6, length);
    unsigned packets = (length + 7u) / 8, i;
    bool in = (type & 0x80) != 0;
    describe(0, (DESCRIPTORS + 16) | DEPTH, ACTIVE | THREE_ERRORS, make_token(SETUP, 0, 8), DATA);
    for (i = 1; i <= packets; i++) {
        unsigned left = length - (i - 1) * 8, size = left < 8 ? left : 8;
        describe(i, (DESCRIPTORS + 16 * (i + 1)) | DEPTH, ACTIVE | THREE_ERRORS | SHORT_PACKET,
                 make_token(in ? IN : OUT, 0, size), DATA + 0x100 + (i - 1) * 8);
    }
    describe(i, END, ACTIVE | THREE_ERRORS | COMPLETE,
             make_token(in && length > 0 ? OUT : IN, 0, 0), 0);
    queue_up();
    frames(8);
    int size = 0;
    for (unsigned packet = 1; packet <= packets; packet++) {
        uint32_t control = control_of(packet);
        if (control & STALLED)
            return -1;
        if (!(control & ACTIVE))
            size += (int)((control + 1) & 0x7FF);
    }
    if (size < length) { /* the driver ends a short transfer itself */
        store_le32(ram(QUEUE + 4), DESCRIPTORS + 16 * i);
        frames(2);
    }
    fill_list(END);
    put(STATUS, 0x1F);
    return control_of(i) & STALLED ? -1 : size;
}

static void configure_port(void) {
    address = 0;
    enable_port();
    ck_assert_int_eq(request(0, 5, 9, 0, 0), 0);
    address = 9;
    ck_assert_int_eq(request(0, 9, 1, 0, 0), 0);
}

static void configure(void) {
    configure_port();
    ck_assert(usb_tablet_is_used(tablet));
}

/* In port 1 in place of the tablet. */
static void exchange(UsbDevice *device) {
    usb_bus_unplug(usb, usb_tablet_device(tablet));
    ck_assert(usb_bus_plug_in(usb, uhci_socket(uhci), device, NULL));
    configure_port();
}

/* One report by the interrupt endpoint; false: there is none. */
static bool poll_report(uint8_t *report, unsigned size) {
    describe(0, END, ACTIVE | COMPLETE, make_token(IN, 1, 8), DATA);
    queue_up();
    frames(2);
    fill_list(END);
    if (control_of(0) & ACTIVE) {
        ck_assert(control_of(0) & NAK);
        return false;
    }
    ck_assert_uint_eq(control_of(0) & 0x7FF, size - 1);
    memcpy(report, ram(DATA), size);
    return true;
}

static bool poll(uint8_t report[6]) {
    return poll_report(report, 6);
}

static void expect_report(const char *expected, unsigned size) {
    uint8_t report[8];
    ck_assert(poll_report(report, size));
    ck_assert_mem_eq(report, expected, size);
}

START_TEST(device_is_enumerated) {
    ck_assert_uint_eq(get(PORT1) & 0x3F, CONNECTED | CHANGED | 0x10);
    ck_assert_uint_eq(get(PORT2) & 0x3F, 0);
    ck_assert_uint_eq(get(STATUS), HALTED);
    enable_port();
    ck_assert_int_eq(request(0x80, 6, 0x100, 0, 64), 18);
    ck_assert_uint_eq(load_le16(ram(DATA + 0x100)), 18 | 1 << 8);
    ck_assert_int_eq(request(0, 5, 9, 0, 0), 0);
    ck_assert(control_of(0) & 7); /* 8 bytes of the setup */
    address = 9;
    ck_assert_int_eq(request(0x80, 6, 0x200, 0, 9), 9);
    ck_assert_uint_eq(load_le16(ram(DATA + 0x102)), 34);
    ck_assert_int_eq(request(0x80, 6, 0x200, 0, 255), 34);
    ck_assert_int_eq(request(0x80, 6, 0x302, 0x409, 255), 22); /* "USB Tablet" in UTF-16 */
    ck_assert_int_eq(request(0x80, 6, 0x309, 0x409, 255), -1); /* no such string */
    ck_assert(!usb_tablet_is_used(tablet));
    ck_assert_int_eq(request(0, 9, 2, 0, 0), -1); /* no such configuration */
    ck_assert_int_eq(request(0, 9, 1, 0, 0), 0);
    ck_assert_int_eq(request(0x80, 8, 0, 0, 1), 1);
    ck_assert_uint_eq(*ram(DATA + 0x100), 1);
    ck_assert(usb_tablet_is_used(tablet));
    unsigned length = *ram(DATA + 0x100);
    ck_assert_int_eq(request(0x81, 6, 0x2100, 0, 9), 9);
    length = load_le16(ram(DATA + 0x107));
    ck_assert_int_eq(request(0x81, 6, 0x2200, 0, 255), (int)length);
    ck_assert_uint_eq(*ram(DATA + 0x100 + length - 1), 0xC0); /* the collection ends */
    put(PORT1, PORT_RESET);
    ck_assert(!usb_tablet_is_used(tablet));
}
END_TEST

START_TEST(reports_come) {
    uint8_t report[6];
    configure();
    ck_assert(!poll(report));
    usb_tablet_move(tablet, 100, 200);
    usb_tablet_move(tablet, 300, 99999);
    usb_tablet_set_buttons(tablet, 1);
    usb_tablet_set_buttons(tablet, 0);
    usb_tablet_turn(tablet, 3);
    ck_assert(poll(report)); /* movements join, a click does not */
    ck_assert_mem_eq(report, ((uint8_t[]){0, 0x2C, 1, 0xFF, 0x7F, 0}), 6);
    ck_assert_int_eq(irq.level, 1);
    ck_assert_uint_eq(get(STATUS), DONE);
    put(STATUS, DONE);
    ck_assert_int_eq(irq.level, 0);
    ck_assert(poll(report));
    ck_assert_uint_eq(report[0], 1);
    ck_assert(poll(report));
    ck_assert_uint_eq(report[0], 0);
    ck_assert_uint_eq(report[5], 0xFD);
    ck_assert(!poll(report));
    ck_assert_int_eq(request(0x21, 10, 0x0200, 0, 0), 0); /* every 8 ms from now on */
    frames(8);
    ck_assert(poll(report));
    ck_assert_mem_eq(report, ((uint8_t[]){0, 0x2C, 1, 0xFF, 0x7F, 0}), 6);
}
END_TEST

START_TEST(keys_come_in_order) {
    uint8_t report[8];
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_B, true); /* before anybody listens */
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_B, false);
    exchange(usb_keyboard_device(keyboard));
    ck_assert(!poll_report(report, 8));
    ck_assert(usb_keyboard_is_used(keyboard));
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_SHIFT_R, true);
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_A, true);
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_A, true);
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_A, false);
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_SHIFT_R, false);
    ck_assert_uint_eq(usb_keyboard_room(keyboard), 12);
    expect_report("\x20\0\0\0\0\0\0\0", 8);
    expect_report("\x20\0\x04\0\0\0\0\0", 8);
    expect_report("\x20\0\0\0\0\0\0\0", 8);
    ck_assert(!usb_keyboard_is_idle(keyboard));
    expect_report("\0\0\0\0\0\0\0\0", 8);
    ck_assert(usb_keyboard_is_idle(keyboard));
    ck_assert(!poll_report(report, 8));
    for (int i = 0; i < 7; i++)
        usb_keyboard_set_key(keyboard, KEYBOARD_KEY_1 + i, true);
    for (int i = 0; i < 6; i++)
        ck_assert(poll_report(report, 8));
    ck_assert_mem_eq(report, "\0\0\x1E\x1F\x20\x21\x22\x23", 8);
    expect_report("\0\0\1\1\1\1\1\1", 8); /* too many */
    for (int i = 0; i < 30; i++)
        usb_keyboard_set_key(keyboard, KEYBOARD_KEY_1 + i / 2 % 10, i % 2 == 0);
    for (int i = 0; i < 10; i++)
        usb_keyboard_set_key(keyboard, KEYBOARD_KEY_1 + i, false);
    while (poll_report(report, 8)) /* no room, but the last tells what is */
        ck_assert(usb_keyboard_room(keyboard) <= 16);
    ck_assert_mem_eq(report, "\0\0\0\0\0\0\0\0", 8);
    frames(600);
    ck_assert(!usb_keyboard_is_used(keyboard)); /* nobody has asked for long */
}
END_TEST

START_TEST(lights_and_protocol_are_set) {
    exchange(usb_keyboard_device(keyboard));
    ck_assert_int_eq(request(0xA1, 3, 0, 0, 1), 1);
    ck_assert_uint_eq(*ram(DATA + 0x100), 1);
    ck_assert_int_eq(request(0x21, 11, 0, 0, 0), 0);
    ck_assert_int_eq(request(0xA1, 3, 0, 0, 1), 1);
    ck_assert_uint_eq(*ram(DATA + 0x100), 0);
    *ram(DATA + 0x100) = 2;
    ck_assert_int_eq(request(0x21, 9, 0x200, 0, 1), 1);
    ck_assert_uint_eq(usb_keyboard_lights(keyboard), 2);
    ck_assert_int_eq(request(0x81, 6, 0x2200, 0, 255), 63);
    ck_assert_uint_eq(*ram(DATA + 0x100 + 62), 0xC0);
}
END_TEST

START_TEST(mouse_tells_all_counts) {
    uint8_t report[4];
    exchange(usb_mouse_device(mouse));
    ck_assert(usb_mouse_is_used(mouse));
    usb_mouse_move(mouse, 100, -20, 0);
    usb_mouse_move(mouse, 20, -10, 1);
    usb_mouse_set_buttons(mouse, 2);
    usb_mouse_move(mouse, 300, 0, 0);
    ck_assert_uint_eq(usb_mouse_buttons(mouse), 2);
    expect_report("\0\x78\xE2\xFF", 4);
    expect_report("\2\x7F\0\0", 4); /* joined with the button */
    expect_report("\2\x7F\0\0", 4);
    expect_report("\2\x2E\0\0", 4);
    ck_assert(usb_mouse_is_idle(mouse));
    for (int i = 0; i < 100; i++)
        usb_mouse_move(mouse, 2000, 2000, -2000);
    for (int i = 0; i < 16; i++)
        ck_assert(poll_report(report, 4));
    ck_assert(!poll_report(report, 4)); /* a queue, and no more */
    ck_assert_int_eq(request(0x21, 11, 0, 0, 0), 0);
    usb_mouse_set_buttons(mouse, 0);
    expect_report("\0\0\0", 3); /* the boot protocol knows no wheel */
}
END_TEST

START_TEST(plugging_is_noticed) {
    uint8_t report[6];
    configure();
    put(STATUS, 0x1F);
    usb_bus_unplug(usb, usb_tablet_device(tablet));
    ck_assert_uint_eq(get(PORT1) & 0x3F, 0x0A); /* neither connected nor enabled any more */
    ck_assert(!usb_tablet_is_used(tablet));
    put(PORT1, 0x0A);
    ck_assert_uint_eq(get(PORT1) & 0x3F, 0);
    unsigned frame = get(FRAME);
    frames(5);
    ck_assert_uint_eq(get(FRAME), frame + 5);
    put(COMMAND, SUSPEND); /* asleep, it wakes */
    ck_assert(usb_bus_plug_in(usb, 1, usb_tablet_device(tablet), NULL));
    ck_assert_uint_eq(get(PORT2) & 0x0F, CONNECTED | CHANGED);
    ck_assert_uint_eq(get(STATUS), RESUME | HALTED);
    usb_bus_unplug(usb, usb_tablet_device(tablet));
    ck_assert(usb_bus_plug_in(usb, 0, usb_tablet_device(tablet), NULL));
    configure_port();
    usb_tablet_move(tablet, 1, 1);
    ck_assert(poll(report));
}
END_TEST

START_TEST(errors_are_told) {
    configure();
    address = 33;
    describe(0, END, ACTIVE | THREE_ERRORS, make_token(IN, 0, 8), DATA);
    queue_up();
    frames(2);
    ck_assert_uint_eq(control_of(0) & (ACTIVE | THREE_ERRORS), ACTIVE | 1u << 27);
    frames(1);
    ck_assert_uint_eq(control_of(0) & (ACTIVE | STALLED | TIMED_OUT | THREE_ERRORS),
                      STALLED | TIMED_OUT);
    ck_assert_uint_eq(get(STATUS), ERROR);
    ck_assert_int_eq(irq.level, 1);
    put(STATUS, ERROR);
    address = 9;
    usb_tablet_move(tablet, 1, 1);
    describe(0, END, ACTIVE, make_token(IN, 1, 4), DATA);
    queue_up();
    frames(2);
    ck_assert_uint_eq(control_of(0) & (ACTIVE | STALLED | BABBLE), STALLED | BABBLE);
    ck_assert_int_eq(request(0x02, 3, 0, 0x81, 0), 0); /* the endpoint halts */
    describe(0, END, ACTIVE, make_token(IN, 1, 8), DATA);
    queue_up();
    frames(2);
    ck_assert_uint_eq(control_of(0) & (ACTIVE | STALLED | BABBLE), STALLED);
}
END_TEST

START_TEST(device_wakes_the_bus) {
    configure();
    ck_assert_int_eq(request(0, 3, 1, 0, 0), 0);
    put(COMMAND, SUSPEND);
    put(STATUS, 0x1F);
    usb_tablet_move(tablet, 5, 5);
    ck_assert_uint_eq(get(STATUS), RESUME | HALTED);
    ck_assert_uint_eq(get(PORT1) & 0x40, 0x40);
    ck_assert_int_eq(irq.level, 1);
}
END_TEST

/* Loops, lists that lead nowhere, impossible tokens: each ends the frame or the controller. */
START_TEST(hostile_lists_are_bounded) {
    enable_port();
    store_le32(ram(QUEUE), QUEUE | QUEUE_LINK);
    store_le32(ram(QUEUE + 4), END);
    fill_list(QUEUE | QUEUE_LINK);
    frames(3); /* a queue that follows itself */
    describe(0, DESCRIPTORS, 0, 0, 0);
    fill_list(DESCRIPTORS);
    frames(3); /* a descriptor likewise */
    describe(0, DESCRIPTORS | DEPTH, ACTIVE, make_token(SETUP, 0, 8), 0xFFFFFFFC);
    store_le32(ram(QUEUE + 4), QUEUE | QUEUE_LINK);
    fill_list(QUEUE | QUEUE_LINK);
    frames(3); /* a queue within itself */
    ck_assert_uint_eq(get(STATUS) & HALTED, 0);
    fill_list(DESCRIPTORS);
    frames(2); /* data at the very end of memory */
    ck_assert_uint_eq(get(STATUS) & (SYSTEM | HALTED), SYSTEM | HALTED);
    put(STATUS, 0x1F);
    describe(0, END, ACTIVE, 0xFF, DATA);
    put(COMMAND, RUN);
    frames(2);
    ck_assert_uint_eq(get(STATUS), PROCESS | HALTED);
    ck_assert_int_eq(irq.level, 1);
    put(STATUS, 0x1F);
    describe(0, END, ACTIVE, IN | 0x600u << 21, DATA);
    put(COMMAND, RUN);
    frames(2);
    ck_assert_uint_eq(get(STATUS), PROCESS | HALTED);
}
END_TEST

START_TEST(frames_are_counted) {
    enable_port();
    frames(5);
    ck_assert_uint_eq(get(FRAME), 5);
    put(COMMAND, 0);
    frames(5);
    ck_assert_uint_eq(get(FRAME), 5);
    ck_assert_int_eq(clock_next_due_ns(&fixture->clock), TIMER_NEVER);
    put(FRAME, 0x7FF);
    put(COMMAND, RUN);
    frames(2);
    ck_assert_uint_eq(get(FRAME), 1);
    put(COMMAND, RESET);
    ck_assert_uint_eq(get(COMMAND), 0);
    ck_assert_uint_eq(get(FRAME), 0);
}
END_TEST

START_TEST(empty_controller_needs_no_timer) {
    put(COMMAND, RUN);
    ck_assert_int_eq(clock_next_due_ns(&fixture->clock), TIMER_NEVER);
    frames(7);
    ck_assert_uint_eq(get(FRAME), 7);
    put(COMMAND, 0);
    frames(7);
    ck_assert_uint_eq(get(FRAME), 7);
}
END_TEST

START_TEST(single_step_stops) {
    enable_port();
    put(COMMAND, RUN | SINGLE_STEP);
    describe(0, DESCRIPTORS + 16, ACTIVE, make_token(IN, 1, 8), DATA);
    fill_list(DESCRIPTORS);
    frames(2);
    ck_assert_uint_eq(get(STATUS) & HALTED, HALTED);
}
END_TEST

static void change(ChipFixture *board) {
    uint8_t report[6];
    (void)board;
    usb_tablet_set_buttons(tablet, 0);
    poll(report);
    request(0x80, 6, 0x200, 0, 255);
    put(PORT1, PORT_RESET);
    put(COMMAND, 0);
}

/* In the middle of a control transfer, with reports waiting. */
START_TEST(state_is_saved) {
    configure();
    usb_tablet_move(tablet, 77, 88);
    usb_tablet_set_buttons(tablet, 3);
    usb_tablet_turn(tablet, -2);
    store_le16(ram(DATA), 0x80 | 6 << 8);
    store_le16(ram(DATA + 2), 0x200);
    store_le16(ram(DATA + 4), 0);
    store_le16(ram(DATA + 6), 34);
    describe(0, DESCRIPTORS + 16, ACTIVE, make_token(SETUP, 0, 8), DATA);
    describe(1, END, ACTIVE, make_token(IN, 0, 8), DATA + 0x100);
    queue_up();
    frames(3);
    ck_assert_uint_eq(control_of(1) & ACTIVE, 0);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    check_devices_save_and_restore(fixture, change);
    snapshot_restore(fixture, &snapshot);
    snapshot_free(&snapshot);
    ck_assert(usb_tablet_is_used(tablet));
    describe(0, END, ACTIVE, make_token(IN, 0, 8), DATA + 0x100); /* the next eight bytes */
    queue_up();
    frames(2);
    ck_assert_uint_eq(control_of(0) & (ACTIVE | STALLED), 0);
    ck_assert_uint_eq(*ram(DATA + 0x101), 9); /* the interface's descriptor began at byte 9 */
}
END_TEST

/* A restore plugs in what was, and where. */
START_TEST(plugs_are_saved) {
    uint8_t report[8];
    exchange(usb_keyboard_device(keyboard));
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_Z, true);
    usb_keyboard_set_key(keyboard, KEYBOARD_KEY_Z, false);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    usb_bus_unplug(usb, usb_keyboard_device(keyboard));
    ck_assert(usb_bus_plug_in(usb, 1, usb_tablet_device(tablet), NULL));
    snapshot_restore(fixture, &snapshot);
    snapshot_free(&snapshot);
    ck_assert_ptr_eq(usb_bus_device(usb, 0), usb_keyboard_device(keyboard));
    ck_assert_ptr_null(usb_bus_device(usb, 1));
    ck_assert(!usb_tablet_is_used(tablet));
    ck_assert(poll_report(report, 8));
    ck_assert_uint_eq(report[2], 0x1D);
}
END_TEST

START_TEST(random_accesses_do_no_harm) {
    uint32_t seed = 12345;
    for (unsigned round = 0; round < 200; round++) {
        for (uint32_t at = QUEUE; at < QUEUE + 0x2000; at += 4) {
            seed = seed * 1664525 + 1013904223;
            uint32_t value = seed >> 8;
            if (at % 16 == 0)
                value = QUEUE + (value & 0x1FF7);
            else if (at % 16 == 8)
                value = (value & 3) == 0 ? value : IN | (value & 1) << 15 | 7u << 21;
            store_le32(ram(at), value);
        }
        fill_list(QUEUE | (seed >> 28 & 2));
        put(PORT1, PORT_RESET);
        put(PORT1, ENABLED | CHANGED);
        put(COMMAND, RUN);
        usb_tablet_move(tablet, seed >> 16, seed & 0xFFFF);
        usb_keyboard_set_key(keyboard, (int)(seed >> 20 & 0x7F), seed & 0x1000);
        usb_mouse_move(mouse, (int)(seed >> 3), (int)seed, 1);
        frames(3);
        UsbDevice *plugged = usb_bus_device_at(usb, seed >> 9 & 3);
        if (plugged != NULL && *plugged->socket == 0)
            usb_bus_plug_in(usb, seed >> 11 & 1, plugged, NULL);
        else if (plugged != NULL)
            usb_bus_unplug(usb, plugged);
        put(STATUS, 0x1F);
    }
    check_survives_random_accesses(fixture, BASE, PORTS_BYTES, 20000);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, device_is_enumerated);
    tcase_add_test(tests, reports_come);
    tcase_add_test(tests, keys_come_in_order);
    tcase_add_test(tests, lights_and_protocol_are_set);
    tcase_add_test(tests, mouse_tells_all_counts);
    tcase_add_test(tests, plugging_is_noticed);
    tcase_add_test(tests, plugs_are_saved);
    tcase_add_test(tests, errors_are_told);
    tcase_add_test(tests, device_wakes_the_bus);
    tcase_add_test(tests, hostile_lists_are_bounded);
    tcase_add_test(tests, frames_are_counted);
    tcase_add_test(tests, single_step_stops);
    tcase_add_test(tests, state_is_saved);
    tcase_add_test(tests, random_accesses_do_no_harm);
}

static void add_empty_test(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up_empty, tear_down);
    tcase_add_test(tests, empty_controller_needs_no_timer);
}

int main(void) {
    return run_suite("uhci", add_tests) | run_suite("uhci without devices", add_empty_test);
}
