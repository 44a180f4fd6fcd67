/* 3DNow!: two single-precision lanes in an MMX register. AMD 21928, "3DNow! Technology Manual", and
 * 22466, "AMD Extensions to the 3DNow! and MMX Instruction Sets".
 *
 * There are no exceptions and no modes: results are rounded to the nearest, conversions to and from
 * integers are cut, denormals are zeros, and what is too large is the largest normal number. What
 * the manual leaves open is defined here for every host: operands with an exponent of 255, which it
 * calls unsupported, count as the largest normal number of that sign. PFRCP is the reciprocal
 * rounded to 15 significant bits, PFRSQRT the root's rounded to 16 (the manual promises 14 and 15);
 * PFRCPIT1 is 2 - a * b, PFRSQIT1 (3 - a * b) / 2 and PFRCPIT2 a * b, each rounded once, so that
 * the manual's sequences give 24 bits. */
#include "vector_float.h"

enum { RECIPROCAL_BITS = 15, ROOT_BITS = 16 };
#define EXPONENT_MASK 0x7F800000u
#define LARGEST 0x7F7FFFFFu
#define SIGN 0x80000000u
#define ALL_ONES 0xFFFFFFFFu

static FloatStatus nearest(void) {
    return (FloatStatus){.rounding = ROUND_NEAREST,
                         .masked = FLOAT_EXCEPTIONS,
                         .flush_to_zero = true,
                         .denormals_are_zero = true};
}

static uint32_t saturate(uint32_t bits) {
    return (bits & EXPONENT_MASK) == EXPONENT_MASK ? (bits & SIGN) | LARGEST : bits;
}

static FloatParts unpack(uint32_t bits) {
    FloatStatus status = nearest();
    return vector_unpack(saturate(bits), 4, &status);
}

static uint32_t round_and_pack(FloatParts value, unsigned rounding) {
    FloatStatus status = nearest();
    status.rounding = (uint8_t)rounding;
    if (value.class == FLOAT_FINITE)
        float_round(&value, &float_format_32, &status);
    return saturate(float_pack_32(&value));
}

/* ---- Lanes: a is the destination, b the source ---- */

typedef uint32_t Operation(uint32_t a, uint32_t b);

static FloatParts sum(FloatParts a, FloatParts b) {
    FloatStatus status = nearest();
    FloatParts result;
    float_add(&result, &a, &b, &status);
    return result;
}

static FloatParts product(uint32_t a, uint32_t b) {
    FloatStatus status = nearest();
    FloatParts result, x = unpack(a), y = unpack(b);
    float_multiply(&result, &x, &y, &status);
    return result;
}

static uint32_t add(uint32_t a, uint32_t b) {
    return round_and_pack(sum(unpack(a), unpack(b)), ROUND_NEAREST);
}

static uint32_t subtract(uint32_t a, uint32_t b) {
    return add(a, b ^ SIGN);
}

static uint32_t subtract_reversed(uint32_t a, uint32_t b) {
    return subtract(b, a);
}

static uint32_t multiply(uint32_t a, uint32_t b) {
    return round_and_pack(product(a, b), ROUND_NEAREST);
}

/* constant - a * b, scaled by a power of two. */
static uint32_t step(unsigned constant, uint32_t a, uint32_t b, int32_t scale) {
    FloatParts part = product(a, b);
    part.sign = !part.sign;
    FloatParts result = sum(float_from_integer(constant), part);
    result.exponent += scale;
    return round_and_pack(result, ROUND_NEAREST);
}

static uint32_t reciprocal_step(uint32_t a, uint32_t b) {
    return step(2, a, b, 0);
}

static uint32_t root_step(uint32_t a, uint32_t b) {
    return step(3, a, b, -1);
}

static int order(uint32_t a, uint32_t b) {
    FloatParts x = unpack(a), y = unpack(b);
    return float_order(&x, &y);
}

/* A zero is positive. */
static uint32_t without_zero_sign(uint32_t bits) {
    return unpack(bits).class == FLOAT_ZERO ? 0 : saturate(bits);
}

static uint32_t maximum(uint32_t a, uint32_t b) {
    return without_zero_sign(order(a, b) > 0 ? a : b);
}

static uint32_t minimum(uint32_t a, uint32_t b) {
    return without_zero_sign(order(a, b) < 0 ? a : b);
}

static uint32_t is_equal(uint32_t a, uint32_t b) {
    return order(a, b) == 0 ? ALL_ONES : 0;
}

static uint32_t is_greater(uint32_t a, uint32_t b) {
    return order(a, b) > 0 ? ALL_ONES : 0;
}

static uint32_t is_not_less(uint32_t a, uint32_t b) {
    return order(a, b) >= 0 ? ALL_ONES : 0;
}

/* ---- Conversions of the source ---- */

static uint32_t from_integer(uint32_t a, uint32_t b) {
    (void)a;
    return round_and_pack(float_from_integer((int32_t)b), ROUND_TO_ZERO);
}

static uint32_t from_word(uint32_t a, uint32_t b) {
    return from_integer(a, (uint32_t)(int16_t)b);
}

