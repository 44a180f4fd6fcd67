/* What a VHD image says of itself. */
#include "big_endian.h"
#include "block_vhd.h"
#include <stdlib.h>
#include <string.h>

/* Offsets in the footer. */
enum {
    FOOTER_AT_VERSION = 12,
    FOOTER_AT_HEADER_OFFSET = 16,
    FOOTER_AT_CREATOR = 28,
    FOOTER_AT_CURRENT_BYTES = 48,
    FOOTER_AT_HEADS = 58,
    FOOTER_AT_SECTORS = 59,
    FOOTER_AT_UUID = 68,
};

/* Offsets in the header of dynamic and differencing images. */
enum {
    HEADER_AT_TABLE_OFFSET = 16,
    HEADER_AT_VERSION = 24,
    HEADER_AT_TABLE_ENTRIES = 28,
    HEADER_AT_BLOCK_BYTES = 32,
};

#define VHD_MAJOR_VERSION 1u
#define VHD_BLOCK_COUNT_MAXIMUM (1u << 24)
/* The largest disk that the geometry can tell: 65535 cylinders, 16 heads, 255 sectors. */
#define GEOMETRY_SECTORS_MAXIMUM (65535ull * 16 * 255)

/* The ones' complement of the sum of all bytes but those of the checksum. */
static bool has_checksum(const uint8_t *data, size_t size, size_t at) {
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += i < at || i >= at + 4 ? data[i] : 0;
    return load_be32(data + at) == (uint32_t)~sum;
}

bool vhd_is_footer(const uint8_t *sector) {
    return memcmp(sector, "conectix", 8) == 0 &&
           has_checksum(sector, VHD_FOOTER_BYTES, VHD_FOOTER_AT_CHECKSUM);
}

const uint8_t *vhd_uuid(const Vhd *vhd) {
    return vhd->footer + FOOTER_AT_UUID;
}

/* Virtual PC, and QEMU when it writes for it, round a disk to its geometry, and their guests see no
 * more than that; what others give as the current size is the size. A geometry at its limit says
 * nothing (QEMU's block/vpc.c tells makers apart in the same way). */
static uint64_t disk_bytes(const uint8_t *footer) {
    uint64_t current = load_be64(footer + FOOTER_AT_CURRENT_BYTES);
    uint64_t sectors = (uint64_t)load_be16(footer + VHD_FOOTER_AT_GEOMETRY) *
                       footer[FOOTER_AT_HEADS] * footer[FOOTER_AT_SECTORS];
    bool by_geometry = memcmp(footer + FOOTER_AT_CREATOR, "vpc ", 4) == 0 ||
                       memcmp(footer + FOOTER_AT_CREATOR, "qemu", 4) == 0;
    return by_geometry && sectors != 0 && sectors < GEOMETRY_SECTORS_MAXIMUM
               ? sectors * VHD_SECTOR_BYTES
               : current;
}

/* The footer at the end counts. Its copy at the start is for the day when that is lost; of a fixed
 * image, the start is what the guest wrote there. */
static bool read_footer(Vhd *vhd, const BlockNode *node, bool *has_end, Error *error) {
    if (node->length < VHD_FOOTER_BYTES)
        return error_set(error, "is not a VHD image: too short");
    if (!block_file_read(node->file, node->length - VHD_FOOTER_BYTES, vhd->footer, VHD_FOOTER_BYTES,
                         error))
        return false;
    *has_end = vhd_is_footer(vhd->footer);
    if (*has_end)
        return true;
    if (!block_file_read(node->file, 0, vhd->footer, VHD_FOOTER_BYTES, error))
        return false;
    if (!vhd_is_footer(vhd->footer) || load_be32(vhd->footer + VHD_FOOTER_AT_TYPE) == VHD_FIXED)
        return error_set(error, "is not a VHD image, or its footer is damaged");
    return true;
}

static bool check_fixed(const Vhd *vhd, const BlockNode *node, Error *error) {
    uint64_t said = disk_bytes(vhd->footer), there = node->length - VHD_FOOTER_BYTES;
    if (said <= there)
        return true;
    return error_set(error, "is a bad VHD image: a disk of %llu bytes in a file that holds %llu",
                     (unsigned long long)said, (unsigned long long)there);
}

static bool read_header(Vhd *vhd, const BlockNode *node, Error *error) {
    uint8_t *header = vhd->header;
    vhd->header_offset = load_be64(vhd->footer + FOOTER_AT_HEADER_OFFSET);
    if (vhd->header_offset < VHD_FOOTER_BYTES || node->length < VHD_HEADER_BYTES ||
        vhd->header_offset > node->length - VHD_HEADER_BYTES)
        return error_set(error, "is a bad VHD image: its header lies past the end of the file");
    if (!block_file_read(node->file, vhd->header_offset, header, VHD_HEADER_BYTES, error))
        return false;
    if (memcmp(header, "cxsparse", 8) != 0 ||
        !has_checksum(header, VHD_HEADER_BYTES, VHD_HEADER_AT_CHECKSUM))
        return error_set(error, "is a bad VHD image: its header is damaged");
    if (load_be32(header + HEADER_AT_VERSION) >> 16 != VHD_MAJOR_VERSION)
        return error_set(error, "is a VHD image with a header of an unknown version");
    vhd->table_offset = load_be64(header + HEADER_AT_TABLE_OFFSET);
    vhd->table_entries = load_be32(header + HEADER_AT_TABLE_ENTRIES);
    vhd->block_bytes = load_be32(header + HEADER_AT_BLOCK_BYTES);
    return true;
}

