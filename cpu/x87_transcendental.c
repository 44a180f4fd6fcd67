/* The x87 transcendental functions.
 *
 * Each one reduces its argument until a short Taylor series converges to 2^-125, with tables in
 * steps of 1/32 where a reduction by periods or halving is not enough. What may become small is
 * kept as a factor in front of the series, so that the relative error stays small. All results but
 * the exact cases treated apart are irrational (a non-zero algebraic argument gives a
 * transcendental result), so 'inexact' is known without looking at the bits. */
#include "x87_transcendental.h"
#include "x87_transcendental_tables.h"
#include <stddef.h>

enum { STEPS = 32 }; /* table entries a unit */

/* Rounds a result that cannot be exact. */
static Float80 finish_irrational(FloatParts result, FloatStatus *status) {
    result.significand |= 1;
    float_round(&result, &float_format_80, status);
    return float80_pack(&result);
}

static Float80 raise_invalid(FloatStatus *status) {
    status->raised |= FLOAT_INVALID;
    return FLOAT80_INDEFINITE;
}

static FloatParts constant(const FloatConstant *value, bool sign) {
    FloatParts parts = float_wide_constant(value);
    parts.sign = sign;
    return parts;
}

/* k / 32. */
static FloatParts step(int k) {
    return float_make(k < 0, (Uint128)(k < 0 ? -k : k), -5);
}

/* The nearest k with k / 32 near x; |x| < 2. */
static int nearest_step(const FloatParts *x) {
    if (x->class != FLOAT_FINITE || x->exponent < -6)
        return 0;
    int magnitude = (int)(((x->significand >> (127 - 6 - x->exponent)) + 1) >> 1);
    return x->sign ? -magnitude : magnitude;
}

/* Sine, cosine, tangent. */

#define PI_66_HIGH                                                                                 \
    UINT64_C(0xC90FDAA22168C234) /* pi * 2^66 is this and another C: SDM vol. 1 8.3.8 */
#define PI_66_SCALED ((Uint128)PI_66_HIGH << 4 | 0xC)

bool float80_is_angle_in_range(Float80 a) {
    FloatParts x = float80_unpack(a);
    return x.class != FLOAT_FINITE || x.exponent < 63;
}

/* Gives |x| - quotient * pi/2, at most pi/4 in magnitude, exactly. The quotient is needed modulo 4.
 * The rest is never 0: the 66-bit pi has an odd factor of 66 bits, which no 64-bit significand
 * holds. */
static FloatParts reduce_angle(const FloatParts *x, unsigned *quotient) {
    FloatParts magnitude = *x;
    magnitude.sign = false;
    *quotient = 0;
    if (x->exponent < -1)
        return magnitude;
    Uint128 rest = x->significand >> 64; /* in units of 2^-67, in which pi/2 is PI_66_SCALED */
    for (int i = 0; i < x->exponent + 4; i++) {
        rest <<= 1;
        *quotient <<= 1;
        if (rest >= PI_66_SCALED) {
            rest -= PI_66_SCALED;
            *quotient |= 1;
        }
    }
    bool beyond = 2 * rest > PI_66_SCALED;
    if (beyond) {
        rest = PI_66_SCALED - rest;
        ++*quotient;
    }
    return float_make(beyond, rest, -67);
}

/* Sine, or cosine, of an angle of at most pi/4. */
static FloatParts evaluate_octant(FloatParts angle, FloatParts square, bool cosine) {
    if (cosine)
        return float_wide_polynomial(x87_cosine_coefficients, 17, true, square);
    return float_wide_multiply(angle,
                               float_wide_polynomial(x87_sine_coefficients, 17, true, square));
}

/* Both functions of a finite argument, or the one whose result is not NULL. */
static void evaluate_sine_cosine(const FloatParts *x, FloatParts *sine, FloatParts *cosine) {
    unsigned quadrant;
    FloatParts angle = reduce_angle(x, &quadrant);
    FloatParts square = float_wide_multiply(angle, angle);
    if (sine != NULL) {
        *sine = evaluate_octant(angle, square, quadrant & 1);
        sine->sign ^= x->sign != ((quadrant & 2) != 0);
    }
    if (cosine != NULL) {
        *cosine = evaluate_octant(angle, square, !(quadrant & 1));
        cosine->sign ^= ((quadrant + 1) & 2) != 0;
    }
}

void float80_sine_cosine(Float80 a, Float80 *sine, Float80 *cosine, FloatStatus *status) {
    FloatParts x = float80_unpack(a), s, c;
    Float80 results[2] = {a, {UINT64_C(1) << 63, 0x3FFF}}; /* for zeros */
    if (float_is_nan(&x)) {
        results[0] = results[1] = float80_propagate_nan(&x, &x, status);
    } else if (x.class == FLOAT_INFINITY) {
        results[0] = results[1] = raise_invalid(status);
    } else if (x.class == FLOAT_FINITE && !float_check_denormal(x.denormal, status)) {
        evaluate_sine_cosine(&x, sine == NULL ? NULL : &s, cosine == NULL ? NULL : &c);
        if (sine != NULL)
            results[0] = finish_irrational(s, status);
        if (cosine != NULL)
            results[1] = finish_irrational(c, status);
    }
    if (sine != NULL)
        *sine = results[0];
    if (cosine != NULL)
        *cosine = results[1];
}

