/* VMDK images: one file (sparse, or a compressed stream), or a text that describes a disk of
 * several files, flat or sparse (VMware's "Virtual Disk Format 5.0"). */
#include "block_vmdk.h"
#include "allocate.h"
#include "host_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char descriptor_head[] = "# Disk DescriptorFile";

static int vmdk_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return memcmp(head, "KDMV", 4) == 0 ||
                   memcmp(head, descriptor_head, sizeof(descriptor_head) - 1) == 0
               ? 100
               : 0;
}

VmdkExtent *vmdk_add_extent(Vmdk *vmdk) {
    VmdkExtent *extent = allocate_zeroed(sizeof(*extent));
    vmdk->extents = allocate_grow(vmdk->extents, &vmdk->extent_capacity, vmdk->extent_count + 1,
                                  sizeof(*vmdk->extents));
    if (vmdk->extent_count > 0) {
        const VmdkExtent *last = vmdk->extents[vmdk->extent_count - 1];
        extent->start = last->start + last->length;
    }
    vmdk->extents[vmdk->extent_count++] = extent;
    return extent;
}

static void vmdk_close(BlockNode *node) {
    Vmdk *vmdk = node->driver_state;
    for (uint32_t i = 0; i < vmdk->extent_count; i++) {
        vmdk_sparse_close(vmdk->extents[i]);
        block_close(vmdk->extents[i]->part);
        free(vmdk->extents[i]);
    }
    free(vmdk->extents);
    free(vmdk);
}

static bool open_single(Vmdk *vmdk, BlockNode *node, const BlockOptions *options, Error *error) {
    VmdkExtent *extent = vmdk_add_extent(vmdk);
    extent->file = node->file;
    extent->path = node->path;
    extent->file_bytes = node->length;
    if (!vmdk_sparse_open(extent, node, options, true, vmdk, error))
        return false;
    extent->length = extent->capacity * VMDK_SECTOR_BYTES;
    return true;
}

static bool vmdk_open(BlockNode *node, const BlockOptions *options, Error *error) {
    Vmdk *vmdk = allocate_zeroed(sizeof(*vmdk));
    char head[sizeof(descriptor_head) - 1] = "";
    node->driver_state = vmdk;
    size_t size = node->length < sizeof(head) ? (size_t)node->length : sizeof(head);
    bool good = block_file_read(node->file, 0, head, size, error);
    bool text = good && memcmp(head, descriptor_head, sizeof(head)) == 0;
    good = good && (text ? vmdk_descriptor_open(vmdk, node, options, error)
                         : open_single(vmdk, node, options, error));
    if (!good) {
        vmdk_close(node);
        return false;
    }
    const VmdkExtent *last = vmdk->extents[vmdk->extent_count - 1];
    node->length = last->start + last->length;
    return true;
}

