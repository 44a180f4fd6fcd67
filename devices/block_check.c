/* Whether an image whose format nobody named looks cut short: by its partition table, or by the
 * volume descriptor of a CD. Half an image would start, and then lose data in the middle of its
 * work. */
#include "block_driver.h"
#include "little_endian.h"
#include <string.h>

#define SECTOR_BYTES 512u
#define PARTITION_TABLE 0x1BE
#define PARTITION_ENTRY_BYTES 16
#define PARTITION_ENTRIES 4
#define GPT_PROTECTIVE 0xEE /* its size is often just the largest number */
/* Old tools rounded the last partition up to a cylinder of 16 heads and 63 sectors. */
#define ROUNDING_BYTES (16 * 63 * SECTOR_BYTES)

#define CD_SECTOR_BYTES 2048u
#define CD_DESCRIPTOR_OFFSET (16 * CD_SECTOR_BYTES)
#define CD_PADDING_BYTES (150 * CD_SECTOR_BYTES) /* often counted and then left out */

/* Where the last partition ends; 0 if this is no partition table. Boot sectors of diskettes have
 * code in that place, which hardly ever looks like four entries. */
static uint64_t end_of_partitions(const uint8_t *head) {
    uint64_t end = 0;
    if (load_le16(head + 510) != 0xAA55)
        return 0;
    for (unsigned i = 0; i < PARTITION_ENTRIES; i++) {
        const uint8_t *entry = head + PARTITION_TABLE + i * PARTITION_ENTRY_BYTES;
        uint32_t first = load_le32(entry + 8), sectors = load_le32(entry + 12);
        if ((entry[0] & 0x7F) != 0)
            return 0;
        if (entry[4] == 0 || entry[4] == GPT_PROTECTIVE || sectors == 0)
            continue;
        uint64_t entry_end = ((uint64_t)first + sectors) * SECTOR_BYTES;
        if (first == 0)
            return 0;
        if (entry_end > end)
            end = entry_end;
    }
    return end;
}

/* The size that the primary volume descriptor tells (ISO 9660, 8.4); 0 if there is none. */
static uint64_t size_of_cd(BlockNode *node) {
    uint8_t descriptor[CD_SECTOR_BYTES];
    if (!block_file_read(node->file, CD_DESCRIPTOR_OFFSET, descriptor, sizeof(descriptor), NULL) ||
        memcmp(descriptor, "\1CD001", 6) != 0)
        return 0;
    return (uint64_t)load_le32(descriptor + 80) * load_le16(descriptor + 128);
}

bool block_check_complete(BlockNode *node, const uint8_t *head, Error *error) {
    uint64_t wanted = size_of_cd(node), spare = CD_PADDING_BYTES;
    if (wanted == 0) {
        wanted = end_of_partitions(head);
        spare = ROUNDING_BYTES;
    }
    if (wanted <= node->length + spare)
        return true;
    return error_set(error,
                     "is cut short: it has %llu bytes, its contents need %llu (say format=raw to "
                     "use it as it is)",
                     (unsigned long long)node->length, (unsigned long long)wanted);
}
