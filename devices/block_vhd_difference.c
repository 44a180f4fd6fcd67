/* What a differencing VHD image has itself and what is its parent's, and giving it another parent.
 *
 * Here, too, a kill at any moment leaves a good image: what the header is going to name is in the
 * file before, and the type in the footer that needs less of the header comes first. */
#include "allocate.h"
#include "big_endian.h"
#include "block_vhd.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t place_of(const Vhd *vhd, uint32_t block) {
    return (uint64_t)vhd->table[block] * VHD_SECTOR_BYTES;
}

static bool map_parent(const Vhd *vhd, uint64_t offset, uint64_t length, BlockExtent *extent,
                       Error *error) {
    if (vhd->parent == NULL) {
        *extent = (BlockExtent){.length = length, .zero = true};
        return true;
    }
    if (!block_map(vhd->parent, offset, length, extent, error))
        return false;
    extent->depth++;
    return true;
}

bool vhd_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent, Error *error) {
    const Vhd *vhd = node->driver_state;
    *extent = (BlockExtent){.length = length, .present = true, .data = true};
    if (vhd->type != VHD_DIFFERENCING)
        return true;
    uint32_t block = (uint32_t)(offset / vhd->block_bytes);
    uint32_t inside = (uint32_t)(offset % vhd->block_bytes), skip = inside % VHD_SECTOR_BYTES;
    if (length > vhd->block_bytes - inside)
        length = vhd->block_bytes - inside;
    if (vhd->table[block] == VHD_UNALLOCATED)
        return map_parent(vhd, offset, length, extent, error);
    uint32_t count = (uint32_t)((skip + length + VHD_SECTOR_BYTES - 1) / VHD_SECTOR_BYTES), run;
    bool present;
    if (!vhd_find_run(vhd, node, place_of(vhd, block), inside / VHD_SECTOR_BYTES, count, &present,
                      &run, error))
        return false;
    uint64_t bytes = (uint64_t)run * VHD_SECTOR_BYTES - skip;
    length = bytes < length ? bytes : length;
    if (!present)
        return map_parent(vhd, offset, length, extent, error);
    extent->length = length;
    extent->has_offset = true;
    extent->offset = place_of(vhd, block) + vhd->bitmap_bytes + inside;
    extent->file_path = node->path;
    return true;
}

/* The parent is named from the image's folder where it lies below that. */
bool vhd_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Vhd *vhd = node->driver_state;
    BlockGeometry geometry;
    vhd_geometry(node, &geometry);
    block_info_add_geometry(info, &geometry);
    if (vhd->type != VHD_DIFFERENCING)
        return true;
    char name[VHD_PATH_BYTES] = "";
    char *path = vhd_find_parent(vhd, node, name);
    const char *last = strrchr(node->path, '/'), *found = path != NULL ? path : name;
    size_t folder = last != NULL ? (size_t)(last - node->path) + 1 : 0;
    if (path != NULL && strncmp(path, node->path, folder) == 0)
        found += folder;
    if (strncmp(found, "./", 2) == 0)
        found += 2;
    bool fits = strlen(found) < sizeof(info->backing);
    if (fits)
        memcpy(info->backing, found, strlen(found) + 1);
    strcpy(info->backing_format, "vpc");
    free(path);
    return fits || error_set(error, "has too long a name for its parent");
}

void vhd_attach_backing(BlockNode *node, BlockNode *backing) {
    Vhd *vhd = node->driver_state;
    block_close(vhd->parent);
    vhd->parent = backing;
}

BlockNode *vhd_backing(const BlockNode *node) {
    const Vhd *vhd = node->driver_state;
    return vhd->parent;
}

static bool write_header(const Vhd *vhd, const BlockNode *node, Error *error) {
    return block_file_write(node->file, vhd->header_offset, vhd->header, VHD_HEADER_BYTES, error);
}

/* The sectors that a block does not have become zeros that it has: others do not look at the
 * bitmaps of dynamic images. */
static bool complete_block(const Vhd *vhd, const BlockNode *node, uint64_t place, Error *error) {
    uint32_t count = vhd->block_bytes / VHD_SECTOR_BYTES, run = 0;
    for (uint32_t sector = 0; sector < count; sector += run) {
        bool present;
        if (!vhd_find_run(vhd, node, place, sector, count - sector, &present, &run, error))
            return false;
        uint64_t at = place + vhd->bitmap_bytes + (uint64_t)sector * VHD_SECTOR_BYTES;
        if (!present &&
            (!block_file_zero(node->file, at, (uint64_t)run * VHD_SECTOR_BYTES, error) ||
             !vhd_set_bits(node, place, sector, run, error)))
            return false;
    }
    return true;
}

