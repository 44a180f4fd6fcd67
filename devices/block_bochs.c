/* Growing and sparse images of Bochs (iodev/hdimage/hdimage.h), read and written. A growing image
 * is a journal: a catalog of extents, each with a bitmap of its sectors that were written. Sparse
 * ones have a table of pages. All numbers are little-endian.
 *
 * A kill at any moment leaves a good image: the contents of a new part are in the file before the
 * table points to it, those of a sector before its bit is set. */
#include "allocate.h"
#include "block_driver.h"
#include "block_image.h"
#include "host_file.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

#define UNALLOCATED 0xFFFFFFFFu
#define ENTRIES_MAXIMUM (1u << 24)
#define UNIT_BYTES_MAXIMUM (64u << 20)
#define SECTOR BLOCK_SECTOR_BYTES
#define SPARSE_MAGIC 0x02468ACEu
#define SPARSE_VERSION 2u

static const char magic[] = "Bochs Virtual HD Image";

enum { HEADER_BYTES = 512, SPARSE_HEADER_BYTES = 256, NAME_BYTES = 16 };
enum { AT_TYPE = 32, AT_SUBTYPE = 48, AT_VERSION = 64, AT_HEADER_BYTES = 68, AT_ENTRIES = 72 };
enum { AT_BITMAP_BYTES = 76, AT_EXTENT_BYTES = 80, AT_DISK_V1 = 84, AT_DISK_V2 = 88 };
enum { VERSION_1 = 0x00010000, VERSION_2 = 0x00020000 };

typedef struct Bochs {
    uint64_t table_offset, data_offset;
    uint32_t entries;
    uint32_t unit_bytes;   /* an extent's, or a page's, contents */
    uint32_t bitmap_bytes; /* before the contents, whole sectors; 0: there is no bitmap */
    uint32_t next;         /* place for a new one */
    uint32_t *table;       /* place of each */
} Bochs;

static int bochs_probe(const uint8_t *head, uint64_t length) {
    bool sparse = load_le32(head) == SPARSE_MAGIC && load_le32(head + 4) == SPARSE_VERSION;
    return memcmp(head, magic, sizeof(magic)) == 0 || (sparse && length >= SPARSE_HEADER_BYTES)
               ? 100
               : 0;
}

static uint64_t place_of(const Bochs *bochs, uint32_t place) {
    return bochs->data_offset +
           (uint64_t)place * ((uint64_t)bochs->bitmap_bytes + bochs->unit_bytes);
}

static bool read_growing(Bochs *bochs, const uint8_t *header, uint64_t *disk_bytes, Error *error) {
    uint32_t version = load_le32(header + AT_VERSION);
    char subtype[NAME_BYTES + 1] = "";
    memcpy(subtype, header + AT_SUBTYPE, NAME_BYTES);
    for (char *at = subtype; *at != '\0'; at++)
        *at = *at >= ' ' && *at < 0x7F ? *at : '?';
    if (memcmp(header + AT_TYPE, "Redolog", 8) != 0 || strcmp(subtype, "Growing") != 0)
        return error_set(error,
                         "is an image of Bochs of the kind '%s', which cannot be opened; "
                         "commit it to its base with bximage",
                         subtype);
    if (version != VERSION_1 && version != VERSION_2)
        return error_set(error, "is an image of Bochs of the unknown version %X", version);
    uint32_t bitmap = load_le32(header + AT_BITMAP_BYTES);
    bochs->table_offset = load_le32(header + AT_HEADER_BYTES);
    bochs->entries = load_le32(header + AT_ENTRIES);
    bochs->unit_bytes = load_le32(header + AT_EXTENT_BYTES);
    bochs->data_offset = bochs->table_offset + bochs->entries * 4ull;
    *disk_bytes = load_le64(header + (version == VERSION_1 ? AT_DISK_V1 : AT_DISK_V2));
    if (bitmap > UNIT_BYTES_MAXIMUM / SECTOR || bitmap * 8ull * SECTOR < bochs->unit_bytes)
        return error_set(error, "is a bad image of Bochs: a bitmap of %u bytes", bitmap);
    bochs->bitmap_bytes = (bitmap + SECTOR - 1) / SECTOR * SECTOR;
    return bochs->table_offset >= HEADER_BYTES ||
           error_set(error, "is a bad image of Bochs: a header of %llu bytes",
                     (unsigned long long)bochs->table_offset);
}

