/* The bridge from USB to SCSI as a driver's transactions see it, with honest and with hostile ones.
 */
#include "little_endian.h"
#include "pci_disk_fixture.h"
#include "scsi_disk.h"
#include "usb_storage.h"
#include <string.h>

enum { MS = 1000000, PACKET = 64, BLOCK = 512 };
enum { PASSED = 0, FAILED = 1, PHASE_ERROR = 2 };
enum { BULK_IN = 1, BULK_OUT = 2, ADDRESS = 5 };

static PciDiskFixture *fixture;
static ScsiDisk *disk;
static UsbBus *bus;
static UsbStorage *storage;
static UsbDevice *device;
static UsbTransaction transaction;
static unsigned address;

static void nothing(void *opaque, unsigned number) {
    (void)opaque;
    (void)number;
}

static UsbAnswer transact(UsbToken token, unsigned endpoint, const void *data, uint32_t size) {
    transaction =
        (UsbTransaction){.token = token, .address = address, .endpoint = endpoint, .size = size};
    if (size > 0)
        memcpy(transaction.bytes, data, size);
    return device->transact(device->opaque, &transaction);
}

/* Until it has an answer. */
static UsbAnswer transact_late(UsbToken token, unsigned endpoint, const void *data, uint32_t size) {
    UsbAnswer answer = transact(token, endpoint, data, size);
    for (unsigned i = 0; i < 100 && answer == USB_NAK; i++) {
        chip_fixture_run(fixture->pci.board, MS);
        answer = transact(token, endpoint, data, size);
    }
    return answer;
}

/* Without data; returns whether it was taken. */
static bool request(uint8_t type, uint8_t code, uint16_t value, uint16_t index) {
    uint8_t setup[8] = {type, code};
    store_le16(setup + 2, value);
    store_le16(setup + 4, index);
    ck_assert_int_eq(transact(USB_SETUP, 0, setup, 8), USB_ACK);
    return transact(USB_IN, 0, NULL, 0) == USB_ACK;
}

static void set_up(void) {
    fixture = pci_disk_fixture_create(false);
    bus = usb_bus_create();
    ck_assert_uint_eq(
        usb_bus_add_sockets(bus, &(UsbSocketOwner){"hub", NULL, NULL, nothing, nothing}, 1), 0);
    disk = scsi_disk_create(&fixture->pci.board->context,
                            &(ScsiDiskOptions){.id = "disk", .medium = fixture->medium});
    storage =
        usb_storage_create(&fixture->pci.board->context, bus, "storage", scsi_disk_target(disk));
    device = usb_storage_device(storage);
    ck_assert(usb_bus_plug_in(bus, 0, device, NULL));
    address = 0;
    ck_assert(request(0, 5, ADDRESS, 0));
    address = ADDRESS;
    ck_assert(request(0, 9, 1, 0));
}

static void tear_down(void) {
    usb_storage_destroy(storage);
    scsi_disk_destroy(disk);
    usb_bus_destroy(bus);
    pci_disk_fixture_destroy(fixture);
}

static UsbAnswer send_command(const char *command, unsigned length, uint32_t size, bool in) {
    uint8_t wrapper[31] = {'U', 'S', 'B', 'C', 0x44, 0x33, 0x22, 0x11};
    store_le32(wrapper + 8, size);
    wrapper[12] = in ? 0x80 : 0;
    wrapper[14] = (uint8_t)length;
    memcpy(wrapper + 15, command, length);
    return transact(USB_OUT, BULK_OUT, wrapper, sizeof(wrapper));
}

static void expect_status(uint8_t status, uint32_t left) {
    ck_assert_int_eq(transact_late(USB_IN, BULK_IN, NULL, 0), USB_ACK);
    ck_assert_uint_eq(transaction.size, 13);
    ck_assert_mem_eq(transaction.bytes, "USBS\x44\x33\x22\x11", 8);
    ck_assert_uint_eq(load_le32(transaction.bytes + 8), left);
    ck_assert_uint_eq(transaction.bytes[12], status);
}

/* Until a packet is short, or so much is there. */
static uint32_t receive(uint8_t *data, uint32_t size) {
    uint32_t done = 0;
    while (done < size && transact_late(USB_IN, BULK_IN, NULL, 0) == USB_ACK) {
        memcpy(data + done, transaction.bytes, transaction.size);
        done += transaction.size;
        if (transaction.size < PACKET)
            break;
    }
    return done;
}

