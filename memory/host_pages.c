#define _GNU_SOURCE
#include "host_pages.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Larger patterns make fewer mappings, smaller ones are written sooner: at 256 KB both take a tenth
 * of a millisecond. */
#define PATTERN_BYTES ((size_t)256 << 10)

void *host_pages_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void *host_pages_map_shared(const char *name, size_t size, int *file) {
    *file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*file < 0)
        return NULL;
    void *memory = MAP_FAILED;
    if (ftruncate(*file, (off_t)size) == 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *file, 0);
    if (memory != MAP_FAILED)
        return memory;
    close(*file);
    *file = -1;
    return NULL;
}

bool host_pages_map_copy(void *area, size_t size, int file) {
    return mmap(area, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file,
                0) != MAP_FAILED;
}

bool host_pages_seal(int file) {
    return fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

static int create_pattern(int64_t value) {
    int fd = memfd_create("reprise-pattern", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, PATTERN_BYTES) == 0)
        memory = mmap(NULL, PATTERN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        close(fd);
        return -1;
    }
    int64_t *cell = memory;
    for (size_t i = 0; i < PATTERN_BYTES / sizeof *cell; i++)
        cell[i] = value;
    munmap(memory, PATTERN_BYTES);
    return fd;
}

/* Ordinary stores, for the pieces of an area that do not fill a host page. */
static void fill_cells(uint8_t *from, const uint8_t *to, int64_t value) {
    for (int64_t *cell = (int64_t *)from; (const uint8_t *)cell < to; cell++)
        *cell = value;
}

bool host_pages_fill(void *area, size_t size, int64_t value) {
    uintptr_t host_page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uint8_t *end = (uint8_t *)area + size;
    uint8_t *first = (uint8_t *)(((uintptr_t)area + host_page - 1) & ~(host_page - 1));
    uint8_t *last = (uint8_t *)((uintptr_t)end & ~(host_page - 1));
    if (first >= last) {
        fill_cells(area, end, value);
        return true;
    }
    int fd = create_pattern(value);
    if (fd < 0)
        return false;
    bool mapped = true;
    for (uint8_t *at = first; mapped && at < last; at += PATTERN_BYTES) {
        size_t left = (size_t)(last - at);
        mapped = mmap(at, left < PATTERN_BYTES ? left : PATTERN_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) != MAP_FAILED;
    }
    close(fd);
    fill_cells(area, first, value);
    fill_cells(last, end, value);
    return mapped;
}

void host_pages_unmap(void *memory, size_t size) {
    if (memory != NULL)
        munmap(memory, size);
}
