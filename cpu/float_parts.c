/* Exact floating-point arithmetic on unpacked numbers, and rounding to a format. IEEE 754; SDM vol.
 * 1 chapter 4. */
#include "float_parts.h"

const FloatFormat float_format_32 = {24, -126, 127, 192};
const FloatFormat float_format_64 = {53, -1022, 1023, 1536};
const FloatFormat float_format_80 = {64, -16382, 16383, 24576};

FloatParts float_zero(bool sign) {
    return (FloatParts){.class = FLOAT_ZERO, .sign = sign};
}

FloatParts float_infinity(bool sign) {
    return (FloatParts){.class = FLOAT_INFINITY, .sign = sign};
}

FloatParts float_default_nan(void) {
    return (FloatParts){
        .class = FLOAT_QNAN, .sign = true, .significand = FLOAT_TOP_BIT | FLOAT_QUIET_BIT};
}

FloatParts float_make(bool sign, Uint128 value, int32_t exponent) {
    if (value == 0)
        return float_zero(sign);
    int highest = float_highest_bit(value);
    return (FloatParts){.class = FLOAT_FINITE,
                        .sign = sign,
                        .significand = value << (127 - highest),
                        .exponent = exponent + highest};
}

Uint128 float_shift_sticky(Uint128 value, int count) {
    if (count == 0)
        return value;
    if (count > 127)
        return value != 0;
    return value >> count | ((value << (128 - count)) != 0);
}

static bool is_rounded_up(const FloatStatus *status, bool sign, Uint128 rest, Uint128 half,
                          bool odd) {
    switch (status->rounding) {
    case ROUND_NEAREST:
        return rest > half || (rest == half && odd);
    case ROUND_DOWN:
        return sign && rest != 0;
    case ROUND_UP:
        return !sign && rest != 0;
    default:
        return false;
    }
}

/* All of the number lies below the last place that is kept: the result is zero or one unit. */
static bool round_to_unit(FloatParts *parts, int keep, FloatStatus *status) {
    Uint128 rest = keep == 0 ? parts->significand : 1;
    status->rounded_up = is_rounded_up(status, parts->sign, rest, FLOAT_TOP_BIT, false);
    if (status->rounded_up) {
        parts->significand = FLOAT_TOP_BIT;
        parts->exponent += 1 - keep;
    } else {
        parts->class = FLOAT_ZERO;
    }
    return true;
}

bool float_round_bits(FloatParts *parts, int keep, FloatStatus *status) {
    if (keep <= 0)
        return round_to_unit(parts, keep, status);
    Uint128 unit = (Uint128)1 << (128 - keep);
    Uint128 rest = parts->significand & (unit - 1);
    bool odd = (parts->significand & unit) != 0;
    parts->significand -= rest;
    status->rounded_up = is_rounded_up(status, parts->sign, rest, unit >> 1, odd);
    if (status->rounded_up) {
        parts->significand += unit;
        if (parts->significand == 0) {
            parts->significand = FLOAT_TOP_BIT;
            parts->exponent++;
        }
    }
    return rest != 0;
}

/* The result of an unmasked overflow or underflow: its exponent is adjusted for the handler (SDM
 * vol. 1 8.5.4, 8.5.5), and if it still does not fit, which only FSCALE's may not, it is infinite
 * or zero. In the formats of SSE and stores it is dropped. */
static void adjust(FloatParts *parts, const FloatFormat *format, int by, FloatStatus *status) {
    bool is_kept = format->max_exponent == float_format_80.max_exponent;
    parts->exponent += by;
    if (is_kept && parts->exponent <= format->max_exponent &&
        parts->exponent >= format->min_exponent)
        return;
    status->rounded_up = by < 0;
    status->raised |= is_kept ? FLOAT_INEXACT : 0;
    *parts = by < 0 && is_kept ? float_infinity(parts->sign) : float_zero(parts->sign);
}

static void round_overflow(FloatParts *parts, const FloatFormat *format, FloatStatus *status,
                           bool inexact) {
    status->raised |= FLOAT_OVERFLOW;
    if ((status->masked & FLOAT_OVERFLOW) == 0) {
        status->raised |= inexact ? FLOAT_INEXACT : 0;
        adjust(parts, format, -format->wrap, status);
        return;
    }
    status->raised |= FLOAT_INEXACT;
    status->rounded_up = status->rounding == ROUND_NEAREST ||
                         status->rounding == (parts->sign ? ROUND_DOWN : ROUND_UP);
    if (status->rounded_up) {
        *parts = float_infinity(parts->sign);
    } else {
        parts->significand = ~(((Uint128)1 << (128 - format->precision)) - 1);
        parts->exponent = format->max_exponent;
    }
}

