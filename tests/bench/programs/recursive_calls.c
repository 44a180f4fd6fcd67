/* Calls and returns: Fibonacci numbers, Ackermann's function, and calls through pointers. */
#include "program_runtime.h"

enum { REPETITIONS = 288 };

static __attribute__((noinline)) uint32_t fibonacci(uint32_t number) {
    return number < 2 ? number : fibonacci(number - 1) + fibonacci(number - 2);
}

static __attribute__((noinline)) uint32_t ackermann(uint32_t m, uint32_t n) {
    if (m == 0) {
        return n + 1;
    }
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static uint32_t add_three(uint32_t value) {
    return value + 3;
}

static uint32_t rotate(uint32_t value) {
    return value << 5 | value >> 27;
}

static uint32_t halve_odd(uint32_t value) {
    return value & 1 ? value >> 1 : value * 3;
}

static uint32_t call_pointers(uint32_t value) {
    static uint32_t (*const volatile functions[])(uint32_t) = {add_three, rotate, halve_odd};
    for (uint32_t i = 0; i < 100000; i++) {
        value = functions[i % 3](value);
    }
    return value;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum = checksum_add(sum, fibonacci(24));
        sum = checksum_add(sum, ackermann(2, 200));
        sum = checksum_add(sum, call_pointers(sum));
    }
    return sum;
}
