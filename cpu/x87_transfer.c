/* x87 loads, stores, exchanges and conditional moves. */
#include "x87_internal.h"

/* Pushes what was loaded. A full stack is found before the value's own exceptions, of which only
 * invalid stops the load. */
static HelperResult push_loaded(Cpu *cpu, Float80 value, const FloatStatus *status) {
    bool is_full = !x87_is_empty(&cpu->state.fpu, 7);
    if (!is_full)
        x87_commit(cpu, status);
    if (is_full || (status->raised & ~status->masked & FLOAT_INVALID) == 0)
        x87_push(cpu, value);
    return HELPER_NEXT;
}

HelperResult x87_load_float32(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    uint64_t bits;
    if (!cpu_read(cpu, insn->segment, insn->offset, 4, &bits))
        return HELPER_FAULT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value = float80_from_32((uint32_t)bits, &status);
    return push_loaded(cpu, value, &status);
}

HelperResult x87_load_float64(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    uint64_t bits;
    if (!cpu_read(cpu, insn->segment, insn->offset, 8, &bits))
        return HELPER_FAULT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value = float80_from_64(bits, &status);
    return push_loaded(cpu, value, &status);
}

/* A plain move: not even a signalling NaN is noticed. */
HelperResult x87_load_float80(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    Float80 value;
    if (!x87_read_float80(cpu, insn->segment, insn->offset, &value))
        return HELPER_FAULT;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    return push_loaded(cpu, value, &status);
}

/* 'size' in bytes. */
HelperResult x87_load_integer(Cpu *cpu, const X87Instruction *insn, unsigned size) {
    uint64_t bits;
    if (!cpu_read(cpu, insn->segment, insn->offset, size, &bits))
        return HELPER_FAULT;
    int unused_bits = 64 - 8 * (int)size;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value = float80_from_integer((int64_t)(bits << unused_bits) >> unused_bits);
    return push_loaded(cpu, value, &status);
}

HelperResult x87_load_bcd(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    Float80 raw;
    uint8_t bcd[10];
    if (!x87_read_float80(cpu, insn->segment, insn->offset, &raw))
        return HELPER_FAULT;
    for (int i = 0; i < 8; i++)
        bcd[i] = (uint8_t)(raw.significand >> (8 * i));
    bcd[8] = (uint8_t)raw.sign_exponent;
    bcd[9] = (uint8_t)(raw.sign_exponent >> 8);
    FloatStatus status = x87_begin(&cpu->state.fpu);
    return push_loaded(cpu, float80_from_bcd(bcd), &status);
}

/* FLD ST(i): the source is found before TOP moves. */
HelperResult x87_load_register(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    FpuState *fpu = &cpu->state.fpu;
    unsigned index = insn->modrm & 7;
    Float80 value = x87_get(fpu, index);
    if (x87_is_empty(fpu, index)) {
        /* Even if the stack is full too, this is an underflow. */
        if (!x87_raise_underflow(cpu))
            return HELPER_NEXT;
        x87_set_top(fpu, x87_get_top(fpu) - 1);
        x87_set(fpu, 0, FLOAT80_INDEFINITE);
        return HELPER_NEXT;
    }
    FloatStatus status = x87_begin(fpu);
    return push_loaded(cpu, value, &status);
}

/* FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: constants of 66 bits and more, rounded by RC
 * (SDM vol. 2, FLD1). */
HelperResult x87_load_constant(Cpu *cpu, const X87Instruction *insn, unsigned number) {
    (void)insn;
    static const struct {
        Float80 truncated;
        bool next_is_nearer; /* the value lies nearer to the next number above */
        bool inexact;
    } constants[7] = {
        {{UINT64_C(0x8000000000000000), 0x3FFF}, false, false}, /* 1 */
        {{UINT64_C(0xD49A784BCD1B8AFE), 0x4000}, false, true},  /* log2(10) = ...8AFE4 */
        {{UINT64_C(0xB8AA3B295C17F0BB), 0x3FFF}, true, true},   /* log2(e) = ...F0BBBE */
        {{UINT64_C(0xC90FDAA22168C234), 0x4000}, true, true},   /* pi = ...C234C4 */
        {{UINT64_C(0x9A209A84FBCFF798), 0x3FFD}, true, true},   /* log10(2) = ...F7988F */
        {{UINT64_C(0xB17217F7D1CF79AB), 0x3FFE}, true, true},   /* ln(2) = ...79ABC9 */
        {{0, 0}, false, false},                                 /* 0 */
    };
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value = constants[number].truncated;
    bool up = status.rounding == ROUND_UP && constants[number].inexact;
    if (up || (status.rounding == ROUND_NEAREST && constants[number].next_is_nearer))
        value.significand++;
    return push_loaded(cpu, value, &status);
}

