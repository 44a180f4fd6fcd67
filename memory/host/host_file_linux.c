/* Locks of single bytes that belong to an open file, not to a process: fcntl(2), "Open file
 * description locks". */
#define _GNU_SOURCE
#include "host_file.h"

bool host_file_has_byte_locks(void) {
    return true;
}

bool host_file_lock_byte(int file, int byte) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_OFD_SETLK, &lock) == 0;
}

bool host_file_is_byte_locked(int file, int byte) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
