/* Where the clusters of a qcow2 disk are: L1 and L2 tables. */
#include "allocate.h"
#include "big_endian.h"
#include "block_qcow2.h"
#include <stdlib.h>
#include <string.h>

#define HEADER_DISK_SIZE 24
#define HEADER_L1 36 /* its size and offset */

static unsigned table_bits(const Qcow2 *image) {
    return image->cluster_bits - 3; /* an L2 table is a cluster of numbers of 8 bytes */
}

static uint64_t table_index(const Qcow2 *image, uint64_t offset) {
    return offset >> (image->cluster_bits + table_bits(image));
}

static uint64_t entry_index(const Qcow2 *image, uint64_t offset) {
    return offset >> image->cluster_bits & ((1ull << table_bits(image)) - 1);
}

uint64_t qcow2_map_entries_needed(const Qcow2 *image, uint64_t length) {
    return length == 0 ? 0 : table_index(image, length - 1) + 1;
}

/* The L2 table for the offset. NULL: an error, or '*missing'. */
static uint8_t *find_table(Qcow2 *image, uint64_t offset, bool *missing, Error *error) {
    uint64_t index = table_index(image, offset);
    *missing = index >= image->l1_size || (image->l1[index] & QCOW2_OFFSET_MASK) == 0;
    if (*missing)
        return NULL;
    uint64_t table = image->l1[index] & QCOW2_OFFSET_MASK;
    return qcow2_check_cluster(image, "an L2 table", table, error)
               ? qcow2_cache_get(&image->l2_cache, image->file, index, table, error)
               : NULL;
}

static Qcow2Kind kind_of(uint64_t entry) {
    if (entry & QCOW2_COMPRESSED)
        return QCOW2_PACKED;
    if (entry & QCOW2_ZERO)
        return QCOW2_ZEROS;
    return (entry & QCOW2_OFFSET_MASK) == 0 ? QCOW2_UNALLOCATED : QCOW2_DATA;
}

static bool check_entry(const Qcow2 *image, uint64_t entry, Error *error) {
    if (entry & QCOW2_COMPRESSED)
        return true;
    if ((entry & QCOW2_ZERO) && image->version < 3)
        return error_set(error, "has a cluster of zeros, which version 2 does not know");
    if ((entry & QCOW2_OFFSET_MASK & (image->cluster_bytes - 1)) != 0)
        return error_set(error, "has a cluster at byte %llu, which is no multiple of its size",
                         (unsigned long long)(entry & QCOW2_OFFSET_MASK));
    return true;
}

/* Whether the entry goes on where 'clusters' like 'first' have come before. In place of those that
 * may be written no others are taken: who writes wants to know. */
static bool goes_on(const Qcow2 *image, uint64_t first, uint64_t clusters, uint64_t entry) {
    Qcow2Kind kind = kind_of(first);
    if (kind == QCOW2_PACKED || kind_of(entry) != kind)
        return false;
    if (kind != QCOW2_DATA)
        return true;
    return entry == first + (clusters << image->cluster_bits);
}

bool qcow2_map_find(Qcow2 *image, uint64_t offset, uint64_t size, Qcow2Place *place, Error *error) {
    bool missing;
    uint64_t index = entry_index(image, offset), entries = 1ull << table_bits(image);
    uint64_t inside = offset & (image->cluster_bytes - 1);
    uint64_t wanted = qcow2_clusters(image, inside + size);
    const uint8_t *table = find_table(image, offset, &missing, error);
    *place = (Qcow2Place){.kind = QCOW2_UNALLOCATED};
    uint64_t clusters = entries - index;
    if (table == NULL && !missing)
        return false;
    if (table != NULL) {
        place->entry = load_be64(table + index * 8);
        if (!check_entry(image, place->entry, error))
            return false;
        place->kind = kind_of(place->entry);
        place->offset = (place->entry & QCOW2_OFFSET_MASK) + inside;
        clusters = 1;
        while (clusters < wanted && index + clusters < entries &&
               goes_on(image, place->entry, clusters, load_be64(table + (index + clusters) * 8)))
            clusters++;
    }
    place->size = (clusters << image->cluster_bits) - inside;
    if (place->size > size)
        place->size = size;
    return true;
}

static bool set_l1(Qcow2 *image, uint64_t index, uint64_t entry, Error *error) {
    uint8_t bytes[8];
    store_be64(bytes, entry);
    if (!qcow2_file_write(image, image->l1_offset + index * 8, bytes, sizeof(bytes), error))
        return false;
    image->l1[index] = entry;
    return true;
}

