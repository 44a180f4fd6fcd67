/* Transcendental instructions, and FBSTP, beside a live x87: their operands are taken from the
 * host's register stack, and their results and flags put there, without all of the state going to
 * memory and back. What runs meanwhile is compiled for general registers alone.
 *
 * This is for plain operands, and for results that are inexact and nothing else. What else is met
 * is left as it was, for the full helper. */
#include "float80.h"
#include "x86_64_internal.h"
#include "x87_transcendental.h"

#if defined(__x86_64__)

/* Their ModRM bytes, behind D9h. */
enum { F2XM1 = 0xF0, FYL2X, FPTAN, FPATAN, FYL2XP1 = 0xF9, FSINCOS = 0xFB, FSIN = 0xFE, FCOS };

/* The status and the control word, SDM vol. 1 8.1.3 and 8.1.5. */
enum {
    STATUS_C0 = 1 << 8,
    STATUS_C2 = 1 << 10,
    STATUS_C3 = 1 << 14,
    STATUS_CLASS = STATUS_C0 | STATUS_C2 | STATUS_C3, /* as FXAM tells it */
    CLASS_NORMAL = STATUS_C2,
    CLASS_EMPTY = STATUS_C3 | STATUS_C0,
    CONTROL_ROUNDING = 3 << 10,
    CONTROL_PRECISION = 3 << 8, /* all bits set: 64 bits */
};

typedef struct Evaluation {
    unsigned modrm;
    Float80 x, y;          /* ST(0) and ST(1) */
    Float80 first, second; /* results in the order in which they are pushed: 'second' is the one of
                              functions with one result */
    FloatStatus status;
} Evaluation;

static bool has_two_operands(unsigned modrm) {
    return modrm == FYL2X || modrm == FPATAN || modrm == FYL2XP1;
}

static bool has_two_results(unsigned modrm) {
    return modrm == FPTAN || modrm == FSINCOS;
}

static unsigned read_status(void) {
    uint16_t status;
    __asm__ volatile("fnstsw %0" : "=a"(status));
    return status;
}

static unsigned classify_top(void) {
    __asm__ volatile("fxam");
    return read_status() & STATUS_CLASS;
}

static void push_register(const Float80 *value) {
    __asm__ volatile("fldt %0" : : "m"(*value));
}

static void pop_register(Float80 *value) {
    __asm__ volatile("fstpt %0" : "=m"(*value));
}

/* Is ST(6) empty? */
static bool is_sixth_empty(void) {
    __asm__ volatile("fdecstp\n\tfdecstp");
    bool empty = classify_top() == CLASS_EMPTY;
    __asm__ volatile("fincstp\n\tfincstp");
    return empty;
}

/* Takes plain operands off the stack. False: they are not, and nothing but conditions changed. */
static bool pop_operands(Evaluation *evaluation) {
    if (classify_top() != CLASS_NORMAL)
        return false;
    pop_register(&evaluation->x);
    bool good = true;
    if (has_two_operands(evaluation->modrm)) {
        good = classify_top() == CLASS_NORMAL;
        if (good)
            pop_register(&evaluation->y);
    } else if (has_two_results(evaluation->modrm)) {
        good = is_sixth_empty();
    }
    if (!good)
        push_register(&evaluation->x);
    return good;
}

static bool evaluate(Evaluation *evaluation) {
    FloatStatus *status = &evaluation->status;
    const Float80 one = {UINT64_C(1) << 63, 0x3FFF};
    const Float80 x = evaluation->x, y = evaluation->y;
    Float80 *second = &evaluation->second;
    switch (evaluation->modrm) {
    case F2XM1:
        *second = float80_exp2_minus_1(x, status);
        return true;
    case FYL2X:
        *second = float80_y_log2_x(y, x, status);
        return true;
    case FYL2XP1:
        *second = float80_y_log2_x_plus_1(y, x, status);
        return true;
    case FPATAN:
        *second = float80_arctangent(y, x, status);
        return true;
    default:
        break;
    }
    if (!float80_is_angle_in_range(x))
        return false;
    if (evaluation->modrm == FPTAN) {
        evaluation->first = float80_tangent(x, status);
        *second = one;
    } else {
        float80_sine_cosine(x,
                            evaluation->modrm == FSINCOS ? &evaluation->first
                            : evaluation->modrm == FSIN  ? second
                                                         : NULL,
                            evaluation->modrm == FSIN ? NULL : second, status);
    }
    return true;
}

