/* qcow2 images that lie over others, that are damaged or hostile, in use, or written while the
 * process is killed; and guests that try to turn a raw image into one. */
#include "big_endian.h"
#include "block_history.h"
#include "disk_format_fixture.h"
#include "qcow2_fixture.h"
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISK_BYTES (2u << 20)

static uint8_t model[2 * DISK_BYTES], base[2 * DISK_BYTES];

static void make_disk(const char *options) {
    qcow2_fill(model, DISK_BYTES, 21);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("qemu-img convert -f raw -O qcow2 %s model disk", options);
}

static void poke(const char *name, uint64_t offset, uint64_t value, unsigned size) {
    uint8_t bytes[8];
    store_be64(bytes, value << (64 - size * 8));
    int file = open(qcow2_path(name), O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, size, (off_t)offset), size);
    close(file);
}

static uint64_t peek(const char *name, uint64_t offset) {
    uint8_t bytes[8];
    int file = open(qcow2_path(name), O_RDONLY);
    ck_assert_int_eq(pread(file, bytes, 8, (off_t)offset), 8);
    close(file);
    return load_be64(bytes);
}

static void expect_refused(BlockOptions options, const char *words) {
    Error error = {0};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node == NULL, "opened in spite of '%s'", words);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_ptr_null(strchr(error.message, '\n'));
}

static void expect_bad(const char *words) {
    expect_refused((BlockOptions){.path = qcow2_path("disk"), .read_only = true}, words);
}

/* The header extension that names it becomes one that nobody knows. */
static void forget_backing_format(const char *name) {
    uint64_t at = 72;
    while (peek(name, at) >> 32 != 0xE2792ACA)
        at += 8;
    poke(name, at, 0x12345678, 4);
}

/* Three images over a raw one; each length is another one. */
START_TEST(backing_files_are_read_through) {
    static const char *const layers[] = {"below/one", "two", "disk"};
    static const size_t sizes[] = {1536 << 10, 3 << 20, 4 << 20};
    uint64_t seed = 5;
    memset(model, 0, sizeof(model));
    qcow2_fill(base, DISK_BYTES, 9);
    memcpy(model, base, DISK_BYTES);
    qcow2_run("mkdir -p below");
    qcow2_save("below/base", base, DISK_BYTES);
    qcow2_run("qemu-img create -f qcow2 -b base -F raw below/one 1536k");
    qcow2_run("qemu-img create -f qcow2 -o cluster_size=4k,compat=0.10 -b below/one -F qcow2 two "
              "3M");
    qcow2_run("qemu-img create -f qcow2 -b two -F qcow2 disk 4M");
    for (int i = 0; i < 3 && _i == 1; i++) /* without the formats: they are found out */
        forget_backing_format(layers[i]);
    memset(model + (1536 << 10), 0, sizeof(model) - (1536 << 10));
    for (int i = 0; i < 3; i++) {
        BlockNode *node = qcow2_open_node(layers[i], NULL);
        qcow2_expect_contents(node, model, sizes[i]);
        for (int n = 0; n < 40; n++)
            ck_assert(qcow2_write_both(node, model, sizes[i], &seed));
        qcow2_expect_contents(node, model, sizes[i]);
        block_close(node);
        qcow2_expect_sound(layers[i], false);
        qcow2_expect_converted(layers[i], "", model, sizes[i]);
    }
    BlockOptions raw = {.path = qcow2_path("below/base")};
    BlockNode *node = block_open(&raw, NULL);
    qcow2_expect_contents(node, base, DISK_BYTES);
    block_close(node);
}
END_TEST

/* What the backing file has beyond the old end does not show when the disk becomes longer. */
START_TEST(longer_disks_hide_the_backing_file) {
    memset(model, 0, sizeof(model));
    qcow2_fill(base, DISK_BYTES, 9);
    qcow2_save("base", base, DISK_BYTES);
    qcow2_run("qemu-img create -f qcow2 -o compat=%s -b base -F raw disk 1000k",
              _i == 0 ? "0.10" : "1.1");
    memcpy(model, base, 1000 << 10);
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert(block_set_length(node, 3 << 20, NULL));
    qcow2_expect_contents(node, model, 3 << 20);
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, 3 << 20);
}
END_TEST

/* An image over d00 is over d01, and so on: the name stands where 'disk' has it. */
static void make_long_chain(void) {
    qcow2_run("rm -f disk; qemu-img create -f qcow2 -u -b d00 -F qcow2 disk 1M");
    uint64_t name = peek("disk", 8);
    for (unsigned i = 0; i < 80; i++) {
        char link[8];
        snprintf(link, sizeof(link), "d%02u", i);
        qcow2_run("cp disk %s", link);
        poke(link, name + 1, (uint64_t)('0' + (i + 1) / 10) << 8 | (uint64_t)('0' + (i + 1) % 10),
             2);
    }
}

