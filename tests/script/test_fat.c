/* FAT volumes: what is written is read back, by dosfstools and mtools too; damaged ones are told.
 */
#include "fat_file.h"
#include "fat_format.h"
#include "fat_table.h"
#include "suite_run.h"
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], image[128];

/* The linker leads writes of the FAT code here (--wrap): so many succeed, then all fail, as if the
 * program had been killed there. */
static int writes_left = INT_MAX;

bool __real_fat_volume_write(FatVolume *volume, uint64_t offset, const void *data, size_t size,
                             Error *error);
bool __wrap_fat_volume_write(FatVolume *volume, uint64_t offset, const void *data, size_t size,
                             Error *error);

bool __wrap_fat_volume_write(FatVolume *volume, uint64_t offset, const void *data, size_t size,
                             Error *error) {
    if (writes_left <= 0)
        return error_set(error, "killed");
    writes_left--;
    return __real_fat_volume_write(volume, offset, data, size, error);
}

static void set_up(void) {
    snprintf(folder, sizeof(folder), "/tmp/test-fat-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(image, sizeof(image), "%s/image", folder);
}

static void tear_down(void) {
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static BlockNode *open_node(void) {
    Error error = {.set = false};
    BlockNode *node = block_open(&(BlockOptions){.path = image, .format = "raw"}, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static void open_volume(FatVolume *volume, BlockNode *node) {
    Error error = {.set = false};
    ck_assert_msg(fat_volume_open(volume, node, 0, &error), "%s", error.message);
}

static void make_image(uint64_t bytes, unsigned bits, bool whole) {
    Error error = {.set = false};
    FatFormat format = {.bytes = bytes, .bits = bits, .whole = whole, .label = "Test"};
    ck_assert_msg(fat_format_create(image, &format, &error), "%s", error.message);
}

static bool is_installed(const char *program) {
    char command[128];
    snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
    return system(command) == 0;
}

/* What dosfstools thinks of the volume that begins at 'start'. */
static void check_volume(uint64_t start) {
    char command[512];
    if (!is_installed("/usr/sbin/fsck.fat"))
        return;
    snprintf(command, sizeof(command),
             "tail -c +%llu %s > %s/volume && /usr/sbin/fsck.fat -n %s/volume > %s/report 2>&1",
             (unsigned long long)start + 1, image, folder, folder, folder);
    if (system(command) == 0)
        return;
    snprintf(command, sizeof(command), "cat %s/report", folder);
    ck_abort_msg("fsck.fat complains: %d", system(command));
}

/* What mtools read of a file in the volume that begins at 'start'. */
static void check_by_mtools(uint64_t start, const char *path, const uint8_t *data, size_t size) {
    char command[1024], copy[128];
    if (!is_installed("mcopy"))
        return;
    snprintf(copy, sizeof(copy), "%s/copy", folder);
    snprintf(command, sizeof(command), "mcopy -n -o -i %s@@%llu '::%s' %s", image,
             (unsigned long long)start, path, copy);
    ck_assert_msg(system(command) == 0, "%s", command);
    uint8_t *read = malloc(size + 1);
    FILE *file = fopen(copy, "rb");
    ck_assert_uint_eq(fread(read, 1, size + 1, file), size);
    ck_assert(memcmp(read, data, size) == 0);
    fclose(file);
    free(read);
}

/* --- a volume against a list of what should be on it -------------------------------------------
 */

#define FILES 24
#define ROUNDS 300

typedef struct Model {
    char path[FILES][300];
    uint8_t *data[FILES];
    size_t size[FILES];
    uint32_t random;
} Model;

static uint32_t next_random(Model *model, uint32_t below) {
    model->random = model->random * 1664525 + 1013904223;
    return (model->random >> 8) % below;
}

/* Short names, long ones, those that differ behind the sixth character alone, other scripts; in the
 * root and in two folders. */
static void name_files(Model *model) {
    static const char *const folders[] = {"", "SUB/", "SUB/deeper folder/"};
    for (unsigned i = 0; i < FILES; i++) {
        const char *place = folders[i % 3];
        switch (i % 4) {
        case 0:
            snprintf(model->path[i], sizeof(model->path[i]), "%sFILE%u.TXT", place, i);
            break;
        case 1:
            snprintf(model->path[i], sizeof(model->path[i]), "%slower%u.c", place, i);
            break;
        case 2:
            snprintf(model->path[i], sizeof(model->path[i]), "%sA long name + number %u.html",
                     place, i);
            break;
        default:
            snprintf(model->path[i], sizeof(model->path[i]),
                     "%sprefixed name \u00e4\u20ac\U0001F600 %u %0120u", place, i, i);
            break;
        }
    }
}

static void write_one(Model *model, FatVolume *volume, unsigned i, size_t largest) {
    Error error = {.set = false};
    size_t size = next_random(model, 4) == 0 ? 0 : next_random(model, (uint32_t)largest);
    uint8_t *data = malloc(size + 1);
    for (size_t byte = 0; byte < size; byte++)
        data[byte] = (uint8_t)next_random(model, 256);
    ck_assert_msg(fat_file_write(volume, model->path[i], data, size, &error), "%s", error.message);
    free(model->data[i]);
    model->data[i] = data;
    model->size[i] = size;
}

static void delete_one(Model *model, FatVolume *volume, unsigned i) {
    Error error = {.set = false};
    bool was_there = model->data[i] != NULL;
    ck_assert_msg(fat_file_delete(volume, model->path[i], &error) == was_there, "%s",
                  error.message);
    free(model->data[i]);
    model->data[i] = NULL;
}

static void check_one(const Model *model, FatVolume *volume, unsigned i, uint64_t start) {
    Error error = {.set = false};
    ByteBuffer contents = {.data = NULL};
    bool there = model->data[i] != NULL;
    ck_assert_msg(fat_file_read(volume, model->path[i], &contents, &error) == there, "%s",
                  error.message);
    if (there) {
        ck_assert_uint_eq(contents.size, model->size[i]);
        ck_assert(contents.size == 0 || memcmp(contents.data, model->data[i], contents.size) == 0);
        if (i % 4 != 3)
            check_by_mtools(start, model->path[i], model->data[i], model->size[i]);
    }
    byte_buffer_free(&contents);
}

static void exercise(uint64_t bytes, unsigned bits, bool whole, unsigned bits_expected) {
    Error error = {.set = false};
    Model model = {.random = (uint32_t)bytes + bits};
    FatVolume volume;
    make_image(bytes, bits, whole);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert_uint_eq(volume.bits, bits_expected);
    size_t largest = (size_t)volume.clusters * volume.cluster_bytes / FILES * 2;
    if (largest > 50000)
        largest = 50000;
    uint32_t free_before, free_after;
    ck_assert(fat_table_count_free(&volume, &free_before, &error));
    name_files(&model);
    ck_assert(fat_file_make_folder(&volume, "sub", &error) || !error.set);
    ck_assert(fat_file_make_folder(&volume, "\\SUB\\Deeper Folder", &error));
    for (int round = 0; round < ROUNDS; round++) {
        unsigned i = next_random(&model, FILES);
        open_volume(&volume, node);
        if (next_random(&model, 3) == 0)
            delete_one(&model, &volume, i);
        else
            write_one(&model, &volume, i, largest / 2);
    }
    for (unsigned i = 0; i < FILES; i++)
        check_one(&model, &volume, i, volume.start);
    check_volume(volume.start);
    for (unsigned i = 0; i < FILES; i++)
        if (model.data[i] != NULL)
            delete_one(&model, &volume, i);
    ck_assert(!fat_file_delete(&volume, "sub", &error));
    error.set = false;
    ck_assert_msg(fat_file_delete(&volume, "sub/DEEPER~1", &error), "%s", error.message);
    ck_assert(fat_file_delete(&volume, "/sub", &error));
    ck_assert(fat_table_count_free(&volume, &free_after, &error));
    /* FAT32's root folder has grown and stays so. */
    uint32_t root = 1;
    ck_assert(volume.bits != 32 ||
              fat_chain_length(&volume, fat_root_folder(&volume), &root, &error));
    ck_assert_uint_eq(free_before, free_after + root - 1);
    check_volume(volume.start);
    block_close(node);
}

static const struct {
    uint64_t bytes;
    unsigned bits;
    bool whole;
    unsigned expected;
} volumes[] = {
    {320 * 1024, 0, false, 12},  {720 * 1024, 0, false, 12},  {1200 * 1024, 0, false, 12},
    {1440 * 1024, 0, false, 12}, {2880 * 1024, 0, false, 12}, {8 << 20, 0, false, 12},
    {32 << 20, 0, false, 16},    {3 << 20, 16, true, 16},     {40 << 20, 32, false, 32},
    {100 << 20, 0, true, 16},
};

START_TEST(files_come_back) {
    exercise(volumes[_i].bytes, volumes[_i].bits, volumes[_i].whole, volumes[_i].expected);
}
END_TEST

/* Many entries: the folder grows, short names must differ. */
START_TEST(a_folder_grows_and_the_root_does_not) {
    Error error = {.set = false};
    FatVolume volume;
    char path[64];
    make_image(1440 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_make_folder(&volume, "many", &error));
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof(path), "many/a name of some length %d", i);
        ck_assert_msg(fat_file_write(&volume, path, path, strlen(path), &error), "%s",
                      error.message);
    }
    check_volume(0);
    int written = 0;
    for (; written < 300; written++) {
        snprintf(path, sizeof(path), "FILE%d", written);
        if (!fat_file_write(&volume, path, "", 0, &error))
            break;
    }
    ck_assert_int_eq(written, 224 - 2); /* the label, and the folder */
    ck_assert_ptr_nonnull(strstr(error.message, "room for 224 entries"));
    check_volume(0);
    block_close(node);
}
END_TEST

static void count_entry(void *opaque, const FatEntry *entry) {
    unsigned *count = opaque;
    ck_assert_str_ne(entry->name, "");
    ++*count;
}

START_TEST(a_folder_is_listed) {
    Error error = {.set = false};
    FatVolume volume;
    FatEntry entry;
    unsigned count = 0;
    make_image(720 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_make_folder(&volume, "Folder", &error));
    ck_assert(fat_file_write(&volume, "FOLDER\\read.me", "12345", 5, &error));
    ck_assert(fat_file_write(&volume, "FOLDER\\Read me too", "", 0, &error));
    ck_assert(fat_file_list(&volume, "", count_entry, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert(fat_file_list(&volume, "/folder/", count_entry, &count, &error));
    ck_assert_uint_eq(count, 3);
    ck_assert(fat_file_find(&volume, "folder/READ.ME", &entry, &error));
    ck_assert_uint_eq(entry.size, 5);
    ck_assert_str_eq(entry.name, "read.me");
    ck_assert(fat_file_find(&volume, "folder/read me too", &entry, &error));
    ck_assert_str_eq(entry.short_name, "README~1");
    block_close(node);
}
END_TEST

static const struct {
    const char *path, *message;
} bad_paths[] = {
    {"", "ends neither"},
    {"a:b", "3Ah"},
    {"nothing/file", "no folder 'nothing'"},
    {"folder", "is a folder"},
    {"name.", "neither in a dot"},
    {"a*b", "2Ah"},
    {"file/file", "is no folder"},
};

START_TEST(paths_that_cannot_be) {
    Error error = {.set = false};
    FatVolume volume;
    make_image(720 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_make_folder(&volume, "folder", &error));
    ck_assert(fat_file_write(&volume, "file", "x", 1, &error));
    ck_assert(!fat_file_write(&volume, bad_paths[_i].path, "x", 1, &error));
    ck_assert_msg(strstr(error.message, bad_paths[_i].message) != NULL, "%s", error.message);
    check_volume(0);
    block_close(node);
}
END_TEST

START_TEST(a_full_volume_is_told_and_stays_whole) {
    Error error = {.set = false};
    FatVolume volume;
    size_t size = 700 * 1024;
    char *data = malloc(size);
    memset(data, 'x', size);
    make_image(720 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_write(&volume, "BIG", data, size, &error));
    ck_assert(!fat_file_write(&volume, "SECOND", data, size, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "716800 bytes are needed"));
    check_volume(0);
    /* There is no room for both: the old contents go first. */
    error.set = false;
    memset(data, 'y', size);
    ck_assert_msg(fat_file_write(&volume, "BIG", data, size, &error), "%s", error.message);
    check_by_mtools(0, "BIG", (const uint8_t *)data, size);
    check_volume(0);
    block_close(node);
    free(data);
}
END_TEST

/* --- other people's volumes --------------------------------------------------------------------
 */

START_TEST(mtools_names_are_understood) {
    char command[1024];
    Error error = {.set = false};
    FatVolume volume;
    ByteBuffer contents = {.data = NULL};
    if (!is_installed("mformat") || !is_installed("mcopy"))
        return;
    snprintf(command, sizeof(command),
             "printf 0123456789 > '%s/A long file name.text' && mformat -C -f 1440 -i %s :: && "
             "mmd -i %s ::/dir && mcopy -i %s '%s/A long file name.text' ::/dir",
             folder, image, image, image, folder);
    ck_assert_int_eq(system(command), 0);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert_msg(fat_file_read(&volume, "dir/a LONG file name.text", &contents, &error), "%s",
                  error.message);
    ck_assert_uint_eq(contents.size, 10);
    ck_assert(fat_file_read(&volume, "dir/ALONGF~1.TEX", &contents, &error));
    ck_assert(memcmp(contents.data, "01234567890123456789", 20) == 0);
    ck_assert(fat_file_delete(&volume, "dir/ALONGF~1.TEX", &error));
    ck_assert(fat_file_delete(&volume, "dir", &error));
    check_volume(0);
    byte_buffer_free(&contents);
    block_close(node);
}
END_TEST

/* mkfs.fat makes larger sectors and a single copy of the table, too. */
START_TEST(volumes_of_dosfstools_are_understood) {
    static const char *const options[] = {"-F 12", "-F 16 -S 1024 -s 2", "-F 16 -f 1 -s 4",
                                          "-F 32 -s 1", "-F 32 -s 1 -f 1"};
    char command[512];
    Error error = {.set = false};
    FatVolume volume;
    ByteBuffer contents = {.data = NULL};
    if (!is_installed("/usr/sbin/mkfs.fat"))
        return;
    snprintf(command, sizeof(command), "/usr/sbin/mkfs.fat -C %s %s %d > /dev/null 2>&1",
             options[_i], image, _i == 0 ? 4096 : 40960);
    ck_assert_int_eq(system(command), 0);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_make_folder(&volume, "folder", &error));
    ck_assert_msg(fat_file_write(&volume, "folder/file", command, sizeof(command), &error), "%s",
                  error.message);
    ck_assert(fat_file_read(&volume, "folder/file", &contents, &error));
    ck_assert(memcmp(contents.data, command, sizeof(command)) == 0);
    check_volume(0);
    byte_buffer_free(&contents);
    block_close(node);
}
END_TEST

/* --- partitions --------------------------------------------------------------------------------
 */

/* Three volumes: a primary partition, and two logical ones in an extended one. */
static void make_partitions(BlockNode *node) {
    static const struct {
        uint32_t table, first, start, next;
    } tables[] = {{0, 1, 64, 20000}, {20000, 0, 64, 20000}, {40000, 0, 64, 0}};
    uint8_t *volume = malloc(4 << 20);
    make_image(4 << 20, 12, true);
    FILE *file = fopen(image, "rb");
    ck_assert_uint_eq(fread(volume, 1, 4 << 20, file), 4 << 20);
    fclose(file);
    for (int i = 0; i < 3; i++) {
        uint8_t sector[512] = {0};
        uint8_t *entry = sector + 446;
        entry[4] = 0x01;
        store_le32(entry + 8, tables[i].start);
        store_le32(entry + 12, (4 << 20) / 512);
        if (tables[i].next != 0)
            entry[16 + 4] = 0x05;
        store_le32(entry + 16 + 8, i == 0 ? 20000 : 20000 * (uint32_t)i);
        sector[510] = 0x55;
        sector[511] = 0xAA;
        ck_assert(block_write(node, tables[i].table * 512ull, sector, 512, NULL));
        ck_assert(block_write(node, (tables[i].table + 64) * 512ull, volume, 4 << 20, NULL));
    }
    free(volume);
}

static BlockNode *open_disk(const char *path) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), 64 << 20), 0);
    fclose(file);
    return block_open(&(BlockOptions){.path = path, .format = "raw"}, NULL);
}

