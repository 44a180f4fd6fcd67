/* SSE conversions between integers, single and double precision, and rounding to integers. */
#include "vector_float.h"

static unsigned get_count(const VectorOperation *operation) {
    return operation->row->parameter & 0xF;
}

/* 32-bit integers to floats; further lanes of the destination stay. */
HelperResult vector_from_integers(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation), raised = 0;
    for (unsigned i = 0; i < get_count(operation); i++) {
        FloatParts value = float_from_integer((int32_t)vector_get(&operation->b, 4, i));
        status.raised = 0;
        if (value.class == FLOAT_FINITE)
            float_round(&value, vector_format(size), &status);
        vector_set(&operation->result, size, i, vector_pack(&value, size));
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* Floats to 32-bit integers; what does not fit is invalid and becomes 80000000h. Further lanes are
 * cleared. */
HelperResult vector_to_integers(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation), raised = 0;
    if (operation->row->parameter & VECTOR_TRUNCATE)
        status.rounding = ROUND_TO_ZERO;
    operation->result = (Vector){{0, 0}};
    for (unsigned i = 0; i < get_count(operation); i++) {
        FloatParts value = vector_unpack(vector_get(&operation->b, size, i), size, &status);
        int64_t integer;
        status.raised = 0;
        if (float_is_nan(&value) || !float_to_integer(&value, 32, &status, &integer)) {
            status.raised |= FLOAT_INVALID;
            integer = INT32_MIN;
        }
        vector_set(&operation->result, 4, i, (uint64_t)integer);
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* CVTPS2PD, CVTPD2PS, CVTSS2SD, CVTSD2SS. */
HelperResult vector_change_precision(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    unsigned from = vector_lane_size(operation), to = 12 - from, raised = 0;
    if (get_count(operation) == 2)
        operation->result = (Vector){{0, 0}};
    for (unsigned i = 0; i < get_count(operation); i++) {
        FloatParts value = vector_unpack(vector_get(&operation->b, from, i), from, &status);
        status.raised = 0;
        if (value.class == FLOAT_SNAN)
            status.raised |= FLOAT_INVALID;
        if (!float_check_denormal(value.denormal, &status) && value.class == FLOAT_FINITE)
            float_round(&value, vector_format(to), &status);
        vector_set(&operation->result, to, i, vector_pack(&value, to));
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* ROUNDPS and its like, SDM vol. 2 figure 4-24: the immediate has a rounding mode of its own, or
 * defers to MXCSR, and may suppress inexact. */
HelperResult vector_round(Cpu *cpu, VectorOperation *operation) {
    enum { USE_MXCSR = 4, SUPPRESS_INEXACT = 8 };
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation), raised = 0;
    if ((operation->immediate & USE_MXCSR) == 0)
        status.rounding = operation->immediate & 3;
    for (unsigned i = 0; i < vector_lane_count(operation); i++) {
        FloatParts value = vector_unpack(vector_get(&operation->b, size, i), size, &status);
        bool sign = value.sign;
        if (value.class == FLOAT_SNAN)
            raised |= FLOAT_INVALID;
        if (value.class == FLOAT_FINITE && value.exponent < 63 &&
            float_round_bits(&value, value.exponent + 1, &status))
            raised |= FLOAT_INEXACT;
        value.sign = sign;
        vector_set(&operation->result, size, i, vector_pack(&value, size));
    }
    if (operation->immediate & SUPPRESS_INEXACT)
        raised &= ~(unsigned)FLOAT_INEXACT;
    return vector_commit(cpu, &status, raised);
}
