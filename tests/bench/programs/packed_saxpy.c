/* y = a x + y over vectors in packed single precision, and the scalar product of both. */
#include <xmmintrin.h>

#include "program_runtime.h"

enum { COUNT = 4096, REPETITIONS = 16000 };

static __attribute__((aligned(16))) float x[COUNT];
static __attribute__((aligned(16))) float y[COUNT];

static float multiply_add(float factor) {
    __m128 factors = _mm_set1_ps(factor);
    __m128 sums = _mm_setzero_ps();
    for (size_t i = 0; i < COUNT; i += 4) {
        __m128 left = _mm_load_ps(x + i);
        __m128 right = _mm_add_ps(_mm_mul_ps(left, factors), _mm_load_ps(y + i));
        _mm_store_ps(y + i, right);
        sums = _mm_add_ps(sums, _mm_mul_ps(left, right));
    }
    sums = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));
    sums = _mm_add_ss(sums, _mm_shuffle_ps(sums, sums, 1));
    return _mm_cvtss_f32(sums);
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = (float)(random_next(&seed) >> 20) / 4096.0f;
        y[i] = (float)(random_next(&seed) >> 20) / 4096.0f;
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        float factor = left % 2 ? 0.25f : -0.25f;
        sum = checksum_add(sum, (uint32_t)(int)multiply_add(factor));
    }
    return sum;
}
