/* The x87 transcendental functions.
 *
 * Each one reduces its argument until a short Taylor series converges, with tables in steps of 1/32
 * where a reduction by periods or halving is not enough. What may become small is kept as a factor
 * in front of the series, so that the relative error stays small; sums that cannot become small are
 * taken in fixed point. All results but the exact cases treated apart are irrational (a non-zero
 * algebraic argument gives a transcendental result), so 'inexact' is known without looking at the
 * bits.
 *
 * Relative errors before rounding, each by the tail of its series (float_wide.h) with n terms
 * before it, and by what the series leaves out: largest argument  n   tail      left out sine x^2 =
 * 0.617       7   2^-105    2^-112 cosine         x^2 = 0.617       7   2^-100    2^-107   (of
 * 0.707 at least) arctangent     x^2 = 2^-11.9     3   2^-98.5   2^-111 logarithm      x^2 =
 * 2^-12.9     3   2^-101    2^-120 exponential    x = 2^-6.5        5   2^-102    2^-110 Divisions
 * add 2^-113, and sums in fixed point 2^-106. */
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
enum { ESTIMATED = 30 };
#define TWO_OVER_PI UINT64_C(0xA2F9836E4E441529) /* in units of 2^-64 */

bool float80_is_angle_in_range(Float80 a) {
    FloatParts x = float80_unpack(a);
    return x.class != FLOAT_FINITE || x.exponent < 63;
}

/* x modulo pi/2, in units of 2^-67, in which pi/2 is PI_66_SCALED, for exponents from -1 to
 * ESTIMATED. The quotient is that of a 2/pi with a relative error of 2^-64, which is the nearest
 * one where the rest is not within 2^-30 of pi/4. */
static Uint128 divide_by_half_pi(uint64_t significand, int32_t exponent, uint64_t *quotient) {
    uint64_t half_units = (uint64_t)((Uint128)significand * TWO_OVER_PI >> 64) >> (62 - exponent);
    *quotient = (half_units >> 1) + (half_units & 1);
    return ((Uint128)significand << (exponent + 4)) - *quotient * PI_66_SCALED;
}

/* The same bit by bit, for any exponent. */
static Uint128 divide_large_by_half_pi(uint64_t significand, int32_t exponent, uint64_t *quotient) {
    Uint128 rest = significand;
    *quotient = 0;
    for (int i = 0; i < exponent + 4; i++) {
        rest <<= 1;
        *quotient <<= 1;
        if (rest >= PI_66_SCALED) {
            rest -= PI_66_SCALED;
            *quotient |= 1;
        }
    }
    bool beyond = 2 * rest > PI_66_SCALED;
    *quotient += beyond;
    return beyond ? rest - PI_66_SCALED : rest;
}

/* Gives |x| - quotient * pi/2, at most pi/4 + 2^-30 in magnitude, exactly. The quotient is
 * needed modulo 4. The rest is never 0: the 66-bit pi has an odd factor of 66 bits, which no 64-bit
 * significand holds. */
static FloatParts reduce_angle(const FloatParts *x, uint64_t *quotient) {
    FloatParts magnitude = *x;
    magnitude.sign = false;
    *quotient = 0;
    if (x->exponent < -1)
        return magnitude;
    uint64_t significand = (uint64_t)(x->significand >> 64);
    Uint128 rest = x->exponent <= ESTIMATED
                       ? divide_by_half_pi(significand, x->exponent, quotient)
                       : divide_large_by_half_pi(significand, x->exponent, quotient);
    bool negative = rest >> 127 != 0;
    return float_make(negative, negative ? -rest : rest, -67);
}

/* 'factor' times a sum in units of 2^-127. */
static FloatParts scale(FloatParts factor, Uint128 sum) {
    if (factor.class == FLOAT_ZERO)
        return factor;
    return float_make(factor.sign, float_wide_multiply_high(factor.significand, sum),
                      factor.exponent - 126);
}

