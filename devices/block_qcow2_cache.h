/* Tables of a qcow2 image (a cluster each) in memory, a bounded number. Each index of the table
 * above has one slot, so that neighbours never drive each other out. Changes go through to the
 * file. */
#ifndef REPRISE_BLOCK_QCOW2_CACHE_H
#define REPRISE_BLOCK_QCOW2_CACHE_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Qcow2CacheSlot {
    uint64_t offset; /* in the file; 0: nothing is here */
    uint8_t *table;
} Qcow2CacheSlot;

typedef struct Qcow2Cache {
    Qcow2CacheSlot *slots;
    size_t slot_count; /* a power of two */
    size_t table_bytes;
} Qcow2Cache;

void qcow2_cache_init(Qcow2Cache *cache, size_t table_bytes);
void qcow2_cache_destroy(Qcow2Cache *cache);

/* The table at 'offset', to which entry 'index' of the table above points. It stays until another
 * is asked for. NULL on error. */
uint8_t *qcow2_cache_get(Qcow2Cache *cache, int file, uint64_t index, uint64_t offset,
                         Error *error);

/* Writes some bytes of a table that was just got, here and in the file. */
bool qcow2_cache_write(Qcow2Cache *cache, int file, uint64_t index, size_t position,
                       const void *data, size_t size, Error *error);

/* Forgets what is kept for the index. */
void qcow2_cache_forget(Qcow2Cache *cache, uint64_t index);

#endif
