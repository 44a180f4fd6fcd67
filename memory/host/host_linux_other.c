/* Sandbox, network interfaces and locks of an open file's bytes are Linux's alone. */
#include "host_file.h"
#include "host_process.h"

bool host_process_enter_sandbox(Error *error) {
    return error_set(error, "-sandbox: not known how on this host");
}

int host_process_open_tap(char *name, Error *error) {
    (void)name;
    error_set(error, "network interfaces of this host are not known how to open; one may be passed "
                     "by fd=");
    return -1;
}

bool host_file_has_byte_locks(void) {
    return false;
}

bool host_file_lock_byte(int file, int byte) {
    (void)file;
    (void)byte;
    return false;
}

bool host_file_is_byte_locked(int file, int byte) {
    (void)file;
    (void)byte;
    return false;
}
