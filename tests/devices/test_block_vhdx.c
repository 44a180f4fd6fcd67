/* VHDX images of QEMU's making, after a kill of their writer and damaged on purpose. */
#include "block_image.h"
#include "crc32c.h"
#include "disk_format_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE (1024ull * 1024)

START_TEST(sums_are_castagnolis) {
    uint8_t ascending[32]; /* RFC 3720, B.4 */
    for (uint8_t i = 0; i < 32; i++)
        ascending[i] = i;
    ck_assert_uint_eq(crc32c_add(0, ascending, 32), 0x46DD794E);
    ck_assert_uint_eq(crc32c_add(crc32c_add(0, ascending, 5), ascending + 5, 27), 0x46DD794E);
}
END_TEST

START_TEST(reads_what_qemu_made) {
    static const char *const settings[] = {"subformat=dynamic", "subformat=fixed",
                                           "subformat=dynamic,block_size=1M,log_size=3M",
                                           "subformat=dynamic,block_size=256M"};
    const char *raw = disk_format_path("q.raw"), *image = disk_format_path("q.vhdx");
    disk_format_make_raw(raw, 21 * MEGABYTE + 512 * 7, (uint64_t)_i);
    disk_format_run(false, "rm -f %s; qemu-img convert -f raw -O vhdx -o %s %s %s", image,
                    settings[_i], raw, image);
    BlockNode *node = disk_format_open(image, NULL, true);
    ck_assert_str_eq(block_format(node), "vhdx");
    disk_format_check_equal(node, raw);
    BlockCheck check = {0};
    ck_assert(block_check(node, &check, NULL));
    ck_assert(!block_write(node, 0, "x", 1, NULL));
    block_close(node);
    disk_format_refused(image, NULL, false, "can only be read");
    BlockOptions options = {.path = image, .snapshot = true};
    node = block_open(&options, NULL);
    ck_assert(block_write(node, 5000, "over it", 7, NULL));
    block_close(node);
}
END_TEST

/* More blocks than one chunk of the table has, so that other entries stand between. */
START_TEST(large_tables) {
    const char *raw = disk_format_path("l.raw"), *image = disk_format_path("l.vhdx");
    disk_format_run(false,
                    "rm -f %s; qemu-img create -q -f vhdx -o block_size=1M %s 20G; "
                    "truncate -s 20G %s; for f in vhdx raw; do n=%s; test $f = raw && n=%s; "
                    "qemu-io -f $f -c 'write -q -P 1 4090M 10M' -c 'write -q -P 2 12287M 3M' "
                    "-c 'write -q -P 3 20479M 1M' $n; done",
                    image, image, raw, image, raw);
    BlockNode *node = disk_format_open(image, NULL, true);
    static const uint64_t places[] = {4090, 4095, 4096, 4099, 4100, 12286, 12288, 20478, 20479};
    static const uint8_t values[] = {1, 1, 1, 1, 0, 0, 2, 0, 3};
    for (int i = 0; i < 9; i++) {
        uint8_t byte = 9;
        ck_assert(block_read(node, places[i] * MEGABYTE + 77, &byte, 1, NULL));
        ck_assert_uint_eq(byte, values[i]);
    }
    BlockExtent extent;
    ck_assert(block_map(node, 4096 * MEGABYTE, MEGABYTE, &extent, NULL));
    ck_assert(extent.data && extent.has_offset);
    block_close(node);
}
END_TEST

static uint64_t peek(const char *path, int64_t offset) {
    uint8_t bytes[8];
    int file = open(path, O_RDONLY);
    ck_assert_int_eq(pread(file, bytes, 8, offset), 8);
    close(file);
    return load_le64(bytes);
}

static void poke(const char *path, int64_t offset, uint64_t value, unsigned size) {
    uint8_t bytes[8];
    store_le64(bytes, value);
    int file = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, size, offset), size);
    close(file);
}

static void make_killed(const char *image) {
    disk_format_run(true,
                    "rm -f %s; qemu-img create -q -f vhdx -o block_size=1M %s 64M; qemu-io -f vhdx "
                    "-c 'write -q -P 5 3M 4M' -c flush -c 'write -q -P 6 40M 1M' -c flush "
                    "-c 'sigraise 9' %s",
                    image, image, image);
}

static int64_t find_table(const char *image) {
    for (int64_t entry = 192 * 1024 + 16; entry < 192 * 1024 + 16 + 64; entry += 32)
        if (peek(image, entry) == 0x4200F6232DC27766)
            return (int64_t)peek(image, entry + 16);
    ck_abort_msg("no table of blocks");
}

static void expect_byte(BlockNode *node, uint64_t offset, uint8_t wanted) {
    uint8_t byte = 99;
    ck_assert(block_read(node, offset, &byte, 1, NULL));
    ck_assert_uint_eq(byte, wanted);
}

/* Offset of the last entry of the log; and of the one before it. */
static int64_t find_last_entry(const char *image, int64_t *before) {
    int64_t entry = (int64_t)peek(image, 64 * 1024 + 72), last = 0;
    *before = 0;
    while ((peek(image, entry) & 0xFFFFFFFF) == 0x65676F6C) { /* "loge" */
        *before = last;
        last = entry;
        entry += (int64_t)(peek(image, entry + 8) & 0xFFFFFFFF);
    }
    ck_assert_int_gt(*before, 0);
    return last;
}

