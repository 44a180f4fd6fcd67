/* Numbers between integers and floating point: casts, which truncate whatever way the unit rounds,
 * comparisons that branch, and floor and remainder made of them. */
#include "program_runtime.h"

enum { VALUES = 256, REPETITIONS = 8000 };

static double values[VALUES];

static double floor_of(double value) {
    int32_t whole = (int32_t)value;
    return whole > value ? whole - 1 : whole;
}

static uint32_t convert(uint32_t sum) {
    for (size_t i = 0; i < VALUES; i++) {
        double value = values[i];
        int32_t whole = (int32_t)(value * 3.0);
        double rest = value - floor_of(value);
        if (rest > 0.5) {
            sum += (uint32_t)whole;
        } else if (rest < 0.125) {
            sum ^= (uint32_t)(int32_t)(rest * 4096.0);
        }
        sum = checksum_add(sum, (uint8_t)(int32_t)(float)value);
        values[i] = (double)(int32_t)(sum >> 8) / 1024.0 - 5000.0 + rest;
    }
    return sum;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = (double)i * 1.25 - 100.0;
    }
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        sum = convert(sum);
    }
    return sum;
}
