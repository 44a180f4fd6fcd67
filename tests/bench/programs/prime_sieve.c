/* The sieve of Eratosthenes over bytes that fit in a level 1 cache. */
#include "program_runtime.h"

enum { LIMIT = 32768, REPETITIONS = 3200 };

static uint8_t composite[LIMIT];

static uint32_t count_primes(void) {
    uint32_t count = 0;
    memset(composite, 0, sizeof composite);
    for (uint32_t number = 2; number < LIMIT; number++) {
        if (!composite[number]) {
            count++;
            for (uint32_t multiple = 2 * number; multiple < LIMIT; multiple += number) {
                composite[multiple] = 1;
            }
        }
    }
    return count;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum = checksum_add(sum, count_primes());
    }
    return sum;
}
