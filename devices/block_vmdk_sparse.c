/* Sparse VMDK extents: a header, a directory that points to tables, tables that point to the grains
 * that the extent is made of; directory and tables may be there twice. VMware's "Virtual Disk
 * Format 5.0" describes them; all numbers are little-endian and count sectors. Grains may be
 * compressed, in streams, which are only read, but for a tool that fills a new one.
 *
 * A kill at any moment leaves a good image: a grain's contents are in the file before an entry
 * points to it, and the redundant table, which nobody reads in good days, goes first. */
#include "allocate.h"
#include "block_vmdk.h"
#include "host_file.h"
#include "little_endian.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define VMDK_GRAIN_COUNT_MAXIMUM (1u << 24)          /* 1 TB in grains of the usual 64 KB */
#define VMDK_GRAIN_SECTORS_MAXIMUM (1u << 21)        /* 1 GB */
#define VMDK_PACKED_GRAIN_SECTORS_MAXIMUM (1u << 15) /* 16 MB */
#define VMDK_TABLE_ENTRIES_MAXIMUM 65536u
#define VMDK_AT_END UINT64_MAX /* of the directory: what the footer says */
#define VMDK_ZERO_GRAIN 1u     /* an entry for a grain of zeros, where the header allows it */

/* A stream's directory was not known yet when its header was written: the footer is a copy that
 * says it, before the last sector. */
static bool read_header(VmdkExtent *extent, Error *error) {
    uint64_t at = 0;
    for (int i = 0; i < 2; i++) {
        if (extent->file_bytes < at + VMDK_HEADER_BYTES)
            return error_set(error, "is not a VMDK image: too short");
        if (!block_file_read(extent->file, at, extent->header, VMDK_HEADER_BYTES, error))
            return false;
        if (memcmp(extent->header, "KDMV", 4) != 0)
            return error_set(error, "is not a VMDK image, or its footer is missing");
        if (load_le64(extent->header + VMDK_AT_DIRECTORY) != VMDK_AT_END)
            break;
        if (i == 1 || extent->file_bytes < 2 * VMDK_HEADER_BYTES)
            return error_set(error, "is a bad VMDK image: no place for its directory");
        at = extent->file_bytes - 2 * VMDK_HEADER_BYTES;
    }
    uint32_t version = load_le32(extent->header + VMDK_AT_VERSION);
    extent->flags = load_le32(extent->header + VMDK_AT_FLAGS);
    if (version < 1 || version > 3)
        return error_set(error, "is a VMDK image of the unknown version %u", version);
    if ((extent->flags & VMDK_FLAG_PACKED) != 0 &&
        ((extent->flags & VMDK_FLAG_MARKERS) == 0 ||
         load_le16(extent->header + VMDK_AT_COMPRESSION) != 1))
        return error_set(error, "is a VMDK image that is compressed in an unknown way");
    return true;
}

static bool check_header(VmdkExtent *extent, Error *error) {
    const uint8_t *header = extent->header;
    uint64_t grain_sectors = load_le64(header + VMDK_AT_GRAIN_SECTORS);
    bool packed = (extent->flags & VMDK_FLAG_PACKED) != 0;
    uint64_t maximum = packed ? VMDK_PACKED_GRAIN_SECTORS_MAXIMUM : VMDK_GRAIN_SECTORS_MAXIMUM;
    extent->capacity = load_le64(header + VMDK_AT_CAPACITY);
    extent->table_entries = load_le32(header + VMDK_AT_TABLE_ENTRIES);
    if (grain_sectors == 0 || grain_sectors > maximum || (grain_sectors & (grain_sectors - 1)) != 0)
        return error_set(error, "is a bad VMDK image: grains of %llu sectors",
                         (unsigned long long)grain_sectors);
    if (extent->table_entries == 0 || extent->table_entries > VMDK_TABLE_ENTRIES_MAXIMUM)
        return error_set(error, "is a bad VMDK image: tables of %u grains", extent->table_entries);
    if (extent->capacity == 0 || extent->capacity > grain_sectors * VMDK_GRAIN_COUNT_MAXIMUM)
        return error_set(error,
                         "is a VMDK image of %llu sectors in grains of %llu, which is not "
                         "possible here",
                         (unsigned long long)extent->capacity, (unsigned long long)grain_sectors);
    extent->grain_bytes = (uint32_t)grain_sectors * VMDK_SECTOR_BYTES;
    extent->grain_count = (uint32_t)((extent->capacity + grain_sectors - 1) / grain_sectors);
    extent->table_count = (extent->grain_count + extent->table_entries - 1) / extent->table_entries;
    return true;
}

