/* VDI images: those of qemu-img, those of every block size, writes against a model, kills in the
 * middle of writes, and images that mean harm. */
#include "disk_format_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE 1048576ull

typedef struct Layout {
    uint32_t table_offset, data_offset, block_bytes, extra_bytes, block_count;
    uint64_t disk_bytes;
} Layout;

static const Layout small_layout = {512, 4096, 65536, 0, 64, 64 * 65536};

static void fill_header(uint8_t *header, const Layout *layout) {
    memset(header, 0, 512);
    strcpy((char *)header, "<<< Made by a test >>>\n");
    store_le32(header + 0x40, 0xBEDA107F);
    store_le32(header + 0x44, 0x00010001);
    store_le32(header + 0x48, 0x190);
    store_le32(header + 0x4C, 1);
    store_le32(header + 0x154, layout->table_offset);
    store_le32(header + 0x158, layout->data_offset);
    store_le32(header + 0x168, 512);
    store_le64(header + 0x170, layout->disk_bytes);
    store_le32(header + 0x178, layout->block_bytes);
    store_le32(header + 0x17C, layout->extra_bytes);
    store_le32(header + 0x180, layout->block_count);
}

/* An empty image. */
static void make_image(const char *path, const Layout *layout) {
    uint8_t header[512];
    fill_header(header, layout);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fwrite(header, 1, sizeof(header), file);
    fseek(file, layout->table_offset, SEEK_SET);
    for (uint32_t i = 0; i < layout->block_count; i++)
        fwrite("\xFF\xFF\xFF\xFF", 1, 4, file);
    fclose(file);
    ck_assert_int_eq(truncate(path, layout->data_offset), 0);
}

static void patch32(const char *path, long offset, uint32_t value) {
    uint8_t bytes[4];
    store_le32(bytes, value);
    int file = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, 4, offset), 4);
    close(file);
}

START_TEST(reads_what_qemu_made) {
    static const struct {
        const char *options;
        uint64_t size;
    } kinds[] = {
        {"static=off", 5 * MEGABYTE},
        {"static=off", 3 * MEGABYTE + 512 * 7},
        {"static=on", 4 * MEGABYTE + 512},
        {"static=off", 512},
    };
    if (!disk_format_has_qemu())
        return;
    const char *raw = disk_format_path("q.raw"), *image = disk_format_path("q.vdi");
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        disk_format_make_raw(raw, kinds[i].size, i);
        disk_format_run(false, "qemu-img convert -f raw -O vdi -o %s %s %s", kinds[i].options, raw,
                        image);
        BlockNode *node = disk_format_open(image, NULL, true);
        ck_assert_str_eq(block_format(node), "vdi");
        ck_assert_uint_eq(block_length(node), kinds[i].size);
        disk_format_check_equal(node, raw);
        block_close(node);
    }
}
END_TEST

START_TEST(writes_what_qemu_reads) {
    if (!disk_format_has_qemu())
        return;
    const char *raw = disk_format_path("w.raw"), *image = disk_format_path("w.vdi");
    for (unsigned i = 0; i < 2; i++) {
        unlink(raw);
        ck_assert_int_eq(close(open(raw, O_CREAT | O_RDWR, 0600)), 0);
        ck_assert_int_eq(truncate(raw, 40 * MEGABYTE + 1024), 0);
        disk_format_run(false, "qemu-img create -f vdi -o static=%s %s %llu", i ? "on" : "off",
                        image, 40 * MEGABYTE + 1024);
        BlockNode *node = disk_format_open(image, NULL, false);
        disk_format_write_random(node, raw, 60, 100000, i);
        block_close(node);
        disk_format_run(false, "qemu-img check -f vdi %s", image);
        disk_format_run(false, "qemu-img compare -f vdi -F raw %s %s", image, raw);
        node = disk_format_open(image, "vdi", false);
        disk_format_write_random(node, raw, 60, 3000000, i + 7);
        disk_format_check_equal(node, raw);
        block_close(node);
        disk_format_run(false, "qemu-img check -f vdi %s", image);
        disk_format_run(false, "qemu-img convert -f vdi -O raw %s %s.back && cmp %s %s.back", image,
                        raw, raw, raw);
        /* QEMU goes on where we ended, and we go on where it did. */
        disk_format_run(false, "qemu-io -f vdi -c 'write -P 7 30M 2M' %s", image);
        disk_format_run(false, "qemu-io -f raw -c 'write -P 7 30M 2M' %s", raw);
        node = disk_format_open(image, NULL, false);
        disk_format_check_equal(node, raw);
        disk_format_write_random(node, raw, 20, 100000, i + 9);
        block_close(node);
        disk_format_run(false, "qemu-img check -f vdi %s", image);
        disk_format_run(false, "qemu-img compare -f vdi -F raw %s %s", image, raw);
    }
}
END_TEST

