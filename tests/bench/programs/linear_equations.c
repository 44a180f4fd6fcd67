/* A system of linear equations in double: LU factorisation with partial pivoting and back
 * substitution, as Linpack does. */
#include "program_runtime.h"

enum { SIZE = 80, REPETITIONS = 160 };

static double matrix[SIZE][SIZE];
static double right_side[SIZE];

static void fill_system(uint32_t *seed) {
    for (size_t row = 0; row < SIZE; row++) {
        for (size_t column = 0; column < SIZE; column++) {
            matrix[row][column] = (double)(random_next(seed) >> 16) / 65536.0 - 0.5;
        }
        right_side[row] = (double)(random_next(seed) >> 16) / 65536.0;
    }
}

static void swap_rows(size_t first, size_t second) {
    for (size_t column = 0; column < SIZE; column++) {
        double value = matrix[first][column];
        matrix[first][column] = matrix[second][column];
        matrix[second][column] = value;
    }
    double value = right_side[first];
    right_side[first] = right_side[second];
    right_side[second] = value;
}

static void eliminate(void) {
    for (size_t step = 0; step < SIZE; step++) {
        size_t pivot = step;
        for (size_t row = step + 1; row < SIZE; row++) {
            if (__builtin_fabs(matrix[row][step]) > __builtin_fabs(matrix[pivot][step])) {
                pivot = row;
            }
        }
        swap_rows(step, pivot);
        for (size_t row = step + 1; row < SIZE; row++) {
            double factor = matrix[row][step] / matrix[step][step];
            for (size_t column = step; column < SIZE; column++) {
                matrix[row][column] -= factor * matrix[step][column];
            }
            right_side[row] -= factor * right_side[step];
        }
    }
}

static void substitute_back(void) {
    for (size_t row = SIZE; row-- > 0;) {
        for (size_t column = row + 1; column < SIZE; column++) {
            right_side[row] -= matrix[row][column] * right_side[column];
        }
        right_side[row] /= matrix[row][row];
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    uint32_t sum = CHECKSUM_START;
    uint32_t seed = 1;
    for (uint32_t left = scaled(REPETITIONS, scale); left; left--) {
        fill_system(&seed);
        eliminate();
        substitute_back();
        for (size_t row = 0; row < SIZE; row++) {
            sum = checksum_add_real(sum, right_side[row]);
        }
    }
    return sum;
}
