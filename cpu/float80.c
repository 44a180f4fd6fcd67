/* x87 arithmetic on double extended-precision numbers. */
#include "float80.h"

enum { EXPONENT_MASK = 0x7FFF, EXPONENT_BIAS = 16383, SIGN_BIT = 0x8000 };
#define INTEGER_BIT (UINT64_C(1) << 63)

FloatParts float80_unpack(Float80 value) {
    bool sign = (value.sign_exponent & SIGN_BIT) != 0;
    int biased = value.sign_exponent & EXPONENT_MASK;
    if (biased == 0) {
        FloatParts parts = float_make(sign, value.significand, 1 - EXPONENT_BIAS - 63);
        parts.denormal = value.significand != 0;
        return parts;
    }
    FloatParts parts = {.significand = (Uint128)value.significand << 64,
                        .exponent = biased - EXPONENT_BIAS,
                        .class = FLOAT_FINITE,
                        .sign = sign};
    if ((value.significand & INTEGER_BIT) == 0)
        parts.class = FLOAT_UNSUPPORTED;
    else if (biased == EXPONENT_MASK && value.significand == INTEGER_BIT)
        parts.class = FLOAT_INFINITY;
    else if (biased == EXPONENT_MASK)
        parts.class = (parts.significand & FLOAT_QUIET_BIT) != 0 ? FLOAT_QNAN : FLOAT_SNAN;
    return parts;
}

Float80 float80_pack(const FloatParts *parts) {
    uint16_t sign = parts->sign ? SIGN_BIT : 0;
    uint64_t significand = (uint64_t)(parts->significand >> 64);
    switch (parts->class) {
    case FLOAT_ZERO:
        return (Float80){0, sign};
    case FLOAT_INFINITY:
        return (Float80){INTEGER_BIT, sign | EXPONENT_MASK};
    case FLOAT_FINITE:
        if (parts->exponent < float_format_80.min_exponent)
            return (Float80){significand >> (float_format_80.min_exponent - parts->exponent), sign};
        return (Float80){significand, (uint16_t)(sign | (parts->exponent + EXPONENT_BIAS))};
    default:
        return (Float80){significand | INTEGER_BIT | INTEGER_BIT >> 1, sign | EXPONENT_MASK};
    }
}

/* The larger significand wins; of equal ones, the positive number. A quiet NaN wins over a
 * signalling one. */
static const FloatParts *select_nan(const FloatParts *a, const FloatParts *b) {
    if (!float_is_nan(b))
        return a;
    if (!float_is_nan(a))
        return b;
    if (a->class != b->class)
        return a->class == FLOAT_QNAN ? a : b;
    if (a->significand != b->significand)
        return a->significand > b->significand ? a : b;
    return a->sign ? b : a;
}

Float80 float80_propagate_nan(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    if (a->class == FLOAT_UNSUPPORTED || b->class == FLOAT_UNSUPPORTED) {
        status->raised |= FLOAT_INVALID;
        return FLOAT80_INDEFINITE;
    }
    if (a->class == FLOAT_SNAN || b->class == FLOAT_SNAN)
        status->raised |= FLOAT_INVALID;
    return float80_pack(select_nan(a, b));
}

/* Rounds what an exact operation gave, and packs it. */
static Float80 finish(FloatParts *result, bool denormal, int precision, FloatStatus *status) {
    if (float_check_denormal(denormal, status))
        return FLOAT80_INDEFINITE;
    if (result->class == FLOAT_FINITE) {
        FloatFormat format = float_format_80;
        format.precision = precision;
        float_round(result, &format, status);
    }
    return float80_pack(result);
}

typedef void FloatOperation(FloatParts *result, const FloatParts *a, const FloatParts *b,
                            FloatStatus *status);

static Float80 operate(FloatOperation *operation, const FloatParts *a, const FloatParts *b,
                       FloatStatus *status) {
    if (float_is_nan(a) || float_is_nan(b))
        return float80_propagate_nan(a, b, status);
    FloatParts result;
    operation(&result, a, b, status);
    return finish(&result, a->denormal || b->denormal, status->precision, status);
}

Float80 float80_add(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    return operate(float_add, a, b, status);
}

Float80 float80_subtract(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    FloatParts negated = *b;
    if (!float_is_nan(b))
        negated.sign = !negated.sign;
    return operate(float_add, a, &negated, status);
}

Float80 float80_multiply(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    return operate(float_multiply, a, b, status);
}

Float80 float80_divide(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    return operate(float_divide, a, b, status);
}

