/* See block_cache.h. */
#include "block_cache.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FEWEST_BUCKETS = 1 << 12, CROSSING_BUCKETS = 256 };

/* A page with more blocks has the same bytes translated again and again, by ever other code
 * segments, say: the first store into one of them takes them all, so that many stores do not each
 * walk a long list. */
enum { CROWDED = 4096 };

typedef struct CodePage {
    Block *first;                   /* that begin here */
    size_t count;                   /* of both kinds */
    Block *first_ending;            /* that begin on the page before */
    uint64_t bytes[PAGE_SIZE / 64]; /* a bit for each: does a block hold it? */
} CodePage;

struct BlockCache {
    PhysicalMap *map;
    void (*unlink)(void *opaque, BlockLink *link);
    void *opaque;
    Block **bucket;
    uint32_t bucket_count; /* a power of two; as many as blocks, or more */
    CodePage **page;       /* PHYSICAL_PAGES of them, lazily touched */
    /* Links across pages, by is_global and the target's linear page; number 0 for targets that lie
     * on two pages themselves. */
    BlockLink *crossing[2][CROSSING_BUCKETS];
    Block *dead; /* by next_in_bucket */
    size_t count;
};

BlockCache *block_cache_create(PhysicalMap *map, void (*unlink)(void *opaque, BlockLink *link),
                               void *opaque, Error *error) {
    BlockCache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    void *pages = mmap(NULL, PHYSICAL_PAGES * sizeof(CodePage *), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
        error_set(error, "out of memory for the table of code pages");
        free(cache);
        return NULL;
    }
    cache->page = pages;
    cache->bucket_count = FEWEST_BUCKETS;
    cache->bucket = allocate_zeroed(FEWEST_BUCKETS * sizeof(Block *));
    cache->map = map;
    cache->unlink = unlink;
    cache->opaque = opaque;
    return cache;
}

void block_cache_destroy(BlockCache *cache) {
    if (cache == NULL)
        return;
    block_cache_clear(cache);
    munmap(cache->page, PHYSICAL_PAGES * sizeof(CodePage *));
    free(cache->bucket);
    free(cache);
}

/* Variants by flag state and limit share a bucket. */
static Block **find_bucket(const BlockCache *cache, const BlockKey *key) {
    uint32_t hash =
        key->physical * 0x9E3779B1u ^ key->eip * 0x85EBCA77u ^ key->context * 0xC2B2AE3Du;
    return &cache->bucket[(hash ^ hash >> 15) & (cache->bucket_count - 1)];
}

static bool same_place(const BlockKey *a, const BlockKey *b) {
    return a->physical == b->physical && a->eip == b->eip && a->context == b->context &&
           a->limit == b->limit;
}

Block *block_cache_find(const BlockCache *cache, const BlockKey *key) {
    for (Block *block = *find_bucket(cache, key); block != NULL; block = block->next_in_bucket)
        if (same_place(&block->key, key) && block->key.flag_state == key->flag_state &&
            block->key.second_page == key->second_page)
            return block;
    return NULL;
}

unsigned block_cache_count_variants(const BlockCache *cache, const BlockKey *key) {
    unsigned count = 0;
    for (Block *block = *find_bucket(cache, key); block != NULL; block = block->next_in_bucket)
        count += same_place(&block->key, key) && block->key.flag_state != key->flag_state;
    return count;
}

/* The bits of [offset, offset + size) in the word of 64 that holds the first, or all from there on.
 */
static uint64_t first_bits(uint32_t offset, uint32_t size) {
    uint64_t bits = size < 64 ? (UINT64_C(1) << size) - 1 : UINT64_MAX;
    return bits << (offset & 63);
}

/* Does a block hold any byte of [offset, offset + size)? */
static bool holds_bytes(const CodePage *page, uint32_t offset, uint32_t size) {
    uint64_t any = 0;
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        any |= page->bytes[offset / 64] & first_bits(offset, end - offset);
    return any != 0;
}

static void mark_bytes(CodePage *page, uint32_t offset, uint32_t size) {
    for (uint32_t end = offset + size; offset < end; offset = (offset | 63) + 1)
        page->bytes[offset / 64] |= first_bits(offset, end - offset);
}

