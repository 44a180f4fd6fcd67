/* Hostile qcow2 images: opened, read, written, made shorter and longer.
 *
 * The fuzzer's bytes are changes to a good image with all kinds of clusters, made here, then a list
 * of things to do with it. Whatever the image says, each must end and stay within bounds. */
#include "big_endian.h"
#include "block.h"
#include "block_image.h"
#include "fuzz_input.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CLUSTER 512u
#define CHANGES_MAX 10
#define ACTIONS_MAX 12
#define COPIED (1ull << 63)
#define COMPRESSED (1ull << 62)

/* Clusters of the image. */
enum {
    HEADER,
    REFCOUNT_TABLE,
    REFCOUNT_BLOCK,
    L1,
    L2,
    SHARED_L2,
    DATA,
    ZEROED = DATA + 4,
    PACKED,
    CLUSTERS
};

static struct {
    char folder[64], path[96];
    uint8_t good[CLUSTERS * CLUSTER];
} fixture;

static uint8_t *at(unsigned cluster) {
    return fixture.good + cluster * CLUSTER;
}

static void make_header(void) {
    uint8_t *header = at(HEADER);
    store_be32(header, 0x514649FB);
    store_be32(header + 4, 3);
    store_be32(header + 20, 9);
    store_be64(header + 24, 64 * 1024);
    store_be32(header + 36, 2);
    store_be64(header + 40, L1 * CLUSTER);
    store_be64(header + 48, REFCOUNT_TABLE * CLUSTER);
    store_be32(header + 56, 1);
    store_be32(header + 96, 4);
    store_be32(header + 100, 104);
    store_be32(header + 104, 0x6803F857); /* names of features: none that is needed */
    store_be32(header + 108, 48);
}

static void make_tables(void) {
    store_be64(at(REFCOUNT_TABLE), REFCOUNT_BLOCK * CLUSTER);
    for (unsigned i = 0; i < CLUSTERS; i++)
        store_be16(at(REFCOUNT_BLOCK) + i * 2, i == SHARED_L2 ? 2 : 1);
    store_be64(at(L1), L2 * CLUSTER | COPIED);
    store_be64(at(L1) + 8, SHARED_L2 * CLUSTER);
    for (unsigned i = 0; i < 4; i++)
        store_be64(at(L2) + i * 8, (DATA + i) * CLUSTER | COPIED);
    store_be64(at(L2) + 5 * 8, 1);
    store_be64(at(L2) + 6 * 8, ZEROED * CLUSTER | COPIED | 1);
    store_be64(at(L2) + 7 * 8, PACKED * CLUSTER | COMPRESSED);
}

static void make_packed(void) {
    uint8_t plain[CLUSTER] = "a compressed cluster";
    z_stream stream = {
        .next_in = plain, .avail_in = CLUSTER, .next_out = at(PACKED), .avail_out = CLUSTER};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&stream);
}

static void set_up(void) {
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/fuzz-qcow2-XXXXXX");
    if (mkdtemp(fixture.folder) == NULL)
        abort();
    snprintf(fixture.path, sizeof(fixture.path), "%s/disk", fixture.folder);
    make_header();
    make_tables();
    make_packed();
}

void fuzz_clean_up(void) {
    unlink(fixture.path);
    rmdir(fixture.folder);
}

static void write_image(const uint8_t *image, size_t size) {
    int file = open(fixture.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, image, size) != (ssize_t)size)
        abort();
    close(file);
}

/* Offsets of the image's own clusters, numbers near to limits, and any. */
static uint64_t choose_value(FuzzInput *input) {
    static const uint64_t edges[] = {0,  1,      9,          16,         21,         22,        63,
                                     64, 0xFFFF, 0xFFFFFFFF, 1ull << 55, 1ull << 63, UINT64_MAX};
    unsigned kind = (unsigned)fuzz_number(input, 1), which = (unsigned)fuzz_number(input, 1);
    static const uint64_t flags[] = {0, COPIED,     COMPRESSED, COPIED | COMPRESSED,
                                     1, COPIED | 1, 512,        8};
    if (kind < 140)
        return which % (CLUSTERS + 3) * CLUSTER | flags[kind % 8];
    if (kind < 200)
        return edges[which % (sizeof(edges) / sizeof(edges[0]))];
    return fuzz_number(input, kind < 230 ? 2 : 8);
}