/* The square of a number below 1, in units of 2^-128. */
static Uint128 square_to_fixed(const FloatParts *x) {
    int shift = -2 * (x->exponent + 1);
    if (x->class == FLOAT_ZERO || shift > 127)
        return 0;
    return float_wide_multiply_high(x->significand, x->significand) >> shift;
}

/* Sine, or cosine, of an angle of about pi/4 at most. */
static FloatParts evaluate_octant(FloatParts angle, Uint128 square, bool cosine) {
    if (cosine)
        return float_make(false, float_wide_series(&x87_cosine_series, true, square), -127);
    return scale(angle, float_wide_series(&x87_sine_series, true, square));
}

/* Both functions of a finite argument, or the one whose result is not NULL. */
static void evaluate_sine_cosine(const FloatParts *x, FloatParts *sine, FloatParts *cosine) {
    uint64_t quadrant;
    FloatParts angle = reduce_angle(x, &quadrant);
    Uint128 square = square_to_fixed(&angle);
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
    if (x.exponent < -40) /* x + x^3 / 3: by less than 2^-80 of it above x */
        return finish_irrational(x, status);
    evaluate_sine_cosine(&x, &sine, &cosine);
    return finish_irrational(float_wide_divide(sine, cosine), status);
}

/* Arctangent. */

/* atan or artanh of a small number. */
static FloatParts evaluate_small_arctangent(FloatParts t, bool hyperbolic) {
    return scale(t, float_wide_series(&x87_arctangent_series, !hyperbolic, square_to_fixed(&t)));
}

/* atan y / x of two positive numbers, y at most x / 64. */
static FloatParts divide_small_angle(const FloatParts *y, const FloatParts *x) {
    enum { LINEAR = 66 };
    if (x->exponent - y->exponent < LINEAR)
        return evaluate_small_arctangent(float_wide_divide(*y, *x), false);
    /* What t^3 / 3 takes off the quotient t is less than what quotients of 64-bit numbers keep from
     * others of 65 bits. */
    FloatStatus status = {.rounding = ROUND_NEAREST};
    FloatParts quotient;
    float_divide(&quotient, y, x, &status);
    bool exact = (quotient.significand & 1) == 0;
    return float_make(false, quotient.significand - exact, quotient.exponent - 127);
}

/* About 32 y / x of two positive numbers, y at most x. */
static unsigned estimate_step(const FloatParts *y, const FloatParts *x) {
    int32_t distance = x->exponent - y->exponent;
    if (distance > 6)
        return 0;
    uint32_t dividend = (uint32_t)(y->significand >> 108) << 6,
             divisor = (uint32_t)(x->significand >> 108);
    return ((dividend >> distance) / divisor + 1) >> 1;
}

/* atan y / x = atan c + atan((y - c x) / (x + c y)) with c = k / 32: the latter argument, of 64-bit
 * numbers y and x whose exponents are at most 6 apart. */
static FloatParts divide_beside_step(const FloatParts *y, const FloatParts *x, unsigned k) {
    Uint128 small = y->significand >> 64;
    Uint128 large = (x->significand >> 64) << (x->exponent - y->exponent);
    Uint128 difference = STEPS * small - k * large;
    bool negative = difference >> 127 != 0;
    return float_wide_divide(float_make(negative, negative ? -difference : difference, 0),
                             float_make(false, STEPS * large + k * small, 0));
}

enum { ANGLE_PLACES = 124 }; /* angles up to pi in fixed point */

static Uint128 constant_angle(const FloatConstant *value) {
    FloatParts parts = float_wide_constant(value);
    return float_wide_to_fixed(&parts, ANGLE_PLACES);
}

