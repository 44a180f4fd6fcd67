/* Checks a qcow2 image: walks all that points to clusters, counts, and compares with the refcounts
 * that the image keeps. A count that is too high loses room, one that is too low loses data. */
#include "block_qcow2_check.h"
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2_image.h"
#include <stdlib.h>
#include <string.h>

/* 16 TB of the usual clusters, a gigabyte of counters. */
#define CLUSTERS_MAXIMUM (1ull << 28)
#define AUTOCLEAR_BITMAPS 1u

/* One more use of all the clusters that the range lies in. */
static void count_range(Qcow2Checker *checker, uint64_t offset, uint64_t size) {
    unsigned bits = checker->image->cluster_bits;
    if (size == 0)
        return;
    if (offset > checker->image->file_end || size > UINT64_MAX - offset) {
        checker->check->corruptions++;
        return;
    }
    uint64_t last = (offset + size - 1) >> bits;
    for (uint64_t cluster = offset >> bits; cluster <= last; cluster++) {
        if (cluster >= checker->clusters) {
            checker->check->corruptions++; /* past the end of the file */
            return;
        }
        if (checker->counts[cluster] < UINT32_MAX)
            checker->counts[cluster]++;
    }
}

static void note_fragments(Qcow2Checker *checker, uint64_t entry, bool packed) {
    uint64_t offset = entry & QCOW2_OFFSET_MASK;
    checker->check->allocated_clusters++;
    if (packed) { /* lies somewhere in between, always */
        checker->check->compressed_clusters++;
        checker->check->fragmented_clusters++;
        return;
    }
    if (checker->contiguous != 0 && offset != checker->contiguous)
        checker->check->fragmented_clusters++;
    checker->contiguous = offset + checker->image->cluster_bytes;
}

static void count_entry(Qcow2Checker *checker, uint64_t entry, bool active) {
    const Qcow2 *image = checker->image;
    uint64_t offset = entry & QCOW2_OFFSET_MASK, size = image->cluster_bytes;
    bool packed = (entry & QCOW2_COMPRESSED) != 0;
    if (packed)
        qcow2_packed_extent(image, entry, &offset, &size);
    else if (offset == 0)
        return;
    else if ((offset & (image->cluster_bytes - 1)) != 0)
        checker->check->corruptions++;
    if (active)
        note_fragments(checker, entry, packed);
    /* The last sectors that a compressed cluster counts need not be in the file. */
    if (packed && offset < image->file_end && size > image->file_end - offset)
        size = image->file_end - offset;
    count_range(checker, offset, size);
}

typedef void (*EntryFunction)(Qcow2Checker *checker, uint64_t entry, bool active);

/* Calls the function for each entry of the L2 table. */
static void walk_table(Qcow2Checker *checker, uint64_t table, bool active, EntryFunction function) {
    const Qcow2 *image = checker->image;
    uint64_t entries = image->cluster_bytes / 8;
    Error ignored = {0};
    uint64_t *loaded = NULL;
    if (qcow2_check_cluster(image, "an L2 table", table, &ignored))
        loaded = qcow2_table_read(image, "an L2 table", table, entries, &ignored);
    if (loaded == NULL) {
        checker->check->corruptions++;
        return;
    }
    for (uint64_t i = 0; i < entries; i++)
        function(checker, loaded[i], active);
    free(loaded);
}

static void count_tables(Qcow2Checker *checker, const uint64_t *l1, uint32_t l1_size, bool active) {
    for (uint32_t i = 0; i < l1_size; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET_MASK;
        if (table == 0)
            continue;
        count_range(checker, table, checker->image->cluster_bytes);
        walk_table(checker, table, active, count_entry);
    }
}

static bool count_snapshots(Qcow2Checker *checker, const BlockNode *node, Error *error) {
    Qcow2Snapshot *snapshots;
    uint64_t offset, bytes;
    size_t count;
    if (!qcow2_snapshots_read(node, &snapshots, &count, &offset, &bytes, error))
        return false;
    if (count > 0)
        count_range(checker, offset, bytes);
    for (size_t i = 0; i < count; i++) {
        Error ignored = {0};
        uint64_t *l1 =
            snapshots[i].l1_size > QCOW2_L1_BYTES_MAXIMUM / 8
                ? NULL
                : qcow2_table_read(checker->image, "a snapshot's L1 table", snapshots[i].l1_offset,
                                   snapshots[i].l1_size, &ignored);
        if (l1 == NULL) {
            checker->check->corruptions++;
            continue;
        }
        count_range(checker, snapshots[i].l1_offset, (uint64_t)snapshots[i].l1_size * 8);
        count_tables(checker, l1, snapshots[i].l1_size, false);
        free(l1);
    }
    free(snapshots);
    return true;
}

/* The refcount table and its blocks. What is no block counts as none. */
static bool count_refcounts(Qcow2Checker *checker, Error *error) {
    Qcow2 *image = checker->image;
    if (image->refcount_table == NULL)
        image->refcount_table =
            qcow2_table_read(image, "its refcount table", image->refcount_table_offset,
                             image->refcount_table_size, error);
    if (image->refcount_table == NULL)
        return false;
    checker->blocks_unsound =
        checker->counts[image->refcount_table_offset >> image->cluster_bits] > 0;
    count_range(checker, image->refcount_table_offset, (uint64_t)image->refcount_table_size * 8);
    for (uint32_t i = 0; i < image->refcount_table_size; i++) {
        uint64_t block = image->refcount_table[i];
        if (block == 0)
            continue;
        if (!qcow2_check_cluster(image, "a refcount block", block, NULL)) {
            checker->check->corruptions++;
            checker->blocks_unsound = true;
            image->refcount_table[i] = 0;
            continue;
        }
        count_range(checker, block, image->cluster_bytes);
        if (checker->counts[block >> image->cluster_bits] != 1)
            checker->blocks_unsound = true;
    }
    return true;
}

