#include "block_layer.h"
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include <stdlib.h>
#include <string.h>

BlockLayer *block_layer_create(Error *error) {
    int file = block_temporary_open("snapshot=on", error);
    if (file < 0)
        return NULL;
    BlockLayer *layer = allocate_zeroed(sizeof(*layer));
    layer->file = file;
    layer->holders = 1;
    return layer;
}

BlockLayer *block_layer_hold(BlockLayer *layer) {
    __atomic_add_fetch(&layer->holders, 1, __ATOMIC_RELAXED);
    return layer;
}

void block_layer_release(BlockLayer *layer) {
    if (layer == NULL || __atomic_sub_fetch(&layer->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    close(layer->file);
    free(layer->written);
    free(layer);
}

bool block_layer_has(const BlockLayer *layer, uint64_t cluster) {
    return cluster < layer->cluster_capacity &&
           (layer->written[cluster / 8] >> (cluster % 8) & 1) != 0;
}

/* Makes room for the bit and sets it. The map grows with the highest offset ever written, which the
 * devices bound by their medium. */
static bool mark_written(BlockLayer *layer, uint64_t cluster, Error *error) {
    if (cluster >= layer->cluster_capacity) {
        uint64_t capacity = (cluster / 4096 + 1) * 4096;
        uint8_t *written = realloc(layer->written, capacity / 8);
        if (written == NULL)
            return error_set(error, "no memory for the overlay's map");
        memset(written + layer->cluster_capacity / 8, 0, (capacity - layer->cluster_capacity) / 8);
        layer->written = written;
        layer->cluster_capacity = capacity;
    }
    layer->written[cluster / 8] |= (uint8_t)(1u << (cluster % 8));
    return true;
}

bool block_layer_read(const BlockLayer *layer, uint64_t offset, void *data, size_t size,
                      Error *error) {
    return block_file_read(layer->file, offset, data, size, error);
}

bool block_layer_write(BlockLayer *layer, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    return block_file_write(layer->file, offset, data, size, error) ||
           error_prefix(error, "temporary overlay ");
}

bool block_layer_add(BlockLayer *layer, uint64_t cluster, const void *data, Error *error) {
    return block_layer_write(layer, cluster * BLOCK_CLUSTER_BYTES, data, BLOCK_CLUSTER_BYTES,
                             error) &&
           mark_written(layer, cluster, error);
}
