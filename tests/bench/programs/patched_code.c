/* Code that patches an immediate of its own in a loop, with data on the same page. */
#include "program_runtime.h"

enum { REPETITIONS = 960000, IMMEDIATE = 5, DATA = 1024, CODE_BYTES = 4096 };

typedef uint32_t Function(uint32_t value);

/* MOV EAX, [ESP+4]; ADD EAX, immediate; ROL EAX, 3; RET */
static const uint8_t machine_code[] = {0x8b, 0x44, 0x24, 0x04, 0x05, 0,   0,
                                       0,    0,    0xc1, 0xc0, 3,    0xc3};

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t *code = map_memory(CODE_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    __builtin_memcpy(code, machine_code, sizeof machine_code);
    uint32_t volatile *data = (uint32_t *)(code + DATA);
    uint32_t value = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        __builtin_memcpy(code + IMMEDIATE, &left, sizeof left);
        for (int call = 0; call < 8; call++) {
            value = ((Function *)code)(value);
            data[call] += value;
        }
    }
    return value ^ data[7];
}
