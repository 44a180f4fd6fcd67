/* Copies of guest pages: taken from and given back to chunks of host memory. */
#ifndef REPRISE_PAGE_POOL_H
#define REPRISE_PAGE_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct PagePool {
    void *chunks; /* all of them, each with the next one's address at its start */
    void *unused; /* pages that were given back, each with the next one's address at its start */
    uint8_t *next, *end; /* of the newest chunk: pages that were never taken */
    size_t taken;        /* pages that somebody has */
} PagePool;

/* A page of PAGE_SIZE bytes with any content. The process ends if the host has none. */
uint8_t *page_pool_take(PagePool *pool);
void page_pool_give(PagePool *pool, uint8_t *page);
/* Frees all pages, taken or not. */
void page_pool_free(PagePool *pool);

#endif
