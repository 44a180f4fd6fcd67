/* Writes to a qcow2 disk: in place where a cluster is used once, else to a new one. */
#include "big_endian.h"
#include "block_qcow2.h"
#include "host_file.h"
#include <errno.h>
#include <string.h>

static bool refuse_metadata(const Qcow2 *image, uint64_t offset, Error *error) {
    if (!qcow2_refcount_is_metadata(image, offset))
        return true;
    return error_set(error,
                     "is damaged: a cluster of the disk is among its tables, at byte %llu; "
                     "repair it with: reprise image check -r all",
                     (unsigned long long)offset);
}

static bool write_in_place(Qcow2 *image, const Qcow2Place *place, const uint8_t *data,
                           Error *error) {
    uint64_t end = place->offset + place->size;
    for (uint64_t at = place->offset & ~(image->cluster_bytes - 1); at < end;
         at += image->cluster_bytes)
        if (!refuse_metadata(image, at, error))
            return false;
    return qcow2_file_write(image, place->offset, data, place->size, error);
}

/* Nothing but zeros was in the cluster, and what the file has not written yet is zeros. */
static bool write_to_virgin(Qcow2 *image, uint64_t host, uint64_t inside, const uint8_t *data,
                            uint64_t size, Error *error) {
    uint64_t end = host + image->cluster_bytes;
    if (!qcow2_file_write(image, host + inside, data, size, error))
        return false;
    if (image->file_end >= end)
        return true;
    if (ftruncate(image->file, (off_t)end) != 0)
        return error_set(error, "cannot be made longer: %s", strerror(errno));
    image->file_end = end;
    return true;
}

/* The whole new cluster: what was there before, and in it what is written. */
static bool write_with_old(Qcow2 *image, uint64_t host, uint64_t offset, const uint8_t *data,
                           uint64_t size, Error *error) {
    uint64_t inside = offset & (image->cluster_bytes - 1), start = offset - inside;
    if (size == image->cluster_bytes)
        return qcow2_file_write(image, host, data, size, error);
    uint64_t there = image->length - start;
    if (there > image->cluster_bytes)
        there = image->cluster_bytes;
    memset(image->scratch, 0, image->cluster_bytes);
    if (!qcow2_read(image, start, image->scratch, there, error))
        return false;
    memcpy(image->scratch + inside, data, size);
    return qcow2_file_write(image, host, image->scratch, image->cluster_bytes, error);
}

static bool is_zeros(const Qcow2 *image, const Qcow2Place *place, uint64_t offset) {
    if (place->kind == QCOW2_ZEROS)
        return true;
    uint64_t start = offset & ~(image->cluster_bytes - 1);
    return place->kind == QCOW2_UNALLOCATED &&
           (image->backing == NULL || start >= block_length(image->backing));
}

static bool free_old(Qcow2 *image, const Qcow2Place *place, uint64_t host, Error *error) {
    uint64_t offset = place->entry & QCOW2_OFFSET_MASK, size = 1;
    if (place->kind == QCOW2_PACKED)
        qcow2_packed_extent(image, place->entry, &offset, &size);
    else if (offset == 0 || offset == host)
        return true;
    return qcow2_refcount_free(image, offset, size, error);
}

/* A failed write may have left something in the file's last clusters. */
static bool give_up(Qcow2 *image, uint64_t host) {
    off_t end = lseek(image->file, 0, SEEK_END);
    if (end > 0 && (uint64_t)end > image->file_end)
        image->file_end = (uint64_t)end;
    if (host != 0)
        (void)qcow2_refcount_free(image, host, 1, NULL);
    return false;
}

/* A part of one cluster that cannot be written in place. */
static bool write_to_new(Qcow2 *image, const Qcow2Place *place, uint64_t offset,
                         const uint8_t *data, uint64_t size, Error *error) {
    uint64_t host = place->entry & QCOW2_OFFSET_MASK, file_end = image->file_end;
    bool reserved = place->kind == QCOW2_ZEROS && host != 0 && (place->entry & QCOW2_COPIED);
    if (reserved ? !refuse_metadata(image, host, error)
                 : !qcow2_refcount_allocate(image, 1, &host, error))
        return false;
    bool virgin = host >= file_end && host >= image->file_end && is_zeros(image, place, offset);
    bool good = virgin ? write_to_virgin(image, host, offset & (image->cluster_bytes - 1), data,
                                         size, error)
                       : write_with_old(image, host, offset, data, size, error);
    if (!good)
        return give_up(image, reserved ? 0 : host);
    return qcow2_map_set(image, offset, host | QCOW2_COPIED, error) &&
           free_old(image, place, host, error);
}

/* How many whole clusters in a row have nothing yet, and can lie in a row at the end of the file.
 * Where clusters are free before, those are filled one by one. */
static uint64_t find_fresh(const Qcow2 *image, const Qcow2Place *place, uint64_t offset) {
    bool at_end = image->free_hint >= image->file_end >> image->cluster_bits;
    if (place->kind != QCOW2_UNALLOCATED || place->entry != 0 || !at_end ||
        (offset & (image->cluster_bytes - 1)) != 0)
        return 0;
    return place->size >> image->cluster_bits;
}

static bool write_fresh(Qcow2 *image, uint64_t clusters, uint64_t offset, const uint8_t *data,
                        Error *error) {
    uint64_t host, size = clusters << image->cluster_bits;
    if (!qcow2_refcount_allocate(image, clusters, &host, error))
        return false;
    if (!qcow2_file_write(image, host, data, size, error)) {
        (void)qcow2_refcount_free(image, host, size, NULL);
        return give_up(image, 0);
    }
    return qcow2_map_set_run(image, offset, host | QCOW2_COPIED, clusters, error);
}

bool qcow2_write(Qcow2 *image, uint64_t offset, const uint8_t *data, uint64_t size, Error *error) {
    if (!qcow2_header_begin_writing(image, error))
        return false;
    while (size > 0) {
        Qcow2Place place;
        if (!qcow2_map_own_table(image, offset, error) ||
            !qcow2_map_find(image, offset, size, &place, error))
            return false;
        uint64_t part = image->cluster_bytes - (offset & (image->cluster_bytes - 1));
        if (part > size)
            part = size;
        bool in_place = place.kind == QCOW2_DATA && (place.entry & QCOW2_COPIED);
        uint64_t fresh = find_fresh(image, &place, offset);
        if (in_place)
            part = place.size;
        else if (fresh > 1)
            part = fresh << image->cluster_bits;
        if (!(in_place    ? write_in_place(image, &place, data, error)
              : fresh > 1 ? write_fresh(image, fresh, offset, data, error)
                          : write_to_new(image, &place, offset, data, part, error)))
            return false;
        offset += part;
        data += part;
        size -= part;
    }
    return true;
}
