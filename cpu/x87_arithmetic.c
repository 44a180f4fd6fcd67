/* x87 arithmetic, comparisons, and the instructions that work on ST(0) alone. */
#include "x87_internal.h"
#include "x87_transcendental.h"

/* The register field of D8h, DAh, DCh, DEh. */
enum {
    X87_ADD,
    X87_MULTIPLY,
    X87_COMPARE,
    X87_COMPARE_POP,
    X87_SUBTRACT,
    X87_SUBTRACT_REVERSED,
    X87_DIVIDE,
    X87_DIVIDE_REVERSED
};

static Float80 calculate(unsigned operation, const FloatParts *a, const FloatParts *b,
                         FloatStatus *status) {
    switch (operation) {
    case X87_ADD:
        return float80_add(a, b, status);
    case X87_MULTIPLY:
        return float80_multiply(a, b, status);
    case X87_SUBTRACT:
        return float80_subtract(a, b, status);
    case X87_SUBTRACT_REVERSED:
        return float80_subtract(b, a, status);
    case X87_DIVIDE:
        return float80_divide(a, b, status);
    default:
        return float80_divide(b, a, status);
    }
}

static void set_order(FpuState *fpu, FloatOrder order) {
    static const uint16_t conditions[4] = {
        [FLOAT_LESS] = X87_C0,
        [FLOAT_EQUAL] = X87_C3,
        [FLOAT_GREATER] = 0,
        [FLOAT_UNORDERED] = X87_C3 | X87_C2 | X87_C0,
    };
    x87_set_conditions(fpu, X87_C3 | X87_C2 | X87_C0, conditions[order]);
}

/* Compares ST(0) with a value, sets the conditions, pops. Processors set the conditions even where
 * an unmasked exception keeps them from popping. */
static void compare(Cpu *cpu, const FloatParts *b, bool b_empty, bool quiet, unsigned pops) {
    FpuState *fpu = &cpu->state.fpu;
    FloatOrder order = FLOAT_UNORDERED;
    bool done;
    if (x87_is_empty(fpu, 0) || b_empty) {
        done = x87_raise_underflow(cpu);
    } else {
        FloatStatus status = x87_begin(fpu);
        FloatParts a = float80_unpack(x87_get(fpu, 0));
        order = float80_compare(&a, b, quiet, &status);
        done = x87_commit(cpu, &status);
    }
    set_order(fpu, order);
    for (; done && pops > 0; pops--)
        x87_pop(fpu);
}

/* An operation of ST(0) and a value, whose result goes to ST(destination). */
static void operate(Cpu *cpu, unsigned operation, const FloatParts *b, bool b_empty,
                    unsigned destination, bool pop) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 result = FLOAT80_INDEFINITE;
    if (x87_is_empty(fpu, 0) || b_empty) {
        if (!x87_raise_underflow(cpu))
            return;
    } else {
        FloatStatus status = x87_begin(fpu);
        FloatParts a = float80_unpack(x87_get(fpu, 0));
        result = calculate(operation, &a, b, &status);
        if (!x87_commit(cpu, &status))
            return;
    }
    x87_set(fpu, destination, result);
    if (pop)
        x87_pop(fpu);
}

/* The memory forms: D8h single, DAh 32-bit integer, DCh double, DEh 16-bit integer. */
HelperResult x87_calculate_memory(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    static const uint8_t sizes[8] = {[0] = 4, [2] = 4, [4] = 8, [6] = 2};
    uint64_t bits;
    if (!cpu_read(cpu, insn->segment, insn->offset, sizes[insn->opcode & 7], &bits))
        return HELPER_FAULT;
    x87_calculate_bits(cpu, insn, bits);
    return HELPER_NEXT;
}

void x87_calculate_bits(Cpu *cpu, const X87Instruction *insn, uint64_t bits) {
    unsigned operation = insn->modrm >> 3 & 7;
    FloatParts b;
    switch (insn->opcode) {
    case 0xD8:
        b = float_unpack_32((uint32_t)bits);
        break;
    case 0xDA:
        b = float_from_integer((int32_t)bits);
        break;
    case 0xDC:
        b = float_unpack_64(bits);
        break;
    default:
        b = float_from_integer((int16_t)bits);
        break;
    }
    if (operation == X87_COMPARE || operation == X87_COMPARE_POP)
        compare(cpu, &b, false, false, operation == X87_COMPARE_POP);
    else
        operate(cpu, operation, &b, false, 0, false);
}

