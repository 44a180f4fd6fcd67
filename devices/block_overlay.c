/* The overlay of snapshot=on: writes go to an unnamed temporary file, reads come from there where
 * something was written and from the node below elsewhere.
 *
 * The temporary file is sparse and has the image's own offsets, so that a bit for each cluster is
 * all there is to remember. */
#include "allocate.h"
#include "block_driver.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLUSTER_BYTES 65536u

typedef struct Overlay {
    int file;
    uint8_t *written; /* a bit for each cluster */
    uint64_t cluster_capacity;
} Overlay;

static bool cluster_is_written(const Overlay *overlay, uint64_t cluster) {
    return cluster < overlay->cluster_capacity &&
           (overlay->written[cluster / 8] >> (cluster % 8) & 1) != 0;
}

/* Makes room for the bit and sets it. The bitmap grows with the highest offset ever written, which
 * the devices bound by their medium. */
static bool mark_written(Overlay *overlay, uint64_t cluster, Error *error) {
    if (cluster >= overlay->cluster_capacity) {
        uint64_t capacity = (cluster / 4096 + 1) * 4096;
        uint8_t *written = realloc(overlay->written, capacity / 8);
        if (written == NULL)
            return error_set(error, "no memory for the overlay's map");
        memset(written + overlay->cluster_capacity / 8, 0,
               (capacity - overlay->cluster_capacity) / 8);
        overlay->written = written;
        overlay->cluster_capacity = capacity;
    }
    overlay->written[cluster / 8] |= (uint8_t)(1u << (cluster % 8));
    return true;
}

/* The part of a transfer that lies within one cluster. */
static size_t bytes_in_cluster(uint64_t offset, size_t size) {
    size_t room = CLUSTER_BYTES - (size_t)(offset % CLUSTER_BYTES);
    return size < room ? size : room;
}

static bool overlay_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    Overlay *overlay = node->driver_state;
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = bytes_in_cluster(offset, size);
        bool read = cluster_is_written(overlay, offset / CLUSTER_BYTES)
                        ? block_file_read(overlay->file, offset, bytes, part, error)
                        : block_read(node->below, offset, bytes, part, error);
        if (!read)
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* The first write into a cluster brings the rest of it up from below, a whole cluster long, so that
 * every later read of a written cluster finds all its bytes. */
static bool copy_up(BlockNode *node, uint64_t cluster, Error *error) {
    Overlay *overlay = node->driver_state;
    uint8_t *copy = malloc(CLUSTER_BYTES);
    if (copy == NULL)
        return error_set(error, "no memory for the overlay");
    uint64_t start = cluster * CLUSTER_BYTES;
    bool copied = block_read(node->below, start, copy, CLUSTER_BYTES, error) &&
                  block_file_write(overlay->file, start, copy, CLUSTER_BYTES, error) &&
                  mark_written(overlay, cluster, error);
    free(copy);
    return copied;
}

static bool overlay_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                          Error *error) {
    Overlay *overlay = node->driver_state;
    const uint8_t *bytes = data;
    while (size > 0) {
        size_t part = bytes_in_cluster(offset, size);
        uint64_t cluster = offset / CLUSTER_BYTES;
        if (!cluster_is_written(overlay, cluster) && !copy_up(node, cluster, error))
            return false;
        if (!block_file_write(overlay->file, offset, bytes, part, error))
            return error_prefix(error, "%s: temporary overlay ", node->path);
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* Nothing of an overlay outlives the process, so there is nothing to keep safe. */
static bool overlay_flush(BlockNode *node, Error *error) {
    (void)node;
    (void)error;
    return true;
}

static void overlay_close(BlockNode *node) {
    Overlay *overlay = node->driver_state;
    close(overlay->file);
    free(overlay->written);
    free(overlay);
}

static const BlockDriver overlay_driver = {
    .name = "raw",
    .close = overlay_close,
    .read = overlay_read,
    .write = overlay_write,
    .flush = overlay_flush,
};

BlockNode *block_overlay_create(BlockNode *below, Error *error) {
    int file = block_temporary_open("snapshot=on", error);
    if (file < 0)
        return NULL;
    Overlay *overlay = allocate_zeroed(sizeof(*overlay));
    overlay->file = file;
    BlockNode *node = allocate_zeroed(sizeof(*node));
    node->driver = &overlay_driver;
    node->driver_state = overlay;
    node->name = strdup(below->name);
    node->path = strdup(below->path);
    node->length = below->length;
    node->file = -1;
    node->holders = 1;
    node->below = below;
    return node;
}
