/* VMDK images: those of qemu-img, writes against a model, kills in the middle of writes, and images
 * that mean harm. All are made by qemu-img. */
#include "block_image.h"
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

static uint32_t read32(const char *path, int64_t offset) {
    uint8_t bytes[4];
    int file = open(path, O_RDONLY);
    ck_assert_int_eq(pread(file, bytes, 4, offset), 4);
    close(file);
    return load_le32(bytes);
}

static void patch32(const char *path, int64_t offset, uint32_t value) {
    uint8_t bytes[4];
    store_le32(bytes, value);
    int file = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, 4, offset), 4);
    close(file);
}

static void create(const char *path, const char *size) {
    disk_format_run(false, "rm -f %s; qemu-img create -f vmdk %s %s", path, path, size);
}

START_TEST(reads_what_qemu_made) {
    static const uint64_t sizes[] = {9 * MEGABYTE, 40 * MEGABYTE + 512 * 7, 512};
    const char *raw = disk_format_path("q.raw"), *image = disk_format_path("q.vmdk");
    for (unsigned i = 0; i < 6; i++) {
        const char *kind = i % 2 ? "streamOptimized" : "monolithicSparse";
        disk_format_make_raw(raw, sizes[i / 2], i);
        disk_format_run(false, "rm -f %s; qemu-img convert -f raw -O vmdk -o subformat=%s %s %s",
                        image, kind, raw, image);
        BlockNode *node = disk_format_open(image, NULL, true);
        ck_assert_str_eq(block_format(node), "vmdk");
        ck_assert_uint_eq(block_length(node), sizes[i / 2]);
        disk_format_check_equal(node, raw);
        block_close(node);
        if (i % 2)
            disk_format_refused(image, NULL, false, "can only be read, since it is compressed");
    }
}
END_TEST

/* As VMware writes streams: the header does not know the directory, a footer does. */
START_TEST(directory_in_a_footer) {
    const char *raw = disk_format_path("f.raw"), *image = disk_format_path("f.vmdk");
    uint8_t footer[1024] = {0};
    disk_format_make_raw(raw, 3 * MEGABYTE, 1);
    disk_format_run(false,
                    "rm -f %s; qemu-img convert -f raw -O vmdk -o subformat=streamOptimized %s %s",
                    image, raw, image);
    int file = open(image, O_RDWR);
    ck_assert_int_eq(pread(file, footer, 512, 0), 512);
    off_t end = lseek(file, 0, SEEK_END);
    ck_assert_int_eq(pwrite(file, footer, 1024, end), 1024);
    close(file);
    patch32(image, 56, 0xFFFFFFFF);
    patch32(image, 60, 0xFFFFFFFF);
    BlockNode *node = disk_format_open(image, NULL, true);
    disk_format_check_equal(node, raw);
    block_close(node);
    patch32(image, end, 0);
    disk_format_refused(image, NULL, true, "footer is missing");
}
END_TEST

START_TEST(writes_what_qemu_reads) {
    const char *raw = disk_format_path("w.raw"), *image = disk_format_path("w.vmdk");
    create(image, "41M");
    for (unsigned i = 0; i < 2; i++) {
        BlockNode *node = disk_format_open(image, i ? "vmdk" : NULL, false);
        disk_format_write_random(node, raw, 60, i ? 3000000 : 100000, i);
        disk_format_check_equal(node, raw);
        ck_assert(!block_write(node, 41 * MEGABYTE - 1, "ab", 2, NULL));
        disk_format_refused(image, NULL, false, "use");
        block_close(node);
        disk_format_run(false, "qemu-img check -f vmdk %s", image);
        disk_format_run(false, "qemu-img compare -f vmdk -F raw %s %s", image, raw);
        /* QEMU goes on where we ended, and we go on where it did. */
        disk_format_run(false, "qemu-io -f vmdk -c 'write -P 7 30M 4M' %s", image);
        disk_format_run(false, "qemu-io -f raw -c 'write -P 7 30M 4M' %s", raw);
    }
    /* Both tables say the same: one entry after the other, for all grains of the first table. */
    int64_t first = read32(image, read32(image, 56) * 512ll) * 512ll;
    int64_t second = read32(image, read32(image, 48) * 512ll) * 512ll;
    for (int i = 0; i < 512; i++)
        ck_assert_uint_eq(read32(image, first + 4 * i), read32(image, second + 4 * i));
}
END_TEST

