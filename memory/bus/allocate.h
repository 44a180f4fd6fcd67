/* Memory for our own bookkeeping. When there is none left, the process ends with a message: no
 * caller could go on without it, and no guest can ask for it. */
#ifndef REPRISE_ALLOCATE_H
#define REPRISE_ALLOCATE_H

#include <stddef.h>

/* Zeroed memory, to be given back with free(). */
void *allocate_zeroed(size_t size);

/* Memory with any content, at a multiple of 'alignment' (a power of two). */
void *allocate_aligned(size_t alignment, size_t size);
/* Gives it back; nothing for NULL. */
void allocate_free_aligned(void *memory);

/* Makes 'array' hold at least 'needed' elements and returns where it is now; '*capacity' (in
 * elements) at least doubles when it must grow, so that appending one by one stays linear. */
void *allocate_grow(void *array, size_t *capacity, size_t needed, size_t element_size);

#endif
