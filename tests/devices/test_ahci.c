/* An AHCI controller with a disk and a CD drive, with honest and with hostile command lists. */
#include "ahci.h"
#include "little_endian.h"
#include "pci_disk_fixture.h"

enum { LIST = 0x10000, RECEIVED = 0x11000, TABLE = 0x12000, TABLE_STEP = 0x1000, DATA = 0x40000 };
enum { PORT_BYTES = 0x80, CLB = 0x100, FB = 0x108, IS = 0x110, IE = 0x114, CMD = 0x118 };
enum { TFD = 0x120, SIG = 0x124, SSTS = 0x128, SCTL = 0x12C, SACT = 0x134, CI = 0x138 };
enum { GHC = 4, HBA_IS = 8, BAR = 5 };
enum { READ_DMA_EXT = 0x25, WRITE_DMA_EXT = 0x35, READ_PIO = 0x20, WRITE_PIO = 0x30 };
enum { IDENTIFY = 0xEC, PACKET = 0xA0, READ_QUEUED = 0x60, WRITE_QUEUED = 0x61, FLUSH = 0xE7 };
enum { TASK_FILE_ERROR = 1 << 30, OVERFLOW = 1 << 24, BUS_DATA = 1 << 28 };
enum { AT_REGISTERS = 0x40, AT_PIO = 0x20, AT_BITS = 0x58 };

typedef struct Region {
    uint32_t address, size;
} Region;

static PciDiskFixture *fixture;
static Ahci *ahci;
static unsigned port;

static void put(unsigned offset, uint32_t value) {
    pci_fixture_write(&fixture->pci, BAR, offset + (offset >= 0x100 ? port * PORT_BYTES : 0), 4,
                      value);
}

static uint32_t get(unsigned offset) {
    return pci_fixture_read(&fixture->pci, BAR, offset + (offset >= 0x100 ? port * PORT_BYTES : 0),
                            4);
}

static uint32_t received(unsigned offset) {
    return load_le32(pci_fixture_ram(&fixture->pci, RECEIVED + port * 0x100 + offset));
}

static void settle(void) {
    while (pci_fixture_next_event(&fixture->pci))
        ;
}

static void start(unsigned number) {
    port = number;
    put(CMD, 0);
    put(CLB, LIST + port * 0x400);
    put(FB, RECEIVED + port * 0x100);
    put(IS, UINT32_MAX);
    put(CMD, 0x10);
    put(CMD, 0x11);
    put(IE, UINT32_MAX);
    settle();
}

static void set_up(void) {
    Error error = {.set = false};
    fixture = pci_disk_fixture_create(false);
    const AhciOptions options = {
        .slot = PCI_FIXTURE_SLOT,
        .drives = {[0] = {.kind = IDE_DRIVE_DISK, .medium = fixture->medium},
                   [3] = {.kind = IDE_DRIVE_CDROM, .medium = fixture->medium}}};
    ahci = ahci_create(&fixture->pci.board->context, fixture->pci.bus, &options, &error);
    ck_assert_msg(ahci != NULL, "%s", error.message);
    pci_fixture_enable(&fixture->pci);
    put(GHC, 2);
    start(0);
}

static void tear_down(void) {
    ahci_destroy(ahci);
    pci_disk_fixture_destroy(fixture);
}

static uint8_t *table_of(unsigned slot) {
    return pci_fixture_ram(&fixture->pci, TABLE + slot * TABLE_STEP);
}

/* Fills a slot's header and table; the frame is zeros but for what is given. */
static uint8_t *fill_slot(unsigned slot, uint8_t command, uint64_t lba, unsigned count,
                          const Region *regions, unsigned region_count) {
    uint8_t *header = pci_fixture_ram(&fixture->pci, LIST + port * 0x400 + slot * 32);
    uint8_t *frame = table_of(slot);
    memset(header, 0, 32);
    memset(frame, 0, TABLE_STEP);
    store_le32(header, region_count << 16 | 5);
    store_le32(header + 8, TABLE + slot * TABLE_STEP);
    frame[0] = 0x27;
    frame[1] = 0x80;
    frame[2] = command;
    for (unsigned i = 0; i < 3; i++) {
        frame[4 + i] = (uint8_t)(lba >> 8 * i);
        frame[8 + i] = (uint8_t)(lba >> (24 + 8 * i));
    }
    frame[7] = 0x40;
    frame[12] = (uint8_t)count;
    frame[13] = (uint8_t)(count >> 8);
    for (unsigned i = 0; i < region_count; i++) {
        store_le32(frame + 0x80 + i * 16, regions[i].address);
        store_le32(frame + 0x8C + i * 16, regions[i].size - 1);
    }
    return frame;
}

