/* Files of Windows with POSIX's meaning. Paths are in the program's code page, which its manifest
 * makes UTF-8. */
#include "host_file.h"
#include "host_windows.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <winioctl.h>

#undef mkdir

int __wrap_open(const char *path, int flags, ...);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
FILE *__wrap_fopen(const char *path, const char *mode);

/* The standard streams, too. */
__attribute__((constructor)) static void make_binary(void) {
    for (int file = 0; file < 3; file++)
        _setmode(file, _O_BINARY);
}

#define PATH_BYTES 4096
/* Where no byte of any file is: locks of Windows keep others from reading what they cover. */
#define LOCK_OFFSET (UINT64_C(1) << 62)

/* ---- Descriptors, handles, errors ---- */

HANDLE host_windows_handle(int file) {
    return (HANDLE)_get_osfhandle(file);
}

int host_windows_descriptor(HANDLE handle, int flags) {
    int file = _open_osfhandle((intptr_t)handle, flags | _O_BINARY);
    if (file < 0)
        CloseHandle(handle);
    return file;
}

int host_windows_fail(DWORD code) {
    static const struct {
        DWORD code;
        int reason;
    } table[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_INVALID_NAME, ENOENT},
        {ERROR_BAD_NETPATH, ENOENT},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_SHARING_VIOLATION, EACCES},
        {ERROR_WRITE_PROTECT, EROFS},
        {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST},
        {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
        {ERROR_DIRECTORY, ENOTDIR},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
        {ERROR_INVALID_HANDLE, EBADF},
        {ERROR_INVALID_PARAMETER, EINVAL},
        {ERROR_NEGATIVE_SEEK, EINVAL},
        {ERROR_LOCK_VIOLATION, EWOULDBLOCK},
        {ERROR_IO_PENDING, EWOULDBLOCK},
        {ERROR_BROKEN_PIPE, EPIPE},
        {ERROR_NO_DATA, EPIPE},
        {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
        {WSAEWOULDBLOCK, EAGAIN},
        {WSAEINPROGRESS, EINPROGRESS},
        {WSAEINTR, EINTR},
        {WSAECONNREFUSED, ECONNREFUSED},
        {WSAECONNRESET, ECONNRESET},
        {WSAECONNABORTED, ECONNABORTED},
        {WSAETIMEDOUT, ETIMEDOUT},
        {WSAEADDRINUSE, EADDRINUSE},
        {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
        {WSAEAFNOSUPPORT, EAFNOSUPPORT},
        {WSAENOTSOCK, ENOTSOCK},
        {WSAENOTCONN, ENOTCONN},
        {WSAEACCES, EACCES},
        {WSAENETUNREACH, ENETUNREACH},
        {WSAEHOSTUNREACH, EHOSTUNREACH},
    };
    errno = EIO;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            errno = table[i].reason;
    return -1;
}

static int fail(void) {
    return host_windows_fail(GetLastError());
}

/* ---- Opening ---- */

static DWORD disposition(int flags) {
    switch (flags & (O_CREAT | O_EXCL | O_TRUNC)) {
    case O_CREAT:
        return OPEN_ALWAYS;
    case O_CREAT | O_TRUNC:
        return CREATE_ALWAYS;
    case O_TRUNC:
        return TRUNCATE_EXISTING;
    case 0:
    case O_EXCL:
        return OPEN_EXISTING;
    default:
        return CREATE_NEW;
    }
}

static DWORD access_of(int flags) {
    switch (flags & O_ACCMODE) {
    case O_RDONLY:
        return GENERIC_READ;
    case O_WRONLY:
        return GENERIC_WRITE;
    default:
        return GENERIC_READ | GENERIC_WRITE;
    }
}

static bool has_attribute(HANDLE handle, DWORD attribute) {
    BY_HANDLE_FILE_INFORMATION info;
    return GetFileInformationByHandle(handle, &info) != 0 &&
           (info.dwFileAttributes & attribute) != 0;
}

static int open_path(const char *path, int flags) {
    if (strcmp(path, "/dev/null") == 0)
        path = "NUL";
    HANDLE handle =
        CreateFileA(path, access_of(flags), FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, disposition(flags),
                    FILE_ATTRIBUTE_NORMAL | FILE_FLAG_BACKUP_SEMANTICS |
                        ((flags & O_NOFOLLOW) != 0 ? FILE_FLAG_OPEN_REPARSE_POINT : 0),
                    NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return fail();
    if ((flags & O_NOFOLLOW) != 0 && has_attribute(handle, FILE_ATTRIBUTE_REPARSE_POINT)) {
        CloseHandle(handle);
        errno = ELOOP;
        return -1;
    }
    bool folder = has_attribute(handle, FILE_ATTRIBUTE_DIRECTORY);
    if (folder != ((flags & O_DIRECTORY) != 0) && (!folder || (flags & O_ACCMODE) != O_RDONLY)) {
        CloseHandle(handle);
        errno = folder ? EISDIR : ENOTDIR;
        return -1;
    }
    return host_windows_descriptor(handle, flags & (O_ACCMODE | O_APPEND | O_NOINHERIT));
}

int __wrap_open(const char *path, int flags, ...) {
    return open_path(path, flags);
}

int __wrap_rename(const char *from, const char *to) {
    return MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING) ? 0 : fail();
}

/* Modes as the GNU library has them: "e" and "x" besides those of C89. */
FILE *__wrap_fopen(const char *path, const char *mode) {
    bool updates = strchr(mode, '+') != NULL, is_new = strchr(mode, 'x') != NULL;
    int access = updates ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    int made = mode[0] == 'r' ? 0 : mode[0] == 'a' ? O_CREAT | O_APPEND : O_CREAT | O_TRUNC;
    int file = open_path(path, access | made | (is_new ? O_EXCL : 0) | O_NOINHERIT);
    if (file < 0)
        return NULL;
    const char plain[] = {mode[0], 'b', updates ? '+' : '\0', '\0'};
    FILE *stream = fdopen(file, plain);
    if (stream == NULL)
        close(file);
    return stream;
}

int host_file_make_folder(const char *path, unsigned mode) {
    (void)mode;
    return CreateDirectoryA(path, NULL) ? 0 : fail();
}

int fchmod(int file, unsigned mode) {
    (void)file;
    (void)mode;
    return 0;
}

int __wrap_unlink(const char *path) {
    return DeleteFileA(path) ? 0 : fail();
}

int host_file_open_temporary(const char *folder) {
    char where[MAX_PATH], path[MAX_PATH];
    if (folder == NULL) {
        if (GetTempPathA(sizeof(where), where) == 0)
            return fail();
        folder = where;
    }
    if (GetTempFileNameA(folder, "rep", 0, path) == 0)
        return fail();
    HANDLE handle =
        CreateFileA(path, GENERIC_READ | GENERIC_WRITE | DELETE,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                    FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return fail();
    DWORD size;
    DeviceIoControl(handle, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &size, NULL);
    return host_windows_descriptor(handle, O_RDWR | O_NOINHERIT);
}

/* ---- States ---- */

/* 100 ns since 1601. */
static struct timespec time_of(FILETIME time) {
    int64_t ticks = (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) -
                    INT64_C(116444736000000000);
    return (struct timespec){.tv_sec = ticks / 10000000, .tv_nsec = (long)(ticks % 10000000 * 100)};
}

static int stat_handle(HANDLE handle, struct stat *status) {
    BY_HANDLE_FILE_INFORMATION info;
    *status = (struct stat){.st_nlink = 1};
    DWORD type = GetFileType(handle);
    if (type == FILE_TYPE_CHAR || type == FILE_TYPE_PIPE) {
        status->st_mode = (type == FILE_TYPE_CHAR ? S_IFCHR : S_IFIFO) | 0666;
        return 0;
    }
    if (!GetFileInformationByHandle(handle, &info))
        return fail();
    bool folder = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    bool closed = (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0;
    status->st_dev = info.dwVolumeSerialNumber;
    status->st_ino = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    bool link = (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    status->st_mode = (unsigned short)((link     ? S_IFLNK
                                        : folder ? S_IFDIR
                                                 : S_IFREG) |
                                       (closed ? 0444 : 0666));
    status->st_size = (int64_t)((uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow);
    status->st_blocks = (status->st_size + 511) / 512;
    status->st_mtim = time_of(info.ftLastWriteTime);
    status->st_mtime = status->st_mtim.tv_sec;
    return 0;
}

static int stat_path(const char *path, struct stat *status, DWORD how) {
    HANDLE handle = CreateFileA(path, FILE_READ_ATTRIBUTES,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | how, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return fail();
    int result = stat_handle(handle, status);
    CloseHandle(handle);
    return result;
}

int host_file_stat(const char *path, struct stat *status) {
    return stat_path(path, status, 0);
}

int host_file_lstat(const char *path, struct stat *status) {
    return stat_path(path, status, FILE_FLAG_OPEN_REPARSE_POINT);
}

int host_file_fstat(int file, struct stat *status) {
    HANDLE handle = host_windows_handle(file);
    if (handle == INVALID_HANDLE_VALUE) {
        errno = EBADF;
        return -1;
    }
    return stat_handle(handle, status);
}

int64_t host_file_changed_ns(const struct stat *status) {
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

void host_file_set_changed(int file, int64_t seconds) {
    uint64_t ticks = (uint64_t)(seconds * 10000000 + INT64_C(116444736000000000));
    FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32)};
    SetFileTime(host_windows_handle(file), NULL, NULL, &time);
}

/* ---- Contents ---- */

ssize_t pread(int file, void *data, size_t size, off_t offset) {
    OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)((uint64_t)offset >> 32)};
    DWORD part = size < 0x40000000 ? (DWORD)size : 0x40000000, done;
    if (ReadFile(host_windows_handle(file), data, part, &done, &place))
        return done;
    return GetLastError() == ERROR_HANDLE_EOF ? 0 : fail();
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
    OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)((uint64_t)offset >> 32)};
    DWORD part = size < 0x40000000 ? (DWORD)size : 0x40000000, done;
    return WriteFile(host_windows_handle(file), data, part, &done, &place) ? (ssize_t)done : fail();
}

int fdatasync(int file) {
    return FlushFileBuffers(host_windows_handle(file)) ? 0 : fail();
}

bool host_file_punch(int file, uint64_t offset, uint64_t size) {
    FILE_ZERO_DATA_INFORMATION part = {.FileOffset = {.QuadPart = (LONGLONG)offset},
                                       .BeyondFinalZero = {.QuadPart = (LONGLONG)(offset + size)}};
    DWORD done;
    struct stat status;
    return fstat(file, &status) == 0 && offset + size <= (uint64_t)status.st_size &&
           DeviceIoControl(host_windows_handle(file), FSCTL_SET_ZERO_DATA, &part, sizeof(part),
                           NULL, 0, &done, NULL) != 0;
}

int host_file_reserve(int file, uint64_t size) {
    struct stat status;
    if (fstat(file, &status) != 0)
        return errno;
    return (uint64_t)status.st_size >= size || ftruncate(file, (off_t)size) == 0 ? 0 : errno;
}

bool host_file_look(int file, uint64_t offset, bool *is_data, uint64_t *end) {
    (void)file;
    (void)offset;
    (void)is_data;
    (void)end;
    return false;
}

/* ---- Descriptors' ways ---- */

int host_file_duplicate(int file) {
    HANDLE copy;
    if (!DuplicateHandle(GetCurrentProcess(), host_windows_handle(file), GetCurrentProcess(), &copy,
                         0, FALSE, DUPLICATE_SAME_ACCESS))
        return fail();
    return host_windows_descriptor(copy, O_RDWR | O_NOINHERIT);
}

bool host_file_keep_private(int file) {
    HANDLE handle = host_windows_handle(file);
    return handle != INVALID_HANDLE_VALUE && SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
}

/* Sockets alone know this. */
bool host_file_set_nonblocking(int file) {
    u_long on = 1;
    return ioctlsocket((SOCKET)_get_osfhandle(file), (long)FIONBIO, &on) == 0;
}

bool host_file_is_writable(int file) {
    DWORD done;
    return WriteFile(host_windows_handle(file), "", 0, &done, NULL) != 0;
}

bool host_file_lock(int file, bool alone) {
    OVERLAPPED place = {.Offset = (DWORD)LOCK_OFFSET, .OffsetHigh = (DWORD)(LOCK_OFFSET >> 32)};
    return LockFileEx(host_windows_handle(file),
                      LOCKFILE_FAIL_IMMEDIATELY | (alone ? LOCKFILE_EXCLUSIVE_LOCK : 0), 0, 1, 0,
                      &place) ||
           fail() == 0;
}

/* ---- Paths ---- */

char *realpath(const char *path, char *resolved) {
    struct stat status;
    if (stat(path, &status) != 0)
        return NULL;
    char *full = resolved != NULL ? resolved : malloc(PATH_BYTES);
    DWORD length = full != NULL ? GetFullPathNameA(path, PATH_BYTES, full, NULL) : 0;
    if (length > 0 && length < PATH_BYTES)
        return full;
    if (resolved == NULL)
        free(full);
    errno = ENAMETOOLONG;
    return NULL;
}

char *mkdtemp(char *pattern) {
    size_t length = strlen(pattern);
    for (unsigned i = 0; length >= 6 && i < 1000; i++) {
        unsigned number = (unsigned)GetTickCount() * 1000 + i + (unsigned)GetCurrentProcessId();
        snprintf(pattern + length - 6, 7, "%06u", number % 1000000);
        if (CreateDirectoryA(pattern, NULL))
            return pattern;
    }
    return NULL;
}

bool host_file_find_program(char *path, size_t size) {
    DWORD length = GetModuleFileNameA(NULL, path, (DWORD)size);
    for (char *at = path; length > 0 && length < size && (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    return length > 0 && length < size;
}

bool host_file_is_absolute(const char *path) {
    return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
}

/* ---- Relative to folders ---- */

static bool path_below(int folder, const char *name, char path[PATH_BYTES]) {
    DWORD length = GetFinalPathNameByHandleA(host_windows_handle(folder), path, PATH_BYTES, 0);
    if (length == 0 || length + strlen(name) + 2 > PATH_BYTES) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (strcmp(name, ".") != 0)
        snprintf(path + length, PATH_BYTES - length, "\\%s", name);
    for (char *at = path; (at = strchr(at, '/')) != NULL;)
        *at = '\\';
    return true;
}

int openat(int folder, const char *path, int flags, ...) {
    char full[PATH_BYTES];
    return path_below(folder, path, full) ? open_path(full, flags) : -1;
}

int fstatat(int folder, const char *path, struct stat *status, int flags) {
    char full[PATH_BYTES];
    DWORD how = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? FILE_FLAG_OPEN_REPARSE_POINT : 0;
    return path_below(folder, path, full) ? stat_path(full, status, how) : -1;
}

int unlinkat(int folder, const char *path, int flags) {
    char full[PATH_BYTES];
    if (!path_below(folder, path, full))
        return -1;
    bool good = (flags & AT_REMOVEDIR) != 0 ? RemoveDirectoryA(full) : DeleteFileA(full);
    return good ? 0 : fail();
}

static int move_below(int from, const char *old_name, int to, const char *new_name, DWORD how) {
    char first[PATH_BYTES], second[PATH_BYTES];
    if (!path_below(from, old_name, first) || !path_below(to, new_name, second))
        return -1;
    return MoveFileExA(first, second, how) ? 0 : fail();
}

int renameat(int from, const char *old_name, int to, const char *new_name) {
    return move_below(from, old_name, to, new_name, MOVEFILE_REPLACE_EXISTING);
}

int host_file_rename_to_free(int from, const char *old_name, int to, const char *new_name) {
    return move_below(from, old_name, to, new_name, 0);
}

int mkdirat(int folder, const char *path, unsigned mode) {
    char full[PATH_BYTES];
    (void)mode;
    if (!path_below(folder, path, full))
        return -1;
    return CreateDirectoryA(full, NULL) ? 0 : fail();
}

int faccessat(int folder, const char *path, int how, int flags) {
    char full[PATH_BYTES];
    (void)flags;
    return path_below(folder, path, full) ? access(full, how & (R_OK | W_OK)) : -1;
}

DIR *fdopendir(int folder) {
    char full[PATH_BYTES];
    DIR *stream = path_below(folder, ".", full) ? opendir(full) : NULL;
    if (stream != NULL)
        close(folder);
    return stream;
}

int alphasort(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

int scandir(const char *path, struct dirent ***entries, int (*wanted)(const struct dirent *entry),
            int (*compare)(const struct dirent **one, const struct dirent **other)) {
    DIR *stream = opendir(path);
    int count = 0;
    *entries = NULL;
    if (stream == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (wanted != NULL && !wanted(entry))
            continue;
        struct dirent *copy = malloc(sizeof(*copy));
        struct dirent **more = realloc(*entries, ((size_t)count + 1) * sizeof(*more));
        if (more != NULL)
            *entries = more;
        if (copy == NULL || more == NULL) {
            free(copy);
            break;
        }
        *copy = *entry;
        more[count++] = copy;
    }
    closedir(stream);
    qsort(*entries, (size_t)count, sizeof(**entries),
          (int (*)(const void *, const void *))(void *)compare);
    return count;
}
