/* Words at addresses that are no multiple of their size, one in sixteen of them across two lines of
 * the cache; and a walk of accesses that lie on two pages each. */
#include "program_runtime.h"

enum { PAGE_BYTES = 4096, PAGES = 16, SHIFT_PASSES = 3000, CROSSINGS = 6000000 };

typedef uint32_t __attribute__((aligned(1), may_alias)) UnalignedWord;
typedef uint16_t __attribute__((aligned(1), may_alias)) UnalignedHalf;

/* Adds each word to the next one, three bytes beside where words belong. */
static uint32_t shift_words(uint8_t *memory, uint32_t sum) {
    for (size_t at = 3; at + 12 <= (size_t)PAGES * PAGE_BYTES; at += 5) {
        uint32_t word = *(UnalignedWord *)(memory + at);
        sum += word;
        *(UnalignedWord *)(memory + at + 2) = word ^ sum;
        sum ^= *(UnalignedHalf *)(memory + at + 7);
    }
    return sum;
}

static uint32_t cross_pages(uint8_t *memory, uint32_t sum, uint32_t count) {
    size_t page = 0;
    for (; count; count--) {
        page = page % (PAGES - 1) + 1;
        uint8_t *at = memory + page * PAGE_BYTES - 1 - count % 3;
        sum += *(UnalignedWord *)at;
        *(UnalignedWord *)at = sum;
        sum ^= *(UnalignedHalf *)(memory + page * PAGE_BYTES - 1);
    }
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t *memory = map_memory((size_t)PAGES * PAGE_BYTES, MAP_READ | MAP_WRITE);
    fill_random(memory, (size_t)PAGES * PAGE_BYTES);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(SHIFT_PASSES, scale); left; left--) {
        sum = shift_words(memory, sum);
    }
    return cross_pages(memory, sum, scaled(CROSSINGS, scale));
}