/* Gives a command and waits for its end; what PxIS says then. */
static uint32_t issue(unsigned slot) {
    put(CI, 1u << slot);
    ck_assert_int_eq(fixture->pci.irq.level, 0); /* it takes time */
    ck_assert_uint_eq(get(CI), 1u << slot);
    pci_fixture_wait_irq(&fixture->pci);
    settle();
    uint32_t status = get(IS);
    ck_assert_uint_eq(get(HBA_IS), 1u << port);
    put(IS, status);
    put(HBA_IS, UINT32_MAX);
    ck_assert_int_eq(fixture->pci.irq.level, 0);
    return status;
}

static uint32_t moved(unsigned slot) {
    return load_le32(pci_fixture_ram(&fixture->pci, LIST + port * 0x400 + slot * 32 + 4));
}

#define REGIONS(...)                                                                               \
    (const Region[]){__VA_ARGS__}, sizeof((const Region[]){__VA_ARGS__}) / sizeof(Region)

START_TEST(ports_tell_what_is_connected) {
    ck_assert_uint_eq(get(SSTS), 0x123);
    ck_assert_uint_eq(get(SIG), 0x101);
    ck_assert_uint_eq(get(TFD) & 0xFF, 0x50);
    ck_assert_uint_eq(received(AT_REGISTERS) & 0xFF, 0x34); /* the signature came */
    port = 1;
    ck_assert_uint_eq(get(SSTS), 0);
    port = 3;
    ck_assert_uint_eq(get(SIG), 0xEB140101);
    put(SCTL, 1);
    put(SCTL, 0);
    ck_assert_uint_eq(get(TFD) & 0xFF, 0x50);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, BAR, 0x0C, 4), 0x3F);
    ck_assert_uint_eq(pci_fixture_read(&fixture->pci, BAR, 0x0C, 1), 0x3F);
}
END_TEST

START_TEST(identified_by_pio) {
    fill_slot(4, IDENTIFY, 0, 0, REGIONS({DATA, 512}));
    uint32_t status = issue(4);
    ck_assert_uint_eq(status & 2, 2);
    ck_assert_uint_eq(get(CI), 0);
    ck_assert_uint_eq(moved(4), 512);
    ck_assert_uint_eq(received(AT_PIO) & 0xFF, 0x5F);
    ck_assert_uint_eq(received(AT_PIO + 12) >> 24, 0x50); /* the status after it */
    const uint8_t *data = pci_fixture_ram(&fixture->pci, DATA);
    ck_assert_uint_eq(load_le16(data + 2 * 75), 31);
    ck_assert_uint_eq(load_le16(data + 2 * 76) & 0x100, 0x100);
    ck_assert_uint_eq(load_le16(data + 2 * 93), 0);
}
END_TEST

START_TEST(reads_and_writes_by_dma) {
    fill_slot(0, READ_DMA_EXT, 5, 40, REGIONS({DATA, 1000}, {DATA + 0x8000, 40 * 512 - 1000}));
    ck_assert_uint_eq(issue(0), 1);
    ck_assert_uint_eq(moved(0), 40 * 512);
    pci_disk_expect_ram(fixture, DATA, 5 * 512, 1000);
    pci_disk_expect_ram(fixture, DATA + 0x8000, 5 * 512 + 1000, 40 * 512 - 1000);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0x5A, 2048);
    fill_slot(31, WRITE_DMA_EXT, 100, 4, REGIONS({DATA, 2048}));
    ck_assert_uint_eq(issue(31), 1);
    pci_disk_expect_disk(fixture, 51200, DATA, 2048);
    fill_slot(0, FLUSH, 0, 0, NULL, 0);
    ck_assert_uint_eq(issue(0), 1);
}
END_TEST

