/* New refcount blocks and a longer refcount table.
 *
 * A refcount block is a cluster that is counted itself, maybe in itself. So clusters are taken as
 * an area: first the blocks that are missing to count it, then what was asked for. Block number j
 * of an area counts a range that does not begin before cluster j's own, hence linking the blocks in
 * order never leaves one in use that nothing counts. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include <stdlib.h>
#include <string.h>

#define HEADER_REFCOUNT_TABLE 48 /* its offset, then its size in clusters */

static bool has_block(const Qcow2 *image, uint64_t index) {
    return index < image->refcount_table_size && image->refcount_table[index] != 0;
}

uint64_t qcow2_area_blocks(const Qcow2 *image, uint64_t first, uint64_t clusters) {
    unsigned bits = qcow2_block_bits(image);
    uint64_t blocks = 0, index = first >> bits;
    for (; index <= (first + blocks + clusters - 1) >> bits; index++)
        blocks += !has_block(image, index);
    return blocks;
}

/* A block for range 'index', which counts the area's clusters in it once. */
static bool write_block(Qcow2 *image, uint64_t index, uint64_t place, uint64_t first, uint64_t end,
                        Error *error) {
    uint64_t begin = index << qcow2_block_bits(image), range_end = (index + 1)
                                                                   << qcow2_block_bits(image);
    uint8_t *block = allocate_zeroed(image->cluster_bytes);
    unsigned bits = 1u << image->refcount_order;
    for (uint64_t i = first > begin ? first : begin; i < end && i < range_end; i++) {
        /* The lowest bit of a count: in big-endian order that of its last byte. */
        uint64_t bit = (i - begin) * bits;
        if (bits <= 8)
            block[bit / 8] |= (uint8_t)(1u << bit % 8);
        else
            block[bit / 8 + bits / 8 - 1] = 1;
    }
    bool good = qcow2_file_write(image, place, block, image->cluster_bytes, error);
    free(block);
    return good;
}

/* Counts the area's clusters that have a block, and writes the blocks of the others. The table does
 * not point to them yet. */
static bool count_area(Qcow2 *image, uint64_t first, uint64_t end, Error *error) {
    unsigned bits = qcow2_block_bits(image);
    uint64_t place = first;
    for (uint64_t index = first >> bits; index <= (end - 1) >> bits; index++) {
        if (!has_block(image, index)) {
            if (!write_block(image, index, place++ << image->cluster_bits, first, end, error))
                return false;
            continue;
        }
        uint64_t begin = index << bits, range_end = (index + 1) << bits;
        if (!qcow2_refcount_use(image, first > begin ? first : begin,
                                end < range_end ? end : range_end, error))
            return false;
    }
    return true;
}

bool qcow2_area_take(Qcow2 *image, uint64_t first, uint64_t blocks, uint64_t clusters,
                     Error *error) {
    unsigned bits = qcow2_block_bits(image);
    uint64_t end = first + blocks + clusters, place = first;
    if (!count_area(image, first, end, error))
        return false;
    for (uint64_t index = first >> bits; index <= (end - 1) >> bits; index++) {
        if (has_block(image, index))
            continue;
        uint8_t bytes[8];
        uint64_t block = place++ << image->cluster_bits;
        store_be64(bytes, block);
        if (!qcow2_file_write(image, image->refcount_table_offset + index * 8, bytes, sizeof(bytes),
                              error))
            return false;
        image->refcount_table[index] = block;
        qcow2_cache_forget(&image->refcount_cache, index);
        qcow2_refcount_mark_metadata(image, block, 1, true);
    }
    return true;
}

/* The header points to the new table from now on, and the old one is given back. */
static bool switch_table(Qcow2 *image, uint64_t *table, uint64_t offset, uint64_t clusters,
                         Error *error) {
    uint8_t header[12];
    store_be64(header, offset);
    store_be32(header + 8, (uint32_t)clusters);
    if (!qcow2_file_write(image, HEADER_REFCOUNT_TABLE, header, sizeof(header), error))
        return false;
    uint64_t old = image->refcount_table_offset;
    uint64_t old_bytes = (uint64_t)image->refcount_table_size * 8;
    free(image->refcount_table);
    image->refcount_table = table;
    image->refcount_table_offset = offset;
    image->refcount_table_size = (uint32_t)(clusters << (image->cluster_bits - 3));
    qcow2_refcount_mark_metadata(image, old, old_bytes, false);
    qcow2_refcount_mark_metadata(image, offset, clusters << image->cluster_bits, true);
    return true;
}

/* Writes the blocks and the table of an area at 'first', and switches to them at once. */
static bool move_table(Qcow2 *image, uint64_t first, uint64_t blocks, uint64_t clusters,
                       Error *error) {
    unsigned bits = qcow2_block_bits(image);
    uint64_t end = first + blocks + clusters, place = first;
    uint64_t entries = clusters << (image->cluster_bits - 3);
    uint64_t old = image->refcount_table_offset;
    uint64_t old_bytes = (uint64_t)image->refcount_table_size * 8;
    if (!count_area(image, first, end, error))
        return false;
    uint64_t *table = allocate_zeroed(entries * sizeof(*table));
    memcpy(table, image->refcount_table, image->refcount_table_size * sizeof(*table));
    for (uint64_t index = first >> bits; index <= (end - 1) >> bits; index++)
        if (!has_block(image, index))
            table[index] = place++ << image->cluster_bits;
    uint64_t offset = (first + blocks) << image->cluster_bits;
    if (!qcow2_table_write(image, offset, table, entries, clusters, error) ||
        !switch_table(image, table, offset, clusters, error)) {
        free(table);
        return false;
    }
    for (uint64_t index = first >> bits; index <= (end - 1) >> bits; index++)
        qcow2_cache_forget(&image->refcount_cache, index);
    qcow2_refcount_mark_metadata(image, first << image->cluster_bits, blocks << image->cluster_bits,
                                 true);
    return qcow2_refcount_free(image, old, old_bytes, error);
}

bool qcow2_area_grow_table(Qcow2 *image, uint64_t clusters, Error *error) {
    unsigned bits = qcow2_block_bits(image);
    uint64_t first = qcow2_clusters(image, image->file_end);
    uint64_t size = image->refcount_table_size * 3ull / 2, blocks, table_clusters;
    if (first < clusters)
        first = clusters;
    for (;; size += size / 4 + 1) {
        table_clusters = qcow2_clusters(image, size * 8);
        if (table_clusters << image->cluster_bits > QCOW2_REFCOUNT_TABLE_BYTES_MAXIMUM)
            return error_set(error, "is as large as its refcount table can count");
        blocks = qcow2_area_blocks(image, first, table_clusters);
        uint64_t last = first + blocks + table_clusters - 1;
        if (last >> bits < table_clusters << (image->cluster_bits - 3))
            return move_table(image, first, blocks, table_clusters, error);
    }
}