/* A disk that was reset says so to the first that asks. */
static void clear_attention(void) {
    uint8_t data[18];
    ck_assert_int_eq(send_command("\x03\0\0\0\x12\0", 6, 18, true), USB_ACK);
    receive(data, 18);
    expect_status(PASSED, 0);
}

START_TEST(blocks_are_read_and_written) {
    uint8_t data[4 * BLOCK];
    clear_attention();
    ck_assert_int_eq(send_command("\x28\0\0\0\0\x05\0\0\x04\0", 10, sizeof(data), true), USB_ACK);
    ck_assert_uint_eq(receive(data, sizeof(data)), sizeof(data));
    for (unsigned i = 0; i < sizeof(data); i++)
        ck_assert_uint_eq(data[i], pci_disk_byte(5 * BLOCK + i));
    expect_status(PASSED, 0);
    ck_assert_int_eq(send_command("\x2A\0\0\0\0\x64\0\0\x01\0", 10, BLOCK, false), USB_ACK);
    memset(data, 0x5A, BLOCK);
    for (unsigned at = 0; at < BLOCK; at += PACKET)
        ck_assert_int_eq(transact_late(USB_OUT, BULK_OUT, data + at, PACKET), USB_ACK);
    expect_status(PASSED, 0);
    uint8_t stored[BLOCK];
    ck_assert(block_read(fixture->medium, 100 * BLOCK, stored, BLOCK, NULL));
    ck_assert_mem_eq(stored, data, BLOCK);
}
END_TEST

START_TEST(less_data_than_expected_is_told) {
    uint8_t data[256];
    ck_assert_int_eq(send_command("\x12\0\0\0\x24\0", 6, 255, true), USB_ACK); /* INQUIRY */
    ck_assert_uint_eq(receive(data, 255), 36);
    expect_status(PASSED, 255 - 36);
    clear_attention();
    ck_assert_int_eq(send_command("\x12\0\0\0\x40\0", 6, 192, true), USB_ACK);
    uint32_t size = receive(data, 192);
    expect_status(PASSED, 192 - size);
    ck_assert_int_eq(send_command("\0\0\0\0\0\0", 6, 64, true), USB_ACK); /* no data at all */
    ck_assert_int_eq(transact_late(USB_IN, BULK_IN, NULL, 0), USB_STALL);
    ck_assert_int_eq(transact(USB_IN, BULK_IN, NULL, 0), USB_STALL);
    ck_assert(request(2, 1, 0, 0x81));
    expect_status(PASSED, 64);
}
END_TEST

START_TEST(failures_are_told_and_explained) {
    uint8_t data[18];
    clear_attention();
    ck_assert_int_eq(send_command("\x28\0\x7F\0\0\0\0\0\x01\0", 10, BLOCK, true), USB_ACK);
    ck_assert_int_eq(transact_late(USB_IN, BULK_IN, NULL, 0), USB_STALL);
    ck_assert(request(2, 1, 0, 0x81));
    expect_status(FAILED, BLOCK);
    ck_assert_int_eq(send_command("\x03\0\0\0\x12\0", 6, 18, true), USB_ACK);
    ck_assert_uint_eq(receive(data, 18), 18);
    ck_assert_uint_eq(data[2] & 0xF, 5); /* illegal request */
    ck_assert_uint_eq(data[12], 0x21);   /* block out of range */
    expect_status(PASSED, 0);
}
END_TEST

