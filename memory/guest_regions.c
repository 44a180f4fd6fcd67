#define _GNU_SOURCE
#include "guest_regions.h"
#include "allocate.h"
#include "host_file.h"
#include "host_pages.h"
#include "physical_map.h"
#include <stdlib.h>
#include <string.h>

static size_t region_bytes(const GuestRegion *region) {
    return (size_t)region->pages << PAGE_BITS;
}

bool guest_region_create(GuestRegion *region, const char *name, uint32_t pages, uint32_t first_page,
                         Error *error) {
    *region = (GuestRegion){.name = name, .pages = pages, .first_page = first_page, .file = -1};
    size_t bytes = region_bytes(region);
    region->host = host_pages_map_shared("reprise-memory", bytes, &region->file);
    region->flags = host_pages_map(pages);
    if (region->host != NULL && region->flags != NULL)
        return true;
    guest_region_destroy(region);
    return error_set(error, "the host has no room for %zu MB of guest memory (%s)", bytes >> 20,
                     name);
}

void guest_region_destroy(GuestRegion *region) {
    host_pages_unmap(region->host, region_bytes(region));
    host_pages_unmap(region->flags, region->pages);
    if (region->file >= 0)
        close(region->file);
    *region = (GuestRegion){.file = -1};
}

static bool is_changed(const GuestRegion *region, uint8_t changed) {
    for (uint32_t page = 0; page < region->pages; page++)
        if ((region->flags[page] & changed) != 0)
            return true;
    return false;
}

void guest_region_find_present(const GuestRegion *region, uint8_t changed, uint8_t *present) {
    for (uint32_t page = 0; page < region->pages; page++)
        present[page] = region->is_private && (region->flags[page] & changed) != 0;
    uint64_t end = region_bytes(region), hole = 0;
    for (uint64_t data; hole < end && host_pages_find_data(region->file, hole, &data, &hole);) {
        if (hole > end)
            hole = end;
        memset(present + data / PAGE_SIZE, 1,
               (size_t)((hole + PAGE_SIZE - 1) / PAGE_SIZE - data / PAGE_SIZE));
    }
}

/* Writes to 'copy', which is zeroed, what the region holds. */
static void copy_pages(const GuestRegion *region, uint8_t changed, uint8_t *copy) {
    static const uint8_t zeros[PAGE_SIZE];
    uint8_t *present = allocate_zeroed(region->pages);
    guest_region_find_present(region, changed, present);
    for (uint32_t page = 0; page < region->pages; page++) {
        size_t at = (size_t)page << PAGE_BITS;
        if (present[page] && memcmp(region->host + at, zeros, PAGE_SIZE) != 0)
            memcpy(copy + at, region->host + at, PAGE_SIZE);
    }
    free(present);
}

/* A new file in place of the old one, which others may go on using. */
static bool renew_file(GuestRegion *region, uint8_t changed) {
    int file;
    uint8_t *copy = host_pages_map_shared("reprise-memory", region_bytes(region), &file);
    if (copy == NULL)
        return false;
    copy_pages(region, changed, copy);
    host_pages_unmap(copy, region_bytes(region));
    close(region->file);
    region->file = file;
    return true;
}

bool guest_region_seal(GuestRegion *region, uint8_t changed, Error *error) {
    if (region->is_private && !is_changed(region, changed))
        return true;
    if ((!region->is_private || renew_file(region, changed)) &&
        host_pages_map_copy(region->host, region_bytes(region), region->file) &&
        host_pages_seal(region->file)) {
        region->is_private = true;
        return true;
    }
    return error_set(error, "the host has no room for a second copy of guest memory (%s)",
                     region->name);
}

bool guest_region_adopt(GuestRegion *region, int file, Error *error) {
    int own = host_file_duplicate(file);
    if (own < 0 || !host_pages_map_copy(region->host, region_bytes(region), own)) {
        if (own >= 0)
            close(own);
        return error_set(error, "the host cannot share guest memory (%s)", region->name);
    }
    close(region->file);
    region->file = own;
    region->is_private = true;
    memset(region->flags, 0, region->pages);
    return true;
}