/* What a store has to do: the value, or what stands for it if the register is empty. False: nothing
 * is to be stored. */
static bool begin_store(Cpu *cpu, Float80 *value) {
    FpuState *fpu = &cpu->state.fpu;
    *value = x87_get(fpu, 0);
    if (!x87_is_empty(fpu, 0))
        return true;
    *value = FLOAT80_INDEFINITE;
    return (fpu->control & FLOAT_INVALID) != 0;
}

/* After the store (or instead of it): exceptions and pop. An empty register is a stack fault,
 * whatever else. */
static HelperResult end_store(Cpu *cpu, const FloatStatus *status, bool pop) {
    FpuState *fpu = &cpu->state.fpu;
    uint8_t no_store = FLOAT_INVALID | FLOAT_OVERFLOW | FLOAT_UNDERFLOW;
    if (x87_is_empty(fpu, 0)) {
        if (!x87_raise_underflow(cpu))
            return HELPER_NEXT;
    } else {
        FloatStatus reported = *status;
        bool stopped = (status->raised & ~status->masked & no_store) != 0;
        if (stopped) /* nothing inexact has been stored: SDM vol. 1 8.5.6 */
            reported.raised &= (uint8_t)~FLOAT_INEXACT;
        x87_commit(cpu, &reported);
        if (stopped)
            return HELPER_NEXT;
    }
    if (pop)
        x87_pop(fpu);
    return HELPER_NEXT;
}

static bool is_stored(const FloatStatus *status) {
    return (status->raised & ~status->masked &
            (FLOAT_INVALID | FLOAT_OVERFLOW | FLOAT_UNDERFLOW)) == 0;
}

/* Nothing is stored, but to where nobody may store is a fault all the same. */
static HelperResult drop_store(Cpu *cpu, const X87Instruction *insn, unsigned size,
                               const FloatStatus *status, bool pop) {
    if (!x87_check_store(cpu, insn->segment, insn->offset, size))
        return HELPER_FAULT;
    return end_store(cpu, status, pop);
}

static HelperResult store_scalar(Cpu *cpu, const X87Instruction *insn, unsigned size, uint64_t bits,
                                 const FloatStatus *status, bool pop) {
    if (!is_stored(status))
        return drop_store(cpu, insn, size, status, pop);
    if (!cpu_write(cpu, insn->segment, insn->offset, size, bits))
        return HELPER_FAULT;
    return end_store(cpu, status, pop);
}

HelperResult x87_store_float32(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    Float80 value;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    if (!begin_store(cpu, &value))
        return drop_store(cpu, insn, 4, &status, pop);
    uint32_t bits = float80_to_32(value, &status);
    return store_scalar(cpu, insn, 4, bits, &status, pop);
}

HelperResult x87_store_float64(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    Float80 value;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    if (!begin_store(cpu, &value))
        return drop_store(cpu, insn, 8, &status, pop);
    uint64_t bits = float80_to_64(value, &status);
    return store_scalar(cpu, insn, 8, bits, &status, pop);
}

HelperResult x87_store_float80(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    Float80 value;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    if (!begin_store(cpu, &value))
        return drop_store(cpu, insn, 10, &status, pop);
    if (!x87_write_float80(cpu, insn->segment, insn->offset, value))
        return HELPER_FAULT;
    return end_store(cpu, &status, pop);
}

static HelperResult store_integer(Cpu *cpu, const X87Instruction *insn, unsigned size, bool pop,
                                  FloatStatus *status) {
    Float80 value;
    if (!begin_store(cpu, &value))
        return drop_store(cpu, insn, size, status, pop);
    int64_t integer = float80_to_integer(value, 8 * (int)size, status);
    return store_scalar(cpu, insn, size, (uint64_t)integer, status, pop);
}

/* 'parameter': bytes, and 80h for a pop. */
HelperResult x87_store_integer(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    FloatStatus status = x87_begin(&cpu->state.fpu);
    return store_integer(cpu, insn, parameter & 0x7F, parameter & 0x80, &status);
}

/* FISTTP. */
HelperResult x87_store_truncated(Cpu *cpu, const X87Instruction *insn, unsigned size) {
    FloatStatus status = x87_begin(&cpu->state.fpu);
    status.rounding = ROUND_TO_ZERO;
    return store_integer(cpu, insn, size, true, &status);
}

void x87_load_bits(Cpu *cpu, const X87Instruction *insn, uint64_t low, uint64_t high) {
    unsigned field = insn->modrm >> 3 & 7;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value;
    if (insn->opcode == 0xD9)
        value = float80_from_32((uint32_t)low, &status);
    else if (insn->opcode == 0xDD)
        value = float80_from_64(low, &status);
    else if (insn->opcode == 0xDB && field == 5)
        value = (Float80){low, (uint16_t)high};
    else if (insn->opcode == 0xDB)
        value = float80_from_integer((int32_t)low);
    else
        value = float80_from_integer(field == 0 ? (int16_t)low : (int64_t)low);
    push_loaded(cpu, value, &status);
}

