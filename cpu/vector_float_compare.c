/* SSE floating-point comparisons. */
#include "vector_float.h"

typedef enum VectorOrder { LESS, EQUAL, GREATER, UNORDERED } VectorOrder;

/* 'quiet': a quiet NaN is no invalid operand. */
static VectorOrder compare(const FloatParts *a, const FloatParts *b, bool quiet,
                           FloatStatus *status) {
    if (float_is_nan(a) || float_is_nan(b)) {
        if (!quiet || a->class == FLOAT_SNAN || b->class == FLOAT_SNAN)
            status->raised |= FLOAT_INVALID;
        return UNORDERED;
    }
    float_check_denormal(a->denormal || b->denormal, status);
    return (VectorOrder)(float_order(a, b) + 1);
}

/* CMPPS and its like: the immediate chooses the predicate, SDM vol. 2 table 3-1. */
HelperResult vector_compare_mask(Cpu *cpu, VectorOperation *operation) {
    static const struct {
        uint8_t holds; /* a bit for each VectorOrder */
        bool quiet;
    } predicates[8] = {
        {1 << EQUAL, true},                                  /* EQ */
        {1 << LESS, false},                                  /* LT */
        {1 << LESS | 1 << EQUAL, false},                     /* LE */
        {1 << UNORDERED, true},                              /* UNORD */
        {1 << LESS | 1 << GREATER | 1 << UNORDERED, true},   /* NEQ */
        {1 << EQUAL | 1 << GREATER | 1 << UNORDERED, false}, /* NLT */
        {1 << GREATER | 1 << UNORDERED, false},              /* NLE */
        {1 << LESS | 1 << EQUAL | 1 << GREATER, true},       /* ORD */
    };
    FloatStatus status = vector_begin(cpu);
    unsigned predicate = operation->immediate & 7, size = vector_lane_size(operation), raised = 0;
    for (unsigned i = 0; i < vector_lane_count(operation); i++) {
        FloatParts a = vector_unpack(vector_get(&operation->a, size, i), size, &status);
        FloatParts b = vector_unpack(vector_get(&operation->b, size, i), size, &status);
        status.raised = 0;
        VectorOrder order = compare(&a, &b, predicates[predicate].quiet, &status);
        bool holds = predicates[predicate].holds >> order & 1;
        vector_set(&operation->result, size, i, holds ? UINT64_MAX : 0);
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* COMISS, UCOMISS and their double forms: EFLAGS as an unsigned integer comparison would leave CF
 * and ZF. */
HelperResult vector_compare_flags(Cpu *cpu, VectorOperation *operation) {
    static const uint32_t flags[4] = {
        [LESS] = FLAG_CF,
        [EQUAL] = FLAG_ZF,
        [GREATER] = 0,
        [UNORDERED] = FLAG_ZF | FLAG_PF | FLAG_CF,
    };
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation);
    FloatParts a = vector_unpack(vector_get(&operation->a, size, 0), size, &status);
    FloatParts b = vector_unpack(vector_get(&operation->b, size, 0), size, &status);
    VectorOrder order = compare(&a, &b, operation->row->parameter & VECTOR_QUIET, &status);
    HelperResult result = vector_commit(cpu, &status, status.raised);
    if (result == HELPER_NEXT)
        cpu_set_status_flags(cpu, flags[order]);
    return result;
}
