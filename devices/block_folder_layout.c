/* How large the disk is, and where on it everything lies. */
#include "allocate.h"
#include "block_folder.h"
#include <stdlib.h>

/* A disk of 504 MB is the largest that every BIOS and DOS takes as it is. */
#define CYLINDER_SECTORS (16u * 63u)
#define SECTORS_504_MB (1024u * CYLINDER_SECTORS)
#define TRACK_SECTORS 63u

typedef struct VolumeKind {
    uint32_t sectors;
    uint8_t fat_bits, cluster_sectors;
    uint16_t reserved, root_slots;
    bool floppy;
    uint8_t heads, track_sectors, media;
} VolumeKind;

/* The first one that the contents leave a quarter free of is taken, or the last. Clusters grow so
 * that their numbers fit: below 4085 for FAT12, below 65525 for FAT16, not below for FAT32. */
// clang-format off
static const VolumeKind kinds[] = {
    {2880,                  12,  1,  1, 224, true,   2, 18, 0xF0},
    {5760,                  12,  2,  1, 240, true,   2, 36, 0xF0},
    {64 * CYLINDER_SECTORS, 12, 16,  1, 512, false, 16, 63, 0xF8},
    {256 * CYLINDER_SECTORS,12, 64,  1, 512, false, 16, 63, 0xF8},
    {SECTORS_504_MB,        16, 16,  1, 512, false, 16, 63, 0xF8},
    {2 * SECTORS_504_MB,    16, 32,  1, 512, false, 255, 63, 0xF8},
    {4 * SECTORS_504_MB,    16, 64,  1, 512, false, 255, 63, 0xF8},
    {SECTORS_504_MB,        32,  8, 32,   0, false, 16, 63, 0xF8},
    {8 * SECTORS_504_MB,    32,  8, 32,   0, false, 255, 63, 0xF8},
    {16 * SECTORS_504_MB,   32,  8, 32,   0, false, 255, 63, 0xF8},
    {32 * SECTORS_504_MB,   32, 16, 32,   0, false, 255, 63, 0xF8},
    {64 * SECTORS_504_MB,   32, 32, 32,   0, false, 255, 63, 0xF8},
    {256 * SECTORS_504_MB,  32, 64, 32,   0, false, 255, 63, 0xF8},
    {1024 * SECTORS_504_MB, 32, 64, 32,   0, false, 255, 63, 0xF8},
    {4096 * SECTORS_504_MB, 32, 64, 32,   0, false, 255, 63, 0xF8},
};
// clang-format on

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* Without a wish: FAT16, and FAT32 where FAT16 is too small. */
static bool is_wanted(const VolumeKind *kind, const FolderSpec *spec) {
    if (kind->floppy != spec->floppy)
        return false;
    if (spec->fat_bits != 0 || spec->floppy)
        return spec->fat_bits == 0 || kind->fat_bits == spec->fat_bits;
    return kind->fat_bits == 16 || (kind->fat_bits == 32 && kind->sectors > 4 * SECTORS_504_MB);
}

static uint32_t slots_in(const Folder *folder, uint32_t parent) {
    const FolderEntry *entry = &folder->entries[parent];
    uint32_t slots = parent == 0 ? 1 : 2; /* the label, or . and .. */
    for (uint32_t i = 0; i < entry->child_count; i++) {
        const FolderEntry *child = &folder->entries[entry->first_child + i];
        slots += child->gone ? 0 : folder_slot_count(child);
    }
    return slots;
}

/* A root with fixed room gets half of it for what the guest adds. */
static uint32_t find_root_slots(const Folder *folder, const VolumeKind *kind) {
    uint32_t needed = slots_in(folder, 0);
    if (kind->root_slots == 0 || kind->floppy || needed <= kind->root_slots / 2)
        return kind->root_slots;
    uint32_t slots = (needed + needed / 2 + 511) / 512 * 512;
    return slots < 65024 ? slots : 65024;
}

