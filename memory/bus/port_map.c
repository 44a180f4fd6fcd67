#include "port_map.h"
#include "allocate.h"
#include <assert.h>
#include <stdlib.h>

#define PORTS 65536u

struct PortMap {
    PortRange *ranges; /* a slot whose count is 0 is free */
    size_t range_count, range_capacity;
    uint16_t slot[PORTS]; /* index into 'ranges' plus 1; 0 where nobody answers */
};

PortMap *port_map_create(void) {
    return allocate_zeroed(sizeof(PortMap));
}

void port_map_destroy(PortMap *map) {
    if (map == NULL)
        return;
    free(map->ranges);
    free(map);
}

static size_t find_free_slot(PortMap *map) {
    for (size_t i = 0; i < map->range_count; i++)
        if (map->ranges[i].count == 0)
            return i;
    map->ranges =
        allocate_grow(map->ranges, &map->range_capacity, map->range_count + 1, sizeof *map->ranges);
    return map->range_count++;
}

bool port_map_add(PortMap *map, const PortRange *range, Error *error) {
    assert(range->widths != 0);
    uint32_t first = range->first, count = range->count;
    if (count == 0 || count > PORTS - first)
        return error_set(error, "%s: %u ports from %04Xh do not fit the port space", range->name,
                         count, first);
    for (uint32_t port = first; port < first + count; port++)
        if (map->slot[port] != 0) {
            const PortRange *other = &map->ranges[map->slot[port] - 1];
            return error_set(error, "ports %04Xh-%04Xh of %s overlap %04Xh-%04Xh of %s", first,
                             first + count - 1, range->name, other->first,
                             other->first + other->count - 1, other->name);
        }
    size_t index = find_free_slot(map);
    map->ranges[index] = *range;
    for (uint32_t port = first; port < first + count; port++)
        map->slot[port] = (uint16_t)(index + 1);
    return true;
}

void port_map_remove(PortMap *map, uint16_t first, void *opaque) {
    if (map->slot[first] == 0)
        return;
    PortRange *range = &map->ranges[map->slot[first] - 1];
    if (range->first != first || range->opaque != opaque)
        return;
    for (uint32_t port = first; port < first + range->count; port++)
        map->slot[port] = 0;
    range->count = 0;
}

const PortRange *port_map_find(const PortMap *map, uint16_t port) {
    return map->slot[port] != 0 ? &map->ranges[map->slot[port] - 1] : NULL;
}

/* The range that takes this access whole, or NULL. */
static const PortRange *find_whole(const PortMap *map, uint16_t port, unsigned size) {
    const PortRange *range = port_map_find(map, port);
    if (range == NULL)
        return NULL;
    bool inside = (uint32_t)(port - range->first) + size <= range->count;
    return inside && (range->widths & size) != 0 ? range : NULL;
}

/* A callback may move ranges about (PCI configuration is written through ports), so nothing of
 * the map is looked at after it. */
uint32_t port_map_read(PortMap *map, uint16_t port, unsigned size) {
    uint32_t ones = UINT32_MAX >> (32 - 8 * size);
    const PortRange *range = find_whole(map, port, size);
    if (range != NULL)
        return range->read == NULL ? ones
                                   : range->read(range->opaque, port - range->first, size) & ones;
    if (size == 1)
        return ones;
    unsigned half = size / 2;
    uint32_t low = port_map_read(map, port, half);
    return low | port_map_read(map, (uint16_t)(port + half), half) << 8 * half;
}

void port_map_write(PortMap *map, uint16_t port, unsigned size, uint32_t value) {
    value &= UINT32_MAX >> (32 - 8 * size);
    const PortRange *range = find_whole(map, port, size);
    if (range != NULL) {
        if (range->write != NULL)
            range->write(range->opaque, port - range->first, size, value);
        return;
    }
    if (size == 1)
        return;
    unsigned half = size / 2;
    port_map_write(map, port, half, value & (UINT32_MAX >> (32 - 8 * half)));
    port_map_write(map, (uint16_t)(port + half), half, value >> 8 * half);
}
