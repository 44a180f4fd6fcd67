/* Image files on the host: opening with every way to fail told apart, locks, whole transfers. */
#include "block_driver.h"
#include "host_file.h"
#include <errno.h>
#include <string.h>

/* Opens for writing if that is wanted and allowed, else for reading if that will do. */
static bool open_descriptor(BlockNode *node, const BlockOptions *options, Error *error) {
    bool wants_write = !options->read_only && !options->snapshot;
    if (wants_write) {
        node->file = open(node->path, O_RDWR | O_CLOEXEC);
        if (node->file >= 0)
            return true;
        if (errno != EACCES && errno != EPERM && errno != EROFS)
            return error_set(error, "cannot be opened: %s", strerror(errno));
    }
    node->file = open(node->path, O_RDONLY | O_CLOEXEC);
    if (node->file < 0)
        return error_set(error, "cannot be read: %s", strerror(errno));
    if (wants_write && !options->auto_read_only)
        return error_set(error, "is write-protected; add readonly=on or snapshot=on, or make it "
                                "writable with chmod +w");
    node->read_only = true;
    return true;
}

bool block_file_open(BlockNode *node, const BlockOptions *options, Error *error) {
    struct stat status;
    if (stat(node->path, &status) != 0)
        return error_set(error, "cannot be opened: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(
            error, "is a directory, not a disk image (fat:DIRECTORY is a disk with its files)");
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return error_set(error, "is neither a file nor a block device");
    if (!open_descriptor(node, options, error))
        return false;
    off_t length = lseek(node->file, 0, SEEK_END);
    if (length < 0)
        return error_set(error, "has no size: %s", strerror(errno));
    if (length == 0 && !options->any_content)
        return error_set(error, "is empty");
    node->length = (uint64_t)length;
    if (options->unlocked && node->read_only)
        return true;
    return block_file_lock(node->file, !node->read_only, error);
}

/* Not through a FIFO that nobody reads: that would wait. */
static int open_new(const char *path, bool *was_new) {
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    *was_new = file >= 0;
    if (file >= 0 || errno != EEXIST)
        return file;
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

int block_file_create(const char *path, bool *was_new, Error *error) {
    bool is_new = false;
    struct stat status;
    int file = open_new(path, &is_new);
    if (was_new != NULL)
        *was_new = is_new;
    if (file < 0) {
        error_set(error, "cannot be created: %s", strerror(errno));
        return -1;
    }
    bool good = fstat(file, &status) == 0;
    if (!good)
        error_set(error, "cannot be looked at: %s", strerror(errno));
    else if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        good = error_set(error, "is neither a file nor a block device");
    good = good && block_file_lock(file, true, error);
    if (good && S_ISREG(status.st_mode) && ftruncate(file, 0) != 0)
        good = error_set(error, "cannot be emptied: %s", strerror(errno));
    if (good)
        return file;
    close(file);
    return -1;
}

bool block_file_read(int file, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *bytes = data;
    while (size > 0) {
        ssize_t done = pread(file, bytes, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set(error, "cannot read at byte %llu: %s", (unsigned long long)offset,
                             strerror(errno));
        if (done == 0)
            return error_set(error, "was cut short while in use: nothing at byte %llu",
                             (unsigned long long)offset);
        bytes += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return true;
}

bool block_file_write(int file, uint64_t offset, const void *data, size_t size, Error *error) {
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t done = pwrite(file, bytes, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return error_set(error, "cannot write at byte %llu: %s", (unsigned long long)offset,
                             strerror(done < 0 ? errno : EIO));
        bytes += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return true;
}

bool block_file_zero(int file, uint64_t offset, uint64_t size, Error *error) {
    static const uint8_t zeros[65536];
    off_t length = lseek(file, 0, SEEK_END);
    if (length < 0)
        return error_set(error, "has no size: %s", strerror(errno));
    uint64_t end = offset + size;
    if (end > (uint64_t)length && ftruncate(file, (off_t)end) != 0)
        return error_set(error, "cannot be made %llu bytes long: %s", (unsigned long long)end,
                         strerror(errno));
    if (end > (uint64_t)length)
        end = (uint64_t)length;
    while (offset < end) {
        size_t part = end - offset < sizeof(zeros) ? (size_t)(end - offset) : sizeof(zeros);
        if (!block_file_write(file, offset, zeros, part, error))
            return false;
        offset += part;
    }
    return true;
}

bool block_file_flush(BlockNode *node, Error *error) {
    if (fdatasync(node->file) == 0)
        return true;
    return error_set(error, "cannot flush: %s", strerror(errno));
}

bool block_refuse_resize(BlockNode *node, uint64_t length, Error *error) {
    return error_set(error, "holds a disk of %llu bytes, which cannot become %llu",
                     (unsigned long long)node->length, (unsigned long long)length);
}

bool block_check_inside(const BlockNode *node, uint64_t offset, size_t size, Error *error) {
    if (offset <= node->length && size <= node->length - offset)
        return true;
    return error_set(error, "holds a disk of %llu bytes; a write at %llu does not fit",
                     (unsigned long long)node->length, (unsigned long long)offset);
}

/* The protocol is QEMU's, so that its programs and ours respect each other. Byte 100 + n of the
 * file is read-locked by who uses permission n, byte 200 + n by who lets nobody else use it. (Read
 * locks, since they need no write access; conflicts are found by asking for a write lock.) */
enum { LOCK_USED = 100, LOCK_UNSHARED = 200 };
enum { PERMISSION_READ = 0, PERMISSION_WRITE = 1, PERMISSION_RESIZE = 3 };

/* The locks are taken first and conflicts looked for after, so that of two programs that start
 * at once at most one goes on. */
static bool lock_as_qemu(int file, bool writable, Error *error) {
    static const int write_permissions[] = {PERMISSION_WRITE, PERMISSION_RESIZE};
    bool supported = host_file_lock_byte(file, LOCK_USED + PERMISSION_READ);
    bool conflict = host_file_is_byte_locked(file, LOCK_UNSHARED + PERMISSION_READ);
    for (int i = 0; i < 2 && supported; i++) {
        int permission = write_permissions[i];
        supported = host_file_lock_byte(file, LOCK_UNSHARED + permission);
        if (writable)
            supported = supported && host_file_lock_byte(file, LOCK_USED + permission);
        conflict = conflict || host_file_is_byte_locked(file, LOCK_USED + permission) ||
                   (writable && host_file_is_byte_locked(file, LOCK_UNSHARED + permission));
    }
    if (conflict)
        return error_set(error, "is in use by another program or another drive of this machine%s",
                         writable
                             ? "; close it, or add snapshot=on or readonly=on if the other one "
                               "only reads"
                             : " that writes to it; close that one first");
    return true; /* a file system without locks is no reason to refuse */
}

bool block_file_lock(int file, bool writable, Error *error) {
    if (host_file_has_byte_locks())
        return lock_as_qemu(file, writable, error);
    if (host_file_lock(file, writable) || errno != EWOULDBLOCK)
        return true;
    return error_set(error, "is in use by another program or another drive of this machine");
}
