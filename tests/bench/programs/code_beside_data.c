/* A routine whose counters and table lie on the page of its code, as small assembly programs,
 * trampolines with their data and boot loaders have them. */
#include "program_runtime.h"

enum { CODE_BYTES = 4096, COUNTERS = 2048, LOOPS = 200, REPETITIONS = 48000 };

typedef uint32_t Function(uint32_t value, uint32_t *counters, uint32_t loops);

/* A loop that adds to counters[value % 16] and to the total behind them. */
// clang-format off
static const uint8_t machine_code[] = {
    0x53,                         /*     push ebx */
    0x8b, 0x44, 0x24, 0x08,       /*     mov eax, [esp + 8] */
    0x8b, 0x54, 0x24, 0x0c,       /*     mov edx, [esp + 12] */
    0x8b, 0x4c, 0x24, 0x10,       /*     mov ecx, [esp + 16] */
    0x69, 0xc0, 0x0d, 0x66, 0x19, 0x00, /* next: imul eax, eax, 1664525 */
    0x40,                         /*     inc eax */
    0x89, 0xc3,                   /*     mov ebx, eax */
    0xc1, 0xeb, 0x1c,             /*     shr ebx, 28 */
    0x01, 0x04, 0x9a,             /*     add [edx + ebx * 4], eax */
    0x8b, 0x1c, 0x9a,             /*     mov ebx, [edx + ebx * 4] */
    0x01, 0x5a, 0x40,             /*     add [edx + 64], ebx */
    0x49,                         /*     dec ecx */
    0x75, 0xe8,                   /*     jnz next */
    0x5b,                         /*     pop ebx */
    0xc3,                         /*     ret */
};
// clang-format on

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint8_t *code = map_memory(CODE_BYTES, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    __builtin_memcpy(code, machine_code, sizeof machine_code);
    uint32_t *counters = (uint32_t *)(code + COUNTERS);
    uint32_t value = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        value = ((Function *)code)(value, counters, LOOPS);
        counters[left % 64] ^= value;
    }
    return value ^ counters[16] ^ counters[3];
}