Float80 float80_square_root(Float80 a, FloatStatus *status) {
    FloatParts x = float80_unpack(a), result;
    if (float_is_nan(&x))
        return float80_propagate_nan(&x, &x, status);
    float_square_root(&result, &x, status);
    return finish(&result, x.denormal, status->precision, status);
}

FloatOrder float80_compare(const FloatParts *a, const FloatParts *b, bool quiet,
                           FloatStatus *status) {
    if (float_is_nan(a) || float_is_nan(b)) {
        bool both_quiet = (!float_is_nan(a) || a->class == FLOAT_QNAN) &&
                          (!float_is_nan(b) || b->class == FLOAT_QNAN);
        if (!quiet || !both_quiet)
            status->raised |= FLOAT_INVALID;
        return FLOAT_UNORDERED;
    }
    float_check_denormal(a->denormal || b->denormal, status);
    return (FloatOrder)(float_order(a, b) + 1);
}

/* The remainder of finite numbers that are not 0, in integers: units of the divisor's last place.
 */
static FloatParts reduce(const FloatParts *a, const FloatParts *b, bool nearest, int distance,
                         unsigned *quotient) {
    uint64_t divisor_64 = (uint64_t)(b->significand >> 64);
    Uint128 dividend = a->significand >> 64, divisor = divisor_64;
    int unit = b->exponent - 63;
    if (distance < 0) { /* FPREM1 alone: half a divisor may be nearer to one divisor than to none */
        divisor <<= 1;
        unit--;
    } else {
        dividend <<= distance;
    }
    Uint128 whole = dividend / divisor;
    Uint128 rest = dividend - whole * divisor;
    bool sign = a->sign;
    if (nearest && (rest > divisor - rest || (rest == divisor - rest && (whole & 1)))) {
        rest = divisor - rest;
        sign = !sign;
        whole++;
    }
    *quotient = (unsigned)whole & 7;
    if (rest == 0)
        return float_zero(a->sign);
    return float_make(sign, rest, unit);
}

Float80 float80_remainder(Float80 a, Float80 b, bool nearest, unsigned *quotient, bool *partial,
                          FloatStatus *status) {
    FloatParts x = float80_unpack(a), y = float80_unpack(b), result = x;
    *quotient = 0;
    *partial = false;
    if (float_is_nan(&x) || float_is_nan(&y))
        return float80_propagate_nan(&x, &y, status);
    if (x.class == FLOAT_INFINITY || y.class == FLOAT_ZERO) {
        status->raised |= FLOAT_INVALID;
        return FLOAT80_INDEFINITE;
    }
    int distance = x.exponent - y.exponent;
    if (x.class == FLOAT_FINITE && y.class == FLOAT_FINITE && distance >= (nearest ? -1 : 0)) {
        if (distance < 64) {
            result = reduce(&x, &y, nearest, distance, quotient);
        } else { /* reduce by 32 to 63 bits only: SDM vol. 2, FPREM */
            int bits = (distance & 31) | 32;
            y.exponent += distance - bits;
            result = reduce(&x, &y, false, bits, quotient);
            *quotient = 0;
            *partial = true;
        }
    }
    return finish(&result, x.denormal || y.denormal, 64, status);
}

static void scale_special(FloatParts *result, const FloatParts *a, const FloatParts *b,
                          FloatStatus *status) {
    if (b->class == FLOAT_INFINITY && a->class == (b->sign ? FLOAT_INFINITY : FLOAT_ZERO)) {
        status->raised |= FLOAT_INVALID;
        *result = float_default_nan();
    } else if (b->class == FLOAT_INFINITY) {
        *result = b->sign ? float_zero(a->sign) : float_infinity(a->sign);
    } else {
        *result = *a;
    }
}

Float80 float80_scale(Float80 a, Float80 b, FloatStatus *status) {
    FloatParts x = float80_unpack(a), y = float80_unpack(b), result;
    if (float_is_nan(&x) || float_is_nan(&y))
        return float80_propagate_nan(&x, &y, status);
    if (x.class != FLOAT_FINITE || y.class != FLOAT_FINITE) {
        scale_special(&result, &x, &y, status);
    } else {
        int32_t shift = 0;
        if (y.exponent >= 17) /* beyond any exponent, also of a wrapped result */
            shift = 1 << 17;
        else if (y.exponent >= 0)
            shift = (int32_t)(y.significand >> (127 - y.exponent));
        result = x;
        result.exponent += y.sign ? -shift : shift;
    }
    return finish(&result, x.denormal || y.denormal, 64, status);
}

