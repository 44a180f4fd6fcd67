/* Large memory for a while. Beyond a size it lies in a temporary file: who has written gigabytes to
 * a disk needs no gigabytes of memory to save that. */
#ifndef REPRISE_SCRATCH_MEMORY_H
#define REPRISE_SCRATCH_MEMORY_H

#include "error.h"
#include <stddef.h>

#define SCRATCH_MEMORY_MAXIMUM ((size_t)512 << 20)

/* 'size' zeros; NULL on error. What lies in a file has its room there from the beginning. */
void *scratch_memory_map(size_t size, Error *error);
/* NULL is allowed. */
void scratch_memory_unmap(void *memory, size_t size);

#endif
