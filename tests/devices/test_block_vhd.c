/* VHD images: those of qemu-img, those of other block sizes and makers, differences to a parent,
 * writes against a model, kills in the middle of writes, and images that mean harm. */
#include "big_endian.h"
#include "disk_format_fixture.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEGABYTE 1048576ull
#define NO_BLOCK 0xFFFFFFFFu
#define TABLE_AT 1536
#define FIRST_BLOCK_AT 65536

typedef struct Layout {
    uint32_t type, block_bytes, block_count;
    uint64_t disk_bytes;
    char uuid, parent_uuid;
    const char *parent; /* its path as Windows spells it */
    uint32_t platform;  /* of the locator; 0: only the name */
} Layout;

static void put_checksum(uint8_t *data, size_t size, size_t at) {
    uint32_t sum = 0;
    store_be32(data + at, 0);
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    store_be32(data + at, ~sum);
}

static void fill_footer(uint8_t *footer, const Layout *layout) {
    memset(footer, 0, 512);
    memcpy(footer, "conectix", 8);
    store_be32(footer + 8, 2);
    store_be32(footer + 12, 0x00010000);
    store_be64(footer + 16, layout->type == 2 ? ~0ull : 512);
    memcpy(footer + 28, "win \0\6\0\1Wi2k", 12);
    store_be64(footer + 40, layout->disk_bytes);
    store_be64(footer + 48, layout->disk_bytes);
    store_be16(footer + 56, 10);
    footer[58] = 4;
    footer[59] = 17;
    store_be32(footer + 60, layout->type);
    memset(footer + 68, layout->uuid, 16);
    put_checksum(footer, 512, 64);
}

/* ASCII as UTF-16; the number of bytes. */
static uint32_t widen(uint8_t *to, const char *text, bool big_endian) {
    uint32_t size = 0;
    for (; *text != '\0'; text++, size += 2) {
        to[size + big_endian] = (uint8_t)*text;
        to[size + !big_endian] = 0;
    }
    return size;
}

static void fill_header(uint8_t *header, uint8_t *locator_text, const Layout *layout) {
    memset(header, 0, 1024);
    memcpy(header, "cxsparse", 8);
    store_be64(header + 8, ~0ull);
    store_be64(header + 16, TABLE_AT);
    store_be32(header + 24, 0x00010000);
    store_be32(header + 28, layout->block_count);
    store_be32(header + 32, layout->block_bytes);
    memset(header + 40, layout->parent_uuid, 16);
    if (layout->parent != NULL) {
        widen(header + 64, layout->parent, true);
        store_be32(header + 576, layout->platform);
        store_be32(header + 576 + 4, 1);
        store_be32(header + 576 + 8, widen(locator_text, layout->parent, false));
        store_be64(header + 576 + 16, FIRST_BLOCK_AT - 1024);
    }
    put_checksum(header, 1024, 36);
}

/* An empty dynamic or differencing image. */
static void make_image(const char *path, const Layout *layout) {
    uint8_t footer[512], header[1024], locator_text[1024] = {0};
    fill_footer(footer, layout);
    fill_header(header, locator_text, layout);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fwrite(footer, 1, sizeof(footer), file);
    fwrite(header, 1, sizeof(header), file);
    for (uint32_t i = 0; i < layout->block_count; i++)
        fwrite("\xFF\xFF\xFF\xFF", 1, 4, file);
    fseek(file, FIRST_BLOCK_AT - 1024, SEEK_SET);
    fwrite(locator_text, 1, sizeof(locator_text), file);
    fwrite(footer, 1, sizeof(footer), file);
    fclose(file);
}

static void read_at(const char *path, int64_t offset, void *data, size_t size) {
    int file = open(path, O_RDONLY);
    ck_assert_int_eq(pread(file, data, size, offset), (ssize_t)size);
    close(file);
}

static void write_at(const char *path, int64_t offset, const void *data, size_t size) {
    int file = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(file, data, size, offset), (ssize_t)size);
    close(file);
}

static int64_t file_bytes(const char *path) {
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_size;
}

/* The footer is whole at the end, and the same at the start. */
static void check_footers(const char *path) {
    uint8_t first[512], last[512], again[512];
    read_at(path, 0, first, 512);
    read_at(path, file_bytes(path) - 512, last, 512);
    ck_assert_mem_eq(first, last, 512);
    memcpy(again, last, 512);
    put_checksum(again, 512, 64);
    ck_assert_mem_eq(again, last, 512);
    ck_assert_mem_eq(last, "conectix", 8);
}

static const char *const qemu_options[] = {
    "subformat=dynamic",
    "subformat=fixed",
    "subformat=dynamic,force_size=on",
    "subformat=fixed,force_size=on",
};