Float80 float80_tangent(Float80 a, FloatStatus *status) {
    FloatParts x = float80_unpack(a), sine, cosine;
    if (float_is_nan(&x))
        return float80_propagate_nan(&x, &x, status);
    if (x.class == FLOAT_INFINITY)
        return raise_invalid(status);
    if (x.class == FLOAT_ZERO || float_check_denormal(x.denormal, status))
        return a;
    if (x.exponent < -60) /* x + x^3 / 3: by less than 128 bits can tell, but above x */
        return finish_irrational(x, status);
    evaluate_sine_cosine(&x, &sine, &cosine);
    return finish_irrational(float_wide_divide(sine, cosine), status);
}

/* Arctangent. */

/* Of a number above 0 and at most 1. */
static FloatParts evaluate_arctangent(FloatParts t) {
    int k = nearest_step(&t);
    if (k != 0) { /* atan t = atan c + atan((t - c) / (1 + t c)) */
        FloatParts one = step(STEPS), c = step(k);
        t = float_wide_divide(float_wide_subtract(t, c),
                              float_wide_add(one, float_wide_multiply(t, c)));
    }
    FloatParts series =
        float_wide_polynomial(x87_odd_reciprocals, 12, true, float_wide_multiply(t, t));
    FloatParts result = float_wide_multiply(t, series);
    return k == 0 ? result : float_wide_add(float_wide_constant(&x87_arctangents[k - 1]), result);
}

/* Zeros and infinities: a multiple of pi/4, or 0. */
static Float80 arctangent_special(const FloatParts *y, const FloatParts *x, FloatStatus *status) {
    FloatParts result;
    if (y->class == FLOAT_INFINITY && x->class == FLOAT_INFINITY) {
        result = constant(&x87_half_pi, false);
        if (x->sign)
            result = float_wide_add(result, constant(&x87_pi, false)); /* 3/2 pi */
        result.exponent--;
    } else if (y->class == FLOAT_ZERO || x->class == FLOAT_INFINITY) {
        if (!x->sign)
            return float80_pack(&(FloatParts){.class = FLOAT_ZERO, .sign = y->sign});
        result = constant(&x87_pi, false);
    } else {
        result = constant(&x87_half_pi, false);
    }
    result.sign = y->sign;
    return finish_irrational(result, status);
}

Float80 float80_arctangent(Float80 y, Float80 x, FloatStatus *status) {
    FloatParts a = float80_unpack(y), b = float80_unpack(x);
    if (float_is_nan(&a) || float_is_nan(&b))
        return float80_propagate_nan(&a, &b, status);
    if (float_check_denormal(a.denormal || b.denormal, status))
        return y;
    if (a.class != FLOAT_FINITE || b.class != FLOAT_FINITE)
        return arctangent_special(&a, &b, status);
    bool y_sign = a.sign, x_sign = b.sign;
    a.sign = b.sign = false;
    bool swap = float_order(&a, &b) > 0;
    FloatParts angle =
        evaluate_arctangent(swap ? float_wide_divide(b, a) : float_wide_divide(a, b));
    if (swap)
        angle = float_wide_subtract(constant(&x87_half_pi, false), angle);
    if (x_sign)
        angle = float_wide_subtract(constant(&x87_pi, false), angle);
    angle.sign = y_sign;
    return finish_irrational(angle, status);
}

/* Exponential. */

static bool is_one(const FloatParts *x) {
    return x->class == FLOAT_FINITE && x->exponent == 0 && x->significand == FLOAT_TOP_BIT;
}

Float80 float80_exp2_minus_1(Float80 a, FloatStatus *status) {
    FloatParts x = float80_unpack(a);
    if (float_is_nan(&x))
        return float80_propagate_nan(&x, &x, status);
    if (float_check_denormal(x.denormal, status) || x.class == FLOAT_ZERO)
        return a;
    if (x.class == FLOAT_INFINITY || is_one(&x)) {
        if (x.class == FLOAT_FINITE)
            status->raised |= FLOAT_INEXACT;
        if (x.sign) /* 1/2 - 1, 0 - 1 */
            return (Float80){UINT64_C(1) << 63, x.class == FLOAT_INFINITY ? 0xBFFF : 0xBFFE};
        return a;
    }
    if (x.exponent >= 0) {
        status->raised |= FLOAT_INEXACT;
        return a;
    }
    int k = nearest_step(&x); /* 2^x - 1 = 2^c (2^(x - c) - 1) + (2^c - 1) */
    FloatParts g = float_wide_multiply(float_wide_subtract(x, step(k)), constant(&x87_ln_2, false));
    FloatParts series = float_wide_polynomial(x87_exponential_coefficients, 16, false, g);
    FloatParts result = float_wide_multiply(g, series);
    if (k != 0) {
        FloatParts power = constant(&x87_exponentials[k + STEPS], false);
        result = float_wide_add(float_wide_multiply(power, result),
                                float_wide_subtract(power, step(STEPS)));
    }
    return finish_irrational(result, status);
}