START_TEST(partitions_are_found) {
    static const unsigned numbers[] = {1, 5, 6};
    char path[128], contents[2] = "0";
    snprintf(path, sizeof(path), "%s/disk", folder);
    BlockNode *disk = open_disk(path);
    Error error = {.set = false};
    FatVolume volume;
    make_partitions(disk);
    for (int i = 0; i < 3; i++) {
        contents[0] = (char)('0' + numbers[i]);
        ck_assert_msg(fat_volume_open(&volume, disk, numbers[i], &error), "%s", error.message);
        ck_assert(fat_file_write(&volume, "WHICH", contents, 1, &error));
    }
    for (int i = 0; i < 3; i++) {
        ByteBuffer read = {.data = NULL};
        ck_assert(fat_volume_open(&volume, disk, i == 0 ? 0 : numbers[i], &error));
        ck_assert(fat_file_read(&volume, "WHICH", &read, &error));
        ck_assert_int_eq(read.data[0], '0' + (int)numbers[i]);
        byte_buffer_free(&read);
    }
    ck_assert(!fat_volume_open(&volume, disk, 2, &error) || volume.start == 0);
    error.set = false;
    ck_assert(!fat_volume_open(&volume, disk, 7, &error));
    ck_assert_str_eq(error.message, "there is no partition 7");
    block_close(disk);
}
END_TEST

