#include "fat_folder.h"
#include "allocate.h"
#include "fat_table.h"
#include <stdlib.h>
#include <string.h>

#define ENTRY_BYTES 32
#define LONGEST_FOLDER 65536 /* entries (Microsoft, 'Directory Structure': 2 MB) */
#define UNITS_PER_ENTRY 13
#define LONG_NAME_ENTRIES 20
#define ATTRIBUTES_LONG_NAME 0x0F
#define LAST_LONG_ENTRY 0x40

/* Tests are to be the same every time, so everything was written on 1 January 2000. */
#define FIXED_DATE ((2000 - 1980) << 9 | 1 << 5 | 1)

/* Fields of an entry. */
enum {
    ENTRY_FREE = 0xE5, /* in its first byte */
    ENTRY_END = 0x00,
    ENTRY_ATTRIBUTES = 11,
    ENTRY_CASE = 12,
    ENTRY_CREATED_DATE = 16,
    ENTRY_READ_DATE = 18,
    ENTRY_CLUSTER_HIGH = 20,
    ENTRY_WRITTEN_TIME = 22,
    ENTRY_WRITTEN_DATE = 24,
    ENTRY_CLUSTER = 26,
    ENTRY_SIZE = 28,
    LONG_ORDER = 0,
    LONG_CHECKSUM = 13,
};

/* Where the characters of a long name stand in an entry. */
static const uint8_t unit_offsets[UNITS_PER_ENTRY] = {1,  3,  5,  7,  9,  14, 16,
                                                      18, 20, 22, 24, 28, 30};

/* --- reading -----------------------------------------------------------------------------------
 */

uint32_t fat_root_folder(const FatVolume *volume) {
    return volume->bits == 32 ? volume->root_cluster : 0;
}

static bool read_clusters(FatFolder *folder, Error *error) {
    FatVolume *volume = folder->volume;
    FatChain chain;
    uint32_t count, cluster_entries = volume->cluster_bytes / ENTRY_BYTES;
    if (folder->first_cluster == 0)
        return error_set(error, "the volume is damaged: a folder has no contents");
    if (!fat_chain_length(volume, folder->first_cluster, &count, error) ||
        !fat_chain_begin(volume, folder->first_cluster, &chain, error))
        return false;
    if (count > LONGEST_FOLDER / cluster_entries + 1)
        return error_set(error, "the volume is damaged: a folder has %u clusters", count);
    folder->clusters = allocate_zeroed(count * sizeof(folder->clusters[0]));
    folder->data = allocate_zeroed((size_t)count * volume->cluster_bytes);
    folder->entries = count * cluster_entries;
    for (; chain.cluster != 0; folder->cluster_count++) {
        folder->clusters[folder->cluster_count] = chain.cluster;
        if (!fat_volume_read(volume, fat_cluster_offset(volume, chain.cluster),
                             folder->data + (size_t)folder->cluster_count * volume->cluster_bytes,
                             volume->cluster_bytes, error) ||
            !fat_chain_next(volume, &chain, error))
            return false;
    }
    return true;
}

bool fat_folder_read(FatFolder *folder, FatVolume *volume, uint32_t first_cluster, Error *error) {
    *folder = (FatFolder){.volume = volume, .first_cluster = first_cluster};
    if (volume->bits == 32 || first_cluster != 0)
        return read_clusters(folder, error);
    folder->entries = volume->root_entries;
    folder->data = allocate_zeroed((size_t)folder->entries * ENTRY_BYTES);
    return fat_volume_read(volume, volume->root_start, folder->data,
                           (size_t)folder->entries * ENTRY_BYTES, error);
}

void fat_folder_free(FatFolder *folder) {
    free(folder->data);
    free(folder->clusters);
}

static uint8_t *entry_at(const FatFolder *folder, uint32_t index) {
    return folder->data + (size_t)index * ENTRY_BYTES;
}

static bool is_long_name(const uint8_t *raw) {
    return (raw[ENTRY_ATTRIBUTES] & 0x3F) == ATTRIBUTES_LONG_NAME;
}

