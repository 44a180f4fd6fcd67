/* Hostile VDI, VHD, VMDK, VHDX, Bochs and other images: opened, asked about, read, written.
 *
 * The fuzzer's bytes choose a good image that was made here, change it where formats have their
 * numbers, and say what to do with it. Sums are right again after it, mostly, so that what lies
 * behind them is reached. Whatever the image says, all must end and stay within bounds. */
#include "block.h"
#include "block_image.h"
#include "crc32c.h"
#include "fuzz_input.h"
#include "little_endian.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u
#define MEGABYTE (1u << 20)
#define CHANGES_MAX 8
#define ACTIONS_MAX 10
#define DISK_BYTES (3u * MEGABYTE)

typedef struct Seed {
    const char *format, *name, *option, *value;
    uint8_t *bytes;
    size_t size;
} Seed;

enum { VHDX = 8, SEEDS = 12 };
static Seed seeds[SEEDS] = {
    {.format = "vdi", .name = "a.vdi"},
    {.format = "vdi", .name = "b.vdi", .option = "static", .value = "on"},
    {.format = "vpc", .name = "a.vhd", .option = "subformat", .value = "dynamic"},
    {.format = "vpc", .name = "b.vhd", .option = "subformat", .value = "fixed"},
    {.format = "vmdk", .name = "a.vmdk", .option = "subformat", .value = "monolithicSparse"},
    {.format = "vmdk", .name = "b.vmdk", .option = "subformat", .value = "streamOptimized"},
    {.format = "vmdk", .name = "c.vmdk", .option = "subformat", .value = "twoGbMaxExtentSparse"},
    {.format = "vmdk", .name = "d.vmdk", .option = "subformat", .value = "monolithicFlat"},
    {.format = "vhdx", .name = "a.vhdx"},
    {.format = "bochs", .name = "a.img"},
    {.format = "hdi", .name = "a.hdi"},
    {.format = "hdx", .name = "a.hdx"},
};

static char folder[64];

static const char *path_of(const char *name) {
    static char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* ---- Good images ---- */

enum { LOG = MEGABYTE, METADATA = 2 * MEGABYTE, TABLE = 3 * MEGABYTE, DATA = 4 * MEGABYTE };

static void put_guid(uint8_t *at, const char *hex) {
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        at[i] = (uint8_t)byte;
    }
}

static void sum(uint8_t *at, size_t size) {
    store_le32(at + 4, 0);
    store_le32(at + 4, crc32c_add(0, at, size));
}

static void sum_vhdx(uint8_t *image) {
    for (unsigned i = 0; i < 2; i++) {
        sum(image + (1 + i) * 65536, 4096);
        sum(image + (3 + i) * 65536, 65536);
    }
    uint32_t length = load_le32(image + LOG + 8);
    if (length >= 8 && length <= MEGABYTE)
        sum(image + LOG, length);
}

static void put_item(uint8_t *table, unsigned index, const char *guid, uint64_t value,
                     uint32_t size) {
    uint8_t *entry = table + 32 + index * 32;
    put_guid(entry, guid);
    store_le32(entry + 16, 65536 + index * 16);
    store_le32(entry + 20, size);
    store_le32(entry + 24, 4);
    store_le64(table + 65536 + index * 16, value);
}