START_TEST(hostile_images_are_one_clear_line) {
    static const struct {
        int64_t offset;
        uint32_t value;
        const char *words;
    } changes[] = {
        {4, 9, "unknown version 9"},
        {8, 1 << 16, "unknown way"},
        {12, 0, "of 0 sectors"},
        {16, 1, "not possible here"},
        {16, 0x80000000, "not possible"},
        {20, 0, "grains of 0 sectors"},
        {20, 3, "grains of 3 sectors"},
        {24, 1, "grains of"},
        {28, 0, "several files"},
        {28, 0x7FFFFFFF, "descriptor"},
        {36, 0x7FFFFFFF, "descriptor"},
        {44, 0, "tables of 0 grains"},
        {44, 0x7FFFFFFF, "tables of"},
        {56, 0, "directory lies"},
        {56, 0x7FFFFFFF, "directory lies"},
        {48, 0x7FFFFFFF, "directory lies"},
    };
    const char *image = disk_format_path("h.vmdk");
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        create(image, "64M");
        patch32(image, changes[i].offset, changes[i].value);
        disk_format_refused(image, NULL, false, changes[i].words);
    }
    create(image, "64M");
    int64_t directory = read32(image, 56) * 512ll;
    int64_t table = read32(image, directory) * 512ll;
    patch32(image, table + 4, 0x00FFFFFF);
    disk_format_refused(image, NULL, true, "grain at sector 16777215 lies past the end");
    patch32(image, table + 4, 0);
    patch32(image, directory + 4, read32(image, directory));
    disk_format_refused(image, NULL, true, "lies over another");
    patch32(image, directory + 4, 0x00FFFFFF);
    disk_format_refused(image, NULL, true, "table at sector 16777215 lies past the end");
    ck_assert_int_eq(truncate(image, 100), 0);
    disk_format_refused(image, NULL, true, "too short");
}
END_TEST

START_TEST(damaged_streams_are_errors) {
    const char *raw = disk_format_path("s.raw"), *image = disk_format_path("s.vmdk");
    uint8_t data[512];
    disk_format_make_raw(raw, 3 * MEGABYTE, 1);
    disk_format_run(false,
                    "qemu-io -f raw -c 'write -P 9 0 64k' %s; rm -f %s; "
                    "qemu-img convert -f raw -O vmdk -o subformat=streamOptimized %s %s",
                    raw, image, raw, image);
    int64_t grain = read32(image, read32(image, read32(image, 56) * 512ll) * 512ll) * 512ll;
    static const uint32_t sizes[] = {0, 0xFFFFFFFF, 30};
    for (unsigned i = 0; i < 3; i++) {
        Error error = {0};
        patch32(image, grain + 8, sizes[i]);
        BlockNode *node = disk_format_open(image, NULL, true);
        ck_assert(!block_read(node, 512, data, 512, &error));
        ck_assert_ptr_nonnull(strstr(error.message, "grain"));
        block_close(node);
    }
}
END_TEST

static void make_killable(const char *path) {
    create(path, "256M");
}

static void check_killed(const char *path) {
    disk_format_run(false, "qemu-img check -f vmdk %s", path);
}

static const char *const subformats[] = {"monolithicSparse", "monolithicFlat",
                                         "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
                                         "streamOptimized"};

static void make(const char *path, const char *subformat, uint64_t length) {
    BlockCreateValue value = {"subformat", subformat};
    BlockCreateRequest request = {
        .path = path, .length = length, .values = &value, .value_count = 1};
    Error error = {0};
    ck_assert_msg(block_create("vmdk", &request, &error), "%s", error.message);
}

