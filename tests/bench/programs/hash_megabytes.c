/* A multiplicative hash over 16 MB, more than most caches and TLBs hold. */
#include "program_runtime.h"

enum { MEMORY_BYTES = 16 << 20, REPETITIONS = 48 };

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t *words = map_memory(MEMORY_BYTES, MAP_READ | MAP_WRITE);
    size_t count = MEMORY_BYTES / sizeof *words;
    for (size_t i = 0; i < count; i++) {
        words[i] = (uint32_t)i * 2654435761u;
    }
    uint32_t first = CHECKSUM_START;
    uint32_t second = 0;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < count; i += 2) {
            first = (first ^ words[i]) * 16777619u;
            second = (second << 7 | second >> 25) + words[i + 1];
        }
    }
    return first ^ second;
}