START_TEST(a_circle_of_partitions_ends) {
    char path[128];
    snprintf(path, sizeof(path), "%s/disk", folder);
    BlockNode *disk = open_disk(path);
    FatVolume volume;
    Error error = {.set = false};
    uint8_t sector[512] = {0};
    sector[510] = 0x55;
    sector[511] = 0xAA;
    sector[446 + 4] = 0x05;
    store_le32(sector + 446 + 8, 100);
    ck_assert(block_write(disk, 0, sector, 512, NULL));
    sector[446 + 4] = 0x83;
    sector[462 + 4] = 0x05;
    store_le32(sector + 462 + 8, 100);
    ck_assert(block_write(disk, 100 * 512, sector, 512, NULL));
    ck_assert(block_write(disk, 200 * 512, sector, 512, NULL));
    ck_assert(!fat_volume_open(&volume, disk, 0, &error));
    ck_assert_str_eq(error.message, "there is no FAT volume");
    block_close(disk);
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------
 */

typedef struct Damage {
    uint32_t cluster, next; /* what the table says then */
    const char *message;
} Damage;

static const Damage damages[] = {
    {3, 2, "is a circle"},
    {3, 3, "is a circle"},
    {3, 0, "breaks off at cluster 3"},
    {3, 0xFF0, "breaks off at cluster 3"},
    {3, FAT_BAD, "breaks off at cluster 3"},
    {3, FAT_END, "ends 28952 bytes too early"},
};

/* A file of clusters 2 to 31 on a floppy, whose chain is damaged then. */
START_TEST(damaged_chains_are_told) {
    const Damage *damage = &damages[_i];
    Error error = {.set = false};
    FatVolume volume;
    ByteBuffer contents = {.data = NULL};
    uint8_t data[31000] = {0};
    make_image(720 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert_uint_eq(volume.cluster_bytes, 1024);
    ck_assert(fat_file_write(&volume, "FILE", data, sizeof(data), &error));
    ck_assert(fat_table_set(&volume, damage->cluster, damage->next, &error));
    ck_assert(fat_table_flush(&volume, &error));
    ck_assert(!fat_file_read(&volume, "FILE", &contents, &error));
    ck_assert_msg(strstr(error.message, damage->message) != NULL, "%s", error.message);
    if (damage->next != FAT_END) {
        ck_assert(!fat_file_delete(&volume, "FILE", &error));
        ck_assert(!fat_file_write(&volume, "FILE", data, 1, &error));
        FatEntry entry;
        ck_assert(fat_file_find(&volume, "FILE", &entry, &error));
    }
    byte_buffer_free(&contents);
    block_close(node);
}
END_TEST

/* A folder whose entry leads back to itself: as deep as a path goes. */
START_TEST(a_folder_within_itself_ends) {
    Error error = {.set = false};
    FatVolume volume;
    FatFolder root;
    FatEntry entry;
    char path[2048] = "";
    make_image(720 * 1024, 0, false);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert(fat_file_make_folder(&volume, "A", &error));
    ck_assert(fat_file_make_folder(&volume, "A/A", &error));
    ck_assert(fat_folder_read(&root, &volume, 2, &error));
    ck_assert(fat_folder_find(&root, "A", 1, &entry));
    ck_assert(fat_folder_update(&root, &entry, 2, 0, &error));
    fat_folder_free(&root);
    for (int i = 0; i < 200; i++)
        strcat(path, "A/");
    ck_assert(fat_file_find(&volume, path, &entry, &error));
    for (int i = 0; i < 200; i++)
        strcat(path, "A/");
    ck_assert(!fat_file_find(&volume, path, &entry, &error));
    block_close(node);
}
END_TEST

START_TEST(a_short_image_is_not_written_beyond) {
    Error error = {.set = false};
    FatVolume volume;
    uint8_t data[2048] = {0};
    make_image(720 * 1024, 0, false);
    ck_assert_int_eq(truncate(image, 20 * 1024), 0);
    BlockNode *node = open_node();
    open_volume(&volume, node);
    ck_assert_uint_eq(volume.clusters, 13);
    ck_assert(fat_file_write(&volume, "FILE", data, sizeof(data), &error));
    ck_assert(!fat_file_write(&volume, "LARGER", data, 20 * 1024, &error));
    ck_assert_uint_eq(block_length(node), 20 * 1024);
    block_close(node);
}
END_TEST

/* --- ends in the middle ------------------------------------------------------------------------
 */

#define OLD_BYTES 5000
#define NEW_BYTES 9000

typedef enum Change { REPLACE, CREATE, DELETE, MAKE_FOLDER, CHANGES } Change;

static bool make_change(FatVolume *volume, Change change, const uint8_t *data) {
    switch (change) {
    case REPLACE:
        return fat_file_write(volume, "folder/changed", data, NEW_BYTES, NULL);
    case CREATE:
        return fat_file_write(volume, "folder/a new file with a long name", data, NEW_BYTES, NULL);
    case DELETE:
        return fat_file_delete(volume, "folder/changed", NULL);
    default:
        return fat_file_make_folder(volume, "folder/another", NULL);
    }
}

static bool has_contents(FatVolume *volume, const char *path, uint8_t value, size_t size) {
    ByteBuffer contents = {.data = NULL};
    bool good = fat_file_read(volume, path, &contents, NULL) && contents.size == size;
    for (size_t i = 0; good && i < size; i++)
        good = contents.data[i] == value;
    byte_buffer_free(&contents);
    return good;
}

/* What another writer does next must not meet anything that is left over. */
static void check_whole(FatVolume *volume, Change change, bool done) {
    FatEntry entry;
    bool is_old = has_contents(volume, "folder/changed", 'o', OLD_BYTES);
    bool is_new = has_contents(volume, "folder/changed", 'n', NEW_BYTES);
    bool is_there = fat_file_find(volume, "folder/changed", &entry, NULL);
    ck_assert(has_contents(volume, "other", 'x', OLD_BYTES));
    ck_assert(change == REPLACE  ? is_new || (is_old && !done)
              : change == DELETE ? !is_there || (is_old && !done)
                                 : is_old);
    if (fat_file_find(volume, "folder/a new file with a long name", &entry, NULL))
        ck_assert(has_contents(volume, "folder/a new file with a long name", 'n', NEW_BYTES));
    uint8_t *more = malloc(NEW_BYTES);
    memset(more, 'm', NEW_BYTES);
    ck_assert(fat_file_write(volume, "more", more, NEW_BYTES, NULL));
    ck_assert(has_contents(volume, "other", 'x', OLD_BYTES));
    ck_assert(has_contents(volume, "folder/changed", 'o', OLD_BYTES) == is_old);
    free(more);
}

START_TEST(a_change_that_ends_in_the_middle_harms_nothing) {
    Change change = (Change)(_i % CHANGES);
    static uint8_t old[OLD_BYTES], other[OLD_BYTES], new[NEW_BYTES];
    memset(old, 'o', sizeof(old));
    memset(other, 'x', sizeof(other));
    memset(new, 'n', sizeof(new));
    bool done = false;
    int writes = 0;
    for (; !done; writes++) {
        FatVolume volume;
        make_image(_i < CHANGES ? 360 * 1024 : 36 << 20, _i < CHANGES ? 0 : 32, true);
        BlockNode *node = open_node();
        open_volume(&volume, node);
        ck_assert(fat_file_make_folder(&volume, "folder", NULL));
        ck_assert(fat_file_write(&volume, "folder/changed", old, OLD_BYTES, NULL));
        ck_assert(fat_file_write(&volume, "other", other, OLD_BYTES, NULL));
        writes_left = writes;
        done = make_change(&volume, change, new);
        writes_left = INT_MAX;
        open_volume(&volume, node);
        check_whole(&volume, change, done);
        block_close(node);
        ck_assert_int_lt(writes, 100);
    }
    ck_assert_int_gt(writes, 3); /* it did fail */
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void) {
    Suite *suite = suite_create("fat");
    TCase *tests = tcase_create("fat");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, files_come_back, 0, COUNT(volumes));
    tcase_add_test(tests, a_folder_grows_and_the_root_does_not);
    tcase_add_test(tests, a_folder_is_listed);
    tcase_add_loop_test(tests, paths_that_cannot_be, 0, COUNT(bad_paths));
    tcase_add_test(tests, a_full_volume_is_told_and_stays_whole);
    tcase_add_test(tests, mtools_names_are_understood);
    tcase_add_loop_test(tests, volumes_of_dosfstools_are_understood, 0, 5);
    tcase_add_test(tests, partitions_are_found);
    tcase_add_test(tests, a_circle_of_partitions_ends);
    tcase_add_loop_test(tests, damaged_chains_are_told, 0, COUNT(damages));
    tcase_add_test(tests, a_folder_within_itself_ends);
    tcase_add_test(tests, a_short_image_is_not_written_beyond);
    tcase_add_loop_test(tests, a_change_that_ends_in_the_middle_harms_nothing, 0, 2 * CHANGES);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
