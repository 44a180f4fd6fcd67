/* A virtio disk, driven by both generations of its registers, with honest and with hostile queues.
 */
#include "little_endian.h"
#include "pci_disk_fixture.h"
#include "virtio_blk.h"
#include "virtio_pci_internal.h"
#include <string.h>

enum { QUEUE = 0x10000, DATA = 0x40000, HEADER = 0x30000, STATUS = 0x38000, INDIRECT = 0x39000 };
enum { LEGACY = PCI_FIXTURE_PORTS, MODERN = 4, QUEUE_SIZE = 256 };
enum { NEXT = 1, WRITABLE = 2, IS_INDIRECT = 4 };
/* Parts of the modern registers, and some of the common ones. */
enum { ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000 };
enum { C_FEATURE_SELECT = 0, C_FEATURE = 4, C_DRIVER_SELECT = 8, C_DRIVER = 12, C_STATUS = 20 };
enum { C_QUEUE_SELECT = 22, C_QUEUE_SIZE = 24, C_ENABLE = 28, C_DESCRIPTORS = 32 };
enum { READY = 0x0F, NEEDS_RESET = 0x40 };

static PciDiskFixture *fixture;
static VirtioBlk *disk;
static uint32_t descriptors, available, used;
static uint16_t given; /* chains so far */

static void plug_in(bool read_only) {
    Error error = {.set = false};
    fixture = pci_disk_fixture_create(read_only);
    const VirtioBlkOptions options = {.id = "virtio-blk0",
                                      .slot = PCI_FIXTURE_SLOT,
                                      .medium = fixture->medium,
                                      .serial = "abc123"};
    disk = virtio_blk_create(&fixture->pci.board->context, fixture->pci.bus, &options, &error);
    ck_assert_msg(disk != NULL, "%s", error.message);
    pci_fixture_enable(&fixture->pci);
    given = 0;
}

static void set_up(void) {
    plug_in(false);
}

static void tear_down(void) {
    virtio_blk_destroy(disk);
    pci_disk_fixture_destroy(fixture);
}

static void out(unsigned port, unsigned size, uint32_t value) {
    port_map_write(fixture->pci.board->context.ports, (uint16_t)(LEGACY + port), size, value);
}

static uint32_t in(unsigned port, unsigned size) {
    return port_map_read(fixture->pci.board->context.ports, (uint16_t)(LEGACY + port), size);
}

static void start_legacy(uint32_t features) {
    out(18, 1, 0);
    out(18, 1, 3);
    out(4, 4, features);
    out(14, 2, 0);
    ck_assert_uint_eq(in(12, 2), QUEUE_SIZE);
    out(8, 4, QUEUE >> 12);
    out(18, 1, 7);
    descriptors = QUEUE;
    available = QUEUE + QUEUE_SIZE * 16;
    used = QUEUE + 0x2000;
}

static void common(unsigned offset, unsigned size, uint32_t value) {
    pci_fixture_write(&fixture->pci, MODERN, offset, size, value);
}

static void start_modern(uint32_t features) {
    common(C_STATUS, 1, 0);
    common(C_STATUS, 1, 3);
    common(C_DRIVER_SELECT, 4, 0);
    common(C_DRIVER, 4, features);
    common(C_DRIVER_SELECT, 4, 1);
    common(C_DRIVER, 4, 1);
    common(C_STATUS, 1, 0x0B);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1), 0x0B);
    common(C_QUEUE_SELECT, 2, 0);
    common(C_QUEUE_SIZE, 2, 16);
    descriptors = QUEUE;
    available = QUEUE + 0x1000;
    used = QUEUE + 0x2000;
    const uint32_t addresses[] = {descriptors, 0, available, 0, used, 0};
    for (unsigned i = 0; i < 6; i++)
        common(C_DESCRIPTORS + 4 * i, 4, addresses[i]);
    common(C_ENABLE, 2, 1);
    common(C_STATUS, 1, READY);
}

static void put_descriptor(uint32_t table, unsigned index, uint64_t address, uint32_t size,
                           unsigned flags, unsigned next) {
    uint8_t *entry = pci_fixture_ram(&fixture->pci, table + index * 16);
    store_le64(entry, address);
    store_le32(entry + 8, size);
    store_le16(entry + 12, (uint16_t)flags);
    store_le16(entry + 14, (uint16_t)next);
}

