/* What was probably meant: the known name nearest to a mistyped one. */
#ifndef REPRISE_NEAREST_NAME_H
#define REPRISE_NEAREST_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Number of single-character insertions, deletions, replacements and swaps of neighbours that make
 * a into b. */
size_t edit_distance(const char *a, const char *b);

/* Collects the nearest of the names it is shown; all fields but 'wanted' start as zero. */
typedef struct NearestName {
    const char *wanted;
    const char *best;
    size_t best_distance;
} NearestName;

void nearest_name_consider(NearestName *nearest, const char *candidate);

/* The nearest name, or NULL if none is near enough to be what was meant. */
const char *nearest_name_get(const NearestName *nearest);

#endif
