#include "allocate.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Before it stands where the whole of it begins: what a C library has for this needs a free() of
 * its own on some systems. */
void *allocate_aligned(size_t alignment, size_t size) {
    uint8_t *whole = malloc(size + alignment + sizeof(void *));
    if (whole == NULL)
        end_out_of_memory(size);
    uintptr_t first = (uintptr_t)(whole + sizeof(void *));
    uint8_t *memory = whole + ((first + alignment - 1) / alignment * alignment - (uintptr_t)whole);
    memcpy(memory - sizeof(whole), &whole, sizeof(whole));
    return memory;
}

void allocate_free_aligned(void *memory) {
    void *whole = NULL;
    if (memory != NULL)
        memcpy(&whole, (uint8_t *)memory - sizeof(whole), sizeof(whole));
    free(whole);
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
