/* See block_cache.h. */
#include "block_cache.h"
#include "allocate.h"
#include "host_pages.h"
#include "retired_blocks.h"
#include <stdlib.h>
#include <string.h>

enum { FEWEST_BUCKETS = 1 << 12, CROSSING_BUCKETS = 256 };

/* A page with more blocks has the same bytes translated again and again, by ever other code
 * segments, say: the first store into one of them takes them all, so that many stores do not each
 * walk a long list. */
enum { CROWDED = 4096 };

/* Blocks by where they begin, so that a store has to look at few of them. */
enum { PAGE_LISTS = 16, LIST_BYTES = PAGE_SIZE / PAGE_LISTS };

/* A page that was emptied so often keeps its flag when it is once more. */
enum { EMPTIED_OFTEN = 3 };

/* Pages that kept their flag: so many at most. */
enum { IDLE_MAX = 64 };

/* What one instruction stores, that is no string: such stores change operands of code. */
enum { STORE_MAX = 8 };

/* Who stores so much at once gives the page another use: systems clear pages before they do. */
enum { PAGE_FILL = PAGE_SIZE / 2 };

typedef struct CodePage {
    Block *first[PAGE_LISTS];     /* that begin here */
    uint16_t longest[PAGE_LISTS]; /* no block of the list has more bytes */
    size_t count;                 /* of both kinds */
    Block *first_ending;          /* that begin on the page before */
    CodeBytes *code;              /* which bytes they hold */
    bool is_idle;                 /* on the list of those */
} CodePage;

struct BlockCache {
    PhysicalMap *map;
    BlockCacheHooks hooks;
    Block **bucket;
    uint32_t bucket_count; /* a power of two; as many as blocks, or more */
    CodePage **page;       /* PHYSICAL_PAGES of them, lazily touched */
    /* Links across pages, by is_global and the target's linear page; number 0 for targets that lie
     * on two pages themselves. */
    BlockLink *crossing[2][CROSSING_BUCKETS];
    Block *dead; /* by next_in_bucket */
    size_t count;
    RetiredBlocks retired;
    uint32_t idle[IDLE_MAX]; /* pages that may have none but keep their flag */
    uint32_t idle_count;
};

BlockCache *block_cache_create(PhysicalMap *map, const BlockCacheHooks *hooks, Error *error) {
    BlockCache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    void *pages = host_pages_map(PHYSICAL_PAGES * sizeof(CodePage *));
    if (pages == NULL) {
        error_set(error, "out of memory for the table of code pages");
        free(cache);
        return NULL;
    }
    cache->page = pages;
    cache->bucket_count = FEWEST_BUCKETS;
    cache->bucket = allocate_zeroed(FEWEST_BUCKETS * sizeof(Block *));
    cache->map = map;
    cache->hooks = *hooks;
    return cache;
}

void block_cache_destroy(BlockCache *cache) {
    if (cache == NULL)
        return;
    block_cache_clear(cache);
    host_pages_unmap(cache->page, PHYSICAL_PAGES * sizeof(CodePage *));
    free(cache->bucket);
    free(cache);
}

/* Variants by flag state and limit share a bucket. */
static uint32_t hash_key(const BlockKey *key) {
    uint32_t hash =
        key->physical * 0x9E3779B1u ^ key->eip * 0x85EBCA77u ^ key->context * 0xC2B2AE3Du;
    return hash ^ hash >> 15;
}

