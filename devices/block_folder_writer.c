/* The disk of a folder that is written back. What the guest writes goes to an overlay; when the
 * guest flushes, and at the end, its tree is compared with the folder's, and the folder becomes
 * what the guest sees, but only where the file system is consistent. */
#include "allocate.h"
#include "block_folder_apply.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A guest may flush for each sector; the tree is looked at this often at most. */
#define INTERVAL_SECONDS 1

typedef struct FolderWriter {
    Folder *folder;
    BlockNode *volume; /* the overlay over the folder's node */
    uint8_t *written;  /* a bit for each cluster, since the last look */
    bool any_written;
    time_t last_look;
} FolderWriter;

static bool writer_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const FolderWriter *writer = node->driver_state;
    return block_read(writer->volume, offset, data, size, error);
}

static bool writer_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                         Error *error) {
    FolderWriter *writer = node->driver_state;
    const FolderGeometry *geometry = &writer->folder->geometry;
    if (!block_check_inside(node, offset, size, error) ||
        !block_write(writer->volume, offset, data, size, error))
        return false;
    uint64_t start = (uint64_t)geometry->data_start * FOLDER_SECTOR;
    uint64_t cluster_bytes = (uint64_t)geometry->cluster_sectors * FOLDER_SECTOR;
    writer->any_written = true;
    if (offset + size <= start)
        return true;
    uint64_t last = (offset + size - 1 - start) / cluster_bytes;
    for (uint64_t i = offset > start ? (offset - start) / cluster_bytes : 0;
         i <= last && i < geometry->clusters; i++)
        writer->written[i / 8] |= (uint8_t)(1u << i % 8);
    return true;
}

/* At the end, clusters that belong to nothing are no reason to lose everything else: a program of
 * the guest had a file open. Such a file may have lost its contents, and the host's stays. */
static void spare_emptied_files(GuestTree *tree) {
    for (size_t i = 1; i < tree->count; i++) {
        GuestEntry *guest = &tree->entries[i];
        const FolderEntry *entry =
            guest->entry != FOLDER_NONE ? &tree->folder->entries[guest->entry] : NULL;
        if (entry == NULL || guest->is_folder || guest->bytes > 0 || entry->known_bytes == 0)
            continue;
        guest->bytes = entry->known_bytes;
        guest->chain = entry->known_chain;
        guest->time = entry->known_time;
        guest->date = entry->known_date;
        folder_warn(tree->folder, "%s: stays, since the guest had not finished it", entry->name);
    }
}

static void bring_back(FolderWriter *writer, bool at_end) {
    Folder *folder = writer->folder;
    GuestTree tree = {.folder = folder, .volume = writer->volume, .written = writer->written};
    Error error = {0};
    bool good = guest_tree_read(&tree, &error);
    if (good && (tree.lost == 0 || at_end)) {
        uint8_t *claimed = allocate_zeroed(folder->count);
        folder_match(folder, &tree, claimed);
        if (tree.lost > 0) {
            folder_warn(folder, "%u clusters of the guest's disk belong to nothing", tree.lost);
            spare_emptied_files(&tree);
        }
        folder_apply(folder, writer->volume, &tree, claimed);
        free(claimed);
        memset(writer->written, 0, folder->geometry.clusters / 8 + 1);
        writer->any_written = false;
    } else if (at_end) {
        folder_warn(folder,
                    "the guest's file system is not consistent, and nothing more is "
                    "brought back: %s",
                    error.message);
    }
    guest_tree_free(&tree);
}

static bool writer_flush(BlockNode *node, Error *error) {
    FolderWriter *writer = node->driver_state;
    struct timespec now;
    (void)error;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (writer->any_written && now.tv_sec - writer->last_look >= INTERVAL_SECONDS) {
        bring_back(writer, false);
        writer->last_look = now.tv_sec;
    }
    return true;
}

static void writer_close(BlockNode *node) {
    FolderWriter *writer = node->driver_state;
    if (writer->any_written)
        bring_back(writer, true);
    block_close(writer->volume);
    free(writer->written);
    free(writer);
}

static const BlockDriver writer_driver = {
    .name = "vvfat",
    .close = writer_close,
    .read = writer_read,
    .write = writer_write,
    .flush = writer_flush,
    .resize = block_refuse_resize,
};

BlockNode *folder_writer_create(BlockNode *base) {
    FolderWriter *writer = allocate_zeroed(sizeof(*writer));
    BlockNode *node = allocate_zeroed(sizeof(*node));
    writer->folder = folder_of_node(base);
    writer->written = allocate_zeroed(writer->folder->geometry.clusters / 8 + 1);
    folder_know_start(writer->folder);
    node->driver = &writer_driver;
    node->driver_state = writer;
    node->holders = 1;
    node->path = strdup(base->path);
    node->name = strdup(base->name);
    node->length = base->length;
    node->file = base->file;
    base->file = -1;
    writer->volume = block_overlay_create(base);
    return node;
}