/* D8h: ST(0) is the destination; DCh: ST(i); DEh: ST(i), then pop. */
HelperResult x87_calculate_register(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    unsigned index = insn->modrm & 7, operation = insn->modrm >> 3 & 7;
    FloatParts b = float80_unpack(x87_get(&cpu->state.fpu, index));
    bool empty = x87_is_empty(&cpu->state.fpu, index);
    operate(cpu, operation, &b, empty, insn->opcode == 0xD8 ? 0 : index, insn->opcode == 0xDE);
    return HELPER_NEXT;
}

/* FCOM and FUCOM. 'parameter': pops, and 80h for the unordered (quiet) form. */
HelperResult x87_compare_register(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    unsigned index = insn->modrm & 7;
    FloatParts b = float80_unpack(x87_get(&cpu->state.fpu, index));
    bool empty = x87_is_empty(&cpu->state.fpu, index);
    compare(cpu, &b, empty, parameter & 0x80, parameter & 0x7F);
    return HELPER_NEXT;
}

/* FCOMI, FUCOMI and their popping forms: ZF, PF, CF; OF, SF and AF are cleared. 'parameter' as
 * above. */
HelperResult x87_compare_flags(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    static const uint32_t flags[4] = {
        [FLOAT_LESS] = FLAG_CF,
        [FLOAT_EQUAL] = FLAG_ZF,
        [FLOAT_GREATER] = 0,
        [FLOAT_UNORDERED] = FLAG_ZF | FLAG_PF | FLAG_CF,
    };
    FpuState *fpu = &cpu->state.fpu;
    unsigned index = insn->modrm & 7;
    FloatOrder order = FLOAT_UNORDERED;
    bool done;
    if (x87_is_empty(fpu, 0) || x87_is_empty(fpu, index)) {
        done = x87_raise_underflow(cpu);
    } else {
        FloatStatus status = x87_begin(fpu);
        FloatParts a = float80_unpack(x87_get(fpu, 0)), b = float80_unpack(x87_get(fpu, index));
        order = float80_compare(&a, &b, parameter & 0x80, &status);
        done = x87_commit(cpu, &status);
    }
    cpu_set_status_flags(cpu, flags[order]);
    if (done && parameter & 0x7F)
        x87_pop(fpu);
    return HELPER_NEXT;
}

HelperResult x87_test(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    FloatParts zero = float_zero(false);
    compare(cpu, &zero, false, false, 0);
    return HELPER_NEXT;
}

/* FXAM: SDM vol. 2, FXAM. */
HelperResult x87_examine(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    static const uint16_t conditions[] = {
        [FLOAT_ZERO] = X87_C3, [FLOAT_FINITE] = X87_C2, [FLOAT_INFINITY] = X87_C2 | X87_C0,
        [FLOAT_QNAN] = X87_C0, [FLOAT_SNAN] = X87_C0,   [FLOAT_UNSUPPORTED] = 0,
    };
    FpuState *fpu = &cpu->state.fpu;
    FloatParts parts = float80_unpack(x87_get(fpu, 0));
    unsigned values = conditions[parts.class];
    if (parts.denormal)
        values = X87_C3 | X87_C2;
    if (x87_is_empty(fpu, 0))
        values = X87_C3 | X87_C0;
    x87_set_conditions(fpu, X87_CONDITIONS, values | (parts.sign ? X87_C1 : 0));
    return HELPER_NEXT;
}

/* For instructions whose one operand and result are ST(0): false if there is none and nothing more
 * is to do. */
static bool begin_unary(Cpu *cpu, Float80 *value) {
    FpuState *fpu = &cpu->state.fpu;
    if (x87_is_empty(fpu, 0)) {
        if (x87_raise_underflow(cpu))
            x87_set(fpu, 0, FLOAT80_INDEFINITE);
        return false;
    }
    *value = x87_get(fpu, 0);
    return true;
}