static void round_tiny(FloatParts *parts, const FloatFormat *format, FloatStatus *status) {
    FloatParts unbounded = *parts;
    bool inexact = float_round_bits(&unbounded, format->precision, status);
    bool tiny = unbounded.exponent < format->min_exponent;
    if (tiny && (status->masked & FLOAT_UNDERFLOW) == 0) {
        status->raised |= FLOAT_UNDERFLOW | (inexact ? FLOAT_INEXACT : 0);
        *parts = unbounded;
        adjust(parts, format, format->wrap, status);
        return;
    }
    if (tiny && status->flush_to_zero) {
        *parts = float_zero(parts->sign);
        status->raised |= FLOAT_UNDERFLOW | FLOAT_INEXACT;
        return;
    }
    int keep = format->precision - (format->min_exponent - parts->exponent);
    if (float_round_bits(parts, keep, status))
        status->raised |= FLOAT_INEXACT | (tiny ? FLOAT_UNDERFLOW : 0);
}

void float_round(FloatParts *parts, const FloatFormat *format, FloatStatus *status) {
    if (parts->exponent < format->min_exponent) {
        round_tiny(parts, format, status);
        return;
    }
    bool inexact = float_round_bits(parts, format->precision, status);
    if (parts->exponent > format->max_exponent)
        round_overflow(parts, format, status, inexact);
    else if (inexact)
        status->raised |= FLOAT_INEXACT;
}

bool float_check_denormal(bool denormal, FloatStatus *status) {
    if (denormal && (status->raised & (FLOAT_INVALID | FLOAT_DIVIDE_BY_ZERO)) == 0)
        status->raised |= FLOAT_DENORMAL;
    return (status->raised & FLOAT_BEFORE_OPERATION & ~status->masked) != 0;
}

static void set_invalid(FloatParts *result, FloatStatus *status) {
    *result = float_default_nan();
    status->raised |= FLOAT_INVALID;
}

static void add_magnitudes(FloatParts *result, const FloatParts *large, const FloatParts *small) {
    Uint128 a = float_shift_sticky(large->significand, 1);
    Uint128 b = float_shift_sticky(small->significand, large->exponent - small->exponent + 1);
    *result = float_make(large->sign, a + b, large->exponent + 1 - 127);
}

static void subtract_magnitudes(FloatParts *result, const FloatParts *large,
                                const FloatParts *small, const FloatStatus *status) {
    Uint128 b = float_shift_sticky(small->significand, large->exponent - small->exponent);
    Uint128 difference = large->significand - b;
    bool sign = difference == 0 ? status->rounding == ROUND_DOWN : large->sign;
    *result = float_make(sign, difference, large->exponent - 127);
}

static bool is_magnitude_less(const FloatParts *a, const FloatParts *b) {
    return a->exponent != b->exponent ? a->exponent < b->exponent : a->significand < b->significand;
}

void float_add(FloatParts *result, const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    if (a->class == FLOAT_INFINITY || b->class == FLOAT_INFINITY) {
        if (a->class == b->class && a->sign != b->sign)
            set_invalid(result, status);
        else
            *result = float_infinity(a->class == FLOAT_INFINITY ? a->sign : b->sign);
    } else if (a->class == FLOAT_ZERO && b->class == FLOAT_ZERO) {
        *result = float_zero(a->sign == b->sign ? a->sign : status->rounding == ROUND_DOWN);
    } else if (a->class == FLOAT_ZERO || b->class == FLOAT_ZERO) {
        *result = a->class == FLOAT_ZERO ? *b : *a;
    } else {
        bool swap = is_magnitude_less(a, b);
        const FloatParts large = swap ? *b : *a, small = swap ? *a : *b;
        if (a->sign == b->sign)
            add_magnitudes(result, &large, &small);
        else
            subtract_magnitudes(result, &large, &small, status);
    }
}