/* Is the last result one that round_top() can make? */
static bool is_plain(const Evaluation *evaluation) {
    enum { BIAS = 16383, LEAST = BIAS - 900, INFINITE = 0x7FFF };
    unsigned exponent = evaluation->second.sign_exponent & INFINITE;
    return evaluation->status.raised == FLOAT_INEXACT && exponent >= LEAST && exponent < INFINITE;
}

/* Sets C0, C2 and C3, by looking at a number of the class that they stand for. There is room for
 * it: an operand was popped. */
static void set_conditions(unsigned conditions) {
    static const Float80 examples[8] = {
        {1, 1},                      /* unsupported */
        {UINT64_C(3) << 62, 0x7FFF}, /* C0: NaN */
        {UINT64_C(1) << 63, 0x3FFF}, /* C2: normal */
        {UINT64_C(1) << 63, 0x7FFF}, /* C2, C0: infinity */
        {0, 0},                      /* C3: zero */
        {0, 0},                      /* C3, C0: empty */
        {1, 0},                      /* C3, C2: denormal */
        {UINT64_C(3) << 62, 0x7FFF}, /* C3, C2, C0: what a comparison says of NaNs */
    };
    if (conditions == CLASS_EMPTY) {
        __asm__ volatile("fdecstp\n\tfxam\n\tfincstp");
        return;
    }
    unsigned number = (conditions & STATUS_C3 ? 4 : 0) | (conditions & STATUS_C2 ? 2 : 0) |
                      (conditions & STATUS_C0 ? 1 : 0);
    push_register(&examples[number]);
    if (conditions == STATUS_CLASS)
        __asm__ volatile("fucom %st(0)");
    else
        __asm__ volatile("fxam");
    __asm__ volatile("fstp %st(0)");
}

/* ST(0) is the result; inexact and C1 are told of it by adding much less than its last place, from
 * which it rounds to itself. */
static void round_top(const Evaluation *evaluation, uint16_t control) {
    const uint64_t least = UINT64_C(1) << 52; /* 2^-1022 */
    bool negative = evaluation->second.sign_exponent >> 15 != 0;
    uint64_t rest = least | (uint64_t)(negative != evaluation->status.rounded_up) << 63;
    uint16_t precise = control | CONTROL_PRECISION;
    if (precise != control)
        __asm__ volatile("fldcw %0" : : "m"(precise));
    __asm__ volatile("faddl %0" : : "m"(rest));
    if (precise != control)
        __asm__ volatile("fldcw %0" : : "m"(control));
}

static bool is_function(const HelperInfo *helper, uint32_t instruction) {
    const unsigned functions = 1u << (F2XM1 & 15) | 1u << (FYL2X & 15) | 1u << (FPTAN & 15) |
                               1u << (FPATAN & 15) | 1u << (FYL2XP1 & 15) | 1u << (FSINCOS & 15) |
                               1u << (FSIN & 15) | 1u << (FCOS & 15);
    return helper == &helper_table[HELPER_ID_x87] && (instruction & 0xFFF0) == 0xD9F0 &&
           (functions >> (instruction & 15) & 1) != 0;
}

static bool run_function(Evaluation *evaluation, unsigned before) {
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    if ((control & CONTROL_ROUNDING) != 0 || !pop_operands(evaluation))
        return false;
    if (!evaluate(evaluation) || !is_plain(evaluation)) {
        if (has_two_operands(evaluation->modrm))
            push_register(&evaluation->y);
        push_register(&evaluation->x);
        return false;
    }
    bool is_angle = evaluation->modrm >= FSINCOS || evaluation->modrm == FPTAN;
    set_conditions(before & STATUS_CLASS & ~(is_angle ? STATUS_C2 : 0u));
    if (has_two_results(evaluation->modrm))
        push_register(&evaluation->first);
    push_register(&evaluation->second);
    round_top(evaluation, control);
    return true;
}

