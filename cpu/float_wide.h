/* Arithmetic with all 128 bits of FloatParts' significand, for the insides of functions: errors of
 * a few units in the last of the 128 places are allowed, where nothing else is said, and nothing is
 * raised. Operands are finite
 * or zero. */
#ifndef REPRISE_FLOAT_WIDE_H
#define REPRISE_FLOAT_WIDE_H

#include "float_parts.h"

/* A positive constant: high:low / 2^127 * 2^exponent. */
typedef struct FloatConstant {
    uint64_t high, low;
    int32_t exponent;
} FloatConstant;

FloatParts float_wide_constant(const FloatConstant *constant);
FloatParts float_wide_add(FloatParts a, FloatParts b);
FloatParts float_wide_multiply(FloatParts a, FloatParts b);
/* The relative error is below 2^-113; quotients of at most 64 bits are exact. b is not zero. */
FloatParts float_wide_divide(FloatParts a, FloatParts b);

/* The high half of a product, at most 2 too small. */
static inline Uint128 float_wide_multiply_high(Uint128 a, Uint128 b) {
    uint64_t a_high = (uint64_t)(a >> 64), a_low = (uint64_t)a;
    uint64_t b_high = (uint64_t)(b >> 64), b_low = (uint64_t)b;
    Uint128 middle_1 = (Uint128)a_high * b_low, middle_2 = (Uint128)a_low * b_high;
    Uint128 carry = ((Uint128)(uint64_t)middle_1 + (uint64_t)middle_2) >> 64;
    return (Uint128)a_high * b_high + (middle_1 >> 64) + (middle_2 >> 64) + carry;
}

/* A number below 2^(127 - places) in magnitude, in units of 2^-places, cut off; its sign is left
 * out. */
static inline Uint128 float_wide_to_fixed(const FloatParts *a, int places) {
    int shift = 127 - places - a->exponent;
    return a->class == FLOAT_ZERO || shift > 127 ? 0 : a->significand >> shift;
}

/* Coefficients c[k] of a power series, the first of which is 1, each one followed by a smaller one.
 * Those of the head are in units of 2^-127. Those of the tail need only 64 bits, since they weigh
 * so much less: they are in units of 2^-(64 + tail_scale). */
typedef struct FloatSeries {
    struct {
        uint64_t high, low;
    } head[7];
    uint64_t tail[7];
    uint8_t head_count, tail_count;
    uint8_t tail_scale; /* the first of the tail is from 1/4 to 1/2, times 2^-tail_scale */
} FloatSeries;

/* c[0] + c[1] x + c[2] x^2 + ..., or with 'subtract': c[0] - c[1] x + c[2] x^2 - ..., in units of
 * 2^-127; x is below 1, in units of 2^-128. The error is absolute: a few units of 2^-127, and with
 * n terms in the head 2^-60 c[n] x^n, for the tail; what the series leaves out comes on top of it.
 * An exact sum of 1 is never given with 'subtract'. */
Uint128 float_wide_series(const FloatSeries *series, bool subtract, Uint128 x);

#endif