/* Images of several files: written over the seam by us and by QEMU. */
START_TEST(parts_are_one_disk) {
    const char *raw = disk_format_path("p.raw"), *image = disk_format_path("p.vmdk");
    const uint64_t seam = 2048 * MEGABYTE;
    for (int qemu = 0; qemu < 2; qemu++) {
        disk_format_run(false, "rm -f %s*; truncate -s 2060M %s", disk_format_path("p"), raw);
        if (qemu)
            disk_format_run(false, "qemu-img create -q -f vmdk -o subformat=%s %s 2060M",
                            subformats[_i], image);
        else
            make(image, subformats[_i], seam + 12 * MEGABYTE);
        BlockNode *node = disk_format_open(image, NULL, false);
        static uint8_t data[300000], found[300000];
        memset(data, 0x5A + qemu, sizeof(data));
        ck_assert_uint_eq(block_length(node), seam + 12 * MEGABYTE);
        ck_assert(block_write(node, seam - 100000, data, sizeof(data), NULL));
        ck_assert(block_write(node, 4 * MEGABYTE, data, 1000, NULL));
        ck_assert(block_flush(node, NULL));
        ck_assert(block_read(node, seam - 100000, found, sizeof(found), NULL));
        ck_assert_mem_eq(data, found, sizeof(data));
        disk_format_refused(image, NULL, false, "use");
        block_close(node);
        for (int i = 0; i < 2; i++)
            disk_format_run(false,
                            "qemu-io -f %s -c 'write -q -P %d %llu 300000' "
                            "-c 'write -q -P %d 4M 1000' -c 'write -q -P 7 2055M 1M' %s",
                            i ? "raw" : "vmdk", 0x5A + qemu, (unsigned long long)seam - 100000,
                            0x5A + qemu, i ? raw : image);
        disk_format_run(false, "qemu-img compare -q -f vmdk -F raw %s %s", image, raw);
        node = disk_format_open(image, NULL, true);
        ck_assert(block_read(node, 2055 * MEGABYTE + 5, found, 1, NULL) && found[0] == 7);
        BlockExtent extent;
        ck_assert(block_map(node, 2055 * MEGABYTE, 4096, &extent, NULL));
        ck_assert(extent.data && extent.has_offset && extent.length == 4096);
        block_close(node);
    }
}
END_TEST

START_TEST(streams_are_filled_once) {
    const char *raw = disk_format_path("o.raw"), *image = disk_format_path("o.vmdk");
    static uint8_t data[65536];
    disk_format_make_raw(raw, 3 * MEGABYTE + 512, 4);
    make(image, "streamOptimized", 3 * MEGABYTE + 512);
    BlockOptions options = {.path = image, .any_content = true};
    BlockNode *node = block_open(&options, NULL);
    FILE *file = fopen(raw, "rb");
    for (uint64_t at = 0; at < 3 * MEGABYTE + 512; at += sizeof(data)) {
        size_t size = fread(data, 1, sizeof(data), file);
        ck_assert(block_write(node, at, data, size, NULL));
    }
    fclose(file);
    ck_assert(!block_write(node, 0, data, sizeof(data), NULL));
    ck_assert(!block_write(node, 512, data, 512, NULL));
    disk_format_check_equal(node, raw);
    block_close(node);
    disk_format_run(false, "qemu-img check -q -f vmdk %s", image);
    disk_format_run(false, "qemu-img compare -q -f vmdk -F raw %s %s", image, raw);
}
END_TEST

