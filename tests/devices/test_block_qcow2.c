/* qcow2 images of QEMU's making, in all settings: read, written at random beside a model in memory,
 * and then judged by QEMU's tools. */
#include "block_image.h"
#include "qcow2_fixture.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_BYTES (3u << 20)

static uint8_t model[DISK_BYTES * 4], older[DISK_BYTES * 4];

/* Options of 'qemu-img convert'. */
static const char *const settings[] = {
    "-o compat=0.10,cluster_size=512",
    "-o compat=0.10,cluster_size=4096",
    "-o compat=0.10",
    "-o compat=0.10 -c",
    "-o cluster_size=512",
    "-o cluster_size=512,refcount_bits=64",
    "-o cluster_size=512,refcount_bits=1",
    "-o cluster_size=1024,refcount_bits=8",
    "-o cluster_size=4096,refcount_bits=2",
    "-o cluster_size=16k,refcount_bits=4",
    "-o cluster_size=64k,refcount_bits=32",
    "-o cluster_size=256k,refcount_bits=64",
    "-o cluster_size=2M",
    "-o cluster_size=2M,refcount_bits=1",
    "-o lazy_refcounts=on",
    "-o preallocation=metadata",
    "-o preallocation=falloc,cluster_size=8k",
    "-o preallocation=full,cluster_size=32k",
    "-c -o cluster_size=512",
    "-c -o cluster_size=4096,refcount_bits=16",
    "-c",
    "-c -o cluster_size=2M",
    "-S 4k -o cluster_size=128k",
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

START_TEST(image_of_setting) {
    uint64_t seed = 1000 + (uint64_t)_i;
    qcow2_fill(model, DISK_BYTES, seed);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("qemu-img convert -f raw -O qcow2 %s model disk", settings[_i]);
    for (int round = 0; round < 2; round++) {
        BlockNode *node = qcow2_open_node("disk", round == 0 ? NULL : "qcow2");
        ck_assert_str_eq(block_format(node), "qcow2");
        ck_assert_uint_eq(block_length(node), DISK_BYTES);
        qcow2_expect_contents(node, model, DISK_BYTES);
        for (int i = 0; i < 120; i++) {
            ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
            if (i % 40 == 39)
                ck_assert(block_flush(node, NULL));
        }
        qcow2_expect_contents(node, model, DISK_BYTES);
        block_close(node);
        qcow2_expect_sound("disk", false);
        qcow2_expect_converted("disk", "", model, DISK_BYTES);
    }
}
END_TEST

/* Small clusters, so that L2 tables, refcount blocks and the refcount table have to be added. */
START_TEST(empty_image_fills_up) {
    static const char *const empty[] = {
        "cluster_size=512,refcount_bits=64", "cluster_size=512,refcount_bits=1",
        "cluster_size=1k,refcount_bits=64", "cluster_size=64k", "compat=0.10"};
    uint64_t seed = 77;
    size_t size = sizeof(model);
    memset(model, 0, size);
    qcow2_run("rm -f disk; qemu-img create -f qcow2 -o %s disk %zu", empty[_i], size);
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (size_t at = 0; at < size; at += 1 << 19)
        for (int i = 0; i < 8; i++)
            ck_assert(qcow2_write_both(node, model, at + (1 << 19), &seed));
    qcow2_fill(model, size, 5);
    for (size_t at = 0; at < size; at += 1 << 16)
        ck_assert(block_write(node, at, model + at, 1 << 16, NULL));
    qcow2_expect_contents(node, model, size);
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, size);
}
END_TEST

/* What is freed is used again, after a flush. */
START_TEST(freed_clusters_are_used_again) {
    struct stat before, after;
    qcow2_fill(model, DISK_BYTES, 12);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("qemu-img convert -f raw -c -O qcow2 -o cluster_size=4k model disk");
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (size_t at = 0; at < DISK_BYTES; at += 4096) {
        ck_assert(block_write(node, at, model + at, 512, NULL));
        ck_assert(at % 65536 != 0 || block_flush(node, NULL));
    }
    stat(qcow2_path("disk"), &before);
    qcow2_expect_contents(node, model, DISK_BYTES);
    for (size_t at = 0; at < DISK_BYTES; at += 65536)
        ck_assert(block_write(node, at, model + at, 65536, NULL));
    block_close(node);
    stat(qcow2_path("disk"), &after);
    ck_assert_int_eq(before.st_size, after.st_size);
    ck_assert_int_lt(after.st_size, DISK_BYTES + DISK_BYTES / 8);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, DISK_BYTES);
}
END_TEST

