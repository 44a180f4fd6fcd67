/* How often each cluster of a qcow2 image is used, and which ones are free. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include <stdlib.h>
#include <string.h>

#define FILE_BITS 56 /* an offset in the file has no more */

static const char damaged[] =
    "its tables overlap; repair it with: reprise image check -r all, or add "
    "readonly=on";

static uint64_t load_count(const uint8_t *block, unsigned order, uint64_t index) {
    unsigned bits = 1u << order;
    switch (order) {
    case 3:
        return block[index];
    case 4:
        return load_be16(block + index * 2);
    case 5:
        return load_be32(block + index * 4);
    case 6:
        return load_be64(block + index * 8);
    default: /* several to a byte, the first in the lowest bits */
        return block[index * bits / 8] >> (index * bits % 8) & ((1u << bits) - 1);
    }
}

/* Makes the bytes that hold a count; returns how many, at '*position' of the block. */
static size_t store_count(const uint8_t *block, unsigned order, uint64_t index, uint64_t value,
                          uint8_t bytes[8], size_t *position) {
    unsigned bits = 1u << order;
    *position = index * bits / 8;
    store_be64(bytes, value << (order >= 3 ? 64 - bits : 0));
    if (order < 3) {
        unsigned shift = index * bits % 8, mask = ((1u << bits) - 1) << shift;
        bytes[0] = (uint8_t)((block[*position] & ~mask) | (value << shift & mask));
    }
    return order > 3 ? bits / 8 : 1;
}

void qcow2_refcount_encode(uint8_t *block, unsigned order, uint64_t index, uint64_t value) {
    uint8_t bytes[8];
    size_t position, size = store_count(block, order, index, value, bytes, &position);
    memcpy(block + position, bytes, size);
}

bool qcow2_refcount_has(const Qcow2 *image, uint64_t cluster) {
    uint64_t index = cluster >> qcow2_block_bits(image);
    return index < image->refcount_table_size && image->refcount_table[index] != 0;
}

/* The block with a cluster's count. NULL: an error, or '*missing'. */
static uint8_t *find_block(Qcow2 *image, uint64_t cluster, bool *missing, Error *error) {
    uint64_t index = cluster >> qcow2_block_bits(image);
    *missing = !qcow2_refcount_has(image, cluster);
    if (*missing)
        return NULL;
    return qcow2_cache_get(&image->refcount_cache, image->file, index, image->refcount_table[index],
                           error);
}

bool qcow2_refcount_get(Qcow2 *image, uint64_t cluster, uint64_t *value, Error *error) {
    bool missing;
    const uint8_t *block = find_block(image, cluster, &missing, error);
    *value = 0;
    if (block == NULL)
        return missing;
    *value =
        load_count(block, image->refcount_order, cluster & ((1ull << qcow2_block_bits(image)) - 1));
    return true;
}

bool qcow2_refcount_set(Qcow2 *image, uint64_t cluster, uint64_t value, Error *error) {
    bool missing;
    const uint8_t *block = find_block(image, cluster, &missing, error);
    if (block == NULL)
        return missing ? error_set(error, "has no refcount for a cluster in use") : false;
    uint8_t bytes[8];
    size_t position;
    size_t size =
        store_count(block, image->refcount_order, cluster & ((1ull << qcow2_block_bits(image)) - 1),
                    value, bytes, &position);
    return qcow2_cache_write(&image->refcount_cache, image->file,
                             cluster >> qcow2_block_bits(image), position, bytes, size, error);
}

bool qcow2_refcount_use(Qcow2 *image, uint64_t first, uint64_t end, Error *error) {
    bool missing;
    const uint8_t *block = find_block(image, first, &missing, error);
    if (block == NULL)
        return missing ? error_set(error, "has no refcount for a cluster in use") : false;
    uint64_t mask = (1ull << qcow2_block_bits(image)) - 1, bits = 1ull << image->refcount_order;
    size_t from = (size_t)((first & mask) * bits / 8);
    size_t to = (size_t)((((end - 1) & mask) * bits + bits + 7) / 8);
    uint64_t base = from * 8 / bits; /* the first count in these bytes */
    uint8_t *bytes = allocate_zeroed(to - from);
    memcpy(bytes, block + from, to - from);
    for (uint64_t cluster = first; cluster < end; cluster++)
        qcow2_refcount_encode(bytes, image->refcount_order, (cluster & mask) - base, 1);
    bool good = qcow2_cache_write(&image->refcount_cache, image->file,
                                  first >> qcow2_block_bits(image), from, bytes, to - from, error);
    free(bytes);
    return good;
}

void qcow2_refcount_mark_metadata(Qcow2 *image, uint64_t offset, uint64_t bytes, bool is) {
    uint64_t first = offset >> image->cluster_bits;
    for (uint64_t i = 0; i < qcow2_clusters(image, bytes); i++)
        block_unit_map_put(&image->metadata, first + i, is);
}

bool qcow2_refcount_is_metadata(const Qcow2 *image, uint64_t offset) {
    const BlockUnit *unit = block_unit_map_find(&image->metadata, offset >> image->cluster_bits);
    return unit != NULL && unit->place != 0;
}

