#include "key_values.h"
#include "options.h"

#include <string.h>

static bool add_spec(CharacterSpec *specs, int *count, int limit, const char *text, Error *error) {
    if (*count == limit)
        return error_set(error, "there are no more than %d", limit);
    return character_spec_parse(&specs[(*count)++], text, error);
}

bool option_serial(Settings *settings, const char *argument, Error *error) {
    return add_spec(settings->serial, &settings->serial_count, MACHINE_SERIAL_PORTS, argument,
                    error);
}

bool option_parallel(Settings *settings, const char *argument, Error *error) {
    return add_spec(settings->parallel, &settings->parallel_count, MACHINE_PARALLEL_PORTS, argument,
                    error);
}

bool option_debug_console(Settings *settings, const char *argument, Error *error) {
    return character_spec_parse(&settings->debug_console, argument, error);
}

bool option_monitor(Settings *settings, const char *argument, Error *error) {
    settings->monitor_given = true;
    return add_spec(settings->monitor, &settings->monitor_count, SETTINGS_MONITORS, argument,
                    error);
}

bool option_qmp(Settings *settings, const char *argument, Error *error) {
    if (settings->monitor_count < SETTINGS_MONITORS)
        settings->monitor_is_control[settings->monitor_count] = true;
    return add_spec(settings->monitor, &settings->monitor_count, SETTINGS_MONITORS, argument,
                    error);
}

bool option_qmp_pretty(Settings *settings, const char *argument, Error *error) {
    if (settings->monitor_count < SETTINGS_MONITORS)
        settings->monitor_is_pretty[settings->monitor_count] = true;
    return option_qmp(settings, argument, error);
}

static bool add_named(Settings *settings, KeyValues *values, Error *error) {
    const char *id = key_values_get(values, "id");
    if (id == NULL)
        return error_set(error, "id= is needed");
    if (settings->character_device_count == SETTINGS_CHARACTER_DEVICES)
        return error_set(error, "too many character devices");
    NamedCharacterSpec *named = &settings->character_device[settings->character_device_count++];
    named->id = settings_keep_string(settings, id);
    if (!character_spec_from_values(&named->spec, values, error))
        return false;
    named->spec.id = named->id;
    return true;
}

bool option_chardev(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "backend", error) &&
                add_named(settings, &values, error);
    key_values_free(&values);
    return good;
}

static bool add_monitor(Settings *settings, KeyValues *values, Error *error) {
    const char *device = key_values_get(values, "chardev");
    const char *mode = key_values_get(values, "mode");
    key_values_get(values, "id");
    key_values_get(values, "default");
    if (device == NULL)
        return error_set(error, "chardev= is needed");
    bool control = mode != NULL && strcmp(mode, "control") == 0;
    if (mode != NULL && !control && strcmp(mode, "readline") != 0)
        return error_set(error, "unknown mode '%s'; known are readline and control", mode);
    if (!control)
        settings->monitor_given = true;
    if (settings->monitor_count == SETTINGS_MONITORS)
        return error_set(error, "there are no more than %d", SETTINGS_MONITORS);
    settings->monitor_is_control[settings->monitor_count] = control;
    if (!key_values_get_bool(values, "pretty", false,
                             &settings->monitor_is_pretty[settings->monitor_count], error))
        return false;
    CharacterSpec *spec = &settings->monitor[settings->monitor_count++];
    *spec = (CharacterSpec){.kind = CHARACTER_NAMED};
    if (strlen(device) >= sizeof(spec->path))
        return error_set(error, "there is no character device '%.40s...'", device);
    strcpy(spec->path, device);
    return true;
}

bool option_mon(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "chardev", error) &&
                add_monitor(settings, &values, error) &&
                key_values_check_used(&values, "chardev mode id pretty", error);
    key_values_free(&values);
    return good;
}
