/* Sorting with an opaque argument, which comes first everywhere but on Linux. macOS and the BSDs:
 * not run yet. */
#define _GNU_SOURCE
#include "host_string.h"

typedef struct Order {
    int (*compare)(const void *one, const void *other, void *opaque);
    void *opaque;
} Order;

static int compare_by(void *opaque, const void *one, const void *other) {
    const Order *order = opaque;
    return order->compare(one, other, order->opaque);
}

void host_string_sort(void *array, size_t count, size_t size,
                      int (*compare)(const void *one, const void *other, void *opaque),
                      void *opaque) {
    Order order = {compare, opaque};
#ifdef _WIN32
    qsort_s(array, count, size, compare_by, &order);
#else
    qsort_r(array, count, size, &order, compare_by);
#endif
}
