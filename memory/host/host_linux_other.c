/* Sandbox and network interfaces are Linux's alone. */
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
