/* Constants of the transcendental functions; see x87_transcendental_tables.c. */
#ifndef REPRISE_X87_TRANSCENDENTAL_TABLES_H
#define REPRISE_X87_TRANSCENDENTAL_TABLES_H

#include "float_wide.h"

extern const FloatConstant x87_sine_coefficients[17];
extern const FloatConstant x87_cosine_coefficients[17];
extern const FloatConstant x87_odd_reciprocals[12];
extern const FloatConstant x87_exponential_coefficients[16];
extern const FloatConstant x87_arctangents[32];
extern const FloatConstant x87_exponentials[65];
extern const FloatConstant x87_logarithms[25];
extern const FloatConstant x87_pi, x87_half_pi, x87_ln_2, x87_two_over_ln_2;

#endif
