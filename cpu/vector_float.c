/* SSE floating-point arithmetic. */
#include "vector_float.h"
#include "approximation.h"

FloatStatus vector_begin(const Cpu *cpu) {
    uint32_t mxcsr = cpu->state.fpu.mxcsr;
    return (FloatStatus){.rounding = mxcsr >> 13 & 3,
                         .masked = mxcsr >> 7 & FLOAT_EXCEPTIONS,
                         .flush_to_zero = mxcsr >> 15 & 1,
                         .denormals_are_zero = mxcsr >> 6 & 1};
}

HelperResult vector_commit(Cpu *cpu, const FloatStatus *status, unsigned raised) {
    /* Exceptions before the operation are looked for in all lanes first: SDM vol. 1 11.5.2. */
    if (raised & ~status->masked & FLOAT_BEFORE_OPERATION)
        raised &= FLOAT_BEFORE_OPERATION;
    cpu->state.fpu.mxcsr |= raised;
    if ((raised & ~(unsigned)status->masked) == 0)
        return HELPER_NEXT;
    return cpu_raise(cpu, cpu->state.cr4 & CR4_OSXMMEXCPT ? EXCEPTION_XM : EXCEPTION_UD);
}

const FloatFormat *vector_format(unsigned size) {
    return size == 4 ? &float_format_32 : &float_format_64;
}

FloatParts vector_unpack(uint64_t bits, unsigned size, const FloatStatus *status) {
    FloatParts parts = size == 4 ? float_unpack_32((uint32_t)bits) : float_unpack_64(bits);
    if (parts.denormal && status->denormals_are_zero)
        return float_zero(parts.sign);
    return parts;
}

uint64_t vector_pack(const FloatParts *parts, unsigned size) {
    return size == 4 ? float_pack_32(parts) : float_pack_64(parts);
}

FloatParts vector_propagate_nan(const FloatParts *a, const FloatParts *b, FloatStatus *status) {
    if (a->class == FLOAT_SNAN || b->class == FLOAT_SNAN)
        status->raised |= FLOAT_INVALID;
    return float_is_nan(a) ? *a : *b;
}

/* The second operand is the result wherever the two do not differ in order: SDM vol. 2, MINPS. */
static FloatParts select_extreme(bool maximum, const FloatParts *a, const FloatParts *b,
                                 FloatStatus *status) {
    if (float_is_nan(a) || float_is_nan(b)) {
        status->raised |= FLOAT_INVALID;
        return *b;
    }
    float_check_denormal(a->denormal || b->denormal, status);
    int order = float_order(a, b);
    return (maximum ? order > 0 : order < 0) ? *a : *b;
}

static void operate(VectorArithmetic kind, FloatParts *result, const FloatParts *a, FloatParts *b,
                    FloatStatus *status) {
    switch (kind) {
    case VECTOR_MINUS:
        b->sign = !b->sign;
        float_add(result, a, b, status);
        break;
    case VECTOR_MULTIPLY:
        float_multiply(result, a, b, status);
        break;
    case VECTOR_DIVIDE:
        float_divide(result, a, b, status);
        break;
    case VECTOR_ROOT:
        float_square_root(result, b, status);
        break;
    default:
        float_add(result, a, b, status);
        break;
    }
}

uint64_t vector_calculate(VectorArithmetic kind, unsigned size, uint64_t a, uint64_t b,
                          FloatStatus *status) {
    FloatParts x = vector_unpack(a, size, status), y = vector_unpack(b, size, status), result;
    if (kind == VECTOR_ROOT)
        x = y;
    if (kind == VECTOR_MIN || kind == VECTOR_MAX) {
        result = select_extreme(kind == VECTOR_MAX, &x, &y, status);
        if (result.class == FLOAT_SNAN) /* passes as it is */
            return b;
        return vector_pack(&result, size);
    }
    if (float_is_nan(&x) || float_is_nan(&y)) {
        result = vector_propagate_nan(&x, &y, status);
        return vector_pack(&result, size);
    }
    operate(kind, &result, &x, &y, status);
    if (!float_check_denormal(x.denormal || y.denormal, status) && result.class == FLOAT_FINITE)
        float_round(&result, vector_format(size), status);
    return vector_pack(&result, size);
}