START_TEST(reads_what_qemu_made) {
    static const uint64_t sizes[] = {9 * MEGABYTE, 3 * MEGABYTE + 512 * 7, 512};
    if (!disk_format_has_qemu())
        return;
    const char *raw = disk_format_path("q.raw"), *image = disk_format_path("q.vhd");
    for (unsigned i = 0; i < 4 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        const char *options = qemu_options[i % 4];
        bool fixed = strstr(options, "fixed") != NULL, forced = strstr(options, "force") != NULL;
        disk_format_make_raw(raw, sizes[i / 4], i);
        disk_format_run(false, "qemu-img convert -f raw -O vpc -o %s %s %s", options, raw, image);
        BlockNode *node = disk_format_open(image, fixed ? "vpc" : NULL, true);
        ck_assert_str_eq(block_format(node), "vpc");
        ck_assert_uint_ge(block_length(node), sizes[i / 4]);
        if (forced)
            ck_assert_uint_eq(block_length(node), sizes[i / 4]);
        disk_format_check_equal(node, raw);
        disk_format_run(false,
                        "test $(qemu-img info -f vpc --output=json -U %s | grep -o "
                        "'virtual-size\": [0-9]*' | grep -o '[0-9]*$') = %llu",
                        image, (unsigned long long)block_length(node));
        block_close(node);
    }
}
END_TEST

START_TEST(writes_what_qemu_reads) {
    if (!disk_format_has_qemu())
        return;
    const char *raw = disk_format_path("w.raw"), *image = disk_format_path("w.vhd");
    for (unsigned i = 0; i < 4; i++) {
        disk_format_run(false, "qemu-img create -f vpc -o %s %s 41M; rm -f %s", qemu_options[i],
                        image, raw);
        BlockNode *node = disk_format_open(image, "vpc", false);
        disk_format_write_random(node, raw, 50, 100000, i);
        block_close(node);
        disk_format_run(false, "qemu-img compare -f vpc -F raw %s %s", image, raw);
        node = disk_format_open(image, "vpc", false);
        disk_format_write_random(node, raw, 30, 3000000, i + 7);
        disk_format_check_equal(node, raw);
        block_close(node);
        disk_format_run(false,
                        "qemu-img convert -f vpc -O raw %s %s.back && "
                        "qemu-img compare -f raw -F raw %s.back %s",
                        image, raw, raw, raw);
        /* QEMU goes on where we ended, and we go on where it did. */
        disk_format_run(false, "qemu-io -f vpc -c 'write -P 7 30M 4M' %s", image);
        disk_format_run(false, "qemu-io -f raw -c 'write -P 7 30M 4M' %s", raw);
        node = disk_format_open(image, "vpc", false);
        disk_format_check_equal(node, raw);
        disk_format_write_random(node, raw, 30, 100000, i + 9);
        block_close(node);
        disk_format_run(false, "qemu-img compare -f vpc -F raw %s %s", image, raw);
        if (i % 2 == 0)
            check_footers(image);
    }
}
END_TEST

START_TEST(blocks_of_every_size) {
    for (uint32_t block_bytes = 512; block_bytes <= 32 << 20; block_bytes *= 8) {
        uint32_t count = block_bytes <= 4096 ? 4000 : block_bytes <= 1 << 20 ? 50 : 2;
        Layout layout = {.type = 3, .block_bytes = block_bytes, .block_count = count};
        layout.disk_bytes = (uint64_t)block_bytes * count - (block_bytes > 512 ? 1024 : 0);
        const char *raw = disk_format_path("b.raw"), *image = disk_format_path("b.vhd");
        unlink(raw);
        make_image(image, &layout);
        for (unsigned i = 0; i < 3; i++) {
            BlockNode *node = disk_format_open(image, NULL, false);
            ck_assert_uint_eq(block_length(node), layout.disk_bytes);
            disk_format_write_random(node, raw, 100, 20000, i);
            disk_format_check_equal(node, raw);
            block_close(node);
            check_footers(image);
        }
    }
}
END_TEST

/* Sectors without a bit read as zeros whatever lies there, until they are written. */
START_TEST(bitmap_of_dynamic_image_counts) {
    Layout layout = {.type = 3, .block_bytes = 65536, .block_count = 4, .disk_bytes = 262144};
    const char *image = disk_format_path("m.vhd");
    uint8_t data[1536], entry[4];
    make_image(image, &layout);
    BlockNode *node = disk_format_open(image, NULL, false);
    memset(data, 0xEE, sizeof(data));
    for (unsigned at = 0; at < 65536; at += 512)
        ck_assert(block_write(node, 65536 + at, data, 512, NULL));
    block_close(node);
    read_at(image, TABLE_AT + 4, entry, 4);
    write_at(image, load_be32(entry) * 512ll, "\x40\0", 2); /* only sector 1 is there */
    node = disk_format_open(image, NULL, false);
    ck_assert(block_read(node, 65536, data, 1536, NULL));
    for (unsigned i = 0; i < 1536; i++)
        ck_assert_uint_eq(data[i], i / 512 == 1 ? 0xEE : 0);
    ck_assert(block_write(node, 65536 + 1030, "x", 1, NULL));
    ck_assert(block_read(node, 65536 + 512, data, 1536, NULL));
    for (unsigned i = 0; i < 1536; i++)
        ck_assert_uint_eq(data[i], i < 512 ? 0xEE : i == 518 ? 'x' : 0);
    block_close(node);
}
END_TEST

