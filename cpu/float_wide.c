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

FloatParts float_wide_subtract(FloatParts a, FloatParts b) {
    b.sign = !b.sign;
    return float_wide_add(a, b);
}

/* The high half of the product, at most 2 too small. */
static Uint128 multiply_high(Uint128 a, Uint128 b) {
    uint64_t a_high = (uint64_t)(a >> 64), a_low = (uint64_t)a;
    uint64_t b_high = (uint64_t)(b >> 64), b_low = (uint64_t)b;
    Uint128 middle_1 = (Uint128)a_high * b_low, middle_2 = (Uint128)a_low * b_high;
    Uint128 carry = ((Uint128)(uint64_t)middle_1 + (uint64_t)middle_2) >> 64;
    return (Uint128)a_high * b_high + (middle_1 >> 64) + (middle_2 >> 64) + carry;
}

FloatParts float_wide_multiply(FloatParts a, FloatParts b) {
    bool sign = a.sign != b.sign;
    if (a.class == FLOAT_ZERO || b.class == FLOAT_ZERO)
        return float_zero(sign);
    Uint128 product = multiply_high(a.significand, b.significand);
    return float_make(sign, product, a.exponent + b.exponent - 126);
}

/* One digit to the base 2^64 of a division: rest < divisor, whose top bit is set. Knuth, TAOCP vol.
 * 2 4.3.1, algorithm D. */
static uint64_t divide_digit(Uint128 *rest, Uint128 divisor) {
    uint64_t high = (uint64_t)(divisor >> 64), low = (uint64_t)divisor;
    Uint128 digit = (uint64_t)(*rest >> 64) >= high ? UINT64_MAX : *rest / high;
    Uint128 left = *rest - digit * high;
    while (left >> 64 == 0 && digit * low > left << 64) {
        digit--;
        left += high;
    }
    *rest = (left << 64) - digit * low;
    return (uint64_t)digit;
}

FloatParts float_wide_divide(FloatParts a, FloatParts b) {
    bool sign = a.sign != b.sign;
    if (a.class == FLOAT_ZERO)
        return float_zero(sign);
    int32_t exponent = a.exponent - b.exponent;
    Uint128 rest = a.significand;
    if (rest >= b.significand) {
        rest >>= 1; /* the bit that falls out is below 2^-127 of the quotient */
        exponent++;
    }
    uint64_t high = divide_digit(&rest, b.significand);
    uint64_t low = divide_digit(&rest, b.significand);
    return float_make(sign, (Uint128)high << 64 | low, exponent - 128);
}

/* value * 2^127 of a constant that is at most 1; 0 where nothing is left. */
static Uint128 to_fixed(Uint128 significand, int32_t exponent) {
    return exponent < -127 ? 0 : significand >> -exponent;
}

/* Horner's rule in fixed point: every partial sum is between 0 and 2, in units of 2^-127. */
FloatParts float_wide_polynomial(const FloatConstant *coefficients, unsigned count,
                                 bool alternating, FloatParts x) {
    if (x.class == FLOAT_ZERO)
        return float_wide_constant(&coefficients[0]);
    /* Terms that are below the last place. */
    while (count > 1 &&
           coefficients[count - 1].exponent + (int32_t)(count - 1) * (x.exponent + 1) < -128)
        count--;
    Uint128 factor = to_fixed(x.significand, x.exponent + 1); /* in units of 2^-128 */
    bool subtract = alternating != x.sign;
    Uint128 sum = 0;
    for (unsigned i = count; i-- > 0;) {
        const FloatConstant *next = &coefficients[i];
        Uint128 product = multiply_high(sum, factor);
        sum = to_fixed((Uint128)next->high << 64 | next->low, next->exponent);
        /* What is cut off shows which side of the next number the sum is on. */
        sum = subtract ? sum - product - 1 : sum + product;
    }
    return float_make(false, sum, -127);
}
