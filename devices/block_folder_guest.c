#include "block_folder_guest.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

#define LONG_LAST 0x40
#define LONG_ORDER 0x3F
#define LONG_UNITS 13
#define LONG_PARTS 20
#define SLOT_DELETED 0xE5
/* What the boot sector says of the layout. */
#define PARAMETERS_AT 11
#define PARAMETERS_BYTES 25

uint64_t folder_chain_add(uint64_t chain, uint32_t cluster) {
    return (chain ^ cluster) * 1099511628211ull + 1;
}

uint64_t folder_cluster_place(const Folder *folder, uint32_t cluster) {
    const FolderGeometry *geometry = &folder->geometry;
    return (geometry->data_start + (uint64_t)(cluster - 2) * geometry->cluster_sectors) *
           FOLDER_SECTOR;
}

uint32_t guest_tree_next(const GuestTree *tree, uint32_t cluster) {
    uint32_t next = tree->table[cluster];
    return next >= 2 && next < tree->folder->geometry.clusters + 2 ? next : 0;
}

static uint32_t end_mark(const GuestTree *tree) {
    unsigned bits = tree->folder->geometry.fat_bits;
    return bits == 12 ? 0xFF8 : bits == 16 ? 0xFFF8 : 0x0FFFFFF8;
}

static void unpack_table(GuestTree *tree, const uint8_t *bytes) {
    unsigned bits = tree->folder->geometry.fat_bits;
    for (uint32_t i = 0; i < tree->folder->geometry.clusters + 2; i++) {
        if (bits == 12)
            tree->table[i] = load_le16(bytes + i + i / 2) >> (i % 2 * 4) & 0xFFF;
        else if (bits == 16)
            tree->table[i] = load_le16(bytes + i * 2);
        else
            tree->table[i] = load_le32(bytes + (size_t)i * 4) & 0x0FFFFFFF;
    }
}

static bool read_table(GuestTree *tree, Error *error) {
    const FolderGeometry *geometry = &tree->folder->geometry;
    size_t size = (size_t)geometry->fat_sectors * FOLDER_SECTOR;
    uint8_t *bytes = calloc(size + 1, 1);
    tree->table = calloc(geometry->clusters + 2, sizeof(*tree->table));
    tree->used = calloc(geometry->clusters / 8 + 1, 1);
    bool good = bytes != NULL && tree->table != NULL && tree->used != NULL;
    if (!good)
        error_set(error, "no memory for its tables");
    good = good && block_read(tree->volume, (uint64_t)geometry->fat_start * FOLDER_SECTOR, bytes,
                              size, error);
    if (good)
        unpack_table(tree, bytes);
    free(bytes);
    return good;
}

/* The guest may have made another file system, of another layout. */
static bool check_layout(const GuestTree *tree, Error *error) {
    uint32_t sector = tree->folder->geometry.start;
    uint8_t now[FOLDER_SECTOR], then[FOLDER_SECTOR];
    folder_make_sector(tree->folder, sector, then);
    if (!block_read(tree->volume, (uint64_t)sector * FOLDER_SECTOR, now, sizeof(now), error))
        return false;
    return memcmp(now + PARAMETERS_AT, then + PARAMETERS_AT, PARAMETERS_BYTES) == 0 ||
           error_set(error, "the guest has made another file system");
}

/* Marks the clusters of an entry, each of which may belong to one only. */
static bool walk_chain(GuestTree *tree, GuestEntry *entry, Error *error) {
    const FolderGeometry *geometry = &tree->folder->geometry;
    uint64_t room = 0, cluster_bytes = (uint64_t)geometry->cluster_sectors * FOLDER_SECTOR;
    for (uint32_t cluster = entry->cluster; cluster != 0;
         cluster = guest_tree_next(tree, cluster)) {
        uint32_t index = cluster - 2;
        if (cluster < 2 || index >= geometry->clusters)
            return error_set(error, "a chain leads out of the disk");
        if ((tree->used[index / 8] >> index % 8 & 1) != 0)
            return error_set(error, "cluster %u belongs to two chains", cluster);
        tree->used[index / 8] |= (uint8_t)(1u << index % 8);
        entry->written = entry->written || (tree->written[index / 8] >> index % 8 & 1) != 0;
        entry->chain = folder_chain_add(entry->chain, cluster);
        room += cluster_bytes;
        if (guest_tree_next(tree, cluster) == 0 && tree->table[cluster] < end_mark(tree))
            return error_set(error, "the chain of cluster %u has no end", cluster);
    }
    return entry->is_folder || entry->bytes <= room ||
           error_set(error, "a file is longer than its chain");
}

typedef struct LongName {
    uint16_t units[LONG_PARTS * LONG_UNITS];
    unsigned next; /* part that has to follow; 0: the name is whole */
    bool valid;
    uint8_t checksum;
} LongName;

