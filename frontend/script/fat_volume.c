#include "fat_volume.h"
#include <string.h>

#define SECTOR_BYTES 512 /* of a partition table */
#define PARTITION_TABLE 446
#define PARTITION_ENTRY_BYTES 16
#define PRIMARY_PARTITIONS 4
#define LOGICAL_PARTITIONS 64 /* as many are looked at; the chain of them may be a circle */

/* From here on a volume is FAT16, and FAT32 (Microsoft, 'FAT Type Determination'). */
#define FAT16_CLUSTERS 4085
#define FAT32_CLUSTERS 65525

/* The BIOS parameter block, as numbers. */
typedef struct Parameters {
    uint32_t sector_bytes, cluster_sectors, reserved_sectors, fats, root_entries, total_sectors;
    uint32_t fat_sectors, flags, root_cluster, info_sector;
} Parameters;

/* Floppies of DOS 1 and 2 have no parameter block: the first byte of their table tells all. */
static const struct {
    uint8_t media;
    uint32_t image_bytes;
    Parameters parameters;
} old_floppies[] = {
    {0xFE, 160 * 1024, {512, 1, 1, 2, 64, 320, 1, 0, 0, 0}},
    {0xFC, 180 * 1024, {512, 1, 1, 2, 64, 360, 2, 0, 0, 0}},
    {0xFF, 320 * 1024, {512, 2, 1, 2, 112, 640, 1, 0, 0, 0}},
    {0xFD, 360 * 1024, {512, 2, 1, 2, 112, 720, 2, 0, 0, 0}},
};

