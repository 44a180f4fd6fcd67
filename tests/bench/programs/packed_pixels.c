/* Blending of pictures and saturated brightening by MMX. */
#include <mmintrin.h>

#include "program_runtime.h"

enum { PIXELS = 4096, REPETITIONS = 6000 };

static __m64 background[PIXELS / 2];
static __m64 foreground[PIXELS / 2];

/* background + (foreground - background) * weight / 128, a channel a word. */
static __m64 blend(__m64 back, __m64 front, __m64 weight) {
    const __m64 zero = _mm_setzero_si64();
    __m64 back_low = _mm_unpacklo_pi8(back, zero);
    __m64 back_high = _mm_unpackhi_pi8(back, zero);
    __m64 low = _mm_sub_pi16(_mm_unpacklo_pi8(front, zero), back_low);
    __m64 high = _mm_sub_pi16(_mm_unpackhi_pi8(front, zero), back_high);
    low = _mm_add_pi16(back_low, _mm_srai_pi16(_mm_mullo_pi16(low, weight), 7));
    high = _mm_add_pi16(back_high, _mm_srai_pi16(_mm_mullo_pi16(high, weight), 7));
    return _mm_packs_pu16(low, high);
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_random(background, sizeof background);
    for (size_t i = 0; i < PIXELS / 2; i++) {
        foreground[i] = background[PIXELS / 2 - 1 - i];
    }
    const __m64 brightness = _mm_set1_pi8(3);
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        const __m64 weight = _mm_set1_pi16((short)(left % 128));
        for (size_t i = 0; i < PIXELS / 2; i++) {
            __m64 pixels = blend(background[i], foreground[i], weight);
            background[i] = _mm_adds_pu8(pixels, brightness);
        }
    }
    uint32_t sum = CHECKSUM_START;
    for (size_t i = 0; i < PIXELS / 2; i++) {
        sum = checksum_add(sum, (uint32_t)_mm_cvtsi64_si32(background[i]));
    }
    _mm_empty();
    return sum;
}