START_TEST(internal_snapshots_stay) {
    static const char *const kinds[] = {"cluster_size=512", "compat=0.10",
                                        "cluster_size=4k,refcount_bits=4"};
    uint64_t seed = 31;
    qcow2_fill(model, DISK_BYTES, 8);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("qemu-img convert -f raw -O qcow2 %s -o %s model disk", _i == 1 ? "-c" : "",
              kinds[_i]);
    for (int round = 0; round < 3; round++) {
        memcpy(older, model, DISK_BYTES);
        qcow2_run("qemu-img snapshot -c point%d disk", round);
        BlockNode *node = qcow2_open_node("disk", NULL);
        for (int i = 0; i < 60; i++)
            ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
        qcow2_expect_contents(node, model, DISK_BYTES);
        block_close(node);
        qcow2_expect_sound("disk", false);
        char option[32];
        snprintf(option, sizeof(option), "-l point%d", round);
        qcow2_expect_converted("disk", "", model, DISK_BYTES);
        qcow2_expect_converted("disk", option, older, DISK_BYTES);
    }
    qcow2_run("qemu-img snapshot -d point1 disk");
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (int i = 0; i < 60; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "-l point2", older, DISK_BYTES);
}
END_TEST

/* Zeroed and discarded by QEMU: clusters of zeros, with and without a place of their own. */
START_TEST(zero_clusters) {
    uint64_t seed = 99;
    qcow2_fill(model, DISK_BYTES, 20);
    qcow2_save("model", model, DISK_BYTES);
    qcow2_run("qemu-img convert -f raw -O qcow2 model disk");
    qcow2_run("qemu-io -f qcow2 -c 'write -z 64k 700k' -c 'write -z -u 1M 300k' "
              "-c 'discard 2M 256k' disk");
    memset(model + (64 << 10), 0, 700 << 10);
    memset(model + (1 << 20), 0, 300 << 10);
    memset(model + (2 << 20), 0, 256 << 10);
    BlockNode *node = qcow2_open_node("disk", NULL);
    qcow2_expect_contents(node, model, DISK_BYTES);
    for (int i = 0; i < 100; i++)
        ck_assert(qcow2_write_both(node, model, DISK_BYTES, &seed));
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, DISK_BYTES);
}
END_TEST

/* The disk as its length changes, step by step; what a cut took never comes back. */
START_TEST(lengths) {
    static const size_t lengths[] = {2 << 20, (1 << 20) + 512, 3 << 20, 12 << 20, 5 << 20};
    static const char *const kinds[] = {"cluster_size=512,refcount_bits=64", "cluster_size=64k",
                                        "compat=0.10,cluster_size=4k"};
    uint64_t seed = 17;
    size_t size = DISK_BYTES;
    qcow2_fill(model, size, 3);
    qcow2_save("model", model, size);
    qcow2_run("qemu-img convert -f raw -O qcow2 -o %s model disk", kinds[_i]);
    BlockNode *node = qcow2_open_node("disk", NULL);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        ck_assert(block_set_length(node, lengths[i], NULL));
        size_t smaller = size < lengths[i] ? size : lengths[i];
        memset(model + smaller, 0, sizeof(model) - smaller);
        size = lengths[i];
        qcow2_expect_contents(node, model, size);
        for (int n = 0; n < 30; n++)
            ck_assert(qcow2_write_both(node, model, size, &seed));
    }
    ck_assert(block_write(node, size + 1000, "end", 3, NULL));
    memcpy(model + size + 1000, "end", 3);
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, size + 1024);
}
END_TEST

/* Images of our own making, by options of 'reprise image create'. */
static const BlockCreateValue creations[][3] = {
    {{NULL, NULL}},
    {{"compat", "0.10"}, {"cluster_size", "4K"}},
    {{"cluster_size", "512"}, {"refcount_bits", "64"}},
    {{"cluster_size", "512"}, {"refcount_bits", "1"}, {"lazy_refcounts", "on"}},
    {{"cluster_size", "2M"}, {"refcount_bits", "32"}},
    {{"cluster_size", "16K"}, {"refcount_bits", "2"}, {"compat", "v3"}},
};

START_TEST(created_images) {
    uint64_t seed = 600 + (uint64_t)_i;
    Error error = {0};
    BlockCreateRequest request = {
        .path = qcow2_path("disk"), .length = sizeof(model), .values = creations[_i]};
    while (request.value_count < 3 && creations[_i][request.value_count].name != NULL)
        request.value_count++;
    ck_assert_msg(block_create("qcow2", &request, &error), "%s", error.message);
    qcow2_expect_sound("disk", false);
    BlockNode *node = qcow2_open_node("disk", NULL);
    memset(model, 0, sizeof(model));
    for (int i = 0; i < 200; i++)
        ck_assert(qcow2_write_both(node, model, sizeof(model), &seed));
    block_close(node);
    qcow2_expect_sound("disk", false);
    qcow2_expect_converted("disk", "", model, sizeof(model));

    /* One that lies over it. */
    request.path = qcow2_path("top");
    request.backing = "disk";
    request.backing_format = "qcow2";
    ck_assert(block_create("qcow2", &request, NULL));
    node = qcow2_open_node("top", NULL);
    qcow2_expect_contents(node, model, sizeof(model));
    for (int i = 0; i < 50; i++)
        ck_assert(qcow2_write_both(node, model, sizeof(model), &seed));
    block_close(node);
    qcow2_expect_sound("top", false);
    qcow2_expect_converted("top", "", model, sizeof(model));
}
END_TEST

