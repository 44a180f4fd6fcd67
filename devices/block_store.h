/* Pieces of disk contents of one size, put aside under a number: few in memory, many in a temporary
 * file, so that a guest that writes gigabytes costs no gigabytes of memory. */
#ifndef REPRISE_BLOCK_STORE_H
#define REPRISE_BLOCK_STORE_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Measured: to return from 200 scattered sectors takes a tenth of the time that units of 64 KB
 * need, from a run of 2 MB as long. */
#define BLOCK_UNIT_BYTES 4096u

typedef struct BlockStore {
    uint8_t **chunks; /* of CHUNK_UNITS units each, for the first numbers */
    size_t chunk_count, chunk_capacity;
    uint32_t *free_numbers; /* given back, below 'next' */
    size_t free_count, free_capacity;
    uint32_t next; /* never given out yet */
    int file;      /* of the numbers that are not in memory; -1 before the first */
} BlockStore;

void block_store_init(BlockStore *store);
void block_store_destroy(BlockStore *store);

/* Keeps BLOCK_UNIT_BYTES and tells their number. An error where the temporary file is full. */
bool block_store_add(BlockStore *store, const void *unit, uint32_t *number, Error *error);
bool block_store_get(const BlockStore *store, uint32_t number, void *unit, Error *error);
bool block_store_replace(BlockStore *store, uint32_t number, const void *unit, Error *error);
void block_store_remove(BlockStore *store, uint32_t number);

#endif
