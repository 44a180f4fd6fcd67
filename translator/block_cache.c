/* See block_cache.h. */
#include "block_cache.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKETS = 1 << 17, GRANULE_BITS = 5 };

typedef struct CodePage {
    Block *first;
    uint64_t granules[PAGE_SIZE >> GRANULE_BITS >> 6];
} CodePage;

struct BlockCache {
    PhysicalMap *map;
    void (*unlink)(void *opaque, BlockLink *link);
    void *opaque;
    Block *bucket[BUCKETS];
    CodePage **page; /* PHYSICAL_PAGES of them, lazily touched */
    BlockLink *crossing;
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
    free(cache);
}

static uint32_t hash_key(const BlockKey *key) {
    uint32_t hash =
        key->physical * 0x9E3779B1u ^ key->eip * 0x85EBCA77u ^ key->context * 0xC2B2AE3Du;
    return (hash ^ hash >> 15) &
           (BUCKETS - 1); /* variants by flag state and limit share a bucket */
}

static bool same_place(const BlockKey *a, const BlockKey *b) {
    return a->physical == b->physical && a->eip == b->eip && a->context == b->context &&
           a->limit == b->limit;
}

Block *block_cache_find(const BlockCache *cache, const BlockKey *key) {
    for (Block *block = cache->bucket[hash_key(key)]; block != NULL; block = block->next_in_bucket)
        if (same_place(&block->key, key) && block->key.flag_state == key->flag_state)
            return block;
    return NULL;
}

unsigned block_cache_count_variants(const BlockCache *cache, const BlockKey *key) {
    unsigned count = 0;
    for (Block *block = cache->bucket[hash_key(key)]; block != NULL; block = block->next_in_bucket)
        count += same_place(&block->key, key) && block->key.flag_state != key->flag_state;
    return count;
}

/* Does any byte of [offset, offset + size) lie in a granule with code? 'mark' sets them instead. */
static bool granules_test(CodePage *page, uint32_t offset, uint32_t size, bool mark) {
    uint32_t last = (offset + size - 1) >> GRANULE_BITS;
    bool any = false;
    for (uint32_t g = offset >> GRANULE_BITS; g <= last; g++) {
        uint64_t bit = UINT64_C(1) << (g & 63);
        any |= (page->granules[g >> 6] & bit) != 0;
        if (mark)
            page->granules[g >> 6] |= bit;
    }
    return any;
}

static void remark_granules(CodePage *page) {
    memset(page->granules, 0, sizeof(page->granules));
    for (Block *block = page->first; block != NULL; block = block->next_in_page)
        granules_test(page, block->key.physical & PAGE_OFFSET_MASK, block->byte_count, true);
}

static uint8_t *page_flags(const BlockCache *cache, uint32_t page) {
    return physical_map_pages(cache->map)[page].flags;
}

Block *block_cache_add(BlockCache *cache, const BlockKey *key, unsigned byte_count,
                       unsigned link_count, bool *page_is_new) {
    Block *block = calloc(1, sizeof(*block) + link_count * sizeof(BlockLink));
    uint32_t page_number = key->physical >> PAGE_BITS;
    CodePage *page = cache->page[page_number];
    if (page == NULL)
        page = cache->page[page_number] = calloc(1, sizeof(*page));
    if (block == NULL || page == NULL)
        abort(); /* out of memory: nothing that could be told to anybody */
    uint8_t *flags = page_flags(cache, page_number);
    *page_is_new = flags != NULL && !(*flags & PAGE_CODE);
    if (flags != NULL)
        *flags |= PAGE_CODE;
    block->key = *key;
    block->byte_count = (uint16_t)byte_count;
    block->link_count = (uint16_t)link_count;
    block->links = (BlockLink *)(block + 1);
    block->next_in_page = page->first;
    page->first = block;
    granules_test(page, key->physical & PAGE_OFFSET_MASK, byte_count, true);
    Block **bucket = &cache->bucket[hash_key(key)];
    block->next_in_bucket = *bucket;
    *bucket = block;
    cache->count++;
    return block;
}

