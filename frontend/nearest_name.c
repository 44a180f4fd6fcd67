#include "nearest_name.h"

#include <string.h>

#define LONGEST_NAME 63

static size_t minimum(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment distance, three rows of the dynamic programming table at a time. */
size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][LONGEST_NAME + 1];
    size_t length_a = strlen(a);
    size_t length_b = strlen(b);
    if (length_a > LONGEST_NAME || length_b > LONGEST_NAME)
        return length_a > length_b ? length_a : length_b;
    for (size_t j = 0; j <= length_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = minimum(replaced, minimum(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = minimum(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[length_a % 3][length_b];
}

void nearest_name_consider(NearestName *nearest, const char *candidate) {
    size_t distance = edit_distance(nearest->wanted, candidate);
    if (nearest->best == NULL || distance < nearest->best_distance) {
        nearest->best = candidate;
        nearest->best_distance = distance;
    }
}

const char *nearest_name_get(const NearestName *nearest) {
    if (nearest->best == NULL)
        return NULL;
    size_t longest = strlen(nearest->wanted) > strlen(nearest->best) ? strlen(nearest->wanted)
                                                                     : strlen(nearest->best);
    return nearest->best_distance <= longest / 2 ? nearest->best : NULL;
}
