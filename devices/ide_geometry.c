/* How the cylinders, heads and sectors of a disk image are counted. An image is just bytes; the
 * software on it was installed under some geometry, and old systems do not start under another. */
#include "ide.h"
#include "little_endian.h"

#define PARTITION_TABLE 0x1BE
#define PARTITION_ENTRIES 4
#define CYLINDERS_MAXIMUM 16383 /* what IDENTIFY DEVICE may say */
#define HEADS_MAXIMUM 16        /* what the device register can select */
#define BIOS_CYLINDERS_MAXIMUM 1024

static uint64_t sectors_of(const BlockNode *disk) {
    return (block_length(disk) + IDE_SECTOR_BYTES - 1) / IDE_SECTOR_BYTES;
}

static IdeGeometry geometry_by_size(uint64_t total) {
    uint64_t cylinders = total / (16 * 63);
    if (cylinders > CYLINDERS_MAXIMUM)
        cylinders = CYLINDERS_MAXIMUM;
    if (cylinders < 2)
        cylinders = 2;
    return (IdeGeometry){.cylinders = (uint32_t)cylinders, .heads = 16, .sectors = 63};
}

/* The geometry under which the partitions were made: one that ends on a cylinder, as they all did,
 * tells heads and sectors by its last sector. */
static bool geometry_by_partitions(BlockNode *disk, IdeGeometry *geometry) {
    uint8_t record[IDE_SECTOR_BYTES];
    if (!block_read(disk, 0, record, sizeof(record), NULL) || load_le16(record + 510) != 0xAA55)
        return false;
    for (unsigned i = 0; i < PARTITION_ENTRIES; i++)
        if ((record[PARTITION_TABLE + i * 16] & 0x7F) != 0)
            return false; /* neither active nor inactive: this is code of a boot sector */
    for (unsigned i = 0; i < PARTITION_ENTRIES; i++) {
        const uint8_t *entry = record + PARTITION_TABLE + i * 16;
        uint32_t heads = entry[5] + 1u, sectors = entry[6] & 63;
        if (load_le32(entry + 12) == 0 || heads == 1 || sectors == 0)
            continue;
        uint64_t cylinders = sectors_of(disk) / (heads * sectors);
        if (cylinders >= 1 && cylinders <= CYLINDERS_MAXIMUM) {
            *geometry =
                (IdeGeometry){.cylinders = (uint32_t)cylinders, .heads = heads, .sectors = sectors};
            return true;
        }
    }
    return false;
}

/* The heads that firmware shows with LARGE translation: doubled until the cylinders fit. */
static uint32_t heads_by_large_translation(IdeGeometry physical) {
    while (physical.cylinders > BIOS_CYLINDERS_MAXIMUM && physical.heads <= 64) {
        physical.cylinders /= 2;
        physical.heads *= 2;
    }
    return physical.heads;
}

/* The heads that it shows with LBA translation: the fewest of these that fit. */
static uint32_t heads_by_lba_translation(uint64_t total) {
    static const uint32_t choices[] = {16, 32, 64, 128};
    for (unsigned i = 0; i < 4; i++)
        if (total / 63 / choices[i] <= BIOS_CYLINDERS_MAXIMUM)
            return choices[i];
    return 255;
}

IdeGeometry ide_geometry_guess(BlockNode *disk) {
    uint64_t total = sectors_of(disk);
    IdeGeometry physical = geometry_by_size(total), logical;
    if (!geometry_by_partitions(disk, &logical)) {
        physical.translation = physical.cylinders <= BIOS_CYLINDERS_MAXIMUM ? IDE_TRANSLATION_NONE
                                                                            : IDE_TRANSLATION_LBA;
        return physical;
    }
    if (logical.heads <= HEADS_MAXIMUM) {
        logical.translation = IDE_TRANSLATION_NONE;
        return logical;
    }
    /* More heads than a drive can have: a translation was active. Find which. */
    bool was_large = heads_by_large_translation(physical) == logical.heads &&
                     heads_by_lba_translation(total) != logical.heads;
    physical.translation = was_large ? IDE_TRANSLATION_LARGE : IDE_TRANSLATION_LBA;
    return physical;
}
