/* Double extended-precision numbers with the rules of the x87 FPU: SDM vol. 1 chapters 4 and 8.
 *
 * Every operation takes a FloatStatus whose 'raised' the caller has cleared, and adds the
 * exceptions that it meets. Where an exception before the operation (invalid, denormal, divide by
 * zero) is unmasked, the result is meaningless and no later exception is raised: the caller must
 * not store it. */
#ifndef REPRISE_FLOAT80_H
#define REPRISE_FLOAT80_H

#include "float_parts.h"

typedef struct Float80 {
    uint64_t significand;
    uint16_t sign_exponent;
} Float80;

typedef enum FloatOrder { FLOAT_LESS, FLOAT_EQUAL, FLOAT_GREATER, FLOAT_UNORDERED } FloatOrder;

#define FLOAT80_INDEFINITE ((Float80){UINT64_C(0xC000000000000000), 0xFFFF})

FloatParts float80_unpack(Float80 value);
/* Finite numbers must have been rounded to float_format_80 (or coarser); NaNs are made quiet. */
Float80 float80_pack(const FloatParts *parts);

/* Rounded to status->precision. The operands come unpacked, since they may be narrower ones from
 * memory, whose NaNs and denormals count like those of registers. */
Float80 float80_add(const FloatParts *a, const FloatParts *b, FloatStatus *status);
Float80 float80_subtract(const FloatParts *a, const FloatParts *b, FloatStatus *status);
Float80 float80_multiply(const FloatParts *a, const FloatParts *b, FloatStatus *status);
Float80 float80_divide(const FloatParts *a, const FloatParts *b, FloatStatus *status);
Float80 float80_square_root(Float80 a, FloatStatus *status);

/* FCOM ('quiet' false: every NaN is invalid) and FUCOM. */
FloatOrder float80_compare(const FloatParts *a, const FloatParts *b, bool quiet,
                           FloatStatus *status);

/* FPREM ('nearest' false) and FPREM1. '*quotient' gets the low three bits of the quotient;
 * '*partial' is true if the exponents are so far apart that the reduction must be repeated (C2). */
Float80 float80_remainder(Float80 a, Float80 b, bool nearest, unsigned *quotient, bool *partial,
                          FloatStatus *status);
/* FSCALE: a * 2^trunc(b). */
Float80 float80_scale(Float80 a, Float80 b, FloatStatus *status);
/* FXTRACT: gives the significand, and the exponent as a number. */
Float80 float80_extract(Float80 a, Float80 *exponent, FloatStatus *status);
Float80 float80_round_to_integer(Float80 a, FloatStatus *status);

/* Loads. Those from narrower formats raise invalid for a signalling NaN and denormal for a
 * denormal. */
Float80 float80_from_32(uint32_t bits, FloatStatus *status);
Float80 float80_from_64(uint64_t bits, FloatStatus *status);
Float80 float80_from_integer(int64_t value);
Float80 float80_from_bcd(const uint8_t bcd[10]);

/* Stores. */
uint32_t float80_to_32(Float80 a, FloatStatus *status);
uint64_t float80_to_64(Float80 a, FloatStatus *status);
/* To a signed integer of 16, 32 or 64 bits; invalid gives the integer indefinite. */
int64_t float80_to_integer(Float80 a, int bits, FloatStatus *status);
void float80_to_bcd(Float80 a, uint8_t bcd[10], FloatStatus *status);

/* The NaN that an x87 operation with at least one NaN or unsupported operand gives (SDM vol. 1
 * table 4-7). For one operand, pass it twice. */
Float80 float80_propagate_nan(const FloatParts *a, const FloatParts *b, FloatStatus *status);

#endif
