#include "key_values.h"
#include "options.h"

#include <string.h>

#define BOOT_KEYS "order once menu strict splash-time reboot-timeout"

static bool set_order(Settings *settings, const char *order, Error *error) {
    if (order == NULL)
        return true;
    if (*order == '\0' || order[strspn(order, "acdn")] != '\0')
        return error_set(error, "the order is made of a (floppy), c (disk) and d (CD), not '%s'",
                         order);
    settings->machine.boot_order = settings_keep_string(settings, order);
    return true;
}

bool option_boot(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    MachineConfig *machine = &settings->machine;
    bool strict;
    uint64_t timeout = machine->boot_fail_wait_ms;
    bool good =
        key_values_parse(&values, argument, "order", error) &&
        set_order(settings, key_values_get(&values, "order"), error) &&
        set_order(settings, key_values_get(&values, "once"), error) &&
        key_values_get_bool(&values, "menu", machine->boot_menu, &machine->boot_menu, error) &&
        key_values_get_bool(&values, "strict", false, &strict, error) &&
        key_values_get_number(&values, "splash-time", 0, &machine->boot_menu_wait_ms, error) &&
        key_values_get_number(&values, "reboot-timeout", timeout, &timeout, error) &&
        key_values_check_used(&values, BOOT_KEYS, error);
    key_values_free(&values);
    machine->boot_fail_wait_ms = (uint32_t)timeout;
    return good;
}

bool option_bios(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->machine.bios = argument;
    return true;
}

bool option_firmware_folder(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->machine.firmware_folder = argument;
    return true;
}

bool option_kernel(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->machine.kernel = argument;
    return true;
}

bool option_initrd(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->machine.initrd = argument;
    return true;
}

bool option_append(Settings *settings, const char *argument, Error *error) {
    (void)error;
    settings->machine.kernel_command_line = argument;
    return true;
}