static void check_differences(const Layout *child, const char *raw) {
    const char *image = disk_format_path("child.vhd");
    make_image(image, child);
    for (unsigned i = 0; i < 3; i++) {
        BlockNode *node = disk_format_open(image, NULL, false);
        disk_format_check_equal(node, raw);
        disk_format_write_random(node, raw, 60, 20000, i);
        disk_format_check_equal(node, raw);
        block_close(node);
        check_footers(image);
    }
}

START_TEST(differences_to_a_parent) {
    Layout base = {.type = 3, .block_bytes = 65536, .block_count = 40, .uuid = 'B'};
    base.disk_bytes = 40 * 65536;
    Layout child = base;
    child.type = 4;
    child.uuid = 'C';
    child.parent_uuid = 'B';
    static const struct {
        const char *parent;
        uint32_t platform;
    } names[] = {
        {".\\base.vhd", 0x57327275}, {"C:\\Old machines\\base.vhd", 0x57326B75}, {"base.vhd", 0}};
    const char *raw = disk_format_path("d.raw");
    for (unsigned i = 0; i < 3; i++) {
        const char *image = disk_format_path("base.vhd");
        unlink(raw);
        make_image(image, &base);
        BlockNode *node = disk_format_open(image, NULL, false);
        disk_format_write_random(node, raw, 60, 50000, 50 + i);
        block_close(node);
        child.parent = names[i].parent;
        child.platform = names[i].platform;
        check_differences(&child, raw);
    }
}
END_TEST

START_TEST(bad_parents_are_one_clear_line) {
    Layout child = {.type = 4, .block_bytes = 65536, .block_count = 4, .disk_bytes = 262144};
    child.parent = "no\nne.vhd";
    child.uuid = child.parent_uuid = 'S';
    child.platform = 0x57327275;
    const char *image = disk_format_path("p.vhd"), *other = disk_format_path("other.vhd");
    make_image(image, &child);
    disk_format_refused(image, NULL, false, "not there");
    child.parent = "p.vhd";
    make_image(image, &child);
    disk_format_refused(image, NULL, false, "over itself");
    disk_format_refused(image, NULL, true, "over itself");
    child.parent = "other.vhd";
    make_image(image, &child);
    child.parent = "p.vhd";
    make_image(other, &child);
    disk_format_refused(image, NULL, true, "over itself");
    child.type = 3;
    child.uuid = 'T';
    make_image(other, &child);
    disk_format_refused(image, NULL, true, "another VHD image");
}
END_TEST

static void patch(const char *path, bool header, long offset, uint32_t value) {
    uint8_t data[1024];
    size_t size = header ? 1024 : 512;
    read_at(path, header ? 512 : 0, data, size);
    store_be32(data + offset, value);
    put_checksum(data, size, header ? 36 : 64);
    write_at(path, header ? 512 : 0, data, size);
    if (!header)
        write_at(path, file_bytes(path) - 512, data, size);
}

START_TEST(hostile_images_are_one_clear_line) {
    static const struct {
        bool header;
        long offset;
        uint32_t value;
        const char *words;
    } changes[] = {
        {false, 12, 0x00020000, "unknown version"},
        {false, 60, 7, "type (7)"},
        {false, 60, 2, "a disk of"},
        {false, 16, 1, "header lies"},
        {false, 20, 0, "header lies"},
        {false, 20, 4096, "header is damaged"},
        {false, 52, 0, "of 0 bytes"},
        {false, 48, 0x80000000, "a disk of"},
        {true, 0, 0, "header is damaged"},
        {true, 24, 0, "unknown version"},
        {true, 28, 0, "in 0 blocks"},
        {true, 28, 0xFFFFFFFF, "more than"},
        {true, 28, 0x01000000, "table lies"},
        {true, 16, 0xFFFFFFFF, "table lies"},
        {true, 20, 0, "table lies"},
        {true, 32, 0, "blocks of 0 bytes"},
        {true, 32, 3000, "blocks of 3000 bytes"},
        {true, 32, 256, "blocks of 256 bytes"},
        {true, 32, 32768, "of 32768 bytes"},
    };
    static const struct {
        uint32_t first, second;
        const char *words;
    } tables[] = {
        {0, NO_BLOCK, "something else"},  {1, NO_BLOCK, "something else"},
        {3, NO_BLOCK, "something else"},  {200, 200, "something else"},
        {200, 300, "something else"},     {NO_BLOCK, 0xFFFFFFFE, "past the end"},
        {1000, NO_BLOCK, "past the end"},
    };
    Layout layout = {.type = 3, .block_bytes = 65536, .block_count = 4, .disk_bytes = 262144};
    const char *image = disk_format_path("h.vhd");
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make_image(image, &layout);
        patch(image, changes[i].header, changes[i].offset, changes[i].value);
        disk_format_refused(image, "vpc", i % 2, changes[i].words);
    }
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        uint8_t entries[8], footer[512];
        make_image(image, &layout);
        fill_footer(footer, &layout);
        write_at(image, 500 * 512, footer, 512);
        store_be32(entries, tables[i].first);
        store_be32(entries + 4, tables[i].second);
        write_at(image, TABLE_AT, entries, 8);
        disk_format_refused(image, NULL, i % 2, tables[i].words);
    }
}
END_TEST

