/* Hostile FAT volumes: listed, read and written to.
 *
 * The fuzzer's bytes are a list of changes to a good image of each kind, then a list of things to
 * do with it. Whatever the image says, each must end, stay within the image, and read no more than
 * the image holds. */
#include "fat_file.h"
#include "fat_format.h"
#include "fat_table.h"
#include "fuzz_input.h"
#include "little_endian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX 12
#define ACTIONS_MAX 6
#define FILES_TOLD_MAX 64

enum { FLOPPY, DISK, FAT16, FAT32, IMAGES };

static const FatFormat formats[IMAGES] = {
    [FLOPPY] = {.bytes = 160 * 1024},
    [DISK] = {.bytes = 2 << 20},
    [FAT16] = {.bytes = 3 << 20, .bits = 16, .whole = true},
    [FAT32] = {.bytes = 36 << 20, .bits = 32, .whole = true},
};

static const char *const paths[] = {
    "FILE",
    "sub",
    "sub/a longer name.text",
    "SUB/DEEPER",
    "sub/deeper/new file with a name",
    "sub/sub/sub/x",
    "",
    "new.txt",
    "large",
    "sub/deeper/..",
    "sub/FILE~1",
    "\\large\\x",
};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

static struct { char folder[64], image[IMAGES][96]; } fixture;

static void die(const char *what, const Error *error) {
    fprintf(stderr, "fuzz_fat: %s: %s\n", what, error->message);
    abort();
}

static void fill(FatVolume *volume) {
    Error error = {.set = false};
    static uint8_t contents[30000];
    if (!fat_file_write(volume, "FILE", "0123456789", 10, &error) ||
        !fat_file_write(volume, "large", contents, sizeof(contents), &error) ||
        !fat_file_make_folder(volume, "sub", &error) ||
        !fat_file_make_folder(volume, "sub/deeper", &error) ||
        !fat_file_write(volume, "sub/a longer name.text", contents, 3000, &error))
        die("filling", &error);
}

static void set_up(void) {
    Error error = {.set = false};
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/fuzz-fat-XXXXXX");
    if (mkdtemp(fixture.folder) == NULL)
        abort();
    for (int i = 0; i < IMAGES; i++) {
        FatVolume volume;
        snprintf(fixture.image[i], sizeof(fixture.image[i]), "%s/%d", fixture.folder, i);
        if (!fat_format_create(fixture.image[i], &formats[i], &error))
            die("format", &error);
        BlockNode *node =
            block_open(&(BlockOptions){.path = fixture.image[i], .format = "raw"}, &error);
        if (node == NULL || !fat_volume_open(&volume, node, 0, &error))
            die("open", &error);
        fill(&volume);
        block_close(node);
    }
}

void fuzz_clean_up(void) {
    for (int i = 0; i < IMAGES; i++)
        unlink(fixture.image[i]);
    rmdir(fixture.folder);
}

/* Where a change hits: the table of partitions, the boot sector, the table, the root folder, other
 * folders and files, anything near the start. */
static uint64_t choose_place(FuzzInput *input, const FatVolume *volume) {
    uint64_t within = fuzz_number(input, 1);
    switch (fuzz_number(input, 1) % 6) {
    case 0:
        return volume->start == 0 ? within % 64 : 446 + within % 66;
    case 1:
        return volume->start + within % 64;
    case 2:
        return volume->start + volume->fat_start + within;
    case 3:
        return volume->start + (volume->bits == 32 ? volume->data_start : volume->root_start) +
               within * 2;
    case 4:
        return volume->start + volume->data_start + within * 128 + fuzz_number(input, 1) % 128;
    default:
        return volume->start + fuzz_number(input, 2);
    }
}

/* Numbers that are near to limits, small ones, and any. */
static uint32_t choose_value(FuzzInput *input) {
    static const uint32_t edges[] = {0,      1,      2,          3,          0xFF7,     0xFF8,
                                     0xFFFF, 0xFFF7, 0xFFFFFFFF, 0x0FFFFFF7, 0x80000000};
    uint32_t kind = (uint32_t)fuzz_number(input, 1);
    if (kind < 100)
        return edges[kind % (sizeof(edges) / sizeof(edges[0]))];
    return (uint32_t)fuzz_number(input, kind < 200 ? 1 : 4);
}

static void make_change(FuzzInput *input, BlockNode *node, const FatVolume *volume) {
    static const unsigned sizes[] = {1, 2, 2, 4};
    uint8_t bytes[4];
    uint64_t place = choose_place(input, volume);
    unsigned size = sizes[fuzz_number(input, 1) % 4];
    store_le32(bytes, choose_value(input));
    if (place + size <= block_length(node))
        block_write(node, place, bytes, size, NULL);
}

typedef struct Told {
    char path[FILES_TOLD_MAX][FAT_NAME_TEXT_BYTES];
    unsigned count;
} Told;

static void note_file(void *opaque, const FatEntry *entry) {
    Told *told = opaque;
    if (told->count < FILES_TOLD_MAX)
        snprintf(told->path[told->count++], FAT_NAME_TEXT_BYTES, "%s", entry->name);
}

static void read_file(FatVolume *volume, const char *path) {
    ByteBuffer contents = {.data = NULL};
    fat_file_read(volume, path, &contents, NULL);
    if (contents.size > block_length(volume->node))
        abort();
    byte_buffer_free(&contents);
}

static void read_everything(FatVolume *volume) {
    static Told told;
    told.count = 0;
    fat_file_list(volume, "", note_file, &told, NULL);
    fat_file_list(volume, "sub", note_file, &told, NULL);
    fat_file_list(volume, "sub/deeper", note_file, &told, NULL);
    for (unsigned i = 0; i < told.count; i++)
        read_file(volume, told.path[i]);
    for (size_t i = 0; i < PATHS; i++)
        read_file(volume, paths[i]);
}

static void act(FuzzInput *input, BlockNode *node) {
    static uint8_t contents[40000];
    FatVolume volume;
    uint32_t free_clusters;
    unsigned action = (unsigned)fuzz_number(input, 1);
    const char *path = paths[fuzz_number(input, 1) % PATHS];
    if (!fat_volume_open(&volume, node, action >> 4 == 15 ? 1 : 0, NULL))
        return;
    switch (action % 4) {
    case 0:
        fat_file_write(&volume, path, contents, (size_t)fuzz_number(input, 2) % sizeof(contents),
                       NULL);
        break;
    case 1:
        fat_file_delete(&volume, path, NULL);
        break;
    case 2:
        fat_file_make_folder(&volume, path, NULL);
        break;
    default:
        fat_table_count_free(&volume, &free_clusters, NULL);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size) {
    static bool is_set_up;
    if (!is_set_up)
        set_up();
    is_set_up = true;
    FuzzInput input = {data, size, 0};
    FatVolume volume;
    Error error = {.set = false};
    const char *path = fixture.image[fuzz_number(&input, 1) % IMAGES];
    BlockNode *node =
        block_open(&(BlockOptions){.path = path, .format = "raw", .snapshot = true}, &error);
    if (node == NULL || !fat_volume_open(&volume, node, 0, &error))
        die("good image", &error);
    uint64_t length = block_length(node);
    for (uint64_t changes = fuzz_number(&input, 1) % CHANGES_MAX + 1; changes > 0; changes--)
        make_change(&input, node, &volume);
    if (fat_volume_open(&volume, node, 0, NULL))
        read_everything(&volume);
    for (uint64_t actions = fuzz_number(&input, 1) % ACTIONS_MAX; actions > 0; actions--)
        act(&input, node);
    if (block_length(node) != length)
        abort();
    block_close(node);
    return 0;
}