START_TEST(bad_chains_are_refused) {
    qcow2_run("rm -f disk two model");
    qcow2_run("qemu-img create -f qcow2 -u -b two -F qcow2 disk 1M");
    expect_bad("two: cannot be opened");
    qcow2_run("qemu-img create -f qcow2 -u -b disk -F qcow2 two 1M");
    expect_bad("lies over itself");
    qcow2_run("qemu-img create -f qcow2 -u -b ./disk -F qcow2 disk 1M");
    expect_bad("lies over itself");
    qcow2_run("qemu-img create -f qcow2 -u -b nbd://localhost/x -F raw disk 1M");
    expect_bad("is not a file");
    qcow2_run("qemu-img create -f qcow2 -u -b model -F parallels disk 1M; echo >model");
    expect_bad("'parallels'");
    make_long_chain();
    expect_bad("too many backing files");
}
END_TEST

START_TEST(features_are_respected) {
    make_disk("");
    BlockOptions options = {.path = qcow2_path("disk")};
    static const uint64_t unsound[] = {2, 3};
    for (int i = 0; i < 2; i++) {
        poke("disk", 72, unsound[i], 8);
        expect_refused(options, "image check -r all");
        BlockOptions reading = {.path = options.path, .read_only = true};
        BlockNode *node = block_open(&reading, NULL);
        qcow2_expect_contents(node, model, DISK_BYTES);
        block_close(node);
        BlockOptions forgiving = {.path = options.path, .auto_read_only = true};
        node = block_open(&forgiving, NULL);
        ck_assert(block_is_read_only(node));
        block_close(node);
        BlockOptions overlay = {.path = options.path, .snapshot = true};
        node = block_open(&overlay, NULL);
        ck_assert(block_write(node, 0, "x", 1, NULL));
        ck_assert_str_eq(block_format(node), "qcow2");
        block_close(node);
        ck_assert_uint_eq(peek("disk", 72), unsound[i]);
    }
    poke("disk", 72, 1 << 2, 8);
    expect_bad("external data file");
    poke("disk", 72, 1 << 4, 8);
    expect_bad("extended L2 entries");
    poke("disk", 72, 1ull << 40, 8);
    expect_bad("bit 40");
    poke("disk", 72, 0, 8);
    poke("disk", 32, 1, 4);
    expect_bad("encrypted");
    poke("disk", 32, 0, 4);
    poke("disk", 72, 8, 8);
    expect_bad("contradicts");
    poke("disk", 104, 2ull << 56, 8);
    expect_bad("not known (type 2)");
}
END_TEST

/* A feature that the image names itself is called by its name. */
START_TEST(unknown_features_have_names) {
    make_disk("");
    uint64_t at = 112; /* the first extension of what this QEMU makes, or the next */
    while ((peek("disk", at) >> 32) != 0x6803F857)
        at += 8;
    poke("disk", at + 8, 33, 2);
    poke("disk", at + 10, 0x776F6E6465720000, 8);
    poke("disk", 72, 1ull << 33, 8);
    expect_bad("bit 33 ('wonder");
}
END_TEST

/* Other programs keep dirty bitmaps in step with what they write; we say that they no longer are.
 */
START_TEST(bitmaps_are_disowned) {
    make_disk("");
    qcow2_run("qemu-img bitmap --add disk b0");
    ck_assert_uint_eq(peek("disk", 88), 1);
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert(block_read(node, 0, base, 512, NULL));
    ck_assert_uint_eq(peek("disk", 88), 1);
    ck_assert(block_write(node, 0, base, 512, NULL));
    ck_assert_uint_eq(peek("disk", 88), 0);
    block_close(node);
    qcow2_expect_sound("disk", true);
}
END_TEST

typedef struct Damage {
    uint64_t offset, value;
    unsigned size;
    const char *words;
} Damage;

START_TEST(damaged_headers_are_one_line) {
    static const Damage damages[] = {
        {4, 4, 4, "version 4"},
        {20, 8, 4, "clusters"},
        {20, 22, 4, "clusters"},
        {20, 0xFFFFFFFF, 4, "clusters"},
        {24, 1ull << 63, 8, "64 TB"},
        {24, 1ull << 40, 8, "too few"},
        {36, 0xFFFFFFFF, 4, "too many"},
        {36, 0x400000, 4, "past its end"},
        {36, 0, 4, "too few"},
        {40, 1ull << 60, 8, "L1 table"},
        {40, 0x30200, 8, "L1 table"},
        {40, UINT64_MAX, 8, "L1 table"},
        {56, 0x10000, 4, "refcount table"},
        {96, 7, 4, "refcounts"},
        {100, 0, 4, "header"},
        {100, 0x7FFFFFFF, 4, "header"},
        {16, 0xFFFFFFFF0000ull, 8, NULL},
    };
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        make_disk("");
        poke("disk", damages[i].offset, damages[i].value, damages[i].size);
        if (damages[i].words != NULL)
            expect_refused(
                (BlockOptions){.path = qcow2_path("disk"), .read_only = true, .format = "qcow2"},
                damages[i].words);
    }
    qcow2_run("head -c 71 disk >short; mv short disk");
    expect_bad("cut short");
    qcow2_save("disk", model, 4096);
    expect_refused((BlockOptions){.path = qcow2_path("disk"), .format = "qcow2"},
                   "not a qcow2 image");
}
END_TEST