/* The flag that a cluster is used once must be so, since it is then written in place. */
static void check_copied(Qcow2Checker *checker, uint64_t entry) {
    uint64_t offset = entry & QCOW2_OFFSET_MASK, count;
    if (offset == 0 ||
        !qcow2_refcount_get(checker->image, offset >> checker->image->cluster_bits, &count, NULL))
        return;
    if ((count == 1) != ((entry & QCOW2_COPIED) != 0))
        checker->check->corruptions++;
}

static void check_copied_entry(Qcow2Checker *checker, uint64_t entry, bool active) {
    (void)active;
    if (!(entry & QCOW2_COMPRESSED))
        check_copied(checker, entry);
    else if (entry & QCOW2_COPIED)
        checker->check->corruptions++;
}

static void check_flags(Qcow2Checker *checker) {
    const Qcow2 *image = checker->image;
    for (uint32_t i = 0; i < image->l1_size; i++) {
        uint64_t table = image->l1[i] & QCOW2_OFFSET_MASK;
        if (!qcow2_check_cluster(image, "an L2 table", table, NULL) || table == 0)
            continue;
        check_copied(checker, image->l1[i]);
        walk_table(checker, table, true, check_copied_entry);
    }
}

static void compare_counts(Qcow2Checker *checker) {
    BlockCheck *check = checker->check;
    for (uint64_t cluster = 0; cluster < checker->clusters; cluster++) {
        uint64_t kept;
        if (!qcow2_refcount_get(checker->image, cluster, &kept, NULL)) {
            check->check_errors++;
            continue;
        }
        if (checker->counts[cluster] > 0 && !qcow2_refcount_has(checker->image, cluster))
            checker->blocks_unsound = true;
        if (kept > checker->counts[cluster])
            check->leaks++;
        else if (kept < checker->counts[cluster])
            check->corruptions++;
        if (kept > 0 || checker->counts[cluster] > 0)
            check->image_end_offset = (cluster + 1) << checker->image->cluster_bits;
    }
}

static bool count_all(Qcow2Checker *checker, const BlockNode *node, Error *error) {
    const Qcow2 *image = checker->image;
    count_range(checker, 0, image->cluster_bytes);
    count_range(checker, image->l1_offset, (uint64_t)image->l1_size * 8);
    count_tables(checker, image->l1, image->l1_size, true);
    if (!count_snapshots(checker, node, error) || !count_refcounts(checker, error))
        return false;
    check_flags(checker);
    compare_counts(checker);
    return true;
}

bool qcow2_checker_count(Qcow2Checker *checker, BlockNode *node, BlockCheck *check, Error *error) {
    Qcow2 *image = node->driver_state;
    *checker = (Qcow2Checker){.image = image, .check = check};
    checker->clusters = qcow2_clusters(image, image->file_end);
    if (image->autoclear & AUTOCLEAR_BITMAPS)
        return error_set(error, "has bitmaps, whose clusters are not known in this version");
    if (checker->clusters > CLUSTERS_MAXIMUM)
        return error_set(error, "is too large to be checked");
    checker->counts = calloc(checker->clusters + 1, sizeof(*checker->counts));
    if (checker->counts == NULL)
        return error_set(error, "no memory to check it");
    check->total_clusters = qcow2_clusters(image, image->length);
    return count_all(checker, node, error);
}

void qcow2_checker_free(Qcow2Checker *checker) {
    free(checker->counts);
    checker->counts = NULL;
}

static bool check_once(BlockNode *node, BlockCheck *check, Error *error) {
    Qcow2Checker checker;
    bool good = qcow2_checker_count(&checker, node, check, error);
    qcow2_checker_free(&checker);
    return good;
}

/* Looks, repairs, and looks again: what is gone was repaired. */
bool qcow2_check_and_repair(BlockNode *node, BlockCheck *check, Error *error) {
    BlockCheck before = {0};
    Qcow2Checker checker;
    bool good = qcow2_checker_count(&checker, node, &before, error) &&
                qcow2_repair(&checker, check->repair_all, error);
    qcow2_checker_free(&checker);
    if (!good || !check_once(node, check, error))
        return false;
    if (before.corruptions > check->corruptions)
        check->corruptions_fixed = before.corruptions - check->corruptions;
    if (before.leaks > check->leaks)
        check->leaks_fixed = before.leaks - check->leaks;
    return check->corruptions + check->check_errors > 0 ||
           qcow2_header_set_dirty(node->driver_state, false, error);
}

bool qcow2_check(BlockNode *node, BlockCheck *check, Error *error) {
    Qcow2 *image = node->driver_state;
    bool repairs = check->repair_leaks || check->repair_all;
    if (repairs && node->read_only)
        return error_set(error, "is write-protected");
    pthread_mutex_lock(&image->lock);
    bool good =
        repairs ? qcow2_check_and_repair(node, check, error) : check_once(node, check, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}