Float80 float80_extract(Float80 a, Float80 *exponent, FloatStatus *status) {
    FloatParts x = float80_unpack(a);
    if (float_is_nan(&x)) {
        *exponent = float80_propagate_nan(&x, &x, status);
        return *exponent;
    }
    if (x.class == FLOAT_ZERO) {
        status->raised |= FLOAT_DIVIDE_BY_ZERO;
        *exponent = (Float80){INTEGER_BIT, SIGN_BIT | EXPONENT_MASK};
        return a;
    }
    if (x.class == FLOAT_INFINITY) {
        *exponent = (Float80){INTEGER_BIT, EXPONENT_MASK};
        return a;
    }
    float_check_denormal(x.denormal, status);
    *exponent = float80_from_integer(x.exponent);
    x.exponent = 0;
    return float80_pack(&x);
}

Float80 float80_round_to_integer(Float80 a, FloatStatus *status) {
    FloatParts x = float80_unpack(a);
    if (float_is_nan(&x))
        return float80_propagate_nan(&x, &x, status);
    if (float_check_denormal(x.denormal, status) || x.class != FLOAT_FINITE || x.exponent >= 63)
        return a;
    if (float_round_bits(&x, x.exponent + 1, status))
        status->raised |= FLOAT_INEXACT;
    return float80_pack(&x);
}

static Float80 widen(const FloatParts *parts, FloatStatus *status) {
    if (float_is_nan(parts))
        return float80_propagate_nan(parts, parts, status);
    float_check_denormal(parts->denormal, status);
    return float80_pack(parts);
}

Float80 float80_from_32(uint32_t bits, FloatStatus *status) {
    FloatParts parts = float_unpack_32(bits);
    return widen(&parts, status);
}

Float80 float80_from_64(uint64_t bits, FloatStatus *status) {
    FloatParts parts = float_unpack_64(bits);
    return widen(&parts, status);
}

Float80 float80_from_integer(int64_t value) {
    FloatParts parts = float_from_integer(value);
    return float80_pack(&parts);
}

/* For a store: a NaN as it will be packed, or a rounded number. */
static FloatParts narrow(Float80 a, const FloatFormat *format, FloatStatus *status) {
    FloatParts x = float80_unpack(a);
    if (x.class == FLOAT_UNSUPPORTED || x.class == FLOAT_SNAN)
        status->raised |= FLOAT_INVALID;
    if (x.class == FLOAT_UNSUPPORTED)
        return float_default_nan();
    if (x.class == FLOAT_FINITE)
        float_round(&x, format, status);
    return x;
}

uint32_t float80_to_32(Float80 a, FloatStatus *status) {
    FloatParts parts = narrow(a, &float_format_32, status);
    if (status->raised & ~status->masked & (FLOAT_OVERFLOW | FLOAT_UNDERFLOW))
        return 0; /* nothing is stored: SDM vol. 1 8.5.4 */
    return float_pack_32(&parts);
}

uint64_t float80_to_64(Float80 a, FloatStatus *status) {
    FloatParts parts = narrow(a, &float_format_64, status);
    if (status->raised & ~status->masked & (FLOAT_OVERFLOW | FLOAT_UNDERFLOW))
        return 0;
    return float_pack_64(&parts);
}

int64_t float80_to_integer(Float80 a, int bits, FloatStatus *status) {
    FloatParts x = float80_unpack(a);
    int64_t value;
    if (!float_is_nan(&x) && float_to_integer(&x, bits, status, &value))
        return value;
    status->raised |= FLOAT_INVALID;
    status->rounded_up = false;
    return INT64_MIN >> (64 - bits);
}

Float80 float80_from_bcd(const uint8_t bcd[10]) {
    int64_t value = 0;
    for (int i = 8; i >= 0; i--)
        value = value * 100 + (bcd[i] >> 4) * 10 + (bcd[i] & 0xF);
    Float80 result = float80_from_integer(value);
    if (bcd[9] & 0x80)
        result.sign_exponent |= SIGN_BIT;
    return result;
}

void float80_to_bcd(Float80 a, uint8_t bcd[10], FloatStatus *status) {
    static const uint8_t indefinite[10] = {0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF};
    FloatParts x = float80_unpack(a);
    FloatStatus tentative = *status;
    int64_t value = 0;
    bool valid = !float_is_nan(&x) && float_to_integer(&x, 64, &tentative, &value);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (!valid || magnitude >= UINT64_C(1000000000000000000)) {
        status->raised |= FLOAT_INVALID;
        for (int i = 0; i < 10; i++)
            bcd[i] = indefinite[i];
        return;
    }
    *status = tentative;
    for (int i = 0; i < 9; i++, magnitude /= 100)
        bcd[i] = (uint8_t)(magnitude / 10 % 10 << 4 | magnitude % 10);
    bcd[9] = x.sign ? 0x80 : 0;
}
