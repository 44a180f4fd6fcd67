/* AES rounds (FIPS 197) and carry-less multiplication. The S-box is computed from its definition at
 * each use: these instructions are rare in legacy systems. */
#include "vector_internal.h"

/* Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t times_x(uint8_t a) {
    return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1B : 0));
}

static uint8_t multiply(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (; b != 0; b >>= 1, a = times_x(a))
        product ^= b & 1 ? a : 0;
    return product;
}

/* a^254, the inverse; 0 for 0. */
static uint8_t invert(uint8_t a) {
    uint8_t result = 1;
    for (int i = 0; i < 7; i++) {
        a = multiply(a, a);
        result = multiply(result, a);
    }
    return result;
}

static uint8_t rotate_left(uint8_t a, unsigned count) {
    return (uint8_t)(a << count | a >> (8 - count));
}

static uint8_t substitute(uint8_t a) {
    uint8_t b = invert(a);
    return (uint8_t)(b ^ rotate_left(b, 1) ^ rotate_left(b, 2) ^ rotate_left(b, 3) ^
                     rotate_left(b, 4) ^ 0x63);
}

static uint8_t substitute_inverse(uint8_t a) {
    return invert((uint8_t)(rotate_left(a, 1) ^ rotate_left(a, 3) ^ rotate_left(a, 6) ^ 0x05));
}

/* ShiftRows and SubBytes, or their inverses; byte 4c + r is row r of column c. */
static Vector shift_and_substitute(const Vector *state, bool inverse) {
    Vector result = {{0, 0}};
    for (unsigned i = 0; i < 16; i++) {
        unsigned row = i & 3, column = (i >> 2) + (inverse ? 4 - row : row);
        uint8_t byte = (uint8_t)vector_get(state, 1, (column & 3) * 4 + row);
        vector_set(&result, 1, i, inverse ? substitute_inverse(byte) : substitute(byte));
    }
    return result;
}

static Vector mix_columns(const Vector *state, bool inverse) {
    static const uint8_t factors[2][4] = {{2, 3, 1, 1}, {14, 11, 13, 9}};
    Vector result = {{0, 0}};
    for (unsigned i = 0; i < 16; i++) {
        uint8_t sum = 0;
        for (unsigned j = 0; j < 4; j++) {
            uint8_t byte = (uint8_t)vector_get(state, 1, (i & ~3u) + ((i + j) & 3));
            sum ^= multiply(byte, factors[inverse][j]);
        }
        vector_set(&result, 1, i, sum);
    }
    return result;
}

/* 0F 38 DB to DF: AESIMC, AESENC, AESENCLAST, AESDEC, AESDECLAST. */
HelperResult vector_aes(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    bool inverse = operation->opcode != 0xDC && operation->opcode != 0xDD;
    bool last = operation->opcode == 0xDD || operation->opcode == 0xDF;
    if (operation->opcode == 0xDB) {
        operation->result = mix_columns(&operation->b, true);
        return HELPER_NEXT;
    }
    Vector state = shift_and_substitute(&operation->a, inverse);
    if (!last)
        state = mix_columns(&state, inverse);
    for (unsigned i = 0; i < 2; i++)
        operation->result.half[i] = state.half[i] ^ operation->b.half[i];
    return HELPER_NEXT;
}

/* AESKEYGENASSIST. */
HelperResult vector_aes_key(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(operation->b.half[i] >> 32), substituted = 0;
        for (unsigned shift = 0; shift < 32; shift += 8)
            substituted |= (uint32_t)substitute((uint8_t)(word >> shift)) << shift;
        uint32_t rotated = (substituted >> 8 | substituted << 24) ^ operation->immediate;
        operation->result.half[i] = substituted | (uint64_t)rotated << 32;
    }
    return HELPER_NEXT;
}

/* PCLMULQDQ. */
HelperResult vector_multiply_carryless(Cpu *cpu, VectorOperation *operation) {
    (void)cpu;
    uint64_t a = operation->a.half[operation->immediate & 1];
    uint64_t b = operation->b.half[operation->immediate >> 4 & 1];
    Vector product = {{0, 0}};
    for (unsigned i = 0; i < 64; i++) {
        if ((b >> i & 1) == 0)
            continue;
        product.half[0] ^= a << i;
        product.half[1] ^= i == 0 ? 0 : a >> (64 - i);
    }
    operation->result = product;
    return HELPER_NEXT;
}
