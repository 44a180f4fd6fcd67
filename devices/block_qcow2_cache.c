#include "block_qcow2_cache.h"
#include "allocate.h"
#include "block_driver.h"
#include <stdlib.h>
#include <string.h>

/* With clusters of 64 KB the L2 tables of 64 GB. */
#define CACHE_BYTES (8u << 20)
#define SLOTS_MINIMUM 4u

void qcow2_cache_init(Qcow2Cache *cache, size_t table_bytes) {
    cache->table_bytes = table_bytes;
    cache->slot_count = CACHE_BYTES / table_bytes;
    if (cache->slot_count < SLOTS_MINIMUM)
        cache->slot_count = SLOTS_MINIMUM;
    cache->slots = allocate_zeroed(cache->slot_count * sizeof(*cache->slots));
}

void qcow2_cache_destroy(Qcow2Cache *cache) {
    for (size_t i = 0; i < cache->slot_count; i++)
        free(cache->slots[i].table);
    free(cache->slots);
    *cache = (Qcow2Cache){0};
}

static Qcow2CacheSlot *slot_of(Qcow2Cache *cache, uint64_t index) {
    return &cache->slots[index & (cache->slot_count - 1)];
}

uint8_t *qcow2_cache_get(Qcow2Cache *cache, int file, uint64_t index, uint64_t offset,
                         Error *error) {
    Qcow2CacheSlot *slot = slot_of(cache, index);
    if (slot->offset == offset && offset != 0)
        return slot->table;
    if (slot->table == NULL)
        slot->table = allocate_zeroed(cache->table_bytes);
    slot->offset = 0;
    if (!block_file_read(file, offset, slot->table, cache->table_bytes, error))
        return NULL;
    slot->offset = offset;
    return slot->table;
}

bool qcow2_cache_write(Qcow2Cache *cache, int file, uint64_t index, size_t position,
                       const void *data, size_t size, Error *error) {
    Qcow2CacheSlot *slot = slot_of(cache, index);
    if (!block_file_write(file, slot->offset + position, data, size, error)) {
        slot->offset = 0; /* who knows what the file has now */
        return false;
    }
    memcpy(slot->table + position, data, size);
    return true;
}

void qcow2_cache_forget(Qcow2Cache *cache, uint64_t index) {
    slot_of(cache, index)->offset = 0;
}
