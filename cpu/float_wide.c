/* Arithmetic with 128-bit significands. */
#include "float_wide.h"

FloatParts float_wide_constant(const FloatConstant *constant) {
    return (FloatParts){.class = FLOAT_FINITE,
                        .significand = (Uint128)constant->high << 64 | constant->low,
                        .exponent = constant->exponent};
}

FloatParts float_wide_add(FloatParts a, FloatParts b) {
    FloatStatus status = {.rounding = ROUND_NEAREST};
    FloatParts sum;
    float_add(&sum, &a, &b, &status);
    return sum;
}

FloatParts float_wide_multiply(FloatParts a, FloatParts b) {
    bool sign = a.sign != b.sign;
    if (a.class == FLOAT_ZERO || b.class == FLOAT_ZERO)
        return float_zero(sign);
    Uint128 product = float_wide_multiply_high(a.significand, b.significand);
    return float_make(sign, product, a.exponent + b.exponent - 126);
}

/* 2^125 / divisor, whose top bit is set: the relative error is below 2^-59. By Newton's method. */
static uint64_t find_reciprocal(uint64_t divisor) {
    uint64_t estimate = UINT64_MAX / ((divisor >> 32) + 1) << 29; /* 30 bits, too small */
    uint64_t error = (UINT64_C(1) << 61) - (uint64_t)((Uint128)estimate * divisor >> 64);
    return estimate + (uint64_t)((Uint128)estimate * error >> 61);
}

FloatParts float_wide_divide(FloatParts a, FloatParts b) {
    bool sign = a.sign != b.sign;
    if (a.class == FLOAT_ZERO)
        return float_zero(sign);
    uint64_t reciprocal = find_reciprocal((uint64_t)(b.significand >> 64));
    /* 59 bits of the quotient, in units of 2^-61; what is left, which may be negative; and as many
     * bits more, in units of 2^-125. */
    uint64_t high = (uint64_t)((a.significand >> 64) * reciprocal >> 64);
    Uint128 taken = (b.significand >> 64) * high + ((Uint128)(uint64_t)b.significand * high >> 64);
    int64_t rest = (int64_t)((__int128)((a.significand >> 3) - taken) >> 5);
    __int128 low = (__int128)rest * (int64_t)reciprocal >> 56;
    /* To where the error does not reach: so exact quotients are exact. */
    Uint128 quotient = ((Uint128)high << 64) + (Uint128)low + (1 << 9);
    return float_make(sign, quotient >> 10, a.exponent - b.exponent - 115);
}

/* Horner's rule in fixed point. To subtract is to add the complement, which is one unit less: what
 * is cut off shows which side of the next number the sum is on. */
Uint128 float_wide_series(const FloatSeries *series, bool subtract, Uint128 x) {
    const Uint128 flip = subtract ? ~(Uint128)0 : 0;
    const uint64_t x_high = (uint64_t)(x >> 64), x_low = (uint64_t)x;
    uint64_t tail = series->tail[series->tail_count - 1];
    for (unsigned i = series->tail_count - 1u; i-- > 0;) {
        uint64_t product = (uint64_t)((Uint128)tail * x_high >> 64);
        tail = series->tail[i] + (product ^ (uint64_t)flip);
    }
    Uint128 product = (Uint128)tail * x_high + ((Uint128)tail * x_low >> 64);
    product >>= series->tail_scale + 1;
    Uint128 sum = 0;
    for (unsigned i = series->head_count; i-- > 0;) {
        sum = (Uint128)series->head[i].high << 64 | series->head[i].low;
        sum += product ^ flip;
        product = float_wide_multiply_high(sum, x);
    }
    return sum;
}
