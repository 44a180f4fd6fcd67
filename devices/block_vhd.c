/* The VHD driver (QEMU calls the format vpc).
 *
 * A kill at any moment leaves a good image. A new block goes where the footer is, so the footer is
 * written behind the room for it first; then the bitmap, over the old footer, and the contents;
 * the table's entry last. What was not entered is a gap that nothing uses. In a block that is
 * there, contents come before their bits in the bitmap. */
#include "block_vhd.h"
#include "allocate.h"
#include "big_endian.h"
#include <stdlib.h>
#include <string.h>

#define ZEROS_BYTES 65536u

static int vhd_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return memcmp(head, "conectix", 8) == 0 ? 100 : 0;
}

static void vhd_close(BlockNode *node) {
    Vhd *vhd = node->driver_state;
    block_close(vhd->parent);
    free(vhd->table);
    free(vhd);
}

bool vhd_write_footer(const Vhd *vhd, const BlockNode *node, uint64_t offset, Error *error) {
    return block_file_write(node->file, offset, vhd->footer, VHD_FOOTER_BYTES, error);
}

static bool open_blocks(Vhd *vhd, BlockNode *node, bool has_end, const BlockOptions *options,
                        Error *error) {
    uint64_t end = has_end ? node->length - VHD_FOOTER_BYTES : node->length;
    vhd->next = (end + VHD_SECTOR_BYTES - 1) & ~(uint64_t)(VHD_SECTOR_BYTES - 1);
    if (!vhd_read_table(vhd, node, end, error))
        return false;
    if (vhd->type == VHD_DIFFERENCING && !options->no_backing &&
        !vhd_open_parent(vhd, node, options, error))
        return false;
    return has_end || node->read_only || vhd_write_footer(vhd, node, vhd->next, error);
}

static bool vhd_open(BlockNode *node, const BlockOptions *options, Error *error) {
    Vhd *vhd = allocate_zeroed(sizeof(*vhd));
    bool has_end = true;
    node->driver_state = vhd;
    if (vhd_read_headers(vhd, node, &has_end, error) &&
        (vhd->type == VHD_FIXED || open_blocks(vhd, node, has_end, options, error))) {
        node->length = vhd_disk_bytes(vhd);
        return true;
    }
    vhd_close(node);
    return false;
}

static bool has_bit(const uint8_t *bitmap, uint32_t bit) {
    return bitmap[bit / 8] & 0x80u >> bit % 8;
}

bool vhd_find_run(const Vhd *vhd, const BlockNode *node, uint64_t place, uint32_t sector,
                  uint32_t count, bool *present, uint32_t *run, Error *error) {
    uint8_t bitmap[512];
    uint32_t first = sector / 8;
    uint32_t bytes = (sector + count - 1) / 8 - first + 1;
    if (bytes > sizeof(bitmap))
        bytes = sizeof(bitmap);
    if (first + bytes > vhd->bitmap_bytes ||
        !block_file_read(node->file, place + first, bitmap, bytes, error))
        return error_set(error, "a bitmap ends too early");
    uint32_t at = sector % 8, end = bytes * 8 < at + count ? bytes * 8 : at + count;
    *present = has_bit(bitmap, at);
    for (*run = 1; at + *run < end && has_bit(bitmap, at + *run) == *present;)
        ++*run;
    return true;
}

static bool read_absent(const Vhd *vhd, uint64_t offset, void *data, size_t size, Error *error) {
    if (vhd->parent != NULL)
        return block_read(vhd->parent, offset, data, size, error);
    memset(data, 0, size);
    return true;
}

static uint64_t block_place(const Vhd *vhd, uint64_t offset) {
    return (uint64_t)vhd->table[offset / vhd->block_bytes] * VHD_SECTOR_BYTES;
}

static bool is_allocated(const Vhd *vhd, uint64_t offset) {
    return vhd->table[offset / vhd->block_bytes] != VHD_UNALLOCATED;
}

