/* VHDX images, fixed and dynamic, to be read (MS-VHDX). All numbers are little-endian. */
#include "block_vhdx.h"
#include "allocate.h"
#include "block_image.h"
#include "crc32c.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

#define KILOBYTE 1024u
#define MEGABYTE (1024u * 1024u)
#define BLOCKS_MAXIMUM (1u << 24)
#define REGION_ENTRIES_MAXIMUM 2047u
#define METADATA_ENTRIES_MAXIMUM 2047u
#define SECTORS_A_BITMAP (1ull << 23)

enum { HEADER_BYTES = 4096, REGION_TABLE_BYTES = 65536, METADATA_TABLE_BYTES = 65536 };

/* States of a block, in the lowest bits of its entry. */
enum { BLOCK_ABSENT, BLOCK_UNDEFINED, BLOCK_ZERO, BLOCK_UNMAPPED, BLOCK_PRESENT = 6 };
enum { STATE_MASK = 7 };

/* GUIDs as they stand in the file. */
// clang-format off
static const uint8_t region_table_guid[16] = {0x66, 0x77, 0xC2, 0x2D, 0x23, 0xF6, 0x00, 0x42, 0x9D, 0x64, 0x11, 0x5E, 0x9B, 0xFD, 0x4A, 0x08};
static const uint8_t region_metadata_guid[16] = {0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E};

enum { ITEM_PARAMETERS, ITEM_DISK_SIZE, ITEM_SECTOR_SIZE, ITEM_PHYSICAL_SECTOR_SIZE, ITEM_PAGE_83, ITEM_PARENT, ITEMS };
static const uint8_t item_guids[ITEMS][16] = {
    [ITEM_PARAMETERS] = {0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B},
    [ITEM_DISK_SIZE] = {0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8},
    [ITEM_SECTOR_SIZE] = {0x1D, 0xBF, 0x41, 0x81, 0x6F, 0xA9, 0x09, 0x47, 0xBA, 0x47, 0xF2, 0x33, 0xA8, 0xFA, 0xAB, 0x5F},
    [ITEM_PHYSICAL_SECTOR_SIZE] = {0xC7, 0x48, 0xA3, 0xCD, 0x5D, 0x44, 0x71, 0x44, 0x9C, 0xC9, 0xE9, 0x88, 0x52, 0x51, 0xC5, 0x56},
    [ITEM_PAGE_83] = {0xAB, 0x12, 0xCA, 0xBE, 0xE6, 0xB2, 0x23, 0x45, 0x93, 0xEF, 0xC3, 0x09, 0xE0, 0x00, 0xC7, 0x46},
    [ITEM_PARENT] = {0x2D, 0x5F, 0xD3, 0xA8, 0x0B, 0xB3, 0x4D, 0x45, 0xAB, 0xF7, 0xD3, 0xD8, 0x48, 0x34, 0xAB, 0x0C},
};
// clang-format on

static int vhdx_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return memcmp(head, "vhdxfile", 8) == 0 ? 100 : 0;
}

/* The sum is in the table, after its signature, and counts as zeros. */
static bool has_sum(const uint8_t *table, size_t size) {
    static const uint8_t none[4];
    uint32_t sum = crc32c_add(0, table, 4);
    sum = crc32c_add(sum, none, sizeof(none));
    return crc32c_add(sum, table + 8, size - 8) == load_le32(table + 4);
}

