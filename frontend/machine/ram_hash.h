/* The hash of guest memory (all regions of the physical map): a sum over all pages that hold
 * anything but zeros of H(page number, content), renewed for the pages that were written. Pages
 * that never were cost nothing. */
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
    uint64_t sum;
} RamHash;

/* What a clone's hash starts with: that of the pages which it shares. */
typedef struct RamHashBase {
    int file; /* a memfd with the page hashes; -1: no base */
    uint64_t sum;
} RamHashBase;

/* After all regions were added to the map. */
bool ram_hash_init(RamHash *hash, PhysicalMap *map, Error *error);
void ram_hash_destroy(RamHash *hash);

/* Hashes what changed since the last call and clears PAGE_DIRTY_HASH. */
uint64_t ram_hash_update(RamHash *hash);

/* The same number from all memory anew, touching nothing: what tests compare the other with. */
uint64_t ram_hash_compute(PhysicalMap *map);

/* Memory was replaced behind the dirty flags: the next update hashes everything. */
void ram_hash_forget(RamHash *hash);

/* Makes the base for clones from the hashes of now. */
bool ram_hash_share(RamHash *hash, RamHashBase *base, Error *error);
void ram_hash_base_release(RamHashBase *base);
/* 'hash' is of a machine that has just got the pages of the base. */
bool ram_hash_adopt(RamHash *hash, const RamHashBase *base, Error *error);

#endif
