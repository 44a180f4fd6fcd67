#include "block_store.h"
#include "allocate.h"
#include "block_driver.h"
#include "host_file.h"
#include <stdlib.h>
#include <string.h>

/* 8 MB of a drive's old contents stay in memory, taken 256 KB at a time. */
#define MEMORY_UNITS 2048u
#define CHUNK_UNITS 64u

void block_store_init(BlockStore *store) {
    *store = (BlockStore){.file = -1};
}

void block_store_destroy(BlockStore *store) {
    for (size_t i = 0; i < store->chunk_count; i++)
        free(store->chunks[i]);
    free(store->chunks);
    free(store->free_numbers);
    if (store->file >= 0)
        close(store->file);
    block_store_init(store);
}

static uint8_t *place_in_memory(const BlockStore *store, uint32_t number) {
    return store->chunks[number / CHUNK_UNITS] + (size_t)(number % CHUNK_UNITS) * BLOCK_UNIT_BYTES;
}

static uint64_t place_in_file(uint32_t number) {
    return (uint64_t)(number - MEMORY_UNITS) * BLOCK_UNIT_BYTES;
}

bool block_store_replace(BlockStore *store, uint32_t number, const void *unit, Error *error) {
    if (number >= MEMORY_UNITS)
        return block_file_write(store->file, place_in_file(number), unit, BLOCK_UNIT_BYTES,
                                error) ||
               error_prefix(error, "temporary file of a checkpoint ");
    memcpy(place_in_memory(store, number), unit, BLOCK_UNIT_BYTES);
    return true;
}

static bool make_room(BlockStore *store, uint32_t number, Error *error) {
    if (number == UINT32_MAX)
        return error_set(error, "too much was written to the disk since its checkpoints");
    if (number >= MEMORY_UNITS) {
        if (store->file < 0)
            store->file = block_temporary_open("a checkpoint of the disk", error);
        return store->file >= 0;
    }
    if (number / CHUNK_UNITS >= store->chunk_count) {
        store->chunks = allocate_grow(store->chunks, &store->chunk_capacity, store->chunk_count + 1,
                                      sizeof(*store->chunks));
        store->chunks[store->chunk_count++] =
            allocate_zeroed((size_t)CHUNK_UNITS * BLOCK_UNIT_BYTES);
    }
    return true;
}

bool block_store_add(BlockStore *store, const void *unit, uint32_t *number, Error *error) {
    bool reuses = store->free_count > 0;
    *number = reuses ? store->free_numbers[store->free_count - 1] : store->next;
    if (!make_room(store, *number, error) || !block_store_replace(store, *number, unit, error))
        return false;
    if (reuses)
        store->free_count--;
    else
        store->next++;
    return true;
}

bool block_store_get(const BlockStore *store, uint32_t number, void *unit, Error *error) {
    if (number >= MEMORY_UNITS)
        return block_file_read(store->file, place_in_file(number), unit, BLOCK_UNIT_BYTES, error) ||
               error_prefix(error, "temporary file of a checkpoint ");
    memcpy(unit, place_in_memory(store, number), BLOCK_UNIT_BYTES);
    return true;
}

void block_store_remove(BlockStore *store, uint32_t number) {
    store->free_numbers = allocate_grow(store->free_numbers, &store->free_capacity,
                                        store->free_count + 1, sizeof(*store->free_numbers));
    store->free_numbers[store->free_count++] = number;
    if (store->free_count < store->next)
        return;
    if (store->file >= 0 || store->chunk_count > 1)
        block_store_destroy(store); /* nothing is kept any more */
    store->free_count = 0;
    store->next = 0;
}
