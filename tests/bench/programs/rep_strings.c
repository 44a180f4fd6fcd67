/* REP MOVS, STOS and SCAS, of the sizes that C libraries and kernels use them for. */
#include "program_runtime.h"

enum { BUFFER_BYTES = 65536, REPETITIONS = 24000 };

static uint8_t source[BUFFER_BYTES];
static uint8_t target[BUFFER_BYTES];

static void fill(void *to, uint32_t value, size_t words) {
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}

static void copy(void *to, const void *from, size_t words) {
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static size_t find_byte(const void *at, uint8_t byte, size_t size) {
    size_t left = size;
    __asm__ volatile("repne scasb" : "+D"(at), "+c"(left) : "a"(byte) : "memory", "cc");
    return size - left;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    fill(source, 0x01020304, sizeof source / 4);
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        size_t mark = left * 97 % 4096;
        source[mark] = 0;
        copy(target, source, sizeof target / 4);
        sum = checksum_add(sum, find_byte(target, 0, sizeof target));
        memcpy(target + mark, source, left % 512);
        fill(target, left, 64);
        sum = checksum_add(sum, target[mark + 255]);
        source[mark] = 1;
    }
    return sum;
}
