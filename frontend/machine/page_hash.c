#include "page_hash.h"
#include "physical_map.h"

#include <string.h>

bool page_is_zero(const uint8_t *content) {
    return content[0] == 0 && memcmp(content, content + 1, PAGE_SIZE - 1) == 0;
}

#ifdef REPRISE_HAVE_XXHASH

#include <xxhash.h>

uint64_t page_hash(const uint8_t *content, uint32_t page) {
    return XXH3_64bits_withSeed(content, PAGE_SIZE, page);
}

#else

#include "little_endian.h"

#define LANES 4
#define MULTIPLIER 0x9FB21C651E98DF25ull /* odd, about half of its bits set */

/* Four independent lanes of xor, multiply and fold, so that the processor can overlap them. */
uint64_t page_hash(const uint8_t *content, uint32_t page) {
    uint64_t lane[LANES] = {page, ~(uint64_t)page, (uint64_t)page << 32, page * MULTIPLIER};
    for (uint32_t at = 0; at < PAGE_SIZE; at += 8 * LANES) {
        for (uint32_t i = 0; i < LANES; i++) {
            lane[i] = (lane[i] ^ load_le64(content + at + 8 * i)) * MULTIPLIER;
            lane[i] ^= lane[i] >> 29;
        }
    }
    uint64_t hash = page;
    for (uint32_t i = 0; i < LANES; i++) {
        hash = (hash ^ lane[i]) * MULTIPLIER;
        hash ^= hash >> 32;
    }
    return hash;
}

#endif
