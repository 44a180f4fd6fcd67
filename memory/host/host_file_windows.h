/* What POSIX has for files and Windows' C library has not, or has with another meaning. Part of
 * host_file.h. */
#ifndef REPRISE_HOST_FILE_WINDOWS_H
#define REPRISE_HOST_FILE_WINDOWS_H

#include <time.h>

#define NAME_MAX 255

#define O_CLOEXEC O_NOINHERIT
#define O_NONBLOCK 0
#define O_NOCTTY 0
#define O_NOFOLLOW 0x01000000
#define O_DIRECTORY 0x02000000

#define S_IFLNK 0xA000
#define S_IFSOCK 0xC000
#define S_ISLNK(mode) (((mode)&S_IFMT) == S_IFLNK)
#define S_ISSOCK(mode) (((mode)&S_IFMT) == S_IFSOCK)

#define AT_SYMLINK_NOFOLLOW 1
#define AT_REMOVEDIR 2
#define AT_EACCESS 4

/* The C library's has neither a file's number nor fractions of seconds. */
struct host_file_stat {
    uint64_t st_dev, st_ino;
    unsigned short st_mode, st_nlink;
    int64_t st_size, st_blocks;
    time_t st_mtime;
    struct timespec st_mtim;
};
#undef stat
#undef fstat
#define stat host_file_stat
#define fstat host_file_fstat
#define lstat host_file_lstat
int host_file_stat(const char *path, struct host_file_stat *status);
int host_file_lstat(const char *path, struct host_file_stat *status);
int host_file_fstat(int file, struct host_file_stat *status);

/* open(), fopen(), rename() and unlink() are exchanged by the linker: files may be renamed and
 * removed while they are open, and are what they are, byte by byte. */

#define mkdir(path, mode) host_file_make_folder(path, mode)
int host_file_make_folder(const char *path, unsigned mode);
int fchmod(int file, unsigned mode);
int fdatasync(int file);
ssize_t pread(int file, void *data, size_t size, off_t offset);
ssize_t pwrite(int file, const void *data, size_t size, off_t offset);
char *realpath(const char *path, char *resolved);
char *mkdtemp(char *pattern);

/* Relative to an open folder. */
int openat(int folder, const char *path, int flags, ...);
int fstatat(int folder, const char *path, struct host_file_stat *status, int flags);
int unlinkat(int folder, const char *path, int flags);
int renameat(int from, const char *old_name, int to, const char *new_name);
int mkdirat(int folder, const char *path, unsigned mode);
int faccessat(int folder, const char *path, int how, int flags);
DIR *fdopendir(int folder);

int alphasort(const struct dirent **one, const struct dirent **other);
int scandir(const char *path, struct dirent ***entries, int (*wanted)(const struct dirent *entry),
            int (*compare)(const struct dirent **one, const struct dirent **other));

#endif