START_TEST(lost_footers) {
    Layout layout = {.type = 3, .block_bytes = 65536, .block_count = 4, .disk_bytes = 262144};
    const char *image = disk_format_path("f.vhd");
    make_image(image, &layout);
    /* Lost at the end: the copy tells, and it is put back. */
    ck_assert_int_eq(truncate(image, file_bytes(image) - 512), 0);
    block_close(disk_format_open(image, NULL, true));
    BlockNode *node = disk_format_open(image, NULL, false);
    ck_assert(block_write(node, 70000, "abc", 3, NULL));
    ck_assert(!block_write(node, 262143, "abc", 3, NULL));
    block_close(node);
    check_footers(image);
    /* Damaged at both. */
    write_at(image, 100, "x", 1);
    write_at(image, file_bytes(image) - 400, "x", 1);
    disk_format_refused(image, NULL, true, "footer is damaged");
    ck_assert_int_eq(truncate(image, 511), 0);
    disk_format_refused(image, NULL, true, "too short");
}
END_TEST

/* The guest of a fixed image can write whatever it wants to its first sector. */
START_TEST(fixed_images_stay_fixed) {
    Layout fixed = {.type = 2, .disk_bytes = 10240}, dynamic = {.type = 3, .disk_bytes = 5120};
    const char *image = disk_format_path("x.vhd");
    uint8_t footer[512], data[512];
    FILE *file = fopen(image, "wb");
    fill_footer(footer, &fixed);
    fseek(file, 10240, SEEK_SET);
    fwrite(footer, 1, 512, file);
    fclose(file);
    BlockNode *node = disk_format_open(image, "vpc", false);
    ck_assert_uint_eq(block_length(node), 10240);
    fill_footer(data, &dynamic);
    ck_assert(block_write(node, 0, data, 512, NULL));
    ck_assert(!block_write(node, 10240, data, 512, NULL));
    disk_format_refused(image, "vpc", false, "use");
    block_close(node);
    node = disk_format_open(image, NULL, true);
    ck_assert_str_eq(block_format(node), "vpc");
    ck_assert_uint_eq(block_length(node), 10240);
    ck_assert(block_read(node, 0, footer, 512, NULL));
    ck_assert_mem_eq(footer, data, 512);
    block_close(node);
}
END_TEST

static void make_killable(const char *path) {
    Layout layout = {.type = 3, .block_bytes = 2 << 20, .block_count = 512};
    layout.disk_bytes = 1024 * MEGABYTE;
    make_image(path, &layout);
}

static void check_killed(const char *path) {
    check_footers(path);
    if (system("qemu-img --version >/dev/null 2>&1") == 0)
        disk_format_run(false, "qemu-img info -f vpc %s && qemu-io -r -f vpc -c 'read 0 2M' %s",
                        path, path);
}

START_TEST(kills_leave_good_images) {
    disk_format_has_qemu();
    disk_format_kill_writers(make_killable, "kill.vhd", NULL, check_killed);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("block_vhd");
    TCase *cases = tcase_create("block_vhd");
    tcase_set_timeout(cases, 200);
    tcase_add_test(cases, reads_what_qemu_made);
    tcase_add_test(cases, writes_what_qemu_reads);
    tcase_add_test(cases, blocks_of_every_size);
    tcase_add_test(cases, bitmap_of_dynamic_image_counts);
    tcase_add_test(cases, differences_to_a_parent);
    tcase_add_test(cases, bad_parents_are_one_clear_line);
    tcase_add_test(cases, hostile_images_are_one_clear_line);
    tcase_add_test(cases, lost_footers);
    tcase_add_test(cases, fixed_images_stay_fixed);
    tcase_add_test(cases, kills_leave_good_images);
    suite_add_tcase(suite, cases);
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = suite_run(suite);
    disk_format_remove_folder();
    return status;
}