static bool is_decimal_store(const HelperInfo *helper, uint32_t instruction) {
    return helper == &helper_table[HELPER_ID_x87] && (instruction & 0xFF38) == 0xDF30 &&
           (instruction & 0xFF) < 0xC0;
}

/* Two digits a byte, the sign in the tenth: SDM vol. 1 4.7. Halves, so that most divisions are of
 * 32 bits. */
static void store_decimal(uint8_t *memory, uint64_t magnitude, bool negative) {
    uint32_t lower = (uint32_t)(magnitude % 100000000);
    uint64_t upper = magnitude / 100000000;
    for (unsigned i = 0; i < 4; i++, lower /= 100)
        memory[i] = (uint8_t)(lower / 10 % 10 << 4 | lower % 10);
    for (unsigned i = 4; i < 9; i++, upper /= 100)
        memory[i] = (uint8_t)(upper / 10 % 10 << 4 | upper % 10);
    memory[9] = negative ? 0x80 : 0;
}

/* FBSTP of a number that is surely small enough, to plain memory: FISTP rounds it and tells the
 * flags. */
static bool run_decimal_store(Cpu *cpu, unsigned before) {
    enum { BIAS = 16383, EXPONENT_MAX = BIAS + 58, SIGN = 0x8000, BYTES = 10 };
    unsigned segment = cpu->helper_b & 0xFF;
    unsigned table = cpu->state.cpl == 3 ? TLB_USER_WRITE : TLB_SUPER_WRITE;
    uint32_t offset = (uint32_t)cpu->host_slot[JIT_SLOT_T0], linear;
    if (!cpu_check_segment(cpu, segment, offset, BYTES, true, &linear))
        return false; /* which the helper will find, too */
    uint8_t *memory = tlb_find_plain(&cpu->tlb, table, linear, BYTES);
    if (memory == NULL || classify_top() != CLASS_NORMAL)
        return false;
    Float80 value;
    int64_t integer;
    pop_register(&value);
    bool small = (value.sign_exponent & ~SIGN) <= EXPONENT_MAX;
    if (small)
        set_conditions(before & STATUS_CLASS);
    push_register(&value);
    if (!small)
        return false;
    __asm__ volatile("fistpll %0" : "=m"(integer));
    store_decimal(memory, integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer,
                  (value.sign_exponent & SIGN) != 0);
    cpu->state.fpu.dp = offset;
    cpu->fpu_segment = segment + 1;
    return true;
}

bool x86_fpu_run_function(Cpu *cpu, const HelperInfo *helper) {
    bool stores = is_decimal_store(helper, cpu->helper_a);
    if (JIT_IS_SANITIZED || cpu->fpu_live != FPU_LIVE_ALL ||
        !(stores || is_function(helper, cpu->helper_a)) ||
        (cpu->state.cr0 & (CR0_EM | CR0_TS)) != 0)
        return false;
    Evaluation evaluation = {.modrm = cpu->helper_a & 0xFF,
                             .status = {.precision = 64, .masked = FLOAT_EXCEPTIONS}};
    unsigned before = read_status();
    if (stores ? run_decimal_store(cpu, before) : run_function(&evaluation, before)) {
        x86_fpu_set_pointers(cpu, (uint16_t)(cpu->helper_a & 0x7FF));
        return true;
    }
    x86_fpu_save(cpu);
    cpu->state.fpu.status = (uint16_t)before; /* FXAM left its conditions */
    return false;
}

#else

bool x86_fpu_run_function(Cpu *cpu, const HelperInfo *helper) {
    (void)cpu, (void)helper;
    return false;
}

#endif
