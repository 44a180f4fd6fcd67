/* The instructions of the transcendental functions: operands, stack and condition codes. */
#include "x87_internal.h"
#include "x87_transcendental.h"

/* FSIN, FCOS, FSINCOS, FPTAN: an argument out of range sets C2 and changes nothing. C2 is clear in
 * all other cases. */
static bool is_out_of_range(FpuState *fpu, Float80 value) {
    if (float80_is_angle_in_range(value))
        return false;
    x87_set_conditions(fpu, X87_C2 | X87_C1, X87_C2);
    return true;
}

static void sine_or_cosine(Cpu *cpu, bool cosine) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 result = FLOAT80_INDEFINITE;
    x87_set_conditions(fpu, X87_C2, 0);
    if (x87_is_empty(fpu, 0)) {
        if (!x87_raise_underflow(cpu))
            return;
    } else {
        FloatStatus status = x87_begin(fpu);
        Float80 value = x87_get(fpu, 0);
        if (is_out_of_range(fpu, value))
            return;
        float80_sine_cosine(value, cosine ? NULL : &result, cosine ? &result : NULL, &status);
        if (!x87_commit(cpu, &status))
            return;
    }
    x87_set(fpu, 0, result);
}

/* FSINCOS and FPTAN give two results: the first replaces ST(0), the second is pushed. */
static void two_results(Cpu *cpu, bool tangent) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 first = FLOAT80_INDEFINITE, second = FLOAT80_INDEFINITE;
    x87_set_conditions(fpu, X87_C2, 0);
    if (x87_is_empty(fpu, 0) || !x87_is_empty(fpu, 7)) {
        bool masked = x87_is_empty(fpu, 0) ? x87_raise_underflow(cpu) : x87_raise_overflow(cpu);
        if (!masked)
            return;
    } else {
        FloatStatus status = x87_begin(fpu);
        Float80 value = x87_get(fpu, 0);
        if (is_out_of_range(fpu, value))
            return;
        if (tangent) {
            first = float80_tangent(value, &status);
            bool is_nan = (first.sign_exponent & 0x7FFF) == 0x7FFF && first.significand << 1 != 0;
            second = is_nan ? first : (Float80){UINT64_C(1) << 63, 0x3FFF};
        } else {
            float80_sine_cosine(value, &first, &second, &status);
        }
        if (!x87_commit(cpu, &status))
            return;
    }
    x87_set(fpu, 0, first);
    x87_set_top(fpu, x87_get_top(fpu) - 1);
    x87_set(fpu, 0, second);
}

static void exponential(Cpu *cpu) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 result = FLOAT80_INDEFINITE;
    if (x87_is_empty(fpu, 0)) {
        if (!x87_raise_underflow(cpu))
            return;
    } else {
        FloatStatus status = x87_begin(fpu);
        result = float80_exp2_minus_1(x87_get(fpu, 0), &status);
        if (!x87_commit(cpu, &status))
            return;
    }
    x87_set(fpu, 0, result);
}

typedef Float80 TwoOperandFunction(Float80 y, Float80 x, FloatStatus *status);

/* FPATAN, FYL2X, FYL2XP1: of ST(1) and ST(0) into ST(1), then pop. */
static void two_operands(Cpu *cpu, TwoOperandFunction *function) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 result = FLOAT80_INDEFINITE;
    if (x87_is_empty(fpu, 0) || x87_is_empty(fpu, 1)) {
        if (!x87_raise_underflow(cpu))
            return;
    } else {
        FloatStatus status = x87_begin(fpu);
        result = function(x87_get(fpu, 1), x87_get(fpu, 0), &status);
        if (!x87_commit(cpu, &status))
            return;
    }
    x87_set(fpu, 1, result);
    x87_pop(fpu);
}

HelperResult x87_transcendental(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    switch (insn->modrm) {
    case 0xF0:
        exponential(cpu);
        break;
    case 0xF1:
        two_operands(cpu, float80_y_log2_x);
        break;
    case 0xF2:
        two_results(cpu, true);
        break;
    case 0xF3:
        two_operands(cpu, float80_arctangent);
        break;
    case 0xF9:
        two_operands(cpu, float80_y_log2_x_plus_1);
        break;
    case 0xFB:
        two_results(cpu, false);
        break;
    default: /* FEh FSIN, FFh FCOS */
        sine_or_cosine(cpu, insn->modrm == 0xFF);
        break;
    }
    return HELPER_NEXT;
}