void float_multiply(FloatParts *result, const FloatParts *a, const FloatParts *b,
                    FloatStatus *status) {
    bool sign = a->sign != b->sign;
    if (a->class == FLOAT_FINITE && b->class == FLOAT_FINITE) {
        Uint128 product =
            (Uint128)(uint64_t)(a->significand >> 64) * (uint64_t)(b->significand >> 64);
        *result = float_make(sign, product, a->exponent + b->exponent - 126);
    } else if (a->class == FLOAT_INFINITY || b->class == FLOAT_INFINITY) {
        if (a->class == FLOAT_ZERO || b->class == FLOAT_ZERO)
            set_invalid(result, status);
        else
            *result = float_infinity(sign);
    } else {
        *result = float_zero(sign);
    }
}

/* 64 bits of quotient, one guard bit and a sticky bit. */
static void divide_finite(FloatParts *result, const FloatParts *a, const FloatParts *b) {
    uint64_t dividend = (uint64_t)(a->significand >> 64);
    uint64_t divisor = (uint64_t)(b->significand >> 64);
    int32_t exponent = a->exponent - b->exponent;
    Uint128 numerator = (Uint128)dividend << 63;
    if (dividend < divisor) {
        numerator <<= 1;
        exponent--;
    }
    uint64_t quotient = (uint64_t)(numerator / divisor);
    uint64_t remainder = (uint64_t)(numerator - (Uint128)quotient * divisor);
    uint64_t below = 0;
    if (remainder != 0) {
        bool guard = remainder >= divisor - remainder;
        bool sticky = remainder != divisor - remainder;
        below = (uint64_t)guard << 63 | sticky;
    }
    *result = (FloatParts){.class = FLOAT_FINITE,
                           .sign = a->sign != b->sign,
                           .significand = (Uint128)quotient << 64 | below,
                           .exponent = exponent};
}

void float_divide(FloatParts *result, const FloatParts *a, const FloatParts *b,
                  FloatStatus *status) {
    bool sign = a->sign != b->sign;
    if (a->class == FLOAT_FINITE && b->class == FLOAT_FINITE) {
        divide_finite(result, a, b);
    } else if (a->class == b->class) {
        set_invalid(result, status);
    } else if (a->class == FLOAT_INFINITY || b->class == FLOAT_ZERO) {
        if (a->class != FLOAT_INFINITY)
            status->raised |= FLOAT_DIVIDE_BY_ZERO;
        *result = float_infinity(sign);
    } else {
        *result = float_zero(sign);
    }
}

static uint32_t square_root_64(uint64_t value) {
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit != 0; bit >>= 1) {
        uint64_t trial = root | bit;
        if (trial * trial <= value)
            root = trial;
    }
    return (uint32_t)root;
}

/* Root of a number of at least 2^126, and what it leaves: Zimmermann's Karatsuba square root, one
 * step from 32 bits to 64. */
static uint64_t square_root_128(Uint128 value, Uint128 *remainder) {
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    uint64_t root_high = square_root_64(high);
    Uint128 rest = (Uint128)(high - root_high * root_high) << 32 | low >> 32;
    Uint128 quotient = rest / (2 * root_high);
    Uint128 root = ((Uint128)root_high << 32) + quotient;
    Uint128 left = (rest - quotient * 2 * root_high) << 32 | (uint32_t)low;
    Uint128 square = quotient * quotient;
    while (left < square) { /* at most twice */
        left += 2 * root - 1;
        root--;
    }
    *remainder = left - square;
    return (uint64_t)root;
}

void float_square_root(FloatParts *result, const FloatParts *a, FloatStatus *status) {
    if (a->class == FLOAT_ZERO || (a->class == FLOAT_INFINITY && !a->sign)) {
        *result = *a;
        return;
    }
    if (a->sign) {
        set_invalid(result, status);
        return;
    }
    /* An even exponent: significand in [1, 4), as an integer scaled by 2^126. */
    bool odd = (a->exponent & 1) != 0;
    Uint128 remainder;
    uint64_t root = square_root_128(odd ? a->significand : a->significand >> 1, &remainder);
    uint64_t below = (uint64_t)(remainder > root) << 63 | (remainder != 0);
    *result = (FloatParts){.class = FLOAT_FINITE,
                           .significand = (Uint128)root << 64 | below,
                           .exponent = (a->exponent - odd) / 2};
}

