/* Things with an id that are no devices: -object, and the descriptors of -add-fd. */
#include "key_values.h"
#include "options.h"
#include "options_network.h"

#include <string.h>

/* A secret is kept for those who name it; nothing in this version reads an encrypted image. Memory
 * is the process's own, whatever file or descriptor it is to come from. What is left out has to do
 * with how QEMU shares its work, or with devices that a guest runs without. */
static const struct {
    const char *name;
    const char *type; /* NULL: left out */
    const char *note; /* of a warning, or NULL */
} object_types[] = {
    {"memory-backend-ram", "memory-backend-ram", NULL},
    {"memory-backend-file", "memory-backend-ram", "memory is not kept in a file"},
    {"memory-backend-memfd", "memory-backend-ram", NULL},
    {"secret", "secret", NULL},
    {"iothread", NULL, NULL},
    {"main-loop", NULL, NULL},
    {"rng-random", NULL, NULL},
    {"rng-builtin", NULL, NULL},
    {"rng-egd", NULL, NULL},
    {"throttle-group", NULL, "drives are as fast as they can be"},
};

static bool add_object(Settings *settings, KeyValues *values, Error *error) {
    const char *type = key_values_get(values, "qom-type");
    const char *id = key_values_get(values, "id");
    static const char *const ignored[] = {
        "format", "file",  "data",       "prealloc", "share",    "merge",        "dump", "reserve",
        "iv",     "keyid", "host-nodes", "policy",   "mem-path", "discard-data", "seal", "hugetlb"};
    size_t row = 0;
    if (type != NULL && strcmp(type, "filter-dump") == 0)
        return option_network_dump(settings, values, error);
    while (type != NULL && row < sizeof(object_types) / sizeof(object_types[0]) &&
           strcmp(object_types[row].name, type) != 0)
        row++;
    if (type == NULL || row == sizeof(object_types) / sizeof(object_types[0]))
        return error_set(error,
                         "there is no object '%s'; known are filter-dump, "
                         "memory-backend-ram and secret",
                         type != NULL ? type : "");
    if (object_types[row].note != NULL)
        settings_warn(settings, "%s: %s", type, object_types[row].note);
    if (object_types[row].type == NULL)
        return true;
    if (id == NULL)
        return error_set(error, "id= is needed");
    if (settings->object_count == SETTINGS_OBJECTS)
        return error_set(error, "too many objects");
    ObjectSpec *object = &settings->object[settings->object_count++];
    *object =
        (ObjectSpec){.type = object_types[row].type, .id = settings_keep_string(settings, id)};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        key_values_get(values, ignored[i]);
    return key_values_get_size(values, "size", 0, &object->size, error) &&
           key_values_check_used(values, "qom-type id size share prealloc format file data", error);
}

bool option_object(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "qom-type", error) &&
                add_object(settings, &values, error);
    key_values_free(&values);
    return good;
}

bool option_add_fd(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    uint64_t set, fd;
    bool good = key_values_parse(&values, argument, NULL, error) &&
                key_values_get_number(&values, "set", UINT32_MAX, &set, error) &&
                key_values_get_number(&values, "fd", UINT32_MAX, &fd, error);
    key_values_get(&values, "opaque");
    good = good && key_values_check_used(&values, "set fd opaque", error);
    key_values_free(&values);
    if (!good)
        return false;
    if (set >= UINT32_MAX || fd > 0xFFFF)
        return error_set(error, "set= and fd= are needed");
    if (settings->descriptor_count == SETTINGS_DESCRIPTORS)
        return error_set(error, "too many descriptors");
    settings->descriptor[settings->descriptor_count++] =
        (DescriptorSpec){.set = (unsigned)set, .fd = (int)fd};
    return true;
}
