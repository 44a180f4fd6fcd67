#define _GNU_SOURCE
#include "block_folder.h"
#include "allocate.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Folder *folder_of_node(const BlockNode *node) {
    return node->driver_state;
}

/* Makes 'open_file' that of the entry; called with the lock held. */
static bool open_entry_file(Folder *folder, uint32_t index, Error *error) {
    char path[4096] = "";
    if (folder->open_file >= 0 && folder->open_entry == index)
        return true;
    if (folder->open_file >= 0)
        close(folder->open_file);
    folder->open_file = folder_open_entry(folder, index, O_RDONLY);
    folder->open_entry = index;
    if (folder->open_file >= 0)
        return true;
    int reason = errno;
    folder_path(folder, index, path, sizeof(path));
    return error_set(error, "%s cannot be read: %s", path, strerror(reason));
}

/* What lies in a file, from 'at' on; behind the file's end zeros. */
static bool read_file_bytes(Folder *folder, uint32_t index, uint64_t at, uint8_t *data, size_t size,
                            Error *error) {
    const FolderEntry *entry = &folder->entries[index];
    size_t inside = 0;
    if (at < entry->bytes)
        inside = size < entry->bytes - at ? size : (size_t)(entry->bytes - at);
    memset(data + inside, 0, size - inside);
    if (inside == 0)
        return true;
    pthread_mutex_lock(&folder->lock);
    bool good = open_entry_file(folder, index, error) &&
                block_file_read(folder->open_file, at, data, inside, error);
    pthread_mutex_unlock(&folder->lock);
    return good;
}

static void read_slots(const FolderEntry *entry, uint64_t at, uint8_t *data, size_t size) {
    size_t inside = 0;
    if (at < entry->slot_bytes)
        inside = size < entry->slot_bytes - at ? size : (size_t)(entry->slot_bytes - at);
    if (inside > 0)
        memcpy(data, entry->slots + at, inside);
    memset(data + inside, 0, size - inside);
}

/* 'place' counts from the first cluster. Reads up to the end of the run, or of a free cluster. */
static bool read_clusters(Folder *folder, uint64_t place, uint8_t *data, size_t size, size_t *done,
                          Error *error) {
    uint64_t cluster_bytes = folder->geometry.cluster_sectors * FOLDER_SECTOR;
    uint32_t run = folder_run_at(folder, (uint32_t)(place / cluster_bytes) + 2);
    *done = block_part_in_unit(place, size, cluster_bytes);
    if (run == FOLDER_NONE) {
        memset(data, 0, *done);
        return true;
    }
    const FolderEntry *entry = &folder->entries[run];
    uint64_t start = (uint64_t)(entry->first_cluster - 2) * cluster_bytes;
    uint64_t left = start + entry->cluster_count * cluster_bytes - place;
    *done = size < left ? size : (size_t)left;
    if (!entry->is_folder)
        return read_file_bytes(folder, run, place - start, data, *done, error);
    read_slots(entry, place - start, data, *done);
    return true;
}

static bool folder_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    Folder *folder = node->driver_state;
    uint64_t data_start = (uint64_t)folder->geometry.data_start * FOLDER_SECTOR;
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, FOLDER_SECTOR);
        if (offset < data_start) {
            uint8_t sector[FOLDER_SECTOR];
            folder_make_sector(folder, (uint32_t)(offset / FOLDER_SECTOR), sector);
            memcpy(bytes, sector + offset % FOLDER_SECTOR, part);
        } else if (!read_clusters(folder, offset - data_start, bytes, size, &part, error)) {
            return false;
        }
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* Only what a run of clusters has is worth a copy. */
static bool folder_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                       Error *error) {
    const Folder *folder = node->driver_state;
    uint64_t data_start = (uint64_t)folder->geometry.data_start * FOLDER_SECTOR;
    uint64_t end = data_start;
    (void)error;
    if (folder->run_count > 0) {
        const FolderEntry *last = &folder->entries[folder->runs[folder->run_count - 1]];
        end += ((uint64_t)last->first_cluster - 2 + last->cluster_count) *
               folder->geometry.cluster_sectors * FOLDER_SECTOR;
    }
    bool data = offset < end;
    if (data && length > end - offset)
        length = end - offset;
    *extent = (BlockExtent){.length = length, .present = true, .zero = !data, .data = data};
    return true;
}

