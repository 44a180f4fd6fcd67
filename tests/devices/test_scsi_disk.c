/* The commands of a SCSI disk, without a bus. */
#include "big_endian.h"
#include "pci_disk_fixture.h"
#include "scsi_cd.h"
#include "scsi_disk.h"

enum { ILLEGAL = 5, ATTENTION = 6, PROTECTED = 7, MISCOMPARE = 14 };
#define BLOCKS (PCI_DISK_IMAGE_BYTES / 512)

static PciDiskFixture *fixture;
static ScsiDisk *disk;
static ScsiTarget *target;
static uint8_t data[PCI_DISK_IMAGE_BYTES];

static void plug_in(bool read_only) {
    fixture = pci_disk_fixture_create(read_only);
    const ScsiDiskOptions options = {
        .id = "scsi-disk0", .medium = fixture->medium, .serial = "abc123", .device_id = "drive-a"};
    disk = scsi_disk_create(&fixture->pci.board->context, &options);
    target = scsi_disk_target(disk);
}

/* Moves at most 'size' bytes of 'data' where the command wants that; how many did. */
static size_t move(size_t size) {
    size_t moved = 0;
    for (;;) {
        ScsiTargetPhase phase = scsi_target_phase(target);
        if (phase == SCSI_BUSY)
            ck_assert(pci_fixture_next_event(&fixture->pci));
        else if (phase == SCSI_DONE || moved == size)
            return moved;
        else
            moved +=
                scsi_target_move(target, data + moved, size - moved < 700 ? size - moved : 700);
    }
}

typedef struct Outcome {
    uint8_t status;
    size_t moved;
} Outcome;

static Outcome run_on(unsigned lun, const uint8_t *command) {
    scsi_target_begin(target, lun, command);
    ck_assert_int_eq(scsi_target_phase(target), SCSI_BUSY); /* it takes time */
    Outcome outcome = {.moved = move(sizeof(data))};
    outcome.status = scsi_target_take_status(target);
    ck_assert_int_eq(scsi_target_phase(target), SCSI_FREE);
    return outcome;
}

#define COMMAND(...) ((const uint8_t[SCSI_COMMAND_BYTES]){__VA_ARGS__})
#define RUN(...) run_on(0, COMMAND(__VA_ARGS__))

static void expect_moved(Outcome outcome, size_t moved) {
    ck_assert_uint_eq(outcome.status, SCSI_GOOD);
    ck_assert_uint_eq(outcome.moved, moved);
}

/* The command fails with this key and code. */
static void expect_failure(Outcome outcome, unsigned key, unsigned code) {
    ck_assert_uint_eq(outcome.status, SCSI_CHECK_CONDITION);
    expect_moved(RUN(0x03, 0, 0, 0, 18), 18);
    ck_assert_uint_eq(data[2], key);
    ck_assert_uint_eq(data[12], code);
    expect_moved(RUN(0x03, 0, 0, 0, 18), 18); /* it is told once */
    ck_assert_uint_eq(data[2], 0);
}

static void set_up(void) {
    plug_in(false);
    expect_failure(RUN(0x00), ATTENTION, 0x29);
}

static void tear_down(void) {
    scsi_disk_destroy(disk);
    pci_disk_fixture_destroy(fixture);
}

static void expect_blocks(uint64_t lba, size_t count) {
    for (size_t i = 0; i < count * 512; i++)
        ck_assert_uint_eq(data[i], pci_disk_byte(lba * 512 + i));
}

static void expect_written(uint64_t lba, size_t count, uint8_t value) {
    uint8_t block[512];
    for (size_t i = 0; i < count; i++) {
        ck_assert(block_read(fixture->medium, (lba + i) * 512, block, sizeof(block), NULL));
        for (unsigned k = 0; k < sizeof(block); k++)
            ck_assert_uint_eq(block[k], value);
    }
}

