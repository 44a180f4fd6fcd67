/* What a qcow2 image tells about itself: its settings, its snapshots, where its data lie. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include "block_qcow2_image.h"
#include <stdlib.h>
#include <string.h>

enum {
    SNAPSHOT_COUNT = 60,
    SNAPSHOT_OFFSET = 64,
    INCOMPATIBLE = 72,
    COMPATIBLE = 80,
    HEADER_BYTES = 104,
};
enum { INCOMPATIBLE_DIRTY = 1, INCOMPATIBLE_CORRUPT = 2, COMPATIBLE_LAZY_REFCOUNTS = 1 };

#define SNAPSHOTS_MAXIMUM 65536u
#define SNAPSHOT_HEAD_BYTES 40u
#define SNAPSHOT_EXTRA_MAXIMUM 1024u

/* A text whose length is before it; what is too long is cut. */
static bool read_text(const Qcow2 *image, uint64_t offset, size_t length, char *text, size_t room,
                      Error *error) {
    size_t wanted = length < room - 1 ? length : room - 1;
    text[wanted] = '\0';
    return qcow2_file_read(image, offset, text, wanted, error);
}

static bool read_snapshot(const Qcow2 *image, uint64_t *offset, Qcow2Snapshot *snapshot,
                          Error *error) {
    uint8_t head[SNAPSHOT_HEAD_BYTES], extra[24] = {0};
    if (!qcow2_file_read(image, *offset, head, sizeof(head), error))
        return false;
    BlockSnapshotInfo *info = &snapshot->info;
    uint32_t extra_bytes = load_be32(head + 36);
    size_t id_bytes = load_be16(head + 12), name_bytes = load_be16(head + 14);
    snapshot->l1_offset = load_be64(head);
    snapshot->l1_size = load_be32(head + 8);
    info->date_seconds = load_be32(head + 16);
    info->date_nanoseconds = load_be32(head + 20);
    info->clock_ns = load_be64(head + 24);
    info->state_bytes = load_be32(head + 32);
    if (extra_bytes > SNAPSHOT_EXTRA_MAXIMUM || *offset >= image->file_end)
        return error_set(error, "is damaged: its table of snapshots has no end");
    uint64_t at = *offset + sizeof(head);
    if (!qcow2_file_read(image, at, extra,
                         extra_bytes < sizeof(extra) ? extra_bytes : sizeof(extra), error))
        return false;
    if (extra_bytes >= 8)
        info->state_bytes = load_be64(extra);
    info->has_instruction_count = extra_bytes >= 24 && load_be64(extra + 16) != UINT64_MAX;
    info->instruction_count = info->has_instruction_count ? load_be64(extra + 16) : 0;
    snapshot->disk_bytes = extra_bytes >= 16 ? load_be64(extra + 8) : 0;
    snapshot->position = *offset;
    at += extra_bytes;
    *offset = (at + id_bytes + name_bytes + 7) & ~7ull;
    snapshot->bytes = *offset - snapshot->position;
    return read_text(image, at, id_bytes, info->id, sizeof(info->id), error) &&
           read_text(image, at + id_bytes, name_bytes, info->name, sizeof(info->name), error);
}

bool qcow2_snapshots_read(const BlockNode *node, Qcow2Snapshot **snapshots, size_t *count,
                          uint64_t *table_offset, uint64_t *table_bytes, Error *error) {
    const Qcow2 *image = node->driver_state;
    uint8_t header[HEADER_BYTES];
    *snapshots = NULL;
    *count = 0;
    if (!qcow2_file_read(image, 0, header, sizeof(header), error))
        return false;
    uint32_t wanted = load_be32(header + SNAPSHOT_COUNT);
    uint64_t offset = *table_offset = load_be64(header + SNAPSHOT_OFFSET);
    if (wanted > SNAPSHOTS_MAXIMUM || (wanted > 0 && offset >= image->file_end))
        return error_set(error, "is damaged: it has %u snapshots, or they are past its end",
                         wanted);
    size_t capacity = 0;
    bool good = true;
    for (uint32_t i = 0; good && i < wanted; i++) {
        *snapshots = allocate_grow(*snapshots, &capacity, i + 1, sizeof(**snapshots));
        memset(&(*snapshots)[i], 0, sizeof(**snapshots));
        good = read_snapshot(image, &offset, &(*snapshots)[i], error);
        *count = i + 1;
    }
    *table_bytes = offset - *table_offset;
    if (!good) {
        free(*snapshots);
        *snapshots = NULL;
        *count = 0;
    }
    return good;
}