/* The part of a block that lies on its first page, and what lies on its second. */
static uint32_t first_part(const Block *block) {
    uint32_t to_end = PAGE_SIZE - (block->key.physical & PAGE_OFFSET_MASK);
    return block->byte_count < to_end ? block->byte_count : to_end;
}
static uint32_t second_part(const Block *block) {
    return block->byte_count - first_part(block);
}

static void remark_bytes(CodePage *page) {
    memset(page->bytes, 0, sizeof(page->bytes));
    for (Block *block = page->first; block != NULL; block = block->next_in_page)
        mark_bytes(page, block->key.physical & PAGE_OFFSET_MASK, first_part(block));
    for (Block *block = page->first_ending; block != NULL; block = block->next_in_second_page)
        mark_bytes(page, 0, second_part(block));
}

/* The page's lists, for a block that is about to be entered. */
static CodePage *claim_page(BlockCache *cache, uint32_t page_number) {
    if (cache->page[page_number] == NULL) {
        cache->page[page_number] = allocate_zeroed(sizeof(CodePage));
        physical_map_claim_code(cache->map, page_number);
    }
    return cache->page[page_number];
}

/* Twice as many buckets. */
static void grow(BlockCache *cache) {
    Block **old = cache->bucket;
    uint32_t old_count = cache->bucket_count;
    cache->bucket_count *= 2;
    cache->bucket = allocate_zeroed(cache->bucket_count * sizeof(Block *));
    for (uint32_t i = 0; i < old_count; i++)
        for (Block *next, *block = old[i]; block != NULL; block = next) {
            Block **bucket = find_bucket(cache, &block->key);
            next = block->next_in_bucket;
            block->next_in_bucket = *bucket;
            *bucket = block;
        }
    free(old);
}

Block *block_cache_add(BlockCache *cache, const BlockKey *key, unsigned byte_count,
                       unsigned link_count) {
    Block *block = calloc(1, sizeof(*block) + link_count * sizeof(BlockLink));
    if (block == NULL)
        abort(); /* out of memory: nothing that could be told to anybody */
    CodePage *page = claim_page(cache, key->physical >> PAGE_BITS);
    block->key = *key;
    block->byte_count = (uint16_t)byte_count;
    if (key->second_page != 0 && second_part(block) == 0)
        block->byte_count++; /* bytes of no instruction, found so by those of the second page */
    block->link_count = (uint16_t)link_count;
    block->links = (BlockLink *)(block + 1);
    page->count++;
    block->next_in_page = page->first;
    block->previous_in_page = &page->first;
    if (page->first != NULL)
        page->first->previous_in_page = &block->next_in_page;
    page->first = block;
    mark_bytes(page, key->physical & PAGE_OFFSET_MASK, first_part(block));
    if (key->second_page != 0) {
        page = claim_page(cache, key->second_page - 1);
        page->count++;
        block->next_in_second_page = page->first_ending;
        block->previous_in_second_page = &page->first_ending;
        if (page->first_ending != NULL)
            page->first_ending->previous_in_second_page = &block->next_in_second_page;
        page->first_ending = block;
        mark_bytes(page, 0, second_part(block));
    }
    if (cache->count == cache->bucket_count)
        grow(cache);
    Block **bucket = find_bucket(cache, key);
    block->next_in_bucket = *bucket;
    *bucket = block;
    cache->count++;
    return block;
}

/* --- links --- */

static unsigned crossing_bucket(uint32_t linear_page) {
    return 1 + linear_page % (CROSSING_BUCKETS - 1);
}

static void add_crossing(BlockCache *cache, BlockLink *link) {
    unsigned bucket = link->target->key.second_page != 0 ? 0 : crossing_bucket(link->linear_page);
    BlockLink **list = &cache->crossing[link->is_global][bucket];
    link->next_crossing = *list;
    link->previous_crossing = list;
    if (*list != NULL)
        (*list)->previous_crossing = &link->next_crossing;
    *list = link;
}

static void remove_crossing(BlockLink *link) {
    *link->previous_crossing = link->next_crossing;
    if (link->next_crossing != NULL)
        link->next_crossing->previous_crossing = link->previous_crossing;
}

void block_cache_link(BlockCache *cache, BlockLink *link, Block *target) {
    link->target = target;
    link->suspended = false;
    link->next = target->incoming;
    target->incoming = link;
    if (link->crosses_page)
        add_crossing(cache, link);
}

