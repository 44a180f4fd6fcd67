/* The functions behind FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X and FYL2XP1. Evaluated with
 * a relative error below 2^-98, so that results are correctly rounded in all but about one of 2^33
 * cases, and in those on the other side of a boundary that is 2^-33 of a unit in the last place
 * away. By integer arithmetic alone: the same on every host, and beside a live x87.
 */
#ifndef REPRISE_X87_TRANSCENDENTAL_H
#define REPRISE_X87_TRANSCENDENTAL_H

#include "float80.h"

/* FSIN and FCOS know arguments below 2^63 in magnitude: this says whether 'a' is one (infinities,
 * NaNs and unsupported encodings count as such: they have results of their own). */
bool float80_is_angle_in_range(Float80 a);

/* The argument is reduced by a pi of 66 significant bits, as x87 FPUs do (SDM vol. 1 8.3.8). Either
 * result may be NULL. */
void float80_sine_cosine(Float80 a, Float80 *sine, Float80 *cosine, FloatStatus *status);
Float80 float80_tangent(Float80 a, FloatStatus *status);

/* The angle of the point (x, y), SDM vol. 2 table 3-30. */
Float80 float80_arctangent(Float80 y, Float80 x, FloatStatus *status);

/* 2^a - 1. Outside of -1 to 1, where the manual promises nothing, 'a' itself, and inexact. */
Float80 float80_exp2_minus_1(Float80 a, FloatStatus *status);

/* y * log2(x) and y * log2(x + 1). The latter gives x for an x of -1 and less, where the manual
 * promises nothing. */
Float80 float80_y_log2_x(Float80 y, Float80 x, FloatStatus *status);
Float80 float80_y_log2_x_plus_1(Float80 y, Float80 x, FloatStatus *status);

#endif