START_TEST(reads_and_writes_by_pio) {
    fill_slot(0, READ_PIO, 7, 3, REGIONS({DATA, 1536}));
    issue(0);
    pci_disk_expect_ram(fixture, DATA, 7 * 512, 1536);
    memset(pci_fixture_ram(&fixture->pci, DATA), 0x77, 1536);
    fill_slot(0, WRITE_PIO, 9, 3, REGIONS({DATA, 1536}));
    issue(0);
    ck_assert_uint_eq(get(CI), 0);
    pci_disk_expect_disk(fixture, 9 * 512, DATA, 1536);
}
END_TEST

/* Count and features change places in queued commands. */
static void fill_queued(unsigned slot, uint8_t command, uint64_t lba, unsigned count,
                        uint32_t address) {
    const Region region = {address, count * 512};
    uint8_t *frame = fill_slot(slot, command, lba, slot << 3, &region, 1);
    frame[3] = (uint8_t)count;
    frame[11] = (uint8_t)(count >> 8);
}

START_TEST(queued_commands) {
    memset(pci_fixture_ram(&fixture->pci, DATA + 0x10000), 0x33, 4096);
    fill_queued(2, READ_QUEUED, 11, 8, DATA);
    fill_queued(5, WRITE_QUEUED, 300, 8, DATA + 0x10000);
    fill_queued(30, READ_QUEUED, 50, 1, DATA + 0x4000);
    const uint32_t tags = 1u << 2 | 1u << 5 | 1u << 30;
    put(SACT, tags);
    put(CI, tags);
    pci_fixture_wait_irq(&fixture->pci);
    settle();
    ck_assert_uint_eq(get(SACT), 0);
    ck_assert_uint_eq(get(CI), 0);
    ck_assert_uint_eq(get(IS), 8);
    ck_assert_uint_eq(received(AT_BITS) & 0xFF, 0xA1);
    ck_assert_uint_eq(received(AT_BITS + 4), tags);
    pci_disk_expect_ram(fixture, DATA, 11 * 512, 4096);
    pci_disk_expect_ram(fixture, DATA + 0x4000, 50 * 512, 512);
    pci_disk_expect_disk(fixture, 300 * 512, DATA + 0x10000, 4096);
}
END_TEST

/* Until software stops and starts the port nothing else runs. */
static void expect_recovery(void) {
    put(CMD, 0x10);
    put(CMD, 0x11);
    ck_assert_uint_eq(get(CI), 0);
    fill_slot(0, READ_DMA_EXT, 1, 1, REGIONS({DATA, 512}));
    ck_assert_uint_eq(issue(0), 1);
    pci_disk_expect_ram(fixture, DATA, 512, 512);
}

START_TEST(errors_stop_the_port) {
    fill_slot(1, READ_DMA_EXT, PCI_DISK_IMAGE_BYTES / 512, 1, REGIONS({DATA, 512}));
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    ck_assert_uint_eq(get(TFD), 0x1051);
    ck_assert_uint_eq(get(CI), 2);
    expect_recovery();
    fill_queued(1, READ_QUEUED, PCI_DISK_IMAGE_BYTES / 512, 1, DATA);
    put(SACT, 2);
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    ck_assert_uint_eq(get(TFD), 0x1051);
    expect_recovery();
    fill_queued(1, READ_QUEUED, UINT64_C(0xFFFFFFFFFFFF), 65535, DATA);
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    expect_recovery();
    fill_slot(1, 0xFF, 0, 0, NULL, 0); /* no such command */
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    expect_recovery();
}
END_TEST

