/* Packed integers: one function an operation, on 64 bits of lanes. */
#include "vector_internal.h"

/* Defines a function that computes 'expression' of x and y for each lane of that type. */
#define LANES(name, type, expression)                                                              \
    uint64_t name(uint64_t a, uint64_t b) {                                                        \
        const uint64_t mask = UINT64_MAX >> (64 - 8 * sizeof(type));                               \
        uint64_t result = 0;                                                                       \
        for (unsigned shift = 0; shift < 64; shift += 8 * sizeof(type)) {                          \
            type x = (type)(a >> shift), y = (type)(b >> shift);                                   \
            (void)x, (void)y;                                                                      \
            result |= ((uint64_t)(expression)&mask) << shift;                                      \
        }                                                                                          \
        return result;                                                                             \
    }

static int32_t saturate(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

static int32_t saturate_8(int32_t value) {
    return saturate(value, INT8_MIN, INT8_MAX);
}

static int32_t saturate_16(int32_t value) {
    return saturate(value, INT16_MIN, INT16_MAX);
}

LANES(lanes_add_8, uint8_t, x + y)
LANES(lanes_add_16, uint16_t, x + y)
LANES(lanes_add_32, uint32_t, x + y)
LANES(lanes_add_64, uint64_t, x + y)
LANES(lanes_subtract_8, uint8_t, x - y)
LANES(lanes_subtract_16, uint16_t, x - y)
LANES(lanes_subtract_32, uint32_t, x - y)
LANES(lanes_subtract_64, uint64_t, x - y)

LANES(lanes_add_signed_8, int8_t, saturate_8(x + y))
LANES(lanes_add_signed_16, int16_t, saturate_16(x + y))
LANES(lanes_add_unsigned_8, uint8_t, saturate(x + y, 0, UINT8_MAX))
LANES(lanes_add_unsigned_16, uint16_t, saturate(x + y, 0, UINT16_MAX))
LANES(lanes_subtract_signed_8, int8_t, saturate_8(x - y))
LANES(lanes_subtract_signed_16, int16_t, saturate_16(x - y))
LANES(lanes_subtract_unsigned_8, uint8_t, saturate(x - y, 0, UINT8_MAX))
LANES(lanes_subtract_unsigned_16, uint16_t, saturate(x - y, 0, UINT16_MAX))

LANES(lanes_equal_8, uint8_t, x == y ? -1 : 0)
LANES(lanes_equal_16, uint16_t, x == y ? -1 : 0)
LANES(lanes_equal_32, uint32_t, x == y ? -1 : 0)
LANES(lanes_equal_64, uint64_t, x == y ? UINT64_MAX : 0)
LANES(lanes_greater_8, int8_t, x > y ? -1 : 0)
LANES(lanes_greater_16, int16_t, x > y ? -1 : 0)
LANES(lanes_greater_32, int32_t, x > y ? -1 : 0)
LANES(lanes_greater_64, int64_t, x > y ? UINT64_MAX : 0)

LANES(lanes_min_signed_8, int8_t, x < y ? x : y)
LANES(lanes_min_signed_16, int16_t, x < y ? x : y)
LANES(lanes_min_signed_32, int32_t, x < y ? x : y)
LANES(lanes_min_unsigned_8, uint8_t, x < y ? x : y)
LANES(lanes_min_unsigned_16, uint16_t, x < y ? x : y)
LANES(lanes_min_unsigned_32, uint32_t, x < y ? x : y)
LANES(lanes_max_signed_8, int8_t, x > y ? x : y)
LANES(lanes_max_signed_16, int16_t, x > y ? x : y)
LANES(lanes_max_signed_32, int32_t, x > y ? x : y)
LANES(lanes_max_unsigned_8, uint8_t, x > y ? x : y)
LANES(lanes_max_unsigned_16, uint16_t, x > y ? x : y)
LANES(lanes_max_unsigned_32, uint32_t, x > y ? x : y)

LANES(lanes_average_8, uint8_t, (x + y + 1) >> 1)
LANES(lanes_average_16, uint16_t, (x + y + 1) >> 1)

LANES(lanes_multiply_low_16, int16_t, x *y)
LANES(lanes_multiply_low_32, uint32_t, x *y)
LANES(lanes_multiply_high_16, int16_t, (x * y) >> 16)
LANES(lanes_multiply_high_unsigned_16, uint16_t, ((uint32_t)x * y) >> 16)
LANES(lanes_multiply_rounded_16, int16_t, (((x * y) >> 14) + 1) >> 1)
LANES(lanes_multiply_even_unsigned_32, uint64_t, (uint64_t)(uint32_t)x *(uint32_t)y)
LANES(lanes_multiply_even_signed_32, uint64_t, (int64_t)(int32_t)x *(int32_t)y)

/* PMADDWD: both products are 8000h squared in the one case that overflows, which wraps. */
LANES(lanes_multiply_add_16, uint32_t,
      (uint32_t)((int16_t)x *(int16_t)y) + (uint32_t)((int16_t)(x >> 16) * (int16_t)(y >> 16)))
/* PMADDUBSW: unsigned bytes of a times signed ones of b. */
LANES(lanes_multiply_add_8, uint16_t,
      saturate_16((uint8_t)x *(int8_t)y + (x >> 8) * (int8_t)(y >> 8)))

uint64_t lanes_sum_differences_8(uint64_t a, uint64_t b) {
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        int difference = (uint8_t)(a >> shift) - (uint8_t)(b >> shift);
        sum += (unsigned)(difference < 0 ? -difference : difference);
    }
    return sum;
}

