#define _GNU_SOURCE /* fallocate(), O_TMPFILE, SEEK_DATA */
#include "host_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

int64_t host_file_changed_ns(const struct stat *status) {
#ifdef __APPLE__
    return (int64_t)status->st_mtimespec.tv_sec * 1000000000 + status->st_mtimespec.tv_nsec;
#else
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
#endif
}

int host_file_open_temporary(const char *folder) {
    char name[1024];
    if (folder == NULL)
        folder = "/var/tmp"; /* not /tmp, which is often in memory and small */
#ifdef O_TMPFILE
    int unnamed = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (unnamed >= 0)
        return unnamed;
#endif
    snprintf(name, sizeof(name), "%s/reprise-XXXXXX", folder);
    int file = mkstemp(name);
    if (file >= 0)
        unlink(name);
    return file;
}

int host_file_duplicate(int file) {
    return fcntl(file, F_DUPFD_CLOEXEC, 0);
}

bool host_file_keep_private(int file) {
    return fcntl(file, F_SETFD, FD_CLOEXEC) == 0;
}

bool host_file_set_nonblocking(int file) {
    return fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK) == 0;
}

bool host_file_is_writable(int file) {
    return (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDWR;
}

bool host_file_lock(int file, bool alone) {
    return flock(file, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}

bool host_file_punch(int file, uint64_t offset, uint64_t size) {
#ifdef FALLOC_FL_PUNCH_HOLE
    return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                     (off_t)size) == 0;
#else
    (void)file;
    (void)offset;
    (void)size;
    return false;
#endif
}

int host_file_reserve(int file, uint64_t size) {
#ifdef __APPLE__ /* fcntl(2); not run yet */
    fstore_t store = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, (off_t)size, 0};
    struct stat status;
    if (fstat(file, &status) != 0 || fcntl(file, F_PREALLOCATE, &store) != 0 ||
        ((uint64_t)status.st_size < size && ftruncate(file, (off_t)size) != 0))
        return errno;
    return 0;
#else
    return posix_fallocate(file, 0, (off_t)size);
#endif
}

bool host_file_look(int file, uint64_t offset, bool *is_data, uint64_t *end) {
#ifdef SEEK_DATA
    off_t data = lseek(file, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno != ENXIO)
        return false;
    *is_data = data >= 0 && (uint64_t)data == offset;
    off_t next = *is_data ? lseek(file, (off_t)offset, SEEK_HOLE) : data;
    *end = next > (off_t)offset ? (uint64_t)next : UINT64_MAX;
    return true;
#else
    (void)file;
    (void)offset;
    (void)is_data;
    (void)end;
    return false;
#endif
}

/* musl has no function for Linux's call. */
int host_file_rename_to_free(int from, const char *old_name, int to, const char *new_name) {
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, from, old_name, to, new_name, 1 /* RENAME_NOREPLACE */);
#else
    if (faccessat(to, new_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from, old_name, to, new_name);
#endif
}

void host_file_set_changed(int file, int64_t seconds) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds}};
    futimens(file, times);
}

bool host_file_find_program(char *path, size_t size) {
#ifdef __APPLE__ /* dyld(3); not run yet */
    uint32_t room = (uint32_t)size;
    return _NSGetExecutablePath(path, &room) == 0;
#else
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return true;
#endif
}

bool host_file_is_absolute(const char *path) {
    return path[0] == '/';
}