/* The headers say that the log with this entry is still to be applied. */
static void revive_log(const char *image, int64_t entry) {
    for (int64_t at = 64 * 1024; at <= 128 * 1024; at += 64 * 1024) {
        uint8_t header[4096];
        int file = open(image, O_RDWR);
        ck_assert_int_eq(pread(file, header, sizeof(header), at), sizeof(header));
        ck_assert_int_eq(pread(file, header + 48, 16, entry + 32), 16);
        store_le32(header + 4, 0);
        store_le32(header + 4, crc32c_add(0, header, sizeof(header)));
        ck_assert_int_eq(pwrite(file, header, sizeof(header), at), sizeof(header));
        close(file);
    }
}

/* The writer was killed after its log was written and before the table was: the log counts, and
 * the file is not changed by looking at it. QEMU comes to the same. */
START_TEST(log_is_applied) {
    const char *image = disk_format_path("k.vhdx"), *before = disk_format_path("k.before");
    make_killed(image);
    int64_t table = find_table(image), other;
    ck_assert_uint_ne(peek(image, table + 3 * 8), 0);
    poke(image, table + 3 * 8, 0, 8);
    poke(image, table + 40 * 8, 0, 8);
    revive_log(image, find_last_entry(image, &other));
    disk_format_run(false, "cp %s %s", image, before);
    BlockNode *node = disk_format_open(image, NULL, true);
    expect_byte(node, 3 * MEGABYTE + 1, 5);
    expect_byte(node, 6 * MEGABYTE + 9999, 5);
    expect_byte(node, 7 * MEGABYTE, 0);
    expect_byte(node, 40 * MEGABYTE + 512, 6);
    block_close(node);
    disk_format_run(false, "cmp %s %s", image, before);
    const char *raw = disk_format_path("k.raw");
    disk_format_run(false, "qemu-img check -q -r all -f vhdx %s; qemu-img convert -O raw %s %s",
                    image, image, raw);
    node = disk_format_open(before, NULL, true);
    disk_format_check_equal(node, raw);
    block_close(node);
}
END_TEST

/* A torn entry is not applied, and what came before it is what there is. */
START_TEST(torn_log_entries_are_left_out) {
    const char *image = disk_format_path("t.vhdx");
    for (int i = 0; i < 2; i++) {
        int64_t before, table;
        make_killed(image);
        table = find_table(image);
        int64_t last = find_last_entry(image, &before);
        revive_log(image, i == 0 ? before : last);
        poke(image, last + 4096 + 100, 0x1122334455667788, 8);
        poke(image, table + 3 * 8, 0, 8);
        poke(image, table + 40 * 8, 0, 8);
        BlockNode *node = disk_format_open(image, NULL, true);
        expect_byte(node, 3 * MEGABYTE + 1, i == 0 ? 5 : 0);
        expect_byte(node, 40 * MEGABYTE + 1, 0);
        block_close(node);
        disk_format_run(false, "truncate -s 1100k %s", image);
        disk_format_refused(image, NULL, true, "log of");
    }
}
END_TEST

START_TEST(hostile_images_are_one_clear_line) {
    const char *raw = disk_format_path("h.raw"), *image = disk_format_path("h.vhdx");
    disk_format_make_raw(raw, 3 * MEGABYTE, 1);
    const char *make = "rm -f %s; qemu-img convert -f raw -O vhdx %s %s";
    disk_format_run(false, make, image, raw, image);
    int64_t table = find_table(image);
    poke(image, table, 0xFFFFFFFFFFF00006, 8);
    disk_format_refused(image, NULL, true, "lies past the end");
    poke(image, table, 5, 8);
    disk_format_refused(image, NULL, true, "unknown state 5");
    disk_format_run(false, make, image, raw, image);
    poke(image, 64 * 1024 + 100, 7, 8);
    poke(image, 128 * 1024 + 100, 7, 8);
    disk_format_refused(image, NULL, true, "both headers");
    disk_format_run(false, make, image, raw, image);
    poke(image, 192 * 1024 + 8, 0xFFFFFFFF, 4);
    BlockNode *node = disk_format_open(image, NULL, true); /* there is a second table */
    disk_format_check_equal(node, raw);
    block_close(node);
    poke(image, 256 * 1024 + 20, 1, 1);
    disk_format_refused(image, NULL, true, "both tables");
    disk_format_run(false, make, image, raw, image);
    disk_format_run(false, "truncate -s 1500k %s", image);
    disk_format_refused(image, NULL, true, "past its end");
    disk_format_run(false, "truncate -s 100k %s", image);
    disk_format_refused(image, NULL, true, "cut short");
    poke(image, 0, 0, 4);
    disk_format_run(false, "truncate -s 3M %s", image);
    disk_format_refused(image, "vhdx", true, "is not a VHDX image");
}
END_TEST

int main(void) {
    if (!disk_format_has_qemu())
        return 77;
    Suite *suite = suite_create("block_vhdx");
    TCase *cases = tcase_create("vhdx");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, sums_are_castagnolis);
    tcase_add_loop_test(cases, reads_what_qemu_made, 0, 4);
    tcase_add_test(cases, large_tables);
    tcase_add_test(cases, log_is_applied);
    tcase_add_test(cases, torn_log_entries_are_left_out);
    tcase_add_test(cases, hostile_images_are_one_clear_line);
    suite_add_tcase(suite, cases);
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = suite_run(suite);
    disk_format_remove_folder();
    return status;
}