START_TEST(regions_that_do_not_fit) {
    memset(pci_fixture_ram(&fixture->pci, DATA), 0xEE, 4096);
    fill_slot(0, READ_DMA_EXT, 3, 4, REGIONS({DATA, 1024})); /* too short */
    ck_assert_uint_eq(issue(0) & OVERFLOW, OVERFLOW);
    pci_disk_expect_ram(fixture, DATA, 3 * 512, 1024);
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, DATA + 1024), 0xEE);
    ck_assert_uint_eq(moved(0), 1024);
    /* A write that gets no data waits for a reset. */
    fill_slot(0, WRITE_DMA_EXT, 3, 4, REGIONS({DATA, 1024}));
    put(CI, 1);
    settle();
    ck_assert_uint_eq(get(CI), 1);
    put(IS, UINT32_MAX);
    put(HBA_IS, UINT32_MAX);
    put(CMD, 0x10);
    put(SCTL, 1);
    put(SCTL, 0);
    put(CMD, 0x11);
    settle();
    put(IS, UINT32_MAX);
    put(HBA_IS, UINT32_MAX);
    expect_recovery();
    /* Regions of 4 MB each, more than any command moves. */
    fill_slot(0, READ_DMA_EXT, 0, 8, NULL, 0);
    for (unsigned i = 0; i < 200; i++)
        store_le32(table_of(0) + 0x8C + i * 16, 0x3FFFFF);
    store_le32(pci_fixture_ram(&fixture->pci, LIST), 200u << 16 | 5);
    ck_assert_uint_ne(issue(0) & BUS_DATA, 0);
    fill_queued(0, READ_QUEUED, 0, 9, DATA);
    store_le32(table_of(0) + 0x8C, 8 * 512 - 1);
    ck_assert_uint_ne(issue(0) & BUS_DATA, 0);
    expect_recovery();
}
END_TEST

START_TEST(lists_over_its_own_registers_harm_nobody) {
    const uint32_t registers = PCI_FIXTURE_MEMORY + BAR * PCI_FIXTURE_MEMORY_STEP;
    put(CLB, registers);
    put(FB, registers);
    put(CI, UINT32_MAX);
    settle();
    put(CMD, 0);
    put(CLB, 0xFFFFFC00);
    put(FB, 0xFFFFFF00);
    put(CMD, 0x11);
    put(CI, UINT32_MAX);
    settle();
    start(0);
    put(HBA_IS, UINT32_MAX);
    fill_slot(0, READ_DMA_EXT, 1, 1, REGIONS({registers, 512}));
    issue(0);
    ck_assert_uint_eq(get(CMD) & 0x11, 0x11);
    fill_slot(0, READ_DMA_EXT, 1, 1, REGIONS({DATA, 512}));
    store_le32(pci_fixture_ram(&fixture->pci, LIST + 8), registers); /* the table */
    put(CI, 1);
    settle();
    ck_assert_uint_eq(get(CMD) & 0x11, 0x11);
}
END_TEST

START_TEST(packet_commands) {
    start(3);
    uint8_t *frame = fill_slot(0, PACKET, 0, 0, REGIONS({DATA, 36}));
    frame[5] = 36; /* room for an answer by PIO */
    frame[0x40] = 0x12;
    frame[0x44] = 36;
    ck_assert_uint_eq(issue(0) & TASK_FILE_ERROR, 0);
    ck_assert_mem_eq(pci_fixture_ram(&fixture->pci, DATA + 8), "QEMU", 4);
    frame = fill_slot(1, PACKET, 0, 0, REGIONS({DATA, 4096}));
    frame[3] = 1; /* by DMA */
    frame[0x40] = 0x28;
    frame[0x45] = 6;
    frame[0x48] = 2;
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, 0);
    pci_disk_expect_ram(fixture, DATA, 6 * 2048, 4096);
    frame = fill_slot(1, PACKET, 0, 0, NULL, 0);
    frame[0x40] = 0xFE;
    ck_assert_uint_eq(issue(1) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    put(CMD, 0x10);
    put(CMD, 0x11);
    frame = fill_slot(2, PACKET, 0, 0, REGIONS({DATA, 18}));
    frame[5] = 18;
    frame[0x40] = 0x03;
    frame[0x44] = 18;
    ck_assert_uint_eq(issue(2) & TASK_FILE_ERROR, 0);
    ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, DATA + 2) & 0xF, 5); /* illegal request */
    /* A drive with packets has no queue. */
    fill_queued(0, READ_QUEUED, 0, 1, DATA);
    ck_assert_uint_eq(issue(0) & TASK_FILE_ERROR, TASK_FILE_ERROR);
}
END_TEST

