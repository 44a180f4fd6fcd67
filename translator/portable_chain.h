/* Which block follows which in the portable backend: from one block to the next without asking for
 * context, mapping and events anew, as translated code jumps from block to block. */
#ifndef REPRISE_PORTABLE_CHAIN_H
#define REPRISE_PORTABLE_CHAIN_H

#include "block_cache.h"
#include "portable.h"

enum { CHAIN_ENTRIES = 4096 };

typedef struct ChainEntry {
    uint32_t eip, context;
    uint64_t generation; /* of the chain when it was entered: all others are void */
    Block *block;
} ChainEntry;

/* Blocks by EIP and context: where the last ones of these were found. */
typedef struct PortableChain {
    uint64_t generation; /* grows with each block that dies and each mapping of code that goes */
    ChainEntry entry[CHAIN_ENTRIES];
} PortableChain;

/* The block of this key, which was just found at the linear address where it is to be run, is run;
 * then those that follow, as long as they are known, fit in before cpu->count_end, and nothing
 * wants the run loop. 'chain' may be NULL: then it is run alone. */
PortableExit portable_run_chain(Cpu *cpu, PortableChain *chain, Block *block,
                                uint64_t *block_entries);

/* All that is known is void. NULL is allowed. */
static inline void portable_chain_forget(PortableChain *chain) {
    if (chain != NULL)
        chain->generation++;
}

#endif