static bool read_sparse(Bochs *bochs, const uint8_t *header, uint64_t *disk_bytes, Error *error) {
    bochs->table_offset = SPARSE_HEADER_BYTES;
    bochs->unit_bytes = load_le32(header + 8);
    bochs->entries = load_le32(header + 12);
    *disk_bytes = load_le64(header + 16);
    if (bochs->unit_bytes == 0)
        return error_set(error, "is a bad image of Bochs: pages of 0 bytes");
    uint64_t tables = SPARSE_HEADER_BYTES + bochs->entries * 4ull;
    bochs->data_offset = (tables + bochs->unit_bytes - 1) / bochs->unit_bytes * bochs->unit_bytes;
    return true;
}

static bool check_sizes(const Bochs *bochs, uint64_t disk_bytes, uint64_t file_bytes,
                        Error *error) {
    if (bochs->unit_bytes == 0 || bochs->unit_bytes % SECTOR != 0 ||
        bochs->unit_bytes > UNIT_BYTES_MAXIMUM)
        return error_set(error, "is a bad image of Bochs: parts of %u bytes", bochs->unit_bytes);
    if (bochs->entries == 0 || bochs->entries > ENTRIES_MAXIMUM ||
        bochs->table_offset + bochs->entries * 4ull > file_bytes)
        return error_set(error, "is a bad image of Bochs: a table of %u parts", bochs->entries);
    return (disk_bytes > 0 && disk_bytes <= (uint64_t)bochs->entries * bochs->unit_bytes) ||
           error_set(error, "is a bad image of Bochs: a disk of %llu bytes",
                     (unsigned long long)disk_bytes);
}

/* Every part must be in the file, and no two may be the same. */
static bool read_table(Bochs *bochs, const BlockNode *node, Error *error) {
    bochs->table = calloc(bochs->entries, 4);
    uint8_t *taken = calloc(bochs->entries / 8 + 1, 1);
    bool good = bochs->table != NULL && taken != NULL;
    if (!good)
        error_set(error, "no memory for the table of an image of Bochs");
    good = good && block_file_read(node->file, bochs->table_offset, bochs->table,
                                   bochs->entries * 4ull, error);
    for (uint32_t i = 0; good && i < bochs->entries; i++) {
        uint32_t place = bochs->table[i] = load_le32(&bochs->table[i]);
        if (place == UNALLOCATED)
            continue;
        if (place >= bochs->entries || place_of(bochs, place + 1) > node->length ||
            (taken[place / 8] >> place % 8 & 1) != 0)
            good = error_set(error,
                             "is a bad image of Bochs: part %u lies over another or past "
                             "the end of the file",
                             i);
        else
            taken[place / 8] |= (uint8_t)(1u << place % 8);
        if (good && place >= bochs->next)
            bochs->next = place + 1;
    }
    free(taken);
    return good;
}

static void bochs_close(BlockNode *node) {
    Bochs *bochs = node->driver_state;
    free(bochs->table);
    free(bochs);
}