static void set_geometry(Folder *folder, const VolumeKind *kind) {
    FolderGeometry *geometry = &folder->geometry;
    *geometry = (FolderGeometry){
        .fat_bits = kind->fat_bits,
        .sectors = kind->sectors,
        .start = kind->floppy ? 0 : TRACK_SECTORS,
        .cluster_sectors = kind->cluster_sectors,
        .reserved = kind->reserved,
        .root_slots = find_root_slots(folder, kind),
        .heads = kind->heads,
        .track_sectors = kind->track_sectors,
        .media = kind->media,
    };
    uint32_t root_sectors = geometry->root_slots * FOLDER_SLOT_BYTES / FOLDER_SECTOR;
    uint32_t left = kind->sectors - geometry->start - kind->reserved - root_sectors;
    /* A table for as many clusters as there would be without tables is never too small. */
    uint64_t table_bits = ((uint64_t)left / kind->cluster_sectors + 2) * kind->fat_bits;
    geometry->fat_sectors = (uint32_t)((table_bits + FOLDER_SECTOR * 8 - 1) / (FOLDER_SECTOR * 8));
    geometry->clusters = (left - 2 * geometry->fat_sectors) / kind->cluster_sectors;
    geometry->fat_start = geometry->start + kind->reserved;
    geometry->root_start = geometry->fat_start + 2 * geometry->fat_sectors;
    geometry->data_start = geometry->root_start + root_sectors;
}

static uint64_t clusters_for(const Folder *folder, uint32_t index) {
    const FolderEntry *entry = &folder->entries[index];
    uint64_t cluster_bytes = folder->geometry.cluster_sectors * FOLDER_SECTOR;
    if (index == 0 && folder->geometry.root_slots > 0)
        return 0;
    uint64_t bytes =
        entry->is_folder ? (uint64_t)slots_in(folder, index) * FOLDER_SLOT_BYTES : entry->bytes;
    return (bytes + cluster_bytes - 1) / cluster_bytes;
}

static uint64_t all_clusters(const Folder *folder) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < folder->count; i++)
        sum += clusters_for(folder, i);
    return sum;
}

static bool choose_kind(Folder *folder, Error *error) {
    const VolumeKind *last = NULL;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!is_wanted(&kinds[i], &folder->spec))
            continue;
        last = &kinds[i];
        set_geometry(folder, last);
        if (all_clusters(folder) <= folder->geometry.clusters / 4 * 3)
            return true;
    }
    return last != NULL || error_set(error, "floppies have FAT12");
}

/* Leaves out what the root or the disk has no room for. A folder goes with all that is in it. */
static void leave_out_rest(Folder *folder) {
    uint64_t left = folder->geometry.clusters;
    uint32_t root_slots = 1;
    for (uint32_t i = 0; i < folder->count; i++) {
        FolderEntry *entry = &folder->entries[i];
        const FolderEntry *parent = &folder->entries[entry->parent];
        uint64_t needed = clusters_for(folder, i);
        bool in_root = i != 0 && entry->parent == 0 && folder->geometry.root_slots > 0;
        if (in_root)
            root_slots += folder_slot_count(entry);
        if (needed > left || parent->gone ||
            (in_root && root_slots > folder->geometry.root_slots)) {
            if (in_root)
                root_slots -= folder_slot_count(entry);
            folder_leave_out(folder, entry->parent, entry->name, "no room on the disk");
            entry->gone = true;
            continue;
        }
        left -= needed;
    }
}

bool folder_layout(Folder *folder, Error *error) {
    if (!choose_kind(folder, error))
        return false;
    leave_out_rest(folder);
    folder->runs = allocate_zeroed(folder->count * sizeof(*folder->runs));
    uint32_t next = 2;
    for (uint32_t i = 0; i < folder->count; i++) {
        FolderEntry *entry = &folder->entries[i];
        entry->cluster_count = entry->gone ? 0 : (uint32_t)clusters_for(folder, i);
        entry->first_cluster = entry->cluster_count > 0 ? next : 0;
        next += entry->cluster_count;
        if (entry->cluster_count > 0)
            folder->runs[folder->run_count++] = i;
    }
    return folder_make_directories(folder) || error_set(error, "no memory for its directories");
}

uint32_t folder_run_at(const Folder *folder, uint32_t cluster) {
    uint32_t low = 0, high = folder->run_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const FolderEntry *entry = &folder->entries[folder->runs[middle]];
        if (cluster < entry->first_cluster)
            high = middle;
        else if (cluster - entry->first_cluster >= entry->cluster_count)
            low = middle + 1;
        else
            return folder->runs[middle];
    }
    return FOLDER_NONE;
}
