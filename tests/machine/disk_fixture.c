#define _GNU_SOURCE
#include "disk_fixture.h"
#include "snapshot_of_machine.h"
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/reprise-disks-XXXXXX";

void disk_fixture_start(void) {
    if (mkdtemp(folder) == NULL)
        exit(1);
}

void disk_fixture_clear(void) {
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    rmdir(folder);
}

const char *disk_fixture_path(const char *name) {
    static char paths[16][128];
    static int next;
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (int i = 0; i < next; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    ck_assert_int_lt(next, 16);
    return strcpy(paths[next++], path);
}

void disk_fixture_make_image(const char *name, size_t size, unsigned salt) {
    unlink(disk_fixture_path(name));
    FILE *file = fopen(disk_fixture_path(name), "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++)
        fputc((int)(((i * 13 >> 3) + salt) & 0xFF), file);
    fclose(file);
}

static void make_once(const char *name, size_t size, unsigned salt) {
    if (access(disk_fixture_path(name), F_OK) != 0)
        disk_fixture_make_image(name, size, salt);
}

void disk_fixture_config(MachineConfig *config, bool snapshot) {
    make_once("disk.img", DISK_BYTES, 1);
    make_once("a.img", FLOPPY_BYTES, 2);
    make_once("b.img", FLOPPY_BYTES, 3);
    make_once("cd.img", 40960, 4);
    make_once("cd2.img", 61440, 5);
    machine_config_init(config);
    config->ram_bytes = 2 << 20;
    config->icount = true;
    config->icount_shift = 3;
    config->translator.backend = BACKEND_PORTABLE;
    for (int i = 0; i < MACHINE_FLOPPIES; i++)
        config->floppy[i] =
            (DriveConfig){.present = true, .format = "raw", .snapshot = snapshot, .boot_index = -1};
    config->floppy[0].file = disk_fixture_path("a.img");
    config->ide[0] = (DriveConfig){.present = true,
                                   .file = disk_fixture_path("disk.img"),
                                   .format = "raw",
                                   .snapshot = snapshot,
                                   .boot_index = -1};
    config->ide[2] = (DriveConfig){.present = true,
                                   .is_cd = true,
                                   .file = disk_fixture_path("cd.img"),
                                   .format = "raw",
                                   .boot_index = -1};
}

Machine *disk_fixture_machine(const MachineConfig *config) {
    Error error = {0};
    Machine *machine = machine_create(config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

static BoardDrive *find(Machine *machine, const char *id) {
    BoardDrive *drive = board_find_drive(&machine->board, id);
    ck_assert_ptr_nonnull(drive);
    return drive;
}

bool disk_fixture_change(Machine *machine, const char *id, const char *name) {
    BoardDrive *drive = find(machine, id);
    BlockOptions options = {.path = disk_fixture_path(name),
                            .format = "raw",
                            .node_name = id,
                            .read_only = drive->read_only,
                            .snapshot = drive->snapshot,
                            .auto_read_only = true};
    return board_change_medium(&machine->board, drive, &options, true, NULL);
}

void disk_fixture_eject(Machine *machine, const char *id) {
    ck_assert(board_eject(&machine->board, find(machine, id), true, NULL));
}

void disk_fixture_save(Machine *machine, const char *name) {
    Error error = {0};
    ck_assert_msg(machine_save_snapshot(machine, name, &error), "%s", error.message);
}

void disk_fixture_load(Machine *machine, const char *name) {
    Error error = {0};
    ck_assert_msg(machine_load_snapshot(machine, name, &error), "%s", error.message);
}

BlockNode *disk_fixture_medium(Machine *machine, const char *id) {
    return find(machine, id)->medium;
}

uint64_t disk_fixture_hash(Machine *machine, const char *id) {
    BlockNode *medium = disk_fixture_medium(machine, id);
    if (medium == NULL)
        return 0;
    uint64_t length = block_length(medium), hash = length;
    uint8_t *bytes = calloc(1, length + 8);
    ck_assert(block_read(medium, 0, bytes, length, NULL));
    for (uint64_t i = 0; i < length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
        hash ^= hash >> 29;
    }
    free(bytes);
    return hash;
}

uint64_t disk_fixture_hash_all(Machine *machine) {
    uint64_t hash = 0;
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        if (machine->board.drive[i].present)
            hash = hash * 0x100000001B3ull + disk_fixture_hash(machine, machine->board.drive[i].id);
    return hash;
}

uint64_t disk_fixture_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

void disk_fixture_write(Machine *machine, const char *id, uint64_t *seed) {
    BlockNode *medium = disk_fixture_medium(machine, id);
    if (medium == NULL || block_is_read_only(medium))
        return;
    uint8_t data[16384];
    size_t size = 512 * (1 + disk_fixture_random(seed) % 32);
    uint64_t sectors = block_length(medium) / 512;
    uint64_t sector = disk_fixture_random(seed) % (sectors - size / 512);
    for (size_t i = 0; i < size; i += 512)
        memset(data + i, (int)disk_fixture_random(seed), 512);
    ck_assert(block_write(medium, sector * 512, data, size, NULL));
}
