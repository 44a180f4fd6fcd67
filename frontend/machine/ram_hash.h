/* The hash of guest memory (all regions of the physical map): a sum over pages of H(page number,
 * content), renewed for the pages that were written. */
#ifndef REPRISE_RAM_HASH_H
#define REPRISE_RAM_HASH_H

#include "error.h"
#include "physical_map.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct RamHash {
    PhysicalMap *map;
    uint64_t *page_hash; /* one a page of all regions, as of the last update */
    uint32_t pages;
    bool complete; /* false until every page has been hashed once */
    uint64_t sum;
} RamHash;

/* After all regions were added to the map. */
bool ram_hash_init(RamHash *hash, PhysicalMap *map, Error *error);
void ram_hash_destroy(RamHash *hash);

/* Hashes what changed since the last call and clears PAGE_DIRTY_HASH. */
uint64_t ram_hash_update(RamHash *hash);

/* The same number from all memory anew, touching nothing: what tests compare the other with. */
uint64_t ram_hash_compute(PhysicalMap *map);

/* Memory was replaced behind the dirty flags (a restore): the next update hashes everything. */
void ram_hash_forget(RamHash *hash);

#endif
