#include "page_pool.h"
#include "host_pages.h"
#include "physical_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first page of a chunk holds the address of the next chunk. */
#define CHUNK_BYTES ((size_t)1 << 20)

static void *next_of(const void *item) {
    void *next;
    memcpy(&next, item, sizeof next);
    return next;
}

static void set_next(void *item, const void *next) {
    memcpy(item, &next, sizeof next);
}

static void add_chunk(PagePool *pool) {
    uint8_t *chunk = host_pages_map(CHUNK_BYTES);
    if (chunk == NULL) {
        fputs("reprise: no memory for a copy of a guest's page\n", stderr);
        abort();
    }
    set_next(chunk, pool->chunks);
    pool->chunks = chunk;
    pool->next = chunk + PAGE_SIZE;
    pool->end = chunk + CHUNK_BYTES;
}

uint8_t *page_pool_take(PagePool *pool) {
    pool->taken++;
    if (pool->unused != NULL) {
        uint8_t *page = pool->unused;
        pool->unused = next_of(page);
        return page;
    }
    if (pool->next == pool->end)
        add_chunk(pool);
    uint8_t *page = pool->next;
    pool->next += PAGE_SIZE;
    return page;
}

void page_pool_give(PagePool *pool, uint8_t *page) {
    pool->taken--;
    set_next(page, pool->unused);
    pool->unused = page;
}

void page_pool_free(PagePool *pool) {
    while (pool->chunks != NULL) {
        void *chunk = pool->chunks;
        pool->chunks = next_of(chunk);
        host_pages_unmap(chunk, CHUNK_BYTES);
    }
    *pool = (PagePool){.chunks = NULL};
}
