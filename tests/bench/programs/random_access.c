/* Loads and stores at random places of 32 MB: few of the pages are in any TLB. */
#include "program_runtime.h"

enum { WORDS = 8 << 20, ACCESSES = 4000000 };

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t *words = map_memory((size_t)WORDS * sizeof *words, MAP_READ | MAP_WRITE);
    uint32_t seed = 1;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(ACCESSES, scale); left; left--) {
        uint32_t place = random_next(&seed);
        sum += words[place % WORDS];
        words[(place >> 9) % WORDS] = sum ^ left;
    }
    return sum;
}
