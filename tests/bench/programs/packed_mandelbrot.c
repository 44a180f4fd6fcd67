/* The Mandelbrot set, four points at a time, in packed single precision. */
#include <xmmintrin.h>

#include "program_runtime.h"

enum { WIDTH = 128, HEIGHT = 96, MOST_ITERATIONS = 128, REPETITIONS = 48 };

static __m128 count_iterations(__m128 x, __m128 y) {
    const __m128 limit = _mm_set1_ps(4);
    const __m128 one = _mm_set1_ps(1);
    __m128 real = _mm_setzero_ps();
    __m128 imaginary = _mm_setzero_ps();
    __m128 counts = _mm_setzero_ps();
    for (int i = 0; i < MOST_ITERATIONS; i++) {
        __m128 real_square = _mm_mul_ps(real, real);
        __m128 imaginary_square = _mm_mul_ps(imaginary, imaginary);
        __m128 inside = _mm_cmple_ps(_mm_add_ps(real_square, imaginary_square), limit);
        if (_mm_movemask_ps(inside) == 0) {
            break;
        }
        counts = _mm_add_ps(counts, _mm_and_ps(inside, one));
        __m128 product = _mm_mul_ps(real, imaginary);
        imaginary = _mm_add_ps(_mm_add_ps(product, product), y);
        real = _mm_add_ps(_mm_sub_ps(real_square, imaginary_square), x);
    }
    return counts;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    const __m128 offsets = _mm_setr_ps(0, 0.0234375f, 0.046875f, 0.0703125f);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (int row = 0; row < HEIGHT; row++) {
            __m128 y = _mm_set1_ps((float)row * 0.02083333f - 1);
            for (int column = 0; column < WIDTH; column += 4) {
                __m128 x = _mm_add_ps(_mm_set1_ps((float)column * 0.0234375f - 2), offsets);
                float counts[4];
                _mm_storeu_ps(counts, count_iterations(x, y));
                for (int i = 0; i < 4; i++) {
                    sum = checksum_add(sum, (uint32_t)(int)counts[i]);
                }
            }
        }
    }
    return sum;
}
