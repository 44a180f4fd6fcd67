/* Snapshots within qcow2 images, repairs, discarded clusters and Zstandard: beside models in
 * memory, with QEMU's tools as judges and as partners. */
#include "big_endian.h"
#include "block_image.h"
#include "qcow2_fixture.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_BYTES (2u << 20)
#define MODELS 6

static uint8_t model[DISK_BYTES], kept[MODELS][DISK_BYTES];

/* QEMU finds no error in the image, and the model in it. */
static void close_and_check(BlockNode *node) {
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, DISK_BYTES);
}

static void check_writes(BlockNode *node, uint64_t *seed) {
    for (int i = 0; i < 30; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, seed));
    close_and_check(node);
}

static void make(const char *options) {
    qcow2_fill(model, DISK_BYTES, 77);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("rm -f disk; qemu-img convert -f raw -O qcow2 %s model disk", options);
}

static const char *const settings[] = {
    "",
    "-o compat=0.10,cluster_size=4k",
    "-c -o cluster_size=512,refcount_bits=64",
    "-c -o compression_type=zstd,cluster_size=16k",
    "-o cluster_size=2M,refcount_bits=8",
};
#define SETTINGS (int)(sizeof(settings) / sizeof(settings[0]))

static void expect_kept(unsigned number) {
    char option[32], name[16];
    snprintf(name, sizeof(name), "point%u", number);
    snprintf(option, sizeof(option), "-l point%u", number);
    qcow2_expect_converted("disk", option, kept[number], DISK_BYTES);
    BlockOptions options = {
        .path = qcow2_path("disk"), .snapshot = true, .internal_snapshot = name};
    Error error = {0};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    qcow2_expect_contents(node, kept[number], DISK_BYTES);
    ck_assert(block_write(node, 1000, "over it", 7, NULL));
    block_close(node);
}

static void act(BlockNode *node, BlockSnapshotAction action, unsigned number) {
    char name[16];
    Error error = {0};
    snprintf(name, sizeof(name), "point%u", number);
    ck_assert_msg(block_snapshot(node, action, name, &error), "%s", error.message);
    if (action == BLOCK_SNAPSHOT_CREATE)
        memcpy(kept[number], model, DISK_BYTES);
    else if (action == BLOCK_SNAPSHOT_APPLY)
        memcpy(model, kept[number], DISK_BYTES);
}

/* Made, applied and deleted at random between writes, by us and by qemu-img in turns. */
START_TEST(snapshots_come_back) {
    uint64_t seed = 900 + (uint64_t)_i;
    bool there[MODELS] = {false};
    make(settings[_i]);
    for (int round = 0; round < 16; round++) {
        unsigned number = qcow2_random(&seed) % MODELS;
        BlockSnapshotAction action = !there[number]                 ? BLOCK_SNAPSHOT_CREATE
                                     : qcow2_random(&seed) % 2 == 0 ? BLOCK_SNAPSHOT_APPLY
                                                                    : BLOCK_SNAPSHOT_DELETE;
        if (round % 4 == 3) {
            static const char letters[] = {'c', 'a', 'd'};
            qcow2_run("qemu-img snapshot -%c point%u disk", letters[action], number);
            if (action == BLOCK_SNAPSHOT_CREATE)
                memcpy(kept[number], model, DISK_BYTES);
            else if (action == BLOCK_SNAPSHOT_APPLY)
                memcpy(model, kept[number], DISK_BYTES);
        }
        BlockNode *node = qcow2_open_node("disk", NULL);
        if (round % 4 != 3)
            act(node, action, number);
        there[number] = action != BLOCK_SNAPSHOT_DELETE;
        qcow2_expect_contents(node, model, DISK_BYTES);
        for (int i = 0; i < 12; i++)
            ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
        block_close(node);
        qcow2_expect_sound("disk", false);
    }
    qcow2_expect_converted("disk", "", model, DISK_BYTES);
    for (unsigned i = 0; i < MODELS; i++)
        if (there[i])
            expect_kept(i);
}
END_TEST

/* The disk has the size again that it had. */
START_TEST(sizes_come_back) {
    make("-o cluster_size=4k");
    BlockNode *node = qcow2_open_node("disk", NULL);
    act(node, BLOCK_SNAPSHOT_CREATE, 0);
    ck_assert(block_set_length(node, 64 << 20, NULL));
    ck_assert(block_write(node, 63 << 20, "far", 3, NULL));
    ck_assert(block_snapshot(node, BLOCK_SNAPSHOT_CREATE, "large", NULL));
    act(node, BLOCK_SNAPSHOT_APPLY, 0);
    ck_assert_uint_eq(block_length(node), DISK_BYTES);
    qcow2_expect_contents(node, model, DISK_BYTES);
    ck_assert(block_snapshot(node, BLOCK_SNAPSHOT_APPLY, "2", NULL));
    ck_assert_uint_eq(block_length(node), 64 << 20);
    char found[4] = "";
    ck_assert(block_read(node, 63 << 20, found, 3, NULL));
    ck_assert_str_eq(found, "far");
    block_close(node);
    qcow2_expect_sound("disk", false);
}
END_TEST

