/* A library to be preloaded: one file that cannot be read in a range of bytes, as a worn disk, or
 * not be written from some byte on, as a full one.
 *
 * FAILING_FILE is its path, FAILING_READ "FROM TO" (TO is not in the range), FAILING_WRITE "FROM".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_failing(int file) {
    const char *path = getenv("FAILING_FILE");
    struct stat wanted, status;
    return path != NULL && stat(path, &wanted) == 0 && fstat(file, &status) == 0 &&
           wanted.st_dev == status.st_dev && wanted.st_ino == status.st_ino;
}

static bool read_fails(int file, size_t size, off_t offset) {
    const char *range = getenv("FAILING_READ");
    long long from, to;
    return range != NULL && sscanf(range, "%lld %lld", &from, &to) == 2 && offset < to &&
           offset + (off_t)size > from && is_failing(file);
}

static bool write_fails(int file, size_t size, off_t offset) {
    const char *from = getenv("FAILING_WRITE");
    return from != NULL && offset + (off_t)size > atoll(from) && is_failing(file);
}

ssize_t pread(int file, void *data, size_t size, off_t offset) {
    ssize_t (*next)(int, void *, size_t, off_t);
    *(void **)&next = dlsym(RTLD_NEXT, "pread");
    if (!read_fails(file, size, offset))
        return next(file, data, size, offset);
    errno = EIO;
    return -1;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
    ssize_t (*next)(int, const void *, size_t, off_t);
    *(void **)&next = dlsym(RTLD_NEXT, "pwrite");
    if (!write_fails(file, size, offset))
        return next(file, data, size, offset);
    errno = ENOSPC;
    return -1;
}
