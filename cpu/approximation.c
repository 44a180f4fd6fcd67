/* For normal numbers the host's own approximation, which is good to 1.5 * 2^-12, tells where the
 * result is to be looked for, and products of integers decide.
 *
 * 4096 times a result between 1/2 and 1 is v in 2048 to 4096, rounded to the nearest, which is
 *   of 1 / x:       the largest v with (2 * v - 1) * x <= 2^13
 *   of 1 / sqrt(x): the largest v with (2 * v - 1)^2 * x <= 2^26
 * No result lies in the middle between two v: but for powers of two the exact value has no end. */
#include "approximation.h"
#include "float_parts.h"

enum { FRACTION_BITS = 23, BIAS = 127, FRACTION = (1 << FRACTION_BITS) - 1, HALF = 2048 };

uint32_t approximate_exactly(bool root, uint32_t bits) {
    enum { APPROXIMATION_BITS = 12 };
    FloatStatus status = {.rounding = ROUND_NEAREST,
                          .masked = FLOAT_EXCEPTIONS,
                          .denormals_are_zero = true,
                          .flush_to_zero = true};
    FloatParts x = float_unpack_32(bits), one = float_from_integer(1), result;
    if (x.denormal)
        x = float_zero(x.sign);
    if (float_is_nan(&x))
        return float_pack_32(&x);
    if (root) {
        FloatParts square_root;
        float_square_root(&square_root, &x, &status);
        if (float_is_nan(&square_root))
            return float_pack_32(&square_root);
        x = square_root;
    }
    float_divide(&result, &one, &x, &status);
    if (result.class == FLOAT_FINITE) {
        float_round_bits(&result, APPROXIMATION_BITS, &status);
        float_round(&result, &float_format_32, &status);
    }
    return float_pack_32(&result);
}

#if defined(__x86_64__)

/* A v that is right, or too small by up to 'CANDIDATES'. The host's may be off by 1.5 downwards and
 * upwards, was cut, and v is rounded. */
enum { CANDIDATES = 6, BELOW = 3 };

static uint32_t find_least(uint32_t estimate) {
    int32_t distance = (int32_t)(estimate - ((uint32_t)(BIAS - 1) << FRACTION_BITS));
    return (uint32_t)(distance >> (FRACTION_BITS - 11)) + HALF - BELOW;
}

static uint32_t approximate_reciprocal(uint32_t bits) {
    uint32_t fraction = bits & FRACTION, one = (uint32_t)BIAS << FRACTION_BITS, estimate;
    /* XMM8 is nobody's, and the compiler has no such registers in this file. */
    __asm__("movd %1, %%xmm8\n\trcpss %%xmm8, %%xmm8\n\tmovd %%xmm8, %0"
            : "=r"(estimate)
            : "r"(one | fraction));
    uint64_t x = fraction | 1u << FRACTION_BITS;
    uint32_t v = find_least(estimate);
    uint64_t product = (2 * (uint64_t)v + 1) * x;
    for (unsigned i = 0; i < CANDIDATES; i++, product += 2 * x)
        v += product <= UINT64_C(1) << (13 + FRACTION_BITS);
    uint32_t exponent = bits >> FRACTION_BITS & 0xFF;
    return (bits & 1u << 31) | (((2 * BIAS - 1 - exponent) << FRACTION_BITS) + ((v - HALF) << 12));
}

static uint32_t approximate_root(uint32_t bits) {
    uint32_t exponent = bits >> FRACTION_BITS, odd = ~exponent & 1, estimate;
    uint32_t scaled = (BIAS + odd) << FRACTION_BITS | (bits & FRACTION); /* 1 to 4 */
    __asm__("movd %1, %%xmm8\n\trsqrtss %%xmm8, %%xmm8\n\tmovd %%xmm8, %0"
            : "=r"(estimate)
            : "r"(scaled));
    uint64_t x = (uint64_t)((bits & FRACTION) | 1u << FRACTION_BITS) << odd;
    uint32_t v = find_least(estimate), least = v;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        uint64_t odd_number = 2 * (uint64_t)(least + i) + 1;
        v += odd_number * odd_number * x <= UINT64_C(1) << (26 + FRACTION_BITS);
    }
    /* The exponent less 'odd' is even; biased so that nothing is negative. */
    uint32_t result_exponent = BIAS - 1 - ((exponent - odd + BIAS) >> 1) + BIAS;
    return (result_exponent << FRACTION_BITS) + ((v - HALF) << 12);
}

uint32_t approximate(bool root, uint32_t bits) {
    uint32_t exponent = bits >> FRACTION_BITS;
    if (root && exponent >= 1 && exponent <= 2 * BIAS)
        return approximate_root(bits);
    /* Up to where the results are normal, too. */
    if (!root && (exponent & 0xFF) >= 1 && (exponent & 0xFF) <= 2 * BIAS - 2)
        return approximate_reciprocal(bits);
    return approximate_exactly(root, bits);
}

#else

uint32_t approximate(bool root, uint32_t bits) {
    return approximate_exactly(root, bits);
}

#endif