/* Logarithms. */

/* log2((1 + s) / (1 - s)) = 2 / ln 2 * artanh s, for a small s. */
static FloatParts log2_of_ratio(FloatParts s) {
    FloatParts series =
        float_wide_polynomial(x87_odd_reciprocals, 12, false, float_wide_multiply(s, s));
    return float_wide_multiply(constant(&x87_two_over_ln_2, false), float_wide_multiply(s, series));
}

/* log2 of a positive number; exact for powers of 2. */
static FloatParts evaluate_log2(FloatParts x) {
    static const uint64_t root_of_2 = UINT64_C(0xB504F333F9DE6484);
    int32_t exponent = x.exponent;
    x.exponent = 0;
    if ((uint64_t)(x.significand >> 64) >=
        root_of_2) { /* into sqrt(1/2) to sqrt(2): no cancellation below */
        x.exponent = -1;
        exponent++;
    }
    int k = nearest_step(&x);
    FloatParts c = step(k);
    FloatParts result =
        log2_of_ratio(float_wide_divide(float_wide_subtract(x, c), float_wide_add(x, c)));
    if (k != STEPS)
        result = float_wide_add(constant(&x87_logarithms[k - 22], k < STEPS), result);
    FloatParts whole = float_from_integer(exponent);
    return float_wide_add(whole, result);
}

/* log2(x + 1), x > -1 and not 0. */
static FloatParts evaluate_log2_plus_1(FloatParts x) {
    FloatParts one = step(STEPS);
    if (x.exponent >= -7)
        return evaluate_log2(float_wide_add(x, one));
    return log2_of_ratio(float_wide_divide(x, float_wide_add(x, step(2 * STEPS))));
}

/* Is x + 1 a power of 2, so that the logarithm is an integer? */
static bool is_log2_plus_1_exact(const FloatParts *x) {
    FloatParts sum = float_wide_add(*x, step(STEPS));
    return x->class == FLOAT_FINITE && x->exponent < 64 && x->exponent >= -64 &&
           sum.class == FLOAT_FINITE && sum.significand == FLOAT_TOP_BIT;
}

/* The product with y, which may be zero or infinite, and so may the logarithm. */
static Float80 multiply_log(const FloatParts *y, const FloatParts *log, bool exact,
                            FloatStatus *status) {
    FloatParts result;
    if (y->class == FLOAT_FINITE && log->class == FLOAT_FINITE) {
        result = float_wide_multiply(*y, *log);
        if (!exact)
            return finish_irrational(result, status);
        float_round(&result, &float_format_80, status);
        /* Processors do not look whether it was exact after all. */
        status->raised |= FLOAT_INEXACT;
        if (result.exponent < float_format_80.min_exponent)
            status->raised |= FLOAT_UNDERFLOW;
        return float80_pack(&result);
    }
    float_multiply(&result, y, log, status);
    return float80_pack(&result);
}

Float80 float80_y_log2_x(Float80 y, Float80 x, FloatStatus *status) {
    FloatParts a = float80_unpack(y), b = float80_unpack(x), log;
    if (float_is_nan(&a) || float_is_nan(&b))
        return float80_propagate_nan(&a, &b, status);
    if (b.sign && b.class != FLOAT_ZERO)
        return raise_invalid(status);
    bool exact = b.class != FLOAT_FINITE || b.significand == FLOAT_TOP_BIT;
    if (b.class == FLOAT_ZERO) {
        log = float_infinity(true);
        if (a.class == FLOAT_FINITE)
            status->raised |= FLOAT_DIVIDE_BY_ZERO;
    } else if (b.class == FLOAT_INFINITY) {
        log = b;
    } else {
        log = evaluate_log2(b);
    }
    if (log.class != FLOAT_FINITE && a.class + log.class == FLOAT_INFINITY + FLOAT_ZERO)
        return raise_invalid(status);
    if (float_check_denormal(a.denormal || b.denormal, status))
        return y;
    return multiply_log(&a, &log, exact, status);
}

Float80 float80_y_log2_x_plus_1(Float80 y, Float80 x, FloatStatus *status) {
    FloatParts a = float80_unpack(y), b = float80_unpack(x), log;
    if (float_is_nan(&a) || float_is_nan(&b))
        return float80_propagate_nan(&a, &b, status);
    bool below = b.class == FLOAT_FINITE && b.sign && b.exponent >= 0; /* -1 or less */
    if (b.class == FLOAT_INFINITY && b.sign)
        return raise_invalid(status);
    log = b.class == FLOAT_FINITE && !below ? evaluate_log2_plus_1(b) : b;
    if (log.class != FLOAT_FINITE && a.class != FLOAT_FINITE && a.class != log.class)
        return raise_invalid(status);
    if (float_check_denormal(a.denormal || b.denormal, status))
        return y;
    if (below && a.class == FLOAT_FINITE) {
        status->raised |= FLOAT_INEXACT;
        return x;
    }
    return multiply_log(&a, &log, is_log2_plus_1_exact(&b), status);
}