static void expect_refused(BlockSnapshotAction action, const char *name, const char *words) {
    Error error = {0};
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert(!block_snapshot(node, action, name, &error));
    ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
    block_close(node);
    qcow2_expect_sound("disk", false);
}

START_TEST(impossible_snapshots_are_refused) {
    char long_name[300];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    make("-o refcount_bits=1");
    expect_refused(BLOCK_SNAPSHOT_CREATE, "a", "refcounts of 1 bits");
    expect_refused(BLOCK_SNAPSHOT_CREATE, "", "name");
    expect_refused(BLOCK_SNAPSHOT_CREATE, long_name, "name");
    expect_refused(BLOCK_SNAPSHOT_APPLY, "a", "no snapshot 'a'");
    expect_refused(BLOCK_SNAPSHOT_DELETE, "a", "no snapshot 'a'");
    BlockOptions options = {
        .path = qcow2_path("disk"), .internal_snapshot = "a", .read_only = true};
    Error error = {0};
    ck_assert_ptr_null(block_open(&options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no snapshot 'a'"));
    options.read_only = false;
    error = (Error){0};
    ck_assert_ptr_null(block_open(&options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "only read"));
    options = (BlockOptions){
        .path = qcow2_path("model"), .internal_snapshot = "a", .format = "raw", .read_only = true};
    ck_assert_ptr_null(block_open(&options, NULL));
}
END_TEST

static uint64_t peek(uint64_t offset) {
    uint8_t bytes[8];
    int file = open(qcow2_path("disk"), O_RDONLY);
    ck_assert_int_eq(pread(file, bytes, 8, (off_t)offset), 8);
    close(file);
    return load_be64(bytes);
}

static void poke(uint64_t offset, uint64_t value) {
    uint8_t bytes[8];
    store_be64(bytes, value);
    int file = open(qcow2_path("disk"), O_WRONLY);
    ck_assert_int_eq(pwrite(file, bytes, 8, (off_t)offset), 8);
    close(file);
}

enum { HEADER_REFCOUNT_TABLE = 48, HEADER_FEATURES = 72, DIRTY = 1, CORRUPT = 2 };

/* Damages the refcounts, in one of several ways. */
static void damage(int kind, uint64_t seed) {
    uint64_t table = peek(HEADER_REFCOUNT_TABLE), block = peek(table);
    poke(HEADER_FEATURES, peek(HEADER_FEATURES) | (kind % 2 == 0 ? DIRTY : CORRUPT));
    if (kind == 4)
        poke(table, 0); /* no block at all */
    else if (kind == 5)
        poke(table, peek(40) & ~511ull); /* the L1 table is taken for a block */
    else if (kind == 6)
        poke(table + 8, 1ull << 60); /* far behind the end */
    for (int i = 0; i < 12 && kind < 4; i++)
        poke(block + qcow2_random(&seed) % 60 * 8,
             kind < 2 ? 0 : qcow2_random(&seed) & 0x0101010101010101);
}

START_TEST(damaged_refcounts_are_repaired) {
    static const char *const kinds[] = {"-o cluster_size=512", "-o cluster_size=4k,refcount_bits=8",
                                        "-c -o cluster_size=1k,refcount_bits=64"};
    uint64_t seed = 5;
    make(kinds[_i / 7]);
    if (_i % 7 < 4)
        qcow2_run("qemu-img snapshot -c before disk");
    damage(_i % 7, 100 + (uint64_t)_i);
    BlockOptions options = {.path = qcow2_path("disk"), .repair = true};
    Error error = {0};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    ck_assert(!block_write(node, 0, "no", 2, NULL));
    BlockCheck check = {.repair_all = true};
    ck_assert_msg(block_check(node, &check, &error), "%s", error.message);
    ck_assert_uint_eq(check.corruptions + check.leaks + check.check_errors, 0);
    ck_assert_uint_gt(check.corruptions_fixed + check.leaks_fixed, 0);
    block_close(node);
    ck_assert_uint_eq(peek(HEADER_FEATURES) & (DIRTY | CORRUPT), 0);
    qcow2_expect_sound("disk", false);
    node = qcow2_open_node("disk", NULL);
    qcow2_expect_contents(node, model, DISK_BYTES);
    check_writes(node, &seed);
}
END_TEST

/* QEMU is killed while refcounts are still to be written: whoever writes next counts first. */
START_TEST(dirty_images_are_repaired_when_opened) {
    uint64_t seed = 6;
    qcow2_run("rm -f disk; qemu-img create -q -f qcow2 -o lazy_refcounts=on disk 2M");
    qcow2_try("qemu-io -f qcow2 -c 'write -P 5 64k 300k' -c flush -c 'sigraise 9' disk");
    ck_assert_uint_eq(peek(HEADER_FEATURES) & DIRTY, DIRTY);
    ck_assert_int_ne(qcow2_try("qemu-img check -f qcow2 disk"), 0);
    memset(model, 0, DISK_BYTES);
    memset(model + 65536, 5, 300 << 10);
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert_uint_eq(peek(HEADER_FEATURES) & DIRTY, 0);
    check_writes(node, &seed);
}
END_TEST

START_TEST(leaks_alone_are_repaired) {
    make("-o cluster_size=4k");
    uint64_t block = peek(peek(HEADER_REFCOUNT_TABLE));
    poke(block + 2000 * 2, 0x0001000100010001); /* four clusters that nobody has */
    poke(block + 8, peek(block + 8) & ~0xFFFFull);
    BlockOptions options = {.path = qcow2_path("disk"), .repair = true};
    BlockNode *node = block_open(&options, NULL);
    BlockCheck check = {.repair_leaks = true};
    qcow2_run("truncate -s 16M disk");
    block_close(node);
    node = block_open(&options, NULL);
    ck_assert(block_check(node, &check, NULL));
    ck_assert_uint_eq(check.leaks, 0);
    ck_assert_uint_eq(check.leaks_fixed, 4);
    ck_assert_uint_gt(check.corruptions, 0);
    block_close(node);
    ck_assert_int_eq(qcow2_try("qemu-img check -f qcow2 disk"), 2);
}
END_TEST

static uint64_t room(void) {
    struct stat status;
    ck_assert_int_eq(stat(qcow2_path("disk"), &status), 0);
    return (uint64_t)status.st_blocks * 512;
}

/* What is discarded is unchanged or zeros, and gives its room back; zeros are zeros. */
START_TEST(discarded_clusters) {
    uint64_t seed = 50 + (uint64_t)_i;
    static uint8_t found[DISK_BYTES];
    make(settings[_i % SETTINGS]);
    if (_i >= SETTINGS) { /* over a backing file */
        qcow2_run("rm -f disk; qemu-img create -q -f qcow2 -o %s -b model -F raw disk",
                  _i % 2 == 0 ? "cluster_size=4k" : "compat=0.10,cluster_size=4k");
    }
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (int i = 0; i < 60; i++) {
        uint64_t at = qcow2_random(&seed) % DISK_BYTES, size = qcow2_random(&seed) % 300000;
        size = size < DISK_BYTES - at ? size : DISK_BYTES - at;
        if (i % 3 == 0) {
            ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
        } else if (i % 3 == 1) {
            ck_assert(block_write_zeros(node, at, size, NULL));
            memset(model + at, 0, size);
        } else {
            ck_assert(block_discard(node, at, size, NULL));
            ck_assert(block_read(node, 0, found, DISK_BYTES, NULL));
            for (uint64_t j = at; j < at + size; j++)
                if (found[j] == 0)
                    model[j] = 0;
        }
        ck_assert(i % 8 != 0 || block_flush(node, NULL));
        qcow2_expect_contents(node, model, DISK_BYTES);
    }
    ck_assert(!block_discard(node, DISK_BYTES - 512, 513, NULL));
    close_and_check(node);
    node = qcow2_open_node("disk", NULL);
    uint64_t before = room();
    ck_assert(block_write_zeros(node, 0, DISK_BYTES, NULL));
    block_close(node);
    memset(model, 0, DISK_BYTES);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, DISK_BYTES);
    if (_i < SETTINGS)
        ck_assert_uint_le(room(), before);
}
END_TEST

START_TEST(zstd_clusters) {
    static const char *const sizes[] = {"512", "64K", "2M"};
    uint64_t seed = 3;
    make("");
    BlockCreateValue values[] = {{"compression_type", "zstd"}, {"cluster_size", sizes[_i]}};
    BlockCreateRequest request = {
        .path = qcow2_path("disk"), .length = DISK_BYTES, .values = values, .value_count = 2};
    ck_assert(block_create("qcow2", &request, NULL));
    BlockNode *node = qcow2_open_node("disk", NULL);
    BlockInfo info;
    ck_assert(block_info_get(node, &info, NULL));
    size_t cluster = info.cluster_bytes;
    block_info_free(&info);
    for (size_t at = 0; at < DISK_BYTES; at += cluster)
        ck_assert(block_write_compressed(node, at, model + at, cluster, NULL));
    qcow2_expect_contents(node, model, DISK_BYTES);
    close_and_check(node);
    node = qcow2_open_node("disk", NULL);
    for (int i = 0; i < 40; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
    close_and_check(node);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_loop_test(tests, snapshots_come_back, 0, SETTINGS);
    tcase_add_test(tests, sizes_come_back);
    tcase_add_test(tests, impossible_snapshots_are_refused);
    tcase_add_loop_test(tests, damaged_refcounts_are_repaired, 0, 21);
    tcase_add_test(tests, dirty_images_are_repaired_when_opened);
    tcase_add_test(tests, leaks_alone_are_repaired);
    tcase_add_loop_test(tests, discarded_clusters, 0, SETTINGS + 2);
    tcase_add_loop_test(tests, zstd_clusters, 0, 3);
}

int main(void) {
    return qcow2_fixture_run_suite("qcow2 snapshots and repairs", add);
}
