/* The translations of a machine: found by physical address, EIP and context; forgotten when the
 * bytes they came from change.
 *
 * A block lies within one physical page, but for that of a single instruction that runs over a
 * page's end. Each page with blocks has lists of them, and a record (code_bytes.h) with a bit for
 * each of its bytes, so that a store beside code on the same page is told apart from one into it
 * without a walk. A page that loses and gets code again and again keeps its flag in between.
 *
 * A block that died by a store is *retired*: kept for a while together with its bytes. When the
 * same bytes stand there again and are to be run, it is taken back. Programs that switch between
 * a few versions of a routine, or load the same overlays, translate each of them once. */
#ifndef REPRISE_BLOCK_CACHE_H
#define REPRISE_BLOCK_CACHE_H

#include "code_bytes.h"
#include "error.h"
#include "physical_map.h"
#include "uop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place of a limit: each memory operand is checked for itself (shared_checks.h). */
enum { BLOCK_UNSHARED = UINT16_MAX };

typedef struct BlockKey {
    uint32_t physical; /* of the first byte */
    uint32_t eip;
    uint32_t context;     /* number of the mode and code segment (context.h) */
    uint16_t flag_state;  /* where the status flags are at entry (flag_state.h); 0: in memory */
    uint16_t limit;       /* 0, or at most so many instructions (the last ones before an event) */
    uint32_t second_page; /* of an instruction that runs over its page's end: number of the physical
                             page that it ends on, plus 1; else 0 */
} BlockKey;

typedef struct Block Block;

/* A place in host code that jumps to another block once that is known.
 *
 * A link that crosses pages holds only while the mapping of its target's page does. When that may
 * have changed the link is suspended: it leaves to the backend, which looks where the target's page
 * lies now, and mostly resumes it. */
typedef struct BlockLink {
    Block *target;          /* NULL: not linked */
    struct BlockLink *next; /* in the target's list of incoming links */
    uint8_t *site;          /* where the backend patches */
    uint8_t *stub;          /* where the site goes while it is not linked */
    const uint8_t *entry;   /* of the target: where it goes while it is linked */
    uint32_t linear_page;   /* of the target */
    bool crosses_page, suspended;
    bool is_global; /* the target's page is global: it keeps its mapping when CR3 is written */
    struct BlockLink *next_crossing, **previous_crossing; /* in the cache's list of those that are
                                                             linked and not suspended */
} BlockLink;

/* Code that brings flags to memory for a block that expects them there. */
typedef struct BlockAdapter {
    struct BlockAdapter *next;
    uint32_t flag_state;
    const uint8_t *code;
} BlockAdapter;

enum { BLOCK_INDIRECT = 6 };

struct Block {
    BlockKey key;
    Block *next_in_bucket;
    Block *next_in_page, *next_in_second_page;
    Block **previous_in_page, **previous_in_second_page; /* what points to it there */
    uint16_t byte_count, insn_count;
    uint16_t link_count;
    bool dead; /* its bytes changed while it might still be running: freed at the next safe point */
    uint8_t hole_count;
    uint8_t indirect_count; /* of 'indirect'; above BLOCK_INDIRECT: more than were noted */
    BlockHole hole[BLOCK_HOLES];
    uint32_t indirect[BLOCK_INDIRECT]; /* for the backend: where its table of indirect jumps may
                                          name this block */
    uint8_t *retired_bytes;            /* while it is retired: what it was made of */
    BlockLink *incoming;
    BlockAdapter *adapters;
    BlockLink *links;               /* the block's own exits, link_count of them */
    const UopBlock *uops;           /* the portable backend's; NULL elsewhere */
    uint32_t host_bytes, hot_bytes; /* of host code, and of its first part, which is run unless
                                       something special happens */
    const void *host_code; /* entry, in the executable mapping; NULL in the portable backend */
};

typedef struct BlockCache BlockCache;

typedef struct BlockCacheHooks {
    void *opaque;
    /* Patches a link's site back so that it leaves to the run loop; called for each linked site
     * when its target dies or its mapping may have changed. */
    void (*unlink)(void *opaque, BlockLink *link);
    /* The block dies alone, not with all others. NULL: nobody asks. */
    void (*killed)(void *opaque, Block *block);
} BlockCacheHooks;

BlockCache *block_cache_create(PhysicalMap *map, const BlockCacheHooks *hooks, Error *error);
void block_cache_destroy(BlockCache *cache);

Block *block_cache_find(const BlockCache *cache, const BlockKey *key);

/* How many blocks with the same key but another flag_state there are. */
unsigned block_cache_count_variants(const BlockCache *cache, const BlockKey *key);

/* Makes an empty block, enters it, marks its pages as holding code. 'holes' may be NULL. */
Block *block_cache_add(BlockCache *cache, const BlockKey *key, unsigned byte_count,
                       unsigned link_count, const BlockHoles *holes);

/* Takes a retired block with this key back whose bytes stand there again; NULL if there is none. */
Block *block_cache_revive(BlockCache *cache, const BlockKey *key);

/* Joins a link, whose crosses_page, linear_page and is_global are set, to its target. */
void block_cache_link(BlockCache *cache, BlockLink *link, Block *target);
/* A suspended link's target is still the right one. */
void block_cache_resume(BlockCache *cache, BlockLink *link);
/* Undoes a link. */
void block_cache_unlink(BlockCache *cache, BlockLink *link);

/* The block's adapter for this flag state; NULL if there is none. */
const uint8_t *block_find_adapter(const Block *block, uint32_t flag_state);
void block_add_adapter(Block *block, uint32_t flag_state, const uint8_t *code);

/* Does any block, of any translator of the map, hold one of these bytes, which lie in one page?
 * True also where one did that died by a store into its other page, until block_cache_invalidate()
 * finds that out. */
bool block_cache_holds_code(const BlockCache *cache, uint32_t physical, uint32_t size);

/* Bytes are about to change: every block that holds one of them dies, and is retired. True if there
 * was one. Dead blocks stay allocated until block_cache_free_dead() or longer. */
bool block_cache_invalidate(BlockCache *cache, uint32_t physical, uint32_t size);
/* The same where they have changed already: nothing is retired. */
bool block_cache_invalidate_changed(BlockCache *cache, uint32_t physical, uint32_t size);

/* Would a store to these bytes of one page change instructions of this block beside the one that
 * does it? */
bool block_meets_store(const Block *block, uint32_t physical, uint32_t size);

/* How often blocks of this page died so far, by stores: pages that change all the time may be
 * translated differently. */
uint32_t block_cache_page_deaths(const BlockCache *cache, uint32_t physical_page);

/* From time to time: pages that keep their flag without code lose it. */
void block_cache_release_idle(BlockCache *cache);
/* The blocks of this key's place, with whatever flag states, die: another one takes over. */
void block_cache_forget_place(BlockCache *cache, const BlockKey *key);
void block_cache_free_dead(BlockCache *cache);

/* The mapping of linear pages may have changed: links across pages are suspended, global ones too
 * or not. */
void block_cache_suspend_crossing(BlockCache *cache, bool global);
/* The same for those to one page. */
void block_cache_suspend_page(BlockCache *cache, uint32_t linear_page);

/* Everything dies and is freed, without unlinking (the backend drops its buffer too). */
void block_cache_clear(BlockCache *cache);

/* Calls 'visit' for every block at this EIP, in no particular order. */
void block_cache_visit(const BlockCache *cache, uint32_t eip,
                       void (*visit)(const Block *block, void *opaque), void *opaque);

size_t block_cache_block_count(const BlockCache *cache);

#endif
