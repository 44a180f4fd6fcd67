/* A 64-bit hash of one page of RAM. */
#ifndef REPRISE_PAGE_HASH_H
#define REPRISE_PAGE_HASH_H

#include <stdbool.h>
#include <stdint.h>

/* 'content' is PAGE_SIZE bytes; equal contents on different pages have different hashes. XXH3 by
 * libxxhash; a build without that library has a hash of its own, whose values are comparable only
 * with those of such builds. */
uint64_t page_hash(const uint8_t *content, uint32_t page);

/* Does the page hold nothing but zeros? */
bool page_is_zero(const uint8_t *content);

#endif
