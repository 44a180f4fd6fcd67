/* -global: settings by the kind of a device. */
#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static bool set_sleep_states(Settings *settings, GlobalSetting *global, KeyValues *values,
                             Error *error) {
    MachineConfig *machine = &settings->machine;
    (void)global;
    return key_values_get_bool(values, "disable_s3", machine->no_suspend_to_ram,
                               &machine->no_suspend_to_ram, error) &&
           key_values_get_bool(values, "disable_s4", machine->no_suspend_to_disk,
                               &machine->no_suspend_to_disk, error);
}

/* Where the BIOS tries the drive; 'fdtypeA' says what this machine's drives are anyway. */
static bool set_floppy_order(Settings *settings, GlobalSetting *global, KeyValues *values,
                             Error *error) {
    static const char *const names[MACHINE_FLOPPIES] = {"bootindexA", "bootindexB"};
    (void)global;
    for (int i = 0; i < MACHINE_FLOPPIES; i++) {
        uint64_t place = 0;
        if (key_values_get(values, names[i]) == NULL)
            continue;
        if (!key_values_get_number(values, names[i], 0, &place, error))
            return false;
        if (place > INT32_MAX)
            return error_set(error, "the place is too large");
        settings->floppy_boots[i] = true;
        settings->floppy_boot_index[i] = (int)place;
    }
    return true;
}

/* What -debugcon names answers at this port. */
static bool set_debug_port(Settings *settings, GlobalSetting *global, KeyValues *values,
                           Error *error) {
    uint64_t port;
    (void)global;
    if (!key_values_get_number(values, "iobase", 0xE9, &port, error))
        return false;
    if (port != 0xE9 && port != 0x402)
        return error_set(error, "the debug console answers at E9h and 402h");
    settings->debug_is_firmware_log = port == 0x402;
    return true;
}

static bool keep(Settings *settings, GlobalSetting *global, KeyValues *values, Error *error) {
    (void)settings;
    (void)values;
    (void)error;
    global->used = false;
    return true;
}

static bool accept(Settings *settings, GlobalSetting *global, KeyValues *values, Error *error) {
    (void)settings;
    (void)global;
    (void)values;
    (void)error;
    return true;
}

/* By the end of the name, NULL for any: what the machine has without being asked, and what its
 * usual values describe already. The rest waits for a -device of its kind. */
static const struct {
    const char *driver, *key;
    bool (*take)(Settings *settings, GlobalSetting *global, KeyValues *values, Error *error);
} drivers[] = {
    {"PIIX4_PM", "disable_s3", set_sleep_states},
    {"PIIX4_PM", "disable_s4", set_sleep_states},
    {"ICH9-LPC", "disable_s3", set_sleep_states},
    {"ICH9-LPC", "disable_s4", set_sleep_states},
    {"isa-fdc", "bootindexA", set_floppy_order},
    {"isa-fdc", "bootindexB", set_floppy_order},
    {"isa-fdc", "fdtypeA", accept},
    {"isa-fdc", "fdtypeB", accept},
    {"isa-debugcon", "iobase", set_debug_port},
    {"kvm-pit", "lost_tick_policy", accept},
    {"mc146818rtc", "lost_tick_policy", accept},
    {NULL, NULL, keep},
};

/* "DRIVER.KEY=VALUE", or "driver=DRIVER,property=KEY,value=VALUE". */
static bool read_global(Settings *settings, const char *text, GlobalSetting *global, Error *error) {
    const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
    char driver[64], key[64];
    KeyValues values = {.items = NULL};
    if (dot != NULL && equals != NULL && dot < equals && dot - text < 64 && equals - dot < 64) {
        snprintf(driver, sizeof(driver), "%.*s", (int)(dot - text), text);
        snprintf(key, sizeof(key), "%.*s", (int)(equals - dot - 1), dot + 1);
        *global = (GlobalSetting){settings_keep_string(settings, driver),
                                  settings_keep_string(settings, key),
                                  settings_keep_string(settings, equals + 1), true};
        return true;
    }
    bool good = key_values_parse(&values, text, NULL, error);
    *global =
        (GlobalSetting){settings_keep_string(settings, key_values_get(&values, "driver")),
                        settings_keep_string(settings, key_values_get(&values, "property")),
                        settings_keep_string(settings, key_values_get(&values, "value")), true};
    good = good && key_values_check_used(&values, "driver property value", error);
    key_values_free(&values);
    return good && ((global->driver != NULL && global->key != NULL && global->value != NULL) ||
                    error_set(error, "takes DRIVER.PROPERTY=VALUE, not '%s'", text));
}

bool option_global(Settings *settings, const char *argument, Error *error) {
    GlobalSetting *global = &settings->global[settings->global_count];
    KeyValues values = {.items = NULL};
    size_t row = 0;
    if (settings->global_count == SETTINGS_GLOBALS)
        return error_set(error, "there are no more than %d", SETTINGS_GLOBALS);
    if (!read_global(settings, argument, global, error))
        return false;
    settings->global_count++;
    while (drivers[row].driver != NULL && (strcmp(drivers[row].driver, global->driver) != 0 ||
                                           strcmp(drivers[row].key, global->key) != 0))
        row++;
    key_values_set(&values, global->key, global->value);
    bool good = drivers[row].take(settings, global, &values, error);
    key_values_free(&values);
    return good;
}

void settings_apply_globals(Settings *settings, const char *driver, const char *keys,
                            KeyValues *values) {
    for (unsigned i = 0; i < settings->global_count; i++) {
        GlobalSetting *global = &settings->global[i];
        if (strcmp(global->driver, driver) != 0 || !key_is_among(global->key, keys))
            continue;
        global->used = true;
        if (key_values_get(values, global->key) == NULL)
            key_values_set(values, global->key, global->value);
    }
}

void settings_warn_of_globals(Settings *settings) {
    for (unsigned i = 0; i < settings->global_count; i++) {
        const GlobalSetting *global = &settings->global[i];
        if (!global->used)
            settings_warn(settings, "-global: %s.%s=%s is of no use: no device here has it",
                          global->driver, global->key, global->value);
    }
}