/* The long name whose pieces lie before the short entry at 'index', last piece first. Where they
 * are not all there and in order, there is none. Returns how many entries it takes. */
static uint32_t read_long_name(const FatFolder *folder, uint32_t index, uint32_t lowest,
                               char *text) {
    uint16_t units[LONG_NAME_ENTRIES * UNITS_PER_ENTRY];
    uint8_t checksum = fat_name_checksum(entry_at(folder, index));
    size_t count = 0;
    for (uint32_t piece = 1; piece <= LONG_NAME_ENTRIES && index >= lowest + piece; piece++) {
        const uint8_t *raw = entry_at(folder, index - piece);
        if (!is_long_name(raw) || (raw[LONG_ORDER] & ~LAST_LONG_ENTRY) != (int)piece ||
            raw[LONG_CHECKSUM] != checksum)
            return 0;
        for (int i = 0; i < UNITS_PER_ENTRY; i++)
            units[count++] = load_le16(raw + unit_offsets[i]);
        if (!(raw[LONG_ORDER] & LAST_LONG_ENTRY))
            continue;
        size_t size = 0;
        while (size < count && size < FAT_LONG_NAME_UNITS && units[size] != 0)
            size++;
        fat_name_print_long(units, size, text);
        return size > 0 ? piece : 0;
    }
    return 0;
}

static void read_entry(const FatFolder *folder, uint32_t index, uint32_t lowest, FatEntry *entry) {
    const uint8_t *raw = entry_at(folder, index);
    *entry = (FatEntry){.attributes = raw[ENTRY_ATTRIBUTES], .index = index, .first = index};
    entry->first_cluster = load_le16(raw + ENTRY_CLUSTER);
    if (folder->volume->bits == 32)
        entry->first_cluster |= (uint32_t)(load_le16(raw + ENTRY_CLUSTER_HIGH) & 0x0FFF) << 16;
    entry->size = entry->attributes & FAT_FOLDER ? 0 : load_le32(raw + ENTRY_SIZE);
    fat_name_print_short(raw, 0, entry->short_name);
    fat_name_print_short(raw, raw[ENTRY_CASE], entry->name);
    entry->first -= read_long_name(folder, index, lowest, entry->name);
}

bool fat_folder_next(const FatFolder *folder, uint32_t *position, FatEntry *entry) {
    uint32_t lowest = *position;
    for (uint32_t index = *position; index < folder->entries; index++) {
        const uint8_t *raw = entry_at(folder, index);
        if (raw[0] == ENTRY_END)
            break;
        if (raw[0] == ENTRY_FREE || is_long_name(raw) || (raw[ENTRY_ATTRIBUTES] & FAT_LABEL) ||
            raw[0] == '.')
            continue;
        read_entry(folder, index, lowest, entry);
        *position = index + 1;
        return true;
    }
    return false;
}

