/* A hub as a driver's transactions see it, what is plugged into it, and paths to ports. */
#include "chip_fixture.h"
#include "little_endian.h"
#include "usb_hub.h"
#include "usb_mouse.h"
#include <string.h>

enum {
    POWER = 8,
    RESET = 4,
    ENABLE = 1,
    SUSPEND = 2,
    C_CONNECTION = 16,
    C_SUSPEND = 18,
    C_RESET = 20
};
enum { CONNECTED = 1, ENABLED = 2, SUSPENDED = 4, RESET_OVER = 0x10, POWERED = 0x100 };
enum { HUB = 5, INNER = 6, MOUSE = 7 };

static ChipFixture *fixture;
static UsbBus *bus;
static UsbHub *hub, *inner;
static UsbMouse *mouse;
static UsbTransaction transaction;
static unsigned woken;

static void nothing(void *opaque, unsigned number) {
    (void)opaque;
    (void)number;
}

static void wake(void *opaque, unsigned number) {
    (void)opaque;
    ck_assert_uint_eq(number, 0);
    woken++;
}

/* On the cable of the controller, where the outer hub is. */
static UsbAnswer transact(UsbToken token, unsigned address, unsigned endpoint, const void *data,
                          uint32_t size) {
    UsbDevice *device = usb_bus_device(bus, 0);
    transaction = (UsbTransaction){
        .token = token, .address = (uint8_t)address, .endpoint = (uint8_t)endpoint, .size = size};
    if (size > 0)
        memcpy(transaction.bytes, data, size);
    return device->transact(device->opaque, &transaction);
}

/* Returns how many bytes came (of at most 8), or -1. */
static int request(unsigned address, uint8_t type, uint8_t code, uint16_t value, uint16_t index,
                   uint16_t length) {
    uint8_t setup[8] = {type, code};
    store_le16(setup + 2, value);
    store_le16(setup + 4, index);
    store_le16(setup + 6, length);
    if (transact(USB_SETUP, address, 0, setup, 8) != USB_ACK ||
        transact(USB_IN, address, 0, NULL, 0) != USB_ACK)
        return -1;
    int size = (int)transaction.size;
    uint8_t bytes[8];
    memcpy(bytes, transaction.bytes, sizeof(bytes));
    if (length > 0)
        transact(USB_OUT, address, 0, NULL, 0);
    memcpy(transaction.bytes, bytes, sizeof(bytes));
    return size;
}

static void configure(unsigned address) {
    ck_assert_int_eq(request(0, 0, 5, (uint16_t)address, 0, 0), 0);
    ck_assert_int_eq(request(address, 0, 9, 1, 0, 0), 0);
}

static uint32_t port_status(unsigned address, unsigned port) {
    ck_assert_int_eq(request(address, 0xA3, 0, 0, (uint16_t)port, 4), 4);
    return load_le32(transaction.bytes);
}

static void set(unsigned address, unsigned port, unsigned feature) {
    ck_assert_int_eq(request(address, 0x23, 3, (uint16_t)feature, (uint16_t)port, 0), 0);
}

static void clear(unsigned address, unsigned port, unsigned feature) {
    ck_assert_int_eq(request(address, 0x23, 1, (uint16_t)feature, (uint16_t)port, 0), 0);
}

static void set_up(void) {
    fixture = chip_fixture_create();
    bus = usb_bus_create();
    woken = 0;
    usb_bus_add_sockets(bus, &(UsbSocketOwner){"controller", NULL, NULL, nothing, wake}, 1);
    hub = usb_hub_create(&fixture->context, bus, "hub");
    inner = usb_hub_create(&fixture->context, bus, "inner");
    mouse = usb_mouse_create(&fixture->context, bus);
    ck_assert(usb_bus_plug_in(bus, 0, usb_hub_device(hub), NULL));
    ck_assert(usb_bus_plug_in(bus, usb_hub_socket(hub) + 7, usb_hub_device(inner), NULL));
    ck_assert(usb_bus_plug_in(bus, usb_hub_socket(inner), usb_mouse_device(mouse), NULL));
}

