/* 'set_password': who may use the machine by VNC. */
#include "monitor_command.h"

#include <string.h>

bool monitor_set_vnc_password(Monitor *monitor, const char *password, Error *error) {
    const MonitorHost *host = monitor->host;
    if (password == NULL)
        return error_set(error, "Error: a password is expected");
    if (host->set_vnc_password == NULL)
        return error_set(error, "Error: there is no VNC server");
    return host->set_vnc_password(host->quit_opaque, password, error) ||
           error_prefix(error, "Error: ");
}

bool monitor_set_password(Monitor *monitor, char *arguments, Error *error) {
    const char *protocol = monitor_next_word(&arguments);
    if (protocol == NULL || strcmp(protocol, "vnc") != 0)
        return error_set(error, "Error: the only protocol with a password is vnc");
    return monitor_set_vnc_password(monitor, monitor_next_word(&arguments), error);
}