static void put_header(uint32_t type, uint64_t sector) {
    uint8_t *header = pci_fixture_ram(&fixture->pci, HEADER);
    store_le32(header, type);
    store_le32(header + 4, 0);
    store_le64(header + 8, sector);
    *pci_fixture_ram(&fixture->pci, STATUS) = 0xEE;
}

/* Makes the chain with this head available. */
static void give(uint16_t head, unsigned queue_size) {
    store_le16(pci_fixture_ram(&fixture->pci, available + 4 + given % queue_size * 2), head);
    given++;
    store_le16(pci_fixture_ram(&fixture->pci, available + 2), given);
}

static void put_request(uint32_t table, uint32_t type, uint64_t sector, uint32_t size) {
    put_header(type, sector);
    put_descriptor(table, 0, HEADER, 16, NEXT, 1);
    put_descriptor(table, 1, DATA, size, NEXT | (type == 0 || type == 8 ? WRITABLE : 0), 2);
    put_descriptor(table, 2, STATUS, 1, WRITABLE, 0);
}

static uint8_t status(void) {
    return *pci_fixture_ram(&fixture->pci, STATUS);
}

static uint16_t used_index(void) {
    return load_le16(pci_fixture_ram(&fixture->pci, used + 2));
}

/* By the legacy registers. */
static uint8_t run_request(uint32_t type, uint64_t sector, uint32_t size) {
    put_request(descriptors, type, sector, size);
    give(0, QUEUE_SIZE);
    out(16, 2, 0);
    ck_assert_uint_eq(status(), 0xEE); /* it takes time */
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(used_index(), given);
    ck_assert_uint_eq(in(19, 1), 1);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    return status();
}

START_TEST(old_driver_reads_and_writes) {
    start_legacy(0);
    ck_assert_uint_eq(in(20, 4), PCI_DISK_IMAGE_BYTES / 512);
    ck_assert_uint_eq(run_request(0, 5, 8192), 0);
    pci_disk_expect_ram(fixture, DATA, 5 * 512, 8192);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, used + 8)), 8193);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0x5A, 1024);
    ck_assert_uint_eq(run_request(1, 100, 1024), 0);
    pci_disk_expect_disk(fixture, 51200, DATA, 1024);
    ck_assert_uint_eq(run_request(4, 0, 512), 0);
    ck_assert_uint_eq(run_request(8, 0, 20), 0);
    ck_assert_str_eq((char *)pci_fixture_ram(&fixture->pci, DATA), "abc123");
    ck_assert_uint_eq(run_request(99, 0, 512), 2);
}
END_TEST

START_TEST(places_outside_of_the_disk_are_errors) {
    start_legacy(0);
    const uint64_t last = PCI_DISK_IMAGE_BYTES / 512 - 1;
    ck_assert_uint_eq(run_request(0, last, 512), 0);
    ck_assert_uint_eq(run_request(0, last, 1024), 1);
    ck_assert_uint_eq(run_request(1, last + 1, 512), 1);
    ck_assert_uint_eq(run_request(0, UINT64_MAX, 512), 1);
    ck_assert_uint_eq(run_request(1, UINT64_MAX / 512, 512), 1);
    ck_assert_uint_eq(run_request(0, 0, 100), 1);
    ck_assert_uint_eq(block_length(fixture->medium), PCI_DISK_IMAGE_BYTES);
}
END_TEST

START_TEST(zeros_are_written_and_ranges_discarded) {
    start_legacy(1u << 14 | 1u << 13 | 1u << 9);
    uint8_t *range = pci_fixture_ram(&fixture->pci, DATA);
    memset(range, 0, 4096);
    store_le64(range, 20);
    store_le32(range + 8, 4);
    ck_assert_uint_eq(run_request(13, 0, 16), 0);
    pci_disk_expect_disk(fixture, 20 * 512, DATA + 512, 2048);
    ck_assert_uint_eq(run_request(11, 0, 16), 0);
    store_le32(range + 12, 2);
    ck_assert_uint_eq(run_request(13, 0, 16), 2);
    store_le32(range + 12, 0);
    store_le64(range, PCI_DISK_IMAGE_BYTES / 512 - 2);
    ck_assert_uint_eq(run_request(13, 0, 16), 1);
    store_le32(range + 8, UINT32_MAX);
    ck_assert_uint_eq(run_request(13, 0, 16), 1);
    ck_assert_uint_eq(run_request(13, 0, 15), 2);
}
END_TEST

