/* PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: SDM vol. 1 12.10 (aggregation by table 12-1 ff.,
 * intermediate results 1 and 2). */
#include "little_endian.h"
#include "vector_internal.h"

/* Fields of the immediate. */
enum {
    WORDS = 1 << 0,
    SIGNED = 1 << 1,
    AGGREGATION = 3 << 2,
    NEGATE = 1 << 4,
    NEGATE_VALID_ONLY = 1 << 5,
    MOST_SIGNIFICANT = 1 << 6, /* index of the last match, or a byte mask instead of a bit mask */
};
enum { EQUAL_ANY = 0 << 2, RANGES = 1 << 2, EQUAL_EACH = 2 << 2, EQUAL_ORDERED = 3 << 2 };

typedef struct StringPair {
    const Vector *a, *b;
    unsigned a_length, b_length; /* valid elements */
    unsigned count;              /* elements that a register holds: 16 or 8 */
    unsigned size;               /* bytes of one */
    unsigned mode;               /* the immediate */
} StringPair;

static int32_t get_element(const StringPair *strings, const Vector *vector, unsigned index) {
    uint64_t raw = vector_get(vector, strings->size, index);
    if ((strings->mode & SIGNED) == 0)
        return (int32_t)raw;
    return strings->size == 1 ? (int8_t)raw : (int16_t)raw;
}

/* Is element i of a, as far as it counts, a match for element j of b? SDM vol. 1 table 12-6 says
 * what invalid ones are. */
static bool is_match(const StringPair *strings, unsigned i, unsigned j) {
    bool a_valid = i < strings->a_length, b_valid = j < strings->b_length;
    bool equal = get_element(strings, strings->a, i) == get_element(strings, strings->b, j);
    switch (strings->mode & AGGREGATION) {
    case EQUAL_EACH:
        return a_valid && b_valid ? equal : a_valid == b_valid;
    case EQUAL_ORDERED:
        return !a_valid || (b_valid && equal);
    default:
        return a_valid && b_valid && equal;
    }
}

static bool is_in_range(const StringPair *strings, unsigned i, unsigned j) {
    int32_t value = get_element(strings, strings->b, j);
    return i + 1 < strings->a_length && j < strings->b_length &&
           value >= get_element(strings, strings->a, i) &&
           value <= get_element(strings, strings->a, i + 1);
}

/* Bit j of intermediate result 1. */
static bool aggregate(const StringPair *strings, unsigned j) {
    switch (strings->mode & AGGREGATION) {
    case EQUAL_ANY:
        for (unsigned i = 0; i < strings->count; i++) {
            if (is_match(strings, i, j))
                return true;
        }
        return false;
    case RANGES:
        for (unsigned i = 0; i < strings->count; i += 2) {
            if (is_in_range(strings, i, j))
                return true;
        }
        return false;
    case EQUAL_EACH:
        return is_match(strings, j, j);
    default: /* does a, as a substring, begin at j? */
        for (unsigned i = 0; i + j < strings->count; i++) {
            if (!is_match(strings, i, i + j))
                return false;
        }
        return true;
    }
}

static unsigned compare(const StringPair *strings) {
    unsigned result = 0;
    for (unsigned j = 0; j < strings->count; j++) {
        bool bit = aggregate(strings, j);
        if (strings->mode & NEGATE &&
            (!(strings->mode & NEGATE_VALID_ONLY) || j < strings->b_length))
            bit = !bit;
        result |= (unsigned)bit << j;
    }
    return result;
}

/* Up to the first zero element. */
static unsigned implicit_length(const StringPair *strings, const Vector *vector) {
    unsigned length = 0;
    while (length < strings->count && vector_get(vector, strings->size, length) != 0)
        length++;
    return length;
}

/* The magnitude of EAX or EDX, saturated. */
static unsigned explicit_length(const StringPair *strings, uint32_t value) {
    uint32_t magnitude = value >> 31 ? 0 - value : value;
    return magnitude < strings->count ? magnitude : strings->count;
}

static unsigned find_index(const StringPair *strings, unsigned matches) {
    if (matches == 0)
        return strings->count;
    if (strings->mode & MOST_SIGNIFICANT)
        return 31 - (unsigned)__builtin_clz(matches);
    return (unsigned)__builtin_ctz(matches);
}

static void store_mask(Cpu *cpu, const StringPair *strings, unsigned matches) {
    Vector mask = {{matches, 0}};
    if (strings->mode & MOST_SIGNIFICANT) {
        for (unsigned i = 0; i < strings->count; i++)
            vector_set(&mask, strings->size, i, matches >> i & 1 ? UINT64_MAX : 0);
    }
    store_le64(cpu->state.fpu.xmm[0], mask.half[0]);
    store_le64(cpu->state.fpu.xmm[0] + 8, mask.half[1]);
}

/* Opcodes 60h to 63h: bit 1 chooses implicit lengths, bit 0 the index in ECX instead of a mask in
 * XMM0. */
HelperResult vector_compare_strings(Cpu *cpu, VectorOperation *operation) {
    unsigned mode = operation->immediate, size = mode & WORDS ? 2 : 1;
    StringPair strings = {
        .a = &operation->a, .b = &operation->b, .count = 16 / size, .size = size, .mode = mode};
    if (operation->opcode & 2) {
        strings.a_length = implicit_length(&strings, strings.a);
        strings.b_length = implicit_length(&strings, strings.b);
    } else {
        strings.a_length = explicit_length(&strings, (uint32_t)cpu->state.gpr[REG_EAX]);
        strings.b_length = explicit_length(&strings, (uint32_t)cpu->state.gpr[REG_EDX]);
    }
    unsigned matches = compare(&strings);
    if (operation->opcode & 1)
        cpu->state.gpr[REG_ECX] = find_index(&strings, matches);
    else
        store_mask(cpu, &strings, matches);
    cpu_set_status_flags(
        cpu, (matches != 0 ? FLAG_CF : 0) | (strings.b_length < strings.count ? FLAG_ZF : 0) |
                 (strings.a_length < strings.count ? FLAG_SF : 0) | (matches & 1 ? FLAG_OF : 0));
    return HELPER_NEXT;
}