START_TEST(says_what_it_is) {
    expect_moved(RUN(0x12, 0, 0, 0, 255), 36);
    ck_assert_mem_eq(data + 8, "QEMU    QEMU HARDDISK   ", 24);
    expect_moved(RUN(0x12, 0, 0, 0, 5), 5);
    expect_moved(RUN(0x12, 1, 0x00, 0, 255), 10);
    ck_assert_mem_eq(data + 4, "\x00\x80\x83\xB0\xB1\xB2", 6);
    expect_moved(RUN(0x12, 1, 0x80, 0, 255), 10);
    ck_assert_mem_eq(data + 4, "abc123", 6);
    expect_moved(RUN(0x12, 1, 0x83, 0, 255), 15);
    ck_assert_mem_eq(data + 8, "drive-a", 7);
    expect_moved(RUN(0x12, 1, 0xB0, 0, 255), 64);
    expect_failure(RUN(0x12, 1, 0x84, 0, 255), ILLEGAL, 0x24);
    expect_failure(RUN(0x12, 0, 0x80, 0, 255), ILLEGAL, 0x24);
    expect_moved(RUN(0x25), 8);
    ck_assert_uint_eq(load_be32(data), BLOCKS - 1);
    expect_moved(RUN(0x9E, 0x10, [13] = 32), 32);
    ck_assert_uint_eq(load_be64(data), BLOCKS - 1);
    expect_moved(RUN(0xA0, [9] = 16), 16);
    ck_assert_uint_eq(load_be32(data), 8);
    expect_failure(RUN(0xFF), ILLEGAL, 0x20);
}
END_TEST

START_TEST(other_units_are_absent) {
    Outcome outcome = run_on(1, COMMAND(0x12, 0, 0, 0, 36));
    expect_moved(outcome, 36);
    ck_assert_uint_eq(data[0], 0x7F);
    ck_assert_uint_eq(run_on(1, COMMAND(0x00)).status, SCSI_CHECK_CONDITION);
    expect_moved(run_on(1, COMMAND(0x03, 0, 0, 0, 18)), 18);
    ck_assert_uint_eq(data[12], 0x25);
}
END_TEST

START_TEST(reads_by_every_command) {
    expect_moved(RUN(0x08, 0, 0, 9, 3), 3 * 512);
    expect_blocks(9, 3);
    expect_moved(RUN(0x08, 0, 0, 9, 0), 256 * 512);
    expect_blocks(9, 256);
    expect_moved(RUN(0x28, 0, 0, 0, 1, 2, 0, 0, 5), 5 * 512);
    expect_blocks(258, 5);
    expect_moved(RUN(0xA8, [5] = 7, [9] = 2), 1024);
    expect_blocks(7, 2);
    expect_moved(RUN(0x88, [9] = 7, [13] = 2), 1024);
    expect_blocks(7, 2);
    expect_moved(RUN(0x28), 0);
}
END_TEST

START_TEST(writes_by_every_command) {
    memset(data, 0x5A, 4096);
    expect_moved(RUN(0x0A, 0, 0, 9, 3), 3 * 512);
    expect_moved(RUN(0x2A, 0, 0, 0, 0, 20, 0, 0, 2), 1024);
    expect_moved(RUN(0x2A, 8, 0, 0, 0, 22, 0, 0, 1), 512);
    expect_moved(RUN(0xAA, [5] = 30, [9] = 1), 512);
    expect_moved(RUN(0x8A, [9] = 40, [13] = 1), 512);
    expect_moved(RUN(0x2E, 0, 0, 0, 0, 41, 0, 0, 1), 512);
    expect_moved(RUN(0x35), 0);
    expect_written(9, 3, 0x5A);
    expect_written(20, 3, 0x5A);
    expect_written(30, 1, 0x5A);
    expect_written(40, 2, 0x5A);
    expect_moved(RUN(0x2F, 2, 0, 0, 0, 40, 0, 0, 2), 1024);
    data[700] ^= 1;
    expect_failure(RUN(0x2F, 2, 0, 0, 0, 40, 0, 0, 2), MISCOMPARE, 0x1D);
    expect_moved(RUN(0x2F, 0, 0, 0, 0, 40, 0, 0, 2), 0);
}
END_TEST

