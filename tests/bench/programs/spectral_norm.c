/* The spectral norm of an infinite matrix by the power method: divisions and sums in double. */
#include "program_runtime.h"

enum { SIZE = 120, REPETITIONS = 512 };

static double matrix_entry(size_t row, size_t column) {
    size_t diagonal = row + column;
    return 1.0 / (double)(int)(diagonal * (diagonal + 1) / 2 + row + 1);
}

static void multiply(double *product, const double *vector, int transposed) {
    for (size_t row = 0; row < SIZE; row++) {
        double sum = 0;
        for (size_t column = 0; column < SIZE; column++) {
            double entry = transposed ? matrix_entry(column, row) : matrix_entry(row, column);
            sum += entry * vector[column];
        }
        product[row] = sum;
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    double vector[SIZE];
    double product[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        vector[i] = 1;
    }
    double norm = 0;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        double length = 0;
        multiply(product, vector, 0);
        multiply(vector, product, 1);
        for (size_t i = 0; i < SIZE; i++) {
            length += vector[i] * vector[i];
        }
        norm = __builtin_sqrt(length);
        for (size_t i = 0; i < SIZE; i++) {
            vector[i] /= norm;
        }
    }
    return checksum_add_real(CHECKSUM_START, norm);
}