START_TEST(read_only_disk_refuses_writes) {
    tear_down();
    plug_in(true);
    start_legacy(0);
    ck_assert_uint_ne(in(0, 4) & 1u << 5, 0);
    ck_assert_uint_eq(run_request(1, 0, 512), 1);
    ck_assert_uint_eq(run_request(0, 0, 512), 0);
}
END_TEST

START_TEST(new_driver_uses_indirect_tables_and_events) {
    start_modern(1u << 28 | 1u << 29);
    put_request(INDIRECT, 0, 7, 4096);
    put_descriptor(descriptors, 3, INDIRECT, 48, IS_INDIRECT, 0);
    give(3, 16);
    store_le16(pci_fixture_ram(&fixture->pci, available + 4 + 32), 0); /* tell of the first */
    common(NOTIFY, 2, 0);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(status(), 0);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture->pci, used + 4)), 3);
    pci_disk_expect_ram(fixture, DATA, 7 * 512, 4096);
    ck_assert_uint_eq(load_le16(pci_fixture_ram(&fixture->pci, used + 4 + 16 * 8)), 1);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, ISR, 1), 1);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    give(3, 16); /* and of no other before the fifth */
    store_le16(pci_fixture_ram(&fixture->pci, available + 4 + 32), 4);
    common(NOTIFY, 2, 0);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_uint_eq(used_index(), 2);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
}
END_TEST

START_TEST(unknown_features_are_refused) {
    common(C_STATUS, 1, 3);
    common(C_DRIVER_SELECT, 4, 0);
    common(C_DRIVER, 4, 1u << 27 | 1u << 30);
    common(C_STATUS, 1, 0x0B);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1), 3);
}
END_TEST

/* Registers by the window in the configuration space. */
START_TEST(window_reaches_the_registers) {
    PciDevice *device = pci_bus_device(fixture->pci.bus, PCI_FIXTURE_SLOT, 0);
    const unsigned window = 0x84;
    pci_device_config_write(device, window + 4, 1, MODERN);
    pci_device_config_write(device, window + 8, 4, DEVICE);
    pci_device_config_write(device, window + 12, 4, 4);
    ck_assert_uint_eq(pci_device_config_read(device, window + 16, 4), PCI_DISK_IMAGE_BYTES / 512);
    pci_device_config_write(device, window + 8, 4, C_STATUS);
    pci_device_config_write(device, window + 12, 4, 1);
    pci_device_config_write(device, window + 16, 1, 3);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1), 3);
    pci_device_config_write(device, window + 8, 4, 0xFFFFFFF0);
    pci_device_config_read(device, window + 16, 4);
    pci_device_config_write(device, window + 16, 4, 0);
}
END_TEST

static void expect_broken(void) {
    common(NOTIFY, 2, 0);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1), READY | NEEDS_RESET);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, ISR, 1), 2);
    common(NOTIFY, 2, 0);
    ck_assert(!pci_fixture_next_event(&fixture->pci));
    given = 0;
    memset(pci_fixture_ram(&fixture->pci, QUEUE), 0, 0x4000);
    start_modern(1u << 28 | 1u << 29);
    put_request(descriptors, 0, 0, 512);
}

START_TEST(hostile_queues_need_a_reset) {
    start_modern(1u << 28 | 1u << 29);
    put_request(descriptors, 0, 0, 512);
    put_descriptor(descriptors, 1, DATA, 512, NEXT | WRITABLE, 1); /* a circle */
    give(0, 16);
    expect_broken();
    put_descriptor(descriptors, 1, DATA, 512, NEXT | WRITABLE, 16); /* out of the table */
    give(0, 16);
    expect_broken();
    give(16, 16);
    expect_broken();
    put_descriptor(descriptors, 1, UINT64_C(0x100000000), 512, NEXT | WRITABLE, 2);
    give(0, 16);
    expect_broken();
    put_descriptor(descriptors, 1, DATA, UINT32_MAX, NEXT | WRITABLE, 2);
    give(0, 16);
    expect_broken();
    put_descriptor(descriptors, 0, HEADER, 15, NEXT, 1);
    give(0, 16);
    expect_broken();
    put_descriptor(descriptors, 2, STATUS, 1, 0, 0); /* to read behind what is written */
    give(0, 16);
    expect_broken();
    put_descriptor(descriptors, 0, INDIRECT, 47, IS_INDIRECT, 0);
    give(0, 16);
    expect_broken();
    put_descriptor(INDIRECT, 0, INDIRECT, 48, IS_INDIRECT, 0); /* one in another */
    put_descriptor(descriptors, 0, INDIRECT, 48, IS_INDIRECT, 0);
    give(0, 16);
    expect_broken();
    given = 100; /* more than the queue holds */
    give(0, 16);
    expect_broken();
}
END_TEST