void block_cache_resume(BlockCache *cache, BlockLink *link) {
    link->suspended = false;
    add_crossing(cache, link);
}

static void remove_incoming(BlockLink *link) {
    for (BlockLink **list = &link->target->incoming; *list != NULL; list = &(*list)->next)
        if (*list == link) {
            *list = link->next;
            return;
        }
}

void block_cache_unlink(BlockCache *cache, BlockLink *link) {
    if (link->crosses_page && !link->suspended)
        remove_crossing(link);
    remove_incoming(link);
    link->target = NULL;
    cache->unlink(cache->opaque, link);
}

static void suspend(BlockCache *cache, BlockLink *link) {
    remove_crossing(link);
    link->suspended = true;
    cache->unlink(cache->opaque, link);
}

void block_cache_suspend_crossing(BlockCache *cache, bool global) {
    for (unsigned i = 0; i < CROSSING_BUCKETS; i++) {
        while (cache->crossing[false][i] != NULL)
            suspend(cache, cache->crossing[false][i]);
        while (global && cache->crossing[true][i] != NULL)
            suspend(cache, cache->crossing[true][i]);
    }
}

/* Does the link lead to this page, or to an instruction that ends on it? */
static bool leads_to(const BlockLink *link, uint32_t linear_page) {
    return link->linear_page == linear_page ||
           (link->target->key.second_page != 0 &&
            ((link->linear_page + 1) & (UINT32_MAX >> PAGE_BITS)) == linear_page);
}

static void suspend_in_list(BlockCache *cache, BlockLink *link, uint32_t linear_page) {
    while (link != NULL) {
        BlockLink *next = link->next_crossing;
        if (leads_to(link, linear_page))
            suspend(cache, link);
        link = next;
    }
}

void block_cache_suspend_page(BlockCache *cache, uint32_t linear_page) {
    for (unsigned global = 0; global < 2; global++) {
        suspend_in_list(cache, cache->crossing[global][0], linear_page);
        suspend_in_list(cache, cache->crossing[global][crossing_bucket(linear_page)], linear_page);
    }
}

/* --- the end of blocks --- */

static void remove_from_bucket(BlockCache *cache, Block *block) {
    for (Block **list = find_bucket(cache, &block->key); *list != NULL;
         list = &(*list)->next_in_bucket)
        if (*list == block) {
            *list = block->next_in_bucket;
            return;
        }
}

/* Nothing for a page without blocks. */
static void forget_page(BlockCache *cache, uint32_t page_number) {
    if (cache->page[page_number] == NULL)
        return;
    physical_map_release_code(cache->map, page_number);
    free(cache->page[page_number]);
    cache->page[page_number] = NULL;
}

/* A page without blocks takes stores fast again. */
static void settle_page(BlockCache *cache, uint32_t page_number) {
    CodePage *page = cache->page[page_number];
    if (page->first != NULL || page->first_ending != NULL) {
        remark_bytes(page);
        return;
    }
    forget_page(cache, page_number);
}

static void remove_from_pages(BlockCache *cache, Block *block) {
    cache->page[block->key.physical >> PAGE_BITS]->count--;
    *block->previous_in_page = block->next_in_page;
    if (block->next_in_page != NULL)
        block->next_in_page->previous_in_page = block->previous_in_page;
    if (block->key.second_page == 0)
        return;
    cache->page[block->key.second_page - 1]->count--;
    *block->previous_in_second_page = block->next_in_second_page;
    if (block->next_in_second_page != NULL)
        block->next_in_second_page->previous_in_second_page = block->previous_in_second_page;
}

static void kill_block(BlockCache *cache, Block *block) {
    remove_from_bucket(cache, block);
    remove_from_pages(cache, block);
    while (block->incoming != NULL)
        block_cache_unlink(cache, block->incoming);
    for (unsigned i = 0; i < block->link_count; i++)
        if (block->links[i].target != NULL)
            block_cache_unlink(cache, &block->links[i]);
    block->dead = true;
    block->next_in_bucket = cache->dead;
    cache->dead = block;
    cache->count--;
}

static bool overlaps(const Block *block, uint32_t offset, uint32_t size) {
    uint32_t start = block->key.physical & PAGE_OFFSET_MASK;
    return start < offset + size && offset < start + block->byte_count;
}

