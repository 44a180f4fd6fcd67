/* Images of Bochs, and those that are a header before the disk: beside Bochs' own tool. */
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

#define CYLINDER (16 * 63 * 512ull) /* what bximage wants a multiple of */
#define DISK_BYTES (20 * CYLINDER)

static const char *const modes[] = {"growing", "sparse"};

static void make(const char *image, const char *raw, const char *mode) {
    disk_format_run(false, "rm -f %s; bximage -func=convert -imgmode=%s -q %s %s >/dev/null", image,
                    mode, raw, image);
}

static bool has_bximage(void) {
    return system("command -v bximage >/dev/null 2>&1") == 0;
}

START_TEST(bochs_images_are_read_and_written) {
    const char *raw = disk_format_path("b.raw"), *image = disk_format_path("b.img");
    const char *back = disk_format_path("b.back");
    disk_format_make_raw(raw, DISK_BYTES, 3);
    make(image, raw, modes[_i]);
    BlockNode *node = disk_format_open(image, NULL, false);
    ck_assert_str_eq(block_format(node), "bochs");
    ck_assert_uint_eq(block_length(node), DISK_BYTES);
    disk_format_check_equal(node, raw);
    disk_format_write_random(node, raw, 60, 200000, 7);
    disk_format_check_equal(node, raw);
    ck_assert(!block_write(node, DISK_BYTES - 1, "ab", 2, NULL));
    disk_format_refused(image, NULL, false, "use");
    block_close(node);
    disk_format_run(false,
                    "rm -f %s; bximage -func=convert -imgmode=flat -q %s %s >/dev/null; cmp %s %s",
                    back, image, back, back, raw);
    if (_i == 0)
        disk_format_run(false, "qemu-img compare -q -f bochs -F raw %s %s", image, raw);
    node = disk_format_open(image, NULL, true);
    disk_format_check_equal(node, raw);
    block_close(node);
}
END_TEST

START_TEST(empty_bochs_images_fill_up) {
    const char *raw = disk_format_path("e.raw"), *image = disk_format_path("e.img");
    disk_format_run(false, "rm -f %s; truncate -s %llu %s", raw, DISK_BYTES, raw);
    make(image, raw, modes[_i]);
    BlockNode *node = disk_format_open(image, NULL, false);
    disk_format_write_random(node, raw, 300, 400, 8);
    disk_format_check_equal(node, raw);
    for (uint64_t at = 0; at < DISK_BYTES; at += 100000)
        ck_assert(block_write(node, at, "somewhere", 9, NULL));
    uint8_t bytes[9];
    ck_assert(block_read(node, DISK_BYTES / 100000 * 100000, bytes, 9, NULL));
    ck_assert_mem_eq(bytes, "somewhere", 9);
    block_close(node);
}
END_TEST

static void patch32(const char *path, int64_t offset, uint32_t value) {
    uint8_t bytes[4];
    store_le32(bytes, value);
    int file = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, 4, offset), 4);
    close(file);
}

START_TEST(hostile_bochs_images_are_one_clear_line) {
    static const struct {
        int mode;
        int64_t offset;
        uint32_t value;
        const char *words;
    } changes[] = {
        {0, 48, 0x6F646E55, "of the kind"},
        {0, 64, 7, "unknown version"},
        {0, 68, 100, "a header of"},
        {0, 72, 0, "a table of 0"},
        {0, 72, 0xFFFFFFFF, "a table of"},
        {0, 76, 0xFFFFFFFF, "a bitmap of"},
        {0, 76, 0, "a bitmap of"},
        {0, 80, 0, "parts of 0"},
        {0, 80, 511, "parts of 511"},
        {0, 92, 0xFFFFFFFF, "a disk of"},
        {0, 512, 0x00FFFFFF, "lies over another"},
        {1, 8, 0, "pages of 0"},
        {1, 8, 0xFFFFFE00, "parts of"},
        {1, 12, 0xFFFFFFFF, "a table of"},
        {1, 20, 0xFFFFFFFF, "a disk of"},
        {1, 256, 0x00FFFFFF, "lies over another"},
    };
    const char *raw = disk_format_path("h.raw"), *image = disk_format_path("h.img");
    disk_format_make_raw(raw, DISK_BYTES, 4);
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make(image, raw, modes[changes[i].mode]);
        patch32(image, changes[i].offset, changes[i].value);
        disk_format_refused(image, NULL, false, changes[i].words);
    }
    make(image, raw, "growing");
    disk_format_run(false, "truncate -s 6000 %s", image);
    disk_format_refused(image, NULL, true, "past the end");
    disk_format_refused(raw, "bochs", true, "no growing or sparse image");
}
END_TEST

static void make_killable(const char *path) {
    char raw[256];
    snprintf(raw, sizeof(raw), "%s.raw", path);
    disk_format_run(false, "truncate -s %llu %s", 130 * CYLINDER, raw);
    make(path, raw, "growing");
}

static void check_killed(const char *path) {
    disk_format_run(false, "qemu-img info -f bochs %s >/dev/null", path);
}

START_TEST(kills_leave_good_images) {
    disk_format_kill_writers(make_killable, "kill.img", NULL, check_killed);
}
END_TEST