void block_cache_link(BlockCache *cache, BlockLink *link, Block *target) {
    link->target = target;
    link->next = target->incoming;
    target->incoming = link;
    if (link->crosses_page) {
        link->next_crossing = cache->crossing;
        cache->crossing = link;
    }
}

static void remove_from_list(BlockLink **list, BlockLink *link) {
    for (; *list != NULL; list = &(*list)->next)
        if (*list == link) {
            *list = link->next;
            return;
        }
}

static void remove_from_crossing(BlockCache *cache, BlockLink *link) {
    for (BlockLink **list = &cache->crossing; *list != NULL; list = &(*list)->next_crossing)
        if (*list == link) {
            *list = link->next_crossing;
            return;
        }
}

/* Takes the link out of every list; its site leaves to the run loop again. */
static void unlink_site(BlockCache *cache, BlockLink *link) {
    if (link->crosses_page)
        remove_from_crossing(cache, link);
    remove_from_list(&link->target->incoming, link);
    link->target = NULL;
    cache->unlink(cache->opaque, link);
}

static void remove_from_bucket(BlockCache *cache, Block *block) {
    for (Block **list = &cache->bucket[hash_key(&block->key)]; *list != NULL;
         list = &(*list)->next_in_bucket)
        if (*list == block) {
            *list = block->next_in_bucket;
            return;
        }
}

static void kill_block(BlockCache *cache, Block *block) {
    remove_from_bucket(cache, block);
    while (block->incoming != NULL)
        unlink_site(cache, block->incoming);
    for (unsigned i = 0; i < block->link_count; i++)
        if (block->links[i].target != NULL)
            unlink_site(cache, &block->links[i]);
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
    if (page == NULL || !granules_test(page, offset, size, false))
        return false;
    for (const Block *block = page->first; block != NULL; block = block->next_in_page)
        if (overlaps(block, offset, size))
            return true;
    return false;
}

static bool invalidate_in_page(BlockCache *cache, uint32_t page_number, uint32_t offset,
                               uint32_t size) {
    CodePage *page = cache->page[page_number];
    if (page == NULL || !granules_test(page, offset, size, false))
        return false;
    bool any = false;
    for (Block **list = &page->first; *list != NULL;) {
        Block *block = *list;
        if (overlaps(block, offset, size)) {
            *list = block->next_in_page;
            kill_block(cache, block);
            any = true;
        } else {
            list = &block->next_in_page;
        }
    }
    if (any)
        remark_granules(page);
    if (page->first == NULL) { /* stores are fast again */
        uint8_t *flags = page_flags(cache, page_number);
        if (flags != NULL)
            *flags &= (uint8_t)~PAGE_CODE;
        free(page);
        cache->page[page_number] = NULL;
    }
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

static void free_block(Block *block) {
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

void block_cache_unlink_crossing(BlockCache *cache) {
    while (cache->crossing != NULL) {
        BlockLink *link = cache->crossing;
        cache->crossing = link->next_crossing;
        remove_from_list(&link->target->incoming, link);
        link->target = NULL;
        cache->unlink(cache->opaque, link);
    }
}

void block_cache_clear(BlockCache *cache) {
    for (unsigned i = 0; i < BUCKETS; i++)
        while (cache->bucket[i] != NULL) {
            Block *block = cache->bucket[i];
            cache->bucket[i] = block->next_in_bucket;
            uint32_t page_number = block->key.physical >> PAGE_BITS;
            uint8_t *flags = page_flags(cache, page_number);
            if (flags != NULL)
                *flags &= (uint8_t)~PAGE_CODE;
            free(cache->page[page_number]);
            cache->page[page_number] = NULL;
            free_block(block);
        }
    block_cache_free_dead(cache);
    cache->crossing = NULL;
    cache->count = 0;
}

size_t block_cache_block_count(const BlockCache *cache) {
    return cache->count;
}

void block_cache_visit(const BlockCache *cache, uint32_t eip,
                       void (*visit)(const Block *block, void *opaque), void *opaque) {
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const Block *block = cache->bucket[i]; block != NULL; block = block->next_in_bucket)
            if (block->key.eip == eip)
                visit(block, opaque);
}