static bool is_power_of_2(uint32_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

static Parameters read_parameters(const uint8_t *sector) {
    Parameters parameters = {
        .sector_bytes = load_le16(sector + 11),
        .cluster_sectors = sector[13],
        .reserved_sectors = load_le16(sector + 14),
        .fats = sector[16],
        .root_entries = load_le16(sector + 17),
        .total_sectors = load_le16(sector + 19),
        .fat_sectors = load_le16(sector + 22),
    };
    if (parameters.total_sectors == 0)
        parameters.total_sectors = load_le32(sector + 32);
    if (parameters.fat_sectors != 0)
        return parameters;
    parameters.fat_sectors = load_le32(sector + 36);
    parameters.flags = load_le16(sector + 40);
    parameters.root_cluster = load_le32(sector + 44);
    parameters.info_sector = load_le16(sector + 48);
    return parameters;
}

/* Whether a sector can be the first of a FAT volume. */
static bool is_boot_sector(const uint8_t *sector) {
    Parameters parameters = read_parameters(sector);
    bool sizes = is_power_of_2(parameters.sector_bytes) && parameters.sector_bytes >= 512 &&
                 parameters.sector_bytes <= 4096 && is_power_of_2(parameters.cluster_sectors);
    return sizes && parameters.reserved_sectors != 0 && parameters.fats >= 1 &&
           parameters.fats <= 4 && parameters.total_sectors != 0 && parameters.fat_sectors != 0 &&
           (sector[21] == 0xF0 || sector[21] >= 0xF8);
}

/* FAT32 may keep one copy alone up to date (BPB_ExtFlags). */
static void find_tables(FatVolume *volume, const Parameters *parameters) {
    volume->fats = parameters->fats;
    volume->fat_start = (uint64_t)parameters->reserved_sectors * parameters->sector_bytes;
    if (volume->bits != 32 || !(parameters->flags & 0x80))
        return;
    volume->fats = 1;
    if ((parameters->flags & 15) < parameters->fats)
        volume->fat_start += (uint64_t)(parameters->flags & 15) * volume->fat_stride;
}

static uint32_t count_entries(const FatVolume *volume) {
    uint64_t entries = (uint64_t)volume->fat_bytes * 8 / volume->bits;
    return entries > 0x0FFFFFF0 ? 0x0FFFFFF0 : (uint32_t)entries;
}

/* How many clusters there are: of those that the volume has room for, those that the table knows,
 * and those that the image goes on to. */
static bool count_clusters(FatVolume *volume, const Parameters *parameters, Error *error) {
    uint64_t total = (uint64_t)parameters->total_sectors * parameters->sector_bytes;
    if (total <= volume->data_start)
        return error_set(error, "the FAT volume has no room for files");
    uint64_t clusters = (total - volume->data_start) / volume->cluster_bytes;
    volume->bits = clusters < FAT16_CLUSTERS ? 12 : clusters < FAT32_CLUSTERS ? 16 : 32;
    uint32_t entries = count_entries(volume);
    if (entries < 3 || clusters == 0)
        return error_set(error, "the FAT volume's table is too small");
    if (clusters > entries - 2)
        clusters = entries - 2;
    uint64_t length = block_length(volume->node) - volume->start;
    uint64_t whole =
        length <= volume->data_start ? 0 : (length - volume->data_start) / volume->cluster_bytes;
    volume->clusters = (uint32_t)(whole < clusters ? whole : clusters);
    return true;
}

static bool lay_out(FatVolume *volume, const Parameters *parameters, Error *error) {
    uint64_t fat_bytes = (uint64_t)parameters->fat_sectors * parameters->sector_bytes;
    if (fat_bytes > 1u << 30)
        return error_set(error, "the FAT volume's table is too large");
    volume->sector_bytes = parameters->sector_bytes;
    volume->cluster_bytes = parameters->cluster_sectors * parameters->sector_bytes;
    volume->fat_bytes = volume->fat_stride = (uint32_t)fat_bytes;
    volume->root_entries = parameters->root_entries;
    volume->root_start = (uint64_t)parameters->reserved_sectors * parameters->sector_bytes +
                         parameters->fats * fat_bytes;
    uint64_t root_bytes = (uint64_t)parameters->root_entries * 32;
    volume->data_start = volume->root_start + (root_bytes + parameters->sector_bytes - 1) /
                                                  parameters->sector_bytes *
                                                  parameters->sector_bytes;
    if (!count_clusters(volume, parameters, error))
        return false;
    find_tables(volume, parameters);
    volume->root_cluster = parameters->root_cluster;
    if (volume->bits == 32 && parameters->info_sector != 0 &&
        parameters->info_sector < parameters->reserved_sectors)
        volume->info_start = (uint64_t)parameters->info_sector * parameters->sector_bytes;
    if ((volume->bits == 32) != (parameters->root_entries == 0))
        return error_set(error,
                         "the FAT volume has %u clusters, which do not go with its root folder",
                         volume->clusters);
    return true;
}

static bool open_at(FatVolume *volume, BlockNode *node, uint64_t start, Error *error) {
    uint8_t sector[SECTOR_BYTES];
    *volume = (FatVolume){.node = node, .start = start, .next_free = 2};
    if (!block_read(node, start, sector, sizeof(sector), error))
        return false;
    if (!is_boot_sector(sector))
        return error_set(error, "there is no FAT volume");
    Parameters parameters = read_parameters(sector);
    return lay_out(volume, &parameters, error);
}

static bool open_old_floppy(FatVolume *volume, BlockNode *node, Error *error) {
    uint8_t table[3];
    if (!block_read(node, SECTOR_BYTES, table, sizeof(table), error))
        return false;
    for (size_t i = 0; i < sizeof(old_floppies) / sizeof(old_floppies[0]); i++) {
        if (old_floppies[i].media != table[0] || table[1] != 0xFF || table[2] != 0xFF ||
            old_floppies[i].image_bytes != block_length(node))
            continue;
        *volume = (FatVolume){.node = node, .next_free = 2};
        return lay_out(volume, &old_floppies[i].parameters, error);
    }
    return error_set(error, "there is no FAT volume");
}

/* --- partitions --------------------------------------------------------------------------------
 */

typedef struct Partition {
    uint8_t type;
    uint64_t start; /* in bytes */
} Partition;

static Partition read_entry(const uint8_t *sector, unsigned index) {
    const uint8_t *entry = sector + PARTITION_TABLE + index * PARTITION_ENTRY_BYTES;
    return (Partition){entry[4], (uint64_t)load_le32(entry + 8) * SECTOR_BYTES};
}

static bool is_extended(uint8_t type) {
    return type == 0x05 || type == 0x0F || type == 0x85;
}

/* With the bit that hides a partition, too. */
static bool is_fat(uint8_t type) {
    static const uint8_t types[] = {0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E};
    for (size_t i = 0; i < sizeof(types); i++)
        if ((type & ~0x10) == types[i])
            return true;
    return false;
}

static bool has_table(const uint8_t *sector) {
    return sector[510] == 0x55 && sector[511] == 0xAA;
}

/* Logical partitions: each table holds one, and where the next table lies within the extended one.
 */
static bool find_logical(BlockNode *node, uint64_t extended, unsigned wanted, Partition *found,
                         Error *error) {
    uint8_t sector[SECTOR_BYTES];
    uint64_t table = extended;
    for (unsigned number = 5; number < 5 + LOGICAL_PARTITIONS; number++) {
        if (!block_read(node, table, sector, sizeof(sector), error))
            return false;
        if (!has_table(sector))
            break;
        Partition partition = read_entry(sector, 0), next = read_entry(sector, 1);
        partition.start += table;
        if (partition.type != 0 && (wanted == number || (wanted == 0 && is_fat(partition.type)))) {
            *found = partition;
            return true;
        }
        if (!is_extended(next.type) || next.start == 0)
            break;
        table = extended + next.start;
    }
    return false;
}

static bool find_partition(BlockNode *node, const uint8_t *sector, unsigned wanted,
                           Partition *found, Error *error) {
    for (unsigned i = 0; i < PRIMARY_PARTITIONS; i++) {
        Partition partition = read_entry(sector, i);
        if (partition.type == 0)
            continue;
        if (wanted == i + 1 || (wanted == 0 && is_fat(partition.type))) {
            *found = partition;
            return true;
        }
        if (is_extended(partition.type) && (wanted == 0 || wanted > PRIMARY_PARTITIONS) &&
            find_logical(node, partition.start, wanted, found, error))
            return true;
    }
    return false;
}

bool fat_volume_open(FatVolume *volume, BlockNode *node, unsigned partition, Error *error) {
    uint8_t sector[SECTOR_BYTES];
    Partition found;
    if (!block_read(node, 0, sector, sizeof(sector), error))
        return false;
    if (partition == 0 && is_boot_sector(sector))
        return open_at(volume, node, 0, error);
    if (!has_table(sector) || (partition > 0 && is_boot_sector(sector)))
        return partition == 0 ? open_old_floppy(volume, node, error)
                              : error_set(error, "there is no table of partitions");
    Error reason = {0};
    if (!find_partition(node, sector, partition, &found, &reason)) {
        if (reason.set)
            return error_set(error, "%s", reason.message);
        return partition == 0 ? error_set(error, "there is no FAT volume")
                              : error_set(error, "there is no partition %u", partition);
    }
    return open_at(volume, node, found.start, error);
}

/* --- transfers ---------------------------------------------------------------------------------
 */

bool fat_volume_read(FatVolume *volume, uint64_t offset, void *data, size_t size, Error *error) {
    return block_read(volume->node, volume->start + offset, data, size, error);
}

bool fat_volume_write(FatVolume *volume, uint64_t offset, const void *data, size_t size,
                      Error *error) {
    uint64_t length = block_length(volume->node), start = volume->start + offset;
    if (start > length || size > length - start)
        return error_set(error, "the FAT volume ends behind the end of its image");
    return block_write(volume->node, start, data, size, error);
}

uint64_t fat_cluster_offset(const FatVolume *volume, uint32_t cluster) {
    return volume->data_start + (uint64_t)(cluster - 2) * volume->cluster_bytes;
}