static bool bochs_open(BlockNode *node, const BlockOptions *options, Error *error) {
    (void)options;
    uint8_t header[HEADER_BYTES] = {0};
    uint64_t disk_bytes = 0;
    Bochs *bochs = allocate_zeroed(sizeof(*bochs));
    node->driver_state = bochs;
    size_t size = node->length < HEADER_BYTES ? (size_t)node->length : HEADER_BYTES;
    bool good = block_file_read(node->file, 0, header, size, error) &&
                (bochs_probe(header, node->length) > 0 ||
                 error_set(error, "is no growing or sparse image of Bochs"));
    bool growing = load_le32(header) != SPARSE_MAGIC;
    good = good &&
           (growing ? read_growing(bochs, header, &disk_bytes, error)
                    : read_sparse(bochs, header, &disk_bytes, error)) &&
           check_sizes(bochs, disk_bytes, node->length, error) && read_table(bochs, node, error);
    if (!good) {
        bochs_close(node);
        return false;
    }
    node->length = disk_bytes;
    return true;
}

/* The byte of the bitmap for a sector of the part. */
static uint64_t bit_place(const Bochs *bochs, uint32_t place, uint32_t inside, uint8_t *bit) {
    uint32_t sector = inside / SECTOR;
    *bit = (uint8_t)(1u << sector % 8);
    return place_of(bochs, place) + sector / 8;
}

/* How many bytes from 'offset' on, within a part and 'size', are there or not. */
static bool find_run(const Bochs *bochs, const BlockNode *node, uint64_t offset, size_t size,
                     size_t *run, bool *there, Error *error) {
    uint32_t place = bochs->table[offset / bochs->unit_bytes];
    uint32_t inside = (uint32_t)(offset % bochs->unit_bytes);
    *run = block_part_in_unit(offset, size, bochs->unit_bytes);
    *there = place != UNALLOCATED;
    if (!*there || bochs->bitmap_bytes == 0)
        return true;
    uint8_t bitmap[SECTOR], bit;
    uint64_t first = bit_place(bochs, place, inside, &bit), sectors = 0;
    uint64_t left = place_of(bochs, place) + bochs->bitmap_bytes - first;
    if (!block_file_read(node->file, first, bitmap, left < sizeof(bitmap) ? left : sizeof(bitmap),
                         error))
        return false;
    *there = (bitmap[0] & bit) != 0;
    uint32_t start = inside / SECTOR % 8;
    while (start + sectors < (left < sizeof(bitmap) ? left : sizeof(bitmap)) * 8 &&
           ((bitmap[(start + sectors) / 8] >> (start + sectors) % 8 & 1) != 0) == *there)
        sectors++;
    uint64_t bytes = sectors * SECTOR - inside % SECTOR;
    if (bytes < *run)
        *run = (size_t)bytes;
    return true;
}

static uint64_t contents_place(const Bochs *bochs, uint64_t offset) {
    return place_of(bochs, bochs->table[offset / bochs->unit_bytes]) + bochs->bitmap_bytes +
           offset % bochs->unit_bytes;
}

