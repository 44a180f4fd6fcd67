/* Block nodes: raw images of odd sizes, overlays, locks, and every way in which an image can be
 * bad. */
#include "block.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/reprise-block-XXXXXX";

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* An image whose byte n is n * 7. */
static void make_image(const char *name, size_t size) {
    unlink(path_of(name));
    FILE *file = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i * 7 & 0xFF), file);
    fclose(file);
}

static long file_size(const char *name) {
    struct stat status;
    ck_assert_int_eq(stat(path_of(name), &status), 0);
    return (long)status.st_size;
}

static BlockNode *open_good(const BlockOptions *options) {
    Error error = {0};
    BlockNode *node = block_open(options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static void expect_refusal(const BlockOptions *options, const char *words) {
    Error error = {0};
    BlockNode *node = block_open(options, &error);
    ck_assert_ptr_null(node);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_msg(strstr(error.message, options->path) != NULL, "'%s' names no file",
                  error.message);
    ck_assert_ptr_null(strchr(error.message, '\n'));
}

START_TEST(raw_reads_and_writes_bytes) {
    make_image("a.img", 1300);
    BlockOptions options = {.path = path_of("a.img"), .node_name = "disk0"};
    BlockNode *node = open_good(&options);
    ck_assert_uint_eq(block_length(node), 1300);
    ck_assert_str_eq(block_node_name(node), "disk0");
    ck_assert_str_eq(block_format(node), "raw");
    ck_assert(!block_is_read_only(node));

    uint8_t sector[512];
    ck_assert(block_read(node, 1024, sector, 512, NULL));
    ck_assert_uint_eq(sector[0], (uint8_t)(1024 * 7));
    ck_assert_uint_eq(sector[275], (uint8_t)(1299 * 7));
    for (int i = 276; i < 512; i++)
        ck_assert_uint_eq(sector[i], 0);
    ck_assert(block_read(node, 1 << 20, sector, 512, NULL));
    ck_assert_uint_eq(sector[0], 0);

    memset(sector, 0xA5, sizeof(sector));
    ck_assert(block_write(node, 1024, sector, 512, NULL));
    ck_assert_uint_eq(block_length(node), 1536);
    ck_assert(block_flush(node, NULL));
    block_close(node);
    ck_assert_int_eq(file_size("a.img"), 1536);

    node = open_good(&options);
    uint8_t again[512] = {0};
    ck_assert(block_read(node, 1024, again, 512, NULL));
    ck_assert_mem_eq(sector, again, 512);
    block_close(node);
}
END_TEST

START_TEST(overlay_never_writes_the_image) {
    make_image("b.img", 200000);
    BlockOptions options = {.path = path_of("b.img"), .snapshot = true};
    BlockNode *node = open_good(&options);
    ck_assert(!block_is_read_only(node));
    uint8_t data[1024], back[4096];
    memset(data, 0x5A, sizeof(data));
    /* Across the border of two clusters, and past the end of the image. */
    ck_assert(block_write(node, 65536 - 512, data, 1024, NULL));
    ck_assert(block_write(node, 400000, data, 1024, NULL));
    ck_assert_uint_eq(block_length(node), 401024);
    ck_assert(block_read(node, 65536 - 2048, back, 4096, NULL));
    for (int i = 0; i < 4096; i++) {
        bool written = i >= 1536 && i < 2560;
        ck_assert_uint_eq(back[i], written ? 0x5A : (uint8_t)((65536 - 2048 + i) * 7));
    }
    ck_assert(block_read(node, 399990, back, 20, NULL));
    ck_assert_uint_eq(back[9], 0);
    ck_assert_uint_eq(back[10], 0x5A);
    ck_assert(block_read(node, 199990, back, 20, NULL));
    ck_assert_uint_eq(back[9], (uint8_t)(199999 * 7));
    ck_assert_uint_eq(back[10], 0);
    block_close(node);
    ck_assert_int_eq(file_size("b.img"), 200000);
    node = open_good(&options);
    ck_assert(block_read(node, 65536, back, 16, NULL));
    ck_assert_uint_eq(back[1], (uint8_t)(65537 * 7));
    block_close(node);
}
END_TEST

START_TEST(bad_images_are_one_clear_line) {
    BlockOptions options = {.path = path_of("missing.img")};
    expect_refusal(&options, "No such file");
    options.path = folder;
    expect_refusal(&options, "directory");
    options.path = "/dev/null";
    expect_refusal(&options, "neither a file");
    make_image("empty.img", 0);
    options.path = path_of("empty.img");
    expect_refusal(&options, "empty");
    make_image("c.img", 512);
    options.path = path_of("c.img");
    options.format = "qcow9";
    expect_refusal(&options, "qcow9");
    Error error = {0};
    ck_assert_ptr_null(block_open(&(BlockOptions){.path = ""}, &error));
    ck_assert(error.set);
}
END_TEST

START_TEST(foreign_formats_are_named) {
    FILE *file = fopen(path_of("d.img"), "wb");
    fwrite("vhdxfile", 1, 8, file);
    fclose(file);
    BlockOptions options = {.path = path_of("d.img")};
    expect_refusal(&options, "VHDX");
    options.format = "raw";
    block_close(open_good(&options));
}
END_TEST

START_TEST(truncated_images) {
    uint8_t record[512] = {0};
    make_image("i.img", 3000000);
    FILE *file = fopen(path_of("i.img"), "r+b");
    record[0x1BE + 4] = 6;
    record[0x1BE + 8] = 63;
    record[0x1BE + 12] = 0x00; /* 10000h sectors: 32 MB */
    record[0x1BE + 14] = 0x01;
    record[510] = 0x55;
    record[511] = 0xAA;
    fwrite(record, 1, 512, file);
    fclose(file);
    BlockOptions options = {.path = path_of("i.img")};
    expect_refusal(&options, "cut short");
    options.format = "raw";
    block_close(open_good(&options));
    options.format = NULL;
    ck_assert_int_eq(truncate(options.path, (63 + 65536 - 1000) * 512), 0); /* rounded up */
    block_close(open_good(&options));

    make_image("i.img", 40000);
    file = fopen(path_of("i.img"), "r+b");
    fseek(file, 32768, SEEK_SET);
    fwrite("\1CD001", 1, 6, file);
    fseek(file, 32768 + 80, SEEK_SET);
    fwrite("\0\4\0\0", 1, 4, file); /* 1024 sectors of 2048 bytes */
    fseek(file, 32768 + 128, SEEK_SET);
    fwrite("\0\10", 1, 2, file);
    fclose(file);
    expect_refusal(&options, "2097152");
    ck_assert_int_eq(truncate(options.path, 2097152), 0);
    block_close(open_good(&options));
}
END_TEST

/* Permissions do not bind root: gives root up, in a test's own process. */
static void become_ordinary_user(void) {
    ck_assert_int_eq(chmod(folder, 0755), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(setuid(65534), 0);
}

START_TEST(write_protected_images) {
    make_image("e.img", 1024);
    ck_assert_int_eq(chmod(path_of("e.img"), 0444), 0);
    become_ordinary_user();
    BlockOptions options = {.path = path_of("e.img")};
    expect_refusal(&options, "readonly=on");
    options.auto_read_only = true;
    BlockNode *node = open_good(&options);
    ck_assert(block_is_read_only(node));
    Error error = {0};
    ck_assert(!block_write(node, 0, "x", 1, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "write-protected"));
    ck_assert(block_flush(node, NULL));
    block_close(node);
    options = (BlockOptions){.path = path_of("e.img"), .snapshot = true};
    node = open_good(&options);
    ck_assert(block_write(node, 0, "x", 1, NULL));
    block_close(node);
    options.read_only = true;
    node = open_good(&options);
    ck_assert(!block_write(node, 0, "x", 1, NULL));
    block_close(node);
}
END_TEST

START_TEST(unreadable_images) {
    make_image("e.img", 1024);
    ck_assert_int_eq(chmod(path_of("e.img"), 0), 0);
    become_ordinary_user();
    BlockOptions options = {.path = path_of("e.img")};
    expect_refusal(&options, "Permission denied");
    options.read_only = true;
    expect_refusal(&options, "Permission denied");
}
END_TEST

START_TEST(second_writer_is_refused) {
    make_image("f.img", 1024);
    BlockOptions writer = {.path = path_of("f.img")};
    BlockOptions reader = {.path = writer.path, .read_only = true};
    BlockNode *node = open_good(&writer);
    expect_refusal(&writer, "in use");
    expect_refusal(&reader, "in use");
    pid_t child = fork(); /* another process */
    if (child == 0)
        _exit(block_open(&writer, NULL) == NULL ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    block_close(node);
    node = open_good(&reader);
    BlockNode *second = open_good(&reader);
    expect_refusal(&writer, "in use");
    block_close(second);
    block_close(node);
    block_close(open_good(&writer));
}
END_TEST

START_TEST(image_cut_short_in_use_is_an_error) {
    make_image("g.img", 4096);
    BlockOptions options = {.path = path_of("g.img")};
    BlockNode *node = open_good(&options);
    ck_assert_int_eq(truncate(options.path, 1000), 0);
    uint8_t sector[512];
    Error error = {0};
    ck_assert(block_read(node, 0, sector, 512, NULL));
    ck_assert(!block_read(node, 512, sector, 512, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "cut short"));
    block_close(node);
}
END_TEST

START_TEST(failing_writes_are_errors) {
    BlockOptions options = {.path = path_of("h.img")};
    make_image("h.img", 512);
    BlockNode *node = open_good(&options);
    ck_assert(!block_write(node, (uint64_t)INT64_MAX - 4, "12345678", 8, NULL));
    ck_assert(!block_write(node, UINT64_MAX - 4, "12345678", 8, NULL));
    ck_assert_uint_eq(block_length(node), 512);
    block_close(node);
}
END_TEST

int main(void) {
    if (mkdtemp(folder) == NULL)
        return 1;
    Suite *suite = suite_create("block");
    TCase *tests = tcase_create("block");
    tcase_add_test(tests, raw_reads_and_writes_bytes);
    tcase_add_test(tests, overlay_never_writes_the_image);
    tcase_add_test(tests, bad_images_are_one_clear_line);
    tcase_add_test(tests, foreign_formats_are_named);
    tcase_add_test(tests, truncated_images);
    tcase_add_test(tests, write_protected_images);
    tcase_add_test(tests, unreadable_images);
    tcase_add_test(tests, second_writer_is_refused);
    tcase_add_test(tests, image_cut_short_in_use_is_an_error);
    tcase_add_test(tests, failing_writes_are_errors);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "empty"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[32];
        snprintf(name, sizeof(name), "%s.img", names[i]);
        unlink(path_of(name));
    }
    rmdir(folder);
    return status;
}