int float_order(const FloatParts *a, const FloatParts *b) {
    if (a->class == FLOAT_ZERO && b->class == FLOAT_ZERO)
        return 0;
    if (a->class == FLOAT_ZERO)
        return b->sign ? 1 : -1;
    if (b->class == FLOAT_ZERO || a->sign != b->sign)
        return a->sign ? -1 : 1;
    int larger = a->sign ? -1 : 1; /* the answer if |a| > |b| */
    if (a->class != b->class)
        return a->class == FLOAT_INFINITY ? larger : -larger;
    if (a->class == FLOAT_INFINITY ||
        (a->exponent == b->exponent && a->significand == b->significand))
        return 0;
    return is_magnitude_less(a, b) ? -larger : larger;
}

bool float_to_integer(const FloatParts *parts, int bits, FloatStatus *status, int64_t *value) {
    FloatParts rounded = *parts;
    *value = 0;
    if (parts->class == FLOAT_ZERO)
        return true;
    if (parts->class != FLOAT_FINITE || parts->exponent >= 64)
        return false;
    bool inexact = float_round_bits(&rounded, rounded.exponent + 1, status);
    uint64_t magnitude = 0;
    if (rounded.class == FLOAT_FINITE) {
        if (rounded.exponent >= 64)
            return false;
        magnitude = (uint64_t)(rounded.significand >> (127 - rounded.exponent));
    }
    uint64_t limit = (uint64_t)1 << (bits - 1); /* the magnitude of the most negative one */
    if (magnitude > limit - !rounded.sign)
        return false;
    if (inexact)
        status->raised |= FLOAT_INEXACT;
    *value = (int64_t)(rounded.sign ? 0 - magnitude : magnitude);
    return true;
}

FloatParts float_from_integer(int64_t value) {
    return float_make(value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0);
}

/* The two IEEE interchange formats differ in widths only. */
static FloatParts unpack_ieee(uint64_t bits, const FloatFormat *format, int width) {
    int fraction_bits = format->precision - 1;
    uint64_t fraction = bits & (((uint64_t)1 << fraction_bits) - 1);
    int biased = (int)(bits >> fraction_bits) & (2 * format->max_exponent + 1);
    bool sign = bits >> (width - 1) & 1;
    if (biased == 0) {
        FloatParts parts = float_make(sign, fraction, format->min_exponent - fraction_bits);
        parts.denormal = fraction != 0;
        return parts;
    }
    if (biased == 2 * format->max_exponent + 1 && fraction == 0)
        return float_infinity(sign);
    Uint128 significand = FLOAT_TOP_BIT | (Uint128)fraction << (127 - fraction_bits);
    FloatParts parts = {.class = FLOAT_FINITE,
                        .sign = sign,
                        .significand = significand,
                        .exponent = biased - format->max_exponent};
    if (biased == 2 * format->max_exponent + 1)
        parts.class = (significand & FLOAT_QUIET_BIT) != 0 ? FLOAT_QNAN : FLOAT_SNAN;
    return parts;
}

FloatParts float_unpack_32(uint32_t bits) {
    return unpack_ieee(bits, &float_format_32, 32);
}

FloatParts float_unpack_64(uint64_t bits) {
    return unpack_ieee(bits, &float_format_64, 64);
}

static uint64_t pack_ieee(const FloatParts *parts, const FloatFormat *format, int width) {
    int fraction_bits = format->precision - 1;
    uint64_t sign = (uint64_t)parts->sign << (width - 1);
    uint64_t all_ones = (uint64_t)(2 * format->max_exponent + 1) << fraction_bits;
    uint64_t fraction_mask = ((uint64_t)1 << fraction_bits) - 1;
    uint64_t significand = (uint64_t)(parts->significand >> (127 - fraction_bits));
    if (parts->class == FLOAT_ZERO)
        return sign;
    if (parts->class == FLOAT_INFINITY)
        return sign | all_ones;
    if (parts->class != FLOAT_FINITE)
        return sign | all_ones | (significand & fraction_mask) | (uint64_t)1 << (fraction_bits - 1);
    if (parts->exponent < format->min_exponent) { /* far below with underflow unmasked: unused */
        int shift = format->min_exponent - parts->exponent;
        return sign | (shift < 64 ? significand >> shift : 0);
    }
    return sign | (uint64_t)(parts->exponent + format->max_exponent) << fraction_bits |
           (significand & fraction_mask);
}

uint32_t float_pack_32(const FloatParts *parts) {
    return (uint32_t)pack_ieee(parts, &float_format_32, 32);
}

uint64_t float_pack_64(const FloatParts *parts) {
    return pack_ieee(parts, &float_format_64, 64);
}
