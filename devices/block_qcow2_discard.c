/* Parts of a qcow2 disk that nobody needs any more, or that become zeros: their clusters are given
 * back, to the image and to the host's file system. */
#include "block_qcow2.h"
#include "block_qcow2_image.h"
#include "host_file.h"
#include <stdlib.h>
#include <string.h>

#define ZEROS_BYTES 65536u

/* What a cluster becomes that reads as zeros; false: it has to be written. */
static bool empty_entry(const Qcow2 *image, uint64_t offset, uint64_t *entry) {
    bool backed = image->backing != NULL && offset < block_length(image->backing);
    *entry = backed ? QCOW2_ZERO : 0;
    return !backed || image->version >= 3;
}

/* Room that nothing uses any more is a hole of the file, where there can be holes. */
static void punch_hole(const Qcow2 *image, uint64_t offset) {
    host_file_punch(image->file, offset, image->cluster_bytes);
}

static bool give_back(Qcow2 *image, const Qcow2Place *place, Error *error) {
    uint64_t offset = place->entry & QCOW2_OFFSET_MASK, size = image->cluster_bytes, count;
    if (place->kind == QCOW2_PACKED) {
        qcow2_packed_extent(image, place->entry, &offset, &size);
        return qcow2_refcount_free(image, offset, size, error);
    }
    if (offset == 0)
        return true;
    if (!qcow2_refcount_free(image, offset, size, error) ||
        !qcow2_refcount_get(image, offset >> image->cluster_bits, &count, error))
        return false;
    if (count == 0 && !qcow2_refcount_is_metadata(image, offset))
        punch_hole(image, offset);
    return true;
}

static bool empty_cluster(Qcow2 *image, uint64_t offset, Error *error) {
    Qcow2Place place;
    uint64_t entry;
    if (!empty_entry(image, offset, &entry) || !qcow2_map_find(image, offset, 1, &place, error))
        return false;
    if (place.entry == entry)
        return true;
    return qcow2_map_own_table(image, offset, error) &&
           qcow2_map_find(image, offset, 1, &place, error) &&
           qcow2_map_set(image, offset, entry, error) && give_back(image, &place, error);
}

/* Whole clusters. Those that no table has yet are passed by, a table at a time. */
static bool empty_range(Qcow2 *image, uint64_t from, uint64_t to, Error *error) {
    while (from < to) {
        Qcow2Place place;
        uint64_t entry;
        if (!qcow2_map_find(image, from, to - from, &place, error))
            return false;
        bool nothing = place.kind == QCOW2_UNALLOCATED && place.entry == 0 &&
                       empty_entry(image, from, &entry) && entry == 0;
        if (!nothing && !empty_cluster(image, from, error))
            return false;
        from += nothing ? place.size : image->cluster_bytes;
    }
    return true;
}

static bool write_zeros(Qcow2 *image, uint64_t from, uint64_t to, Error *error) {
    static const uint8_t zeros[ZEROS_BYTES];
    while (from < to) {
        uint64_t part = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
        if (!qcow2_write(image, from, zeros, part, error))
            return false;
        from += part;
    }
    return true;
}

bool qcow2_zero_plainly(Qcow2 *image, uint64_t offset, uint64_t size, Error *error) {
    uint64_t entry;
    Qcow2Place place;
    if (!empty_entry(image, offset, &entry) || entry != 0)
        return write_zeros(image, offset, offset + size, error);
    return qcow2_map_own_table(image, offset, error) &&
           qcow2_map_find(image, offset, 1, &place, error) &&
           qcow2_map_set(image, offset, 0, error) && give_back(image, &place, error);
}

static bool discard(Qcow2 *image, uint64_t offset, uint64_t size, bool zeros, Error *error) {
    uint64_t mask = image->cluster_bytes - 1, end = offset + size, entry;
    uint64_t first = (offset + mask) & ~mask, last = end & ~mask;
    if (end == image->length) /* the rest of the last cluster is nobody's */
        last = (end + mask) & ~mask;
    bool can = empty_entry(image, offset, &entry);
    if (first >= last || !can)
        return !zeros || write_zeros(image, offset, end, error);
    if (zeros && !write_zeros(image, offset, first, error))
        return false;
    return empty_range(image, first, last, error) &&
           (!zeros || last >= end || write_zeros(image, last, end, error));
}

bool qcow2_discard(BlockNode *node, uint64_t offset, uint64_t size, bool zeros, Error *error) {
    Qcow2 *image = node->driver_state;
    pthread_mutex_lock(&image->lock);
    bool good =
        qcow2_header_begin_writing(image, error) && discard(image, offset, size, zeros, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}
