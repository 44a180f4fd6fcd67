/* MMX: pictures blended with saturation, and sums of products of 16-bit samples. */
#include <mmintrin.h>

#include "program_runtime.h"

enum { BYTES = 16384, REPETITIONS = 4500 };

static uint8_t first[BYTES] __attribute__((aligned(8)));
static uint8_t second[BYTES] __attribute__((aligned(8)));

static void blend(void) {
    __m64 zero = _mm_setzero_si64();
    __m64 weight = _mm_set1_pi16(90);
    for (size_t i = 0; i < BYTES; i += 8) {
        __m64 *to = (__m64 *)(first + i);
        __m64 from = *(const __m64 *)(second + i);
        __m64 low = _mm_mullo_pi16(_mm_unpacklo_pi8(from, zero), weight);
        __m64 high = _mm_mullo_pi16(_mm_unpackhi_pi8(from, zero), weight);
        __m64 part = _mm_packs_pu16(_mm_srli_pi16(low, 8), _mm_srli_pi16(high, 8));
        *to = _mm_subs_pu8(_mm_adds_pu8(*to, part), _mm_set1_pi8(40));
    }
}

static uint32_t multiply_samples(void) {
    __m64 sum = _mm_setzero_si64();
    for (size_t i = 0; i < BYTES; i += 8) {
        __m64 left = *(const __m64 *)(first + i);
        __m64 right = *(const __m64 *)(second + i);
        __m64 larger = _mm_cmpgt_pi16(left, right);
        sum = _mm_add_pi32(sum, _mm_madd_pi16(left, right));
        sum = _mm_xor_si64(sum,
                           _mm_or_si64(_mm_and_si64(larger, left), _mm_andnot_si64(larger, right)));
    }
    return (uint32_t)_mm_cvtsi64_si32(_mm_add_pi32(sum, _mm_srli_si64(sum, 32)));
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_random(first, sizeof first);
    fill_random(second, sizeof second);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        blend();
        sum = checksum_add(sum, multiply_samples());
    }
    _mm_empty();
    return sum;
}
