/* A layer of an overlay: clusters that were written, in a temporary file. While it is an overlay's
 * own it is written; once shared it never changes again, and overlays of several machines, on
 * several threads, may lie over it.
 *
 * The temporary file is sparse and has the image's own offsets, so that a bit for each cluster is
 * all there is to remember. */
#ifndef REPRISE_BLOCK_LAYER_H
#define REPRISE_BLOCK_LAYER_H

#include "block.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct BlockLayer {
    unsigned holders; /* atomic */
    int file;
    uint8_t *written; /* a bit for each cluster */
    uint64_t cluster_capacity;
} BlockLayer;

BlockLayer *block_layer_create(Error *error);
BlockLayer *block_layer_hold(BlockLayer *layer);
/* NULL is allowed. */
void block_layer_release(BlockLayer *layer);

bool block_layer_has(const BlockLayer *layer, uint64_t cluster);
/* Within one cluster that is there. */
bool block_layer_read(const BlockLayer *layer, uint64_t offset, void *data, size_t size,
                      Error *error);
bool block_layer_write(BlockLayer *layer, uint64_t offset, const void *data, size_t size,
                       Error *error);
/* A whole cluster, there from now on. */
bool block_layer_add(BlockLayer *layer, uint64_t cluster, const void *data, Error *error);

#endif