static bool become_dynamic(Vhd *vhd, BlockNode *node, Error *error) {
    for (uint32_t i = 0; i < vhd->block_count; i++)
        if (vhd->table[i] != VHD_UNALLOCATED && !complete_block(vhd, node, place_of(vhd, i), error))
            return false;
    store_be32(vhd->footer + VHD_FOOTER_AT_TYPE, VHD_DYNAMIC);
    vhd_seal(vhd->footer, VHD_FOOTER_BYTES, VHD_FOOTER_AT_CHECKSUM);
    vhd_clear_parent(vhd->header);
    return vhd_write_footer(vhd, node, vhd->next, error) && vhd_write_footer(vhd, node, 0, error) &&
           write_header(vhd, node, error);
}

/* The texts go where the footer is, behind which that has to be first. */
static bool change_parent(Vhd *vhd, BlockNode *node, const VhdParentName *parent, Error *error) {
    uint8_t header[VHD_HEADER_BYTES];
    VhdLocatorTexts *texts = allocate_zeroed(sizeof(*texts));
    memcpy(header, vhd->header, sizeof(header));
    bool good =
        vhd_set_parent(header, node->path, parent, vhd_disk_bytes(vhd), vhd->next, texts, error) &&
        vhd_write_footer(vhd, node, vhd->next + texts->size, error) &&
        block_file_write(node->file, vhd->next, texts->bytes, texts->size, error);
    if (good) {
        vhd->next += texts->size;
        memcpy(vhd->header, header, sizeof(header));
        good = write_header(vhd, node, error);
    }
    free(texts);
    return good;
}

bool vhd_set_backing(BlockNode *node, const char *name, const char *format, Error *error) {
    Vhd *vhd = node->driver_state;
    if (vhd->type != VHD_DIFFERENCING)
        return name == NULL ||
               error_set(error, "only a differencing VHD image lies over another one");
    VhdParentName parent = {name, format};
    return name != NULL ? change_parent(vhd, node, &parent, error)
                        : become_dynamic(vhd, node, error);
}

/* Everything in front of the blocks stays, and so do locators behind them. */
static uint64_t first_block(const Vhd *vhd) {
    uint64_t place = vhd->next;
    for (uint32_t i = 0; i < vhd->block_count; i++)
        if (vhd->table[i] != VHD_UNALLOCATED && place_of(vhd, i) < place)
            place = place_of(vhd, i);
    uint64_t locators = vhd_locators_end(vhd->header);
    uint64_t others[] = {vhd->header_offset + VHD_HEADER_BYTES,
                         vhd->table_offset + (uint64_t)vhd->table_entries * 4, locators};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] > place)
            place = others[i];
    place = (place + VHD_SECTOR_BYTES - 1) & ~(uint64_t)(VHD_SECTOR_BYTES - 1);
    return place < vhd->next ? place : vhd->next;
}

/* Programs that compare the time in the header find the parent as it is now. */
static bool note_parent_time(Vhd *vhd, const BlockNode *node, Error *error) {
    char name[VHD_PATH_BYTES] = "";
    char *path = vhd_find_parent(vhd, node, name);
    bool known = path != NULL && vhd_set_parent_time(vhd->header, path);
    free(path);
    return !known || write_header(vhd, node, error);
}

bool vhd_make_empty(BlockNode *node, Error *error) {
    Vhd *vhd = node->driver_state;
    uint64_t end = first_block(vhd);
    size_t bytes = (size_t)vhd->block_count * sizeof(*vhd->table);
    memset(vhd->table, 0xFF, bytes);
    if (!note_parent_time(vhd, node, error) ||
        !block_file_write(node->file, vhd->table_offset, vhd->table, bytes, error))
        return false;
    if (end < vhd->next) {
        if (!vhd_write_footer(vhd, node, end, error))
            return false;
        vhd->next = end;
        if (ftruncate(node->file, (off_t)(end + VHD_FOOTER_BYTES)) != 0)
            return error_set(error, "cannot be made shorter: %s", strerror(errno));
    }
    return true;
}
