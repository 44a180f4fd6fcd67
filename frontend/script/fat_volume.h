/* A FAT12, FAT16 or FAT32 volume in an image: where its parts lie. (Microsoft, 'FAT: General
 * Overview of On-Disk Format' 1.03; ECMA-107.)
 *
 * Images may be hostile: every number from one is bounded before it is used, every chain of
 * clusters is walked for at most as many steps as there are clusters. */
#ifndef REPRISE_FAT_VOLUME_H
#define REPRISE_FAT_VOLUME_H

#include "block.h"
#include "error.h"
#include "little_endian.h"
#include <stdbool.h>
#include <stdint.h>

#define FAT_WINDOW_BYTES 4096

typedef struct FatVolume {
    BlockNode *node; /* the caller's */
    uint64_t start;  /* of the volume in the node, in bytes; so are the next two, in the volume */
    uint64_t fat_start, root_start;
    uint64_t data_start; /* of cluster 2, in the volume */
    uint32_t fat_bytes;  /* of one copy of the table */
    uint32_t fats;       /* copies that are kept up to date */
    uint32_t fat_stride; /* from one copy to the next */
    unsigned bits;       /* of an entry: 12, 16 or 32 */
    uint32_t sector_bytes, cluster_bytes;
    uint32_t root_entries; /* of FAT12 and FAT16, whose root folder has a place of its own */
    uint32_t root_cluster; /* of FAT32 */
    uint32_t clusters;     /* that lie within the image; their numbers begin with 2 */
    uint64_t info_start;   /* of FAT32's FSInfo sector in the volume; 0: there is none */
    /* fat_table.c: the part of the table that was looked at last. */
    uint8_t window[FAT_WINDOW_BYTES];
    uint32_t window_offset;
    bool window_valid, window_dirty;
    uint32_t next_free; /* where to look for a free cluster first */
    int64_t taken;      /* clusters that became used since FSInfo was updated */
} FatVolume;

/* Finds the volume in a node: the whole of it, or a partition of an MBR. 'partition' is 1 to 4,
 * from 5 for those in an extended one, or 0 for the first with a FAT volume. */
bool fat_volume_open(FatVolume *volume, BlockNode *node, unsigned partition, Error *error);

/* Transfers within the volume. */
bool fat_volume_read(FatVolume *volume, uint64_t offset, void *data, size_t size, Error *error);
bool fat_volume_write(FatVolume *volume, uint64_t offset, const void *data, size_t size,
                      Error *error);

/* Where a cluster lies in the volume; its number must be a valid one. */
uint64_t fat_cluster_offset(const FatVolume *volume, uint32_t cluster);

#endif
