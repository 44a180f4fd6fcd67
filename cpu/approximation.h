/* The approximations of SSE, RCPPS and RSQRTPS. They are defined here, once, for every host: the
 * exact value rounded to the nearest number of 12 significant bits (an error of at most 2^-12,
 * where the manual allows 1.5 * 2^-12); denormal operands count as zeros, results below the normal
 * range are zeros, and no exception is raised. */
#ifndef REPRISE_APPROXIMATION_H
#define REPRISE_APPROXIMATION_H

#include <stdbool.h>
#include <stdint.h>

/* Of a number of single precision: 1 / sqrt(x) where 'root', else 1 / x. On x86 hosts these touch
 * general registers and XMM8 alone. */
uint32_t approximate(bool root, uint32_t bits);

/* The same by the rule, step by step. */
uint32_t approximate_exactly(bool root, uint32_t bits);

#endif
