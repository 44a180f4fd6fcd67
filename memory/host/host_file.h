/* Files: POSIX's functions by their names, on every host, and some of one system each by names of
 * our own. Whoever works with descriptors, folders or states of files includes this header. */
#ifndef REPRISE_HOST_FILE_H
#define REPRISE_HOST_FILE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef _WIN32
#include "host_file_windows.h"
#endif

/* When the contents changed last: nanoseconds since 1970. */
int64_t host_file_changed_ns(const struct stat *status);

/* A file without a name, which goes when it is closed, in this folder (NULL: where the host has
 * such files); -1: errno. */
int host_file_open_temporary(const char *folder);
/* A second descriptor of the same open file, not inherited by programs that are started; -1. */
int host_file_duplicate(int file);
/* Programs that are started do not inherit it. False: it is no open descriptor. */
bool host_file_keep_private(int file);
/* Reads and writes never wait. */
bool host_file_set_nonblocking(int file);
/* Was it opened for reading and writing? */
bool host_file_is_writable(int file);

/* Locks the whole open file against other openings of it, who may hold it 'alone' or with others;
 * never waits. False: errno, EWOULDBLOCK where it is locked. */
bool host_file_lock(int file, bool alone);
/* Locks on single bytes that belong to the open file, as QEMU has them: known here? */
bool host_file_has_byte_locks(void);
bool host_file_lock_byte(int file, int byte);
bool host_file_is_byte_locked(int file, int byte);

/* Makes a hole of this part, which reads as zeros. False: the file system cannot. */
bool host_file_punch(int file, uint64_t offset, uint64_t size);
/* Room on the disk for the first 'size' bytes; 0, or what errno would be. */
int host_file_reserve(int file, uint64_t size);
/* What 'offset' lies in: data or a hole, and where that ends. False: the file system does not say.
 * A hole to the end of the file has '*end' UINT64_MAX. */
bool host_file_look(int file, uint64_t offset, bool *is_data, uint64_t *end);

/* renameat() that fails with EEXIST where there is something of the new name. */
int host_file_rename_to_free(int from, const char *old_name, int to, const char *new_name);
/* Sets the time of the last change. */
void host_file_set_changed(int file, int64_t seconds);

/* The path of the running program's file; false: the host does not tell. */
bool host_file_find_program(char *path, size_t size);
/* Is this a path from the root on? */
bool host_file_is_absolute(const char *path);

#endif
