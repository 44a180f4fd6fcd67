/* Writes compressed clusters, one behind the other: the clusters of the file that they lie in are
 * counted once for each of them. */
#include "allocate.h"
#include "block_qcow2.h"
#include "block_qcow2_image.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR_BYTES 512u

/* A new cluster, which is there up to its end. */
static bool allocate_cluster(Qcow2 *image, uint64_t *offset, Error *error) {
    if (!qcow2_refcount_allocate(image, 1, offset, error))
        return false;
    uint64_t end = *offset + image->cluster_bytes;
    if (image->file_end >= end)
        return true;
    if (ftruncate(image->file, (off_t)end) != 0) {
        error_set(error, "cannot be made longer: %s", strerror(errno));
        (void)qcow2_refcount_free(image, *offset, 1, NULL);
        return false;
    }
    image->file_end = end;
    return true;
}

/* Whether the cluster that was begun can be counted once more. */
static bool count_again(Qcow2 *image, Error *error, bool *counted) {
    uint64_t cluster = (image->packed_next - 1) >> image->cluster_bits, count;
    unsigned bits = 1u << image->refcount_order;
    if (!qcow2_refcount_get(image, cluster, &count, error))
        return false;
    *counted = count < (bits == 64 ? UINT64_MAX : (1ull << bits) - 1);
    return !*counted || qcow2_refcount_set(image, cluster, count + 1, error);
}

/* Room behind what was packed last, or from the start of a new cluster on. */
static bool find_room(Qcow2 *image, uint64_t size, uint64_t *offset, Error *error) {
    uint64_t left = -image->packed_next & (image->cluster_bytes - 1);
    uint64_t begun_end = image->packed_next + left, fresh = 0;
    bool begun = image->packed_next != 0 && left > 0;
    if (!begun || left < size) {
        if (!allocate_cluster(image, &fresh, error))
            return false;
        begun = begun && fresh == begun_end;
    }
    if (begun && !count_again(image, error, &begun))
        return false;
    if (!begun && fresh == 0 && !allocate_cluster(image, &fresh, error))
        return false;
    *offset = begun ? image->packed_next : fresh;
    image->packed_next = *offset + size;
    return true;
}

static bool write_packed(Qcow2 *image, uint64_t offset, const uint8_t *packed, uint64_t size,
                         Error *error) {
    unsigned offset_bits = 62 - (image->cluster_bits - 8);
    uint64_t place;
    if (!find_room(image, size, &place, error))
        return false;
    if (place >> offset_bits != 0)
        return error_set(error, "is too long for compressed clusters");
    uint64_t more_sectors = (place % SECTOR_BYTES + size - 1) / SECTOR_BYTES;
    return qcow2_file_write(image, place, packed, size, error) &&
           qcow2_map_set(image, offset, QCOW2_COMPRESSED | more_sectors << offset_bits | place,
                         error);
}

/* Only where nothing is: what is replaced would have to be given back. */
static bool pack(Qcow2 *image, uint64_t offset, const uint8_t *data, uint64_t size, Error *error) {
    Qcow2Place place;
    if (!qcow2_header_begin_writing(image, error) || !qcow2_map_own_table(image, offset, error) ||
        !qcow2_map_find(image, offset, 1, &place, error))
        return false;
    uint8_t *cluster = allocate_zeroed(image->cluster_bytes);
    uint8_t *packed = allocate_zeroed(image->cluster_bytes);
    memcpy(cluster, data, size);
    uint64_t bytes = place.entry == 0 ? qcow2_codec_pack(image->compression, cluster,
                                                         image->cluster_bytes, packed)
                                      : 0;
    bool good = bytes > 0 ? write_packed(image, offset, packed, bytes, error)
                          : qcow2_write(image, offset, data, size, error);
    free(cluster);
    free(packed);
    return good;
}

bool qcow2_write_compressed(BlockNode *node, uint64_t offset, const void *data, size_t size,
                            Error *error) {
    Qcow2 *image = node->driver_state;
    if (offset % image->cluster_bytes != 0 || size > image->cluster_bytes ||
        offset > image->length || size > image->length - offset)
        return error_set(error, "compressed data are whole clusters within the disk");
    pthread_mutex_lock(&image->lock);
    bool good = pack(image, offset, data, size, error);
    pthread_mutex_unlock(&image->lock);
    return good;
}
