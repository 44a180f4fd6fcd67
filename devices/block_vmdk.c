/* VMDK images of one file with a header of its own: monolithicSparse is read and written,
 * streamOptimized is read. VMware's "Virtual Disk Format 5.0" describes them; all numbers are
 * little-endian and count sectors. A directory points to tables, a table to the grains that the
 * disk is made of; directory and tables may be there twice.
 *
 * A kill at any moment leaves a good image: a grain's contents are in the file before an entry
 * points to it, and the redundant table, which nobody reads in good days, goes first. */
#include "allocate.h"
#include "block_driver.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define VMDK_SECTOR_BYTES 512u
#define VMDK_HEADER_BYTES 512u
#define VMDK_GRAIN_COUNT_MAXIMUM (1u << 24)          /* 1 TB in grains of the usual 64 KB */
#define VMDK_GRAIN_SECTORS_MAXIMUM (1u << 21)        /* 1 GB */
#define VMDK_PACKED_GRAIN_SECTORS_MAXIMUM (1u << 15) /* 16 MB */
#define VMDK_TABLE_ENTRIES_MAXIMUM 65536u
#define VMDK_DESCRIPTOR_BYTES_MAXIMUM 65536u
#define VMDK_AT_END UINT64_MAX /* of the directory: what the footer says */
#define VMDK_MARKER_BYTES 12u  /* before a packed grain: its sector, its size */
#define VMDK_ZERO_GRAIN 1u     /* an entry for a grain of zeros, where the header allows it */

/* Offsets in the header. */
enum {
    VMDK_AT_VERSION = 4,
    VMDK_AT_FLAGS = 8,
    VMDK_AT_CAPACITY = 12,
    VMDK_AT_GRAIN_SECTORS = 20,
    VMDK_AT_DESCRIPTOR = 28,
    VMDK_AT_DESCRIPTOR_SECTORS = 36,
    VMDK_AT_TABLE_ENTRIES = 44,
    VMDK_AT_REDUNDANT_DIRECTORY = 48,
    VMDK_AT_DIRECTORY = 56,
    VMDK_AT_COMPRESSION = 77,
};

enum {
    VMDK_FLAG_REDUNDANT = 1 << 1,
    VMDK_FLAG_ZERO_GRAINS = 1 << 2,
    VMDK_FLAG_PACKED = 1 << 16,
    VMDK_FLAG_MARKERS = 1 << 17,
};

typedef struct Vmdk {
    uint8_t header[VMDK_HEADER_BYTES];
    uint32_t flags;
    uint64_t file_bytes; /* when it was opened */
    uint64_t capacity;   /* sectors */
    uint32_t grain_bytes;
    uint32_t grain_count;
    uint32_t table_entries;
    uint32_t table_count;
    uint32_t *directory; /* the sector of each table */
    uint32_t *redundant; /* NULL: there are no second tables */
    uint32_t *grains;    /* all tables in one: the sector of each grain */
} Vmdk;

static int vmdk_probe(const uint8_t *head, uint64_t length) {
    (void)length; /* one that was cut short is none the less */
    return memcmp(head, "KDMV", 4) == 0 ? 100 : 0;
}

/* A stream's directory was not known yet when its header was written: the footer is a copy that
 * says it, before the last sector. */
static bool read_header(Vmdk *vmdk, const BlockNode *node, Error *error) {
    uint64_t at = 0;
    vmdk->file_bytes = node->length;
    for (int i = 0; i < 2; i++) {
        if (node->length < at + VMDK_HEADER_BYTES)
            return error_set(error, "is not a VMDK image: too short");
        if (!block_file_read(node->file, at, vmdk->header, VMDK_HEADER_BYTES, error))
            return false;
        if (memcmp(vmdk->header, "KDMV", 4) != 0)
            return error_set(error, "is not a VMDK image, or its footer is missing");
        if (load_le64(vmdk->header + VMDK_AT_DIRECTORY) != VMDK_AT_END)
            break;
        if (i == 1 || node->length < 2 * VMDK_HEADER_BYTES)
            return error_set(error, "is a bad VMDK image: no place for its directory");
        at = node->length - 2 * VMDK_HEADER_BYTES;
    }
    uint32_t version = load_le32(vmdk->header + VMDK_AT_VERSION);
    vmdk->flags = load_le32(vmdk->header + VMDK_AT_FLAGS);
    if (version < 1 || version > 3)
        return error_set(error, "is a VMDK image of the unknown version %u", version);
    if ((vmdk->flags & VMDK_FLAG_PACKED) != 0 &&
        ((vmdk->flags & VMDK_FLAG_MARKERS) == 0 ||
         load_le16(vmdk->header + VMDK_AT_COMPRESSION) != 1))
        return error_set(error, "is a VMDK image that is compressed in an unknown way");
    return true;
}

