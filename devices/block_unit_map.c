#include "block_unit_map.h"
#include "allocate.h"
#include <stdlib.h>

#define CAPACITY_MINIMUM 16u

void block_unit_map_free(BlockUnitMap *map) {
    free(map->entries);
    *map = (BlockUnitMap){0};
}

/* The entry that holds the number, or the free one where it belongs. */
static BlockUnit *locate(const BlockUnitMap *map, uint64_t number) {
    size_t index = (size_t)((number * 0x9E3779B97F4A7C15ull) >> 32) & (map->capacity - 1);
    while (map->entries[index].used && map->entries[index].number != number)
        index = (index + 1) & (map->capacity - 1);
    return &map->entries[index];
}

const BlockUnit *block_unit_map_find(const BlockUnitMap *map, uint64_t number) {
    if (map->count == 0)
        return NULL;
    const BlockUnit *unit = locate(map, number);
    return unit->used ? unit : NULL;
}

static void grow(BlockUnitMap *map) {
    BlockUnitMap larger = {.capacity = map->capacity > 0 ? map->capacity * 2 : CAPACITY_MINIMUM,
                           .count = map->count};
    larger.entries = allocate_zeroed(larger.capacity * sizeof(*larger.entries));
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].used)
            *locate(&larger, map->entries[i].number) = map->entries[i];
    free(map->entries);
    *map = larger;
}

void block_unit_map_add(BlockUnitMap *map, uint64_t number, uint32_t place) {
    if (map->count * 2 >= map->capacity)
        grow(map);
    *locate(map, number) = (BlockUnit){.number = number, .place = place, .used = 1};
    map->count++;
}

void block_unit_map_put(BlockUnitMap *map, uint64_t number, uint32_t place) {
    BlockUnit *unit = map->count > 0 ? locate(map, number) : NULL;
    if (unit != NULL && unit->used)
        unit->place = place;
    else
        block_unit_map_add(map, number, place);
}

BlockUnit *block_unit_map_next(const BlockUnitMap *map, size_t *position) {
    while (*position < map->capacity) {
        BlockUnit *unit = &map->entries[(*position)++];
        if (unit->used)
            return unit;
    }
    return NULL;
}
