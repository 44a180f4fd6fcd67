#include "msr_map.h"
#include <assert.h>

bool msr_map_add(MsrMap *map, const MsrRange *range, Error *error) {
    assert(map->count < MSR_RANGES_MAXIMUM);
    uint32_t last = range->first + (range->count - 1);
    if (range->count == 0 || last < range->first)
        return error_set(error, "%s: %u registers from %Xh do not fit", range->name, range->count,
                         range->first);
    for (size_t i = 0; i < map->count; i++) {
        const MsrRange *other = &map->ranges[i];
        if (range->first <= other->first + (other->count - 1) && other->first <= last)
            return error_set(error, "MSRs %Xh-%Xh of %s overlap those of %s", range->first, last,
                             range->name, other->name);
    }
    map->ranges[map->count++] = *range;
    return true;
}

const MsrRange *msr_map_find(const MsrMap *map, uint32_t number) {
    for (size_t i = 0; i < map->count; i++)
        if (number - map->ranges[i].first < map->ranges[i].count)
            return &map->ranges[i];
    return NULL;
}

bool msr_map_read(const MsrMap *map, uint32_t number, uint64_t *value) {
    const MsrRange *range = msr_map_find(map, number);
    return range != NULL && range->read(range->opaque, number - range->first, value);
}