/* Tables that point to each other, or nowhere: read as far as it goes, never written. */
START_TEST(damaged_tables_are_not_written) {
    make_disk("");
    uint64_t l1 = peek("disk", 40), refcounts = peek("disk", 48);
    uint64_t l2 = peek("disk", l1) & 0x00FFFFFFFFFFFE00;
    static const char words[] = "tables overlap";
    BlockOptions options = {.path = qcow2_path("disk")};
    Error error = {0};
    uint8_t sector[512];

    poke("disk", l1, l1 | 1ull << 63, 8);
    expect_refused(options, words);
    poke("disk", l1, l2 | 1ull << 63, 8);
    uint64_t block = peek("disk", refcounts);
    poke("disk", refcounts, l2, 8);
    expect_refused(options, words);
    poke("disk", refcounts, block + 512, 8);
    expect_refused(options, "no multiple");
    poke("disk", refcounts, 1ull << 50, 8);
    expect_refused(options, "past its end");
    poke("disk", refcounts, block, 8);
    uint64_t entry = peek("disk", l2);
    poke("disk", l2, l1 | 1ull << 63, 8); /* the first cluster of the disk is the L1 table */
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert(!block_write(node, 0, model, 512, &error));
    ck_assert_msg(strstr(error.message, "among its tables") != NULL, "%s", error.message);
    ck_assert(block_write(node, 65536, model, 512, NULL));
    block_close(node);
    poke("disk", l2, 1ull << 62 | 1ull << 40, 8); /* compressed, past the end */
    node = qcow2_open_node("disk", NULL);
    error = (Error){0};
    ck_assert(!block_read(node, 0, sector, 512, &error));
    ck_assert_msg(strstr(error.message, "past its end") != NULL, "%s", error.message);
    block_close(node);
    poke("disk", l2, 1ull << 62 | entry >> 1, 8);
    node = qcow2_open_node("disk", NULL);
    ck_assert(!block_read(node, 0, sector, 512, NULL));
    block_close(node);
}
END_TEST

/* The head of another format in the first sector, as a whole and in two pieces. */
START_TEST(guessed_raw_stays_raw) {
    static const uint8_t head[512] = {'Q', 'F', 'I', 0xFB, 0, 0, 0, 3};
    static const uint8_t packed[512] = {0x1F, 0x8B};
    uint8_t found[512];
    Error error = {0};
    memset(base, 7, DISK_BYTES);
    qcow2_save("plain", base, DISK_BYTES);
    BlockNode *node = qcow2_open_node("plain", NULL);
    ck_assert(!block_write(node, 0, head, 512, &error));
    ck_assert_msg(strstr(error.message, "look like qcow2") != NULL, "%s", error.message);
    ck_assert(block_write(node, 2, head + 2, 100, NULL));
    ck_assert(!block_write(node, 0, head, 2, NULL));
    ck_assert(!block_write(node, 0, "conectix", 8, NULL));
    ck_assert(block_write(node, 0, packed, 512, NULL)); /* tar czf /dev/fd0 */
    ck_assert(block_write(node, 512, head, 512, NULL));
    block_close(node);
    qcow2_save("plain", base, DISK_BYTES);

    BlockOptions overlay = {.path = qcow2_path("plain"), .snapshot = true};
    node = block_open(&overlay, NULL);
    ck_assert(block_write(node, 0, head, 512, NULL));
    block_close(node);

    node = qcow2_open_node("plain", "raw");
    ck_assert(block_write(node, 0, head, 512, NULL));
    ck_assert(block_read(node, 0, found, 512, NULL));
    ck_assert_mem_eq(found, head, 512);
    block_close(node);
}
END_TEST

/* Others neither write an image that we write, nor what lies below it. */
START_TEST(locks_hold) {
    make_disk("");
    qcow2_run("qemu-img create -f qcow2 -b disk -F qcow2 top");
    BlockNode *node = qcow2_open_node("top", NULL);
    ck_assert_int_ne(qcow2_try("qemu-io -f qcow2 -c 'read 0 512' top"), 0);
    ck_assert_int_ne(qcow2_try("qemu-io -f qcow2 -c 'write 0 512' disk"), 0);
    qcow2_run("qemu-io -r -f qcow2 -c 'read 0 512' disk");
    expect_refused((BlockOptions){.path = qcow2_path("top")}, "in use");
    expect_refused((BlockOptions){.path = qcow2_path("disk")}, "in use");
    block_close(node);
    qcow2_run("qemu-io -f qcow2 -c 'write 0 512' disk");
}
END_TEST

