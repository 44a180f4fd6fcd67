#include "key_values.h"
#include "options.h"

#include <string.h>

#define BOOT_KEYS "order once menu strict splash-time reboot-timeout"

#define MILLISECONDS_MAX 65535 /* the BIOS reads 16 bits */

static bool set_order(Settings *settings, const char *order, const char **place, Error *error) {
    if (order == NULL)
        return true;
    if (*order == '\0' || order[strspn(order, "acdn")] != '\0')
        return error_set(error, "the order is made of a (floppy), c (disk) and d (CD), not '%s'",
                         order);
    for (const char *letter = order; *letter != '\0'; letter++) {
        if (strchr(letter + 1, *letter) != NULL)
            return error_set(error, "the order '%s' names '%c' twice", order, *letter);
    }
    *place = settings_keep_string(settings, order);
    return true;
}

/* -1: never. */
static bool read_reboot_timeout(KeyValues *values, uint32_t *timeout_ms, Error *error) {
    const char *text = key_values_get(values, "reboot-timeout");
    uint64_t value;
    if (text == NULL)
        return true;
    if (strcmp(text, "-1") == 0) {
        *timeout_ms = UINT32_MAX;
        return true;
    }
    if (!key_values_get_number(values, "reboot-timeout", 0, &value, error))
        return false;
    *timeout_ms = (uint32_t)value;
    return value <= MILLISECONDS_MAX ||
           error_set(error, "reboot-timeout is -1 (never) to %d ms", MILLISECONDS_MAX);
}

static bool read_menu_time(KeyValues *values, uint64_t *wait_ms, Error *error) {
    return key_values_get_number(values, "splash-time", *wait_ms, wait_ms, error) &&
           (*wait_ms <= MILLISECONDS_MAX ||
            error_set(error, "splash-time is at most %d ms", MILLISECONDS_MAX));
}

bool option_boot(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    MachineConfig *machine = &settings->machine;
    bool strict;
    bool good =
        key_values_parse(&values, argument, "order", error) &&
        set_order(settings, key_values_get(&values, "order"), &machine->boot_order, error) &&
        set_order(settings, key_values_get(&values, "once"), &machine->boot_once, error) &&
        key_values_get_bool(&values, "menu", machine->boot_menu, &machine->boot_menu, error) &&
        key_values_get_bool(&values, "strict", false, &strict, error) &&
        read_menu_time(&values, &machine->boot_menu_wait_ms, error) &&
        read_reboot_timeout(&values, &machine->boot_fail_wait_ms, error) &&
        key_values_check_used(&values, BOOT_KEYS, error);
    key_values_free(&values);
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
