#include "fat_format.h"
#include "block.h"
#include "block_driver.h"
#include "host_file.h"
#include "little_endian.h"
#include <errno.h>
#include <string.h>

#define SECTOR_BYTES 512
#define SERIAL_NUMBER 0x19810812u /* any: the same every time */
#define MEDIA_DISK 0xF8

/* Microsoft, 'FAT Type Determination': so many clusters make the type. Some software counts wrong
 * by a few, so these stay clear of the limits by 16, as is recommended there. */
#define FAT12_CLUSTERS_MAXIMUM (4084u - 16)
#define FAT16_CLUSTERS_MINIMUM (4085u + 16)
#define FAT16_CLUSTERS_MAXIMUM (65524u - 16)
#define FAT32_CLUSTERS_MINIMUM (65525u + 16)
#define FAT32_CLUSTERS_MAXIMUM 0x0FFFFFE0u

/* A disk below so many sectors can be addressed by 16 heads within the BIOS's 1024 cylinders. */
#define SMALL_DISK_SECTORS (1024u * 16 * 63)
#define TRACK_SECTORS 63

/* Of FAT32: FSInfo and the copy of both. */
#define INFO_SECTOR 1
#define BACKUP_SECTOR 6
#define FAT32_RESERVED 32

typedef struct Layout {
    uint32_t start, total; /* the volume, in sectors */
    unsigned bits;
    uint32_t cluster_sectors, reserved, root_entries, fat_sectors, clusters;
    uint32_t track_sectors, heads;
    uint8_t media;
} Layout;

/* Microsoft, 'MS-DOS Programmer's Reference', 'BIOS parameter block': what DOS makes of floppies.
 */
// clang-format off
static const Layout floppies[] = {
    /* start total  bits cluster reserved root  table clusters track heads media */
    {0,  320, 12, 1, 1,  64, 1,  313,  8, 1, 0xFE},
    {0,  360, 12, 1, 1,  64, 2,  351,  9, 1, 0xFC},
    {0,  640, 12, 2, 1, 112, 1,  315,  8, 2, 0xFF},
    {0,  720, 12, 2, 1, 112, 2,  354,  9, 2, 0xFD},
    {0, 1440, 12, 2, 1, 112, 3,  713,  9, 2, 0xF9},
    {0, 2400, 12, 1, 1, 224, 7, 2371, 15, 2, 0xF9},
    {0, 2880, 12, 1, 1, 224, 9, 2847, 18, 2, 0xF0},
    {0, 5760, 12, 2, 1, 240, 9, 2863, 36, 2, 0xF0},
};

/* The cluster size that DOS and Windows choose for a disk of up to so many megabytes. */
static const struct {
    unsigned bits;
    uint32_t megabytes, cluster_sectors;
} cluster_sizes[] = {
    {12, 16, 8},
    {16, 128, 4}, {16, 256, 8}, {16, 512, 16}, {16, 1024, 32}, {16, 2047, 64},
    {32, 8192, 8}, {32, 16384, 16}, {32, 32768, 32}, {32, UINT32_MAX, 64},
};
// clang-format on

#define CLUSTER_SIZES (sizeof(cluster_sizes) / sizeof(cluster_sizes[0]))

/* --- where everything goes ---------------------------------------------------------------------
 */

/* How many sectors a copy of the table needs depends on how many clusters there are, and the other
 * way round. */
static bool fit_clusters(Layout *layout) {
    uint32_t before =
        layout->reserved + (layout->root_entries * 32 + SECTOR_BYTES - 1) / SECTOR_BYTES;
    for (layout->fat_sectors = 1;;) {
        uint64_t tables = before + 2ull * layout->fat_sectors;
        if (tables >= layout->total)
            return false;
        layout->clusters = (uint32_t)((layout->total - tables) / layout->cluster_sectors);
        uint64_t bits = ((uint64_t)layout->clusters + 2) * layout->bits;
        uint32_t needed = (uint32_t)((bits + SECTOR_BYTES * 8 - 1) / (SECTOR_BYTES * 8));
        if (needed <= layout->fat_sectors)
            return true;
        layout->fat_sectors = needed;
    }
}

static bool has_right_count(const Layout *layout) {
    switch (layout->bits) {
    case 12:
        return layout->clusters >= 1 && layout->clusters <= FAT12_CLUSTERS_MAXIMUM;
    case 16:
        return layout->clusters >= FAT16_CLUSTERS_MINIMUM &&
               layout->clusters <= FAT16_CLUSTERS_MAXIMUM;
    default:
        return layout->clusters >= FAT32_CLUSTERS_MINIMUM &&
               layout->clusters <= FAT32_CLUSTERS_MAXIMUM;
    }
}

/* The usual cluster size if it will do, else one nearby. */
static bool choose_cluster_size(Layout *layout, uint32_t usual) {
    for (uint32_t sectors = usual; sectors <= 64; sectors *= 2) {
        layout->cluster_sectors = sectors;
        if (fit_clusters(layout) && has_right_count(layout))
            return true;
    }
    for (uint32_t sectors = usual / 2; sectors >= 1; sectors /= 2) {
        layout->cluster_sectors = sectors;
        if (fit_clusters(layout) && has_right_count(layout))
            return true;
    }
    return false;
}