LANES(lanes_sign_8, int8_t, y < 0 ? -x : y == 0 ? 0 : x)
LANES(lanes_sign_16, int16_t, y < 0 ? -x : y == 0 ? 0 : x)
LANES(lanes_sign_32, int32_t, y < 0 ? 0 - (uint32_t)x : y == 0 ? 0 : (uint32_t)x)
LANES(lanes_absolute_8, int8_t, y < 0 ? -y : y)
LANES(lanes_absolute_16, int16_t, y < 0 ? -y : y)
LANES(lanes_absolute_32, int32_t, y < 0 ? 0 - (uint32_t)y : (uint32_t)y)

LANES(lanes_and, uint64_t, x &y)
LANES(lanes_and_not, uint64_t, ~x &y)
LANES(lanes_or, uint64_t, x | y)
LANES(lanes_xor, uint64_t, x ^ y)

static uint64_t interleave(uint64_t a, uint64_t b, unsigned bits) {
    uint64_t mask = (UINT64_C(1) << bits) - 1, result = 0;
    for (unsigned from = 0; from < 32; from += bits)
        result |= ((a >> from & mask) | (b >> from & mask) << bits) << (2 * from);
    return result;
}

uint64_t lanes_interleave_low_8(uint64_t a, uint64_t b) {
    return interleave(a, b, 8);
}

uint64_t lanes_interleave_low_16(uint64_t a, uint64_t b) {
    return interleave(a, b, 16);
}

uint64_t lanes_interleave_low_32(uint64_t a, uint64_t b) {
    return interleave(a, b, 32);
}

uint64_t lanes_interleave_high_8(uint64_t a, uint64_t b) {
    return interleave(a >> 32, b >> 32, 8);
}

uint64_t lanes_interleave_high_16(uint64_t a, uint64_t b) {
    return interleave(a >> 32, b >> 32, 16);
}

uint64_t lanes_interleave_high_32(uint64_t a, uint64_t b) {
    return interleave(a >> 32, b >> 32, 32);
}

/* Defines a function that makes half as many lanes of two halves: 'pair' is one lane for the packs
 * and two neighbours (x, y) for horizontal sums. */
#define PACK(name, from, to, expression)                                                           \
    uint64_t name(uint64_t a, uint64_t b) {                                                        \
        const unsigned count = 64 / (8 * sizeof(from));                                            \
        uint64_t result = 0;                                                                       \
        for (unsigned i = 0; i < 2 * count; i++) {                                                 \
            from x = (from)((i < count ? a : b) >> (i % count * 8 * sizeof(from)));                \
            result |= (uint64_t)(to)(expression) << (i * 8 * sizeof(to));                          \
        }                                                                                          \
        return result;                                                                             \
    }

PACK(lanes_pack_signed_16, int16_t, uint8_t, saturate_8(x))
PACK(lanes_pack_unsigned_16, int16_t, uint8_t, saturate(x, 0, UINT8_MAX))
PACK(lanes_pack_signed_32, int32_t, uint16_t, saturate_16(x))
PACK(lanes_pack_unsigned_32, int32_t, uint16_t, saturate(x, 0, UINT16_MAX))

#define HORIZONTAL(name, type, unsigned_type, expression)                                          \
    uint64_t name(uint64_t a, uint64_t b) {                                                        \
        const unsigned bits = 8 * sizeof(type), count = 64 / bits;                                 \
        uint64_t result = 0;                                                                       \
        for (unsigned i = 0; i < count; i++) {                                                     \
            uint64_t pair = (i < count / 2 ? a : b) >> (i % (count / 2) * 2 * bits);               \
            type x = (type)pair, y = (type)(pair >> bits);                                         \
            result |= (uint64_t)(unsigned_type)(expression) << (i * bits);                         \
        }                                                                                          \
        return result;                                                                             \
    }

HORIZONTAL(lanes_horizontal_add_16, uint16_t, uint16_t, x + y)
HORIZONTAL(lanes_horizontal_add_32, uint32_t, uint32_t, x + y)
HORIZONTAL(lanes_horizontal_add_signed_16, int16_t, uint16_t, saturate_16(x + y))
HORIZONTAL(lanes_horizontal_subtract_16, uint16_t, uint16_t, x - y)
HORIZONTAL(lanes_horizontal_subtract_32, uint32_t, uint32_t, x - y)
HORIZONTAL(lanes_horizontal_subtract_signed_16, int16_t, uint16_t, saturate_16(x - y))

HelperResult vector_lanes(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    LaneFunction *function = operation->row->lane;
    operation->result.half[0] = function(operation->a.half[0], operation->b.half[0]);
    if (operation->wide)
        operation->result.half[1] = function(operation->a.half[1], operation->b.half[1]);
    return HELPER_NEXT;
}

HelperResult vector_narrow(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    const Vector *a = &operation->a, *b = &operation->b;
    LaneFunction *function = operation->row->lane;
    if (operation->wide)
        operation->result =
            (Vector){{function(a->half[0], a->half[1]), function(b->half[0], b->half[1])}};
    else
        operation->result.half[0] = function(a->half[0], b->half[0]);
    return HELPER_NEXT;
}