START_TEST(blocks_off_the_disk_are_errors) {
    expect_failure(RUN(0x28, 0, 0, 0, 0x07, 0xFF, 0, 0, 2), ILLEGAL, 0x21);
    expect_failure(RUN(0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
                   ILLEGAL, 0x21);
    expect_failure(RUN(0x2A, 0, 255, 255, 255, 255, 0, 255, 255), ILLEGAL, 0x21);
    expect_failure(RUN(0x93, [9] = 0xFF, [8] = 0xFF, [13] = 1), ILLEGAL, 0x21);
    ck_assert_uint_eq(block_length(fixture->medium), PCI_DISK_IMAGE_BYTES);
}
END_TEST

static void store_range(unsigned at, uint64_t lba, uint32_t count) {
    store_be64(data + 8 + 16 * at, lba);
    store_be32(data + 16 + 16 * at, count);
}

START_TEST(forgets_and_repeats_blocks) {
    memset(data, 0, 512);
    expect_moved(RUN(0x41, 0, 0, 0, 0, 50, 0, 0, 8), 512);
    expect_written(50, 8, 0);
    memset(data, 0xA5, 512);
    expect_moved(RUN(0x93, [9] = 60, [12] = 1, [13] = 4), 512);
    expect_written(60, 260, 0xA5);
    expect_failure(RUN(0x93, [9] = 60), ILLEGAL, 0x24);
    memset(data, 0, 64);
    store_be16(data, 38);
    store_be16(data + 2, 32);
    store_range(0, 400, 8);
    store_range(1, 500, 0);
    expect_moved(RUN(0x42, [8] = 40), 40);
    store_range(1, BLOCKS - 1, 2);
    expect_failure(RUN(0x42, [8] = 40), ILLEGAL, 0x21);
    store_be16(data + 2, 0xFFFF);
    expect_failure(RUN(0x42, [8] = 40), ILLEGAL, 0x1A);
    expect_failure(RUN(0x42, [7] = 0x10), ILLEGAL, 0x24);
}
END_TEST

START_TEST(modes_are_told_and_set) {
    expect_moved(RUN(0x1A, 0, 0x3F, 0, 255), 4 + 8 + 12 + 24 + 24 + 20 + 12);
    ck_assert_uint_eq(data[0], data[3] + 3 + 92);
    expect_moved(RUN(0x5A, 8, 0x08, 0, 0, 0, 0, 0, 255), 28);
    ck_assert_uint_eq(data[10], 4); /* the write cache is on */
    uint8_t page[20];
    memcpy(page, data + 8, sizeof(page));
    memset(data, 0, 12);
    page[2] = 0;
    memcpy(data + 4, page, sizeof(page));
    expect_moved(RUN(0x15, 0x10, 0, 0, 24), 24);
    expect_moved(RUN(0x1A, 8, 0x08, 0, 255), 24);
    ck_assert_uint_eq(data[6], 0);
    expect_moved(RUN(0x1A, 8, 0x48, 0, 255), 24);
    ck_assert_uint_eq(data[6], 4); /* can be changed */
    expect_failure(RUN(0x1A, 8, 0xC8, 0, 255), ILLEGAL, 0x39);
    expect_failure(RUN(0x1A, 8, 0x07, 0, 255), ILLEGAL, 0x24);
    memset(data, 0, 64);
    page[9] = 1;
    memcpy(data + 4, page, sizeof(page));
    expect_failure(RUN(0x15, 0x10, 0, 0, 24), ILLEGAL, 0x26);
    expect_failure(RUN(0x55, 0x10, [7] = 4), ILLEGAL, 0x24);
}
END_TEST

START_TEST(stops_and_starts) {
    expect_moved(RUN(0x1B, 0, 0, 0, 0), 0);
    expect_failure(RUN(0x08, 0, 0, 0, 1), 2, 0x04);
    expect_moved(RUN(0x1B, 0, 0, 0, 1), 0);
    expect_moved(RUN(0x08, 0, 0, 0, 1), 512);
    scsi_target_begin(target, 0, COMMAND(0x28, [8] = 2));
    move(100);
    scsi_target_cancel(target);
    expect_moved(RUN(0x00), 0);
    scsi_target_begin(target, 0, COMMAND(0x28, [8] = 2));
    scsi_target_reset(target);
    expect_failure(RUN(0x00), ATTENTION, 0x29);
}
END_TEST

START_TEST(protected_disk_refuses_writes) {
    tear_down();
    plug_in(true);
    expect_failure(RUN(0x00), ATTENTION, 0x29);
    expect_failure(RUN(0x0A, 0, 0, 0, 1), PROTECTED, 0x27);
    expect_failure(RUN(0x42, [8] = 8), PROTECTED, 0x27);
    expect_moved(RUN(0x1A, 8, 0x08, 0, 255), 24);
    ck_assert_uint_eq(data[2] & 0x80, 0x80);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    ck_assert_uint_eq(move(sizeof(data)), 3 * 512 - 700);
    ck_assert_uint_eq(scsi_target_take_status(target), SCSI_GOOD);
}

START_TEST(saved_in_the_middle_of_a_transfer) {
    scsi_target_begin(target, 0, COMMAND(0x28, [5] = 9, [8] = 3));
    ck_assert_uint_eq(move(700), 700);
    check_devices_save_and_restore(fixture->pci.board, change);
}
END_TEST

/* As USB's packets: the medium is asked once for each block. */
START_TEST(moves_less_than_a_block_at_a_time) {
    const BlockCounters *counters = block_counters(fixture->medium);
    BlockCounters before = *counters;
    scsi_target_begin(target, 0, COMMAND(0x28, [5] = 9, [8] = 3));
    ck_assert_uint_eq(move(0), 0);
    for (size_t at = 0; at < 3 * 512; at += 64)
        ck_assert_uint_eq(scsi_target_move(target, data + at, 64), 64);
    expect_blocks(9, 3);
    ck_assert_uint_eq(scsi_target_take_status(target), SCSI_GOOD);
    ck_assert_uint_eq(counters->reads - before.reads, 3);
    memset(data, 0x77, 3 * 512);
    scsi_target_begin(target, 0, COMMAND(0x2A, [5] = 9, [8] = 3));
    ck_assert_uint_eq(move(0), 0);
    for (size_t at = 0; at < 3 * 512; at += 64)
        ck_assert_uint_eq(scsi_target_move(target, data + at, 64), 64);
    move(0);
    ck_assert_uint_eq(scsi_target_take_status(target), SCSI_GOOD);
    ck_assert_uint_eq(counters->writes - before.writes, 3);
    expect_written(9, 3, 0x77);
    expect_moved(RUN(0x28, [5] = 12, [8] = 1), 512);
    expect_blocks(12, 1);
}
END_TEST

/* Parts that end anywhere, with a save within a block; what is given up there changes nothing. */
START_TEST(saved_within_a_block_that_is_written) {
    Snapshot snapshot;
    memset(data, 0x66, 3 * 512);
    scsi_target_begin(target, 0, COMMAND(0x2A, [5] = 9, [8] = 3));
    ck_assert_uint_eq(move(0), 0);
    ck_assert_uint_eq(scsi_target_move(target, data, 100), 100);
    ck_assert_uint_eq(scsi_target_move(target, data, 500), 500);
    snapshot_take(fixture->pci.board, &snapshot);
    scsi_target_cancel(target);
    expect_moved(RUN(0x28, [5] = 10, [8] = 2), 1024);
    expect_blocks(10, 2);
    snapshot_restore(fixture->pci.board, &snapshot);
    memset(data, 0x66, 3 * 512);
    ck_assert_uint_eq(move(sizeof(data)), 3 * 512 - 600);
    ck_assert_uint_eq(scsi_target_take_status(target), SCSI_GOOD);
    expect_written(9, 3, 0x66);
    snapshot_free(&snapshot);
}
END_TEST

static ScsiCd *cd;

static void set_up_cd(void) {
    Error error = {.set = false};
    fixture = pci_disk_fixture_create(true);
    const ScsiCdOptions options = {
        .id = "scsi-cd0", .channel_id = "scsi-cd-drive0", .medium = fixture->medium};
    cd = scsi_cd_create(&fixture->pci.board->context, &options, &error);
    ck_assert_msg(cd != NULL, "%s", error.message);
    target = scsi_cd_target(cd);
}

static void tear_down_cd(void) {
    scsi_cd_destroy(cd);
    pci_disk_fixture_destroy(fixture);
}

START_TEST(cd_drive_answers_as_a_scsi_one) {
    expect_moved(RUN(0x12, 0, 0, 0, 255), 36);
    ck_assert_uint_eq(data[0], 5);
    ck_assert_uint_eq(data[2], 5);
    expect_moved(RUN(0x25), 8);
    ck_assert_uint_eq(load_be32(data), PCI_DISK_IMAGE_BYTES / 2048 - 1);
    expect_moved(RUN(0xA0, [9] = 16), 16);
    expect_moved(RUN(0x28, [5] = 2, [8] = 20), 20 * 2048); /* several of the drive's buffers */
    expect_blocks(8, 80);
    expect_moved(RUN(0x08, 0, 0, 3, 2), 2 * 2048);
    expect_blocks(12, 8);
    expect_failure(RUN(0x28, [4] = 2, [8] = 1), ILLEGAL, 0x21);
    expect_failure(RUN(0x12, 1, 0x99, 0, 255), ILLEGAL, 0x24);
    expect_failure(RUN(0x2A, [8] = 1), ILLEGAL, 0x20);
}
END_TEST

START_TEST(cd_drive_knows_short_mode_commands) {
    expect_moved(RUN(0x1A, 0, 0x01, 0, 255), 12);
    ck_assert_uint_eq(data[0], 11);
    ck_assert_uint_eq(data[4], 0x01);
    ck_assert_uint_eq(data[7], 5); /* retries */
    memset(data, 0, 4);
    data[7] = 9;
    expect_moved(RUN(0x15, 0x10, 0, 0, 12), 12);
    expect_moved(RUN(0x5A, 0, 0x01, 0, 0, 0, 0, 0, 255), 16);
    ck_assert_uint_eq(data[11], 9);
    expect_moved(RUN(0x15, 0x10), 0);
    expect_failure(RUN(0x1A, 0, 0x15, 0, 255), ILLEGAL, 0x24);
}
END_TEST

static void change_cd(ChipFixture *board) {
    (void)board;
    ck_assert_uint_eq(move(sizeof(data)), 20 * 2048 - 9000);
    ck_assert_uint_eq(scsi_target_take_status(target), SCSI_GOOD);
}

START_TEST(cd_drive_saved_in_the_middle_of_a_transfer) {
    scsi_target_begin(target, 0, COMMAND(0x28, [5] = 2, [8] = 20));
    ck_assert_uint_eq(move(9000), 9000);
    check_devices_save_and_restore(fixture->pci.board, change_cd);
}
END_TEST

/* A command that fails leaves nothing behind that a restore would take for damage. */
START_TEST(cd_drive_saved_after_an_error) {
    expect_moved(RUN(0xBE, [5] = 2, [8] = 1, [9] = 0xF8), 2352);
    expect_failure(RUN(0x28, [4] = 2, [8] = 1), ILLEGAL, 0x21);
    ByteBuffer saved = {.data = NULL};
    device_list_save(&fixture->pci.board->devices, &saved);
    uint64_t hash = device_list_hash(&fixture->pci.board->devices);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    ck_assert(device_list_load(&fixture->pci.board->devices, &reader, NULL));
    ck_assert_uint_eq(device_list_hash(&fixture->pci.board->devices), hash);
    byte_buffer_free(&saved);
    expect_moved(RUN(0x25), 8);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, says_what_it_is);
    tcase_add_test(tests, other_units_are_absent);
    tcase_add_test(tests, reads_by_every_command);
    tcase_add_test(tests, writes_by_every_command);
    tcase_add_test(tests, blocks_off_the_disk_are_errors);
    tcase_add_test(tests, forgets_and_repeats_blocks);
    tcase_add_test(tests, modes_are_told_and_set);
    tcase_add_test(tests, stops_and_starts);
    tcase_add_test(tests, protected_disk_refuses_writes);
    tcase_add_test(tests, saved_in_the_middle_of_a_transfer);
    tcase_add_test(tests, moves_less_than_a_block_at_a_time);
    tcase_add_test(tests, saved_within_a_block_that_is_written);
}

static void add_cd(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up_cd, tear_down_cd);
    tcase_add_test(tests, cd_drive_answers_as_a_scsi_one);
    tcase_add_test(tests, cd_drive_knows_short_mode_commands);
    tcase_add_test(tests, cd_drive_saved_in_the_middle_of_a_transfer);
    tcase_add_test(tests, cd_drive_saved_after_an_error);
}

int main(void) {
    return run_suite("scsi_disk", add) || run_suite("scsi_cd", add_cd);
}
