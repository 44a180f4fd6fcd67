/* Divisions: 64 by 32 bits, 32, 16 and 8 bits, signed and not, by numbers that are not known when
 * compiling. */
#include "program_runtime.h"

enum { REPETITIONS = 16000000 };

typedef struct {
    uint32_t quotient;
    uint32_t rest;
} Division;

static Division divide_pair(uint32_t high, uint32_t low, uint32_t by) {
    Division result;
    __asm__ volatile("divl %4"
                     : "=a"(result.quotient), "=d"(result.rest)
                     : "0"(low), "1"(high), "r"(by)
                     : "cc");
    return result;
}

static uint32_t divide_words(uint32_t number, uint16_t by) {
    uint16_t quotient;
    uint16_t rest;
    __asm__ volatile("divw %4"
                     : "=a"(quotient), "=d"(rest)
                     : "0"((uint16_t)number), "1"((uint16_t)(number >> 16)), "r"(by)
                     : "cc");
    return quotient + ((uint32_t)rest << 16);
}

static uint32_t divide_signed_words(int16_t number, int16_t by) {
    int16_t quotient;
    int16_t rest;
    __asm__ volatile("cwtd\n\tidivw %3"
                     : "=a"(quotient), "=&d"(rest)
                     : "0"(number), "r"(by)
                     : "cc");
    return (uint16_t)quotient + ((uint32_t)(uint16_t)rest << 16);
}

static uint32_t divide_bytes(uint16_t number, uint8_t by) {
    uint16_t both;
    __asm__ volatile("divb %2" : "=a"(both) : "0"(number), "q"(by) : "cc");
    return both;
}

static uint32_t divide_signed_bytes(int8_t number, int8_t by) {
    uint16_t both;
    __asm__ volatile("cbtw\n\tidivb %2" : "=a"(both) : "0"((int16_t)number), "q"(by) : "cc");
    return both;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t seed = 1;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        uint32_t number = random_next(&seed);
        uint32_t by = (number >> 7 & 0xffffff) + 1;
        Division pair = divide_pair(number % by, number, by);
        sum += pair.quotient ^ pair.rest;
        sum ^= (uint32_t)((int32_t)number / (int32_t)((number & 0xfff) + 3));
        sum += (uint32_t)((int32_t)sum % -(int32_t)by);
        sum ^= divide_words(number >> 1, (uint16_t)(number >> 16 | 0x8000));
        sum += divide_signed_words((int16_t)number, (int16_t)((number >> 3 & 0xff) + 2));
        sum ^= divide_bytes((uint16_t)(number >> 9 & 0x1fff), (uint8_t)(number | 0x80));
        sum += divide_signed_bytes((int8_t)number, (int8_t)((number >> 20 & 31) + 2));
    }
    return sum;
}
