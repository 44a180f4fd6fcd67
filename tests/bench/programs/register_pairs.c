/* 64-bit arithmetic in pairs of 32-bit registers: random numbers, a product modulo a prime, fixed
 * point, comparisons and shifts, as a C compiler makes it. */
#include "program_runtime.h"

enum { REPETITIONS = 9000000 };

/* The high half of a 64 by 64 bit product. */
static uint64_t multiply_high(uint64_t left, uint64_t right) {
    uint64_t low = (uint64_t)(uint32_t)left * (uint32_t)right;
    uint64_t first = (left >> 32) * (uint32_t)right + (low >> 32);
    uint64_t second = (uint64_t)(uint32_t)left * (right >> 32) + (uint32_t)first;
    return (left >> 32) * (right >> 32) + (first >> 32) + (second >> 32);
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint64_t state = 0x9e3779b97f4a7c15;
    uint64_t total = 0;
    int64_t difference = 0;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t mixed = state ^ state >> 33;
        total += multiply_high(mixed, state);
        difference -= (int64_t)mixed >> 17;
        if (difference < (int64_t)total) {
            difference += (int64_t)(mixed << (left & 31));
        }
        total = (total << 7 | total >> 57) - (total > mixed);
    }
    total ^= (uint64_t)difference;
    return (uint32_t)(total ^ total >> 32);
}