const Qcow2Snapshot *qcow2_snapshots_find(const Qcow2Snapshot *snapshots, size_t count,
                                          const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(snapshots[i].info.name, name) == 0)
            return &snapshots[i];
    for (size_t i = 0; i < count; i++)
        if (strcmp(snapshots[i].info.id, name) == 0)
            return &snapshots[i];
    return NULL;
}

static bool tell_backing(const Qcow2 *image, BlockInfo *info, Error *error) {
    Qcow2 again = {.file = image->file, .file_end = image->file_end};
    char *path = NULL, *format = NULL;
    bool good = qcow2_header_read(&again, &path, &format, error);
    if (good && path != NULL)
        strncpy(info->backing, path, sizeof(info->backing) - 1);
    if (good && format != NULL)
        strncpy(info->backing_format, format, sizeof(info->backing_format) - 1);
    free(path);
    free(format);
    return good;
}

static bool tell_snapshots(const BlockNode *node, BlockInfo *info, Error *error) {
    Qcow2Snapshot *snapshots;
    uint64_t offset, bytes;
    size_t count;
    if (!qcow2_snapshots_read(node, &snapshots, &count, &offset, &bytes, error))
        return false;
    info->snapshots = allocate_zeroed((count + 1) * sizeof(*info->snapshots));
    info->snapshot_count = count;
    for (size_t i = 0; i < count; i++)
        info->snapshots[i] = snapshots[i].info;
    free(snapshots);
    return true;
}

bool qcow2_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Qcow2 *image = node->driver_state;
    uint8_t header[HEADER_BYTES];
    if (!qcow2_file_read(image, 0, header, sizeof(header), error) ||
        !tell_backing(image, info, error) || !tell_snapshots(node, info, error))
        return false;
    bool new = image->version >= 3;
    uint64_t incompatible = new ? load_be64(header + INCOMPATIBLE) : 0;
    info->cluster_bytes = (uint32_t)image->cluster_bytes;
    info->dirty = (incompatible & INCOMPATIBLE_DIRTY) != 0;
    block_info_add_text(info, "compat", new ? "1.1" : "0.10");
    block_info_add_text(info, "compression-type",
                        image->compression == QCOW2_ZSTD ? "zstd" : "zlib");
    if (new)
        block_info_add_bool(info, "lazy-refcounts",
                            load_be64(header + COMPATIBLE) & COMPATIBLE_LAZY_REFCOUNTS);
    block_info_add_number(info, "refcount-bits", 1ull << image->refcount_order);
    if (new) {
        block_info_add_bool(info, "corrupt", (incompatible & INCOMPATIBLE_CORRUPT) != 0);
        block_info_add_bool(info, "extended-l2", false);
    }
    return true;
}

static bool extent_of_place(BlockNode *node, const Qcow2Place *place, uint64_t offset,
                            BlockExtent *extent, Error *error) {
    const Qcow2 *image = node->driver_state;
    bool in_file = place->kind == QCOW2_DATA ||
                   (place->kind == QCOW2_ZEROS && (place->entry & QCOW2_OFFSET_MASK) != 0);
    uint64_t behind = image->backing != NULL ? block_length(image->backing) : 0;
    if (place->kind == QCOW2_UNALLOCATED && offset < behind) {
        if (!block_map(image->backing, offset, place->size, extent, error))
            return false;
        extent->depth = extent->present ? extent->depth + 1 : 0;
        return true;
    }
    *extent = (BlockExtent){
        .length = place->size,
        .present = place->kind != QCOW2_UNALLOCATED,
        .zero = place->kind == QCOW2_ZEROS || place->kind == QCOW2_UNALLOCATED,
        .data = place->kind == QCOW2_DATA || place->kind == QCOW2_PACKED,
        .compressed = place->kind == QCOW2_PACKED,
        .has_offset = in_file,
        .offset = in_file ? place->offset : 0,
        .file_path = node->path,
    };
    /* Clusters of zeros go on whatever room they keep. */
    uint64_t room = image->cluster_bytes - (offset & (image->cluster_bytes - 1));
    if (in_file && place->kind == QCOW2_ZEROS && extent->length > room)
        extent->length = room;
    return true;
}

bool qcow2_extent(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                  Error *error) {
    Qcow2 *image = node->driver_state;
    Qcow2Place place;
    pthread_mutex_lock(&image->lock);
    bool good = qcow2_map_find(image, offset, length, &place, error) &&
                extent_of_place(node, &place, offset, extent, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}
