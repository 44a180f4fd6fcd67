#define _GNU_SOURCE
#include "ram_hash.h"
#include "host_file.h"
#include "host_pages.h"
#include "page_hash.h"

#include <string.h>

static size_t table_bytes(const RamHash *hash) {
    return hash->pages * sizeof(uint64_t);
}

bool ram_hash_init(RamHash *hash, PhysicalMap *map, Error *error) {
    *hash = (RamHash){.map = map, .pages = physical_map_region_pages(map)};
    hash->page_hash = host_pages_map(table_bytes(hash));
    return hash->page_hash != NULL || error_set(error, "no memory for the hash of guest memory");
}

void ram_hash_destroy(RamHash *hash) {
    host_pages_unmap(hash->page_hash, table_bytes(hash));
    hash->page_hash = NULL;
}

static uint64_t hash_page(const GuestRegion *region, uint32_t page) {
    const uint8_t *content = region->host + (size_t)page * PAGE_SIZE;
    return page_is_zero(content) ? 0 : page_hash(content, region->first_page + page);
}

static void update_region(RamHash *hash, const GuestRegion *region) {
    for (uint32_t page = 0; page < region->pages; page++) {
        if ((region->flags[page] & PAGE_DIRTY_HASH) == 0)
            continue;
        uint64_t *known = &hash->page_hash[region->first_page + page];
        uint64_t renewed = hash_page(region, page);
        hash->sum += renewed - *known;
        if (renewed != *known)
            *known = renewed;
    }
}

uint64_t ram_hash_update(RamHash *hash) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(hash->map, &count);
    for (unsigned i = 0; i < count; i++)
        update_region(hash, &regions[i]);
    physical_map_clear_dirty(hash->map, PAGE_DIRTY_HASH);
    return hash->sum;
}

uint64_t ram_hash_compute(PhysicalMap *map) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(map, &count);
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        for (uint32_t page = 0; page < regions[i].pages; page++)
            sum += hash_page(&regions[i], page);
    return sum;
}

void ram_hash_forget(RamHash *hash) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(hash->map, &count);
    for (unsigned i = 0; i < count; i++)
        for (uint32_t page = 0; page < regions[i].pages; page++)
            regions[i].flags[page] |= PAGE_DIRTY_HASH;
}

bool ram_hash_share(RamHash *hash, RamHashBase *base, Error *error) {
    uint64_t *copy = host_pages_map_shared("reprise-hashes", table_bytes(hash), &base->file);
    if (copy == NULL)
        return error_set(error, "no memory for the hashes of a clone's pages");
    base->sum = ram_hash_update(hash);
    for (uint32_t page = 0; page < hash->pages; page++)
        if (hash->page_hash[page] != 0)
            copy[page] = hash->page_hash[page];
    host_pages_unmap(copy, table_bytes(hash));
    return true;
}

void ram_hash_base_release(RamHashBase *base) {
    if (base->file >= 0)
        close(base->file);
    base->file = -1;
}

bool ram_hash_adopt(RamHash *hash, const RamHashBase *base, Error *error) {
    hash->sum = base->sum;
    return host_pages_map_copy(hash->page_hash, table_bytes(hash), base->file) ||
           error_set(error, "no memory for the hashes of a clone's pages");
}
