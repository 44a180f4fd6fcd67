/* Bits: scans, tests by register, population counts, byte swaps, double shifts, rotates through the
 * carry flag, and conditions kept in registers. */
#include "program_runtime.h"

enum { REPETITIONS = 7000000, MAP_WORDS = 64 };

static uint32_t map[MAP_WORDS];

static uint32_t rotate_through_carry(uint32_t value, uint8_t count) {
    __asm__ volatile("rcll %%cl, %0\n\trcrl $3, %0\n\tadcl $0, %0"
                     : "+r"(value)
                     : "c"(count)
                     : "cc");
    return value;
}

/* The carry flag in is that of BT on the map. */
static uint32_t test_bit(uint32_t bit, uint32_t value) {
    __asm__ volatile("btl %1, %2\n\trcrl $1, %0\n\tbtcl %1, %2\n\tadcl %1, %0"
                     : "+r"(value)
                     : "r"(bit), "m"(map)
                     : "cc", "memory");
    return value;
}

static uint32_t count_ones(uint32_t value) {
    uint32_t count = 0;
    for (; value; value &= value - 1) {
        count++;
    }
    return count;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        uint32_t random = random_next(&seed);
        sum += (uint32_t)__builtin_ctz(random) ^ (uint32_t)__builtin_clz(random | 1) << 8;
        sum = test_bit(random >> 21, sum);
        sum = __builtin_bswap32(sum) + count_ones(random & 0xfff);
        sum = rotate_through_carry(sum, (uint8_t)random);
        uint64_t wide = (uint64_t)sum << 32 | random;
        sum ^= (uint32_t)(wide >> (random & 31));
        sum += (random > sum) + ((int32_t)random < (int32_t)sum) * 4;
    }
    return sum;
}
