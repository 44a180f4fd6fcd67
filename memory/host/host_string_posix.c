#define _GNU_SOURCE
#include "host_string.h"

long host_string_ahead_of_utc(const struct tm *local) {
    return local->tm_gmtoff;
}

#if defined(__linux__)

void host_string_sort(void *array, size_t count, size_t size,
                      int (*compare)(const void *one, const void *other, void *opaque),
                      void *opaque) {
    qsort_r(array, count, size, compare, opaque);
}

#else

/* macOS and the BSDs have the arguments in another order. Not run yet. */
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
    qsort_r(array, count, size, &order, compare_by);
}

#endif

#ifdef __APPLE__

void *memrchr(const void *in, int byte, size_t size) {
    const unsigned char *bytes = in;
    while (size-- > 0)
        if (bytes[size] == (unsigned char)byte)
            return (void *)(bytes + size);
    return NULL;
}

char *strchrnul(const char *text, int character) {
    const char *found = strchr(text, character);
    return (char *)(found != NULL ? found : text + strlen(text));
}

#endif
