/* Pages by POSIX's mmap(). What files of memory are is the affair of host_pages_linux.c and
 * host_pages_unix.c. */
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

#ifndef MAP_NORESERVE /* FreeBSD: nothing is ever reserved */
#define MAP_NORESERVE 0
#endif

static void *give(void *memory) {
    return memory == MAP_FAILED ? NULL : memory;
}

size_t host_pages_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *host_pages_map(size_t size) {
    return give(mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

void *host_pages_map_large(size_t size) {
    void *memory =
        give(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
#ifdef MADV_HUGEPAGE
    if (memory != NULL)
        madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memory;
}

void *host_pages_map_shared(const char *name, size_t size, int *file) {
    *file = host_pages_create_file(name);
    if (*file < 0)
        return NULL;
    void *memory = NULL;
    if (ftruncate(*file, (off_t)size) == 0)
        memory =
            give(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *file, 0));
    if (memory != NULL)
        return memory;
    close(*file);
    *file = -1;
    return NULL;
}

void *host_pages_map_file(int file, size_t size, bool writable) {
    return give(mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, file, 0));
}

bool host_pages_map_copy(void *area, size_t size, int file) {
    return mmap(area, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file,
                0) != MAP_FAILED;
}

static int create_pattern(int64_t value) {
    int fd = host_pages_create_file("reprise-pattern");
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
    uintptr_t host_page = host_pages_size();
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

bool host_pages_find_data(int file, uint64_t at, uint64_t *begin, uint64_t *end) {
#ifdef SEEK_DATA
    off_t data = lseek(file, (off_t)at, SEEK_DATA);
    if (data < 0)
        return false;
    off_t hole = lseek(file, data, SEEK_HOLE);
    *begin = (uint64_t)data;
    *end = hole < 0 ? UINT64_MAX : (uint64_t)hole;
    return true;
#else
    off_t length = lseek(file, 0, SEEK_END);
    *begin = at;
    *end = (uint64_t)length;
    return length > 0 && at < (uint64_t)length;
#endif
}

bool host_pages_make_executable(void *writable, size_t size) {
    return mprotect(writable, size, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

void *host_pages_map_marker(int file) {
    return give(mmap(NULL, host_pages_size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0));
}

bool host_pages_run_code(void) {
    return true;
}