void x87_convert_for_store(Cpu *cpu, uint32_t a, X87Store *store) {
    unsigned opcode = a >> 8, field = a >> 3 & 7;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    Float80 value;
    begin_store(cpu, &value);
    if (field == 1) /* FISTTP */
        status.rounding = ROUND_TO_ZERO;
    if (opcode == 0xD9)
        store->low = float80_to_32(value, &status);
    else if (opcode == 0xDD && field != 1)
        store->low = float80_to_64(value, &status);
    else if (opcode == 0xDB && field == 7)
        *store = (X87Store){.low = value.significand, .high = value.sign_exponent};
    else
        store->low = (uint64_t)float80_to_integer(value,
                                                  opcode == 0xDB                 ? 32
                                                  : opcode == 0xDD || field == 7 ? 64
                                                                                 : 16,
                                                  &status);
    end_store(cpu, &status, field != 2);
}

HelperResult x87_store_bcd(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    Float80 value;
    FloatStatus status = x87_begin(&cpu->state.fpu);
    if (!begin_store(cpu, &value))
        return drop_store(cpu, insn, 10, &status, true);
    uint8_t bcd[10];
    float80_to_bcd(value, bcd, &status);
    Float80 raw = {0, (uint16_t)(bcd[8] | bcd[9] << 8)};
    for (int i = 0; i < 8; i++)
        raw.significand |= (uint64_t)bcd[i] << (8 * i);
    if (!is_stored(&status))
        return drop_store(cpu, insn, 10, &status, true);
    if (!x87_write_float80(cpu, insn->segment, insn->offset, raw))
        return HELPER_FAULT;
    return end_store(cpu, &status, true);
}

/* FSTP1 (D9 D8) does not notice that ST(0) is empty: it just pops. */
HelperResult x87_store_register_unchecked(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    FpuState *fpu = &cpu->state.fpu;
    if (!x87_is_empty(fpu, 0))
        return x87_store_register(cpu, insn, pop);
    x87_set_conditions(fpu, X87_C1, 0);
    x87_pop(fpu);
    return HELPER_NEXT;
}

/* FST and FSTP ST(i). */
HelperResult x87_store_register(Cpu *cpu, const X87Instruction *insn, unsigned pop) {
    FpuState *fpu = &cpu->state.fpu;
    Float80 value = x87_get(fpu, 0);
    if (x87_is_empty(fpu, 0)) {
        if (!x87_raise_underflow(cpu))
            return HELPER_NEXT;
        value = FLOAT80_INDEFINITE;
    } else {
        x87_set_conditions(fpu, X87_C1, 0);
    }
    x87_set(fpu, insn->modrm & 7, value);
    if (pop)
        x87_pop(fpu);
    return HELPER_NEXT;
}

HelperResult x87_exchange(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    FpuState *fpu = &cpu->state.fpu;
    unsigned index = insn->modrm & 7;
    Float80 a = x87_get(fpu, 0), b = x87_get(fpu, index);
    bool a_empty = x87_is_empty(fpu, 0), b_empty = x87_is_empty(fpu, index);
    if (a_empty || b_empty) {
        if (!x87_raise_underflow(cpu))
            return HELPER_NEXT;
        a = a_empty ? FLOAT80_INDEFINITE : a;
        b = b_empty ? FLOAT80_INDEFINITE : b;
    } else {
        x87_set_conditions(fpu, X87_C1, 0);
    }
    x87_set(fpu, 0, b);
    x87_set(fpu, index, a);
    return HELPER_NEXT;
}

/* FCMOVcc: the condition is the register field, and DBh negates it. */
HelperResult x87_move_conditional(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    static const uint32_t masks[4] = {FLAG_CF, FLAG_ZF, FLAG_CF | FLAG_ZF, FLAG_PF};
    FpuState *fpu = &cpu->state.fpu;
    unsigned index = insn->modrm & 7;
    Float80 value = x87_get(fpu, index);
    bool holds = (cpu_get_status_flags(cpu) & masks[insn->modrm >> 3 & 3]) != 0;
    if (x87_is_empty(fpu, 0) || x87_is_empty(fpu, index)) {
        if (!x87_raise_underflow(cpu))
            return HELPER_NEXT;
        x87_set(fpu, 0, FLOAT80_INDEFINITE);
        return HELPER_NEXT;
    }
    if (holds != (insn->opcode == 0xDB))
        x87_set(fpu, 0, value);
    return HELPER_NEXT;
}
