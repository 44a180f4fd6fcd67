/* Snapshots in a qcow2 image: an L1 table of its own each, under which all clusters are counted
 * once more (docs/interop/qcow2.txt, "Snapshots").
 *
 * While refcounts, flags and the table of snapshots change, an image of version 3 is marked dirty,
 * so that after a kill the next who writes it counts anew. Counts go up before something points to
 * the clusters and down after nothing does: at worst, in version 2, some are lost. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2_check.h"
#include "block_qcow2_image.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SNAPSHOTS_MAXIMUM 65536u
#define TABLE_BYTES_MAXIMUM (64ull << 20)
#define NAME_BYTES_MAXIMUM 255u

enum { HEADER_DISK_SIZE = 24, HEADER_SNAPSHOTS = 60 };
enum { ENTRY_HEAD_BYTES = 40, ENTRY_EXTRA_BYTES = 24 };

typedef struct SnapshotTable {
    Qcow2Snapshot *entries;
    size_t count;
    uint64_t offset, bytes;
} SnapshotTable;

static bool read_table(const BlockNode *node, SnapshotTable *table, Error *error) {
    return qcow2_snapshots_read(node, &table->entries, &table->count, &table->offset, &table->bytes,
                                error);
}

static const Qcow2Snapshot *find(const SnapshotTable *table, const char *name, Error *error) {
    const Qcow2Snapshot *snapshot = qcow2_snapshots_find(table->entries, table->count, name);
    if (snapshot == NULL)
        error_set(error, "has no snapshot '%.200s'", name);
    return snapshot;
}

static uint64_t *read_l1(const Qcow2 *image, const Qcow2Snapshot *snapshot, Error *error) {
    if (snapshot->l1_size > QCOW2_L1_BYTES_MAXIMUM / 8) {
        error_set(error, "is damaged: the snapshot '%.100s' has an L1 table of %u entries",
                  snapshot->info.name, snapshot->l1_size);
        return NULL;
    }
    return qcow2_table_read(image, "a snapshot's L1 table", snapshot->l1_offset, snapshot->l1_size,
                            error);
}

typedef enum Use { USE_TEST, USE_MORE, USE_LESS } Use;

/* One use more or less of each cluster of the range; or only whether one more can be counted. */
static bool change_range(Qcow2 *image, uint64_t offset, uint64_t size, Use use, Error *error) {
    if (use == USE_LESS)
        return qcow2_refcount_free(image, offset, size, error);
    unsigned bits = 1u << image->refcount_order;
    uint64_t maximum = bits == 64 ? UINT64_MAX : (1ull << bits) - 1, count;
    uint64_t last = (offset + size - 1) >> image->cluster_bits;
    for (uint64_t cluster = offset >> image->cluster_bits; cluster <= last; cluster++) {
        if (!qcow2_refcount_get(image, cluster, &count, error))
            return false;
        if (count == 0)
            return error_set(error, "has a cluster in use whose refcount is 0; repair it with: "
                                    "reprise image check -r all");
        if (count >= maximum)
            return error_set(error, "has refcounts of %u bits, too few for one more snapshot",
                             bits);
        if (use == USE_MORE && !qcow2_refcount_set(image, cluster, count + 1, error))
            return false;
    }
    return true;
}

static bool change_entry(Qcow2 *image, uint64_t entry, Use use, Error *error) {
    uint64_t offset = entry & QCOW2_OFFSET_MASK, size = image->cluster_bytes;
    if (entry & QCOW2_COMPRESSED)
        qcow2_packed_extent(image, entry, &offset, &size);
    return offset == 0 || change_range(image, offset, size, use, error);
}

/* All that the L1 table leads to. */
static bool change_uses(Qcow2 *image, const uint64_t *l1, uint32_t l1_size, Use use, Error *error) {
    uint64_t entries = image->cluster_bytes / 8;
    bool good = true;
    for (uint32_t i = 0; good && i < l1_size; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET_MASK;
        if (table == 0)
            continue;
        uint64_t *loaded = qcow2_table_read(image, "an L2 table", table, entries, error);
        good = loaded != NULL && change_range(image, table, image->cluster_bytes, use, error);
        for (uint64_t j = 0; good && j < entries; j++)
            good = change_entry(image, loaded[j], use, error);
        free(loaded);
    }
    return good;
}

