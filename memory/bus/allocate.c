#include "allocate.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void end_out_of_memory(size_t size) {
    fprintf(stderr, "reprise: out of memory (%zu bytes wanted)\n", size);
    abort();
}

void *allocate_zeroed(size_t size) {
    void *memory = calloc(1, size != 0 ? size : 1);
    if (memory == NULL)
        end_out_of_memory(size);
    return memory;
}

void *allocate_aligned(size_t alignment, size_t size) {
    size_t rounded = (size + alignment - 1) & ~(alignment - 1);
    void *memory = aligned_alloc(alignment, rounded != 0 ? rounded : alignment);
    if (memory == NULL)
        end_out_of_memory(size);
    return memory;
}

void *allocate_grow(void *array, size_t *capacity, size_t needed, size_t element_size) {
    if (needed <= *capacity)
        return array;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < needed && grown <= SIZE_MAX / 2)
        grown *= 2;
    if (grown < needed || grown > SIZE_MAX / element_size)
        end_out_of_memory(SIZE_MAX);
    void *moved = realloc(array, grown * element_size);
    if (moved == NULL)
        end_out_of_memory(grown * element_size);
    *capacity = grown;
    return moved;
}