START_TEST(software_reset) {
    uint8_t *frame = fill_slot(0, 0, 0, 0, NULL, 0);
    frame[1] = 0;
    frame[15] = 4;
    put(CI, 1);
    settle();
    ck_assert_uint_eq(get(CI), 0);
    ck_assert_uint_eq(get(TFD) & 0x80, 0x80);
    memset(pci_fixture_ram(&fixture->pci, RECEIVED), 0, 0x100);
    frame[15] = 0;
    put(CI, 1);
    settle();
    ck_assert_uint_eq(get(CI), 0);
    ck_assert_uint_eq(get(TFD) & 0xFF, 0x50);
    ck_assert_uint_eq(received(AT_REGISTERS) & 0xFF, 0x34);
    ck_assert_uint_eq(received(AT_REGISTERS + 4) & 0xFFFFFF, 1);
    expect_recovery();
    put(GHC, 1);
    ck_assert_uint_eq(get(GHC), 0x80000000);
    ck_assert_uint_eq(get(CMD) & 0xC011, 0);
}
END_TEST

/* Begins in the middle of commands. */
static void change(ChipFixture *board) {
    (void)board;
    fixture->pci.irq.level = 0;
    memset(pci_fixture_ram(&fixture->pci, DATA), 0, 40 * 512);
    settle();
    ck_assert_uint_eq(get(CI), 0);
    pci_disk_expect_ram(fixture, DATA, 5 * 512, 40 * 512);
}

START_TEST(saved_in_the_middle_of_a_command) {
    fill_slot(0, READ_DMA_EXT, 5, 40, REGIONS({DATA, 40 * 512}));
    put(CI, 1);
    check_devices_save_and_restore(fixture->pci.board, change);
    pci_fixture_next_event(&fixture->pci); /* the drive has it now */
    fill_slot(0, READ_PIO, 5, 40, REGIONS({DATA, 40 * 512}));
    put(CI, 1);
    for (unsigned i = 0; i < 20; i++)
        pci_fixture_next_event(&fixture->pci);
    Snapshot snapshot;
    snapshot_take(fixture->pci.board, &snapshot);
    settle();
    uint64_t end = device_list_hash(&fixture->pci.board->devices);
    snapshot_restore(fixture->pci.board, &snapshot);
    settle();
    ck_assert_uint_eq(device_list_hash(&fixture->pci.board->devices), end);
    pci_disk_expect_ram(fixture, DATA, 5 * 512, 40 * 512);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(trimmed_ranges) {
    uint8_t *list = pci_fixture_ram(&fixture->pci, DATA);
    memset(list, 0, 1024);
    store_le64(list, 20 | (uint64_t)8 << 48);
    store_le64(list + 512, 40 | (uint64_t)1 << 48);
    uint8_t *frame = fill_slot(0, 0x06, 0, 2, REGIONS({DATA, 1024}));
    frame[3] = 1;
    ck_assert_uint_eq(issue(0), 1);
    uint8_t sector[512];
    ck_assert(block_read(fixture->medium, 19 * 512, sector, 512, NULL));
    ck_assert_uint_eq(sector[1], pci_disk_byte(19 * 512 + 1));
    store_le64(list, UINT64_C(0xFFFFFFFFFFFFFFFF));
    ck_assert_uint_eq(issue(0) & TASK_FILE_ERROR, TASK_FILE_ERROR);
    expect_recovery();
    frame = fill_slot(0, 0x06, 0, 1, REGIONS({DATA, 512})); /* not TRIM */
    frame[3] = 2;
    ck_assert_uint_eq(issue(0) & TASK_FILE_ERROR, TASK_FILE_ERROR);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, ports_tell_what_is_connected);
    tcase_add_test(tests, identified_by_pio);
    tcase_add_test(tests, reads_and_writes_by_dma);
    tcase_add_test(tests, reads_and_writes_by_pio);
    tcase_add_test(tests, queued_commands);
    tcase_add_test(tests, errors_stop_the_port);
    tcase_add_test(tests, regions_that_do_not_fit);
    tcase_add_test(tests, lists_over_its_own_registers_harm_nobody);
    tcase_add_test(tests, packet_commands);
    tcase_add_test(tests, software_reset);
    tcase_add_test(tests, trimmed_ranges);
    tcase_add_test(tests, saved_in_the_middle_of_a_command);
}

int main(void) {
    return run_suite("ahci", add);
}