START_TEST(impossible_images_are_not_created) {
    static const struct {
        BlockCreateValue value;
        const char *words;
    } bad[] = {
        {{"cluster_size", "1000"}, "cluster_size"},
        {{"cluster_size", "4M"}, "cluster_size"},
        {{"refcount_bits", "3"}, "refcount_bits"},
        {{"refcount_bits", "128"}, "refcount_bits"},
        {{"compat", "2.0"}, "compat"},
        {{"lazy_refcounts", "maybe"}, "lazy_refcounts"},
        {{"cluster_size", "512"}, "cannot be made"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Error error = {0};
        BlockCreateRequest request = {.path = qcow2_path("none"),
                                      .length = 1ull << 40,
                                      .values = &bad[i].value,
                                      .value_count = 1};
        ck_assert(!block_create("qcow2", &request, &error));
        ck_assert_msg(strstr(error.message, bad[i].words) != NULL, "%s", error.message);
        ck_assert_int_ne(access(request.path, F_OK), 0);
    }
}
END_TEST

/* What the image says of itself, and where its bytes are. */
START_TEST(info_and_map) {
    BlockInfo info;
    BlockExtent extent;
    qcow2_fill(model, DISK_BYTES, 1);
    qcow2_save("base", model, DISK_BYTES);
    qcow2_run(
        "rm -f disk; qemu-img create -f qcow2 -o lazy_refcounts=on,refcount_bits=8 -b base "
        "-F raw disk 4M; qemu-img snapshot -c before disk; "
        "qemu-io -f qcow2 -c 'write 64k 128k' -c 'write -z 1M 64k' -c 'write -c 2M 64k' disk");
    BlockNode *node = qcow2_open_node("disk", NULL);
    ck_assert(block_info_get(node, &info, NULL));
    ck_assert_uint_eq(info.cluster_bytes, 65536);
    ck_assert_str_eq(info.backing, "base");
    ck_assert_str_eq(info.backing_format, "raw");
    ck_assert_uint_eq(info.snapshot_count, 1);
    ck_assert_str_eq(info.snapshots[0].name, "before");
    block_info_free(&info);

    ck_assert(block_map(node, 65536 + 512, 4 << 20, &extent, NULL));
    ck_assert(extent.data && extent.present && extent.has_offset && extent.depth == 0);
    ck_assert_uint_eq(extent.length, 131072 - 512);
    uint8_t byte = 0;
    FILE *file = fopen(extent.file_path, "rb");
    fseek(file, (long)extent.offset, SEEK_SET);
    ck_assert_uint_eq(fread(&byte, 1, 1, file), 1);
    fclose(file);
    ck_assert_uint_eq(byte, 0xCD); /* what qemu-io writes */
    ck_assert(block_map(node, 1 << 20, 4 << 20, &extent, NULL));
    ck_assert(extent.zero && extent.present && !extent.data && extent.length == 65536);
    ck_assert(block_map(node, 2 << 20, 4 << 20, &extent, NULL));
    ck_assert(extent.compressed && extent.data && !extent.has_offset && extent.length == 65536);
    ck_assert(block_map(node, 0, 512, &extent, NULL));
    ck_assert(extent.depth == 1 && extent.length == 512);
    ck_assert(block_map(node, 3 << 20, 1 << 20, &extent, NULL));
    ck_assert(!extent.present && extent.zero && extent.length == 1 << 20);
    block_close(node);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_loop_test(tests, image_of_setting, 0, SETTINGS);
    tcase_add_loop_test(tests, empty_image_fills_up, 0, 5);
    tcase_add_test(tests, freed_clusters_are_used_again);
    tcase_add_loop_test(tests, internal_snapshots_stay, 0, 3);
    tcase_add_test(tests, zero_clusters);
    tcase_add_loop_test(tests, lengths, 0, 3);
    tcase_add_loop_test(tests, created_images, 0, sizeof(creations) / sizeof(creations[0]));
    tcase_add_test(tests, impossible_images_are_not_created);
    tcase_add_test(tests, info_and_map);
}

int main(void) {
    return qcow2_fixture_run_suite("qcow2", add);
}
