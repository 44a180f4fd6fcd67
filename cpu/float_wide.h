/* Arithmetic with all 128 bits of FloatParts' significand, for the insides of functions: errors of
 * a few units in the last of the 128 places are allowed, and nothing is raised. Operands are finite
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
FloatParts float_wide_subtract(FloatParts a, FloatParts b);
FloatParts float_wide_multiply(FloatParts a, FloatParts b);
FloatParts float_wide_divide(FloatParts a, FloatParts b); /* b is not zero */

/* c[0] + c[1] x + c[2] x^2 + ..., or with alternating signs: c[0] - c[1] x + c[2] x^2 - ... The
 * first coefficient is the largest and at most 1, |x| is below 1, and so are all partial sums below
 * 2: the error is absolute, a few units of 2^-127. */
FloatParts float_wide_polynomial(const FloatConstant *coefficients, unsigned count,
                                 bool alternating, FloatParts x);

#endif
