/* The fast Fourier transform of 1024 complex numbers in double, forth and back. */
#include "program_runtime.h"

enum { LEVELS = 10, COUNT = 1 << LEVELS, REPETITIONS = 384 };

typedef struct {
    double real;
    double imaginary;
} Complex;

static Complex values[COUNT];
static Complex roots[COUNT / 2];

static Complex multiply(Complex a, Complex b) {
    return (Complex){a.real * b.real - a.imaginary * b.imaginary,
                     a.real * b.imaginary + a.imaginary * b.real};
}

/* The roots of unity by halving the angle: square roots are exact on every processor, sines are
 * not. */
static void fill_roots(void) {
    Complex root = {-1, 0}; /* e^(pi i) */
    for (int level = 1; level < LEVELS; level++) {
        double cosine = __builtin_sqrt((1 + root.real) / 2);
        double sine = __builtin_sqrt((1 - root.real) / 2);
        root = (Complex){cosine, sine};
    }
    Complex power = {1, 0};
    for (size_t i = 0; i < COUNT / 2; i++) {
        roots[i] = power;
        power = multiply(power, root);
    }
}

static void reverse_bits(void) {
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t reversed = 0;
        for (int bit = 0; bit < LEVELS; bit++) {
            reversed |= (i >> bit & 1) << (LEVELS - 1 - bit);
        }
        if (reversed > i) {
            Complex value = values[i];
            values[i] = values[reversed];
            values[reversed] = value;
        }
    }
}

/* `direction` is 1, or -1 for the inverse, which is left unscaled. */
static void transform(double direction) {
    reverse_bits();
    for (size_t half = 1; half < COUNT; half *= 2) {
        size_t stride = COUNT / 2 / half;
        for (size_t start = 0; start < COUNT; start += 2 * half) {
            for (size_t i = 0; i < half; i++) {
                Complex root = roots[i * stride];
                root.imaginary *= direction;
                Complex odd = multiply(values[start + half + i], root);
                Complex even = values[start + i];
                values[start + i] = (Complex){even.real + odd.real, even.imaginary + odd.imaginary};
                values[start + half + i] =
                    (Complex){even.real - odd.real, even.imaginary - odd.imaginary};
            }
        }
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_roots();
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        values[i].real = (double)(random_next(&seed) >> 16) / 65536.0;
        values[i].imaginary = 0;
    }
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        transform(1);
        transform(-1);
        for (size_t i = 0; i < COUNT; i++) {
            values[i].real *= 1.0 / COUNT;
            values[i].imaginary *= 1.0 / COUNT;
        }
    }
    uint32_t sum = CHECKSUM_START;
    for (size_t i = 0; i < COUNT; i++) {
        sum = checksum_add_real(sum, values[i].real);
    }
    return sum;
}