bool qcow2_map_own_table(Qcow2 *image, uint64_t offset, Error *error) {
    bool missing;
    uint64_t index = table_index(image, offset), place;
    uint64_t old = image->l1[index];
    const uint8_t *table = find_table(image, offset, &missing, error);
    if (table == NULL && !missing)
        return false;
    if (!missing && (old & QCOW2_COPIED))
        return true;
    if (missing)
        memset(image->scratch, 0, image->cluster_bytes);
    else
        memcpy(image->scratch, table, image->cluster_bytes);
    if (!qcow2_refcount_allocate(image, 1, &place, error))
        return false;
    qcow2_cache_forget(&image->l2_cache, index);
    if (!qcow2_file_write(image, place, image->scratch, image->cluster_bytes, error) ||
        !set_l1(image, index, place | QCOW2_COPIED, error))
        return false;
    qcow2_refcount_mark_metadata(image, place, image->cluster_bytes, true);
    if (missing)
        return true;
    qcow2_refcount_mark_metadata(image, old & QCOW2_OFFSET_MASK, image->cluster_bytes, false);
    return qcow2_refcount_free(image, old & QCOW2_OFFSET_MASK, image->cluster_bytes, error);
}

bool qcow2_map_set(Qcow2 *image, uint64_t offset, uint64_t entry, Error *error) {
    bool missing;
    uint8_t bytes[8];
    uint64_t index = table_index(image, offset);
    if (find_table(image, offset, &missing, error) == NULL)
        return missing ? error_set(error, "has lost an L2 table") : false;
    store_be64(bytes, entry);
    return qcow2_cache_write(&image->l2_cache, image->file, index, entry_index(image, offset) * 8,
                             bytes, sizeof(bytes), error);
}

bool qcow2_map_set_run(Qcow2 *image, uint64_t offset, uint64_t entry, uint64_t clusters,
                       Error *error) {
    bool missing;
    uint64_t index = table_index(image, offset);
    if (find_table(image, offset, &missing, error) == NULL)
        return missing ? error_set(error, "has lost an L2 table") : false;
    uint8_t *bytes = allocate_zeroed(clusters * 8);
    for (uint64_t i = 0; i < clusters; i++)
        store_be64(bytes + i * 8, entry + (i << image->cluster_bits));
    bool good = qcow2_cache_write(&image->l2_cache, image->file, index,
                                  entry_index(image, offset) * 8, bytes, clusters * 8, error);
    free(bytes);
    return good;
}

/* A longer L1 table in place of the old one. */
static bool grow_l1(Qcow2 *image, uint64_t entries, Error *error) {
    uint64_t clusters = qcow2_clusters(image, entries * 8), offset;
    if (!qcow2_refcount_allocate(image, clusters, &offset, error))
        return false;
    uint64_t *table = allocate_zeroed(entries * 8);
    uint8_t header[12];
    memcpy(table, image->l1, image->l1_size * sizeof(*table));
    store_be32(header, (uint32_t)entries);
    store_be64(header + 4, offset);
    if (!qcow2_table_write(image, offset, table, entries, clusters, error) ||
        !qcow2_file_write(image, HEADER_L1, header, sizeof(header), error)) {
        free(table);
        return false;
    }
    uint64_t old = image->l1_offset, old_bytes = (uint64_t)image->l1_size * 8;
    free(image->l1);
    image->l1 = table;
    image->l1_size = (uint32_t)entries;
    image->l1_offset = offset;
    qcow2_refcount_mark_metadata(image, old, old_bytes, false);
    qcow2_refcount_mark_metadata(image, offset, entries * 8, true);
    return qcow2_refcount_free(image, old, old_bytes, error);
}

bool qcow2_map_set_length(Qcow2 *image, uint64_t length, Error *error) {
    uint64_t entries = qcow2_map_entries_needed(image, length);
    uint8_t bytes[8];
    if (length > QCOW2_DISK_BYTES_MAXIMUM || entries > QCOW2_L1_BYTES_MAXIMUM / 8)
        return error_set(error, "cannot be made %llu bytes long", (unsigned long long)length);
    if (entries > image->l1_size && !grow_l1(image, entries, error))
        return false;
    store_be64(bytes, length);
    if (!qcow2_file_write(image, HEADER_DISK_SIZE, bytes, sizeof(bytes), error))
        return false;
    image->length = length;
    return true;
}

static bool clear_cluster(Qcow2 *image, uint64_t offset, Error *error) {
    Qcow2Place place;
    uint64_t packed, size;
    if (!qcow2_map_find(image, offset, 1, &place, error))
        return false;
    if (place.entry == 0)
        return true;
    if (!qcow2_map_own_table(image, offset, error) || !qcow2_map_set(image, offset, 0, error))
        return false;
    if (place.kind == QCOW2_PACKED) {
        qcow2_packed_extent(image, place.entry, &packed, &size);
        return qcow2_refcount_free(image, packed, size, error);
    }
    return place.offset == 0 || qcow2_refcount_free(image, place.offset, 1, error);
}

bool qcow2_map_clear_from(Qcow2 *image, uint64_t offset, Error *error) {
    uint64_t table_span = image->cluster_bytes << table_bits(image);
    while (table_index(image, offset) < image->l1_size) {
        if ((image->l1[table_index(image, offset)] & QCOW2_OFFSET_MASK) == 0) {
            offset = (offset | (table_span - 1)) + 1;
            continue;
        }
        if (!clear_cluster(image, offset, error))
            return false;
        offset += image->cluster_bytes;
    }
    return true;
}