static bool bochs_read(BlockNode *node, uint64_t offset, void *data, size_t size, Error *error) {
    const Bochs *bochs = node->driver_state;
    uint8_t *bytes = data;
    while (size > 0) {
        size_t part;
        bool there;
        if (!find_run(bochs, node, offset, size, &part, &there, error))
            return false;
        if (!there)
            memset(bytes, 0, part);
        else if (!block_file_read(node->file, contents_place(bochs, offset), bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool set_bits(const Bochs *bochs, const BlockNode *node, uint32_t place, uint32_t inside,
                     uint32_t size, Error *error) {
    uint8_t bitmap[SECTOR], bit;
    uint32_t sector = inside / SECTOR, last = (inside + size - 1) / SECTOR;
    while (sector <= last) {
        uint64_t at = bit_place(bochs, place, sector * SECTOR, &bit);
        uint32_t bits = last + 1 - sector + sector % 8;
        size_t bytes = bits / 8 + (bits % 8 != 0);
        bytes = bytes < sizeof(bitmap) ? bytes : sizeof(bitmap);
        if (!block_file_read(node->file, at, bitmap, bytes, error))
            return false;
        uint32_t base = sector / 8 * 8;
        for (; sector <= last && (sector - base) / 8 < bytes; sector++)
            bitmap[(sector - base) / 8] |= (uint8_t)(1u << sector % 8);
        if (!block_file_write(node->file, at, bitmap, bytes, error))
            return false;
    }
    return true;
}

/* The first and the last sector are written in part: what is there of them is zeros. */
static bool clear_ends(const Bochs *bochs, const BlockNode *node, uint64_t offset, size_t size,
                       Error *error) {
    static const uint8_t zeros[SECTOR];
    const uint64_t ends[2] = {offset, offset + size - 1};
    for (int i = 0; i < 2; i++) {
        size_t run;
        bool there;
        uint64_t sector = ends[i] / SECTOR * SECTOR;
        if (!find_run(bochs, node, sector, SECTOR, &run, &there, error))
            return false;
        if (!there &&
            !block_file_write(node->file, contents_place(bochs, sector), zeros, SECTOR, error))
            return false;
    }
    return true;
}

static bool allocate_part(Bochs *bochs, const BlockNode *node, uint32_t index, Error *error) {
    uint32_t place = bochs->next;
    uint64_t start = place_of(bochs, place);
    uint8_t entry[4];
    if (place >= bochs->entries)
        return error_set(error, "has no room for more parts");
    store_le32(entry, place);
    if (!block_file_zero(node->file, start, place_of(bochs, place + 1) - start, error) ||
        !block_file_write(node->file, bochs->table_offset + index * 4ull, entry, 4, error))
        return false;
    bochs->table[index] = place;
    bochs->next++;
    return true;
}

static bool write_part(Bochs *bochs, const BlockNode *node, uint64_t offset, const void *data,
                       size_t size, Error *error) {
    uint32_t index = (uint32_t)(offset / bochs->unit_bytes);
    if (bochs->table[index] == UNALLOCATED && !allocate_part(bochs, node, index, error))
        return false;
    if (bochs->bitmap_bytes == 0)
        return block_file_write(node->file, contents_place(bochs, offset), data, size, error);
    return clear_ends(bochs, node, offset, size, error) &&
           block_file_write(node->file, contents_place(bochs, offset), data, size, error) &&
           set_bits(bochs, node, bochs->table[index], (uint32_t)(offset % bochs->unit_bytes),
                    (uint32_t)size, error);
}

static bool bochs_write(BlockNode *node, uint64_t offset, const void *data, size_t size,
                        Error *error) {
    Bochs *bochs = node->driver_state;
    const uint8_t *bytes = data;
    if (!block_check_inside(node, offset, size, error))
        return false;
    while (size > 0) {
        size_t part = block_part_in_unit(offset, size, bochs->unit_bytes);
        if (!write_part(bochs, node, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool bochs_info(BlockNode *node, BlockInfo *info, Error *error) {
    const Bochs *bochs = node->driver_state;
    (void)error;
    info->cluster_bytes = bochs->unit_bytes;
    return true;
}

static bool bochs_map(BlockNode *node, uint64_t offset, uint64_t length, BlockExtent *extent,
                      Error *error) {
    const Bochs *bochs = node->driver_state;
    size_t run;
    bool there;
    if (!find_run(bochs, node, offset, length < bochs->unit_bytes ? length : bochs->unit_bytes,
                  &run, &there, error))
        return false;
    *extent = (BlockExtent){
        .length = run,
        .present = true,
        .zero = !there,
        .data = there,
        .has_offset = there,
        .offset = there ? contents_place(bochs, offset) : 0,
        .file_path = node->path,
    };
    return true;
}

const BlockDriver block_bochs_driver = {
    .name = "bochs",
    .probe = bochs_probe,
    .open = bochs_open,
    .close = bochs_close,
    .read = bochs_read,
    .write = bochs_write,
    .flush = block_file_flush,
    .resize = block_refuse_resize,
    .info = bochs_info,
    .map = bochs_map,
};
