#include "ram_hash.h"
#include "host_pages.h"
#include "page_hash.h"

bool ram_hash_init(RamHash *hash, PhysicalMap *map, Error *error) {
    *hash = (RamHash){.map = map, .pages = physical_map_region_pages(map)};
    hash->page_hash = host_pages_map(hash->pages * sizeof(uint64_t));
    return hash->page_hash != NULL || error_set(error, "no memory for the hash of guest memory");
}

void ram_hash_destroy(RamHash *hash) {
    host_pages_unmap(hash->page_hash, hash->pages * sizeof(uint64_t));
    hash->page_hash = NULL;
}

static uint64_t hash_page(const GuestRegion *region, uint32_t page) {
    return page_hash(region->host + (size_t)page * PAGE_SIZE, region->first_page + page);
}

/* Hashes a region's pages that were written; all of them if 'all'. */
static void update_region(RamHash *hash, const GuestRegion *region, bool all) {
    for (uint32_t page = 0; page < region->pages; page++) {
        if (!all && (region->flags[page] & PAGE_DIRTY_HASH) == 0)
            continue;
        uint64_t *known = &hash->page_hash[region->first_page + page];
        uint64_t renewed = hash_page(region, page);
        hash->sum += renewed - *known;
        *known = renewed;
    }
}

uint64_t ram_hash_update(RamHash *hash) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(hash->map, &count);
    for (unsigned i = 0; i < count; i++)
        update_region(hash, &regions[i], !hash->complete);
    hash->complete = true;
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
    hash->complete = false;
}