START_TEST(hostile_descriptions_are_one_clear_line) {
    static const struct {
        const char *lines, *words;
    } texts[] = {
        {"", "names no files"},
        {"RW 8 FLAT \"/etc/passwd\" 0\n", "no file beside it"},
        {"RW 8 FLAT \"../d.raw\" 0\n", "no file beside it"},
        {"RW 8 FLAT \"\" 0\n", "no file beside it"},
        {"RW 8 FLAT \"none.vmdk\" 0\n", "cannot be opened"},
        {"RW 8 FLAT \"d.vmdk\" 0\n", "lies over itself"},
        {"RW 99999999 FLAT \"d.raw\" 0\n", "shorter"},
        {"RW 8 FLAT \"d.raw\" 99999999999999999\n", "begins at"},
        {"RW 0 FLAT \"d.raw\" 0\n", "0 sectors"},
        {"RW 18446744073709551615 ZERO\n", "sectors"},
        {"RW 8 FLAT d.raw 0\n", "describes no part"},
        {"RW 8 FLAT \"d.raw\n", "describes no part"},
        {"RW x\n", "describes no part"},
        {"RW 8 SPARSE \"d.raw\"\n", "is not a VMDK image"},
        {"RW 8 VMFSSPARSE \"d.raw\"\n", "cannot be opened"},
        {"NOACCESS 8 FLAT \"d.raw\" 0\n", "cannot be opened"},
        {"RDONLY 8 FLAT \"d.raw\" 0\n", "only read"},
        {"parentCID=12345678\nRW 8 FLAT \"d.raw\" 0\n", "difference"},
    };
    const char *image = disk_format_path("d.vmdk");
    disk_format_make_raw(disk_format_path("d.raw"), MEGABYTE, 1);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FILE *file = fopen(image, "w");
        fprintf(file, "# Disk DescriptorFile\r\nversion=1\n%s", texts[i].lines);
        fclose(file);
        disk_format_refused(image, NULL, false, texts[i].words);
    }
    FILE *file = fopen(image, "w");
    fprintf(file, "# Disk DescriptorFile\r\n RW 8 FLAT \"d.raw\" 16\r\nRW 4 ZERO\r\n");
    fclose(file);
    BlockNode *node = disk_format_open(image, NULL, false);
    uint8_t found[512], wanted[512];
    disk_format_refused(disk_format_path("d.raw"), "raw", true, "in use");
    ck_assert_uint_eq(block_length(node), 12 * 512);
    ck_assert(!block_write(node, 8 * 512, wanted, 1, NULL));
    ck_assert(block_read(node, 512, found, 512, NULL));
    block_close(node);
    BlockNode *part = disk_format_open(disk_format_path("d.raw"), "raw", true);
    ck_assert(block_read(part, 17 * 512, wanted, 512, NULL));
    ck_assert_mem_eq(found, wanted, 512);
    block_close(part);
}
END_TEST

/* A part alone is no image; and a name that cannot be is refused with nothing left over. */
START_TEST(parts_alone_are_refused) {
    const char *image = disk_format_path("a.vmdk");
    make(image, "twoGbMaxExtentSparse", 3 * MEGABYTE);
    disk_format_refused(disk_format_path("a-s001.vmdk"), NULL, true, "one part");
    BlockCreateValue value = {"subformat", "monolithicFlat"};
    BlockCreateRequest request = {.path = disk_format_path("q\"q.vmdk"),
                                  .length = MEGABYTE,
                                  .values = &value,
                                  .value_count = 1};
    ck_assert(!block_create("vmdk", &request, NULL));
    ck_assert_int_ne(access(disk_format_path("q\"q-flat.vmdk"), F_OK), 0);
    value.value = "other";
    ck_assert(!block_create("vmdk", &request, NULL));
}
END_TEST

static void make_split(const char *path) {
    disk_format_run(false, "rm -f %.*s*", (int)strlen(path) - 5, path);
    make(path, "twoGbMaxExtentSparse", 2060 * MEGABYTE);
}

START_TEST(kills_leave_good_images) {
    static void (*const makers[])(const char *path) = {make_killable, make_split};
    disk_format_kill_writers(makers[_i], "kill.vmdk", NULL, check_killed);
}
END_TEST

int main(void) {
    if (!disk_format_has_qemu())
        return 77;
    Suite *suite = suite_create("block_vmdk");
    TCase *cases = tcase_create("block_vmdk");
    tcase_set_timeout(cases, getenv("REPRISE_LONG") != NULL ? 900 : 200);
    tcase_add_test(cases, reads_what_qemu_made);
    tcase_add_test(cases, directory_in_a_footer);
    tcase_add_test(cases, writes_what_qemu_reads);
    tcase_add_test(cases, hostile_images_are_one_clear_line);
    tcase_add_test(cases, damaged_streams_are_errors);
    tcase_add_loop_test(cases, parts_are_one_disk, 0, 4);
    tcase_add_test(cases, streams_are_filled_once);
    tcase_add_test(cases, hostile_descriptions_are_one_clear_line);
    tcase_add_test(cases, parts_alone_are_refused);
    tcase_add_loop_test(cases, kills_leave_good_images, 0, 2);
    suite_add_tcase(suite, cases);
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = suite_run(suite);
    disk_format_remove_folder();
    return status;
}
