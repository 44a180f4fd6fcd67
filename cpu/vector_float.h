/* Floats of SSE instructions: single lanes, with the rules of MXCSR (SDM vol. 1 10.2.3, 11.5). */
#ifndef REPRISE_VECTOR_FLOAT_H
#define REPRISE_VECTOR_FLOAT_H

#include "float_parts.h"
#include "vector_internal.h"

/* What MXCSR asks for. vector_float.c */
FloatStatus vector_begin(const Cpu *cpu);
/* Takes over the flags that all lanes raised. HELPER_FAULT: one of them is unmasked, and the result
 * must be dropped: #XM, or #UD while CR4.OSXMMEXCPT is clear. */
HelperResult vector_commit(Cpu *cpu, const FloatStatus *status, unsigned raised);

/* Does the operation of vector_arithmetic() with the host's own SSE unit. False: this host has
 * none, or an exception that the guest has unmasked was met; nothing has changed then.
 * vector_host.c */
bool vector_run_on_host(Cpu *cpu, VectorOperation *operation);

/* The same in software, on every host. */
VectorHandler vector_arithmetic_exact;

/* A lane of 4 or 8 bytes, a denormal taken as zero if MXCSR.DAZ says so; and back, after rounding.
 */
FloatParts vector_unpack(uint64_t bits, unsigned size, const FloatStatus *status);
uint64_t vector_pack(const FloatParts *parts, unsigned size);
const FloatFormat *vector_format(unsigned size);

/* One lane of an operation; raises into status->raised. */
uint64_t vector_calculate(VectorArithmetic kind, unsigned size, uint64_t a, uint64_t b,
                          FloatStatus *status);

/* The NaN that an operation with a NaN operand gives: the first one, made quiet (SDM vol. 1 table
 * 4-7). */
FloatParts vector_propagate_nan(const FloatParts *a, const FloatParts *b, FloatStatus *status);

static inline unsigned vector_lane_size(const VectorOperation *operation) {
    return operation->row->parameter & VECTOR_DOUBLE ? 8 : 4;
}

/* Lanes that the operation is about: one of a scalar operation. */
static inline unsigned vector_lane_count(const VectorOperation *operation) {
    return operation->row->parameter & VECTOR_SCALAR ? 1 : 16 / vector_lane_size(operation);
}

#endif
