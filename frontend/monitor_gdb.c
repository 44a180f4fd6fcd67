/* 'gdbserver': where debuggers connect, at run time. */
#include "monitor_command.h"

#include <string.h>

bool monitor_gdb_server(Monitor *monitor, char *arguments, Error *error) {
    const char *address = monitor_next_word(&arguments);
    const MonitorHost *host = monitor->host;
    if (host->serve_debugger == NULL)
        return error_set(error, "there is no debugger's port here");
    if (address == NULL)
        address = "tcp::1234";
    if (!host->serve_debugger(host->quit_opaque, strcmp(address, "none") == 0 ? NULL : address,
                              error))
        return false;
    if (strcmp(address, "none") == 0)
        monitor_print(monitor, "Disabled gdbserver\n");
    else
        monitor_print(monitor, "Waiting for gdb connection on device '%s'\n", address);
    return true;
}
