/* Constants of the transcendental functions; see x87_transcendental_tables.c. */
#ifndef REPRISE_X87_TRANSCENDENTAL_TABLES_H
#define REPRISE_X87_TRANSCENDENTAL_TABLES_H

#include "float_wide.h"

extern const FloatSeries x87_sine_series, x87_cosine_series, x87_arctangent_series;
extern const FloatSeries x87_exponential_series;
extern const FloatConstant x87_arctangents[32];
extern const FloatConstant x87_exponentials[65];
extern const FloatConstant x87_logarithms[25];
extern const FloatConstant x87_pi, x87_half_pi, x87_ln_2, x87_two_over_ln_2;

#endif
