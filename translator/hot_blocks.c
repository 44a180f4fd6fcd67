#include "hot_blocks.h"
#include <stdlib.h>
#include <string.h>

enum { PLACES = 8 }; /* where an address may stand: it takes the least one's place */

void hot_blocks_add(HotBlocks *blocks, uint32_t cs_base, uint32_t eip, uint64_t ns) {
    uint32_t hash = (cs_base + eip) * 0x9E3779B1u >> 16;
    HotBlock *least = NULL;
    blocks->ns += ns;
    for (unsigned i = 0; i < PLACES; i++) {
        HotBlock *block = &blocks->block[(hash + i) % HOT_BLOCKS];
        if (block->ns != 0 && block->cs_base == cs_base && block->eip == eip) {
            block->ns += ns;
            return;
        }
        if (least == NULL || block->ns < least->ns)
            least = block;
    }
    *least = (HotBlock){cs_base, eip, ns};
}

static int compare_time(const void *a, const void *b) {
    uint64_t first = ((const HotBlock *)a)->ns, second = ((const HotBlock *)b)->ns;
    return first < second ? 1 : first > second ? -1 : 0;
}

void hot_blocks_print(const HotBlocks *blocks, ByteBuffer *text) {
    HotBlock sorted[HOT_BLOCKS];
    memcpy(sorted, blocks->block, sizeof(sorted));
    qsort(sorted, HOT_BLOCKS, sizeof(sorted[0]), compare_time);
    byte_buffer_print(text, "guest code that took most time (linear address, CS base, EIP):\n");
    for (unsigned i = 0; i < HOT_BLOCKS_SHOWN && sorted[i].ns != 0; i++)
        byte_buffer_print(text, "  %5.1f %%  %08X  %08X:%08X\n",
                          100.0 * (double)sorted[i].ns / (double)blocks->ns,
                          sorted[i].cs_base + sorted[i].eip, sorted[i].cs_base, sorted[i].eip);
}