static VmdkExtent *find_extent(const Vmdk *vmdk, uint64_t offset) {
    uint32_t low = 0, high = vmdk->extent_count - 1;
    while (low < high) {
        uint32_t middle = (low + high + 1) / 2;
        if (vmdk->extents[middle]->start <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return vmdk->extents[low];
}

static bool read_extent(VmdkExtent *extent, uint64_t inside, void *data, size_t size,
                        Error *error) {
    if (extent->kind == VMDK_SPARSE)
        return vmdk_sparse_read(extent, inside, data, size, error);
    if (extent->kind == VMDK_FLAT)
        return block_file_read(extent->file, extent->offset + inside, data, size, error);
    memset(data, 0, size);
    return true;
}

static bool write_extent(VmdkExtent *extent, uint64_t inside, const void *data, size_t size,
                         Error *error) {
    if (extent->kind == VMDK_SPARSE)
        return vmdk_sparse_write(extent, inside, data, size, error);
    if (extent->kind == VMDK_FLAT)
        return block_file_write(extent->file, extent->offset + inside, data, size, error);
    return error_set(error, "has nothing but zeros there, which cannot be written");
}

static bool vmdk_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *bytes = data;
    while (size > 0) {
        VmdkExtent *extent = find_extent(node->driver_state, offset);
        uint64_t inside = offset - extent->start, left = extent->length - inside;
        size_t part = size < left ? size : (size_t)left;
        if (!read_extent(extent, inside, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool vmdk_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    const uint8_t *bytes = data;
    if (!block_check_inside(node, offset, size, error))
        return false;
    while (size > 0) {
        VmdkExtent *extent = find_extent(node->driver_state, offset);
        uint64_t inside = offset - extent->start, left = extent->length - inside;
        size_t part = size < left ? size : (size_t)left;
        if (!write_extent(extent, inside, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool vmdk_write_compressed(BlockNode *node, uint64_t offset, const void *data, size_t size,
                                  Error *error) {
    const Vmdk *vmdk = node->driver_state;
    if ((vmdk->extents[0]->flags & VMDK_FLAG_PACKED) == 0)
        return error_set(error, "is not compressed; create it with -o subformat=streamOptimized");
    return vmdk_write(node, offset, data, size, error);
}

static bool vmdk_flush(BlockNode *node, Error *error) {
    const Vmdk *vmdk = node->driver_state;
    for (uint32_t i = 0; i < vmdk->extent_count; i++)
        if (vmdk->extents[i]->kind != VMDK_ZERO && fdatasync(vmdk->extents[i]->file) != 0)
            return error_set(error, "cannot flush: %s", strerror(errno));
    return true;
}

static bool vmdk_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Vmdk *vmdk = node->driver_state;
    const VmdkExtent *first = vmdk->extents[0];
    (void)error;
    if (first->kind == VMDK_SPARSE)
        info->cluster_bytes = first->grain_bytes;
    info->compressed = (first->flags & VMDK_FLAG_PACKED) != 0;
    block_info_add_number(info, "cid", vmdk->content_id);
    block_info_add_number(info, "parent-cid", vmdk->parent_id);
    block_info_add_text(info, "create-type", vmdk->create_type);
    if (vmdk->geometry.cylinders != 0)
        block_info_add_geometry(info, &vmdk->geometry);
    return true;
}

/* 63 sectors and 16 heads are usual, or 255 of a SCSI disk. */
static bool vmdk_geometry(const BlockNode *node, BlockGeometry *geometry) {
    const Vmdk *vmdk = node->driver_state;
    *geometry = vmdk->geometry;
    return geometry->sectors != 63 || (geometry->heads != 16 && geometry->heads != 255);
}

static void map_sparse(const VmdkExtent *found, uint64_t inside, BlockExtent *extent) {
    bool there = vmdk_sparse_is_allocated(found, inside);
    uint64_t place = found->grains[inside / found->grain_bytes];
    extent->data = there;
    extent->zero = !there;
    extent->compressed = there && (found->flags & VMDK_FLAG_PACKED) != 0;
    extent->has_offset = there && !extent->compressed;
    extent->offset = place * VMDK_SECTOR_BYTES + inside % found->grain_bytes;
}

static bool vmdk_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                     Error *error) {
    const VmdkExtent *found = find_extent(node->driver_state, offset);
    uint64_t inside = offset - found->start, unit = found->length - inside;
    (void)error;
    extent->present = true;
    extent->zero = found->kind == VMDK_ZERO;
    extent->data = extent->has_offset = found->kind == VMDK_FLAT;
    extent->offset = found->offset + inside;
    extent->file_path = found->path;
    if (found->kind == VMDK_SPARSE) {
        uint64_t left = found->grain_bytes - inside % found->grain_bytes;
        map_sparse(found, inside, extent);
        unit = unit < left ? unit : left;
    }
    extent->length = unit < length ? unit : length;
    return true;
}

/* An image whose tables and grains are not all in the file, and apart, is not even opened. */
static bool vmdk_check(BlockNode *node, BlockCheck *check, Error *error) {
    (void)node;
    (void)check;
    (void)error;
    return true;
}

const BlockDriver block_vmdk_driver = {
    .name = "vmdk",
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .read = vmdk_read,
    .write = vmdk_write,
    .flush = vmdk_flush,
    .resize = block_refuse_resize,
    .create_options = vmdk_create_options,
    .create = vmdk_create,
    .info = vmdk_info,
    .geometry = vmdk_geometry,
    .map = vmdk_map,
    .check = vmdk_check,
    .write_compressed = vmdk_write_compressed,
};
