/* Devices that come and go: device_add, device_del, drive_add, drive_del. */
#include "hot_plug.h"
#include "monitor_command.h"

static bool has_settings(const Monitor *monitor, Error *error) {
    return monitor->host->settings != NULL ||
           error_set(error, "Error: nothing can be plugged in here");
}

/* Names of files may have blanks. */
static const char *rest_of(const char *arguments) {
    while (*arguments == ' ')
        arguments++;
    return arguments;
}

bool monitor_device_add(Monitor *monitor, char *arguments, Error *error) {
    return has_settings(monitor, error) &&
           hot_plug_device(monitor->host->settings, monitor->machine, rest_of(arguments), NULL,
                           error);
}

bool monitor_device_del(Monitor *monitor, char *arguments, Error *error) {
    char *id = monitor_next_word(&arguments);
    if (id == NULL)
        return error_set(error, "device_del: string expected");
    return has_settings(monitor, error) &&
           hot_unplug_device(monitor->host->settings, monitor->machine, id, error);
}

/* The first word is a PCI address, where QEMU has it. */
bool monitor_drive_add(Monitor *monitor, char *arguments, Error *error) {
    char *place = monitor_next_word(&arguments);
    if (place == NULL || *rest_of(arguments) == '\0')
        return error_set(error, "drive_add: string expected");
    if (!has_settings(monitor, error) ||
        !hot_plug_drive(monitor->host->settings, rest_of(arguments), error))
        return false;
    monitor_print(monitor, "OK\n");
    return true;
}

bool monitor_drive_del(Monitor *monitor, char *arguments, Error *error) {
    char *id = monitor_next_word(&arguments);
    if (id == NULL)
        return error_set(error, "drive_del: string expected");
    return has_settings(monitor, error) && hot_forget_drive(monitor->host->settings, id, error);
}
