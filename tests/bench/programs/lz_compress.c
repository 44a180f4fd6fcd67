/* A Lempel-Ziv compressor with a hash table, and its decompressor. */
#include "program_runtime.h"

enum {
    INPUT_BYTES = 65536,
    REPETITIONS = 1000,
    HASH_BITS = 12,
    LEAST_MATCH = 4,
    MOST_MATCH = 127 + LEAST_MATCH,
    MOST_LITERALS = 128,
    MOST_DISTANCE = 65535,
};

static uint8_t input[INPUT_BYTES];
static uint8_t packed[INPUT_BYTES + INPUT_BYTES / MOST_LITERALS + 1];
static uint8_t unpacked[INPUT_BYTES];
static uint32_t table[1 << HASH_BITS];

/* Random words of a small vocabulary, as text has. */
static void fill_input(void) {
    uint32_t seed = 1;
    size_t at = 0;
    while (at < INPUT_BYTES) {
        uint32_t word = random_next(&seed) % 200 + 1;
        uint32_t letters = word;
        for (uint32_t length = word % 7 + 3; length && at < INPUT_BYTES; length--) {
            input[at++] = (uint8_t)('a' + random_next(&letters) % 26);
        }
    }
}

static uint32_t load_word(const uint8_t *from) {
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

static size_t flush_literals(size_t out, size_t first, size_t end) {
    while (first < end) {
        size_t count = end - first < MOST_LITERALS ? end - first : MOST_LITERALS;
        packed[out++] = (uint8_t)(count - 1);
        for (; count; count--) {
            packed[out++] = input[first++];
        }
    }
    return out;
}

static size_t find_match_length(size_t candidate, size_t at) {
    size_t length = 0;
    while (length < MOST_MATCH && at + length < INPUT_BYTES &&
           input[candidate + length] == input[at + length]) {
        length++;
    }
    return length;
}

static size_t compress(void) {
    size_t out = 0;
    size_t literals = 0;
    size_t at = 0;
    memset(table, 0, sizeof table);
    while (at + LEAST_MATCH <= INPUT_BYTES) {
        uint32_t hash = load_word(input + at) * 2654435761u >> (32 - HASH_BITS);
        size_t candidate = table[hash];
        table[hash] = at;
        size_t length = candidate < at ? find_match_length(candidate, at) : 0;
        if (length < LEAST_MATCH || at - candidate > MOST_DISTANCE) {
            at++;
            continue;
        }
        out = flush_literals(out, literals, at);
        packed[out++] = (uint8_t)(128 + length - LEAST_MATCH);
        packed[out++] = (uint8_t)(at - candidate);
        packed[out++] = (uint8_t)((at - candidate) >> 8);
        at += length;
        literals = at;
    }
    return flush_literals(out, literals, INPUT_BYTES);
}

static size_t decompress(size_t packed_size) {
    size_t out = 0;
    size_t at = 0;
    while (at < packed_size) {
        uint8_t token = packed[at++];
        if (token < 128) {
            for (size_t count = token + 1u; count; count--) {
                unpacked[out++] = packed[at++];
            }
        } else {
            size_t distance = packed[at] | packed[at + 1] << 8;
            at += 2;
            for (size_t count = token - 128u + LEAST_MATCH; count; count--, out++) {
                unpacked[out] = unpacked[out - distance];
            }
        }
    }
    return out;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_input();
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        size_t packed_size = compress();
        sum = checksum_add(sum, packed_size);
        if (decompress(packed_size) != INPUT_BYTES) {
            fail("wrong size\n");
        }
        for (size_t i = 0; i < INPUT_BYTES; i += 4) {
            sum = checksum_add(sum, load_word(unpacked + i));
        }
    }
    return sum;
}