START_TEST(host_and_disk_may_disagree) {
    uint8_t data[BLOCK] = {0};
    clear_attention();
    /* The host means to read, the command writes; and the other way round; and no data. */
    ck_assert_int_eq(send_command("\x2A\0\0\0\0\x64\0\0\x01\0", 10, BLOCK, true), USB_ACK);
    ck_assert_int_eq(transact_late(USB_IN, BULK_IN, NULL, 0), USB_STALL);
    ck_assert(request(2, 1, 0, 0x81));
    expect_status(PHASE_ERROR, BLOCK);
    ck_assert_int_eq(send_command("\x28\0\0\0\0\x64\0\0\x01\0", 10, PACKET, false), USB_ACK);
    ck_assert_int_eq(transact_late(USB_OUT, BULK_OUT, data, PACKET), USB_ACK);
    expect_status(PHASE_ERROR, 0);
    ck_assert_int_eq(send_command("\x28\0\0\0\0\x64\0\0\x01\0", 10, 0, true), USB_ACK);
    expect_status(PHASE_ERROR, 0);
    /* Less than the command moves. */
    ck_assert_int_eq(send_command("\x28\0\0\0\0\x64\0\0\x02\0", 10, BLOCK, true), USB_ACK);
    ck_assert_uint_eq(receive(data, BLOCK), BLOCK);
    expect_status(PHASE_ERROR, 0);
    uint8_t stored[1];
    ck_assert(block_read(fixture->medium, 100 * BLOCK, stored, 1, NULL));
    ck_assert_uint_eq(stored[0], pci_disk_byte(100 * BLOCK));
}
END_TEST

START_TEST(nonsense_stops_it_until_reset) {
    ck_assert_int_eq(transact(USB_OUT, BULK_OUT, "USBC", 4), USB_STALL);
    ck_assert_int_eq(transact(USB_IN, BULK_IN, NULL, 0), USB_STALL);
    ck_assert(request(2, 1, 0, 0x81)); /* that alone is not enough */
    ck_assert(request(2, 1, 0, 0x02));
    ck_assert_int_eq(send_command("\0\0\0\0\0\0", 6, 0, false), USB_STALL);
    ck_assert(request(0x21, 0xFF, 0, 0));
    ck_assert(request(2, 1, 0, 0x81));
    ck_assert(request(2, 1, 0, 0x02));
    clear_attention();
    ck_assert(!request(2, 1, 0, 0x83)); /* no such endpoint */
}
END_TEST

static void change(ChipFixture *board) {
    uint8_t data[BLOCK];
    (void)board;
    receive(data, BLOCK);
    request(0, 9, 0, 0);
    usb_bus_unplug(bus, device);
}

/* In the middle of reading, then it goes on. */
START_TEST(state_is_saved) {
    uint8_t data[2 * BLOCK];
    clear_attention();
    ck_assert_int_eq(send_command("\x28\0\0\0\0\x05\0\0\x02\0", 10, sizeof(data), true), USB_ACK);
    ck_assert_uint_eq(receive(data, 3 * PACKET), 3 * PACKET);
    Snapshot snapshot;
    snapshot_take(fixture->pci.board, &snapshot);
    check_devices_save_and_restore(fixture->pci.board, change);
    snapshot_restore(fixture->pci.board, &snapshot);
    snapshot_free(&snapshot);
    ck_assert_uint_eq(receive(data, sizeof(data) - 3 * PACKET), sizeof(data) - 3 * PACKET);
    ck_assert_uint_eq(data[0], pci_disk_byte(5 * BLOCK + 3 * PACKET));
    expect_status(PASSED, 0);
}
END_TEST

START_TEST(random_transactions_do_no_harm) {
    static const UsbToken tokens[] = {USB_SETUP, USB_IN, USB_OUT};
    uint32_t seed = 4711;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[PACKET];
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        address = device->address(device->opaque);
        uint32_t size = seed >> 8 & 63;
        if (seed & 1) { /* a wrapper that is right so far */
            memcpy(bytes, "USBC", 4);
            store_le32(bytes + 8, bytes[8]);
            bytes[14] = 10;
            size = 31;
        }
        transact(tokens[(seed >> 16) % 3], seed >> 20 & 3, bytes, size);
        if (round % 16 == 0)
            chip_fixture_run(fixture->pci.board, MS);
        if (round % 64 == 0) {
            device->reset(device->opaque);
            address = 0;
            ck_assert(request(0, 9, 1, 0));
        }
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, blocks_are_read_and_written);
    tcase_add_test(tests, less_data_than_expected_is_told);
    tcase_add_test(tests, failures_are_told_and_explained);
    tcase_add_test(tests, host_and_disk_may_disagree);
    tcase_add_test(tests, nonsense_stops_it_until_reset);
    tcase_add_test(tests, state_is_saved);
    tcase_add_test(tests, random_transactions_do_no_harm);
}

int main(void) {
    return run_suite("usb_storage", add_tests);
}
