#include "scratch_memory.h"
#include "block_temporary.h"
#include "host_file.h"
#include "host_pages.h"

#include <errno.h>
#include <string.h>

static void *map_file(size_t size, Error *error) {
    int file = block_temporary_open("a snapshot", error);
    if (file < 0)
        return NULL;
    void *memory = NULL;
    int failure = host_file_reserve(file, size); /* a write into a hole could not fail */
    if (failure != 0)
        error_set(error, "no room for a temporary file of %zu MB: %s", size >> 20,
                  strerror(failure));
    else
        memory = host_pages_map_file(file, size, true);
    close(file);
    return memory;
}

/* In large host pages where there are: most of the time would go into touching it otherwise. */
void *scratch_memory_map(size_t size, Error *error) {
    void *memory =
        size > SCRATCH_MEMORY_MAXIMUM ? map_file(size, error) : host_pages_map_large(size);
    if (memory != NULL)
        return memory;
    error_set(error, "no memory for %zu MB: %s", size >> 20, strerror(errno));
    return NULL;
}

void scratch_memory_unmap(void *memory, size_t size) {
    host_pages_unmap(memory, size);
}
