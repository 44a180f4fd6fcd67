#define _GNU_SOURCE
#include "host_string.h"

void host_string_sort(void *array, size_t count, size_t size,
                      int (*compare)(const void *one, const void *other, void *opaque),
                      void *opaque) {
    qsort_r(array, count, size, compare, opaque);
}
