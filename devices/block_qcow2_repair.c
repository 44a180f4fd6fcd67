/* Mends a qcow2 image by what was counted (block_qcow2_check.c): refcounts, the flags that follow
 * from them, and, where refcount blocks are themselves in disorder, all of these anew behind the
 * end of the file. What the guest wrote is never touched. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2_check.h"
#include <stdlib.h>
#include <string.h>

#define HEADER_REFCOUNT_TABLE 48 /* its offset, then its size in clusters */
#define HEADER_REFCOUNT_ORDER 96

static uint64_t largest_count(const Qcow2 *image) {
    unsigned bits = 1u << image->refcount_order;
    return bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
}

static bool refuse_count(const Qcow2 *image, Error *error) {
    return error_set(error, "has a cluster that is used more often than refcounts of %u bits tell",
                     1u << image->refcount_order);
}

typedef bool (*CountTest)(uint64_t kept, uint64_t counted);

static bool is_too_low(uint64_t kept, uint64_t counted) {
    return kept < counted;
}

static bool is_too_high(uint64_t kept, uint64_t counted) {
    return kept > counted;
}

static bool set_counts(Qcow2Checker *checker, CountTest is_wrong, Error *error) {
    Qcow2 *image = checker->image;
    for (uint64_t cluster = 0; cluster < checker->clusters; cluster++) {
        uint64_t kept, counted = checker->counts[cluster];
        if (!qcow2_refcount_get(image, cluster, &kept, error))
            return false;
        if (!is_wrong(kept, counted))
            continue;
        if (counted > largest_count(image))
            return refuse_count(image, error);
        if (!qcow2_refcount_set(image, cluster, counted, error))
            return false;
    }
    return true;
}

/* Counts of clusters that the file does not have yet: they would be lost once it does. */
static bool clear_past_end(Qcow2Checker *checker, Error *error) {
    Qcow2 *image = checker->image;
    unsigned bits = qcow2_block_bits(image);
    uint64_t end = (uint64_t)image->refcount_table_size << bits;
    for (uint64_t cluster = checker->clusters; cluster < end; cluster++) {
        uint64_t kept;
        if (!qcow2_refcount_has(image, cluster)) {
            cluster |= (1ull << bits) - 1; /* the last of those without a block */
            continue;
        }
        if (!qcow2_refcount_get(image, cluster, &kept, error) ||
            (kept > 0 && !qcow2_refcount_set(image, cluster, 0, error)))
            return false;
    }
    return true;
}

static bool set_flag(Qcow2 *image, uint64_t *entry, bool *changed, Error *error) {
    uint64_t offset = *entry & QCOW2_OFFSET_MASK, count = 0, before = *entry;
    if (*entry & QCOW2_COMPRESSED) {
        *entry &= ~QCOW2_COPIED;
    } else if (offset != 0) {
        if (!qcow2_refcount_get(image, offset >> image->cluster_bits, &count, error))
            return false;
        *entry = (*entry & ~QCOW2_COPIED) | (count == 1 ? QCOW2_COPIED : 0);
    }
    *changed = *changed || *entry != before;
    return true;
}

static bool set_table_flags(Qcow2 *image, uint64_t index, Error *error) {
    uint64_t table = image->l1[index] & QCOW2_OFFSET_MASK, entries = image->cluster_bytes / 8;
    uint64_t *loaded = qcow2_table_read(image, "an L2 table", table, entries, error);
    bool good = loaded != NULL, changed = false;
    for (uint64_t i = 0; good && i < entries; i++)
        good = set_flag(image, &loaded[i], &changed, error);
    if (good && changed) {
        qcow2_cache_forget(&image->l2_cache, index);
        good = qcow2_table_write(image, table, loaded, entries, 1, error);
    }
    free(loaded);
    return good;
}

bool qcow2_repair_flags(Qcow2 *image, Error *error) {
    for (uint32_t i = 0; i < image->l1_size; i++) {
        uint64_t table = image->l1[i] & QCOW2_OFFSET_MASK;
        bool changed = false;
        uint8_t bytes[8];
        if (table == 0 || !qcow2_check_cluster(image, "an L2 table", table, NULL))
            continue;
        if (!set_table_flags(image, i, error) || !set_flag(image, &image->l1[i], &changed, error))
            return false;
        store_be64(bytes, image->l1[i]);
        if (changed && !qcow2_file_write(image, image->l1_offset + i * 8ull, bytes, 8, error))
            return false;
    }
    return true;
}

/* Refcount blocks and their table, all new, behind the end of the file. */
typedef struct NewRefcounts {
    uint64_t first; /* cluster: the blocks, then the table */
    uint64_t blocks, table_clusters;
    uint64_t *table;
} NewRefcounts;

static uint64_t end_of(const NewRefcounts *new) {
    return new->first + new->blocks + new->table_clusters;
}

static bool is_counted(const Qcow2Checker *checker, const NewRefcounts *new, uint64_t index) {
    unsigned bits = qcow2_block_bits(checker->image);
    uint64_t begin = index << bits, end = (index + 1) << bits;
    if (end > new->first && begin < end_of(new))
        return true;
    for (uint64_t i = begin; i < end && i < checker->clusters; i++)
        if (checker->counts[i] > 0)
            return true;
    return false;
}

