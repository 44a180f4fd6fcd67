/* A walk through a list in random order over 8 MB: one TLB entry and one cache line a step. */
#include "program_runtime.h"

enum { LINE_BYTES = 64, LINES = 1 << 17, REPETITIONS = 40 };

typedef struct Line {
    struct Line *next;
    uint32_t number;
    uint8_t rest[LINE_BYTES - sizeof(void *) - sizeof(uint32_t)];
} Line;

/* Sattolo's algorithm: a random permutation that is a single cycle. */
static void join_lines(Line *lines) {
    uint32_t seed = 1;
    for (size_t i = 0; i < LINES; i++) {
        lines[i].number = i;
    }
    for (size_t i = LINES - 1; i > 0; i--) {
        size_t other = random_next(&seed) % i;
        uint32_t number = lines[i].number;
        lines[i].number = lines[other].number;
        lines[other].number = number;
    }
    for (size_t i = 0; i < LINES; i++) {
        lines[i].next = &lines[lines[i].number];
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    Line *lines = map_memory(LINES * sizeof *lines, MAP_READ | MAP_WRITE);
    join_lines(lines);
    uint32_t sum = CHECKSUM_START;
    const Line *line = lines;
    for (uint32_t left = scaled(REPETITIONS * LINES, scale); left; left--) {
        sum = sum * 31 + line->number;
        line = line->next;
    }
    return sum;
}
