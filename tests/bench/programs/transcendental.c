/* The x87's transcendental instructions. Processors differ in the last bits of their results, so
 * sums of few of them are taken to 2^-20. */
#include "program_runtime.h"

enum { REPETITIONS = 12000, ARGUMENTS = 64 };

static long double sine(long double value) {
    __asm__("fsin" : "+t"(value));
    return value;
}

static long double cosine(long double value) {
    __asm__("fcos" : "+t"(value));
    return value;
}

static long double arc_tangent(long double y, long double x) {
    long double result;
    __asm__("fpatan" : "=t"(result) : "0"(x), "u"(y) : "st(1)");
    return result;
}

static long double logarithm(long double value) {
    long double result;
    __asm__("fldln2\n\tfxch\n\tfyl2x" : "=t"(result) : "0"(value));
    return result;
}

/* 2^value for |value| <= 1. */
static long double power_of_two(long double value) {
    __asm__("f2xm1" : "+t"(value));
    return value + 1;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    uint32_t seed = 1;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        long double total = 0;
        for (int i = 0; i < ARGUMENTS; i++) {
            long double value = (long double)(random_next(&seed) >> 8) / (1 << 24);
            total += sine(value * 6) * cosine(value * 5);
            total += arc_tangent(value, 1 - value);
            total += logarithm(value + 1) * power_of_two(value);
        }
        sum = checksum_add_real(sum, (double)total);
    }
    return sum;
}
