/* A compiler inside the guest whose code has loops and calls: each function it makes works on an
 * array for a while before the next one takes its place. */
#include "program_runtime.h"

enum { FUNCTIONS = 3200, OPERATIONS = 12, LOOPS = 1500, SLOTS = 16, SLOT_BYTES = 512, WORDS = 256 };

typedef uint32_t Function(uint32_t value, uint32_t *words, uint32_t loops);

static uint8_t *put(uint8_t *at, const void *bytes, size_t size) {
    __builtin_memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *put_word(uint8_t *at, uint32_t word) {
    return put(at, &word, sizeof word);
}

/* One operation on EAX with an immediate, with a word of the array at EDX, or skipped by a branch.
 */
static uint8_t *put_operation(uint8_t *at, uint32_t *seed) {
    static const uint8_t immediate[][2] = {{0x05}, {0x2d}, {0x35}, {0x69, 0xc0}};
    static const uint8_t immediate_sizes[] = {1, 1, 1, 2}; /* ADD, SUB, XOR, IMUL EAX, EAX */
    static const uint8_t memory[][2] = {{0x03, 0x42}, {0x33, 0x42}, {0x01, 0x42}, {0x29, 0x42}};
    uint32_t choice = random_next(seed);
    uint32_t kind = choice >> 8 & 3;
    switch (choice & 3) {
    case 0: /* ADD, XOR EAX, [EDX + n]; ADD, SUB [EDX + n], EAX */
        at = put(at, memory[kind], 2);
        *at++ = (uint8_t)((choice >> 12 & 31) * 4);
        return at;
    case 1: /* TEST AL, 1 << n; JZ over the next instruction */
        at = put(at, (uint8_t[]){0xa8, (uint8_t)(1u << (choice >> 12 & 7)), 0x74, 5}, 4);
        *at++ = 0x05;
        return put_word(at, choice);
    case 2: /* ROL EAX, n */
        return put(at, (uint8_t[]){0xc1, 0xc0, (uint8_t)(choice >> 12 & 31)}, 3);
    default:
        at = put(at, immediate[kind], immediate_sizes[kind]);
        return put_word(at, choice | 1);
    }
}

/* A function of (value, words, loops): operations in a loop that counts ECX down. */
static void generate(uint8_t *code, uint32_t *seed) {
    static const uint8_t load[] = {0x8b, 0x44, 0x24, 0x04,  /* MOV EAX, [ESP + 4] */
                                   0x8b, 0x54, 0x24, 0x08,  /* MOV EDX, [ESP + 8] */
                                   0x8b, 0x4c, 0x24, 0x0c}; /* MOV ECX, [ESP + 12] */
    uint8_t *at = put(code, load, sizeof load);
    uint8_t *loop = at;
    for (int i = 0; i < OPERATIONS; i++) {
        at = put_operation(at, seed);
    }
    at = put(at, (uint8_t[]){0x49, 0x0f, 0x85}, 3); /* DEC ECX; JNZ loop */
    at = put_word(at, (uint32_t)(loop - (at + 4)));
    *at = 0xc3;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    static uint32_t words[WORDS];
    uint8_t *code = map_memory(SLOTS * SLOT_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    uint32_t seed = 1;
    uint32_t value = CHECKSUM_START;
    for (uint32_t left = scaled(FUNCTIONS, scale); left; left--) {
        uint8_t *slot = code + left % SLOTS * SLOT_BYTES;
        generate(slot, &seed);
        value = ((Function *)slot)(value, words, LOOPS);
        uint8_t *older = code + (left + 5) % SLOTS * SLOT_BYTES;
        if (*older) {
            value = ((Function *)older)(value, words, LOOPS / 4);
        }
    }
    return value ^ words[7];
}