static Block **find_bucket(const BlockCache *cache, const BlockKey *key) {
    return &cache->bucket[hash_key(key) & (cache->bucket_count - 1)];
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

/* The part of a block that lies on its first page, and what lies on its second. */
static uint32_t first_part(const Block *block) {
    uint32_t to_end = PAGE_SIZE - (block->key.physical & PAGE_OFFSET_MASK);
    return block->byte_count < to_end ? block->byte_count : to_end;
}
static uint32_t second_part(const Block *block) {
    return block->byte_count - first_part(block);
}

/* Marks what the block holds of its first page: all but the holes. */
static void mark_first_part(CodeBytes *code, const Block *block) {
    uint32_t start = block->key.physical & PAGE_OFFSET_MASK, at = 0;
    for (unsigned i = 0; i < block->hole_count; i++) {
        code_bytes_mark(code, start + at, block->hole[i].offset - at);
        at = block->hole[i].offset + block->hole[i].size;
    }
    code_bytes_mark(code, start + at, first_part(block) - at);
}

/* May a block of this list reach the bytes? */
static bool list_reaches(const CodePage *page, unsigned list, uint32_t offset, uint32_t size) {
    return page->first[list] != NULL && list * LIST_BYTES < offset + size &&
           (list + 1) * LIST_BYTES - 1 + page->longest[list] > offset;
}

/* Another translator's blocks may hold bytes that none of ours does: then the marks stay. */
static void clear_bytes(BlockCache *cache, uint32_t page_number, uint32_t offset, uint32_t size) {
    if (!physical_map_shares_code(cache->map, page_number))
        code_bytes_clear(cache->page[page_number]->code, offset, size);
}

/* After blocks that held some of these bytes are gone. */
static void remark_bytes(BlockCache *cache, uint32_t page_number, uint32_t offset, uint32_t size) {
    const CodePage *page = cache->page[page_number];
    clear_bytes(cache, page_number, offset, size);
    for (unsigned i = 0; i < PAGE_LISTS; i++)
        if (list_reaches(page, i, offset, size))
            for (Block *block = page->first[i]; block != NULL; block = block->next_in_page)
                mark_first_part(page->code, block);
    for (Block *block = page->first_ending; block != NULL; block = block->next_in_second_page)
        code_bytes_mark(page->code, 0, second_part(block));
}

/* The page's lists, for a block that is about to be entered. */
static CodePage *claim_page(BlockCache *cache, uint32_t page_number) {
    CodePage *page = cache->page[page_number];
    if (page == NULL) {
        page = cache->page[page_number] = allocate_zeroed(sizeof(*page));
        page->code = physical_map_claim_code(cache->map, page_number);
    }
    return page;
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

static void add_to_list(Block **list, Block *block) {
    block->next_in_page = *list;
    block->previous_in_page = list;
    if (*list != NULL)
        (*list)->previous_in_page = &block->next_in_page;
    *list = block;
}

static void enter_in_pages(BlockCache *cache, Block *block) {
    const BlockKey *key = &block->key;
    CodePage *page = claim_page(cache, key->physical >> PAGE_BITS);
    unsigned list = (key->physical & PAGE_OFFSET_MASK) / LIST_BYTES;
    page->count++;
    add_to_list(&page->first[list], block);
    if (page->longest[list] < block->byte_count)
        page->longest[list] = block->byte_count;
    mark_first_part(page->code, block);
    if (key->second_page == 0)
        return;
    page = claim_page(cache, key->second_page - 1);
    page->count++;
    block->next_in_second_page = page->first_ending;
    block->previous_in_second_page = &page->first_ending;
    if (page->first_ending != NULL)
        page->first_ending->previous_in_second_page = &block->next_in_second_page;
    page->first_ending = block;
    code_bytes_mark(page->code, 0, second_part(block));
}

static void enter_in_bucket(BlockCache *cache, Block *block) {
    if (cache->count == cache->bucket_count)
        grow(cache);
    Block **bucket = find_bucket(cache, &block->key);
    block->next_in_bucket = *bucket;
    *bucket = block;
    cache->count++;
}

Block *block_cache_add(BlockCache *cache, const BlockKey *key, unsigned byte_count,
                       unsigned link_count, const BlockHoles *holes) {
    Block *block = allocate_zeroed(sizeof(*block) + link_count * sizeof(BlockLink));
    block->key = *key;
    block->byte_count = (uint16_t)byte_count;
    if (key->second_page != 0 && second_part(block) == 0)
        block->byte_count++; /* bytes of no instruction, found so by those of the second page */
    block->link_count = (uint16_t)link_count;
    block->links = (BlockLink *)(block + 1);
    if (holes != NULL) {
        block->hole_count = (uint8_t)holes->count;
        memcpy(block->hole, holes->hole, holes->count * sizeof(BlockHole));
    }
    enter_in_pages(cache, block);
    enter_in_bucket(cache, block);
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
    cache->hooks.unlink(cache->hooks.opaque, link);
}

static void suspend(BlockCache *cache, BlockLink *link) {
    remove_crossing(link);
    link->suspended = true;
    cache->hooks.unlink(cache->hooks.opaque, link);
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

static uint32_t minimum(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static bool is_empty(const CodePage *page) {
    return page->count == 0;
}

/* Nothing for a page without lists. */
static void release_page(BlockCache *cache, uint32_t page_number) {
    if (cache->page[page_number] == NULL)
        return;
    physical_map_release_code(cache->map, page_number);
    free(cache->page[page_number]);
    cache->page[page_number] = NULL;
}

void block_cache_release_idle(BlockCache *cache) {
    for (uint32_t i = 0; i < cache->idle_count; i++) {
        CodePage *page = cache->page[cache->idle[i]];
        if (page == NULL)
            continue;
        page->is_idle = false;
        if (is_empty(page))
            code_bytes_forget_history(page->code);
        if (is_empty(page))
            release_page(cache, cache->idle[i]);
    }
    cache->idle_count = 0;
}

/* The last block of a page died. If that happens often there will be new ones soon: flag and
 * record stay, since giving them up and taking them back costs more than the stores between. */
static void settle_empty_page(BlockCache *cache, uint32_t page_number) {
    CodePage *page = cache->page[page_number];
    clear_bytes(cache, page_number, 0, PAGE_SIZE);
    memset(page->longest, 0, sizeof(page->longest));
    if (page->is_idle)
        return;
    if (page->code->emptied++ < EMPTIED_OFTEN || cache->idle_count == IDLE_MAX) {
        release_page(cache, page_number);
        return;
    }
    page->is_idle = true;
    cache->idle[cache->idle_count++] = page_number;
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

/* --- retired blocks --- */

static void bury(BlockCache *cache, Block *block) {
    block->next_in_bucket = cache->dead;
    cache->dead = block;
}

/* Where bytes at this key's place are now; false: there is no plain memory. */
static bool find_bytes(const BlockCache *cache, const BlockKey *key, BlockBytes *bytes) {
    const uint8_t *page = physical_map_page(cache->map, key->physical >> PAGE_BITS).read;
    *bytes = (BlockBytes){.first = NULL};
    if (page == NULL)
        return false;
    bytes->first = page + (key->physical & PAGE_OFFSET_MASK);
    if (key->second_page != 0)
        bytes->second = physical_map_page(cache->map, key->second_page - 1).read;
    return key->second_page == 0 || bytes->second != NULL;
}

/* On pages whose code hardly ever comes back few blocks are kept, to notice if it does. */
static bool is_worth_keeping(CodeBytes *code) {
    enum { TRIED = 64, COUNTED = 1024, ONE_OF = 16 };
    if (code->retired >= TRIED && code->revived < code->retired / ONE_OF &&
        ++code->dropped % ONE_OF != 0)
        return false;
    if (++code->retired == COUNTED) {
        code->retired /= 2;
        code->revived /= 2;
    }
    return true;
}

static void retire(BlockCache *cache, Block *block) {
    BlockBytes bytes;
    Block *replaced = block;
    CodeBytes *code = cache->page[block->key.physical >> PAGE_BITS]->code;
    if (is_worth_keeping(code) && block->host_code != NULL &&
        find_bytes(cache, &block->key, &bytes)) {
        bytes.first_count = first_part(block);
        bytes.second_count = second_part(block);
        replaced = retired_blocks_add(&cache->retired, block, &bytes);
    }
    if (replaced != NULL)
        bury(cache, replaced);
}

Block *block_cache_revive(BlockCache *cache, const BlockKey *key) {
    BlockBytes bytes;
    if (cache->retired.count == 0 || !find_bytes(cache, key, &bytes))
        return NULL;
    Block *block = retired_blocks_take(&cache->retired, key, bytes.first, bytes.second);
    if (block == NULL)
        return NULL;
    block->dead = false;
    enter_in_pages(cache, block);
    enter_in_bucket(cache, block);
    cache->page[key->physical >> PAGE_BITS]->code->revived++;
    return block;
}

/* --- killing --- */

static void kill_block(BlockCache *cache, Block *block, bool keep) {
    remove_from_bucket(cache, block);
    remove_from_pages(cache, block);
    while (block->incoming != NULL)
        block_cache_unlink(cache, block->incoming);
    for (unsigned i = 0; i < block->link_count; i++)
        if (block->links[i].target != NULL)
            block_cache_unlink(cache, &block->links[i]);
    if (cache->hooks.killed != NULL)
        cache->hooks.killed(cache->hooks.opaque, block);
    block->dead = true;
    cache->count--;
    if (keep)
        retire(cache, block);
    else
        bury(cache, block);
}

/* Would a store there change what was translated? */
static bool overlaps(const Block *block, uint32_t offset, uint32_t size) {
    uint32_t start = block->key.physical & PAGE_OFFSET_MASK, end = start + block->byte_count;
    if (start >= offset + size || offset >= end)
        return false;
    uint32_t low = offset > start ? offset : start;
    uint32_t high = offset + size < end ? offset + size : end;
    for (unsigned i = 0; i < block->hole_count; i++) {
        uint32_t hole = start + block->hole[i].offset;
        if (hole <= low && high <= hole + block->hole[i].size)
            return false;
    }
    return true;
}

bool block_meets_store(const Block *block, uint32_t physical, uint32_t size) {
    return block->key.second_page == 0 && /* else it is one instruction */
           block->key.physical >> PAGE_BITS == physical >> PAGE_BITS &&
           overlaps(block, physical & PAGE_OFFSET_MASK, size);
}

bool block_cache_holds_code(const BlockCache *cache, uint32_t physical, uint32_t size) {
    const CodeBytes *code = physical_map_code_bytes(cache->map, physical >> PAGE_BITS);
    return code != NULL && code_bytes_hold(code, physical & PAGE_OFFSET_MASK, size);
}

uint32_t block_cache_page_deaths(const BlockCache *cache, uint32_t physical_page) {
    const CodeBytes *code = physical_map_code_bytes(cache->map, physical_page);
    return code != NULL ? code->deaths : 0;
}

/* Kills a block of this page. The bits of another one that it lies on stay while that has blocks: a
 * store that meets them finds out. */
static void kill_on_page(BlockCache *cache, Block *block, uint32_t page_number, bool keep) {
    uint32_t first = block->key.physical >> PAGE_BITS;
    uint32_t other = first != page_number          ? first
                     : block->key.second_page != 0 ? block->key.second_page - 1
                                                   : page_number;
    kill_block(cache, block, keep);
    if (other != page_number && is_empty(cache->page[other]))
        settle_empty_page(cache, other);
}

static void kill_in_list(BlockCache *cache, Block *block, uint32_t page_number, uint32_t offset,
                         uint32_t size, bool keep) {
    for (Block *next; block != NULL; block = next) {
        next = block->next_in_page;
        if (size == PAGE_SIZE || overlaps(block, offset, size))
            kill_on_page(cache, block, page_number, keep);
    }
}

static bool invalidate_in_page(BlockCache *cache, uint32_t page_number, uint32_t offset,
                               uint32_t size, bool keep) {
    CodePage *page = cache->page[page_number];
    if (page == NULL || !code_bytes_hold(page->code, offset, size))
        return false;
    uint32_t store_offset = offset, stored = size;
    if (page->count > CROWDED) {
        offset = 0;
        size = PAGE_SIZE;
    }
    size_t count = page->count;
    uint32_t low = offset, high = offset + size; /* around all bytes of blocks that may die */
    for (unsigned i = 0; i < PAGE_LISTS; i++) {
        if (!list_reaches(page, i, offset, size))
            continue;
        kill_in_list(cache, page->first[i], page_number, offset, size, keep);
        low = minimum(low, i * LIST_BYTES);
        if (high < (i + 1) * LIST_BYTES + page->longest[i])
            high = minimum((i + 1) * LIST_BYTES + page->longest[i], PAGE_SIZE);
    }
    if (page->first_ending != NULL)
        low = 0;
    for (Block *next, *block = page->first_ending; block != NULL; block = next) {
        next = block->next_in_second_page;
        if (offset < second_part(block))
            kill_on_page(cache, block, page_number, keep);
    }
    page->code->deaths += (uint32_t)(count - page->count);
    bool any = count != page->count;
    if (any && keep && stored <= STORE_MAX)
        code_bytes_note_store(page->code, store_offset, stored);
    else if (stored >= PAGE_FILL)
        code_bytes_forget_history(page->code);
    if (is_empty(page))
        settle_empty_page(cache, page_number);
    else
        remark_bytes(cache, page_number, low, high - low);
    return any;
}

static bool invalidate(BlockCache *cache, uint32_t physical, uint32_t size, bool keep) {
    bool any = false;
    while (size > 0) {
        uint32_t offset = physical & PAGE_OFFSET_MASK;
        uint32_t part = PAGE_SIZE - offset < size ? PAGE_SIZE - offset : size;
        any |= invalidate_in_page(cache, physical >> PAGE_BITS, offset, part, keep);
        physical += part;
        size -= part;
    }
    return any;
}

bool block_cache_invalidate(BlockCache *cache, uint32_t physical, uint32_t size) {
    return invalidate(cache, physical, size, true);
}

bool block_cache_invalidate_changed(BlockCache *cache, uint32_t physical, uint32_t size) {
    return invalidate(cache, physical, size, false);
}

void block_cache_forget_place(BlockCache *cache, const BlockKey *key) {
    uint32_t page_number = key->physical >> PAGE_BITS;
    for (Block *next, *block = *find_bucket(cache, key); block != NULL; block = next) {
        next = block->next_in_bucket;
        if (same_place(&block->key, key))
            kill_on_page(cache, block, page_number, false);
    }
    CodePage *page = cache->page[page_number];
    if (page != NULL && is_empty(page))
        settle_empty_page(cache, page_number);
    else if (page != NULL)
        remark_bytes(cache, page_number, 0, PAGE_SIZE);
}

const uint8_t *block_find_adapter(const Block *block, uint32_t flag_state) {
    for (const BlockAdapter *adapter = block->adapters; adapter != NULL; adapter = adapter->next)
        if (adapter->flag_state == flag_state)
            return adapter->code;
    return NULL;
}

void block_add_adapter(Block *block, uint32_t flag_state, const uint8_t *code) {
    BlockAdapter *adapter = allocate_zeroed(sizeof(*adapter));
    *adapter = (BlockAdapter){block->adapters, flag_state, code};
    block->adapters = adapter;
}

static void free_block(Block *block) {
    for (BlockAdapter *next, *adapter = block->adapters; adapter != NULL; adapter = next) {
        next = adapter->next;
        free(adapter);
    }
    free((void *)block->uops);
    free(block->retired_bytes);
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
            release_page(cache, block->key.physical >> PAGE_BITS);
            if (block->key.second_page != 0)
                release_page(cache, block->key.second_page - 1);
            free_block(block);
        }
    for (uint32_t i = 0; i < cache->idle_count; i++)
        release_page(cache, cache->idle[i]);
    cache->idle_count = 0;
    for (Block *block; (block = retired_blocks_drop(&cache->retired)) != NULL;)
        bury(cache, block);
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
