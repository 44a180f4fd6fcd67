/* A compiler inside the guest: makes code for arithmetic expressions, runs it, and makes new code
 * in the same place. */
#include "program_runtime.h"

enum { REPETITIONS = 20000, OPERATIONS = 60, CALLS = 50, CODE_BYTES = 4096 };

typedef uint32_t Function(uint32_t value);

static uint8_t *emit(uint8_t *at, const uint8_t *bytes, size_t size, uint32_t immediate) {
    for (size_t i = 0; i < size; i++) {
        *at++ = bytes[i];
    }
    __builtin_memcpy(at, &immediate, sizeof immediate);
    return at + sizeof immediate;
}

/* MOV EAX, [ESP+4]; operations with an immediate on EAX; RET. */
static void generate(uint8_t *code, uint32_t *seed) {
    static const uint8_t operations[][2] = {{0x05}, {0x2d}, {0x35}, {0x69, 0xc0}};
    static const uint8_t sizes[] = {1, 1, 1, 2}; /* ADD, SUB, XOR, IMUL EAX, EAX */
    const uint8_t load[] = {0x8b, 0x44, 0x24, 0x04};
    uint8_t *at = code;
    __builtin_memcpy(at, load, sizeof load);
    at += sizeof load;
    for (int i = 0; i < OPERATIONS; i++) {
        uint32_t kind = random_next(seed) % 4;
        at = emit(at, operations[kind], sizes[kind], random_next(seed) | 1);
    }
    *at = 0xc3;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t *code = map_memory(CODE_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    uint32_t seed = 1;
    uint32_t value = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        generate(code, &seed);
        for (int call = 0; call < CALLS; call++) {
            value = ((Function *)code)(value);
        }
    }
    return value;
}