static bool lay_out_volume(Layout *layout, unsigned bits, Error *error) {
    uint32_t megabytes = layout->total / 2048;
    for (size_t i = 0; i < CLUSTER_SIZES; i++) {
        if ((bits != 0 && cluster_sizes[i].bits != bits) || cluster_sizes[i].megabytes < megabytes)
            continue;
        layout->bits = cluster_sizes[i].bits;
        layout->reserved = layout->bits == 32 ? FAT32_RESERVED : 1;
        layout->root_entries = layout->bits == 32 ? 0 : 512;
        layout->media = MEDIA_DISK;
        if (choose_cluster_size(layout, cluster_sizes[i].cluster_sectors))
            return true;
    }
    return error_set(error, "a volume of %u sectors cannot be FAT%u", layout->total, bits);
}

static bool lay_out(const FatFormat *format, Layout *layout, Error *error) {
    uint64_t total = format->bytes / SECTOR_BYTES;
    for (size_t i = 0; i < sizeof(floppies) / sizeof(floppies[0]); i++) {
        if (floppies[i].total * (uint64_t)SECTOR_BYTES != format->bytes ||
            (format->bits != 0 && format->bits != 12))
            continue;
        *layout = floppies[i];
        return true;
    }
    if (format->bytes % SECTOR_BYTES != 0 || total < 16 || total > UINT32_MAX)
        return error_set(error, "a FAT image has a multiple of 512 bytes, from 8192 to 2 TB");
    *layout = (Layout){.total = (uint32_t)total, .track_sectors = TRACK_SECTORS};
    layout->heads = total < SMALL_DISK_SECTORS ? 16 : 255;
    if (!format->whole) {
        uint32_t cylinder = layout->heads * TRACK_SECTORS;
        if (layout->total < 2 * cylinder)
            return error_set(error, "a disk with partitions has at least %u bytes",
                             2 * cylinder * SECTOR_BYTES);
        layout->start = TRACK_SECTORS;
        layout->total = layout->total / cylinder * cylinder - TRACK_SECTORS;
    }
    return lay_out_volume(layout, format->bits, error);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static bool write_sector(BlockNode *node, uint64_t sector, const uint8_t *data, Error *error) {
    return block_write(node, sector * SECTOR_BYTES, data, SECTOR_BYTES, error);
}

static void sign(uint8_t *sector) {
    sector[510] = 0x55;
    sector[511] = 0xAA;
}

static uint8_t partition_type(const Layout *layout) {
    bool beyond_cylinders = layout->start + layout->total > 1024u * 255 * TRACK_SECTORS;
    switch (layout->bits) {
    case 12:
        return 0x01;
    case 16:
        return layout->total < 65536 ? 0x04 : beyond_cylinders ? 0x0E : 0x06;
    default:
        return beyond_cylinders ? 0x0C : 0x0B;
    }
}

/* One active partition from the second track to the end of the last whole cylinder. */
static bool write_partitions(BlockNode *node, const Layout *layout, Error *error) {
    uint8_t sector[SECTOR_BYTES] = {0xCD, 0x18, 0xEB, 0xFE}; /* INT 18h: nothing to boot here */
    uint8_t *entry = sector + 446;
    uint32_t last = (layout->start + layout->total) / (layout->heads * TRACK_SECTORS) - 1;
    if (last > 1023)
        last = 1023;
    entry[0] = 0x80;
    entry[1] = 1; /* head, sector, cylinder */
    entry[2] = 1;
    entry[4] = partition_type(layout);
    entry[5] = (uint8_t)(layout->heads - 1);
    entry[6] = (uint8_t)(TRACK_SECTORS | (last >> 8 & 3) << 6);
    entry[7] = (uint8_t)last;
    store_le32(entry + 8, layout->start);
    store_le32(entry + 12, layout->total);
    sign(sector);
    return write_sector(node, 0, sector, error);
}

static void fill_label(uint8_t *field, const char *label) {
    memset(field, ' ', 11);
    for (size_t i = 0; i < 11 && label[i] != '\0'; i++)
        field[i] = (uint8_t)(label[i] >= 'a' && label[i] <= 'z' ? label[i] - 'a' + 'A' : label[i]);
}

/* What follows the parameter block from offset 36, or 64 in FAT32. */
static void fill_extension(const Layout *layout, const char *label, uint8_t *fields) {
    const char *name = layout->bits == 12   ? "FAT12   "
                       : layout->bits == 16 ? "FAT16   "
                                            : "FAT32   ";
    fields[0] = layout->media == MEDIA_DISK ? 0x80 : 0x00;
    fields[2] = 0x29;
    store_le32(fields + 3, SERIAL_NUMBER);
    fill_label(fields + 7, label != NULL ? label : "NO NAME");
    memcpy(fields + 18, name, 8);
}

static void fill_boot_sector(const Layout *layout, const char *label, uint8_t *sector) {
    memset(sector, 0, SECTOR_BYTES);
    uint8_t code = layout->bits == 32 ? 90 : 62;
    const uint8_t jump[] = {0xEB, (uint8_t)(code - 2), 0x90};
    const uint8_t nothing_to_boot[] = {0xCD, 0x18, 0xEB, 0xFE}; /* INT 18h */
    memcpy(sector, jump, sizeof(jump));
    memcpy(sector + 3, "MSDOS5.0", 8);
    store_le16(sector + 11, SECTOR_BYTES);
    sector[13] = (uint8_t)layout->cluster_sectors;
    store_le16(sector + 14, (uint16_t)layout->reserved);
    sector[16] = 2;
    store_le16(sector + 17, (uint16_t)layout->root_entries);
    if (layout->total < 65536 && layout->bits != 32)
        store_le16(sector + 19, (uint16_t)layout->total);
    else
        store_le32(sector + 32, layout->total);
    sector[21] = layout->media;
    store_le16(sector + 24, (uint16_t)layout->track_sectors);
    store_le16(sector + 26, (uint16_t)layout->heads);
    store_le32(sector + 28, layout->start);
    if (layout->bits == 32) {
        store_le32(sector + 36, layout->fat_sectors);
        store_le32(sector + 44, 2); /* the root folder's cluster */
        store_le16(sector + 48, INFO_SECTOR);
        store_le16(sector + 50, BACKUP_SECTOR);
    } else {
        store_le16(sector + 22, (uint16_t)layout->fat_sectors);
    }
    fill_extension(layout, label, sector + (layout->bits == 32 ? 64 : 36));
    memcpy(sector + code, nothing_to_boot, sizeof(nothing_to_boot));
    sign(sector);
}

static bool write_info(BlockNode *node, const Layout *layout, Error *error) {
    uint8_t sector[SECTOR_BYTES] = {0};
    store_le32(sector, 0x41615252);
    store_le32(sector + 484, 0x61417272);
    store_le32(sector + 488, layout->clusters - 1); /* free; the root folder has one */
    store_le32(sector + 492, 3);
    sign(sector);
    return write_sector(node, layout->start + INFO_SECTOR, sector, error) &&
           write_sector(node, layout->start + BACKUP_SECTOR + INFO_SECTOR, sector, error);
}

static bool write_boot_sector(BlockNode *node, const Layout *layout, const char *label,
                              Error *error) {
    uint8_t sector[SECTOR_BYTES];
    fill_boot_sector(layout, label, sector);
    if (!write_sector(node, layout->start, sector, error))
        return false;
    return layout->bits != 32 ||
           (write_sector(node, layout->start + BACKUP_SECTOR, sector, error) &&
            write_info(node, layout, error));
}

/* Entries 0 and 1 hold the media byte and an end mark; FAT32's root folder is cluster 2. */
static bool write_tables(BlockNode *node, const Layout *layout, Error *error) {
    uint8_t sector[SECTOR_BYTES] = {layout->media, 0xFF, 0xFF};
    if (layout->bits == 16)
        sector[3] = 0xFF;
    if (layout->bits == 32) {
        store_le32(sector, 0x0FFFFF00 | layout->media);
        store_le32(sector + 4, 0x0FFFFFFF);
        store_le32(sector + 8, 0x0FFFFFFF);
    }
    uint64_t first = (uint64_t)layout->start + layout->reserved;
    return write_sector(node, first, sector, error) &&
           write_sector(node, first + layout->fat_sectors, sector, error);
}

static bool write_label(BlockNode *node, const Layout *layout, const char *label, Error *error) {
    uint8_t sector[SECTOR_BYTES] = {0};
    if (label == NULL)
        return true;
    fill_label(sector, label);
    sector[11] = 0x08;
    store_le16(sector + 24, (2000 - 1980) << 9 | 1 << 5 | 1);
    return write_sector(node,
                        (uint64_t)layout->start + layout->reserved + 2ull * layout->fat_sectors,
                        sector, error);
}

static bool write_all(BlockNode *node, const Layout *layout, const char *label, Error *error) {
    return (layout->start == 0 || write_partitions(node, layout, error)) &&
           write_boot_sector(node, layout, label, error) && write_tables(node, layout, error) &&
           write_label(node, layout, label, error);
}

/* An empty file of the right size. */
static bool create_file(const char *path, uint64_t bytes, Error *error) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return error_set(error, "%s", strerror(errno));
    bool good = block_file_lock(file, true, error);
    if (good && (ftruncate(file, 0) != 0 || ftruncate(file, (off_t)bytes) != 0))
        good = error_set(error, "%s", strerror(errno));
    close(file);
    return good;
}

bool fat_format_create(const char *path, const FatFormat *format, Error *error) {
    Layout layout;
    if (!lay_out(format, &layout, error))
        return false;
    if (!create_file(path, format->bytes, error))
        return error_prefix(error, "%s: ", path);
    BlockNode *node = block_open(&(BlockOptions){.path = path, .format = "raw"}, error);
    bool good = node != NULL && write_all(node, &layout, format->label, error);
    block_close(node);
    return good;
}