/* Two entries of the table of blocks are only in the log. */
static void make_vhdx(Seed *seed) {
    seed->size = 6 * MEGABYTE;
    uint8_t *image = seed->bytes = calloc(1, seed->size);
    memcpy(image, "vhdxfile", 8);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *header = image + (1 + i) * 65536, *regions = image + (3 + i) * 65536;
        memcpy(header, "head", 4);
        store_le64(header + 8, 1 + i);
        memset(header + 48, 7, 16);
        store_le16(header + 66, 1);
        store_le32(header + 68, MEGABYTE);
        store_le64(header + 72, LOG);
        memcpy(regions, "regi", 4);
        store_le32(regions + 8, 2);
        put_guid(regions + 16, "6677C22D23F600429D64115E9BFD4A08");
        store_le64(regions + 32, TABLE);
        store_le32(regions + 40, MEGABYTE);
        put_guid(regions + 48, "06A27C8B90479A4BB8FE575F050F886E");
        store_le64(regions + 64, METADATA);
        store_le32(regions + 72, MEGABYTE);
    }
    uint8_t *metadata = image + METADATA;
    memcpy(metadata, "metadata", 8);
    store_le16(metadata + 10, 4);
    put_item(metadata, 0, "3767A1CA36FA434DB3B633F0AA44E76B", MEGABYTE, 8);
    put_item(metadata, 1, "2442A52F1BCD7648B2115DBED83BF4B8", DISK_BYTES, 8);
    put_item(metadata, 2, "1DBF41816FA90947BA47F233A8FAAB5F", 512, 4);
    put_item(metadata, 3, "C748A3CD5D4471449CC9E9885251C556", 512, 4);
    uint8_t *entry = image + LOG;
    memcpy(entry, "loge", 4);
    store_le32(entry + 8, 2 * PAGE);
    store_le64(entry + 16, 1);
    store_le32(entry + 24, 2);
    memset(entry + 32, 7, 16);
    store_le64(entry + 56, seed->size);
    memcpy(entry + 64, "desc", 4);
    store_le64(entry + 64 + 8, DATA | 6);
    store_le64(entry + 64 + 16, TABLE);
    store_le64(entry + 64 + 24, 1);
    memcpy(entry + 96, "zero", 4);
    store_le64(entry + 96 + 8, PAGE);
    store_le64(entry + 96 + 16, DATA + 8 * PAGE);
    store_le64(entry + 96 + 24, 1);
    memcpy(entry + PAGE, "data", 4);
    store_le64(entry + PAGE + 16, (DATA + MEGABYTE) | 6);
    store_le32(entry + 2 * PAGE - 4, 1);
    memset(image + DATA, 0x55, 2 * MEGABYTE);
    sum_vhdx(image);
}

static void make_bochs(Seed *seed) {
    seed->size = 512 + 64 * 4 + 3 * (512 + 65536);
    uint8_t *image = seed->bytes = calloc(1, seed->size);
    memcpy(image, "Bochs Virtual HD Image", 22);
    memcpy(image + 32, "Redolog", 7);
    memcpy(image + 48, "Growing", 7);
    store_le32(image + 64, 0x20000);
    store_le32(image + 68, 512);
    store_le32(image + 72, 64);
    store_le32(image + 76, 16);
    store_le32(image + 80, 65536);
    store_le64(image + 88, 64 * 65536);
    memset(image + 512, 0xFF, 64 * 4);
    for (unsigned i = 0; i < 3; i++) {
        store_le32(image + 512 + i * 8, 2 - i);
        memset(image + 768 + i * 66048, 0xA5, 16);
    }
}

/* By our own tools, with a few blocks in it. */
static void make_created(Seed *seed) {
    BlockCreateValue value = {seed->option, seed->value};
    BlockCreateRequest request = {.path = path_of(seed->name),
                                  .length = DISK_BYTES,
                                  .values = &value,
                                  .value_count = seed->option != NULL};
    static uint8_t data[65536];
    memset(data, 0xAB, sizeof(data));
    if (!block_create(seed->format, &request, NULL))
        abort();
    BlockOptions options = {
        .path = path_of(seed->name), .format = seed->format, .any_content = true};
    BlockNode *node = block_open(&options, NULL);
    if (node == NULL || !block_write(node, 0, data, sizeof(data), NULL) ||
        !block_write(node, 2 * MEGABYTE, data, sizeof(data), NULL))
        abort();
    block_close(node);
    struct stat status;
    int file = open(path_of(seed->name), O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0)
        abort();
    seed->size = (size_t)status.st_size;
    seed->bytes = malloc(seed->size);
    if (read(file, seed->bytes, seed->size) != (ssize_t)seed->size)
        abort();
    close(file);
}

