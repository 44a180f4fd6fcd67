/* Code that changes without end, for soak_bench.py: functions generated in memory that is mapped
 * for them and given back, in processes that come and go, and functions that are patched where they
 * stand. Prints a line after each round. */
#include "program_runtime.h"

enum { SLOTS = 24, SLOT_BYTES = 256, AREA_BYTES = 16 * SLOT_BYTES, OPERATIONS = 30, CALLS = 300 };
enum { FUNCTIONS = 400, PATCHES = 4000, CHILDREN = 4 };

typedef uint32_t Function(uint32_t value);

/* MOV EAX, [ESP + 4]; operations with an immediate on EAX; RET. Returns where the first immediate
 * is. */
static uint8_t *generate(uint8_t *code, uint32_t *seed) {
    static const uint8_t load[] = {0x8b, 0x44, 0x24, 0x04};
    static const uint8_t operations[] = {0x05, 0x2d, 0x35}; /* ADD, SUB, XOR EAX, immediate */
    __builtin_memcpy(code, load, sizeof load);
    uint8_t *at = code + sizeof load;
    for (int i = 0; i < OPERATIONS; i++) {
        uint32_t immediate = random_next(seed);
        *at++ = operations[immediate % 3];
        __builtin_memcpy(at, &immediate, sizeof immediate);
        at += sizeof immediate;
    }
    *at = 0xc3;
    return code + sizeof load + 1;
}

static uint32_t call(const uint8_t *code, uint32_t value) {
    for (int left = CALLS; left; left--) {
        value = ((Function *)code)(value);
    }
    return value;
}

/* New areas take the place of the oldest: addresses come back with other code. */
static uint32_t generate_in_new_memory(uint32_t *seed, uint32_t value) {
    static uint8_t *areas[SLOTS];
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        uint8_t **area = &areas[random_next(seed) % SLOTS];
        if (*area) {
            system_call(CALL_MUNMAP, (long)*area, AREA_BYTES, 0, 0);
        }
        *area = map_memory(AREA_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
        uint8_t *code = *area + random_next(seed) % 15 * SLOT_BYTES;
        generate(code, seed);
        value = call(code, value);
    }
    return value;
}

static uint32_t patch(uint32_t *seed, uint32_t value) {
    static uint8_t *code;
    static uint8_t *immediate;
    if (!code) {
        code = map_memory(AREA_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    }
    immediate = generate(code, seed);
    for (uint32_t left = PATCHES; left; left--) {
        __builtin_memcpy(immediate, &left, sizeof left);
        value = ((Function *)code)(value);
    }
    return value;
}

static void use_children(uint32_t seed) {
    for (int i = 0; i < CHILDREN; i++) {
        long child = system_call(CALL_FORK, 0, 0, 0, 0);
        if (child == 0) {
            seed += (uint32_t)i;
            generate_in_new_memory(&seed, seed);
            system_call(CALL_EXIT, 0, 0, 0, 0);
        }
        system_call(CALL_WAIT4, child, 0, 0, 0);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    (void)scale;
    uint32_t seed = 1;
    uint32_t value = CHECKSUM_START;
    for (;;) {
        value = generate_in_new_memory(&seed, value);
        value = patch(&seed, value);
        use_children(seed);
        write_text("round\n");
    }
    return value;
}