START_TEST(queue_over_its_own_registers_harms_nobody) {
    start_modern(0);
    common(C_STATUS, 1, 0);
    common(C_STATUS, 1, 3);
    const uint32_t registers = PCI_FIXTURE_MEMORY + MODERN * PCI_FIXTURE_MEMORY_STEP;
    const uint32_t addresses[] = {registers, 0, registers + NOTIFY, 0, registers, 0};
    for (unsigned i = 0; i < 6; i++)
        common(C_DESCRIPTORS + 4 * i, 4, addresses[i]);
    common(C_ENABLE, 2, 1);
    common(C_STATUS, 1, READY);
    common(NOTIFY, 2, 0);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_uint_ne(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1) & NEEDS_RESET, 0);
    /* Data that lands on the registers does not change them. */
    common(C_STATUS, 1, 0);
    given = 0;
    start_modern(0);
    put_request(descriptors, 0, 0, 512);
    put_descriptor(descriptors, 1, registers, 512, NEXT | WRITABLE, 2);
    give(0, 16);
    common(NOTIFY, 2, 0);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(status(), 0);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, MODERN, C_STATUS, 1), READY);
}
END_TEST

START_TEST(waits_until_it_may_master_the_bus) {
    PciDevice *device = pci_bus_device(fixture->pci.bus, PCI_FIXTURE_SLOT, 0);
    start_modern(0);
    pci_device_config_write(device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    put_request(descriptors, 0, 3, 512);
    give(0, 16);
    common(NOTIFY, 2, 0);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    ck_assert_uint_eq(used_index(), 0);
    pci_device_config_write(device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_fixture_wait_irq(&fixture->pci);
    pci_disk_expect_ram(fixture, DATA, 3 * 512, 512);
}
END_TEST

/* Begins in the middle of a request and goes on to the end of the next. */
static void change(ChipFixture *board) {
    (void)board;
    fixture->pci.irq.level = 0;
    store_le16(pci_fixture_ram(&fixture->pci, used + 2), 0);
    put_request(descriptors, 0, 9, 1024);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 1024);
    pci_fixture_wait_irq(&fixture->pci);
    ck_assert_uint_eq(used_index(), 1);
    pci_disk_expect_ram(fixture, DATA, 9 * 512, 1024);
}

START_TEST(saved_in_the_middle_of_a_request) {
    start_legacy(0);
    put_request(descriptors, 0, 9, 1024);
    give(0, QUEUE_SIZE);
    out(16, 2, 0);
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

/* A queue that is not there would be looked into for ever. */
START_TEST(damaged_state_asks_for_no_queue_that_is_not_there) {
    start_legacy(0);
    while (pci_fixture_next_event(&fixture->pci))
        ;
    const DeviceList *devices = &fixture->pci.board->devices;
    for (int i = 0; i < devices->count; i++) {
        const DeviceEntry *entry = &devices->entries[i];
        if (strcmp(entry->id, "virtio-blk0-pci") != 0)
            continue;
        VirtioPciState *state = entry->state;
        state->noticed = 0x82;
        entry->device_class->restored(entry->device);
        ck_assert_uint_eq(state->noticed, 0);
        return;
    }
    ck_abort_msg("no transport");
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, old_driver_reads_and_writes);
    tcase_add_test(tests, places_outside_of_the_disk_are_errors);
    tcase_add_test(tests, zeros_are_written_and_ranges_discarded);
    tcase_add_test(tests, read_only_disk_refuses_writes);
    tcase_add_test(tests, new_driver_uses_indirect_tables_and_events);
    tcase_add_test(tests, unknown_features_are_refused);
    tcase_add_test(tests, window_reaches_the_registers);
    tcase_add_test(tests, hostile_queues_need_a_reset);
    tcase_add_test(tests, queue_over_its_own_registers_harms_nobody);
    tcase_add_test(tests, waits_until_it_may_master_the_bus);
    tcase_add_test(tests, saved_in_the_middle_of_a_request);
    tcase_add_test(tests, damaged_state_asks_for_no_queue_that_is_not_there);
}

int main(void) {
    return run_suite("virtio-blk", add);
}
