/* Branches that no predictor knows: searches of random keys in a tree, and random bytes sorted into
 * classes by a chain of comparisons. */
#include "program_runtime.h"

enum { NODES = 4096, SEARCHES = 4000000, BYTES = 16384, PASSES = 1400 };

typedef struct Node {
    struct Node *children[2];
    uint32_t key;
} Node;

static Node nodes[NODES];
static uint8_t bytes[BYTES];

static void insert(Node *node) {
    for (Node *at = nodes;;) {
        Node **link = &at->children[node->key > at->key];
        if (!*link) {
            *link = node;
            return;
        }
        at = *link;
    }
}

/* Steps to the key or to the place where it would be. */
static uint32_t search(uint32_t key) {
    uint32_t steps = 0;
    for (const Node *at = nodes; at; steps++) {
        if (key < at->key) {
            at = at->children[0];
            __asm__ volatile(""); /* a branch, not a conditional move */
        } else if (key > at->key) {
            at = at->children[1];
        } else {
            break;
        }
    }
    return steps;
}

static uint32_t classify(uint32_t sum) {
    uint32_t run = 0;
    for (size_t i = 0; i < BYTES; i++) {
        uint8_t byte = bytes[i];
        if (byte & 1) {
            run += 3;
            __asm__ volatile("");
        }
        if (byte < 64) {
            sum ^= run;
        } else if (byte < 150) {
            sum += byte;
            run = 0;
        } else if (byte & 4) {
            sum = sum << 5 | sum >> 27;
        } else {
            sum -= run;
        }
    }
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].key = random_next(&seed);
        if (i > 0) {
            insert(&nodes[i]);
        }
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(SEARCHES, scale); left; left--) {
        sum += search(random_next(&seed));
    }
    fill_random(bytes, sizeof bytes);
    for (uint32_t left = scaled(PASSES, scale); left; left--) {
        sum = classify(sum);
    }
    return sum;
}
