/* Reads compressed clusters of qcow2 images. What a guest writes goes to a plain cluster. */
#include "allocate.h"
#include "block_qcow2.h"
#include <stdlib.h>

#define SECTOR_BYTES 512u

void qcow2_packed_extent(const Qcow2 *image, uint64_t entry, uint64_t *offset, uint64_t *size) {
    unsigned offset_bits = 62 - (image->cluster_bits - 8);
    uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> offset_bits) + 1;
    *offset = entry & ((1ull << offset_bits) - 1);
    *size = sectors * SECTOR_BYTES - *offset % SECTOR_BYTES;
}

const uint8_t *qcow2_packed_read(Qcow2 *image, uint64_t entry, Error *error) {
    uint64_t offset, size;
    if (image->unpacked_for == entry)
        return image->unpacked;
    qcow2_packed_extent(image, entry, &offset, &size);
    if (offset >= image->file_end) {
        error_set(error, "has a compressed cluster at byte %llu, past its end",
                  (unsigned long long)offset);
        return NULL;
    }
    if (image->unpacked == NULL)
        image->unpacked = allocate_zeroed(image->cluster_bytes);
    image->unpacked_for = 0;
    uint8_t *packed = allocate_zeroed(size);
    bool good = qcow2_file_read(image, offset, packed, size, error);
    if (good && !qcow2_codec_unpack(image->compression, image->unpacked, image->cluster_bytes,
                                    packed, size))
        good = error_set(error, "has a damaged compressed cluster at byte %llu",
                         (unsigned long long)offset);
    free(packed);
    if (!good)
        return NULL;
    image->unpacked_for = entry;
    return image->unpacked;
}
