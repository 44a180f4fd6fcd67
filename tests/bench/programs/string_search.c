/* Boyer-Moore-Horspool search and word counting in generated text. */
#include "program_runtime.h"

enum { TEXT_BYTES = 65536, REPETITIONS = 800 };

static uint8_t text[TEXT_BYTES];
static const char *const patterns[] = {"ab", "abba", "cadaver", "dadaist baba", "efghefgh"};

static void fill_text(void) {
    uint32_t seed = 1;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        uint32_t letter = random_next(&seed) % 9;
        text[i] = letter == 8 ? ' ' : (uint8_t)('a' + letter);
    }
}

static uint32_t count_pattern(const uint8_t *pattern, size_t length) {
    size_t skip[256];
    for (size_t i = 0; i < 256; i++) {
        skip[i] = length;
    }
    for (size_t i = 0; i + 1 < length; i++) {
        skip[pattern[i]] = length - 1 - i;
    }
    uint32_t count = 0;
    for (size_t at = 0; at + length <= TEXT_BYTES; at += skip[text[at + length - 1]]) {
        size_t equal = length;
        while (equal && text[at + equal - 1] == pattern[equal - 1]) {
            equal--;
        }
        count += equal == 0;
    }
    return count;
}

static uint32_t hash_words(void) {
    uint32_t sum = 0;
    uint32_t hash = 5381;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        if (text[i] == ' ') {
            sum += hash;
            hash = 5381;
        } else {
            hash = hash * 33 + text[i];
        }
    }
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_text();
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
            size_t length = 0;
            while (patterns[i][length]) {
                length++;
            }
            sum = checksum_add(sum, count_pattern((const uint8_t *)patterns[i], length));
        }
        sum = checksum_add(sum, hash_words());
    }
    return sum;
}
