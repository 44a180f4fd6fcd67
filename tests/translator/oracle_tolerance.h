/* Results that the manuals bound and do not define. */
#ifndef REPRISE_ORACLE_TOLERANCE_H
#define REPRISE_ORACLE_TOLERANCE_H

#include "insn.h"
#include "oracle_state.h"
#include <stddef.h>

/* FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1. */
bool oracle_is_transcendental(const Insn *insn);
/* Both are within 1 ulp of the function, so within 2 of each other (SDM vol. 1 8.3.10). */
bool oracle_compare_transcendental(const OracleState *ours, const OracleState *hosts, char *text,
                                   size_t size);

/* RCPPS, RCPSS, RSQRTPS, RSQRTSS. */
bool oracle_is_estimate(const Insn *insn);
/* Relative errors of at most 1.5 / 2^12 each (SDM vol. 2). */
bool oracle_compare_estimates(const OracleState *ours, const OracleState *hosts, char *text,
                              size_t size);

#endif
