/* Locked instructions, as every program with threads has them: counters, compare and exchange, a
 * spin lock, bits of a map, and 64 bits at once. */
#include "program_runtime.h"

enum { REPETITIONS = 6000000, MAP_WORDS = 8 };

static uint32_t volatile counter;
static uint32_t volatile lock;
static uint32_t map[MAP_WORDS];
static uint64_t volatile pair __attribute__((aligned(8)));

static uint32_t set_bit(uint32_t bit) {
    uint8_t before;
    __asm__ volatile("lock btsl %2, %1\n\tsetc %0"
                     : "=q"(before), "+m"(map)
                     : "r"(bit)
                     : "cc", "memory");
    return before;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        uint32_t random = random_next(&seed);
        sum += __atomic_fetch_add(&counter, random, __ATOMIC_SEQ_CST);
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
        }
        sum ^= counter;
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
        uint32_t expected = random & 1 ? counter : random;
        sum += __atomic_compare_exchange_n(&counter, &expected, sum, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
        sum += set_bit(random >> 24);
        __atomic_fetch_and(&map[random >> 8 & 7], ~(1u << (random & 31)), __ATOMIC_SEQ_CST);
        uint64_t old = pair;
        __sync_val_compare_and_swap(&pair, old, old * 3 + random);
    }
    return sum ^ (uint32_t)pair ^ map[3];
}