/* A copy of an L1 table in new clusters of the file. */
static bool write_l1(Qcow2 *image, const uint64_t *l1, uint32_t entries, uint64_t *offset,
                     Error *error) {
    uint64_t clusters = qcow2_clusters(image, (uint64_t)(entries > 0 ? entries : 1) * 8);
    return qcow2_refcount_allocate(image, clusters, offset, error) &&
           qcow2_table_write(image, *offset, l1, entries, clusters, error);
}

/* The header says so many snapshots, in this table, from now on; the old one is given back. */
static bool switch_table(Qcow2 *image, const SnapshotTable *old, size_t count, const uint8_t *bytes,
                         uint64_t size, Error *error) {
    uint64_t offset = 0;
    uint8_t header[12];
    if (size > TABLE_BYTES_MAXIMUM)
        return error_set(error, "has no room for more snapshots");
    if (count > 0 &&
        (!qcow2_refcount_allocate(image, qcow2_clusters(image, size), &offset, error) ||
         !qcow2_file_write(image, offset, bytes, size, error)))
        return false;
    store_be32(header, (uint32_t)count);
    store_be64(header + 4, offset);
    if (!qcow2_file_write(image, HEADER_SNAPSHOTS, header, sizeof(header), error))
        return false;
    return old->count == 0 || qcow2_refcount_free(image, old->offset, old->bytes, error);
}

/* The table's bytes, with room for more. */
static uint8_t *load_bytes(const Qcow2 *image, const SnapshotTable *table, uint64_t more,
                           Error *error) {
    if (table->bytes > TABLE_BYTES_MAXIMUM) {
        error_set(error, "is damaged: its table of snapshots has no end");
        return NULL;
    }
    uint8_t *bytes = allocate_zeroed(table->bytes + more);
    if (table->count == 0 || qcow2_file_read(image, table->offset, bytes, table->bytes, error))
        return bytes;
    free(bytes);
    return NULL;
}

static unsigned next_number(const SnapshotTable *table) {
    unsigned long highest = 0;
    for (size_t i = 0; i < table->count; i++) {
        unsigned long number = strtoul(table->entries[i].info.id, NULL, 10);
        if (number > highest)
            highest = number;
    }
    return (unsigned)highest + 1;
}

/* An entry without a machine's state. Returns its bytes. */
static uint64_t build_entry(const Qcow2 *image, const SnapshotTable *table, const char *name,
                            uint64_t l1_offset, uint8_t *entry) {
    char id[16];
    struct timespec now;
    size_t name_bytes = strlen(name);
    size_t id_bytes = (size_t)snprintf(id, sizeof(id), "%u", next_number(table));
    clock_gettime(CLOCK_REALTIME, &now);
    store_be64(entry, l1_offset);
    store_be32(entry + 8, image->l1_size);
    store_be16(entry + 12, (uint16_t)id_bytes);
    store_be16(entry + 14, (uint16_t)name_bytes);
    store_be32(entry + 16, (uint32_t)now.tv_sec);
    store_be32(entry + 20, (uint32_t)now.tv_nsec);
    store_be32(entry + 36, ENTRY_EXTRA_BYTES);
    store_be64(entry + 48, image->length);
    store_be64(entry + 56, UINT64_MAX); /* no count of instructions */
    memcpy(entry + ENTRY_HEAD_BYTES + ENTRY_EXTRA_BYTES, id, id_bytes);
    memcpy(entry + ENTRY_HEAD_BYTES + ENTRY_EXTRA_BYTES + id_bytes, name, name_bytes);
    return (ENTRY_HEAD_BYTES + ENTRY_EXTRA_BYTES + id_bytes + name_bytes + 7) & ~7ull;
}