/* From one block. */
static bool read_part(const Vhd *vhd, const BlockNode *node, uint64_t offset, uint8_t *data,
                      size_t size, Error *error) {
    if (!is_allocated(vhd, offset))
        return read_absent(vhd, offset, data, size, error);
    uint64_t place = block_place(vhd, offset);
    while (size > 0) {
        uint32_t inside = (uint32_t)(offset % vhd->block_bytes), run;
        uint32_t skip = inside % VHD_SECTOR_BYTES;
        uint32_t count = (uint32_t)((skip + size + VHD_SECTOR_BYTES - 1) / VHD_SECTOR_BYTES);
        bool present;
        if (!vhd_find_run(vhd, node, place, inside / VHD_SECTOR_BYTES, count, &present, &run,
                          error))
            return false;
        size_t part = (size_t)run * VHD_SECTOR_BYTES - skip;
        part = part < size ? part : size;
        bool good = present ? block_file_read(node->file, place + vhd->bitmap_bytes + inside, data,
                                              part, error)
                            : read_absent(vhd, offset, data, part, error);
        if (!good)
            return false;
        data += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool vhd_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Vhd *vhd = node->driver_state;
    uint8_t *bytes = data;
    if (vhd->type == VHD_FIXED)
        return block_file_read(node->file, offset, data, size, error);
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, vhd->block_bytes);
        if (!read_part(vhd, node, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* All bits of a block's bitmap; as other programs, a dynamic image has all sectors of a block. */
static bool fill_bitmap(const Vhd *vhd, const BlockNode *node, uint64_t place, Error *error) {
    uint8_t bitmap[512];
    memset(bitmap, vhd->type == VHD_DYNAMIC ? 0xFF : 0, sizeof(bitmap));
    for (uint32_t at = 0; at < vhd->bitmap_bytes; at += sizeof(bitmap))
        if (!block_file_write(node->file, place + at, bitmap, sizeof(bitmap), error))
            return false;
    return true;
}

bool vhd_set_bits(const BlockNode *node, uint64_t place, uint32_t sector, uint32_t count,
                  Error *error) {
    while (count > 0) {
        uint8_t bitmap[512];
        uint32_t first = sector / 8, bit = sector % 8;
        uint32_t part = count < sizeof(bitmap) * 8 - bit ? count : sizeof(bitmap) * 8 - bit;
        size_t bytes = (bit + part + 7) / 8;
        if (!block_file_read(node->file, place + first, bitmap, bytes, error))
            return false;
        for (uint32_t i = bit; i < bit + part; i++)
            bitmap[i / 8] |= (uint8_t)(0x80u >> i % 8);
        if (!block_file_write(node->file, place + first, bitmap, bytes, error))
            return false;
        sector += part;
        count -= part;
    }
    return true;
}

/* Whole sectors of a block that is there, some of which may not be. */
static bool write_sectors(const Vhd *vhd, const BlockNode *node, uint64_t place, uint32_t inside,
                          const void *data, size_t size, Error *error) {
    return block_file_write(node->file, place + vhd->bitmap_bytes + inside, data, size, error) &&
           vhd_set_bits(node, place, inside / VHD_SECTOR_BYTES, (uint32_t)(size / VHD_SECTOR_BYTES),
                        error);
}

/* Whole sectors of a block that is not there. The room is gone even if that fails: what was written
 * to it is not zeros any more. */
static bool write_new_block(Vhd *vhd, const BlockNode *node, uint64_t offset, const void *data,
                            size_t size, Error *error) {
    uint64_t place = vhd->next;
    uint64_t end = place + vhd->bitmap_bytes + vhd->block_bytes;
    uint32_t block = (uint32_t)(offset / vhd->block_bytes);
    if (place / VHD_SECTOR_BYTES >= VHD_UNALLOCATED)
        return error_set(error, "is as large as a VHD image can become");
    if (!vhd_write_footer(vhd, node, end, error))
        return false;
    vhd->next = end;
    uint8_t entry[4];
    store_be32(entry, (uint32_t)(place / VHD_SECTOR_BYTES));
    if (!fill_bitmap(vhd, node, place, error) ||
        !write_sectors(vhd, node, place, (uint32_t)(offset % vhd->block_bytes), data, size,
                       error) ||
        !block_file_write(node->file, vhd->table_offset + (uint64_t)block * 4, entry, 4, error))
        return false;
    vhd->table[block] = load_be32(entry);
    return true;
}

/* Whole sectors, with what is there already around a part of one. */
static bool write_widened(Vhd *vhd, const BlockNode *node, uint64_t offset, const void *data,
                          size_t size, Error *error) {
    uint32_t skip = (uint32_t)(offset % VHD_SECTOR_BYTES);
    size_t whole = (skip + size + VHD_SECTOR_BYTES - 1) & ~(size_t)(VHD_SECTOR_BYTES - 1);
    uint8_t *bytes = NULL;
    offset -= skip;
    if (whole != size) {
        bytes = malloc(whole);
        if (bytes == NULL)
            return error_set(error, "no memory for a write");
        if (!read_part(vhd, node, offset, bytes, whole, error)) {
            free(bytes);
            return false;
        }
        memcpy(bytes + skip, data, size);
        data = bytes;
    }
    bool good = is_allocated(vhd, offset)
                    ? write_sectors(vhd, node, block_place(vhd, offset),
                                    (uint32_t)(offset % vhd->block_bytes), data, whole, error)
                    : write_new_block(vhd, node, offset, data, whole, error);
    free(bytes);
    return good;
}

/* Into one block. */
static bool write_part(Vhd *vhd, const BlockNode *node, uint64_t offset, const void *data,
                       size_t size, Error *error) {
    if (!is_allocated(vhd, offset))
        return write_widened(vhd, node, offset, data, size, error);
    uint32_t inside = (uint32_t)(offset % vhd->block_bytes), run = 0;
    uint32_t sector = inside / VHD_SECTOR_BYTES;
    uint32_t count = (uint32_t)((inside + size - 1) / VHD_SECTOR_BYTES) - sector + 1;
    uint64_t place = block_place(vhd, offset);
    for (bool present = true; count > 0; sector += run, count -= run) {
        if (!vhd_find_run(vhd, node, place, sector, count, &present, &run, error))
            return false;
        if (!present)
            return write_widened(vhd, node, offset, data, size, error);
    }
    return block_file_write(node->file, place + vhd->bitmap_bytes + inside, data, size, error);
}

static bool vhd_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                      Error *error) {
    Vhd *vhd = node->driver_state;
    const uint8_t *bytes = data;
    if (!block_check_inside(node, offset, size, error))
        return false;
    if (vhd->type == VHD_FIXED)
        return block_file_write(node->file, offset, data, size, error);
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, vhd->block_bytes);
        if (!write_part(vhd, node, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* Blocks that are not there are zeros already, but over a parent. */
static bool write_zeros(BlockNode *node, uint64_t offset, uint64_t size, Error *error) {
    const Vhd *vhd = node->driver_state;
    if (vhd->type == VHD_FIXED)
        return block_file_zero(node->file, offset, size, error);
    uint8_t *zeros = allocate_zeroed(ZEROS_BYTES);
    bool good = true;
    for (size_t part; good && size > 0; offset += part, size -= part) {
        part = block_part_in_unit(offset, size < ZEROS_BYTES ? (size_t)size : ZEROS_BYTES,
                                  vhd->block_bytes);
        if (vhd->parent != NULL || vhd->type == VHD_DIFFERENCING || is_allocated(vhd, offset))
            good = vhd_write(node, offset, zeros, part, error);
    }
    free(zeros);
    return good;
}

/* All of an image that was opened without its parent is zeros once nothing is in it. */
static bool vhd_discard(BlockNode *node, uint64_t offset, uint64_t size, bool zeros, Error *error) {
    const Vhd *vhd = node->driver_state;
    if (vhd->type == VHD_DIFFERENCING && vhd->parent == NULL && offset == 0 && size == node->length)
        return vhd_make_empty(node, error);
    return !zeros || write_zeros(node, offset, size, error);
}

const BlockDriver block_vhd_driver = {
    .name = "vpc",
    .create_options = vhd_create_options,
    .create = vhd_create,
    .can_back = true,
    .probe = vhd_probe,
    .open = vhd_open,
    .close = vhd_close,
    .read = vhd_read,
    .write = vhd_write,
    .flush = block_file_flush,
    .discard = vhd_discard,
    .resize = block_refuse_resize,
    .info = vhd_info,
    .geometry = vhd_geometry,
    .map = vhd_map,
    .set_backing = vhd_set_backing,
    .backing = vhd_backing,
    .attach_backing = vhd_attach_backing,
};