bool block_cache_holds_code(const BlockCache *cache, uint32_t physical, uint32_t size) {
    CodePage *page = cache->page[physical >> PAGE_BITS];
    uint32_t offset = physical & PAGE_OFFSET_MASK;
    return page != NULL && holds_bytes(page, offset, size);
}

/* Kills a block of this page. The bits of another one that it lies on stay while that has blocks: a
 * store that meets them finds out. */
static bool kill_on_page(BlockCache *cache, Block *block, uint32_t page_number) {
    uint32_t first = block->key.physical >> PAGE_BITS;
    uint32_t other = first != page_number          ? first
                     : block->key.second_page != 0 ? block->key.second_page - 1
                                                   : page_number;
    kill_block(cache, block);
    if (other != page_number && cache->page[other]->count == 0)
        settle_page(cache, other);
    return true;
}

static bool invalidate_in_page(BlockCache *cache, uint32_t page_number, uint32_t offset,
                               uint32_t size) {
    CodePage *page = cache->page[page_number];
    if (page == NULL || !holds_bytes(page, offset, size))
        return false;
    bool all = page->count > CROWDED, any = false;
    for (Block *next, *block = page->first; block != NULL; block = next) {
        next = block->next_in_page;
        if (all || overlaps(block, offset, size))
            any = kill_on_page(cache, block, page_number);
    }
    for (Block *next, *block = page->first_ending; block != NULL; block = next) {
        next = block->next_in_second_page;
        if (all || offset < second_part(block))
            any = kill_on_page(cache, block, page_number);
    }
    settle_page(cache, page_number);
    return any;
}

bool block_cache_invalidate(BlockCache *cache, uint32_t physical, uint32_t size) {
    bool any = false;
    while (size > 0) {
        uint32_t offset = physical & PAGE_OFFSET_MASK;
        uint32_t part = PAGE_SIZE - offset < size ? PAGE_SIZE - offset : size;
        any |= invalidate_in_page(cache, physical >> PAGE_BITS, offset, part);
        physical += part;
        size -= part;
    }
    return any;
}

const uint8_t *block_find_adapter(const Block *block, uint32_t flag_state) {
    for (const BlockAdapter *adapter = block->adapters; adapter != NULL; adapter = adapter->next)
        if (adapter->flag_state == flag_state)
            return adapter->code;
    return NULL;
}

void block_add_adapter(Block *block, uint32_t flag_state, const uint8_t *code) {
    BlockAdapter *adapter = malloc(sizeof(*adapter));
    if (adapter == NULL)
        abort(); /* as above */
    *adapter = (BlockAdapter){block->adapters, flag_state, code};
    block->adapters = adapter;
}

static void free_block(Block *block) {
    for (BlockAdapter *next, *adapter = block->adapters; adapter != NULL; adapter = next) {
        next = adapter->next;
        free(adapter);
    }
    free((void *)block->uops);
    free(block);
}

void block_cache_free_dead(BlockCache *cache) {
    while (cache->dead != NULL) {
        Block *block = cache->dead;
        cache->dead = block->next_in_bucket;
        free_block(block);
    }
}

void block_cache_clear(BlockCache *cache) {
    size_t left = cache->count;
    for (unsigned i = 0; left != 0 && i < cache->bucket_count; i++)
        while (cache->bucket[i] != NULL) {
            Block *block = cache->bucket[i];
            cache->bucket[i] = block->next_in_bucket;
            left--;
            forget_page(cache, block->key.physical >> PAGE_BITS);
            if (block->key.second_page != 0)
                forget_page(cache, block->key.second_page - 1);
            free_block(block);
        }
    block_cache_free_dead(cache);
    memset(cache->crossing, 0, sizeof(cache->crossing));
    cache->count = 0;
}

size_t block_cache_block_count(const BlockCache *cache) {
    return cache->count;
}

void block_cache_visit(const BlockCache *cache, uint32_t eip,
                       void (*visit)(const Block *block, void *opaque), void *opaque) {
    for (unsigned i = 0; i < cache->bucket_count; i++)
        for (const Block *block = cache->bucket[i]; block != NULL; block = block->next_in_bucket)
            if (block->key.eip == eip)
                visit(block, opaque);
}