static void folder_free(Folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->entries[i].name);
        free(folder->entries[i].slots);
    }
    if (folder->open_file >= 0)
        close(folder->open_file);
    if (folder->root >= 0)
        close(folder->root);
    pthread_mutex_destroy(&folder->lock);
    free(folder->entries);
    free(folder->runs);
    free(folder->title);
    free(folder);
}

static void folder_close(BlockNode *node) {
    folder_free(node->driver_state);
}

static bool folder_refuse_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                                Error *error) {
    (void)node;
    (void)offset;
    (void)data;
    (void)size;
    return error_set(error, "is only read");
}

static const BlockDriver folder_driver = {
    .name = "vvfat",
    .close = folder_close,
    .read = folder_read,
    .write = folder_refuse_write,
    .map = folder_map,
};

/* Who writes to the folder is alone; the lock is of this program's runs among each other. */
static bool lock_folder(const Folder *folder, Error *error) {
    return host_file_lock(folder->root, folder->spec.writable) || errno != EWOULDBLOCK ||
           error_set(error, "is in use by another run%s",
                     folder->spec.writable ? "" : " that writes to it");
}

static bool open_folder(Folder *folder, Error *error) {
    folder->root = open(folder->spec.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->root < 0)
        return error_set(error, "%s", errno == ENOTDIR ? "is no folder" : strerror(errno));
    if (!lock_folder(folder, error) || !folder_scan(folder, error) || !folder_layout(folder, error))
        return false;
    if (folder->left_out > 0)
        folder_warn(folder, "%u %s left out, the first is %s", folder->left_out,
                    folder->left_out == 1 ? "name is" : "names are", folder->first_left_out);
    return true;
}

BlockNode *folder_node_open(const FolderSpec *spec, const BlockOptions *options, Error *error) {
    Folder *folder = allocate_zeroed(sizeof(*folder));
    folder->spec = *spec;
    folder->title = strdup(spec->path);
    folder->spec.path = folder->title;
    folder->root = folder->open_file = -1;
    pthread_mutex_init(&folder->lock, NULL);
    if (!open_folder(folder, error)) {
        folder_free(folder);
        return NULL;
    }
    BlockNode *node = allocate_zeroed(sizeof(*node));
    node->driver = &folder_driver;
    node->driver_state = folder;
    node->holders = 1;
    node->read_only = true;
    node->path = strdup(options->path);
    node->name = strdup(options->node_name != NULL ? options->node_name : "");
    node->length = (uint64_t)folder->geometry.sectors * FOLDER_SECTOR;
    node->file = host_file_duplicate(folder->root);
    return node;
}

bool block_names_folder(const char *path) {
    return strncmp(path, "fat:", 4) == 0;
}

BlockNode *block_folder_open(const BlockOptions *options, Error *error) {
    FolderSpec spec;
    if (!folder_spec_parse(options->path, &spec) || spec.path[0] == '\0') {
        error_set(error, "names no folder: fat:[rw:][floppy:][12:|16:|32:]FOLDER");
        return NULL;
    }
    if (options->format != NULL && strcmp(options->format, "raw") != 0 &&
        strcmp(options->format, "vvfat") != 0) {
        error_set(error, "is a folder, not an image of the format %s", options->format);
        return NULL;
    }
    if (options->internal_snapshot != NULL) {
        error_set(error, "a folder has no snapshots");
        return NULL;
    }
    bool only_read = options->read_only && !options->snapshot;
    if (only_read || options->snapshot)
        spec.writable = false;
    BlockNode *node = folder_node_open(&spec, options, error);
    if (node == NULL || only_read)
        return node;
    if (spec.writable)
        return folder_writer_create(node);
    /* Nothing that is written outlives the run. */
    node = block_overlay_create(node);
    node->read_only = options->read_only;
    return node;
}
