/* VDI, VirtualBox's disk image: a header, a table with the place of each block, the blocks.
 *
 * Layout as VirtualBox's VDICore.h and QEMU's documentation of its header describe it; all numbers
 * are little-endian. A block that was never written has no place and reads as zeros. Places are
 * taken in the order of the first writes.
 *
 * A kill at any moment leaves a good image: a block's contents are in the file before its entry in
 * the table is. The entry and the header's count of blocks must agree, and are written by one call
 * within one page of the host, where they are that near (the first 900 blocks or so); else the
 * count goes first, so that nobody who trusts it takes a place twice, and the next open puts it
 * right. */
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include "host_random.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

#define VDI_SIGNATURE 0xBEDA107Fu
#define VDI_HEADER_BYTES 512u
#define VDI_MAJOR_VERSION 1u

/* Offsets in the header. */
enum {
    VDI_AT_SIGNATURE = 0x40,
    VDI_AT_VERSION = 0x44,
    VDI_AT_TYPE = 0x4C,
    VDI_AT_TABLE_OFFSET = 0x154,
    VDI_AT_DATA_OFFSET = 0x158,
    VDI_AT_DISK_BYTES = 0x170,
    VDI_AT_BLOCK_BYTES = 0x178,
    VDI_AT_EXTRA_BYTES = 0x17C,
    VDI_AT_BLOCK_COUNT = 0x180,
    VDI_AT_BLOCKS_ALLOCATED = 0x184,
};

enum { VDI_TYPE_DYNAMIC = 1, VDI_TYPE_STATIC = 2 };

/* Entries of the table that are no place: never written; thrown away. Both read as zeros. */
#define VDI_UNALLOCATED 0xFFFFFFFFu
#define VDI_DISCARDED 0xFFFFFFFEu

#define VDI_BLOCK_COUNT_MAXIMUM (1u << 24) /* 16 TB in blocks of the usual 1 MB */
#define HOST_PAGE_BYTES 4096u              /* what a kill cannot tear */

typedef struct Vdi {
    uint64_t disk_bytes;
    uint64_t table_offset;
    uint64_t data_offset;
    uint32_t block_bytes;
    uint32_t extra_bytes; /* before each block's contents */
    uint32_t block_count;
    uint32_t allocated; /* blocks with a place */
    uint32_t *table;
    uint8_t *taken;                      /* a bit for each place */
    uint32_t first_free;                 /* no place below is free */
    uint8_t first_page[HOST_PAGE_BYTES]; /* of the file, as it is there */
} Vdi;

static int vdi_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return load_le32(head + VDI_AT_SIGNATURE) == VDI_SIGNATURE ? 100 : 0;
}

static bool has_place(uint32_t entry) {
    return entry < VDI_DISCARDED;
}

static uint64_t place_offset(const Vdi *vdi, uint32_t place) {
    return vdi->data_offset + place * ((uint64_t)vdi->extra_bytes + vdi->block_bytes);
}

static bool read_header(Vdi *vdi, const BlockNode *node, Error *error) {
    const uint8_t *header = vdi->first_page;
    size_t size = node->length < HOST_PAGE_BYTES ? (size_t)node->length : HOST_PAGE_BYTES;
    if (!block_file_read(node->file, 0, vdi->first_page, size, error))
        return false;
    if (size < VDI_HEADER_BYTES || load_le32(header + VDI_AT_SIGNATURE) != VDI_SIGNATURE)
        return error_set(error, "is not a VDI image");
    uint32_t version = load_le32(header + VDI_AT_VERSION);
    if (version >> 16 != VDI_MAJOR_VERSION || (version & 0xFFFF) == 0)
        return error_set(error, "is a VDI image of version %u.%u; only 1.1 is known", version >> 16,
                         version & 0xFFFF);
    uint32_t type = load_le32(header + VDI_AT_TYPE);
    if (type != VDI_TYPE_DYNAMIC && type != VDI_TYPE_STATIC)
        return error_set(error,
                         "is a VDI image of type %u (a difference to another image?); only dynamic "
                         "and static ones are known",
                         type);
    vdi->table_offset = load_le32(header + VDI_AT_TABLE_OFFSET);
    vdi->data_offset = load_le32(header + VDI_AT_DATA_OFFSET);
    vdi->disk_bytes = load_le64(header + VDI_AT_DISK_BYTES);
    vdi->block_bytes = load_le32(header + VDI_AT_BLOCK_BYTES);
    vdi->extra_bytes = load_le32(header + VDI_AT_EXTRA_BYTES);
    vdi->block_count = load_le32(header + VDI_AT_BLOCK_COUNT);
    return true;
}