START_TEST(blocks_of_every_size) {
    static const Layout layouts[] = {
        {512, 512 + 8192 * 4, 512, 0, 8192, 8192 * 512},
        {512, 8192, 1536, 0, 1000, 1000 * 1536 - 512},
        {1024, 65536, 4096, 512, 1000, 1000 * 4096},
        {2048, 4096, 65536, 0, 33, 33 * 65536 - 4096},
        {512, 1024, 16 << 20, 0, 2, 20 << 20},
    };
    for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const char *raw = disk_format_path("b.raw"), *image = disk_format_path("b.vdi");
        unlink(raw);
        make_image(image, &layouts[i]);
        BlockNode *node = disk_format_open(image, NULL, false);
        ck_assert_uint_eq(block_length(node), layouts[i].disk_bytes);
        disk_format_write_random(node, raw, 200, 20000, i);
        block_close(node);
        node = disk_format_open(image, NULL, false);
        disk_format_check_equal(node, raw);
        disk_format_write_random(node, raw, 200, 5000, i + 100);
        block_close(node);
        node = disk_format_open(image, NULL, true);
        disk_format_check_equal(node, raw);
        block_close(node);
    }
}
END_TEST

START_TEST(discarded_blocks_are_zeros) {
    const char *image = disk_format_path("z.vdi");
    uint8_t data[512], zeros[512] = {0};
    make_image(image, &small_layout);
    patch32(image, 512 + 4 * 3, 0xFFFFFFFE);
    BlockNode *node = disk_format_open(image, NULL, false);
    ck_assert(block_read(node, 3 * 65536 + 100, data, 512, NULL));
    ck_assert_mem_eq(data, zeros, 512);
    ck_assert(block_write(node, 3 * 65536 + 512, "abc", 3, NULL));
    ck_assert(block_read(node, 3 * 65536 + 512, data, 512, NULL));
    ck_assert_mem_eq(data, "abc\0\0", 5);
    ck_assert(!block_write(node, 64 * 65536 - 2, "abc", 3, NULL));
    ck_assert(!block_set_length(node, 5, NULL));
    block_close(node);
}
END_TEST

/* What a writer left behind who was killed before it entered its block must not show. */
START_TEST(leftovers_are_not_seen) {
    const char *image = disk_format_path("l.vdi");
    uint8_t data[65536];
    make_image(image, &small_layout);
    memset(data, 0xEE, sizeof(data));
    int file = open(image, O_WRONLY);
    ck_assert_int_eq(pwrite(file, data, sizeof(data), 4096), (ssize_t)sizeof(data));
    close(file);
    patch32(image, 0x184, 1); /* counted, but not entered */
    BlockNode *node = disk_format_open(image, NULL, false);
    ck_assert(block_write(node, 65536 * 9 + 1000, "x", 1, NULL));
    ck_assert(block_read(node, 65536 * 9, data, sizeof(data), NULL));
    for (unsigned i = 0; i < sizeof(data); i++)
        ck_assert_uint_eq(data[i], i == 1000 ? 'x' : 0);
    block_close(node);
    uint8_t count[4];
    file = open(image, O_RDONLY);
    ck_assert_int_eq(pread(file, count, 4, 0x184), 4);
    ck_assert_uint_eq(load_le32(count), 1);
    close(file);
}
END_TEST