static void tear_down(void) {
    usb_mouse_destroy(mouse);
    usb_hub_destroy(inner);
    usb_hub_destroy(hub);
    usb_bus_destroy(bus);
    chip_fixture_destroy(fixture);
}

/* Power, what is there, a reset, and an address for it. */
static void bring_up(unsigned address, unsigned port, unsigned new_address) {
    ck_assert_uint_eq(port_status(address, port), 0);
    set(address, port, POWER);
    ck_assert_uint_eq(port_status(address, port), POWERED | CONNECTED | CONNECTED << 16);
    ck_assert_int_eq(transact(USB_IN, address, 1, NULL, 0), USB_ACK);
    ck_assert_uint_eq(transaction.size, 2);
    ck_assert_uint_eq(load_le16(transaction.bytes), 1u << port);
    clear(address, port, C_CONNECTION);
    ck_assert_int_eq(transact(USB_IN, address, 1, NULL, 0), USB_NAK);
    ck_assert_int_eq(request(0, 0x80, 8, 0, 0, 1), -1); /* not enabled: nobody hears */
    set(address, port, RESET);
    ck_assert_uint_eq(port_status(address, port), POWERED | CONNECTED | ENABLED | RESET_OVER << 16);
    clear(address, port, C_RESET);
    configure(new_address);
}

static void bring_up_all(void) {
    configure(HUB);
    bring_up(HUB, 8, INNER);
    bring_up(INNER, 1, MOUSE);
}

START_TEST(is_described) {
    configure(HUB);
    ck_assert_int_eq(request(HUB, 0xA0, 6, 0x2900, 0, 8), 8);
    ck_assert_mem_eq(transaction.bytes, "\x0B\x29\x08", 3);
    ck_assert_int_eq(request(HUB, 0xA0, 0, 0, 0, 4), 4);
    ck_assert_uint_eq(load_le32(transaction.bytes), 0);
    ck_assert_int_eq(request(HUB, 0x80, 0, 0, 0, 2), 2);
    ck_assert_uint_eq(load_le16(transaction.bytes), 1);       /* powered by itself */
    ck_assert_int_eq(request(HUB, 0x23, 3, POWER, 0, 0), -1); /* ports are 1 to 8 */
    ck_assert_int_eq(request(HUB, 0x23, 3, POWER, 9, 0), -1);
    ck_assert_int_eq(request(HUB, 0x23, 3, 99, 1, 0), -1);
    ck_assert_uint_eq(port_status(HUB, 1), 0);
    set(HUB, 1, POWER);
    set(HUB, 1, RESET); /* nothing is there */
    ck_assert_uint_eq(port_status(HUB, 1), POWERED);
}
END_TEST

START_TEST(hands_on) {
    bring_up_all();
    usb_mouse_move(mouse, 3, -4, 0);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_ACK);
    ck_assert_mem_eq(transaction.bytes, "\0\x03\xFC\0", 4);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_NAK);
    clear(HUB, 8, ENABLE);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_SILENT);
}
END_TEST

START_TEST(sleeps_and_wakes) {
    bring_up_all();
    ck_assert_int_eq(request(MOUSE, 0, 3, 1, 0, 0), 0); /* it may wake */
    ck_assert_int_eq(request(INNER, 0, 3, 1, 0, 0), 0);
    set(INNER, 1, SUSPEND);
    ck_assert_uint_eq(port_status(INNER, 1), POWERED | CONNECTED | ENABLED | SUSPENDED);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_SILENT);
    usb_mouse_move(mouse, 1, 1, 0);
    ck_assert_uint_eq(port_status(INNER, 1), POWERED | CONNECTED | ENABLED | SUSPENDED << 16);
    ck_assert_uint_eq(woken, 1); /* up to the controller */
    clear(INNER, 1, C_SUSPEND);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_ACK);
}
END_TEST