bool qcow2_refcount_claim_metadata(Qcow2 *image, uint64_t offset, uint64_t bytes) {
    for (uint64_t i = 0; i < qcow2_clusters(image, bytes); i++) {
        uint64_t cluster = offset + (i << image->cluster_bits);
        if (qcow2_refcount_is_metadata(image, cluster))
            return false;
        qcow2_refcount_mark_metadata(image, cluster, 1, true);
    }
    return true;
}

static bool claim_tables(Qcow2 *image, Error *error) {
    if (!qcow2_refcount_claim_metadata(image, 0, 1) ||
        !qcow2_refcount_claim_metadata(image, image->l1_offset, (uint64_t)image->l1_size * 8) ||
        !qcow2_refcount_claim_metadata(image, image->refcount_table_offset,
                                       (uint64_t)image->refcount_table_size * 8))
        return error_set(error, damaged);
    for (uint32_t i = 0; i < image->refcount_table_size; i++) {
        uint64_t block = image->refcount_table[i] &= ~511ull;
        if (block == 0)
            continue;
        if (!qcow2_check_cluster(image, "a refcount block", block, error))
            return false;
        if (!qcow2_refcount_claim_metadata(image, block, 1))
            return error_set(error, damaged);
    }
    for (uint32_t i = 0; i < image->l1_size; i++) {
        uint64_t table = image->l1[i] & QCOW2_OFFSET_MASK;
        if (table == 0)
            continue;
        if (!qcow2_check_cluster(image, "an L2 table", table, error))
            return false;
        if (!qcow2_refcount_claim_metadata(image, table, 1))
            return error_set(error, damaged);
    }
    return true;
}

bool qcow2_refcount_open(Qcow2 *image, Error *error) {
    if (image->refcount_table_size == 0 || image->refcount_table_offset == 0)
        return error_set(error, "has no refcount table; add readonly=on or snapshot=on");
    image->refcount_table =
        qcow2_table_read(image, "its refcount table", image->refcount_table_offset,
                         image->refcount_table_size, error);
    return image->refcount_table != NULL && claim_tables(image, error);
}

/* The first cluster of the range that is in use; '*end' if there is none. */
static bool find_used(Qcow2 *image, uint64_t first, uint64_t end, uint64_t *used, Error *error) {
    for (*used = first; *used < end; (*used)++) {
        uint64_t count;
        if (!qcow2_refcount_get(image, *used, &count, error))
            return false;
        if (count != 0 || qcow2_refcount_is_metadata(image, *used << image->cluster_bits))
            break;
    }
    return true;
}

bool qcow2_refcount_allocate(Qcow2 *image, uint64_t clusters, uint64_t *offset, Error *error) {
    uint64_t first = image->free_hint, blocks;
    if (clusters > 1 && first < image->file_end >> image->cluster_bits)
        first = image->file_end >> image->cluster_bits;
    for (;;) {
        uint64_t used;
        blocks = qcow2_area_blocks(image, first, clusters);
        uint64_t end = first + blocks + clusters;
        if (end >> (FILE_BITS - image->cluster_bits) != 0)
            return error_set(error, "cannot become longer");
        if (!find_used(image, first, end, &used, error))
            return false;
        if (used == end)
            break;
        first = used + 1;
        if (clusters == 1)
            image->free_hint = first;
    }
    uint64_t end = first + blocks + clusters;
    if ((end - 1) >> qcow2_block_bits(image) >= image->refcount_table_size)
        return qcow2_area_grow_table(image, end, error) &&
               qcow2_refcount_allocate(image, clusters, offset, error);
    if (!qcow2_area_take(image, first, blocks, clusters, error))
        return false;
    *offset = (first + blocks) << image->cluster_bits;
    if (clusters == 1 || first == image->free_hint)
        image->free_hint = end;
    return true;
}

bool qcow2_refcount_free(Qcow2 *image, uint64_t offset, uint64_t size, Error *error) {
    uint64_t last = (offset + (size > 0 ? size - 1 : 0)) >> image->cluster_bits;
    for (uint64_t cluster = offset >> image->cluster_bits; size > 0 && cluster <= last; cluster++) {
        uint64_t count;
        if (!qcow2_refcount_get(image, cluster, &count, error))
            return false;
        if (count == 0)
            return error_set(error, "has a cluster in use whose refcount is 0; repair it with: "
                                    "reprise image check -r all");
        if (!qcow2_refcount_set(image, cluster, count - 1, error))
            return false;
        if (count == 1 && cluster < image->freed_lowest)
            image->freed_lowest = cluster;
        if (count == 1 && image->packed_next > cluster << image->cluster_bits &&
            image->packed_next <= (cluster + 1) << image->cluster_bits)
            image->packed_next = 0; /* something else may come to be there */
    }
    return true;
}

void qcow2_refcount_settle(Qcow2 *image) {
    if (image->freed_lowest < image->free_hint)
        image->free_hint = image->freed_lowest;
    image->freed_lowest = UINT64_MAX;
}