START_TEST(two_writers_are_refused) {
    const char *image = disk_format_path("k.vdi");
    make_image(image, &small_layout);
    BlockNode *node = disk_format_open(image, NULL, false);
    disk_format_refused(image, NULL, false, "use");
    if (disk_format_has_qemu())
        ck_assert_int_ne(disk_format_run(true, "qemu-img check -f vdi %s", image), 0);
    block_close(node);
    block_close(disk_format_open(image, NULL, false));
}
END_TEST

START_TEST(hostile_images_are_one_clear_line) {
    static const struct {
        long offset;
        uint32_t value;
        const char *words;
    } changes[] = {
        {0x44, 0x00020001, "version 2.1"},
        {0x4C, 4, "type 4"},
        {0x178, 0, "blocks of 0 bytes"},
        {0x178, 513, "blocks of 513 bytes"},
        {0x180, 0, "in 0 blocks"},
        {0x180, 0xFFFFFFFF, "more than"},
        {0x180, 0x00FFFFFF, "past the end"},
        {0x180, 63, "in 63 blocks"},
        {0x174, 1, "in 64 blocks"},
        {0x170, 0, "of 0 bytes"},
        {0x154, 0, "table lies"},
        {0x154, 0xFFFFFFFC, "table lies"},
        {0x158, 512, "table lies"},
        {512, 0, "block 0 lies past the end"},
        {512 + 4 * 63, 0xFFFFFFFD, "block 63 lies past the end"},
        {512 + 4 * 63, 64, "block 63 lies past the end"},
    };
    const char *image = disk_format_path("h.vdi");
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make_image(image, &small_layout);
        patch32(image, changes[i].offset, changes[i].value);
        disk_format_refused(image, NULL, i % 2, changes[i].words);
    }
    make_image(image, &small_layout);
    ck_assert_int_eq(truncate(image, 4096 + 65536), 0);
    patch32(image, 512 + 4, 0);
    block_close(disk_format_open(image, NULL, false));
    patch32(image, 512 + 8, 0);
    disk_format_refused(image, NULL, false, "block 2 lies where another one does");
    ck_assert_int_eq(truncate(image, 700), 0);
    disk_format_refused(image, NULL, true, "past the end");
    ck_assert_int_eq(truncate(image, 100), 0);
    disk_format_refused(image, NULL, true, "not a VDI image");
}
END_TEST

static void make_killable(const char *path) {
    Layout layout = {512, 4096, 1 << 20, 0, 800, 800 * MEGABYTE};
    make_image(path, &layout);
}

static void check_killed(const char *path) {
    if (system("qemu-img --version >/dev/null 2>&1") == 0)
        disk_format_run(false, "qemu-img check -f vdi %s", path);
}

START_TEST(kills_leave_good_images) {
    disk_format_has_qemu();
    disk_format_kill_writers(make_killable, "kill.vdi", NULL, check_killed);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("block_vdi");
    TCase *cases = tcase_create("block_vdi");
    tcase_set_timeout(cases, 200);
    tcase_add_test(cases, reads_what_qemu_made);
    tcase_add_test(cases, writes_what_qemu_reads);
    tcase_add_test(cases, blocks_of_every_size);
    tcase_add_test(cases, discarded_blocks_are_zeros);
    tcase_add_test(cases, leftovers_are_not_seen);
    tcase_add_test(cases, two_writers_are_refused);
    tcase_add_test(cases, hostile_images_are_one_clear_line);
    tcase_add_test(cases, kills_leave_good_images);
    suite_add_tcase(suite, cases);
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = suite_run(suite);
    disk_format_remove_folder();
    return status;
}