/* The text in an image that is one file says whether it stands alone. */
static bool check_descriptor(const VmdkExtent *extent, Vmdk *vmdk, Error *error) {
    uint64_t at = load_le64(extent->header + VMDK_AT_DESCRIPTOR);
    uint64_t sectors = load_le64(extent->header + VMDK_AT_DESCRIPTOR_SECTORS);
    uint64_t file_sectors = extent->file_bytes / VMDK_SECTOR_BYTES;
    static const char part[] = "is one part of a VMDK image of several files; open the file that "
                               "describes it";
    if (at == 0)
        return error_set(error, part);
    if (sectors == 0 || sectors > VMDK_DESCRIPTOR_BYTES_MAXIMUM / VMDK_SECTOR_BYTES ||
        at > file_sectors || sectors > file_sectors - at)
        return error_set(error, "is a bad VMDK image: its descriptor is too long or past the end "
                                "of the file");
    size_t size = (size_t)sectors * VMDK_SECTOR_BYTES;
    char *text = allocate_zeroed(size + 1);
    bool good = block_file_read(extent->file, at * VMDK_SECTOR_BYTES, text, size, error) &&
                (text[0] != '\0' || error_set(error, part)) &&
                vmdk_descriptor_read_head(vmdk, text, error);
    free(text);
    return good;
}