static bool create(Qcow2 *image, const SnapshotTable *table, const char *name, Error *error) {
    uint64_t l1_offset;
    if (!change_uses(image, image->l1, image->l1_size, USE_MORE, error) ||
        !qcow2_repair_flags(image, error) ||
        !write_l1(image, image->l1, image->l1_size, &l1_offset, error))
        return false;
    uint8_t *bytes = load_bytes(
        image, table, ENTRY_HEAD_BYTES + ENTRY_EXTRA_BYTES + NAME_BYTES_MAXIMUM + 32, error);
    if (bytes == NULL)
        return false;
    uint64_t size = table->bytes + build_entry(image, table, name, l1_offset, bytes + table->bytes);
    bool good = switch_table(image, table, table->count + 1, bytes, size, error);
    free(bytes);
    return good;
}

static bool remove_snapshot(Qcow2 *image, const SnapshotTable *table, const char *name,
                            Error *error) {
    const Qcow2Snapshot *snapshot = find(table, name, error);
    uint64_t *l1 = snapshot != NULL ? read_l1(image, snapshot, error) : NULL;
    uint8_t *bytes = l1 != NULL ? load_bytes(image, table, 0, error) : NULL;
    bool good = bytes != NULL;
    if (good) {
        uint64_t at = snapshot->position - table->offset, after = at + snapshot->bytes;
        memmove(bytes + at, bytes + after, table->bytes - after);
        good = switch_table(image, table, table->count - 1, bytes, table->bytes - snapshot->bytes,
                            error) &&
               change_uses(image, l1, snapshot->l1_size, USE_LESS, error) &&
               qcow2_refcount_free(image, snapshot->l1_offset, (uint64_t)snapshot->l1_size * 8,
                                   error) &&
               qcow2_repair_flags(image, error);
    }
    free(bytes);
    free(l1);
    return good;
}

/* Size of the disk, and its L1 table: one write, within a page of the file. */
static bool switch_l1(Qcow2 *image, uint64_t length, uint32_t l1_size, uint64_t l1_offset,
                      Error *error) {
    uint8_t header[24] = {0};
    store_be64(header, length);
    store_be32(header + 12, l1_size);
    store_be64(header + 16, l1_offset);
    return qcow2_file_write(image, HEADER_DISK_SIZE, header, sizeof(header), error);
}

/* The active table becomes a copy of the snapshot's. */
static bool replace_l1(Qcow2 *image, uint64_t *l1, uint32_t l1_size, uint64_t length,
                       Error *error) {
    uint64_t offset, old_offset = image->l1_offset;
    uint32_t old_size = image->l1_size;
    uint64_t *old = image->l1;
    if (!change_uses(image, l1, l1_size, USE_MORE, error) ||
        !write_l1(image, l1, l1_size, &offset, error) ||
        !switch_l1(image, length, l1_size, offset, error))
        return false;
    image->l1 = l1;
    image->l1_size = l1_size;
    image->l1_offset = offset;
    image->length = length;
    bool good = change_uses(image, old, old_size, USE_LESS, error) &&
                qcow2_refcount_free(image, old_offset, (uint64_t)old_size * 8, error) &&
                qcow2_repair_flags(image, error);
    free(old);
    return good;
}

/* The snapshot's table, long enough for the disk that it belongs to. */
static uint64_t *read_whole_l1(const Qcow2 *image, const Qcow2Snapshot *snapshot, uint64_t *length,
                               uint32_t *l1_size, Error *error) {
    *length = snapshot->disk_bytes != 0 ? snapshot->disk_bytes : image->length;
    uint64_t needed = qcow2_map_entries_needed(image, *length);
    if (*length > QCOW2_DISK_BYTES_MAXIMUM || needed > QCOW2_L1_BYTES_MAXIMUM / 8) {
        error_set(error, "is damaged: the snapshot '%.100s' is of a disk of %llu bytes",
                  snapshot->info.name, (unsigned long long)*length);
        return NULL;
    }
    uint64_t *l1 = read_l1(image, snapshot, error);
    *l1_size = snapshot->l1_size > needed ? snapshot->l1_size : (uint32_t)needed;
    if (l1 == NULL || *l1_size == snapshot->l1_size)
        return l1;
    uint64_t *longer = allocate_zeroed(*l1_size * sizeof(*longer));
    memcpy(longer, l1, snapshot->l1_size * sizeof(*longer));
    free(l1);
    return longer;
}

