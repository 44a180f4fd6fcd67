/* From the number of a unit to the place where its contents are kept: a hash table with linear
 * probing. */
#ifndef REPRISE_BLOCK_UNIT_MAP_H
#define REPRISE_BLOCK_UNIT_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct BlockUnit {
    uint64_t number;
    uint32_t place;
    uint32_t used; /* 0: this entry of the table is free */
} BlockUnit;

/* All zero: empty. */
typedef struct BlockUnitMap {
    BlockUnit *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} BlockUnitMap;

void block_unit_map_free(BlockUnitMap *map);
/* NULL: it is not there. */
const BlockUnit *block_unit_map_find(const BlockUnitMap *map, uint64_t number);
/* The number must not be there yet. */
void block_unit_map_add(BlockUnitMap *map, uint64_t number, uint32_t place);
/* The same, or a new place for a number that is there. */
void block_unit_map_put(BlockUnitMap *map, uint64_t number, uint32_t place);
/* One after the other, in an order of the map's own; '*position' starts as 0. NULL: that was all.
 */
BlockUnit *block_unit_map_next(const BlockUnitMap *map, size_t *position);

#endif
