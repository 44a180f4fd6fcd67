/* The Mandelbrot set, a point at a time, in the type Real: long double where that is the x87's. */
#include "program_runtime.h"

enum { WIDTH = 96, HEIGHT = 64, MOST_ITERATIONS = 256, REPETITIONS = 32 };

#ifdef X87_ONLY
typedef long double Real;
#else
typedef double Real;
#endif

static uint32_t count_iterations(Real x, Real y) {
    Real real = 0;
    Real imaginary = 0;
    uint32_t count = 0;
    while (count < MOST_ITERATIONS) {
        Real real_square = real * real;
        Real imaginary_square = imaginary * imaginary;
        if (real_square + imaginary_square > 4) {
            break;
        }
        imaginary = 2 * real * imaginary + y;
        real = real_square - imaginary_square + x;
        count++;
    }
    return count;
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (int row = 0; row < HEIGHT; row++) {
            for (int column = 0; column < WIDTH; column++) {
                Real x = (Real)column * (Real)0.03125 - 2;
                Real y = (Real)row * (Real)0.03125 - 1;
                sum = checksum_add(sum, count_iterations(x, y));
            }
        }
    }
    return sum;
}