/* The angle of the positive numbers y and x, or where 'beyond', of y and -x. */
static FloatParts evaluate_arctangent(FloatParts y, FloatParts x, bool beyond) {
    bool swap = float_order(&y, &x) > 0;
    const FloatParts *small = swap ? &x : &y, *large = swap ? &y : &x;
    unsigned k = estimate_step(small, large);
    FloatParts rest = k == 0
                          ? divide_small_angle(small, large)
                          : evaluate_small_arctangent(divide_beside_step(small, large, k), false);
    if (k == 0 && !swap && !beyond)
        return rest;
    Uint128 angle = float_wide_to_fixed(&rest, ANGLE_PLACES);
    if (rest.sign)
        angle = -angle;
    if (k != 0)
        angle += constant_angle(&x87_arctangents[k - 1]);
    if (swap)
        angle = constant_angle(&x87_half_pi) - angle;
    if (beyond)
        angle = constant_angle(&x87_pi) - angle;
    return float_make(false, angle, -ANGLE_PLACES);
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
    FloatParts angle = evaluate_arctangent(a, b, x_sign);
    angle.sign = y_sign;
    return finish_irrational(angle, status);
}

/* Exponential. */

static bool is_one(const FloatParts *x) {
    return x->class == FLOAT_FINITE && x->exponent == 0 && x->significand == FLOAT_TOP_BIT;
}

/* 2^x - 1 for a 64-bit number x below 1 in magnitude, but not 0. With c = k / 32 it is
 * 2^c (2^(x - c) - 1) + (2^c - 1). */
static FloatParts evaluate_exponential(const FloatParts *x) {
    int k = nearest_step(x);
    const FloatParts ln_2 = constant(&x87_ln_2, false);
    if (k == 0) {
        FloatParts g = float_wide_multiply(*x, ln_2);
        Uint128 fixed = float_wide_to_fixed(&g, 128);
        return scale(g, float_wide_series(&x87_exponential_series, g.sign, fixed));
    }
    Uint128 distance = float_wide_to_fixed(x, 127) - ((Uint128)(x->sign ? -k : k) << 122);
    bool farther = distance >> 127 == 0; /* |x| > |c| */
    bool negative = farther == x->sign;
    Uint128 g = float_wide_multiply_high(farther ? distance : -distance, ln_2.significand) << 1;
    Uint128 rest = float_wide_multiply_high(
        g, float_wide_series(&x87_exponential_series, negative, g)); /* 2^-127 */
    const FloatConstant *entry = &x87_exponentials[k + STEPS];
    FloatParts parts = float_wide_constant(entry);
    Uint128 power = float_wide_to_fixed(&parts, 126);
    rest = float_wide_multiply_high(power, rest) << 1; /* 2^-126 */
    Uint128 result = power - ((Uint128)1 << 126) + (negative ? -rest : rest);
    return float_make(x->sign, x->sign ? -result : result, -126);
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
    FloatParts result = evaluate_exponential(&x);
    return finish_irrational(result, status);
}

/* Logarithms. */

/* log2((1 + s) / (1 - s)) = 2 / ln 2 * artanh s, for a small s. */
static FloatParts log2_of_ratio(FloatParts s) {
    return float_wide_multiply(constant(&x87_two_over_ln_2, false),
                               evaluate_small_arctangent(s, true));
}

enum { LOG_PLACES = 112 }; /* logarithms, up to 2^14, in fixed point */

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
    Uint128 c = (Uint128)(unsigned)k << 121, fixed = float_wide_to_fixed(&x, 126);
    bool below = fixed < c;
    FloatParts rest =
        log2_of_ratio(float_wide_divide(float_make(below, below ? c - fixed : fixed - c, -126),
                                        float_make(false, fixed + c, -126)));
    if (k == STEPS && exponent == 0)
        return rest;
    Uint128 sum = float_wide_to_fixed(&rest, LOG_PLACES);
    if (below)
        sum = -sum;
    if (k != STEPS) {
        FloatParts entry = constant(&x87_logarithms[k - 22], false);
        Uint128 step = float_wide_to_fixed(&entry, LOG_PLACES);
        sum += k < STEPS ? -step : step;
    }
    sum += (Uint128)exponent << LOG_PLACES;
    bool negative = sum >> 127 != 0;
    return float_make(negative, negative ? -sum : sum, -LOG_PLACES);
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
