/* Blocks that died by a store, kept for a while together with what they were made of, to be taken
 * back when the same bytes stand at their place again. A table of sets, the newest first; the
 * oldest of a set makes room. To look at an entry does not touch its block, which left the host's
 * caches long ago. */
#ifndef REPRISE_RETIRED_BLOCKS_H
#define REPRISE_RETIRED_BLOCKS_H

#include "block_cache.h"

enum { RETIRED_SETS = 512, RETIRED_WAYS = 8 };

typedef struct RetiredBlock {
    Block *block; /* NULL: none here, and none after it in the set */
    uint32_t place;
    uint32_t bytes_hash;   /* of its first bytes */
    uint16_t hashed_count; /* so many */
    uint16_t spare[3];
} RetiredBlock;

typedef struct RetiredBlocks {
    RetiredBlock set[RETIRED_SETS][RETIRED_WAYS];
    uint32_t count;
    uint32_t hand; /* the set that the last dropped one was in */
} RetiredBlocks;

/* Where a block's bytes are now; 'second' is NULL unless it ends on another page. */
typedef struct BlockBytes {
    const uint8_t *first, *second;
    uint32_t first_count, second_count;
} BlockBytes;

/* Keeps the block with a copy of its bytes, which still stand there. Gives another one that has to
 * go for it, or NULL. */
Block *retired_blocks_add(RetiredBlocks *retired, Block *block, const BlockBytes *bytes);

/* The block of this key whose bytes stand at 'first' and 'second'; NULL if there is none. It is no
 * longer among the retired. */
Block *retired_blocks_take(RetiredBlocks *retired, const BlockKey *key, const uint8_t *first,
                           const uint8_t *second);

/* Some block, which is none of them any more; NULL if there is none. */
Block *retired_blocks_drop(RetiredBlocks *retired);

#endif