static bool check_header(Vmdk *vmdk, Error *error) {
    const uint8_t *header = vmdk->header;
    uint64_t grain_sectors = load_le64(header + VMDK_AT_GRAIN_SECTORS);
    bool packed = (vmdk->flags & VMDK_FLAG_PACKED) != 0;
    uint64_t maximum = packed ? VMDK_PACKED_GRAIN_SECTORS_MAXIMUM : VMDK_GRAIN_SECTORS_MAXIMUM;
    vmdk->capacity = load_le64(header + VMDK_AT_CAPACITY);
    vmdk->table_entries = load_le32(header + VMDK_AT_TABLE_ENTRIES);
    if (grain_sectors == 0 || grain_sectors > maximum || (grain_sectors & (grain_sectors - 1)) != 0)
        return error_set(error, "is a bad VMDK image: grains of %llu sectors",
                         (unsigned long long)grain_sectors);
    if (vmdk->table_entries == 0 || vmdk->table_entries > VMDK_TABLE_ENTRIES_MAXIMUM)
        return error_set(error, "is a bad VMDK image: tables of %u grains", vmdk->table_entries);
    if (vmdk->capacity == 0 || vmdk->capacity > grain_sectors * VMDK_GRAIN_COUNT_MAXIMUM)
        return error_set(error,
                         "is a VMDK image of %llu sectors in grains of %llu, which is not "
                         "possible here",
                         (unsigned long long)vmdk->capacity, (unsigned long long)grain_sectors);
    vmdk->grain_bytes = (uint32_t)grain_sectors * VMDK_SECTOR_BYTES;
    vmdk->grain_count = (uint32_t)((vmdk->capacity + grain_sectors - 1) / grain_sectors);
    vmdk->table_count = (vmdk->grain_count + vmdk->table_entries - 1) / vmdk->table_entries;
    return true;
}

/* The text in the image says whether it stands alone. */
static bool check_descriptor(const Vmdk *vmdk, const BlockNode *node, Error *error) {
    static const char parent[] = "parentCID=", none[] = "ffffffff";
    uint64_t at = load_le64(vmdk->header + VMDK_AT_DESCRIPTOR);
    uint64_t sectors = load_le64(vmdk->header + VMDK_AT_DESCRIPTOR_SECTORS);
    uint64_t file_sectors = vmdk->file_bytes / VMDK_SECTOR_BYTES;
    if (at == 0)
        return error_set(error, "is one part of a VMDK image of several files, which cannot be "
                                "opened");
    if (sectors == 0 || sectors > VMDK_DESCRIPTOR_BYTES_MAXIMUM / VMDK_SECTOR_BYTES ||
        at > file_sectors || sectors > file_sectors - at)
        return error_set(error, "is a bad VMDK image: its descriptor is too long or past the end "
                                "of the file");
    size_t size = (size_t)sectors * VMDK_SECTOR_BYTES;
    char *text = allocate_zeroed(size + 1);
    bool good = block_file_read(node->file, at * VMDK_SECTOR_BYTES, text, size, error);
    const char *value = good ? strstr(text, parent) : NULL;
    if (value != NULL && strncmp(value + strlen(parent), none, strlen(none)) != 0)
        good = error_set(error, "is a VMDK image that is a difference to another, which cannot be "
                                "opened");
    free(text);
    return good;
}

