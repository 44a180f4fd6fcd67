#define _GNU_SOURCE
#include "snapshot_memory.h"
#include "allocate.h"
#include "parallel_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_stream(const GuestRegion *region, char name[SNAPSHOT_STREAM_NAME_MAX + 1]) {
    snprintf(name, SNAPSHOT_STREAM_NAME_MAX + 1, "memory %s", region->name);
}

/* A byte for each page: 0 where the host never gave it memory, so that it holds zeros and looking
 * at it would cost a page of the host's. */
static uint8_t *find_present(const GuestRegion *region) {
    uint8_t *present = allocate_zeroed(region->pages);
    guest_region_find_present(region, PAGE_DIRTY_BASE, present);
    return present;
}

bool snapshot_put_memory(SnapshotFile *file, uint64_t id, PhysicalMap *map, Error *error) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(map, &count);
    bool good = true;
    for (unsigned i = 0; i < count && good; i++) {
        char name[SNAPSHOT_STREAM_NAME_MAX + 1];
        uint8_t *present = find_present(&regions[i]);
        name_stream(&regions[i], name);
        good = snapshot_file_put_stream(file, id, name, regions[i].host,
                                        (uint64_t)regions[i].pages * PAGE_SIZE, present, error);
        free(present);
    }
    return good;
}

bool snapshot_check_memory(const SnapshotImage *image, const PhysicalMap *map, Error *error) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(map, &count);
    for (unsigned i = 0; i < count; i++) {
        char name[SNAPSHOT_STREAM_NAME_MAX + 1];
        name_stream(&regions[i], name);
        if (snapshot_image_size(image, name) != (uint64_t)regions[i].pages * PAGE_SIZE)
            return error_set(error, "the snapshot's %s is not as large as this machine's", name);
    }
    return true;
}

static bool is_zero_page(const uint8_t *page) {
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

/* A region on its way in. */
typedef struct Arrival {
    const GuestRegion *region;
    const SnapshotImage *image;
    int stream;
    uint8_t *present; /* find_present(), then: does the page have to be written? */
} Arrival;

#define PAGES_A_PIECE 256u

static uint32_t end_of_piece(const Arrival *arrival, uint32_t piece) {
    uint32_t end = (piece + 1) * PAGES_A_PIECE;
    return end < arrival->region->pages ? end : arrival->region->pages;
}

static void compare_pages(void *opaque, uint32_t piece) {
    Arrival *arrival = opaque;
    for (uint32_t page = piece * PAGES_A_PIECE; page < end_of_piece(arrival, piece); page++) {
        const uint8_t *old = arrival->region->host + (size_t)page * PAGE_SIZE;
        const uint8_t *content = snapshot_image_page(arrival->image, arrival->stream, page);
        bool is_present = arrival->present[page] != 0;
        arrival->present[page] = content == NULL
                                     ? is_present && !is_zero_page(old)
                                     : !is_present || memcmp(old, content, PAGE_SIZE) != 0;
    }
}

static void write_pages(void *opaque, uint32_t piece) {
    const Arrival *arrival = opaque;
    for (uint32_t page = piece * PAGES_A_PIECE; page < end_of_piece(arrival, piece); page++) {
        uint8_t *to = arrival->region->host + (size_t)page * PAGE_SIZE;
        const uint8_t *content = snapshot_image_page(arrival->image, arrival->stream, page);
        if (!arrival->present[page])
            continue;
        if (content != NULL)
            memcpy(to, content, PAGE_SIZE);
        else
            memset(to, 0, PAGE_SIZE);
    }
}

/* Whoever watches pages is told by one thread, and before the first of them changes. */
static void load_region(Arrival *arrival, PhysicalMap *map) {
    uint32_t pieces = (arrival->region->pages + PAGES_A_PIECE - 1) / PAGES_A_PIECE;
    parallel_work(pieces, compare_pages, arrival);
    for (uint32_t page = 0; page < arrival->region->pages; page++)
        if (arrival->present[page])
            physical_map_mark_page(map, &arrival->region->flags[page], PAGE_DIRTY_ALL);
    parallel_work(pieces, write_pages, arrival);
}

void snapshot_load_memory(const SnapshotImage *image, PhysicalMap *map) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(map, &count);
    for (unsigned i = 0; i < count; i++) {
        char name[SNAPSHOT_STREAM_NAME_MAX + 1];
        name_stream(&regions[i], name);
        Arrival arrival = {.region = &regions[i],
                           .image = image,
                           .stream = snapshot_image_find(image, name),
                           .present = find_present(&regions[i])};
        load_region(&arrival, map);
        free(arrival.present);
    }
}
