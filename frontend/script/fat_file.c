#include "fat_file.h"
#include "allocate.h"
#include "fat_table.h"
#include <stdlib.h>
#include <string.h>

#define LARGEST_FILE 0xFFFFFFFFu
#define DEEPEST_PATH 256 /* components: a folder may lie within itself in a damaged volume */

static bool is_separator(char character) {
    return character == '/' || character == '\\';
}

/* The next component of a path; its size is 0 at the end. */
static const char *next_component(const char **path, size_t *size) {
    while (is_separator(**path))
        (*path)++;
    const char *start = *path;
    while (**path != '\0' && !is_separator(**path))
        (*path)++;
    *size = (size_t)(*path - start);
    return start;
}

static bool has_more(const char *path) {
    while (is_separator(*path))
        path++;
    return *path != '\0';
}

/* Where a path leads: the folder that holds its last component, whose name is not looked up. For
 * the root there is no name. */
typedef struct Place {
    FatFolder folder;
    const char *name;
    size_t name_size;
} Place;

static bool enter_folder(FatFolder *folder, const char *name, size_t size, Error *error) {
    FatEntry entry;
    FatVolume *volume = folder->volume;
    if (!fat_folder_find(folder, name, size, &entry))
        return error_set(error, "there is no folder '%.*s'", (int)size, name);
    if (!(entry.attributes & FAT_FOLDER))
        return error_set(error, "'%.*s' is no folder", (int)size, name);
    fat_folder_free(folder);
    return fat_folder_read(folder, volume, entry.first_cluster, error);
}

/* Free the place's folder either way. */
static bool find_place(FatVolume *volume, const char *path, Place *place, Error *error) {
    if (!fat_folder_read(&place->folder, volume, fat_root_folder(volume), error))
        return false;
    place->name = next_component(&path, &place->name_size);
    for (int depth = 0; has_more(path); depth++) {
        if (depth == DEEPEST_PATH)
            return error_set(error, "the path has more than %d parts", DEEPEST_PATH);
        if (!enter_folder(&place->folder, place->name, place->name_size, error))
            return false;
        place->name = next_component(&path, &place->name_size);
    }
    return true;
}

