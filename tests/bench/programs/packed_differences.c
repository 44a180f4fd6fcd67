/* Sums of absolute differences of pixel blocks, as a video coder searches motion (SSE2). */
#include <emmintrin.h>

#include "program_runtime.h"

enum { WIDTH = 256, HEIGHT = 64, BLOCK = 16, REPETITIONS = 1280 };

static __attribute__((aligned(16))) uint8_t frames[2][HEIGHT][WIDTH];

static uint32_t sum_differences(size_t row, size_t column, size_t shift) {
    __m128i sums = _mm_setzero_si128();
    for (size_t line = 0; line < BLOCK; line++) {
        const __m128i *old = (const __m128i *)&frames[0][row + line][column + shift];
        const __m128i *new = (const __m128i *)&frames[1][row + line][column];
        sums = _mm_add_epi32(sums, _mm_sad_epu8(_mm_loadu_si128(old), _mm_load_si128(new)));
    }
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8)));
}

static uint32_t find_motion(size_t row, size_t column) {
    uint32_t least = UINT32_MAX;
    for (size_t shift = 0; shift <= BLOCK; shift++) {
        uint32_t sum = sum_differences(row, column, shift);
        least = sum < least ? sum : least;
    }
    return least;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_random(frames, sizeof frames);
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t row = 0; row < HEIGHT; row += BLOCK) {
            for (size_t column = 0; column + BLOCK < WIDTH; column += BLOCK) {
                sum = checksum_add(sum, find_motion(row, column));
            }
        }
        frames[1][left % HEIGHT][left % WIDTH] ^= (uint8_t)left;
    }
    return sum;
}
