/* See retired_blocks.h. */
#include "retired_blocks.h"
#include "allocate.h"
#include <string.h>

/* More bytes tell little more, and each look would have to read them. */
enum { HASHED_MAX = 64 };

static uint32_t hash_place(const BlockKey *key) {
    uint32_t hash = key->physical * 0x9E3779B1u ^ key->eip * 0x85EBCA77u ^
                    key->context * 0xC2B2AE3Du ^ key->flag_state * 0x27D4EB2Fu ^
                    (uint32_t)key->limit << 16 ^ key->second_page;
    return hash ^ hash >> 15;
}

/* Variants by flag state stand in sets of their own. */
static RetiredBlock *find_set(RetiredBlocks *retired, uint32_t place) {
    return retired->set[place % RETIRED_SETS];
}

static uint32_t hash_bytes(const uint8_t *bytes, uint32_t count) {
    uint64_t hash = count, word;
    for (; count >= sizeof word; count -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, bytes, count);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(hash >> 32);
}

/* Bytes before its first hole, on its first page. */
static uint32_t count_hashed(const Block *block, uint32_t first_count) {
    uint32_t count = block->hole_count != 0 ? block->hole[0].offset : first_count;
    count = count < first_count ? count : first_count;
    return count < HASHED_MAX ? count : HASHED_MAX;
}

Block *retired_blocks_add(RetiredBlocks *retired, Block *block, const BlockBytes *bytes) {
    if (block->retired_bytes == NULL)
        block->retired_bytes = allocate_zeroed(block->byte_count);
    memcpy(block->retired_bytes, bytes->first, bytes->first_count);
    if (bytes->second != NULL)
        memcpy(block->retired_bytes + bytes->first_count, bytes->second, bytes->second_count);
    uint32_t place = hash_place(&block->key);
    uint32_t hashed = count_hashed(block, bytes->first_count);
    RetiredBlock *set = find_set(retired, place);
    Block *oldest = set[RETIRED_WAYS - 1].block;
    memmove(set + 1, set, (RETIRED_WAYS - 1) * sizeof *set);
    set[0] = (RetiredBlock){.block = block,
                            .place = place,
                            .bytes_hash = hash_bytes(bytes->first, hashed),
                            .hashed_count = (uint16_t)hashed};
    retired->count += oldest == NULL;
    return oldest;
}

/* Is it of this key, and do the bytes stand there? */
static bool is_wanted(const Block *block, const BlockKey *key, const uint8_t *first,
                      const uint8_t *second) {
    const BlockKey *own = &block->key;
    if (own->physical != key->physical || own->eip != key->eip || own->context != key->context ||
        own->limit != key->limit || own->flag_state != key->flag_state ||
        own->second_page != key->second_page)
        return false;
    uint32_t to_end = PAGE_SIZE - (own->physical & PAGE_OFFSET_MASK), at = 0;
    uint32_t first_count = block->byte_count < to_end ? block->byte_count : to_end;
    for (unsigned i = 0; i < block->hole_count; i++) {
        uint32_t size = block->hole[i].offset - at;
        if (memcmp(block->retired_bytes + at, first + at, size) != 0)
            return false;
        at += size + block->hole[i].size;
    }
    return memcmp(block->retired_bytes + at, first + at, first_count - at) == 0 &&
           (second == NULL || memcmp(block->retired_bytes + first_count, second,
                                     block->byte_count - first_count) == 0);
}

static void remove_entry(RetiredBlocks *retired, RetiredBlock *set, unsigned way) {
    memmove(set + way, set + way + 1, (RETIRED_WAYS - 1 - way) * sizeof *set);
    set[RETIRED_WAYS - 1] = (RetiredBlock){0};
    retired->count--;
}

Block *retired_blocks_take(RetiredBlocks *retired, const BlockKey *key, const uint8_t *first,
                           const uint8_t *second) {
    uint32_t place = hash_place(key), hashed = UINT32_MAX, bytes_hash = 0;
    RetiredBlock *set = find_set(retired, place);
    for (unsigned way = 0; way < RETIRED_WAYS && set[way].block != NULL; way++) {
        const RetiredBlock *entry = &set[way];
        if (entry->place != place)
            continue;
        if (entry->hashed_count != hashed) {
            hashed = entry->hashed_count;
            bytes_hash = hash_bytes(first, hashed);
        }
        if (entry->bytes_hash != bytes_hash || !is_wanted(entry->block, key, first, second))
            continue;
        Block *block = entry->block;
        remove_entry(retired, set, way);
        return block;
    }
    return NULL;
}

Block *retired_blocks_drop(RetiredBlocks *retired) {
    if (retired->count == 0)
        return NULL;
    while (retired->set[retired->hand][0].block == NULL)
        retired->hand = (retired->hand + 1) % RETIRED_SETS;
    Block *block = retired->set[retired->hand][0].block;
    remove_entry(retired, retired->set[retired->hand], 0);
    return block;
}