static void make_change(FuzzInput *input, uint8_t *image) {
    unsigned cluster = (unsigned)fuzz_number(input, 1) % (CLUSTERS + 4);
    unsigned place = (unsigned)fuzz_number(input, 1), size = 1u << fuzz_number(input, 1) % 4;
    uint8_t value[8];
    store_be64(value, choose_value(input) << (64 - size * 8));
    if (cluster >= CLUSTERS)
        cluster = HEADER;
    place = cluster == HEADER ? place % 112 & ~(size - 1) : place % 32 * 8;
    memcpy(image + cluster * CLUSTER + place, value, size);
}

static void act(FuzzInput *input, BlockNode *node) {
    static uint8_t data[8192];
    unsigned action = (unsigned)fuzz_number(input, 1);
    uint64_t offset = fuzz_number(input, 1) * 300 + fuzz_number(input, 1);
    size_t size = 1 + fuzz_number(input, 2) % sizeof(data);
    static const char *const names[] = {"a", "b", "1", ""};
    if (action % 8 == 0)
        block_flush(node, NULL);
    else if (action % 16 == 1)
        block_set_length(node, offset * 3, NULL);
    else if (action % 16 == 9)
        block_snapshot(node, (BlockSnapshotAction)(offset % 3), names[size % 4], NULL);
    else if (action % 16 == 3)
        block_discard(node, offset, size, NULL);
    else if (action % 16 == 11)
        block_write_zeros(node, offset, size, NULL);
    else if (action % 2 == 0 && offset + size <= block_length(node))
        block_write(node, offset, data, size, NULL);
    else
        block_read(node, offset, data, size, NULL);
}

/* Now and then it is repaired first, or its settings change. */
static void repair(FuzzInput *input) {
    unsigned kind = (unsigned)fuzz_number(input, 1);
    BlockOptions options = {.path = fixture.path, .format = "qcow2", .repair = kind % 2};
    BlockNode *node = kind < 100 ? block_open(&options, NULL) : NULL;
    if (node == NULL)
        return;
    static const BlockCreateValue changes[] = {
        {"compat", "0.10"}, {"refcount_bits", "64"}, {"refcount_bits", "1"}, {"compat", "1.1"}};
    BlockCheck check = {.repair_leaks = kind % 3 == 0, .repair_all = kind % 3 == 1};
    BlockCreateRequest request = {.values = &changes[kind / 8 % 4], .value_count = 1};
    if (kind % 2)
        block_check(node, &check, NULL);
    else if (kind % 4 == 0)
        block_amend(node, &request, NULL);
    else
        block_set_backing(node, kind % 8 == 2 ? "missing" : NULL, "raw", NULL);
    block_close(node);
}

int fuzz_one(const uint8_t *data, size_t size) {
    static uint8_t image[sizeof(fixture.good)];
    if (fixture.path[0] == '\0')
        set_up();
    FuzzInput input = {data, size, 0};
    memcpy(image, fixture.good, sizeof(image));
    for (uint64_t changes = fuzz_number(&input, 1) % CHANGES_MAX; changes > 0; changes--)
        make_change(&input, image);
    size_t length = sizeof(image);
    if (fuzz_number(&input, 1) < 30)
        length = 1 + fuzz_number(&input, 2) % length;
    write_image(image, length);
    repair(&input);
    for (int read_only = 0; read_only < 2; read_only++) {
        BlockOptions options = {.path = fixture.path, .format = "qcow2", .read_only = read_only};
        BlockNode *node = block_open(&options, NULL);
        for (uint64_t actions = fuzz_number(&input, 1) % ACTIONS_MAX; node != NULL && actions > 0;
             actions--)
            act(&input, node);
        block_close(node);
    }
    return 0;
}