static int compare_sectors(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Each of the places has so many bytes, all in the file, behind the header, and apart. */
static bool check_places(const VmdkExtent *extent, const uint32_t *places, uint32_t count,
                         uint64_t bytes, const char *what, Error *error) {
    uint32_t lowest = (extent->flags & VMDK_FLAG_ZERO_GRAINS) != 0 ? 2 : 1;
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
        if (start > extent->file_bytes || bytes > extent->file_bytes - start)
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

static uint32_t *read_directory(const VmdkExtent *extent, uint64_t sector, Error *error) {
    size_t bytes = (size_t)extent->table_count * 4;
    if (sector == 0 || sector > extent->file_bytes / VMDK_SECTOR_BYTES ||
        bytes > extent->file_bytes - sector * VMDK_SECTOR_BYTES) {
        error_set(error, "is a bad VMDK image: its directory lies past the end of the file");
        return NULL;
    }
    uint32_t *directory = allocate_zeroed(bytes);
    bool good = block_file_read(extent->file, sector * VMDK_SECTOR_BYTES, directory, bytes, error);
    for (uint32_t i = 0; good && i < extent->table_count; i++)
        directory[i] = load_le32(&directory[i]);
    if (good && check_places(extent, directory, extent->table_count, extent->table_entries * 4ull,
                             "table", error))
        return directory;
    free(directory);
    return NULL;
}

static bool read_tables(VmdkExtent *extent, Error *error) {
    extent->grains = calloc((size_t)extent->table_count * extent->table_entries, 4);
    if (extent->grains == NULL)
        return error_set(error, "no memory for the tables of a VMDK image");
    for (uint32_t i = 0; i < extent->table_count; i++) {
        uint32_t *table = extent->grains + (size_t)i * extent->table_entries;
        if (extent->directory[i] != 0 &&
            !block_file_read(extent->file, (uint64_t)extent->directory[i] * VMDK_SECTOR_BYTES,
                             table, (size_t)extent->table_entries * 4, error))
            return false;
    }
    for (uint32_t i = 0; i < extent->grain_count; i++)
        extent->grains[i] = load_le32(&extent->grains[i]);
    uint64_t bytes =
        (extent->flags & VMDK_FLAG_PACKED) != 0 ? VMDK_MARKER_BYTES : extent->grain_bytes;
    return check_places(extent, extent->grains, extent->grain_count, bytes, "grain", error);
}

/* What can only be read is not opened to be written; but a tool may fill a new stream. */
static bool check_writable(const VmdkExtent *extent, BlockNode *node, const BlockOptions *options,
                           Error *error) {
    bool whole = true, packed = (extent->flags & VMDK_FLAG_PACKED) != 0;
    for (uint32_t i = 0; i < extent->table_count; i++)
        whole = whole && extent->directory[i] != 0 &&
                (extent->redundant == NULL || extent->redundant[i] != 0);
    if (node->read_only || (whole && (!packed || options->any_content)))
        return true;
    if (!options->auto_read_only)
        return error_set(error,
                         "is a VMDK image that can only be read, since it is %s; add "
                         "readonly=on or snapshot=on",
                         whole ? "compressed" : "without some of its tables");
    node->read_only = true;
    return true;
}

void vmdk_sparse_close(VmdkExtent *extent) {
    if (extent->directory != NULL)
        pthread_mutex_destroy(&extent->lock);
    free(extent->directory);
    free(extent->redundant);
    free(extent->grains);
    free(extent->unpacked);
}

static bool open_tables(VmdkExtent *extent, BlockNode *node, const BlockOptions *options,
                        Error *error) {
    const uint8_t *header = extent->header;
    uint64_t redundant = load_le64(header + VMDK_AT_REDUNDANT_DIRECTORY);
    extent->directory = read_directory(extent, load_le64(header + VMDK_AT_DIRECTORY), error);
    if (extent->directory == NULL)
        return false;
    pthread_mutex_init(&extent->lock, NULL);
    if (!read_tables(extent, error))
        return false;
    if ((extent->flags & VMDK_FLAG_REDUNDANT) != 0 && !node->read_only) {
        extent->redundant = read_directory(extent, redundant, error);
        if (extent->redundant == NULL)
            return false;
    }
    return check_writable(extent, node, options, error);
}

bool vmdk_sparse_open(VmdkExtent *extent, BlockNode *node, const BlockOptions *options, bool alone,
                      Vmdk *vmdk, Error *error) {
    return read_header(extent, error) && check_header(extent, error) &&
           (!alone || check_descriptor(extent, vmdk, error)) &&
           open_tables(extent, node, options, error);
}

bool vmdk_sparse_is_allocated(const VmdkExtent *extent, uint64_t offset) {
    uint32_t place = extent->grains[offset / extent->grain_bytes];
    return place != 0 && (place != VMDK_ZERO_GRAIN || (extent->flags & VMDK_FLAG_ZERO_GRAINS) == 0);
}

static bool unpack_grain(const VmdkExtent *extent, uint32_t grain, uint8_t *whole, Error *error) {
    uint64_t place = (uint64_t)extent->grains[grain] * VMDK_SECTOR_BYTES;
    uint8_t marker[VMDK_MARKER_BYTES];
    if (!block_file_read(extent->file, place, marker, sizeof(marker), error))
        return false;
    uint32_t size = load_le32(marker + 8);
    uint64_t left = extent->file_bytes - place - sizeof(marker);
    if (size == 0 || size > left || size > compressBound(extent->grain_bytes))
        return error_set(error, "a compressed grain of %u bytes cannot be", size);
    uint8_t *packed = malloc(size);
    if (packed == NULL)
        return error_set(error, "no memory to unpack a grain");
    uLongf unpacked = extent->grain_bytes;
    bool good = block_file_read(extent->file, place + sizeof(marker), packed, size, error);
    if (good && uncompress(whole, &unpacked, packed, size) != Z_OK)
        good = error_set(error, "the compressed grain at byte %llu is damaged",
                         (unsigned long long)place);
    free(packed);
    if (good)
        memset(whole + unpacked, 0, extent->grain_bytes - unpacked);
    return good;
}

/* Grains that are read piece by piece are unpacked once. */
static bool read_packed(VmdkExtent *extent, uint64_t offset, void *data, size_t size,
                        Error *error) {
    uint32_t grain = (uint32_t)(offset / extent->grain_bytes);
    pthread_mutex_lock(&extent->lock);
    bool good = true;
    if (extent->unpacked == NULL)
        extent->unpacked = allocate_zeroed(extent->grain_bytes);
    if (extent->unpacked_place != extent->grains[grain]) {
        extent->unpacked_place = 0;
        good = unpack_grain(extent, grain, extent->unpacked, error);
        if (good)
            extent->unpacked_place = extent->grains[grain];
    }
    if (good)
        memcpy(data, extent->unpacked + offset % extent->grain_bytes, size);
    pthread_mutex_unlock(&extent->lock);
    return good;
}

/* From one grain. */
static bool read_part(VmdkExtent *extent, uint64_t offset, void *data, size_t size, Error *error) {
    uint64_t grain = offset / extent->grain_bytes, inside = offset % extent->grain_bytes;
    if (!vmdk_sparse_is_allocated(extent, offset)) {
        memset(data, 0, size);
        return true;
    }
    if ((extent->flags & VMDK_FLAG_PACKED) != 0)
        return read_packed(extent, offset, data, size, error);
    return block_file_read(extent->file,
                           (uint64_t)extent->grains[grain] * VMDK_SECTOR_BYTES + inside, data, size,
                           error);
}

bool vmdk_sparse_read(VmdkExtent *extent, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, extent->grain_bytes);
        if (!read_part(extent, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool enter_grain(const VmdkExtent *extent, const uint32_t *directory, uint32_t grain,
                        uint32_t place, Error *error) {
    uint8_t entry[4];
    uint64_t table = (uint64_t)directory[grain / extent->table_entries] * VMDK_SECTOR_BYTES;
    store_le32(entry, place);
    return block_file_write(extent->file, table + grain % extent->table_entries * 4ull, entry, 4,
                            error);
}

/* A place at the end of the file, which nothing points to; 0: there is none. */
static uint32_t find_end(const VmdkExtent *extent, uint64_t alignment, Error *error) {
    off_t end = lseek(extent->file, 0, SEEK_END);
    uint64_t place = ((uint64_t)end + alignment - 1) / alignment * alignment;
    if (end >= 0 && place / VMDK_SECTOR_BYTES <= UINT32_MAX)
        return (uint32_t)(place / VMDK_SECTOR_BYTES);
    error_set(error, end < 0 ? "has no size" : "is as large as a VMDK image can become");
    return 0;
}

static bool enter_place(VmdkExtent *extent, uint32_t grain, uint32_t sector, Error *error) {
    if ((extent->redundant != NULL &&
         !enter_grain(extent, extent->redundant, grain, sector, error)) ||
        !enter_grain(extent, extent->directory, grain, sector, error))
        return false;
    extent->grains[grain] = sector;
    return true;
}

static bool write_new_grain(VmdkExtent *extent, uint64_t offset, const void *data, size_t size,
                            Error *error) {
    uint32_t sector = find_end(extent, extent->grain_bytes, error);
    uint64_t place = (uint64_t)sector * VMDK_SECTOR_BYTES;
    return sector != 0 && block_file_zero(extent->file, place, extent->grain_bytes, error) &&
           block_file_write(extent->file, place + offset % extent->grain_bytes, data, size,
                            error) &&
           enter_place(extent, (uint32_t)(offset / extent->grain_bytes), sector, error);
}

static bool append_packed(VmdkExtent *extent, uint64_t offset, const uint8_t *grain,
                          uint8_t *packed, uLongf room, Error *error) {
    uint32_t sector = find_end(extent, VMDK_SECTOR_BYTES, error);
    if (sector == 0)
        return false;
    if (compress(packed + VMDK_MARKER_BYTES, &room, grain, extent->grain_bytes) != Z_OK)
        return error_set(error, "cannot be compressed");
    store_le64(packed, offset / VMDK_SECTOR_BYTES);
    store_le32(packed + 8, (uint32_t)room);
    size_t size = (VMDK_MARKER_BYTES + (size_t)room + VMDK_SECTOR_BYTES - 1) / VMDK_SECTOR_BYTES *
                  VMDK_SECTOR_BYTES;
    uint64_t place = (uint64_t)sector * VMDK_SECTOR_BYTES;
    if (!block_file_write(extent->file, place, packed, size, error))
        return false;
    extent->file_bytes = place + size;
    return enter_place(extent, (uint32_t)(offset / extent->grain_bytes), sector, error);
}

/* A stream is filled grain by grain, each of them once. */
static bool write_packed(VmdkExtent *extent, uint64_t offset, const void *data, size_t size,
                         Error *error) {
    bool whole = offset % extent->grain_bytes == 0 &&
                 (size == extent->grain_bytes || offset + size == extent->length);
    if (!whole || vmdk_sparse_is_allocated(extent, offset))
        return error_set(error, "is compressed: whole grains of %u bytes are written, once",
                         extent->grain_bytes);
    uLongf room = compressBound(extent->grain_bytes);
    uint8_t *packed = allocate_zeroed(VMDK_MARKER_BYTES + room + VMDK_SECTOR_BYTES);
    uint8_t *grain = allocate_zeroed(extent->grain_bytes);
    memcpy(grain, data, size);
    bool good = append_packed(extent, offset, grain, packed, room, error);
    free(grain);
    free(packed);
    return good;
}

static bool write_part(VmdkExtent *extent, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    if ((extent->flags & VMDK_FLAG_PACKED) != 0)
        return write_packed(extent, offset, data, size, error);
    if (!vmdk_sparse_is_allocated(extent, offset))
        return write_new_grain(extent, offset, data, size, error);
    uint64_t place = (uint64_t)extent->grains[offset / extent->grain_bytes] * VMDK_SECTOR_BYTES;
    return block_file_write(extent->file, place + offset % extent->grain_bytes, data, size, error);
}

bool vmdk_sparse_write(VmdkExtent *extent, uint64_t offset, const void *data, size_t size,
                       Error *error) {
    const uint8_t *bytes = data;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, extent->grain_bytes);
        if (!write_part(extent, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}
