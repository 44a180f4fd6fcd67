/* The file allocation table: which cluster follows which, and which are free. */
#ifndef REPRISE_FAT_TABLE_H
#define REPRISE_FAT_TABLE_H

#include "fat_volume.h"

#define FAT_FREE 0u
#define FAT_BAD 0xFFFFFFF7u
#define FAT_END 0xFFFFFFFFu

/* What the table says of a cluster: FAT_FREE, FAT_BAD, FAT_END, or the number of the next one, not
 * yet checked. */
bool fat_table_get(FatVolume *volume, uint32_t cluster, uint32_t *next, Error *error);
bool fat_table_set(FatVolume *volume, uint32_t cluster, uint32_t next, Error *error);
/* Writes what was set, and FAT32's count of free clusters. */
bool fat_table_flush(FatVolume *volume, Error *error);

/* A walk along a chain, from its first cluster on. */
typedef struct FatChain {
    uint32_t cluster; /* where the walk is; 0: behind the end */
    uint32_t steps;
} FatChain;

/* Begins; 0 is a chain without clusters. False: that cluster does not exist. */
bool fat_chain_begin(const FatVolume *volume, uint32_t first, FatChain *chain, Error *error);
/* To the next cluster or the end. False: the chain leads nowhere, or in a circle. */
bool fat_chain_next(FatVolume *volume, FatChain *chain, Error *error);
/* Walks it all: how many clusters it has. */
bool fat_chain_length(FatVolume *volume, uint32_t first, uint32_t *length, Error *error);

/* Finds so many free clusters and notes their numbers, without taking them yet. */
bool fat_table_find_free(FatVolume *volume, uint32_t count, uint32_t *clusters, Error *error);
/* Takes them: makes a chain of them. */
bool fat_table_link(FatVolume *volume, const uint32_t *clusters, uint32_t count, Error *error);
/* Gives a chain back. */
bool fat_table_release(FatVolume *volume, uint32_t first, Error *error);
bool fat_table_count_free(FatVolume *volume, uint32_t *count, Error *error);

#endif
