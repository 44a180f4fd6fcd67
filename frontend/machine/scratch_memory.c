#define _GNU_SOURCE
#include "scratch_memory.h"
#include "block_temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* In large host pages where there are: most of the time would go into touching it otherwise. */
static void *map_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

static void *map_file(size_t size, Error *error) {
    int file = block_temporary_open("a snapshot", error);
    if (file < 0)
        return MAP_FAILED;
    void *memory = MAP_FAILED;
    int failure = posix_fallocate(file, 0, (off_t)size); /* a write into a hole could not fail */
    if (failure != 0)
        error_set(error, "no room for a temporary file of %zu MB: %s", size >> 20,
                  strerror(failure));
    else
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return memory;
}

void *scratch_memory_map(size_t size, Error *error) {
    void *memory = size > SCRATCH_MEMORY_MAXIMUM ? map_file(size, error) : map_memory(size);
    if (memory != MAP_FAILED)
        return memory;
    error_set(error, "no memory for %zu MB: %s", size >> 20, strerror(errno));
    return NULL;
}

void scratch_memory_unmap(void *memory, size_t size) {
    if (memory != NULL)
        munmap(memory, size);
}