/* ---- On top: clones, checkpoints ---- */

static void *read_all(void *opaque) {
    qcow2_expect_contents(opaque, model, DISK_BYTES);
    return NULL;
}

START_TEST(threads_read_one_image) {
    make_disk("-c -o cluster_size=4k");
    BlockOptions options = {.path = qcow2_path("disk"), .snapshot = true};
    BlockNode *node = block_open(&options, NULL), *twins[4];
    pthread_t threads[4];
    ck_assert(block_write(node, 1000, "overlay", 7, NULL));
    memcpy(model + 1000, "overlay", 7);
    for (int i = 0; i < 4; i++) {
        twins[i] = block_share(node, NULL);
        ck_assert_ptr_nonnull(twins[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, read_all, twins[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        block_close(twins[i]);
    }
    block_close(node);
}
END_TEST

START_TEST(checkpoints_come_back) {
    uint64_t seed = 50;
    make_disk(_i == 0 ? "-c" : "-o cluster_size=512");
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (int i = 0; i < 20; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
    BlockPoint *point = block_point_take(node);
    memcpy(base, model, DISK_BYTES);
    for (int i = 0; i < 50; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
    BlockPoint *later = block_point_take(node);
    ck_assert(block_point_return(point, NULL));
    qcow2_expect_contents(node, base, DISK_BYTES);
    ck_assert(block_point_return(later, NULL));
    qcow2_expect_contents(node, model, DISK_BYTES);
    ck_assert(block_point_return(point, NULL));
    block_point_free(point);
    block_point_free(later);
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", base, DISK_BYTES);
}
END_TEST

/* ---- Kills ---- */

static void make_tiny_clusters(const char *path) {
    /* Nearly as long as its refcount table reaches, so that the writer makes it longer. */
    disk_format_run(false,
                    "rm -f %s && qemu-img create -q -f qcow2 -o "
                    "cluster_size=512,refcount_bits=64 %s 64M && qemu-io -f qcow2 "
                    "-c 'write -q -P 0 0 1700k' %s",
                    path, path, path);
}

static void make_snapshot(const char *path) {
    disk_format_run(false,
                    "rm -f %s && qemu-img create -q -f qcow2 -o cluster_size=4k %s 64M && "
                    "qemu-io -f qcow2 -c 'write -q -P 0 0 2M' %s && qemu-img snapshot -c a %s",
                    path, path, path, path);
}

static void make_overlay(const char *path) {
    disk_format_run(false,
                    "rm -f %s %s.base && truncate -s 32M %s.base && qemu-img create -q -f qcow2 "
                    "-b %s.base -F raw %s 64M",
                    path, path, path, path, path);
}

/* Clusters may be lost (3), and that is all. */
static void check_killed(const char *path) {
    int code = disk_format_run(true, "qemu-img check -q -f qcow2 %s", path);
    ck_assert_msg(code == 0 || code == 3, "qemu-img check says %d", code);
}

START_TEST(kills_leave_sound_images) {
    static void (*const makers[])(const char *path) = {make_tiny_clusters, make_snapshot,
                                                       make_overlay};
    disk_format_kill_writers(makers[_i], "killed.qcow2", NULL, check_killed);
}
END_TEST

static void add(TCase *tests) {
    tcase_set_timeout(tests, getenv("REPRISE_LONG") != NULL ? 900 : 200);
    tcase_add_loop_test(tests, backing_files_are_read_through, 0, 2);
    tcase_add_loop_test(tests, longer_disks_hide_the_backing_file, 0, 2);
    tcase_add_test(tests, bad_chains_are_refused);
    tcase_add_test(tests, features_are_respected);
    tcase_add_test(tests, unknown_features_have_names);
    tcase_add_test(tests, bitmaps_are_disowned);
    tcase_add_test(tests, damaged_headers_are_one_line);
    tcase_add_test(tests, damaged_tables_are_not_written);
    tcase_add_test(tests, guessed_raw_stays_raw);
    tcase_add_test(tests, locks_hold);
    tcase_add_test(tests, threads_read_one_image);
    tcase_add_loop_test(tests, checkpoints_come_back, 0, 2);
    tcase_add_loop_test(tests, kills_leave_sound_images, 0, getenv("REPRISE_LONG") ? 3 : 2);
}

int main(void) {
    disk_format_path(""); /* one folder for the forks of all tests */
    int status = qcow2_fixture_run_suite("qcow2 safety", add);
    disk_format_remove_folder();
    return status;
}