/* The blocks and the table have to count themselves: what they need grows until it fits. */
static bool plan(const Qcow2Checker *checker, NewRefcounts *new, Error *error) {
    const Qcow2 *image = checker->image;
    unsigned bits = qcow2_block_bits(image);
    *new = (NewRefcounts){.first = checker->clusters};
    for (uint64_t before = 0; before == 0 || end_of(new) != before;) {
        before = end_of(new);
        uint64_t indexes = ((before - 1) >> bits) + 1, blocks = 0;
        for (uint64_t i = 0; i < indexes; i++)
            blocks += is_counted(checker, new, i);
        new->blocks = blocks > new->blocks ? blocks : new->blocks;
        new->table_clusters = qcow2_clusters(image, indexes * 8);
    }
    return new->table_clusters << image->cluster_bits <= QCOW2_REFCOUNT_TABLE_BYTES_MAXIMUM ||
           error_set(error, "is too large for a refcount table");
}

static bool write_block(Qcow2Checker *checker, const NewRefcounts *new, uint64_t index,
                        uint64_t place, Error *error) {
    Qcow2 *image = checker->image;
    unsigned bits = qcow2_block_bits(image);
    uint64_t begin = index << bits;
    uint8_t *block = allocate_zeroed(image->cluster_bytes);
    bool good = true;
    for (uint64_t i = 0; good && i < 1ull << bits; i++) {
        uint64_t cluster = begin + i, count = 0;
        if (cluster < checker->clusters)
            count = checker->counts[cluster];
        else if (cluster < end_of(new))
            count = 1;
        if (count > largest_count(image))
            good = refuse_count(image, error);
        else if (count > 0)
            qcow2_refcount_encode(block, image->refcount_order, i, count);
    }
    good = good && qcow2_file_write(image, place, block, image->cluster_bytes, error);
    free(block);
    return good;
}

static bool write_all(Qcow2Checker *checker, NewRefcounts *new, Error *error) {
    Qcow2 *image = checker->image;
    uint64_t entries = new->table_clusters << (image->cluster_bits - 3), place = new->first;
    uint64_t indexes = ((end_of(new) - 1) >> qcow2_block_bits(image)) + 1;
    uint64_t table_offset = (new->first + new->blocks) << image->cluster_bits;
    new->table = allocate_zeroed(entries * sizeof(*new->table));
    for (uint64_t i = 0; i < indexes; i++) {
        if (!is_counted(checker, new, i))
            continue;
        new->table[i] = place++ << image->cluster_bits;
        if (!write_block(checker, new, i, new->table[i], error))
            return false;
    }
    return qcow2_table_write(image, table_offset, new->table, entries, new->table_clusters, error);
}

/* Table and width change together: one write, within a page of the file. */
static bool switch_to(Qcow2 *image, NewRefcounts *new, Error *error) {
    uint8_t header[HEADER_REFCOUNT_ORDER + 4 - HEADER_REFCOUNT_TABLE];
    uint64_t offset = (new->first + new->blocks) << image->cluster_bits;
    size_t size = image->version >= 3 ? sizeof(header) : 12;
    if (!qcow2_file_read(image, HEADER_REFCOUNT_TABLE, header, size, error))
        return false;
    store_be64(header, offset);
    store_be32(header + 8, (uint32_t) new->table_clusters);
    if (image->version >= 3)
        store_be32(header + sizeof(header) - 4, image->refcount_order);
    if (!qcow2_file_write(image, HEADER_REFCOUNT_TABLE, header, size, error))
        return false;
    free(image->refcount_table);
    image->refcount_table = new->table;
    new->table = NULL;
    image->refcount_table_offset = offset;
    image->refcount_table_size = (uint32_t)(new->table_clusters << (image->cluster_bits - 3));
    qcow2_cache_destroy(&image->refcount_cache);
    qcow2_cache_init(&image->refcount_cache, image->cluster_bytes);
    return true;
}

/* What the old table and blocks take is no longer in use. */
static void uncount_refcounts(Qcow2Checker *checker) {
    const Qcow2 *image = checker->image;
    uint64_t first = image->refcount_table_offset >> image->cluster_bits;
    for (uint64_t i = 0; i < qcow2_clusters(image, image->refcount_table_size * 8ull); i++)
        if (first + i < checker->clusters && checker->counts[first + i] > 0)
            checker->counts[first + i]--;
    for (uint32_t i = 0; i < image->refcount_table_size; i++) {
        uint64_t block = image->refcount_table[i];
        if (block != 0 && checker->counts[block >> image->cluster_bits] > 0)
            checker->counts[block >> image->cluster_bits]--;
    }
}

bool qcow2_repair_rebuild(Qcow2Checker *checker, unsigned order, Error *error) {
    Qcow2 *image = checker->image;
    NewRefcounts new;
    unsigned before = image->refcount_order;
    uncount_refcounts(checker);
    image->refcount_order = order;
    bool good = plan(checker, &new, error) && write_all(checker, &new, error) &&
                switch_to(image, &new, error);
    if (!good)
        image->refcount_order = before;
    free(new.table);
    return good;
}

/* Counts go up before flags are taken away and down before they are set, so that a kill between
 * leaves nothing that could be written while others use it. */
bool qcow2_repair(Qcow2Checker *checker, bool all, Error *error) {
    if (all && checker->blocks_unsound)
        return qcow2_repair_rebuild(checker, checker->image->refcount_order, error) &&
               qcow2_repair_flags(checker->image, error);
    if (checker->blocks_unsound)
        return true; /* whatever is written there could be something else */
    if (all &&
        (!set_counts(checker, is_too_low, error) || !qcow2_repair_flags(checker->image, error)))
        return false;
    return set_counts(checker, is_too_high, error) && clear_past_end(checker, error) &&
           (!all || qcow2_repair_flags(checker->image, error));
}
