/* Products of 1024-bit numbers by the schoolbook method, and sums with carries. */
#include "program_runtime.h"

enum { WORDS = 32, REPETITIONS = 150000 };

static void multiply(uint32_t *product, const uint32_t *left, const uint32_t *right) {
    for (size_t i = 0; i < 2 * WORDS; i++) {
        product[i] = 0;
    }
    for (size_t i = 0; i < WORDS; i++) {
        uint32_t carry = 0;
        for (size_t j = 0; j < WORDS; j++) {
            uint64_t sum = (uint64_t)left[i] * right[j] + product[i + j] + carry;
            product[i + j] = (uint32_t)sum;
            carry = (uint32_t)(sum >> 32);
        }
        product[i + WORDS] = carry;
    }
}

static void add(uint32_t *to, const uint32_t *from) {
    uint32_t carry = 0;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t sum = (uint64_t)to[i] + from[i] + carry;
        to[i] = (uint32_t)sum;
        carry = (uint32_t)(sum >> 32);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t left[WORDS];
    uint32_t right[WORDS];
    uint32_t product[2 * WORDS];
    uint32_t seed = 1;
    for (size_t i = 0; i < WORDS; i++) {
        left[i] = random_next(&seed);
        right[i] = random_next(&seed);
    }
    for (uint32_t count = scaled(REPETITIONS, scale); count; count--) {
        multiply(product, left, right);
        add(left, product + WORDS);
        add(right, product);
    }
    return left[0] ^ right[WORDS - 1];
}