START_TEST(devices_come_and_go) {
    bring_up_all();
    usb_bus_unplug(bus, usb_mouse_device(mouse));
    ck_assert_uint_eq(port_status(INNER, 1), POWERED | CONNECTED << 16);
    ck_assert_int_eq(transact(USB_IN, MOUSE, 1, NULL, 0), USB_SILENT);
    ck_assert(usb_bus_plug_in(bus, usb_hub_socket(inner), usb_mouse_device(mouse), NULL));
    ck_assert_uint_eq(port_status(INNER, 1), POWERED | CONNECTED | CONNECTED << 16);
    clear(INNER, 1, C_CONNECTION);
    set(INNER, 1, RESET);
    clear(INNER, 1, C_RESET);
    configure(MOUSE);
    ck_assert(usb_mouse_is_used(mouse));
    clear(HUB, 8, POWER); /* and with it everything below */
    ck_assert(!usb_mouse_is_used(mouse));
    ck_assert(usb_hub_is_used(inner));
    usb_bus_unplug(bus, usb_hub_device(inner));
    ck_assert_uint_eq(usb_bus_path(bus, usb_hub_socket(inner)), 0);
}
END_TEST

START_TEST(paths) {
    static const char *const wrong[] = {"",   "0", "16", "1.", ".1", "1.0", "x", "1.2.3.4.5.6.7",
                                        "111"};
    char text[USB_PATH_TEXT];
    UsbPath path;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!usb_path_parse(wrong[i], &path), "'%s'", wrong[i]);
    ck_assert(usb_path_parse("1.8.12.4.5.15", &path));
    usb_path_print(path, text);
    ck_assert_str_eq(text, "1.8.12.4.5.15");
    ck_assert(usb_path_parse("1.8.1", &path));
    ck_assert_uint_eq(path, 0x181);
    ck_assert_uint_eq(path, usb_path_below(usb_path_below(1, 8), 1));
    ck_assert_int_eq(usb_bus_find_socket(bus, 0, path), (int)usb_hub_socket(inner));
    ck_assert_uint_eq(usb_bus_path(bus, usb_hub_socket(inner)), path);
    ck_assert_int_eq(usb_bus_find_socket(bus, 0, 0x2F1), -1);
    ck_assert_int_eq(usb_bus_find_free(bus, 0), (int)usb_hub_socket(hub));
}
END_TEST

/* A hub below itself, as a damaged save may say: it is reached from nowhere, and nothing hangs. */
START_TEST(circles_end) {
    bring_up_all();
    usb_bus_unplug(bus, usb_hub_device(inner));
    usb_bus_unplug(bus, usb_mouse_device(mouse));
    ck_assert(usb_bus_plug_in(bus, usb_hub_socket(inner) + 1, usb_hub_device(inner), NULL));
    ck_assert_uint_eq(usb_bus_path(bus, usb_hub_socket(inner)), 0);
    ck_assert_int_eq(usb_bus_find_free(bus, 0), (int)usb_hub_socket(hub));
    UsbDevice *device = usb_hub_device(inner);
    device->reset(device->opaque);
    transaction = (UsbTransaction){.token = USB_IN, .address = 99};
    ck_assert_int_eq(device->transact(device->opaque, &transaction), USB_SILENT);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    bring_up_all();
}

START_TEST(saves_and_restores) {
    check_devices_save_and_restore(fixture, change);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, is_described);
    tcase_add_test(tests, hands_on);
    tcase_add_test(tests, sleeps_and_wakes);
    tcase_add_test(tests, devices_come_and_go);
    tcase_add_test(tests, paths);
    tcase_add_test(tests, circles_end);
    tcase_add_test(tests, saves_and_restores);
}

int main(void) {
    return run_suite("usb_hub", add);
}
