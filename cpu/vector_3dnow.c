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

typedef uint32_t LaneOperation(uint32_t a, uint32_t b);

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

/* ---- Across lanes, and on integers ---- */

static uint64_t join(uint32_t low, uint32_t high) {
    return (uint64_t)high << 32 | low;
}

static uint32_t upper(uint64_t pair) {
    return (uint32_t)(pair >> 32);
}

static uint64_t accumulate(uint64_t a, uint64_t b) {
    return join(add((uint32_t)a, upper(a)), add((uint32_t)b, upper(b)));
}

static uint64_t accumulate_negative(uint64_t a, uint64_t b) {
    return join(subtract((uint32_t)a, upper(a)), subtract((uint32_t)b, upper(b)));
}

static uint64_t accumulate_mixed(uint64_t a, uint64_t b) {
    return join(subtract((uint32_t)a, upper(a)), add((uint32_t)b, upper(b)));
}

static uint64_t reciprocal_pair(uint64_t a, uint64_t b) {
    (void)a;
    return join(reciprocal((uint32_t)b), reciprocal((uint32_t)b));
}

static uint64_t reciprocal_root_pair(uint64_t a, uint64_t b) {
    (void)a;
    return join(reciprocal_root((uint32_t)b), reciprocal_root((uint32_t)b));
}

static uint64_t swap(uint64_t a, uint64_t b) {
    (void)a;
    return join(upper(b), (uint32_t)b);
}

static uint64_t multiply_rounded_words(uint64_t a, uint64_t b) {
    uint64_t result = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        int32_t whole = (int16_t)(a >> i) * (int16_t)(b >> i) + 0x8000;
        result |= (uint64_t)((uint32_t)whole >> 16 & 0xFFFF) << i;
    }
    return result;
}

/* ---- The instructions ---- */

// clang-format off
static const struct {
    uint8_t opcode; /* the byte behind the operands */
    bool extension; /* AMD 22466: what CPUID calls 3DNOWEXT */
    LaneOperation *lanes; /* of each lane; or */
    LaneFunction *pair;
} rows[] = {
    {0x0C, true,  from_word,         NULL},                   /* PI2FW */
    {0x0D, false, from_integer,      NULL},                   /* PI2FD */
    {0x1C, true,  to_word,           NULL},                   /* PF2IW */
    {0x1D, false, to_integer,        NULL},                   /* PF2ID */
    {0x8A, true,  NULL,              accumulate_negative},    /* PFNACC */
    {0x8E, true,  NULL,              accumulate_mixed},       /* PFPNACC */
    {0x90, false, is_not_less,       NULL},                   /* PFCMPGE */
    {0x94, false, minimum,           NULL},                   /* PFMIN */
    {0x96, false, NULL,              reciprocal_pair},        /* PFRCP */
    {0x97, false, NULL,              reciprocal_root_pair},   /* PFRSQRT */
    {0x9A, false, subtract,          NULL},                   /* PFSUB */
    {0x9E, false, add,               NULL},                   /* PFADD */
    {0xA0, false, is_greater,        NULL},                   /* PFCMPGT */
    {0xA4, false, maximum,           NULL},                   /* PFMAX */
    {0xA6, false, reciprocal_step,   NULL},                   /* PFRCPIT1 */
    {0xA7, false, root_step,         NULL},                   /* PFRSQIT1 */
    {0xAA, false, subtract_reversed, NULL},                   /* PFSUBR */
    {0xAE, false, NULL,              accumulate},             /* PFACC */
    {0xB0, false, is_equal,          NULL},                   /* PFCMPEQ */
    {0xB4, false, multiply,          NULL},                   /* PFMUL */
    {0xB6, false, multiply,          NULL},                   /* PFRCPIT2 */
    {0xB7, false, NULL,              multiply_rounded_words}, /* PMULHRW */
    {0xBB, true,  NULL,              swap},                   /* PSWAPD */
    {0xBF, false, NULL,              lanes_average_8},        /* PAVGUSB */
};
// clang-format on

HelperResult vector_3dnow(Cpu *cpu, VectorOperation *operation) {
    uint64_t a = operation->a.half[0], b = operation->b.half[0];
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].opcode != operation->immediate)
            continue;
        if (rows[i].extension && !cpu_has(cpu, FEATURE_3DNOWEXT))
            break;
        LaneOperation *lanes = rows[i].lanes;
        operation->result.half[0] =
            lanes != NULL ? join(lanes((uint32_t)a, (uint32_t)b), lanes(upper(a), upper(b)))
                          : rows[i].pair(a, b);
        return HELPER_NEXT;
    }
    return cpu_raise(cpu, EXCEPTION_UD);
}
