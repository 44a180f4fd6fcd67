/* Floating-point numbers taken apart, and exact arithmetic on them: the common core of x87
 * (float80.c) and SSE (float_sse.c).
 *
 * An operation goes unpack -> NaN rules of its unit -> exact operation -> float_round() to the
 * destination's format -> pack. Results of the exact operations carry a sticky bit in bit 0 of the
 * significand, far below what any format keeps. */
#ifndef REPRISE_FLOAT_PARTS_H
#define REPRISE_FLOAT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 Uint128;

/* Exceptions, in the bit order of the x87 status word and of MXCSR (SDM vol. 1 8.1.3.3, 10.2.3). */
enum {
    FLOAT_INVALID = 1 << 0,
    FLOAT_DENORMAL = 1 << 1,
    FLOAT_DIVIDE_BY_ZERO = 1 << 2,
    FLOAT_OVERFLOW = 1 << 3,
    FLOAT_UNDERFLOW = 1 << 4,
    FLOAT_INEXACT = 1 << 5,
    FLOAT_EXCEPTIONS = 0x3F,
    FLOAT_BEFORE_OPERATION = FLOAT_INVALID | FLOAT_DENORMAL | FLOAT_DIVIDE_BY_ZERO,
};

/* The RC field of the x87 control word and of MXCSR (SDM vol. 1 4.8.4). */
enum { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO };

/* How to do one operation, and what came of it. */
typedef struct FloatStatus {
    uint8_t rounding;  /* ROUND_* */
    uint8_t precision; /* bits that x87 add, subtract, multiply, divide and square root keep: 24, 53
                          or 64 */
    uint8_t masked;    /* FLOAT_* exceptions with a masked response */
    uint8_t raised;    /* FLOAT_* exceptions of this operation; cleared by the caller before it */
    bool rounded_up;   /* the last rounding increased the magnitude: x87's C1 */
    bool flush_to_zero;      /* MXCSR.FTZ */
    bool denormals_are_zero; /* MXCSR.DAZ */
} FloatStatus;

typedef enum FloatClass {
    FLOAT_ZERO,
    FLOAT_FINITE, /* not zero */
    FLOAT_INFINITY,
    FLOAT_QNAN,
    FLOAT_SNAN,
    FLOAT_UNSUPPORTED, /* x87 only: unnormals, pseudo-NaNs, pseudo-infinities (SDM vol. 1 8.2.2) */
} FloatClass;

/* A finite number is (-1)^sign * significand / 2^127 * 2^exponent, with bit 127 set. A NaN has its
 * fraction below bit 127, left-aligned, so that formats convert by cutting. */
typedef struct FloatParts {
    Uint128 significand;
    int32_t exponent;
    uint8_t class; /* FloatClass */
    bool sign;
    bool denormal; /* the operand was a denormal (or pseudo-denormal) */
} FloatParts;

typedef struct FloatFormat {
    int32_t precision;    /* bits of the significand, the integer bit included */
    int32_t min_exponent; /* of the smallest normal number */
    int32_t max_exponent;
    int32_t wrap; /* bias adjustment of unmasked overflow and underflow, SDM vol. 1 8.5.4 */
} FloatFormat;

extern const FloatFormat float_format_32, float_format_64, float_format_80;

#define FLOAT_TOP_BIT ((Uint128)1 << 127)
#define FLOAT_QUIET_BIT ((Uint128)1 << 126)

static inline bool float_is_nan(const FloatParts *parts) {
    return parts->class >= FLOAT_QNAN;
}

/* Index of the highest set bit of a number that is not 0. */
static inline int float_highest_bit(Uint128 value) {
    uint64_t high = (uint64_t)(value >> 64);
    return high != 0 ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)value);
}

/* value * 2^exponent as parts; value 0 gives a zero of that sign. */
FloatParts float_make(bool sign, Uint128 value, int32_t exponent);
/* The real indefinite: a negative quiet NaN without payload. */
FloatParts float_default_nan(void);
FloatParts float_zero(bool sign);
FloatParts float_infinity(bool sign);

/* Shifts right; if a set bit falls out, bit 0 of the result is set. */
Uint128 float_shift_sticky(Uint128 value, int count);

/* Rounds a finite number to 'keep' leading bits (0 and less: to a unit above its first bit), which
 * may make it zero. True: that was inexact, and status->rounded_up tells the direction. Raises
 * nothing. */
bool float_round_bits(FloatParts *parts, int keep, FloatStatus *status);
/* Rounds a finite number to a format: overflow, underflow (tininess after rounding) and inexact are
 * raised, with the masked or the unmasked response (a result with its exponent wrapped). */
void float_round(FloatParts *parts, const FloatFormat *format, FloatStatus *status);

/* Raises denormal for an operand; true: it is unmasked, and the operation must not go on. */
bool float_check_denormal(bool denormal, FloatStatus *status);

/* Exact operations on numbers that are no NaNs. They raise invalid (with a default NaN as result)
 * and divide by zero, and leave rounding to the caller. */
void float_add(FloatParts *result, const FloatParts *a, const FloatParts *b, FloatStatus *status);
void float_multiply(FloatParts *result, const FloatParts *a, const FloatParts *b,
                    FloatStatus *status);
void float_divide(FloatParts *result, const FloatParts *a, const FloatParts *b,
                  FloatStatus *status);
void float_square_root(FloatParts *result, const FloatParts *a, FloatStatus *status);

/* Order of two numbers that are no NaNs: -1, 0, 1. */
int float_order(const FloatParts *a, const FloatParts *b);

/* A number (no NaN) rounded to a signed integer of 'bits' bits. False: out of range, nothing
 * raised. Inexact is raised. */
bool float_to_integer(const FloatParts *parts, int bits, FloatStatus *status, int64_t *value);
FloatParts float_from_integer(int64_t value);

/* IEEE single and double precision. Packing cuts a NaN and sets its quiet bit; other numbers must
 * have been rounded. */
FloatParts float_unpack_32(uint32_t bits);
FloatParts float_unpack_64(uint64_t bits);
uint32_t float_pack_32(const FloatParts *parts);
uint64_t float_pack_64(const FloatParts *parts);

#endif
