/* -smbios and -uuid: how the machine is called. */
#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef struct SmbiosField {
    uint8_t type;
    const char *key;
    SmbiosText text;
} SmbiosField;

static const SmbiosField fields[] = {
    {0, "vendor", SMBIOS_BIOS_VENDOR},
    {0, "version", SMBIOS_BIOS_VERSION},
    {0, "date", SMBIOS_BIOS_DATE},
    {1, "manufacturer", SMBIOS_SYSTEM_MANUFACTURER},
    {1, "product", SMBIOS_SYSTEM_PRODUCT},
    {1, "version", SMBIOS_SYSTEM_VERSION},
    {1, "serial", SMBIOS_SYSTEM_SERIAL},
    {1, "sku", SMBIOS_SYSTEM_SKU},
    {1, "family", SMBIOS_SYSTEM_FAMILY},
    {2, "manufacturer", SMBIOS_BOARD_MANUFACTURER},
    {2, "product", SMBIOS_BOARD_PRODUCT},
    {2, "version", SMBIOS_BOARD_VERSION},
    {2, "serial", SMBIOS_BOARD_SERIAL},
    {2, "asset", SMBIOS_BOARD_ASSET},
    {2, "location", SMBIOS_BOARD_LOCATION},
    {3, "manufacturer", SMBIOS_CHASSIS_MANUFACTURER},
    {3, "version", SMBIOS_CHASSIS_VERSION},
    {3, "serial", SMBIOS_CHASSIS_SERIAL},
    {3, "asset", SMBIOS_CHASSIS_ASSET},
    {3, "sku", SMBIOS_CHASSIS_SKU},
    {4, "sock_pfx", SMBIOS_PROCESSOR_SOCKET},
    {4, "manufacturer", SMBIOS_PROCESSOR_MANUFACTURER},
    {4, "version", SMBIOS_PROCESSOR_VERSION},
    {4, "serial", SMBIOS_PROCESSOR_SERIAL},
    {4, "asset", SMBIOS_PROCESSOR_ASSET},
    {4, "part", SMBIOS_PROCESSOR_PART},
    {11, "value", SMBIOS_OEM_STRING},
    {17, "loc_pfx", SMBIOS_MEMORY_LOCATOR},
    {17, "bank", SMBIOS_MEMORY_BANK},
    {17, "manufacturer", SMBIOS_MEMORY_MANUFACTURER},
    {17, "serial", SMBIOS_MEMORY_SERIAL},
    {17, "asset", SMBIOS_MEMORY_ASSET},
    {17, "part", SMBIOS_MEMORY_PART},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* The tables must fit where the BIOS puts them, below 1 MB. */
#define TEXT_BYTES_MAX 255

static int digit_of(char letter) {
    const char *digits = "0123456789abcdef";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter | 0x20);
    return found == NULL ? -1 : (int)(found - digits);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool parse_uuid(const char *text, uint8_t uuid[16]) {
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned digits = 0;
    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (unsigned i = 0; form[i] != '\0'; i++) {
        int digit = digit_of(text[i]);
        if (form[i] == '-' ? text[i] != '-' : digit < 0)
            return false;
        if (form[i] == '-')
            continue;
        uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | digit);
        digits++;
    }
    return true;
}

static bool set_uuid(Settings *settings, const char *text, Error *error) {
    return parse_uuid(text, settings->machine.smbios.uuid) ||
           error_set(error, "'%s' is no UUID; write 8-4-4-4-12 hexadecimal digits", text);
}

bool option_uuid(Settings *settings, const char *argument, Error *error) {
    return set_uuid(settings, argument, error);
}

static bool take_texts(Settings *settings, uint64_t type, KeyValues *values, Error *error) {
    for (size_t i = 0; i < FIELDS; i++) {
        const char *text = fields[i].type == type ? key_values_get(values, fields[i].key) : NULL;
        if (text == NULL)
            continue;
        if (strlen(text) > TEXT_BYTES_MAX)
            return error_set(error, "%s is longer than %d characters", fields[i].key,
                             TEXT_BYTES_MAX);
        settings->machine.smbios.text[fields[i].text] = settings_keep_string(settings, text);
    }
    return true;
}

/* "1.16" */
static bool take_release(SmbiosConfig *smbios, KeyValues *values, Error *error) {
    const char *text = key_values_get(values, "release");
    unsigned major, minor;
    char rest;
    if (text == NULL)
        return true;
    if (sscanf(text, "%3u.%3u%c", &major, &minor, &rest) != 2 || major > 255 || minor > 255)
        return error_set(error, "release is two numbers up to 255, as in 1.16, not '%s'", text);
    smbios->bios_release[0] = (uint8_t)major;
    smbios->bios_release[1] = (uint8_t)minor;
    return true;
}

static bool take_special(Settings *settings, uint64_t type, KeyValues *values, Error *error) {
    SmbiosConfig *smbios = &settings->machine.smbios;
    const char *uuid = type == 1 ? key_values_get(values, "uuid") : NULL;
    if (uuid != NULL && !set_uuid(settings, uuid, error))
        return false;
    if (type == 0)
        smbios->has_bios = true;
    if (type == 2)
        smbios->has_board = true;
    return type != 0 || take_release(smbios, values, error);
}

/* What this type knows, for the message. */
static void list_keys(uint64_t type, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "type%s%s", type == 0 ? " release" : "",
                                   type == 1 ? " uuid" : "");
    for (size_t i = 0; i < FIELDS && used < size; i++)
        if (fields[i].type == type)
            used += (size_t)snprintf(text + used, size - used, " %s", fields[i].key);
}

bool option_smbios(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    uint64_t type = 0;
    char known[256];
    bool good = key_values_parse(&values, argument, NULL, error);
    if (good && key_values_get(&values, "file") != NULL)
        good = error_set(error, "tables from a file are not in this version; "
                                "type= and its fields are");
    if (good && key_values_get(&values, "type") == NULL)
        good = error_set(error, "type= is needed: 0, 1, 2, 3, 4, 11 or 17");
    good = good && key_values_get_number(&values, "type", 0, &type, error);
    if (good && !(type <= 4 || type == 11 || type == 17))
        good = error_set(error, "there are types 0, 1, 2, 3, 4, 11 and 17");
    list_keys(type, known, sizeof(known));
    good = good && take_texts(settings, type, &values, error) &&
           take_special(settings, type, &values, error) &&
           key_values_check_used(&values, known, error);
    key_values_free(&values);
    return good;
}
