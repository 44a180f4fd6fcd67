/* Where the guest spends the host's time, by samples: wherever a stretch of guest code ended, the
 * time that the stretch took counts for that place. Stretches end for reasons that mostly have
 * nothing to do with the code (an event, a fixed number of instructions), so over many of them the
 * shares come out right. */
#ifndef REPRISE_HOT_BLOCKS_H
#define REPRISE_HOT_BLOCKS_H

#include "byte_buffer.h"
#include <stdint.h>

enum { HOT_BLOCKS = 1024, HOT_BLOCKS_SHOWN = 10 };

typedef struct HotBlock {
    uint32_t cs_base, eip;
    uint64_t ns; /* 0: free */
} HotBlock;

/* All zero at first. */
typedef struct HotBlocks {
    HotBlock block[HOT_BLOCKS];
    uint64_t ns; /* of all samples, of those too whose place was given to another */
} HotBlocks;

void hot_blocks_add(HotBlocks *blocks, uint32_t cs_base, uint32_t eip, uint64_t ns);

/* The hottest, one a line: share, linear address, CS base and EIP. */
void hot_blocks_print(const HotBlocks *blocks, ByteBuffer *text);

#endif
