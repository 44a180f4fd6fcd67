/* Guest memory that is tracked by pages: RAM, the display adapter's memory.
 *
 * All of it is listed in the PhysicalMap (physical_map_regions), so that whoever hashes, saves,
 * restores or shares guest memory walks over one list and knows of no device. Pages are counted
 * through all regions: RAM's first, then those of each region in the order of their making. */
#ifndef REPRISE_GUEST_REGIONS_H
#define REPRISE_GUEST_REGIONS_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

#define GUEST_REGIONS_MAXIMUM 4

typedef struct GuestRegion {
    const char *name;
    uint8_t *host;       /* its memory, aligned to the host's pages */
    uint8_t *flags;      /* one byte a page: PAGE_* of physical_map.h */
    uint32_t pages;      /* how many */
    uint32_t first_page; /* number of its first page, counted through all regions */
    int file;            /* the memfd that 'host' is mapped from */
    bool is_private;     /* that is sealed, and changed pages are copies of this mapping's own */
} GuestRegion;

/* Zeroed memory that costs nothing until it is touched. */
bool guest_region_create(GuestRegion *region, const char *name, uint32_t pages, uint32_t first_page,
                         Error *error);
void guest_region_destroy(GuestRegion *region);

/* Tells for each page by 1 in 'present' that it may hold something, by 0 that the host never gave
 * it memory: it holds zeros, and looking at it would cost a page. 'changed': the flags of pages
 * that were changed since the region became private. */
void guest_region_find_present(const GuestRegion *region, uint8_t changed, uint8_t *present);

/* Makes 'file' hold what the region holds now, for good, at no cost but a later copy of each page
 * that is changed. A region that is private already gets a new file if a page has any bit of
 * 'changed' in its flags. */
bool guest_region_seal(GuestRegion *region, uint8_t changed, Error *error);
/* In place of what it held the region shares the pages of a sealed file, until it changes them. */
bool guest_region_adopt(GuestRegion *region, int file, Error *error);

#endif