static void set_up(void) {
    snprintf(folder, sizeof(folder), "/tmp/fuzz-disk-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
    for (int i = 0; i < SEEDS; i++) {
        if (i == VHDX)
            make_vhdx(&seeds[i]);
        else if (i == VHDX + 1)
            make_bochs(&seeds[i]);
        else
            make_created(&seeds[i]);
    }
}

void fuzz_clean_up(void) {
    static const char *const parts[] = {"c-s001.vmdk", "d-flat.vmdk"};
    for (int i = 0; i < SEEDS; i++) {
        unlink(path_of(seeds[i].name));
        free(seeds[i].bytes);
    }
    for (int i = 0; i < 2; i++)
        unlink(path_of(parts[i]));
    rmdir(folder);
}

/* ---- Bad ones ---- */

/* Pages that are zeros stay holes. */
static void write_image(const char *path, const uint8_t *image, size_t size) {
    static const uint8_t zeros[PAGE];
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        abort();
    for (size_t at = 0; at < size; at += PAGE) {
        size_t part = size - at < PAGE ? size - at : PAGE;
        if (memcmp(image + at, zeros, part) != 0 &&
            pwrite(file, image + at, part, (off_t)at) != (ssize_t)part)
            abort();
    }
    close(file);
}

/* Where the formats have numbers: at the start, at the end, and where tables are. */
static size_t choose_place(FuzzInput *input, size_t size) {
    static const size_t bases[] = {0,
                                   0,
                                   0,
                                   512,
                                   1024,
                                   2048,
                                   65536,
                                   192 * 1024,
                                   LOG,
                                   METADATA,
                                   METADATA + 65536,
                                   TABLE,
                                   21 * 512,
                                   26 * 512};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    size_t place = (size_t)fuzz_number(input, kind % 4 == 0 ? 2 : 1);
    if (kind % 16 == 15)
        return size > place ? size - 1 - place : 0;
    place += bases[kind / 16 % (sizeof(bases) / sizeof(bases[0]))];
    return size > 0 ? place % size : 0;
}

static void make_change(FuzzInput *input, uint8_t *image, size_t size, bool text) {
    static const uint64_t edges[] = {
        0,     1,     2,        3,          6,          7,          127,        512,       4096,
        65535, 65536, 1u << 20, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 1ull << 40, UINT64_MAX};
    static const char words[] = "0189 \n\"=-/.RWDOFLATSPZE\\\0";
    size_t place = choose_place(input, size), bytes = (size_t)1 << fuzz_number(input, 1) % 4;
    unsigned kind = (unsigned)fuzz_number(input, 1);
    uint64_t value = kind < 160 ? edges[kind % (sizeof(edges) / sizeof(edges[0]))]
                                : fuzz_number(input, kind < 220 ? 2 : 8);
    for (size_t i = 0; i < bytes && place + i < size; i++)
        image[place + i] = text ? (uint8_t)words[(value >> i * 5 & 31) % (sizeof(words) - 1)]
                                : (uint8_t)(value >> i * 8);
}

static void act(FuzzInput *input, BlockNode *node) {
    static uint8_t data[200000];
    unsigned action = (unsigned)fuzz_number(input, 1);
    uint64_t offset = fuzz_number(input, 2) * 512 + fuzz_number(input, 1);
    size_t size = 1 + fuzz_number(input, 2) * (action % 3 == 0 ? 3 : 1);
    BlockExtent extent;
    if (action % 8 == 0)
        block_flush(node, NULL);
    else if (action % 8 == 1)
        block_map(node, offset, size, &extent, NULL);
    else if (action % 8 == 2)
        block_discard(node, offset, size, NULL);
    else if (action % 8 == 3)
        block_write_zeros(node, offset, size, NULL);
    else if (action % 2 == 0)
        block_write(node, offset, data, size, NULL);
    else
        block_read(node, offset, data, size, NULL);
}

static void use(FuzzInput *input, const BlockOptions *options) {
    BlockNode *node = block_open(options, NULL);
    if (node == NULL)
        return;
    BlockCheck check = {0};
    BlockInfo *info = malloc(sizeof(*info));
    if (block_info_get(node, info, NULL))
        block_info_free(info);
    free(info);
    if (block_can_check(node))
        block_check(node, &check, NULL);
    for (uint64_t actions = fuzz_number(input, 1) % ACTIONS_MAX; actions > 0; actions--)
        act(input, node);
    block_close(node);
}

int fuzz_one(const uint8_t *data, size_t size) {
    if (folder[0] == '\0')
        set_up();
    FuzzInput input = {data, size, 0};
    int which = (int)(fuzz_number(&input, 1) % SEEDS);
    const Seed *seed = &seeds[which];
    uint8_t *image = malloc(seed->size);
    memcpy(image, seed->bytes, seed->size);
    bool text = memcmp(image, "# Disk", 6) == 0;
    for (uint64_t changes = fuzz_number(&input, 1) % CHANGES_MAX; changes > 0; changes--)
        make_change(&input, image, seed->size, text);
    if (which == VHDX && fuzz_number(&input, 1) % 8 != 0)
        sum_vhdx(image);
    size_t length = seed->size;
    if (fuzz_number(&input, 1) < 20)
        length = 1 + fuzz_number(&input, 3) % length;
    write_image(path_of(seed->name), image, length);
    free(image);
    char path[160];
    snprintf(path, sizeof(path), "%s", path_of(seed->name));
    for (int read_only = 1; read_only >= 0; read_only--) {
        BlockOptions options = {.path = path,
                                .format = fuzz_number(&input, 1) % 4 == 0 ? NULL : seed->format,
                                .read_only = read_only,
                                .any_content = fuzz_number(&input, 1) % 2};
        use(&input, &options);
    }
    return 0;
}