static bool check_header(Vhd *vhd, const BlockNode *node, Error *error) {
    uint32_t block_bytes = vhd->block_bytes;
    uint64_t table_bytes = (uint64_t)vhd->table_entries * 4, disk = disk_bytes(vhd->footer);
    if (block_bytes < VHD_SECTOR_BYTES || (block_bytes & (block_bytes - 1)) != 0)
        return error_set(error, "is a bad VHD image: blocks of %u bytes", block_bytes);
    if (vhd->table_entries > VHD_BLOCK_COUNT_MAXIMUM)
        return error_set(error, "is a VHD image of %u blocks; more than %u are not possible here",
                         vhd->table_entries, VHD_BLOCK_COUNT_MAXIMUM);
    if (disk > (uint64_t)vhd->table_entries * block_bytes)
        return error_set(error, "is a bad VHD image: a disk of %llu bytes in %u blocks of %u bytes",
                         (unsigned long long)disk, vhd->table_entries, block_bytes);
    if (vhd->table_offset < VHD_FOOTER_BYTES || vhd->table_offset > node->length ||
        table_bytes > node->length - vhd->table_offset)
        return error_set(error, "is a bad VHD image: its table lies past the end of the file");
    uint32_t bitmap_bytes = (block_bytes / VHD_SECTOR_BYTES + 7) / 8;
    vhd->bitmap_bytes = (bitmap_bytes + VHD_SECTOR_BYTES - 1) & ~(VHD_SECTOR_BYTES - 1);
    vhd->block_count = (uint32_t)((disk + block_bytes - 1) / block_bytes);
    return true;
}

bool vhd_read_headers(Vhd *vhd, BlockNode *node, bool *has_end, Error *error) {
    if (!read_footer(vhd, node, has_end, error))
        return false;
    uint32_t type = load_be32(vhd->footer + VHD_FOOTER_AT_TYPE);
    if (load_be32(vhd->footer + FOOTER_AT_VERSION) >> 16 != VHD_MAJOR_VERSION ||
        (type != VHD_FIXED && type != VHD_DYNAMIC && type != VHD_DIFFERENCING))
        return error_set(error, "is a VHD image of an unknown version or type (%u)", type);
    vhd->type = (VhdType)type;
    if (disk_bytes(vhd->footer) == 0)
        return error_set(error, "is a bad VHD image: a disk of 0 bytes");
    if (type == VHD_FIXED)
        return check_fixed(vhd, node, error);
    return read_header(vhd, node, error) && check_header(vhd, node, error);
}

uint64_t vhd_disk_bytes(const Vhd *vhd) {
    return disk_bytes(vhd->footer);
}

bool vhd_geometry(const BlockNode *node, BlockGeometry *geometry) {
    const uint8_t *footer = ((const Vhd *)node->driver_state)->footer;
    uint32_t said = load_be32(footer + VHD_FOOTER_AT_GEOMETRY);
    uint32_t usual = vhd_usual_geometry(disk_bytes(footer) / VHD_SECTOR_BYTES);
    *geometry = (BlockGeometry){said >> 16, said >> 8 & 0xFF, said & 0xFF};
    return (said & 0xFFFF) != (usual & 0xFFFF);
}

static int compare_sectors(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static bool overlaps(uint64_t start, uint64_t end, uint64_t other, uint64_t other_bytes) {
    return start < other + other_bytes && other < end;
}

/* 'sorted' are the sectors of all blocks, in order. */
static bool check_blocks(const Vhd *vhd, const uint32_t *sorted, uint64_t blocks_end,
                         Error *error) {
    uint64_t bytes = (uint64_t)vhd->bitmap_bytes + vhd->block_bytes, free_from = 0;
    for (uint32_t i = 0; i < vhd->block_count && sorted[i] != VHD_UNALLOCATED; i++) {
        uint64_t start = (uint64_t)sorted[i] * VHD_SECTOR_BYTES, end = start + bytes;
        if (end > blocks_end)
            return error_set(error,
                             "is a bad VHD image: the block at sector %u lies past the end of the "
                             "file",
                             sorted[i]);
        if (start < free_from || start < VHD_FOOTER_BYTES ||
            overlaps(start, end, vhd->header_offset, VHD_HEADER_BYTES) ||
            overlaps(start, end, vhd->table_offset, (uint64_t)vhd->table_entries * 4))
            return error_set(error,
                             "is a bad VHD image: the block at sector %u lies where something else "
                             "does",
                             sorted[i]);
        free_from = end;
    }
    return true;
}

bool vhd_read_table(Vhd *vhd, const BlockNode *node, uint64_t blocks_end, Error *error) {
    size_t bytes = (size_t)vhd->block_count * sizeof(*vhd->table);
    vhd->table = malloc(bytes);
    uint32_t *sorted = malloc(bytes);
    bool good = vhd->table != NULL && sorted != NULL;
    if (!good)
        error_set(error, "no memory for the table of a VHD image");
    good = good && block_file_read(node->file, vhd->table_offset, vhd->table, bytes, error);
    if (good) {
        for (uint32_t i = 0; i < vhd->block_count; i++)
            vhd->table[i] = load_be32(&vhd->table[i]);
        memcpy(sorted, vhd->table, bytes);
        qsort(sorted, vhd->block_count, sizeof(*sorted), compare_sectors);
        good = check_blocks(vhd, sorted, blocks_end, error);
    }
    free(sorted);
    return good;
}