/* Of two headers the newer one that is whole; and with it the log. */
static bool read_header(Vhdx *vhdx, Error *error) {
    uint8_t headers[2][HEADER_BYTES], identifier[8];
    static const uint8_t no_guid[16];
    const uint8_t *newest = NULL;
    if (vhdx->there < MEGABYTE)
        return error_set(error, "is no VHDX image, or cut short in its header");
    if (!block_file_read(vhdx->file, 0, identifier, sizeof(identifier), error))
        return false;
    if (memcmp(identifier, "vhdxfile", sizeof(identifier)) != 0)
        return error_set(error, "is not a VHDX image");
    for (int i = 0; i < 2; i++) {
        if (!block_file_read(vhdx->file, (1u + (unsigned)i) * 64 * KILOBYTE, headers[i],
                             HEADER_BYTES, error))
            return false;
        bool good = memcmp(headers[i], "head", 4) == 0 && has_sum(headers[i], HEADER_BYTES) &&
                    load_le16(headers[i] + 66) == 1;
        if (good && (newest == NULL || load_le64(headers[i] + 8) > load_le64(newest + 8)))
            newest = headers[i];
    }
    if (newest == NULL)
        return error_set(error, "is a bad VHDX image: both headers are damaged");
    if (memcmp(newest + 48, no_guid, sizeof(no_guid)) == 0)
        return true;
    if (load_le16(newest + 64) != 0)
        return error_set(error, "has a log of the unknown version %u", load_le16(newest + 64));
    return vhdx_log_read(vhdx, load_le64(newest + 72), load_le32(newest + 68), newest + 48, error);
}

static bool take_region(Vhdx *vhdx, const uint8_t *entry, Error *error) {
    uint64_t offset = load_le64(entry + 16);
    uint32_t length = load_le32(entry + 24);
    bool is_table = memcmp(entry, region_table_guid, 16) == 0;
    bool is_metadata = memcmp(entry, region_metadata_guid, 16) == 0;
    if (!is_table && !is_metadata)
        return (load_le32(entry + 28) & 1) == 0 ||
               error_set(error, "needs a kind of region that is not known");
    if (offset < MEGABYTE || offset > vhdx->file_bytes || length > vhdx->file_bytes - offset)
        return error_set(error, "is a bad VHDX image: a region lies past its end");
    *(is_table ? &vhdx->table_offset : &vhdx->metadata_offset) = offset;
    *(is_table ? &vhdx->table_bytes : &vhdx->metadata_bytes) = length;
    return true;
}

static bool read_regions(Vhdx *vhdx, Error *error) {
    uint8_t *table = allocate_zeroed(REGION_TABLE_BYTES);
    bool read = true, good = false;
    for (unsigned i = 0; read && !good && i < 2; i++) {
        read = vhdx_read_file(vhdx, (3 + i) * 64ull * KILOBYTE, table, REGION_TABLE_BYTES, error);
        good = read && memcmp(table, "regi", 4) == 0 && has_sum(table, REGION_TABLE_BYTES) &&
               load_le32(table + 8) <= REGION_ENTRIES_MAXIMUM;
    }
    if (read && !good)
        error_set(error, "is a bad VHDX image: both tables of regions are damaged");
    for (uint32_t i = 0; good && i < load_le32(table + 8); i++)
        good = take_region(vhdx, table + 16 + i * 32, error);
    free(table);
    return good && ((vhdx->table_offset != 0 && vhdx->metadata_offset != 0 &&
                     vhdx->metadata_bytes >= METADATA_TABLE_BYTES) ||
                    error_set(error, "is a bad VHDX image: a region is missing"));
}

static bool take_item(Vhdx *vhdx, const uint8_t *entry, unsigned *seen, Error *error) {
    uint32_t offset = load_le32(entry + 16), length = load_le32(entry + 20);
    uint8_t value[8] = {0};
    int item = 0;
    while (item < ITEMS && memcmp(entry, item_guids[item], 16) != 0)
        item++;
    if (item == ITEMS)
        return (load_le32(entry + 24) & 4) == 0 ||
               error_set(error, "needs an item of metadata that is not known");
    size_t wanted = item == ITEM_PARAMETERS || item == ITEM_DISK_SIZE ? 8 : 4;
    if (offset < METADATA_TABLE_BYTES || length < wanted || offset > vhdx->metadata_bytes ||
        length > vhdx->metadata_bytes - offset)
        return error_set(error, "is a bad VHDX image: an item of metadata lies past their end");
    if (!vhdx_read_file(vhdx, vhdx->metadata_offset + offset, value, wanted, error))
        return false;
    *seen |= 1u << item;
    if (item == ITEM_PARAMETERS) {
        vhdx->block_bytes = load_le32(value);
        if ((load_le32(value + 4) & 2) != 0)
            return error_set(error, "is a VHDX image that is a difference to another, which cannot "
                                    "be opened");
    } else if (item == ITEM_DISK_SIZE) {
        vhdx->disk_bytes = load_le64(value);
    } else if (item == ITEM_SECTOR_SIZE) {
        vhdx->sector_bytes = load_le32(value);
    }
    return true;
}