/* As 86Box's dialog for new disks writes them. */
static void make_headed(const char *path, bool is_hdx, const char *raw) {
    uint8_t header[4096] = {0};
    if (is_hdx) {
        store_le64(header, 0xD778A82044445459);
        store_le64(header + 8, 615 * 4 * 17 * 512);
    } else {
        store_le32(header + 8, 4096);
        store_le32(header + 12, 615 * 4 * 17 * 512);
    }
    store_le32(header + 16, 512);
    store_le32(header + 20, 17);
    store_le32(header + 24, 4);
    store_le32(header + 28, 615);
    FILE *file = fopen(path, "wb");
    fwrite(header, 1, is_hdx ? 40 : 4096, file);
    fclose(file);
    disk_format_run(false, "cat %s >>%s", raw, path);
}

START_TEST(disks_behind_a_header) {
    const char *raw = disk_format_path("x.raw"), *image = disk_format_path("x.image");
    const char *format = _i == 0 ? "hdi" : "hdx";
    disk_format_make_raw(raw, 615 * 4 * 17 * 512, 5);
    make_headed(image, _i == 1, raw);
    BlockNode *node = disk_format_open(image, NULL, false);
    ck_assert_str_eq(block_format(node), format);
    disk_format_check_equal(node, raw);
    disk_format_write_random(node, raw, 40, 100000, 6);
    disk_format_check_equal(node, raw);
    ck_assert(!block_write(node, 615 * 4 * 17 * 512 - 1, "ab", 2, NULL));
    BlockInfo info;
    ck_assert(block_info_get(node, &info, NULL));
    ck_assert_str_eq(info.fields[0].name, "cylinders");
    ck_assert_uint_eq(info.fields[0].number, 615);
    block_info_free(&info);
    block_close(node);
    disk_format_run(false, "tail -c +%d %s | cmp - %s", _i == 1 ? 41 : 4097, image, raw);
    disk_format_run(false, "truncate -s 100000 %s", image);
    disk_format_refused(image, format, true, "cut short");
    patch32(image, 24, 0);
    disk_format_refused(image, format, true, "damaged");
    disk_format_run(false, "truncate -s 20 %s", image);
    disk_format_refused(image, format, true, _i == 0 ? "too short" : "no image");
}
END_TEST

START_TEST(headed_disks_are_made) {
    const char *formats[] = {"hdi", "hdx"}, *path = disk_format_path("m.image");
    static const uint64_t sizes[] = {512, 1474560, 20 << 20, 17 * 512 * 4 * 615, 77 * 512};
    for (int i = 0; i < 10; i++) {
        BlockCreateRequest request = {.path = path, .length = sizes[i / 2]};
        ck_assert(block_create(formats[i % 2], &request, NULL));
        BlockNode *node = disk_format_open(path, NULL, false);
        ck_assert_str_eq(block_format(node), formats[i % 2]);
        ck_assert_uint_eq(block_length(node), sizes[i / 2]);
        block_close(node);
    }
    BlockCreateRequest request = {.path = path, .length = 8ull << 30};
    ck_assert(!block_create("hdi", &request, NULL));
}
END_TEST

/* What a guest writes to a raw image that was taken for one never makes it another. */
START_TEST(raw_images_stay_raw) {
    static const char *const heads[] = {"vhdxfile",
                                        "KDMV\1\0\0\0",
                                        "# Disk DescriptorFile\n",
                                        "Bochs Virtual HD Image\0",
                                        "QFI\xFB\0\0\0\3",
                                        "\xCE\x8A\x46\x02\2\0\0\0",
                                        "\x59\x54\x44\x44\x20\xA8\x78\xD7"};
    static const size_t sizes[] = {8, 8, 22, 23, 8, 8, 8};
    const char *raw = disk_format_path("r.raw");
    disk_format_make_raw(raw, 1 << 20, 1);
    disk_format_run(false, "dd if=/dev/zero of=%s bs=512 count=1 conv=notrunc 2>/dev/null", raw);
    BlockNode *node = disk_format_open(raw, NULL, false);
    ck_assert_str_eq(block_format(node), "raw");
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        ck_assert(!block_write(node, 0, heads[i], sizes[i], NULL));
        ck_assert(block_write(node, 0, heads[i], 3, NULL));
        ck_assert(!block_write(node, 3, heads[i] + 3, sizes[i] - 3, NULL));
        ck_assert(block_write_zeros(node, 0, 512, NULL));
    }
    block_close(node);
    node = disk_format_open(raw, NULL, false);
    ck_assert_str_eq(block_format(node), "raw");
    block_close(node);
    node = disk_format_open(raw, "raw", false);
    ck_assert(block_write(node, 0, heads[0], sizes[0], NULL));
    block_close(node);
}
END_TEST

int main(void) {
    if (!disk_format_has_qemu() || !has_bximage())
        return 77;
    Suite *suite = suite_create("block_odd");
    TCase *cases = tcase_create("odd");
    tcase_set_timeout(cases, getenv("REPRISE_LONG") != NULL ? 900 : 120);
    tcase_add_loop_test(cases, bochs_images_are_read_and_written, 0, 2);
    tcase_add_loop_test(cases, empty_bochs_images_fill_up, 0, 2);
    tcase_add_test(cases, hostile_bochs_images_are_one_clear_line);
    tcase_add_test(cases, kills_leave_good_images);
    tcase_add_loop_test(cases, disks_behind_a_header, 0, 2);
    tcase_add_test(cases, headed_disks_are_made);
    tcase_add_test(cases, raw_images_stay_raw);
    suite_add_tcase(suite, cases);
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = suite_run(suite);
    disk_format_remove_folder();
    return status;
}