static bool check_header(const Vdi *vdi, uint64_t file_bytes, Error *error) {
    uint64_t table_bytes = vdi->block_count * (uint64_t)sizeof(uint32_t);
    if (vdi->block_bytes == 0 || vdi->block_bytes % 512 != 0)
        return error_set(error, "is a bad VDI image: blocks of %u bytes", vdi->block_bytes);
    if (vdi->block_count > VDI_BLOCK_COUNT_MAXIMUM)
        return error_set(error, "is a VDI image of %u blocks; more than %u are not possible here",
                         vdi->block_count, VDI_BLOCK_COUNT_MAXIMUM);
    if (vdi->disk_bytes == 0 || vdi->disk_bytes > (uint64_t)vdi->block_count * vdi->block_bytes)
        return error_set(error, "is a bad VDI image: a disk of %llu bytes in %u blocks of %u bytes",
                         (unsigned long long)vdi->disk_bytes, vdi->block_count, vdi->block_bytes);
    if (vdi->table_offset < VDI_HEADER_BYTES ||
        vdi->data_offset < vdi->table_offset + table_bytes ||
        file_bytes < vdi->table_offset + table_bytes)
        return error_set(error,
                         "is a bad VDI image: its table lies in the header, in the blocks or past "
                         "the end of the file");
    return true;
}

/* Every place must be in the file, and no two blocks may have the same one. */
static bool take_place(Vdi *vdi, uint32_t block, uint64_t file_bytes, Error *error) {
    uint32_t place = vdi->table[block];
    if (!has_place(place))
        return true;
    if (place >= vdi->block_count || place_offset(vdi, place + 1) > file_bytes)
        return error_set(error, "is a bad VDI image: block %u lies past the end of the file",
                         block);
    if (vdi->taken[place / 8] & 1u << place % 8)
        return error_set(error, "is a bad VDI image: block %u lies where another one does", block);
    vdi->taken[place / 8] |= (uint8_t)(1u << place % 8);
    vdi->allocated++;
    return true;
}

static bool read_table(Vdi *vdi, const BlockNode *node, Error *error) {
    vdi->table = calloc(vdi->block_count, sizeof(*vdi->table));
    vdi->taken = calloc(vdi->block_count / 8 + 1, 1);
    if (vdi->table == NULL || vdi->taken == NULL)
        return error_set(error, "no memory for the table of a VDI image");
    if (!block_file_read(node->file, vdi->table_offset, vdi->table,
                         vdi->block_count * sizeof(*vdi->table), error))
        return false;
    for (uint32_t block = 0; block < vdi->block_count; block++) {
        vdi->table[block] = load_le32(&vdi->table[block]);
        if (!take_place(vdi, block, node->length, error))
            return false;
    }
    return true;
}

static bool write_count(Vdi *vdi, const BlockNode *node, Error *error) {
    uint8_t *count = vdi->first_page + VDI_AT_BLOCKS_ALLOCATED;
    store_le32(count, vdi->allocated);
    return block_file_write(node->file, VDI_AT_BLOCKS_ALLOCATED, count, 4, error);
}

static void vdi_close(BlockNode *node) {
    Vdi *vdi = node->driver_state;
    free(vdi->table);
    free(vdi->taken);
    free(vdi);
}

static bool vdi_open(BlockNode *node, const BlockOptions *options, Error *error) {
    (void)options;
    Vdi *vdi = allocate_zeroed(sizeof(*vdi));
    node->driver_state = vdi;
    bool good = read_header(vdi, node, error) && check_header(vdi, node->length, error) &&
                read_table(vdi, node, error);
    if (good && !node->read_only &&
        load_le32(vdi->first_page + VDI_AT_BLOCKS_ALLOCATED) != vdi->allocated)
        good = write_count(vdi, node, error);
    if (!good) {
        vdi_close(node);
        return false;
    }
    node->length = vdi->disk_bytes;
    return true;
}