static bool find_entry(const Place *place, FatEntry *entry, Error *error) {
    if (place->name_size == 0)
        return error_set(error, "the path names no file");
    return fat_folder_find(&place->folder, place->name, place->name_size, entry) ||
           error_set(error, "there is no file '%.*s'", (int)place->name_size, place->name);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_contents(FatVolume *volume, const FatEntry *entry, ByteBuffer *contents,
                          Error *error) {
    FatChain chain;
    uint32_t left = entry->size, length;
    if (!fat_chain_length(volume, entry->first_cluster, &length, error) ||
        !fat_chain_begin(volume, entry->first_cluster, &chain, error))
        return false;
    uint8_t *cluster = allocate_zeroed(volume->cluster_bytes);
    bool good = true;
    while (good && left > 0 && chain.cluster != 0) {
        uint32_t part = left < volume->cluster_bytes ? left : volume->cluster_bytes;
        good = fat_volume_read(volume, fat_cluster_offset(volume, chain.cluster), cluster, part,
                               error);
        if (good)
            byte_buffer_append(contents, cluster, part);
        left -= part;
        good = good && fat_chain_next(volume, &chain, error);
    }
    free(cluster);
    return good &&
           (left == 0 ||
            error_set(error, "the volume is damaged: the file ends %u bytes too early", left));
}

static bool read_at(FatVolume *volume, const Place *place, ByteBuffer *contents, Error *error) {
    FatEntry entry;
    if (!find_entry(place, &entry, error))
        return false;
    if (entry.attributes & FAT_FOLDER)
        return error_set(error, "'%s' is a folder", entry.name);
    return read_contents(volume, &entry, contents, error);
}

bool fat_file_read(FatVolume *volume, const char *path, ByteBuffer *contents, Error *error) {
    Place place;
    bool good = find_place(volume, path, &place, error) && read_at(volume, &place, contents, error);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}

bool fat_file_find(FatVolume *volume, const char *path, FatEntry *entry, Error *error) {
    Place place;
    bool good = find_place(volume, path, &place, error) && find_entry(&place, entry, error);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}

bool fat_file_list(FatVolume *volume, const char *path,
                   void (*tell)(void *opaque, const FatEntry *entry), void *opaque, Error *error) {
    Place place;
    FatEntry entry;
    uint32_t position = 0;
    bool good =
        find_place(volume, path, &place, error) &&
        (place.name_size == 0 || enter_folder(&place.folder, place.name, place.name_size, error));
    while (good && fat_folder_next(&place.folder, &position, &entry))
        tell(opaque, &entry);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* Puts data into clusters that nobody has yet. */
static bool fill_clusters(FatVolume *volume, const uint32_t *clusters, uint32_t count,
                          const uint8_t *data, size_t size, Error *error) {
    uint8_t *last = allocate_zeroed(volume->cluster_bytes);
    bool good = true;
    for (uint32_t i = 0; good && i < count; i++) {
        size_t offset = (size_t)i * volume->cluster_bytes;
        const uint8_t *contents = data + offset;
        if (size - offset < volume->cluster_bytes) {
            memcpy(last, contents, size - offset);
            contents = last;
        }
        good = fat_volume_write(volume, fat_cluster_offset(volume, clusters[i]), contents,
                                volume->cluster_bytes, error);
    }
    free(last);
    return good;
}

/* A chain with these contents that no entry tells of yet; '*first' is 0 for no contents. */
static bool store(FatVolume *volume, const void *data, size_t size, uint32_t *first, Error *error) {
    uint64_t count = ((uint64_t)size + volume->cluster_bytes - 1) / volume->cluster_bytes;
    *first = 0;
    if (count == 0)
        return true;
    if (count > volume->clusters)
        return error_set(error, "the volume is full: the file is larger than all of it");
    uint32_t *clusters = allocate_zeroed((size_t)count * sizeof(clusters[0]));
    bool good = fat_table_find_free(volume, (uint32_t)count, clusters, error) &&
                fill_clusters(volume, clusters, (uint32_t)count, data, size, error) &&
                fat_table_link(volume, clusters, (uint32_t)count, error);
    *first = clusters[0];
    free(clusters);
    return good;
}

/* New contents beside the old ones, which go last. Where there is room for one of them only, the
 * old ones have to go first. */
static bool replace(FatFolder *folder, const FatEntry *entry, const void *data, size_t size,
                    Error *error) {
    FatVolume *volume = folder->volume;
    uint32_t first, old = entry->first_cluster, old_length, free_clusters;
    uint64_t needed = ((uint64_t)size + volume->cluster_bytes - 1) / volume->cluster_bytes;
    if (!fat_chain_length(volume, old, &old_length, error) ||
        !fat_table_count_free(volume, &free_clusters, error))
        return false;
    if (needed > free_clusters && needed <= (uint64_t)free_clusters + old_length) {
        if (!fat_folder_update(folder, entry, 0, 0, error) ||
            !fat_table_release(volume, old, error))
            return false;
        old = 0;
    }
    return store(volume, data, size, &first, error) &&
           fat_folder_update(folder, entry, first, (uint32_t)size, error) &&
           fat_table_release(volume, old, error);
}

static bool write_at(FatVolume *volume, Place *place, const void *data, size_t size, Error *error) {
    FatEntry entry;
    FatName name;
    uint32_t first;
    if (size > LARGEST_FILE)
        return error_set(error, "no file can be larger than 4 GB");
    if (place->name_size > 0 &&
        fat_folder_find(&place->folder, place->name, place->name_size, &entry))
        return entry.attributes & FAT_FOLDER ? error_set(error, "'%s' is a folder", entry.name)
                                             : replace(&place->folder, &entry, data, size, error);
    return fat_name_parse(place->name, place->name_size, &name, error) &&
           store(volume, data, size, &first, error) &&
           fat_folder_add(&place->folder, place->name, place->name_size, FAT_ARCHIVE, first,
                          (uint32_t)size, error);
}

bool fat_file_write(FatVolume *volume, const char *path, const void *data, size_t size,
                    Error *error) {
    Place place;
    bool good =
        find_place(volume, path, &place, error) && write_at(volume, &place, data, size, error);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}

static bool make_folder_at(FatVolume *volume, Place *place, Error *error) {
    FatEntry entry;
    FatName name;
    uint32_t cluster, parent = place->folder.first_cluster;
    if (!fat_name_parse(place->name, place->name_size, &name, error))
        return false;
    if (fat_folder_find(&place->folder, place->name, place->name_size, &entry))
        return error_set(error, "'%s' is there already", entry.name);
    if (!fat_table_find_free(volume, 1, &cluster, error))
        return false;
    if (parent == fat_root_folder(volume))
        parent = 0;
    uint8_t *contents = allocate_zeroed(volume->cluster_bytes);
    fat_folder_make_empty(volume, contents, cluster, parent);
    bool good = fill_clusters(volume, &cluster, 1, contents, volume->cluster_bytes, error) &&
                fat_table_link(volume, &cluster, 1, error) &&
                fat_folder_add(&place->folder, place->name, place->name_size, FAT_FOLDER, cluster,
                               0, error);
    free(contents);
    return good;
}

bool fat_file_make_folder(FatVolume *volume, const char *path, Error *error) {
    Place place;
    bool good = find_place(volume, path, &place, error) && make_folder_at(volume, &place, error);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}

static bool is_empty(FatVolume *volume, uint32_t cluster, Error *error) {
    FatFolder folder;
    FatEntry entry;
    uint32_t position = 0;
    bool read = fat_folder_read(&folder, volume, cluster, error);
    bool empty = read && !fat_folder_next(&folder, &position, &entry);
    fat_folder_free(&folder);
    return empty || (read && error_set(error, "the folder is not empty"));
}

static bool delete_at(FatVolume *volume, Place *place, Error *error) {
    FatEntry entry;
    uint32_t length;
    return find_entry(place, &entry, error) &&
           fat_chain_length(volume, entry.first_cluster, &length, error) &&
           (!(entry.attributes & FAT_FOLDER) || is_empty(volume, entry.first_cluster, error)) &&
           fat_folder_remove(&place->folder, &entry, error) &&
           fat_table_release(volume, entry.first_cluster, error);
}

bool fat_file_delete(FatVolume *volume, const char *path, Error *error) {
    Place place;
    bool good = find_place(volume, path, &place, error) && delete_at(volume, &place, error);
    fat_folder_free(&place.folder);
    return good || error_prefix(error, "%s: ", path);
}