static void take_long_part(LongName *name, const uint8_t *slot) {
    static const uint8_t places[LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned part = slot[0] & LONG_ORDER;
    if ((slot[0] & LONG_LAST) != 0) {
        memset(name, 0, sizeof(*name));
        name->valid = part > 0 && part <= LONG_PARTS;
        name->next = part;
        name->checksum = slot[13];
    }
    if (!name->valid || part != name->next || part == 0 || slot[13] != name->checksum) {
        name->valid = false;
        return;
    }
    for (unsigned i = 0; i < LONG_UNITS; i++)
        name->units[(part - 1) * LONG_UNITS + i] = load_le16(slot + places[i]);
    name->next--;
}

static void set_name(GuestEntry *entry, const LongName *long_name, const uint8_t *slot) {
    char name[FOLDER_NAME_BYTES * 2];
    size_t count = 0;
    while (count < LONG_PARTS * LONG_UNITS && long_name->units[count] != 0)
        count++;
    entry->long_name = long_name->valid && long_name->next == 0 && count > 0 &&
                       count <= FOLDER_NAME_UNITS &&
                       long_name->checksum == folder_short_checksum(slot);
    if (entry->long_name ? folder_name_from_units(long_name->units, count, name)
                         : folder_name_from_short(slot, name))
        entry->name = strdup(name);
}

static bool add_entry(GuestTree *tree, uint32_t parent, const LongName *long_name,
                      const uint8_t *slot, Error *error) {
    if (tree->count >= FOLDER_ENTRIES_MAXIMUM)
        return error_set(error, "it has too many names");
    tree->entries =
        allocate_grow(tree->entries, &tree->capacity, tree->count + 1, sizeof(*tree->entries));
    GuestEntry *entry = &tree->entries[tree->count++];
    *entry = (GuestEntry){.parent = parent, .entry = FOLDER_NONE};
    entry->is_folder = (slot[SLOT_ATTRIBUTES] & FAT_FOLDER) != 0;
    entry->cluster = load_le16(slot + SLOT_CLUSTER);
    if (tree->folder->geometry.fat_bits == 32)
        entry->cluster |= (uint32_t)load_le16(slot + SLOT_CLUSTER_HIGH) << 16;
    entry->bytes = entry->is_folder ? 0 : load_le32(slot + SLOT_SIZE);
    entry->time = load_le16(slot + SLOT_TIME);
    entry->date = load_le16(slot + SLOT_DATE);
    memcpy(entry->short_name, slot, FOLDER_SHORT_BYTES);
    set_name(entry, long_name, slot);
    if (entry->is_folder && entry->cluster == 0)
        return error_set(error, "a folder has no cluster");
    return walk_chain(tree, entry, error);
}

/* Takes the slots of one piece of a directory; '*end' at its last. */
static bool take_slots(GuestTree *tree, uint32_t parent, const uint8_t *slots, size_t size,
                       LongName *long_name, bool *end, Error *error) {
    for (size_t at = 0; at < size && !*end; at += FOLDER_SLOT_BYTES) {
        const uint8_t *slot = slots + at;
        uint8_t attributes = slot[SLOT_ATTRIBUTES];
        *end = slot[0] == 0;
        if (!*end && slot[0] != SLOT_DELETED && (attributes & 0x3F) == FAT_LONG_NAME) {
            take_long_part(long_name, slot);
            continue;
        }
        bool counts =
            !*end && slot[0] != SLOT_DELETED && (attributes & FAT_LABEL) == 0 && slot[0] != '.';
        if (counts && !add_entry(tree, parent, long_name, slot, error))
            return false;
        long_name->valid = false;
    }
    return true;
}

static bool read_directory(GuestTree *tree, uint32_t index, Error *error) {
    const FolderGeometry *geometry = &tree->folder->geometry;
    bool fixed = index == 0 && geometry->root_slots > 0, end = false, good = true;
    size_t size = fixed ? (size_t)geometry->root_slots * FOLDER_SLOT_BYTES
                        : (size_t)geometry->cluster_sectors * FOLDER_SECTOR;
    uint8_t *slots = allocate_zeroed(size);
    LongName long_name = {.valid = false};
    uint32_t cluster = tree->entries[index].cluster;
    while (good && !end && (fixed || cluster != 0)) {
        uint64_t place = fixed ? (uint64_t)geometry->root_start * FOLDER_SECTOR
                               : folder_cluster_place(tree->folder, cluster);
        good = block_read(tree->volume, place, slots, size, error) &&
               take_slots(tree, index, slots, size, &long_name, &end, error);
        if (fixed)
            break;
        cluster = guest_tree_next(tree, cluster);
    }
    free(slots);
    return good;
}

bool guest_tree_read(GuestTree *tree, Error *error) {
    if (!check_layout(tree, error) || !read_table(tree, error))
        return false;
    tree->entries = allocate_grow(NULL, &tree->capacity, 1, sizeof(*tree->entries));
    tree->entries[0] = (GuestEntry){.is_folder = true};
    tree->count = 1;
    if (tree->folder->geometry.root_slots == 0) {
        tree->entries[0].cluster = tree->folder->entries[0].first_cluster;
        if (!walk_chain(tree, &tree->entries[0], error))
            return false;
    }
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->entries[i].is_folder && !read_directory(tree, i, error))
            return false;
    for (uint32_t i = 0; i < tree->folder->geometry.clusters; i++) {
        bool bad = tree->table[i + 2] == end_mark(tree) - 1;
        if (tree->table[i + 2] != 0 && !bad && (tree->used[i / 8] >> i % 8 & 1) == 0)
            tree->lost++;
    }
    return true;
}

void guest_tree_free(GuestTree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        free(tree->entries[i].name);
    free(tree->entries);
    free(tree->table);
    free(tree->used);
}
