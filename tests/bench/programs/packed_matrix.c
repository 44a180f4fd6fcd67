/* Products of 4x4 matrices in packed single precision, with broadcasts by shuffling. */
#include <xmmintrin.h>

#include "program_runtime.h"

enum { MATRICES = 256, REPETITIONS = 8000 };

typedef struct {
    __m128 rows[4];
} Matrix;

static Matrix matrices[MATRICES];

static __m128 multiply_row(__m128 row, const Matrix *right) {
    __m128 x = _mm_mul_ps(_mm_shuffle_ps(row, row, 0x00), right->rows[0]);
    __m128 y = _mm_mul_ps(_mm_shuffle_ps(row, row, 0x55), right->rows[1]);
    __m128 z = _mm_mul_ps(_mm_shuffle_ps(row, row, 0xaa), right->rows[2]);
    __m128 w = _mm_mul_ps(_mm_shuffle_ps(row, row, 0xff), right->rows[3]);
    return _mm_add_ps(_mm_add_ps(x, y), _mm_add_ps(z, w));
}

/* Rotations by multiples of 3-4-5 triangles: their products stay of length 1. */
static void fill_matrices(void) {
    for (size_t i = 0; i < MATRICES; i++) {
        float sine = i % 2 ? 0.6f : 0.8f;
        float cosine = i % 2 ? 0.8f : 0.6f;
        matrices[i].rows[0] = _mm_setr_ps(cosine, sine, 0, 0);
        matrices[i].rows[1] = _mm_setr_ps(-sine, cosine, 0, 0);
        matrices[i].rows[2] = _mm_setr_ps(0, 0, sine, -cosine);
        matrices[i].rows[3] = _mm_setr_ps(0, 0, cosine, sine);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    fill_matrices();
    Matrix product = matrices[0];
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        for (size_t i = 0; i < MATRICES; i++) {
            for (int row = 0; row < 4; row++) {
                product.rows[row] = multiply_row(product.rows[row], &matrices[i]);
            }
        }
    }
    uint32_t sum = CHECKSUM_START;
    for (int row = 0; row < 4; row++) {
        float values[4];
        _mm_storeu_ps(values, product.rows[row]);
        for (int i = 0; i < 4; i++) {
            sum = checksum_add_real(sum, (double)values[i]);
        }
    }
    return sum;
}