static bool vdi_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Vdi *vdi = node->driver_state;
    uint8_t *bytes = data;
    while (size > 0) {
        uint32_t place = vdi->table[offset / vdi->block_bytes];
        size_t part = block_part_in_unit(offset, size, vdi->block_bytes);
        uint64_t from = place_offset(vdi, place) + vdi->extra_bytes + offset % vdi->block_bytes;
        if (!has_place(place))
            memset(bytes, 0, part);
        else if (!block_file_read(node->file, from, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* The first free place: places stay without gaps, as QEMU and VirtualBox expect, who take the
 * count of blocks for the next place. There are as many places as blocks. */
static uint32_t find_free_place(Vdi *vdi) {
    while (vdi->taken[vdi->first_free / 8] & 1u << vdi->first_free % 8)
        vdi->first_free++;
    return vdi->first_free;
}

/* Enters a block's place in the table, and counts it. */
static bool enter_place(Vdi *vdi, const BlockNode *node, uint32_t block, uint32_t place,
                        Error *error) {
    uint8_t entry[4];
    uint64_t at = vdi->table_offset + block * (uint64_t)sizeof(entry);
    uint32_t before = vdi->table[block];
    store_le32(entry, place);
    vdi->allocated++;
    if (at + sizeof(entry) <= HOST_PAGE_BYTES) {
        uint8_t *count = vdi->first_page + VDI_AT_BLOCKS_ALLOCATED;
        store_le32(count, vdi->allocated);
        memcpy(vdi->first_page + at, entry, sizeof(entry));
        if (block_file_write(node->file, VDI_AT_BLOCKS_ALLOCATED, count,
                             at + sizeof(entry) - VDI_AT_BLOCKS_ALLOCATED, error))
            return true;
        store_le32(vdi->first_page + at, before);
    } else if (write_count(vdi, node, error) &&
               block_file_write(node->file, at, entry, sizeof(entry), error)) {
        return true;
    }
    vdi->allocated--;
    write_count(vdi, node, NULL); /* as well as it goes: the disk of the host is in trouble */
    return false;
}

static bool allocate_block(Vdi *vdi, const BlockNode *node, uint64_t offset, const void *data,
                           size_t size, Error *error) {
    uint32_t block = (uint32_t)(offset / vdi->block_bytes);
    uint32_t place = find_free_place(vdi);
    uint64_t start = place_offset(vdi, place);
    if (!block_file_zero(node->file, start, place_offset(vdi, place + 1) - start, error) ||
        !block_file_write(node->file, start + vdi->extra_bytes + offset % vdi->block_bytes, data,
                          size, error) ||
        !enter_place(vdi, node, block, place, error))
        return false;
    vdi->table[block] = place;
    vdi->taken[place / 8] |= (uint8_t)(1u << place % 8);
    return true;
}

static bool vdi_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                      Error *error) {
    Vdi *vdi = node->driver_state;
    const uint8_t *bytes = data;
    if (!block_check_inside(node, offset, size, error))
        return false;
    while (size > 0) {
        uint32_t place = vdi->table[offset / vdi->block_bytes];
        size_t part = block_part_in_unit(offset, size, vdi->block_bytes);
        uint64_t to = place_offset(vdi, place) + vdi->extra_bytes + offset % vdi->block_bytes;
        bool good = has_place(place) ? block_file_write(node->file, to, bytes, part, error)
                                     : allocate_block(vdi, node, offset, bytes, part, error);
        if (!good)
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static const BlockCreateOption vdi_create_options[] = {
    {"size", "<size>", "Virtual disk size"},
    {"static", "<bool (on/off)>", "Give all blocks their place at once"},
    {NULL, NULL, NULL},
};

enum { VDI_NEW_BLOCK_BYTES = 1 << 20, VDI_ALIGNMENT = 512 };

/* Header and table of a new image, as VirtualBox's own tool lays them out. */
static uint8_t *build_image(uint64_t length, bool is_static, uint64_t *size) {
    static const char text[] = "<<< Oracle VM VirtualBox Disk Image >>>\n";
    uint32_t blocks = (uint32_t)((length + VDI_NEW_BLOCK_BYTES - 1) / VDI_NEW_BLOCK_BYTES);
    uint64_t table_bytes = blocks * (uint64_t)sizeof(uint32_t);
    *size = VDI_HEADER_BYTES + (table_bytes + VDI_ALIGNMENT - 1) / VDI_ALIGNMENT * VDI_ALIGNMENT;
    uint8_t *bytes = allocate_zeroed(*size);
    memcpy(bytes, text, sizeof(text));
    store_le32(bytes + VDI_AT_SIGNATURE, VDI_SIGNATURE);
    store_le32(bytes + VDI_AT_VERSION, VDI_MAJOR_VERSION << 16 | 1);
    store_le32(bytes + 0x48, 0x190); /* of the header from here on */
    store_le32(bytes + VDI_AT_TYPE, is_static ? VDI_TYPE_STATIC : VDI_TYPE_DYNAMIC);
    store_le32(bytes + VDI_AT_TABLE_OFFSET, VDI_HEADER_BYTES);
    store_le32(bytes + VDI_AT_DATA_OFFSET, (uint32_t)*size);
    store_le32(bytes + 0x168, 512); /* bytes of a sector */
    store_le64(bytes + VDI_AT_DISK_BYTES, length);
    store_le32(bytes + VDI_AT_BLOCK_BYTES, VDI_NEW_BLOCK_BYTES);
    store_le32(bytes + VDI_AT_BLOCK_COUNT, blocks);
    store_le32(bytes + VDI_AT_BLOCKS_ALLOCATED, is_static ? blocks : 0);
    for (uint32_t i = 0; i < blocks; i++)
        store_le32(bytes + VDI_HEADER_BYTES + i * sizeof(uint32_t),
                   is_static ? i : VDI_UNALLOCATED);
    return bytes;
}

/* Two numbers that tell the image, and this state of it, from all others. */
static bool number_image(uint8_t *header, Error *error) {
    uint8_t *uuid = header + 0x188;
    if (!host_random_fill(uuid, 32))
        return error_set(error, "has no random number for its header");
    for (int i = 0; i < 2; i++) { /* RFC 4122, 4.4 */
        uuid[i * 16 + 7] = (uint8_t)((uuid[i * 16 + 7] & 0x0F) | 0x40);
        uuid[i * 16 + 8] = (uint8_t)((uuid[i * 16 + 8] & 0x3F) | 0x80);
    }
    return true;
}

static bool vdi_create(const BlockCreateRequest *request, Error *error) {
    bool is_static;
    uint64_t size, length = request->length;
    if (!block_create_bool(request, "static", false, &is_static, error))
        return false;
    if (length == 0 || length > (uint64_t)VDI_BLOCK_COUNT_MAXIMUM * VDI_NEW_BLOCK_BYTES)
        return error_set(error, "a VDI image has 1 byte to 16 TB");
    uint8_t *bytes = build_image(length, is_static, &size);
    uint64_t blocks = load_le32(bytes + VDI_AT_BLOCKS_ALLOCATED);
    int file = number_image(bytes, error) ? block_file_create(request->path, NULL, error) : -1;
    bool good = file >= 0 && block_file_write(file, 0, bytes, size, error) &&
                (blocks == 0 || block_file_zero(file, size, blocks * VDI_NEW_BLOCK_BYTES, error));
    if (file >= 0)
        close(file);
    free(bytes);
    return good;
}

static bool vdi_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Vdi *vdi = node->driver_state;
    (void)error;
    info->cluster_bytes = vdi->block_bytes;
    return true;
}

static bool vdi_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                    Error *error) {
    const Vdi *vdi = node->driver_state;
    uint32_t place = vdi->table[offset / vdi->block_bytes];
    (void)error;
    *extent = (BlockExtent){
        .length = block_part_in_unit(offset,
                                     length < vdi->block_bytes ? (size_t)length : vdi->block_bytes,
                                     vdi->block_bytes),
        .present = true,
        .zero = !has_place(place),
        .data = has_place(place),
        .has_offset = has_place(place),
        .offset = place_offset(vdi, place) + vdi->extra_bytes + offset % vdi->block_bytes,
        .file_path = node->path,
    };
    return true;
}

/* An image whose places are not all in the file, and each its own, is not even opened. */
static bool vdi_check(BlockNode *node, BlockCheck *check, Error *error) {
    const Vdi *vdi = node->driver_state;
    uint32_t kept = load_le32(vdi->first_page + VDI_AT_BLOCKS_ALLOCATED);
    (void)error;
    check->total_clusters = vdi->block_count;
    check->allocated_clusters = vdi->allocated;
    check->corruptions = kept != vdi->allocated;
    return true;
}

const BlockDriver block_vdi_driver = {
    .name = "vdi",
    .probe = vdi_probe,
    .open = vdi_open,
    .close = vdi_close,
    .read = vdi_read,
    .write = vdi_write,
    .flush = block_file_flush,
    .resize = block_refuse_resize,
    .create_options = vdi_create_options,
    .create = vdi_create,
    .info = vdi_info,
    .map = vdi_map,
    .check = vdi_check,
};
