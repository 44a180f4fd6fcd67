/* Copying and comparing memory in 16-byte units, as C libraries do (SSE2). */
#include <emmintrin.h>

#include "program_runtime.h"

enum { COUNT = 16384, REPETITIONS = 1600 };

static __m128i source[COUNT];
static __m128i target[COUNT];

static void copy(void) {
    for (size_t i = 0; i < COUNT; i += 4) {
        __m128i first = _mm_load_si128(source + i);
        __m128i second = _mm_load_si128(source + i + 1);
        __m128i third = _mm_load_si128(source + i + 2);
        __m128i fourth = _mm_load_si128(source + i + 3);
        _mm_store_si128(target + i, first);
        _mm_store_si128(target + i + 1, second);
        _mm_store_si128(target + i + 2, third);
        _mm_store_si128(target + i + 3, fourth);
    }
}

static uint32_t count_zeros(void) {
    const __m128i zero = _mm_setzero_si128();
    uint32_t count = 0;
    for (size_t i = 0; i < COUNT; i++) {
        count += _mm_movemask_epi8(_mm_cmpeq_epi8(target[i], zero)) != 0;
    }
    return count;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t *bytes = (uint8_t *)source;
    fill_random(source, sizeof source);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        copy();
        sum = checksum_add(sum, count_zeros());
        bytes[left * 7919 % sizeof source] ^= (uint8_t)left;
    }
    return sum;
}
