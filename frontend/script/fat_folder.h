/* The entries of one folder. */
#ifndef REPRISE_FAT_FOLDER_H
#define REPRISE_FAT_FOLDER_H

#include "fat_name.h"
#include "fat_volume.h"

enum {
    FAT_READ_ONLY = 0x01,
    FAT_HIDDEN = 0x02,
    FAT_SYSTEM = 0x04,
    FAT_LABEL = 0x08,
    FAT_FOLDER = 0x10,
    FAT_ARCHIVE = 0x20,
};

/* A folder as it was read. */
typedef struct FatFolder {
    FatVolume *volume;
    uint32_t first_cluster; /* 0: the root folder of FAT12 and FAT16 */
    uint8_t *data;
    uint32_t entries; /* of 32 bytes */
    uint32_t *clusters;
    uint32_t cluster_count;
} FatFolder;

typedef struct FatEntry {
    char name[FAT_NAME_TEXT_BYTES]; /* the long one if there is one, in UTF-8 */
    char short_name[FAT_SHORT_NAME_BYTES * 3 + 2];
    uint8_t attributes;
    uint32_t first_cluster, size;
    uint32_t first, index; /* of its entries: where the long name begins, and the short one's */
} FatEntry;

/* The number that stands for the root folder. */
uint32_t fat_root_folder(const FatVolume *volume);

/* Reads a folder by its first cluster; fat_folder_free() either way. */
bool fat_folder_read(FatFolder *folder, FatVolume *volume, uint32_t first_cluster, Error *error);
void fat_folder_free(FatFolder *folder);

/* The next file or folder at or after '*position', which goes on behind it; "." and "..", labels
 * and deleted ones are left out. */
bool fat_folder_next(const FatFolder *folder, uint32_t *position, FatEntry *entry);
/* By its long or short name. */
bool fat_folder_find(const FatFolder *folder, const char *name, size_t size, FatEntry *entry);

/* Adds an entry, for which the folder grows if it must. */
bool fat_folder_add(FatFolder *folder, const char *name, size_t name_size, uint8_t attributes,
                    uint32_t first_cluster, uint32_t size, Error *error);
/* Has an entry tell of other contents. */
bool fat_folder_update(FatFolder *folder, const FatEntry *entry, uint32_t first_cluster,
                       uint32_t size, Error *error);
bool fat_folder_remove(FatFolder *folder, const FatEntry *entry, Error *error);

/* Fills a cluster's worth of bytes as the contents of an empty folder. */
void fat_folder_make_empty(const FatVolume *volume, uint8_t *cluster, uint32_t own_cluster,
                           uint32_t parent_cluster);

#endif