static bool read_metadata(Vhdx *vhdx, Error *error) {
    uint8_t *table = allocate_zeroed(METADATA_TABLE_BYTES);
    unsigned seen = 0,
             needed = 1u << ITEM_PARAMETERS | 1u << ITEM_DISK_SIZE | 1u << ITEM_SECTOR_SIZE;
    bool good = vhdx_read_file(vhdx, vhdx->metadata_offset, table, METADATA_TABLE_BYTES, error);
    if (good &&
        (memcmp(table, "metadata", 8) != 0 || load_le16(table + 10) > METADATA_ENTRIES_MAXIMUM))
        good = error_set(error, "is a bad VHDX image: its metadata are damaged");
    for (uint32_t i = 0; good && i < load_le16(table + 10); i++)
        good = take_item(vhdx, table + 32 + i * 32, &seen, error);
    free(table);
    return good && ((seen & needed) == needed ||
                    error_set(error, "is a bad VHDX image: an item of metadata is missing"));
}

static bool check_sizes(Vhdx *vhdx, Error *error) {
    uint32_t block = vhdx->block_bytes;
    if (block < MEGABYTE || block > 256 * MEGABYTE || (block & (block - 1)) != 0)
        return error_set(error, "is a bad VHDX image: blocks of %u bytes", block);
    if (vhdx->sector_bytes != 512 && vhdx->sector_bytes != 4096)
        return error_set(error, "is a bad VHDX image: sectors of %u bytes", vhdx->sector_bytes);
    if (vhdx->disk_bytes == 0 || vhdx->disk_bytes % vhdx->sector_bytes != 0 ||
        vhdx->disk_bytes > (uint64_t)BLOCKS_MAXIMUM * block)
        return error_set(error, "is a VHDX image of %llu bytes, which is not possible here",
                         (unsigned long long)vhdx->disk_bytes);
    vhdx->blocks = (uint32_t)((vhdx->disk_bytes + block - 1) / block);
    vhdx->chunk_blocks = SECTORS_A_BITMAP * vhdx->sector_bytes / block;
    uint64_t entries = vhdx->blocks + (vhdx->blocks - 1) / vhdx->chunk_blocks;
    return entries * 8 <= vhdx->table_bytes ||
           error_set(error, "is a bad VHDX image: its table is too short");
}

static bool check_entry(const Vhdx *vhdx, uint32_t block, Error *error) {
    uint64_t offset = vhdx->table[block] / MEGABYTE * MEGABYTE;
    unsigned state = vhdx->table[block] & STATE_MASK;
    if (state != BLOCK_PRESENT)
        return state <= BLOCK_UNMAPPED ||
               error_set(error, "is a bad VHDX image: block %u is in the unknown state %u", block,
                         state);
    return (offset >= MEGABYTE && offset <= vhdx->file_bytes &&
            vhdx->block_bytes <= vhdx->file_bytes - offset) ||
           error_set(error, "is a bad VHDX image: block %u lies past the end of the file", block);
}

