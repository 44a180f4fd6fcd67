#include "ram_hash.h"
#include "page_hash.h"

#include <stdlib.h>

bool ram_hash_init(RamHash *hash, PhysicalMap *map, Error *error) {
    *hash = (RamHash){.map = map, .pages = (uint32_t)(physical_map_ram_bytes(map) / PAGE_SIZE)};
    hash->page_hash = calloc(hash->pages, sizeof(uint64_t));
    return hash->page_hash != NULL || error_set(error, "no memory for the hash of guest RAM");
}

void ram_hash_destroy(RamHash *hash) {
    free(hash->page_hash);
    hash->page_hash = NULL;
}

static uint64_t hash_page(const uint8_t *ram, uint32_t page) {
    return page_hash(ram + (uint64_t)page * PAGE_SIZE, page);
}

uint64_t ram_hash_update(RamHash *hash) {
    const uint8_t *ram = physical_map_ram(hash->map);
    const uint8_t *flags = physical_map_ram_flags(hash->map);
    for (uint32_t page = 0; page < hash->pages; page++) {
        if (hash->complete && (flags[page] & PAGE_DIRTY_HASH) == 0)
            continue;
        uint64_t renewed = hash_page(ram, page);
        hash->sum += renewed - hash->page_hash[page];
        hash->page_hash[page] = renewed;
    }
    hash->complete = true;
    physical_map_clear_dirty(hash->map, PAGE_DIRTY_HASH);
    return hash->sum;
}

uint64_t ram_hash_compute(PhysicalMap *map) {
    const uint8_t *ram = physical_map_ram(map);
    uint32_t pages = (uint32_t)(physical_map_ram_bytes(map) / PAGE_SIZE);
    uint64_t sum = 0;
    for (uint32_t page = 0; page < pages; page++)
        sum += hash_page(ram, page);
    return sum;
}

void ram_hash_forget(RamHash *hash) {
    hash->complete = false;
}
