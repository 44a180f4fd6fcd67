#include "guest_regions.h"
#include "host_pages.h"
#include "physical_map.h"
#include <unistd.h>

bool guest_region_create(GuestRegion *region, const char *name, uint32_t pages, uint32_t first_page,
                         Error *error) {
    size_t bytes = (size_t)pages << PAGE_BITS;
    *region = (GuestRegion){.name = name, .pages = pages, .first_page = first_page, .file = -1};
    region->host = host_pages_map_shared("reprise-memory", bytes, &region->file);
    region->flags = host_pages_map(pages);
    if (region->host != NULL && region->flags != NULL)
        return true;
    guest_region_destroy(region);
    return error_set(error, "the host has no room for %zu MB of guest memory (%s)", bytes >> 20,
                     name);
}

void guest_region_destroy(GuestRegion *region) {
    host_pages_unmap(region->host, (size_t)region->pages << PAGE_BITS);
    host_pages_unmap(region->flags, region->pages);
    if (region->file >= 0)
        close(region->file);
    *region = (GuestRegion){.file = -1};
}
