/* String instructions on short strings: MOVS and STOS of up to 40 bytes, CMPS and SCAS up to where
 * strings differ or end, as C libraries of old used them. */
#include "program_runtime.h"

enum { STRINGS = 256, STRING_BYTES = 48, REPETITIONS = 200000 };

static char strings[STRINGS][STRING_BYTES];
static char buffer[STRING_BYTES];

static size_t length_of(const char *text) {
    size_t left = (size_t)-1;
    __asm__ volatile("repne scasb" : "+D"(text), "+c"(left) : "a"(0) : "memory", "cc");
    return ~left - 1;
}

/* What is left of `size` where the strings differ, times two, plus which is less. */
static uint32_t compare(const char *left, const char *right, size_t size) {
    uint8_t below;
    __asm__ volatile("repe cmpsb\n\tsetb %3"
                     : "+S"(left), "+D"(right), "+c"(size), "=q"(below)
                     :
                     : "memory", "cc");
    return size * 2 + below;
}

static void fill_words(void *to, uint32_t value, size_t words) {
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}

static void make_strings(void) {
    uint32_t seed = 1;
    for (size_t i = 0; i < STRINGS; i++) {
        size_t length = 1 + random_next(&seed) % 40;
        for (size_t at = 0; at < length; at++) {
            strings[i][at] = (char)('a' + random_next(&seed) % 2);
        }
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    make_strings();
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < 16; i++) {
            const char *text = strings[(left + i * 37) % STRINGS];
            size_t length = length_of(text);
            fill_words(buffer, 0, sizeof buffer / 4);
            memcpy(buffer, text, length);
            sum = checksum_add(sum, compare(buffer, strings[(left + i) % STRINGS], length));
        }
    }
    return sum;
}
