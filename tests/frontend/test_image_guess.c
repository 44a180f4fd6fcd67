/* Floppy, disk or CD: told apart by size and content. */
#include "image_guess.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/reprise-image-XXXXXX";
static int file;

static void set_up(void) {
    strcpy(path, "/tmp/reprise-image-XXXXXX");
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
}

static void tear_down(void) {
    close(file);
    unlink(path);
}

static void expect(ImageKind kind) {
    Error error = {.set = false};
    ImageKind found;
    ck_assert_msg(image_guess(path, &found, &error), "%s", error.message);
    ck_assert_int_eq(found, kind);
}

static void make_size(off_t size) {
    ck_assert_int_eq(ftruncate(file, size), 0);
}

/* One active FAT partition at 'first' with 'count' sectors. */
static void make_partition(uint8_t first, uint8_t count) {
    uint8_t sector[512] = {0};
    sector[446] = 0x80;
    sector[446 + 4] = 0x06;
    sector[446 + 8] = first;
    sector[446 + 12] = count;
    sector[510] = 0x55;
    sector[511] = 0xAA;
    ck_assert_int_eq(pwrite(file, sector, sizeof(sector), 0), sizeof(sector));
}

static const int floppy_kilobytes[] = {160, 180, 320, 360, 720, 1200, 1440, 2880, 9, 100};

START_TEST(floppies) {
    make_size(floppy_kilobytes[_i] * 1024);
    expect(IMAGE_FLOPPY);
}
END_TEST

/* By the size of the disk inside, not of the file. */
START_TEST(qcow2_files) {
    uint8_t head[32] = {'Q', 'F', 'I', 0xFB, 0, 0, 0, 3, [28] = 0x00, [29] = 0x16, [30] = 0x80};
    make_size(320 * 1024);
    ck_assert_int_eq(pwrite(file, head, sizeof(head), 0), sizeof(head));
    expect(IMAGE_FLOPPY);
    head[28] = 0x40;
    ck_assert_int_eq(pwrite(file, head, sizeof(head), 0), sizeof(head));
    expect(IMAGE_DISK);
}
END_TEST

START_TEST(large_images_are_disks) {
    make_size(2881 * 1024);
    expect(IMAGE_DISK);
    make_size(32 << 20);
    expect(IMAGE_DISK);
}
END_TEST

START_TEST(small_disk_with_partitions) {
    make_size(1 << 20);
    make_partition(17, 200);
    expect(IMAGE_DISK);
}
END_TEST

START_TEST(partition_that_does_not_fit_is_boot_code) {
    make_size(50 * 1024);
    make_partition(17, 200);
    expect(IMAGE_FLOPPY);
}
END_TEST

START_TEST(floppy_size_beats_partition_table) {
    make_size(1440 * 1024);
    make_partition(17, 200);
    expect(IMAGE_FLOPPY);
}
END_TEST

START_TEST(cd_by_its_descriptor) {
    make_size(1440 * 1024);
    ck_assert_int_eq(pwrite(file, "\1CD001", 6, 16 * 2048), 6);
    expect(IMAGE_CD);
}
END_TEST

START_TEST(linux_kernel_by_its_header) {
    make_size(5 << 20);
    make_partition(0, 0);
    expect(IMAGE_DISK);
    ck_assert_int_eq(pwrite(file, "HdrS", 4, 0x202), 4);
    expect(IMAGE_KERNEL);
    make_size(1440 * 1024);
    expect(IMAGE_FLOPPY);
}
END_TEST

START_TEST(what_cannot_be_an_image) {
    Error error = {.set = false};
    ImageKind kind;
    ck_assert(!image_guess(path, &kind, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "empty"));
    error.set = false;
    ck_assert(!image_guess("/tmp", &kind, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "folder"));
    error.set = false;
    ck_assert(!image_guess("/nowhere", &kind, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("image_guess");
    TCase *tests = tcase_create("image_guess");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, floppies, 0,
                        (int)(sizeof(floppy_kilobytes) / sizeof(floppy_kilobytes[0])));
    tcase_add_test(tests, linux_kernel_by_its_header);
    tcase_add_test(tests, large_images_are_disks);
    tcase_add_test(tests, qcow2_files);
    tcase_add_test(tests, small_disk_with_partitions);
    tcase_add_test(tests, partition_that_does_not_fit_is_boot_code);
    tcase_add_test(tests, floppy_size_beats_partition_table);
    tcase_add_test(tests, cd_by_its_descriptor);
    tcase_add_test(tests, what_cannot_be_an_image);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
