/* Walks through lists in random order that fit into the first and the second cache of today's
 * processors: what an access costs when memory is quick. */
#include "program_runtime.h"

enum {
    LINE_BYTES = 64,
    SMALL_LINES = 256,
    LARGE_LINES = 4096,
    SMALL_STEPS = 100000000,
    LARGE_STEPS = 70000000
};

typedef struct Line {
    struct Line *next;
    uint32_t number;
    uint8_t rest[LINE_BYTES - sizeof(void *) - sizeof(uint32_t)];
} Line;

static Line lines[LARGE_LINES];

/* Sattolo's algorithm: a random permutation that is a single cycle. */
static void join_lines(size_t count) {
    uint32_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        lines[i].number = i;
    }
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = random_next(&seed) % i;
        uint32_t number = lines[i].number;
        lines[i].number = lines[other].number;
        lines[other].number = number;
    }
    for (size_t i = 0; i < count; i++) {
        lines[i].next = &lines[lines[i].number];
    }
}

static uint32_t walk(uint32_t steps, uint32_t sum) {
    for (const Line *line = lines; steps; steps--) {
        sum = sum * 31 + line->number;
        line = line->next;
    }
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    join_lines(SMALL_LINES);
    uint32_t sum = walk(scaled(SMALL_STEPS, scale), CHECKSUM_START);
    join_lines(LARGE_LINES);
    return walk(scaled(LARGE_STEPS, scale), sum);
}