bool fat_folder_find(const FatFolder *folder, const char *name, size_t size, FatEntry *entry) {
    uint32_t position = 0;
    while (fat_folder_next(folder, &position, entry))
        if (fat_name_is_equal(entry->name, name, size) ||
            fat_name_is_equal(entry->short_name, name, size))
            return true;
    return false;
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* Writes entries back to where they came from, a cluster or less at a time. */
static bool write_entries(FatFolder *folder, uint32_t first, uint32_t count, Error *error) {
    FatVolume *volume = folder->volume;
    while (count > 0) {
        uint64_t offset = volume->root_start + (uint64_t)first * ENTRY_BYTES;
        uint32_t part = count;
        if (folder->cluster_count > 0) {
            uint32_t cluster_entries = volume->cluster_bytes / ENTRY_BYTES;
            uint32_t within = first % cluster_entries;
            if (part > cluster_entries - within)
                part = cluster_entries - within;
            offset = fat_cluster_offset(volume, folder->clusters[first / cluster_entries]) +
                     (uint64_t)within * ENTRY_BYTES;
        }
        if (!fat_volume_write(volume, offset, entry_at(folder, first), (size_t)part * ENTRY_BYTES,
                              error))
            return false;
        first += part;
        count -= part;
    }
    return true;
}

/* One more cluster, empty, at the end. */
static bool grow(FatFolder *folder, Error *error) {
    FatVolume *volume = folder->volume;
    uint32_t added, cluster_entries = volume->cluster_bytes / ENTRY_BYTES;
    size_t old_bytes = (size_t)folder->entries * ENTRY_BYTES;
    if (folder->cluster_count == 0)
        return error_set(error, "the root folder is full: it has room for %u entries",
                         folder->entries);
    if (folder->entries + cluster_entries > LONGEST_FOLDER)
        return error_set(error, "the folder is full");
    if (!fat_table_find_free(volume, 1, &added, error))
        return false;
    size_t entries = old_bytes + volume->cluster_bytes, clusters = folder->cluster_count + 1;
    uint8_t *data = allocate_zeroed(entries);
    uint32_t *numbers = allocate_zeroed(clusters * sizeof(numbers[0]));
    memcpy(data, folder->data, old_bytes);
    memcpy(numbers, folder->clusters, folder->cluster_count * sizeof(numbers[0]));
    fat_folder_free(folder);
    folder->data = data;
    folder->clusters = numbers;
    uint32_t last = numbers[folder->cluster_count - 1];
    numbers[folder->cluster_count++] = added;
    folder->entries += cluster_entries;
    return write_entries(folder, folder->entries - cluster_entries, cluster_entries, error) &&
           fat_table_link(volume, &added, 1, error) && fat_table_set(volume, last, added, error) &&
           fat_table_flush(volume, error);
}

/* Where so many entries in a row are free; 'entries' if they are not. What is behind the end is. */
static uint32_t find_room(const FatFolder *folder, uint32_t count) {
    uint32_t run = 0;
    bool ended = false;
    for (uint32_t index = 0; index < folder->entries; index++) {
        uint8_t mark = *entry_at(folder, index);
        ended |= mark == ENTRY_END;
        run = ended || mark == ENTRY_FREE ? run + 1 : 0;
        if (run == count)
            return index + 1 - count;
    }
    return folder->entries;
}

/* The end's mark moves behind 'index' if that was taken from what lay there. */
static bool move_end(FatFolder *folder, uint32_t first, uint32_t end, Error *error) {
    bool beyond = false;
    for (uint32_t index = first; index < end; index++)
        beyond |= *entry_at(folder, index) == ENTRY_END;
    if (!beyond || end == folder->entries || *entry_at(folder, end) == ENTRY_END)
        return true;
    memset(entry_at(folder, end), 0, ENTRY_BYTES);
    return write_entries(folder, end, 1, error);
}

static void set_contents(const FatVolume *volume, uint8_t *raw, uint32_t first_cluster,
                         uint32_t size) {
    store_le16(raw + ENTRY_CLUSTER, first_cluster);
    if (volume->bits == 32)
        store_le16(raw + ENTRY_CLUSTER_HIGH, first_cluster >> 16);
    store_le32(raw + ENTRY_SIZE, size);
    store_le16(raw + ENTRY_WRITTEN_TIME, 0);
    store_le16(raw + ENTRY_WRITTEN_DATE, FIXED_DATE);
}

static void fill_entry(const FatVolume *volume, uint8_t *raw, const FatName *name,
                       uint8_t attributes, uint32_t first_cluster, uint32_t size) {
    memset(raw, 0, ENTRY_BYTES);
    memcpy(raw, name->short_name, FAT_SHORT_NAME_BYTES);
    raw[ENTRY_ATTRIBUTES] = attributes;
    raw[ENTRY_CASE] = name->case_flags;
    store_le16(raw + ENTRY_CREATED_DATE, FIXED_DATE);
    store_le16(raw + ENTRY_READ_DATE, FIXED_DATE);
    set_contents(volume, raw, first_cluster, size);
}

/* Piece 1 is the name's beginning; unused places hold a zero and then FFFFh. */
static void fill_long_entry(uint8_t *raw, const FatName *name, uint32_t piece, bool last) {
    memset(raw, 0, ENTRY_BYTES);
    raw[LONG_ORDER] = (uint8_t)(piece | (last ? LAST_LONG_ENTRY : 0));
    raw[ENTRY_ATTRIBUTES] = ATTRIBUTES_LONG_NAME;
    raw[LONG_CHECKSUM] = fat_name_checksum(name->short_name);
    for (uint32_t i = 0; i < UNITS_PER_ENTRY; i++) {
        uint32_t unit = (piece - 1) * UNITS_PER_ENTRY + i;
        store_le16(raw + unit_offsets[i], unit < name->unit_count    ? name->units[unit]
                                          : unit == name->unit_count ? 0
                                                                     : 0xFFFF);
    }
}

static bool has_short_name(const FatFolder *folder, const uint8_t *short_name) {
    for (uint32_t index = 0; index < folder->entries; index++) {
        const uint8_t *raw = entry_at(folder, index);
        if (raw[0] == ENTRY_END)
            break;
        if (!is_long_name(raw) && memcmp(raw, short_name, FAT_SHORT_NAME_BYTES) == 0)
            return true;
    }
    return false;
}

/* A short name that nobody has yet. There are at most LONGEST_FOLDER to avoid. */
static void choose_short_name(const FatFolder *folder, FatName *name) {
    for (unsigned number = 1; number <= LONGEST_FOLDER + 1; number++) {
        fat_name_shorten(name, number);
        if (!has_short_name(folder, name->short_name))
            return;
    }
}

bool fat_folder_add(FatFolder *folder, const char *text, size_t text_size, uint8_t attributes,
                    uint32_t first_cluster, uint32_t size, Error *error) {
    FatName name;
    if (!fat_name_parse(text, text_size, &name, error))
        return false;
    if (name.unit_count > 0)
        choose_short_name(folder, &name);
    uint32_t pieces = (name.unit_count + UNITS_PER_ENTRY - 1u) / UNITS_PER_ENTRY;
    uint32_t first = find_room(folder, pieces + 1);
    while (first == folder->entries) {
        if (!grow(folder, error))
            return false;
        first = find_room(folder, pieces + 1);
    }
    if (!move_end(folder, first, first + pieces + 1, error))
        return false;
    for (uint32_t piece = pieces; piece > 0; piece--)
        fill_long_entry(entry_at(folder, first + pieces - piece), &name, piece, piece == pieces);
    fill_entry(folder->volume, entry_at(folder, first + pieces), &name, attributes, first_cluster,
               size);
    return write_entries(folder, first, pieces + 1, error);
}

bool fat_folder_update(FatFolder *folder, const FatEntry *entry, uint32_t first_cluster,
                       uint32_t size, Error *error) {
    uint8_t *raw = entry_at(folder, entry->index);
    set_contents(folder->volume, raw, first_cluster, size);
    raw[ENTRY_ATTRIBUTES] |= FAT_ARCHIVE;
    return write_entries(folder, entry->index, 1, error);
}

bool fat_folder_remove(FatFolder *folder, const FatEntry *entry, Error *error) {
    for (uint32_t index = entry->first; index <= entry->index; index++)
        *entry_at(folder, index) = ENTRY_FREE;
    return write_entries(folder, entry->first, entry->index + 1 - entry->first, error);
}

void fat_folder_make_empty(const FatVolume *volume, uint8_t *cluster, uint32_t own_cluster,
                           uint32_t parent_cluster) {
    FatName dot = {.short_name = ".          "}, dots = {.short_name = "..         "};
    memset(cluster, 0, volume->cluster_bytes);
    fill_entry(volume, cluster, &dot, FAT_FOLDER, own_cluster, 0);
    fill_entry(volume, cluster + ENTRY_BYTES, &dots, FAT_FOLDER, parent_cluster, 0);
}