HelperResult vector_arithmetic(Cpu *cpu, VectorOperation *operation) {
    return vector_run_on_host(cpu, operation) ? HELPER_NEXT
                                              : vector_arithmetic_exact(cpu, operation);
}

HelperResult vector_arithmetic_exact(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    VectorArithmetic kind = operation->row->parameter & 0xF;
    unsigned size = vector_lane_size(operation), raised = 0;
    for (unsigned i = 0; i < vector_lane_count(operation); i++) {
        uint64_t a = vector_get(&operation->a, size, i), b = vector_get(&operation->b, size, i);
        status.raised = 0;
        vector_set(&operation->result, size, i, vector_calculate(kind, size, a, b, &status));
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* HADDPS, HSUBPS and their double forms: neighbours in a, then neighbours in b. */
HelperResult vector_horizontal(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    VectorArithmetic kind = operation->row->parameter & VECTOR_SUBTRACT ? VECTOR_MINUS : VECTOR_ADD;
    unsigned size = vector_lane_size(operation), half = 8 / size, raised = 0;
    for (unsigned i = 0; i < 2 * half; i++) {
        const Vector *from = i < half ? &operation->a : &operation->b;
        unsigned pair = i % half * 2;
        status.raised = 0;
        uint64_t lane = vector_calculate(kind, size, vector_get(from, size, pair),
                                         vector_get(from, size, pair + 1), &status);
        vector_set(&operation->result, size, i, lane);
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* ADDSUBPS, ADDSUBPD: even lanes are subtracted. */
HelperResult vector_add_subtract(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation), raised = 0;
    for (unsigned i = 0; i < 16 / size; i++) {
        uint64_t a = vector_get(&operation->a, size, i), b = vector_get(&operation->b, size, i);
        status.raised = 0;
        uint64_t lane = vector_calculate(i & 1 ? VECTOR_ADD : VECTOR_MINUS, size, a, b, &status);
        vector_set(&operation->result, size, i, lane);
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* Adds neighbouring terms: 'width' sums. */
static HelperResult add_neighbours(Cpu *cpu, unsigned size, unsigned width, uint64_t *terms) {
    FloatStatus status = vector_begin(cpu);
    unsigned raised = 0;
    for (unsigned i = 0; i < width; i++) {
        status.raised = 0;
        terms[i] = vector_calculate(VECTOR_ADD, size, terms[2 * i], terms[2 * i + 1], &status);
        raised |= status.raised;
    }
    return vector_commit(cpu, &status, raised);
}

/* DPPS, DPPD: products that the immediate's high half selects, added in pairs, into lanes that its
 * low half selects. An unmasked exception of one stage keeps the next from running. */
HelperResult vector_dot_product(Cpu *cpu, VectorOperation *operation) {
    FloatStatus status = vector_begin(cpu);
    unsigned size = vector_lane_size(operation), count = 16 / size, raised = 0;
    uint64_t terms[4] = {0, 0, 0, 0};
    for (unsigned i = 0; i < count; i++) {
        uint64_t a = vector_get(&operation->a, size, i), b = vector_get(&operation->b, size, i);
        status.raised = 0;
        if (operation->immediate >> (4 + i) & 1)
            terms[i] = vector_calculate(VECTOR_MULTIPLY, size, a, b, &status);
        raised |= status.raised;
    }
    HelperResult result = vector_commit(cpu, &status, raised);
    for (unsigned width = count / 2; width >= 1 && result == HELPER_NEXT; width /= 2)
        result = add_neighbours(cpu, size, width, terms);
    for (unsigned i = 0; i < count; i++)
        vector_set(&operation->result, size, i, operation->immediate >> i & 1 ? terms[0] : 0);
    return result;
}

HelperResult vector_reciprocal(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < vector_lane_count(operation); i++)
        vector_set(&operation->result, 4, i,
                   approximate(false, (uint32_t)vector_get(&operation->b, 4, i)));
    return HELPER_NEXT;
}

HelperResult vector_reciprocal_root(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < vector_lane_count(operation); i++)
        vector_set(&operation->result, 4, i,
                   approximate(true, (uint32_t)vector_get(&operation->b, 4, i)));
    return HELPER_NEXT;
}
