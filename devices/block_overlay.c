/* The overlay of snapshot=on: writes go to a temporary layer, reads come from there where something
 * was written and from the node below elsewhere.
 *
 * Between the two may lie layers that other overlays share: block_share() turns what was written so
 * far into one, and both go on with a layer of their own, made at the first write. */
#include "allocate.h"
#include "block_driver.h"
#include "block_layer.h"
#include <stdlib.h>
#include <string.h>

#define LAYERS_MAXIMUM 8

typedef struct Overlay {
    BlockLayer *own;                    /* NULL: nothing was written yet */
    BlockLayer *shared[LAYERS_MAXIMUM]; /* the newest first */
    unsigned shared_count;
} Overlay;

/* The newest layer that has the cluster; NULL: it comes from below. */
static const BlockLayer *find_layer(const Overlay *overlay, uint64_t cluster) {
    if (overlay->own != NULL && block_layer_has(overlay->own, cluster))
        return overlay->own;
    for (unsigned i = 0; i < overlay->shared_count; i++)
        if (block_layer_has(overlay->shared[i], cluster))
            return overlay->shared[i];
    return NULL;
}

static bool overlay_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, BLOCK_CLUSTER_BYTES);
        const BlockLayer *layer = find_layer(node->driver_state, offset / BLOCK_CLUSTER_BYTES);
        if (!(layer != NULL ? block_layer_read(layer, offset, bytes, part, error)
                            : block_read(node->below, offset, bytes, part, error)))
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
    uint8_t *copy = malloc(BLOCK_CLUSTER_BYTES);
    if (copy == NULL)
        return error_set(error, "no memory for the overlay");
    bool copied =
        overlay_read(node, cluster * BLOCK_CLUSTER_BYTES, copy, BLOCK_CLUSTER_BYTES, error) &&
        block_layer_add(overlay->own, cluster, copy, error);
    free(copy);
    return copied;
}

static bool overlay_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                          Error *error) {
    Overlay *overlay = node->driver_state;
    const uint8_t *bytes = data;
    if (overlay->own == NULL && (overlay->own = block_layer_create(error)) == NULL)
        return false;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, BLOCK_CLUSTER_BYTES);
        uint64_t cluster = offset / BLOCK_CLUSTER_BYTES;
        if (!block_layer_has(overlay->own, cluster) && !copy_up(node, cluster, error))
            return false;
        if (!block_layer_write(overlay->own, offset, bytes, part, error))
            return error_prefix(error, "%s: ", node->path);
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
    block_layer_release(overlay->own);
    for (unsigned i = 0; i < overlay->shared_count; i++)
        block_layer_release(overlay->shared[i]);
    free(overlay);
}

static const BlockDriver overlay_driver = {
    .name = "raw",
    .close = overlay_close,
    .read = overlay_read,
    .write = overlay_write,
    .flush = overlay_flush,
};

BlockNode *block_overlay_create(BlockNode *below) {
    BlockNode *node = allocate_zeroed(sizeof(*node));
    node->driver = &overlay_driver;
    node->driver_state = allocate_zeroed(sizeof(Overlay));
    node->name = strdup(below->name);
    node->path = strdup(below->path);
    node->length = below->length;
    node->file = -1;
    node->holders = 1;
    node->below = below;
    return node;
}

static uint64_t cluster_count(const BlockNode *node) {
    return (node->length + BLOCK_CLUSTER_BYTES - 1) / BLOCK_CLUSTER_BYTES;
}

bool block_next_written(const BlockNode *node, uint64_t *offset) {
    const Overlay *overlay = node->driver_state;
    if (node->below == NULL)
        return false;
    for (uint64_t cluster = *offset / BLOCK_CLUSTER_BYTES; cluster < cluster_count(node);
         cluster++) {
        *offset = cluster * BLOCK_CLUSTER_BYTES;
        if (find_layer(overlay, cluster) != NULL)
            return true;
    }
    return false;
}

/* All shared layers become one, so that reads need not look through ever more of them. */
static bool join_layers(BlockNode *node, Error *error) {
    Overlay *overlay = node->driver_state;
    BlockLayer *joined = block_layer_create(error);
    uint8_t *copy = malloc(BLOCK_CLUSTER_BYTES);
    bool good = joined != NULL && copy != NULL;
    for (uint64_t offset = 0; good && block_next_written(node, &offset);
         offset += BLOCK_CLUSTER_BYTES)
        good = overlay_read(node, offset, copy, BLOCK_CLUSTER_BYTES, error) &&
               block_layer_add(joined, offset / BLOCK_CLUSTER_BYTES, copy, error);
    free(copy);
    if (!good) {
        block_layer_release(joined);
        return error_set(error, "no memory to share what was written to a disk");
    }
    for (unsigned i = 0; i < overlay->shared_count; i++)
        block_layer_release(overlay->shared[i]);
    overlay->shared[0] = joined;
    overlay->shared_count = 1;
    return true;
}

/* What the overlay has for its own is shared from now on. */
static bool seal(BlockNode *node, Error *error) {
    Overlay *overlay = node->driver_state;
    if (overlay->own == NULL)
        return true;
    if (overlay->shared_count == LAYERS_MAXIMUM - 1 && !join_layers(node, error))
        return false;
    memmove(overlay->shared + 1, overlay->shared,
            overlay->shared_count * sizeof(overlay->shared[0]));
    overlay->shared[0] = overlay->own;
    overlay->shared_count++;
    overlay->own = NULL;
    return true;
}

BlockNode *block_share(BlockNode *node, Error *error) {
    if (node->read_only && node->below == NULL)
        return block_hold(node);
    if (node->below == NULL) {
        error_set(error,
                  "%s: is written straight to the file, which two machines cannot do; add "
                  "snapshot=on",
                  node->path);
        return NULL;
    }
    if (!seal(node, error))
        return NULL;
    BlockNode *twin = block_overlay_create(block_hold(node->below));
    Overlay *overlay = twin->driver_state;
    *overlay = *(const Overlay *)node->driver_state;
    for (unsigned i = 0; i < overlay->shared_count; i++)
        block_layer_hold(overlay->shared[i]);
    twin->length = node->length;
    twin->read_only = node->read_only;
    return twin;
}