static bool read_table(Vhdx *vhdx, Error *error) {
    uint8_t entry_bytes[512];
    vhdx->table = calloc(vhdx->blocks, sizeof(*vhdx->table));
    if (vhdx->table == NULL)
        return error_set(error, "no memory for the table of a VHDX image");
    for (uint32_t block = 0; block < vhdx->blocks;) {
        uint64_t entry = block + block / vhdx->chunk_blocks;
        uint64_t run = vhdx->chunk_blocks - block % vhdx->chunk_blocks;
        run = run < vhdx->blocks - block ? run : vhdx->blocks - block;
        run = run < sizeof(entry_bytes) / 8 ? run : sizeof(entry_bytes) / 8;
        if (!vhdx_read_file(vhdx, vhdx->table_offset + entry * 8, entry_bytes, run * 8, error))
            return false;
        for (uint64_t i = 0; i < run; i++, block++) {
            vhdx->table[block] = load_le64(entry_bytes + i * 8);
            if (!check_entry(vhdx, block, error))
                return false;
        }
    }
    return true;
}

static void vhdx_close(BlockNode *node) {
    Vhdx *vhdx = node->driver_state;
    vhdx_log_free(&vhdx->log);
    free(vhdx->table);
    free(vhdx);
}

static bool vhdx_open(BlockNode *node, const BlockOptions *options, Error *error) {
    if (!node->read_only && !options->auto_read_only)
        return error_set(error, "is a VHDX image, which can only be read; add readonly=on or "
                                "snapshot=on, or convert it");
    node->read_only = true;
    Vhdx *vhdx = allocate_zeroed(sizeof(*vhdx));
    node->driver_state = vhdx;
    vhdx->file = node->file;
    vhdx->file_bytes = vhdx->there = node->length;
    if (!read_header(vhdx, error) || !read_regions(vhdx, error) || !read_metadata(vhdx, error) ||
        !check_sizes(vhdx, error) || !read_table(vhdx, error)) {
        vhdx_close(node);
        return false;
    }
    node->length = vhdx->disk_bytes;
    return true;
}

static bool is_present(const Vhdx *vhdx, uint64_t offset) {
    return (vhdx->table[offset / vhdx->block_bytes] & STATE_MASK) == BLOCK_PRESENT;
}

static uint64_t find_place(const Vhdx *vhdx, uint64_t offset) {
    return vhdx->table[offset / vhdx->block_bytes] / MEGABYTE * MEGABYTE +
           offset % vhdx->block_bytes;
}

static bool vhdx_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Vhdx *vhdx = node->driver_state;
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, vhdx->block_bytes);
        if (!is_present(vhdx, offset))
            memset(bytes, 0, part);
        else if (!vhdx_read_file(vhdx, find_place(vhdx, offset), bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool vhdx_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    (void)node;
    (void)offset;
    (void)data;
    (void)size;
    return error_set(error, "is a VHDX image, which is only read");
}

static bool vhdx_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Vhdx *vhdx = node->driver_state;
    (void)error;
    info->cluster_bytes = vhdx->block_bytes;
    return true;
}

static bool vhdx_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                     Error *error) {
    const Vhdx *vhdx = node->driver_state;
    uint64_t left = vhdx->block_bytes - offset % vhdx->block_bytes;
    bool there = is_present(vhdx, offset);
    (void)error;
    *extent = (BlockExtent){
        .length = length < left ? length : left,
        .present = true,
        .zero = !there,
        .data = there,
        .has_offset = there && vhdx->log.pages.count == 0,
        .offset = there ? find_place(vhdx, offset) : 0,
        .file_path = node->path,
    };
    return true;
}

/* An image whose blocks are not all in the file is not even opened. */
static bool vhdx_check(BlockNode *node, BlockCheck *check, Error *error) {
    const Vhdx *vhdx = node->driver_state;
    (void)error;
    check->total_clusters = vhdx->blocks;
    for (uint32_t i = 0; i < vhdx->blocks; i++)
        check->allocated_clusters += (vhdx->table[i] & STATE_MASK) == BLOCK_PRESENT;
    return true;
}

const BlockDriver block_vhdx_driver = {
    .name = "vhdx",
    .probe = vhdx_probe,
    .open = vhdx_open,
    .close = vhdx_close,
    .read = vhdx_read,
    .write = vhdx_write,
    .flush = block_file_flush,
    .resize = block_refuse_resize,
    .info = vhdx_info,
    .map = vhdx_map,
    .check = vhdx_check,
};
