#define _GNU_SOURCE
#include "guest_regions.h"
#include "host_pages.h"
#include "physical_map.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

/* Writes to 'copy' what the region holds. Pages that the old file has not are zeros unless they
 * were changed, and are not looked at, which would make them. */
static void copy_pages(const GuestRegion *region, uint8_t changed, uint8_t *copy) {
    static const uint8_t zeros[PAGE_SIZE];
    off_t data = 0, hole = 0; /* the next run of data in the old file */
    for (uint32_t page = 0; page < region->pages; page++) {
        off_t at = (off_t)page << PAGE_BITS;
        if (at >= hole && data != (off_t)-1) {
            data = lseek(region->file, at, SEEK_DATA);
            hole = data != (off_t)-1 ? lseek(region->file, data, SEEK_HOLE) : 0;
        }
        bool is_data = data != (off_t)-1 && at >= data && at < hole;
        const uint8_t *content = region->host + at;
        if ((is_data || (region->flags[page] & changed) != 0) &&
            memcmp(content, zeros, PAGE_SIZE) != 0)
            memcpy(copy + at, content, PAGE_SIZE);
    }
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
    int own = fcntl(file, F_DUPFD_CLOEXEC, 0);
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