static int compare_sectors(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Each of the places has so many bytes, all in the file, behind the header, and apart. */
static bool check_places(const Vmdk *vmdk, const uint32_t *places, uint32_t count, uint64_t bytes,
                         const char *what, Error *error) {
    uint32_t lowest = (vmdk->flags & VMDK_FLAG_ZERO_GRAINS) != 0 ? 2 : 1;
    uint32_t *sorted = malloc(((size_t)count + 1) * sizeof(*sorted));
    if (sorted == NULL)
        return error_set(error, "no memory for the tables of a VMDK image");
    memcpy(sorted, places, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_sectors);
    uint64_t free_from = VMDK_HEADER_BYTES;
    bool good = true;
    for (uint32_t i = 0; good && i < count; i++) {
        uint64_t start = (uint64_t)sorted[i] * VMDK_SECTOR_BYTES;
        if (sorted[i] < lowest)
            continue;
        if (start > vmdk->file_bytes || bytes > vmdk->file_bytes - start)
            good = error_set(error,
                             "is a bad VMDK image: the %s at sector %u lies past the end of "
                             "the file",
                             what, sorted[i]);
        else if (start < free_from)
            good = error_set(error, "is a bad VMDK image: the %s at sector %u lies over another",
                             what, sorted[i]);
        free_from = start + bytes;
    }
    free(sorted);
    return good;
}

static uint32_t *read_directory(const Vmdk *vmdk, const BlockNode *node, uint64_t sector,
                                Error *error) {
    size_t bytes = (size_t)vmdk->table_count * 4;
    if (sector == 0 || sector > vmdk->file_bytes / VMDK_SECTOR_BYTES ||
        bytes > vmdk->file_bytes - sector * VMDK_SECTOR_BYTES) {
        error_set(error, "is a bad VMDK image: its directory lies past the end of the file");
        return NULL;
    }
    uint32_t *directory = allocate_zeroed(bytes);
    bool good = block_file_read(node->file, sector * VMDK_SECTOR_BYTES, directory, bytes, error);
    for (uint32_t i = 0; good && i < vmdk->table_count; i++)
        directory[i] = load_le32(&directory[i]);
    if (good && check_places(vmdk, directory, vmdk->table_count, vmdk->table_entries * 4ull,
                             "table", error))
        return directory;
    free(directory);
    return NULL;
}

static bool read_tables(Vmdk *vmdk, const BlockNode *node, Error *error) {
    vmdk->grains = calloc((size_t)vmdk->table_count * vmdk->table_entries, 4);
    if (vmdk->grains == NULL)
        return error_set(error, "no memory for the tables of a VMDK image");
    for (uint32_t i = 0; i < vmdk->table_count; i++) {
        uint32_t *table = vmdk->grains + (size_t)i * vmdk->table_entries;
        if (vmdk->directory[i] != 0 &&
            !block_file_read(node->file, (uint64_t)vmdk->directory[i] * VMDK_SECTOR_BYTES, table,
                             (size_t)vmdk->table_entries * 4, error))
            return false;
    }
    for (uint32_t i = 0; i < vmdk->grain_count; i++)
        vmdk->grains[i] = load_le32(&vmdk->grains[i]);
    uint64_t bytes = (vmdk->flags & VMDK_FLAG_PACKED) != 0 ? VMDK_MARKER_BYTES : vmdk->grain_bytes;
    return check_places(vmdk, vmdk->grains, vmdk->grain_count, bytes, "grain", error);
}

/* What can only be read is not opened to be written. */
static bool check_writable(const Vmdk *vmdk, BlockNode *node, const BlockOptions *options,
                           Error *error) {
    bool whole = true;
    for (uint32_t i = 0; i < vmdk->table_count; i++)
        whole = whole && vmdk->directory[i] != 0 &&
                (vmdk->redundant == NULL || vmdk->redundant[i] != 0);
    if (node->read_only || (whole && (vmdk->flags & VMDK_FLAG_PACKED) == 0))
        return true;
    if (!options->auto_read_only)
        return error_set(error,
                         "is a VMDK image that can only be read, since it is %s; add "
                         "readonly=on or snapshot=on",
                         whole ? "compressed" : "without some of its tables");
    node->read_only = true;
    return true;
}

static void vmdk_close(BlockNode *node) {
    Vmdk *vmdk = node->driver_state;
    free(vmdk->directory);
    free(vmdk->redundant);
    free(vmdk->grains);
    free(vmdk);
}

static bool open_tables(Vmdk *vmdk, BlockNode *node, const BlockOptions *options, Error *error) {
    const uint8_t *header = vmdk->header;
    uint64_t redundant = load_le64(header + VMDK_AT_REDUNDANT_DIRECTORY);
    vmdk->directory = read_directory(vmdk, node, load_le64(header + VMDK_AT_DIRECTORY), error);
    if (vmdk->directory == NULL || !read_tables(vmdk, node, error))
        return false;
    if ((vmdk->flags & VMDK_FLAG_REDUNDANT) != 0 && !node->read_only) {
        vmdk->redundant = read_directory(vmdk, node, redundant, error);
        if (vmdk->redundant == NULL)
            return false;
    }
    return check_writable(vmdk, node, options, error);
}

static bool vmdk_open(BlockNode *node, const BlockOptions *options, Error *error) {
    Vmdk *vmdk = allocate_zeroed(sizeof(*vmdk));
    node->driver_state = vmdk;
    if (read_header(vmdk, node, error) && check_header(vmdk, error) &&
        check_descriptor(vmdk, node, error) && open_tables(vmdk, node, options, error)) {
        node->length = vmdk->capacity * VMDK_SECTOR_BYTES;
        return true;
    }
    vmdk_close(node);
    return false;
}

static bool is_allocated(const Vmdk *vmdk, uint32_t grain) {
    uint32_t place = vmdk->grains[grain];
    return place != 0 && (place != VMDK_ZERO_GRAIN || (vmdk->flags & VMDK_FLAG_ZERO_GRAINS) == 0);
}

static bool unpack_grain(const Vmdk *vmdk, const BlockNode *node, uint32_t grain, uint8_t *whole,
                         Error *error) {
    uint64_t place = (uint64_t)vmdk->grains[grain] * VMDK_SECTOR_BYTES;
    uint8_t marker[VMDK_MARKER_BYTES];
    if (!block_file_read(node->file, place, marker, sizeof(marker), error))
        return false;
    uint32_t size = load_le32(marker + 8);
    uint64_t left = vmdk->file_bytes - place - sizeof(marker);
    if (size == 0 || size > left || size > compressBound(vmdk->grain_bytes))
        return error_set(error, "a compressed grain of %u bytes cannot be", size);
    uint8_t *packed = malloc(size);
    if (packed == NULL)
        return error_set(error, "no memory to unpack a grain");
    uLongf unpacked = vmdk->grain_bytes;
    bool good = block_file_read(node->file, place + sizeof(marker), packed, size, error);
    if (good && uncompress(whole, &unpacked, packed, size) != Z_OK)
        good = error_set(error, "the compressed grain at byte %llu is damaged",
                         (unsigned long long)place);
    free(packed);
    if (good)
        memset(whole + unpacked, 0, vmdk->grain_bytes - unpacked);
    return good;
}

/* From one grain. */
static bool read_part(const Vmdk *vmdk, const BlockNode *node, uint64_t offset, void *data,
                      size_t size, Error *error) {
    uint32_t grain = (uint32_t)(offset / vmdk->grain_bytes);
    uint32_t inside = (uint32_t)(offset % vmdk->grain_bytes);
    if (!is_allocated(vmdk, grain)) {
        memset(data, 0, size);
        return true;
    }
    if ((vmdk->flags & VMDK_FLAG_PACKED) == 0)
        return block_file_read(node->file,
                               (uint64_t)vmdk->grains[grain] * VMDK_SECTOR_BYTES + inside, data,
                               size, error);
    uint8_t *whole = malloc(vmdk->grain_bytes);
    if (whole == NULL)
        return error_set(error, "no memory to unpack a grain");
    bool good = unpack_grain(vmdk, node, grain, whole, error);
    if (good)
        memcpy(data, whole + inside, size);
    free(whole);
    return good;
}

static bool vmdk_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Vmdk *vmdk = node->driver_state;
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, vmdk->grain_bytes);
        if (!read_part(vmdk, node, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool enter_grain(const Vmdk *vmdk, const BlockNode *node, const uint32_t *directory,
                        uint32_t grain, uint32_t place, Error *error) {
    uint8_t entry[4];
    uint64_t table = (uint64_t)directory[grain / vmdk->table_entries] * VMDK_SECTOR_BYTES;
    store_le32(entry, place);
    return block_file_write(node->file, table + grain % vmdk->table_entries * 4ull, entry, 4,
                            error);
}

/* At the end of the file, which nothing points to. */
static bool write_new_grain(Vmdk *vmdk, const BlockNode *node, uint64_t offset, const void *data,
                            size_t size, Error *error) {
    uint32_t grain = (uint32_t)(offset / vmdk->grain_bytes);
    off_t end = lseek(node->file, 0, SEEK_END);
    if (end < 0)
        return error_set(error, "has no size");
    uint64_t place = ((uint64_t)end + vmdk->grain_bytes - 1) / vmdk->grain_bytes;
    place *= vmdk->grain_bytes;
    if (place / VMDK_SECTOR_BYTES > UINT32_MAX)
        return error_set(error, "is as large as a VMDK image can become");
    uint32_t sector = (uint32_t)(place / VMDK_SECTOR_BYTES);
    if (!block_file_zero(node->file, place, vmdk->grain_bytes, error) ||
        !block_file_write(node->file, place + offset % vmdk->grain_bytes, data, size, error) ||
        (vmdk->redundant != NULL &&
         !enter_grain(vmdk, node, vmdk->redundant, grain, sector, error)) ||
        !enter_grain(vmdk, node, vmdk->directory, grain, sector, error))
        return false;
    vmdk->grains[grain] = sector;
    return true;
}

static bool vmdk_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    Vmdk *vmdk = node->driver_state;
    const uint8_t *bytes = data;
    if (!block_check_inside(node, offset, size, error))
        return false;
    while (size > 0) {
        uint32_t grain = (uint32_t)(offset / vmdk->grain_bytes);
        size_t part = block_part_in_unit(offset, size, vmdk->grain_bytes);
        uint64_t to = (uint64_t)vmdk->grains[grain] * VMDK_SECTOR_BYTES;
        bool good =
            is_allocated(vmdk, grain)
                ? block_file_write(node->file, to + offset % vmdk->grain_bytes, bytes, part, error)
                : write_new_grain(vmdk, node, offset, bytes, part, error);
        if (!good)
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

const BlockDriver block_vmdk_driver = {
    .name = "vmdk",
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .read = vmdk_read,
    .write = vmdk_write,
    .flush = block_file_flush,
    .resize = block_refuse_resize,
};