static uint32_t to_integer_within(uint32_t bits, int width) {
    FloatStatus status = nearest();
    FloatParts value = unpack(bits);
    int64_t integer;
    status.rounding = ROUND_TO_ZERO;
    if (!float_to_integer(&value, width, &status, &integer)) {
        int64_t limit = INT64_C(1) << (width - 1);
        integer = value.sign ? -limit : limit - 1;
    }
    return (uint32_t)integer;
}

static uint32_t to_integer(uint32_t a, uint32_t b) {
    (void)a;
    return to_integer_within(b, 32);
}

static uint32_t to_word(uint32_t a, uint32_t b) {
    (void)a;
    return to_integer_within(b, 16);
}

/* ---- Approximations, of the lower lane ---- */

static uint32_t approximate(FloatParts value, bool sign, int bits) {
    FloatStatus status = nearest();
    value.sign = sign;
    float_round_bits(&value, bits, &status);
    return round_and_pack(value, ROUND_NEAREST);
}

static uint32_t reciprocal(uint32_t bits) {
    FloatStatus status = nearest();
    FloatParts one = float_from_integer(1), value = unpack(bits), result;
    if (value.class == FLOAT_ZERO)
        return (bits & SIGN) | LARGEST;
    float_divide(&result, &one, &value, &status);
    return approximate(result, value.sign, RECIPROCAL_BITS);
}

/* Of the magnitude, with the operand's sign. */
static uint32_t reciprocal_root(uint32_t bits) {
    FloatStatus status = nearest();
    FloatParts one = float_from_integer(1), value = unpack(bits), inverse, result;
    if (value.class == FLOAT_ZERO)
        return (bits & SIGN) | LARGEST;
    value.sign = false;
    float_divide(&inverse, &one, &value, &status);
    float_square_root(&result, &inverse, &status);
    return approximate(result, (bits & SIGN) != 0, ROOT_BITS);
}

/* ---- The instructions ---- */

static const struct {
    uint8_t opcode;
    Operation *lanes;
} lane_rows[] = {
    {0x0D, from_integer}, {0x1D, to_integer}, {0x0C, from_word},       {0x1C, to_word},
    {0x90, is_not_less},  {0xA0, is_greater}, {0xB0, is_equal},        {0x94, minimum},
    {0xA4, maximum},      {0x9E, add},        {0x9A, subtract},        {0xAA, subtract_reversed},
    {0xB4, multiply},     {0xB6, multiply},   {0xA6, reciprocal_step}, {0xA7, root_step},
};

enum {
    PFNACC = 0x8A,
    PFPNACC = 0x8E,
    PFRCP = 0x96,
    PFRSQRT = 0x97,
    PFACC = 0xAE,
    PMULHRW = 0xB7,
    PSWAPD = 0xBB,
    PAVGUSB = 0xBF,
};

static uint64_t join(uint32_t low, uint32_t high) {
    return (uint64_t)high << 32 | low;
}

static uint64_t multiply_rounded_words(uint64_t a, uint64_t b) {
    uint64_t result = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        int32_t whole = (int16_t)(a >> i) * (int16_t)(b >> i) + 0x8000;
        result |= (uint64_t)((uint32_t)whole >> 16 & 0xFFFF) << i;
    }
    return result;
}

/* What works across lanes, or on integers. False: no such instruction. */
static bool run_other(unsigned opcode, uint64_t a, uint64_t b, uint64_t *result) {
    uint32_t a0 = (uint32_t)a, a1 = (uint32_t)(a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)(b >> 32);
    switch (opcode) {
    case PFACC:
        *result = join(add(a0, a1), add(b0, b1));
        return true;
    case PFNACC:
        *result = join(subtract(a0, a1), subtract(b0, b1));
        return true;
    case PFPNACC:
        *result = join(subtract(a0, a1), add(b0, b1));
        return true;
    case PFRCP:
        *result = join(reciprocal(b0), reciprocal(b0));
        return true;
    case PFRSQRT:
        *result = join(reciprocal_root(b0), reciprocal_root(b0));
        return true;
    case PMULHRW:
        *result = multiply_rounded_words(a, b);
        return true;
    case PSWAPD:
        *result = join(b1, b0);
        return true;
    case PAVGUSB:
        *result = lanes_average_8(a, b);
        return true;
    default:
        return false;
    }
}

static bool is_extension(unsigned opcode) {
    return opcode == 0x0C || opcode == 0x1C || opcode == PFNACC || opcode == PFPNACC ||
           opcode == PSWAPD;
}

HelperResult vector_3dnow(Cpu *cpu, VectorOperation *operation) {
    uint64_t a = operation->a.half[0], b = operation->b.half[0];
    unsigned opcode = operation->immediate;
    if (is_extension(opcode) && !cpu_has(cpu, FEATURE_3DNOWEXT))
        return cpu_raise(cpu, EXCEPTION_UD);
    for (unsigned i = 0; i < sizeof(lane_rows) / sizeof(lane_rows[0]); i++)
        if (lane_rows[i].opcode == opcode) {
            Operation *lanes = lane_rows[i].lanes;
            operation->result.half[0] = join(lanes((uint32_t)a, (uint32_t)b),
                                             lanes((uint32_t)(a >> 32), (uint32_t)(b >> 32)));
            return HELPER_NEXT;
        }
    return run_other(opcode, a, b, &operation->result.half[0]) ? HELPER_NEXT
                                                               : cpu_raise(cpu, EXCEPTION_UD);
}