static HelperResult end_unary(Cpu *cpu, Float80 result, const FloatStatus *status) {
    if (x87_commit(cpu, status))
        x87_set(&cpu->state.fpu, 0, result);
    return HELPER_NEXT;
}

HelperResult x87_change_sign(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    Float80 value;
    if (!begin_unary(cpu, &value))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    value.sign_exponent ^= 0x8000;
    return end_unary(cpu, value, &status);
}

HelperResult x87_absolute(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    Float80 value;
    if (!begin_unary(cpu, &value))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    value.sign_exponent &= 0x7FFF;
    return end_unary(cpu, value, &status);
}

HelperResult x87_square_root(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    Float80 value;
    if (!begin_unary(cpu, &value))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    value = float80_square_root(value, &status);
    return end_unary(cpu, value, &status);
}

HelperResult x87_round(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    Float80 value;
    if (!begin_unary(cpu, &value))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    value = float80_round_to_integer(value, &status);
    return end_unary(cpu, value, &status);
}

/* For instructions that use ST(0) and ST(1): false if one is missing; the indefinite is then in
 * ST(destination). */
static bool begin_binary(Cpu *cpu, unsigned destination, Float80 *a, Float80 *b) {
    FpuState *fpu = &cpu->state.fpu;
    if (x87_is_empty(fpu, 0) || x87_is_empty(fpu, 1)) {
        if (x87_raise_underflow(cpu)) {
            x87_set(fpu, destination, FLOAT80_INDEFINITE);
            if (destination == 1)
                x87_pop(fpu);
        }
        return false;
    }
    *a = x87_get(fpu, 0);
    *b = x87_get(fpu, 1);
    return true;
}

HelperResult x87_scale(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    Float80 a, b;
    if (!begin_binary(cpu, 0, &a, &b))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    a = float80_scale(a, b, &status);
    return end_unary(cpu, a, &status);
}

/* FXTRACT: the exponent replaces ST(0), then the significand is pushed. */
HelperResult x87_extract(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)insn, (void)parameter;
    FpuState *fpu = &cpu->state.fpu;
    Float80 exponent, significand;
    if (x87_is_empty(fpu, 0) || !x87_is_empty(fpu, 7)) {
        bool masked = x87_is_empty(fpu, 0) ? x87_raise_underflow(cpu) : x87_raise_overflow(cpu);
        if (!masked)
            return HELPER_NEXT;
        exponent = significand = FLOAT80_INDEFINITE;
    } else {
        FloatStatus status = x87_begin(fpu);
        significand = float80_extract(x87_get(fpu, 0), &exponent, &status);
        if (!x87_commit(cpu, &status))
            return HELPER_NEXT;
    }
    x87_set(fpu, 0, exponent);
    x87_set_top(fpu, x87_get_top(fpu) - 1);
    x87_set(fpu, 0, significand);
    return HELPER_NEXT;
}

/* FPREM and FPREM1 ('nearest'). Quotient bits 2, 1, 0 go to C0, C3, C1; without a quotient (NaNs,
 * invalid operands) C0 and C3 stay. */
HelperResult x87_remainder(Cpu *cpu, const X87Instruction *insn, unsigned nearest) {
    (void)insn;
    FpuState *fpu = &cpu->state.fpu;
    Float80 a, b;
    unsigned quotient;
    bool partial;
    x87_set_conditions(fpu, X87_C2, 0);
    if (!begin_binary(cpu, 0, &a, &b))
        return HELPER_NEXT;
    FloatStatus status = x87_begin(fpu);
    a = float80_remainder(a, b, nearest, &quotient, &partial, &status);
    if (!x87_commit(cpu, &status))
        return HELPER_NEXT;
    x87_set(fpu, 0, a);
    if ((a.sign_exponent & 0x7FFF) == 0x7FFF) /* no remainder is infinite */
        return HELPER_NEXT;
    unsigned conditions = (quotient & 4 ? X87_C0 : 0) | (quotient & 2 ? X87_C3 : 0) |
                          (quotient & 1 ? X87_C1 : 0) | (partial ? X87_C2 : 0);
    x87_set_conditions(fpu, X87_CONDITIONS, conditions);
    return HELPER_NEXT;
}