static bool apply(Qcow2 *image, const SnapshotTable *table, const char *name, Error *error) {
    const Qcow2Snapshot *snapshot = find(table, name, error);
    uint64_t length;
    uint32_t l1_size;
    uint64_t *l1 =
        snapshot != NULL ? read_whole_l1(image, snapshot, &length, &l1_size, error) : NULL;
    if (l1 == NULL)
        return false;
    bool good = replace_l1(image, l1, l1_size, length, error);
    if (image->l1 != l1)
        free(l1);
    return good;
}

bool qcow2_reread(Qcow2 *image, Error *error) {
    qcow2_cache_destroy(&image->l2_cache);
    qcow2_cache_init(&image->l2_cache, image->cluster_bytes);
    block_unit_map_free(&image->metadata);
    free(image->refcount_table);
    image->refcount_table = NULL;
    image->unpacked_for = 0;
    image->packed_next = 0;
    return qcow2_refcount_open(image, error);
}

/* Whether it can be done, before anything changes. */
static bool check_possible(Qcow2 *image, const SnapshotTable *table, BlockSnapshotAction action,
                           const char *name, Error *error) {
    if (action == BLOCK_SNAPSHOT_CREATE && (strlen(name) > NAME_BYTES_MAXIMUM || name[0] == '\0'))
        return error_set(error, "a snapshot's name has 1 to %u bytes", NAME_BYTES_MAXIMUM);
    if (action == BLOCK_SNAPSHOT_CREATE)
        return table->count < SNAPSHOTS_MAXIMUM
                   ? change_uses(image, image->l1, image->l1_size, USE_TEST, error)
                   : error_set(error, "has no room for more snapshots");
    const Qcow2Snapshot *snapshot = find(table, name, error);
    if (snapshot == NULL || action == BLOCK_SNAPSHOT_DELETE)
        return snapshot != NULL;
    uint64_t *l1 = read_l1(image, snapshot, error);
    bool good = l1 != NULL && change_uses(image, l1, snapshot->l1_size, USE_TEST, error);
    free(l1);
    return good;
}

static bool act(BlockNode *node, BlockSnapshotAction action, const char *name, Error *error) {
    static bool (*const actions[])(Qcow2 *, const SnapshotTable *, const char *, Error *) = {
        [BLOCK_SNAPSHOT_CREATE] = create,
        [BLOCK_SNAPSHOT_APPLY] = apply,
        [BLOCK_SNAPSHOT_DELETE] = remove_snapshot,
    };
    Qcow2 *image = node->driver_state;
    SnapshotTable table = {0};
    bool good = qcow2_header_begin_writing(image, error) && read_table(node, &table, error) &&
                check_possible(image, &table, action, name, error) &&
                qcow2_header_set_dirty(image, true, error);
    if (good) {
        good = actions[action](image, &table, name, error);
        bool read = qcow2_reread(image, good ? error : NULL);
        good = good && read && qcow2_header_set_dirty(image, false, error);
    }
    free(table.entries);
    return good;
}

bool qcow2_snapshot_act(BlockNode *node, BlockSnapshotAction action, const char *name,
                        Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good = act(node, action, name, error);
    pthread_mutex_unlock(&image->lock);
    node->length = image->length;
    return good;
}

bool qcow2_snapshot_show(BlockNode *node, const char *name, Error *error) {
    Qcow2 *image = node->driver_state;
    SnapshotTable table = {0};
    uint64_t length, *l1 = NULL;
    uint32_t l1_size;
    const Qcow2Snapshot *snapshot =
        read_table(node, &table, error) ? find(&table, name, error) : NULL;
    if (snapshot != NULL)
        l1 = read_whole_l1(image, snapshot, &length, &l1_size, error);
    free(table.entries);
    if (l1 == NULL)
        return false;
    free(image->l1);
    image->l1 = l1;
    image->l1_size = l1_size;
    image->length = node->length = length;
    return true;
}
