/* Types, devices and their properties, as QEMU's object model names them. What -device takes is
 * told from its own table; the tree of objects has what its paths are looked up for. */
#include "options.h"
#include "qmp_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is there besides the devices of -device: with the properties that -global sets. */
static const struct {
    const char *name, *parent, *properties;
} board_types[] = {
    {"tcg-accel", "accel", ""},
    {"pc-i440fx-7.2-machine", "generic-pc-machine", ""},
    {"isapc-machine", "generic-pc-machine", ""},
    {"none-machine", "machine", ""},
    {"memory-backend-ram", "memory-backend", ""},
    {"secret", "secret_common", ""},
    {"PIIX4_PM", "pci-device", "disable_s3 disable_s4"},
    {"i440FX", "pci-device", ""},
    {"PIIX3", "pci-device", ""},
    {"piix3-ide", "pci-ide", ""},
    {"i8042", "isa-device", ""},
    {"isa-pit", "pit-common", ""},
    {"isa-i8259", "pic-common", ""},
    {"isa-fdc", "isa-device", "fdtypeA bootindexA bootindexB"},
    {"i8257", "isa-device", ""},
    {"mc146818rtc", "isa-device", ""},
    {"hpet", "sys-bus-device", ""},
    {"ioapic", "ioapic-common", ""},
    {"port92", "isa-device", ""},
    {"fw_cfg_io", "fw_cfg", ""},
};
#define BOARD_TYPES (sizeof(board_types) / sizeof(board_types[0]))

/* Properties that are no text. */
static const struct {
    const char *name, *type;
    int64_t otherwise; /* where none is given */
} property_types[] = {
    {"addr", "int32", -1},       {"bootindex", "int32", -1}, {"unit", "uint32", 0},
    {"index", "uint32", 0},      {"iobase", "uint32", 0},    {"iosize", "uint32", 2},
    {"ioport", "uint16", 0x505}, {"events", "uint8", 3},     {"vgamem_mb", "uint32", 16},
    {"disable_s3", "uint8", 0},  {"disable_s4", "uint8", 0}, {"multifunction", "bool", 0},
    {"irq", "uint32", 0},        {"port", "uint32", 0},      {"audiodev", "str", 0},
    {"edid", "bool", 1},         {"xres", "uint32", 0},      {"yres", "uint32", 0},
};

static int find_property_type(const char *name) {
    for (size_t i = 0; i < sizeof(property_types) / sizeof(property_types[0]); i++)
        if (strcmp(property_types[i].name, name) == 0)
            return (int)i;
    return -1;
}

static const char *property_type(const char *name) {
    int row = find_property_type(name);
    return row >= 0 ? property_types[row].type : "str";
}

static json_object *property_info(const char *name, const char *type) {
    return qmp_pack("name:s type:s", name, type);
}

/* "id" is no property of QEMU's devices but how they are plugged in. */
static void list_properties(json_object *list, const char *names) {
    char name[QMP_WORD_BYTES];
    while (qmp_value_next(&names, name))
        if (strcmp(name, "id") != 0 && strcmp(name, "bus") != 0)
            json_object_array_add(list, property_info(name, property_type(name)));
}

static const char *find_properties(const char *type) {
    DeviceType device;
    for (size_t i = 0; device_type_at(i, &device); i++)
        if (strcmp(device.name, type) == 0)
            return device.keys;
    for (size_t i = 0; i < BOARD_TYPES; i++)
        if (strcmp(board_types[i].name, type) == 0)
            return board_types[i].properties;
    return NULL;
}

bool qmp_qom_list_types(QmpCall *call) {
    DeviceType device;
    const char *implements = qmp_get_string(call, "implements");
    call->result = json_object_new_array();
    for (size_t i = 0; i < BOARD_TYPES; i++)
        if (implements == NULL || strcmp(implements, board_types[i].name) == 0 ||
            strcmp(implements, board_types[i].parent) == 0)
            json_object_array_add(call->result, qmp_pack("name:s parent:s", board_types[i].name,
                                                         board_types[i].parent));
    for (size_t i = 0; device_type_at(i, &device); i++)
        if (implements == NULL || strcmp(implements, device.name) == 0 ||
            strcmp(implements, "device") == 0)
            json_object_array_add(call->result, qmp_pack("name:s parent:s", device.name, "device"));
    return true;
}

bool qmp_device_list_properties(QmpCall *call) {
    const char *type = qmp_get_string(call, "typename");
    const char *properties = find_properties(type);
    if (properties == NULL)
        return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Device '%.100s' not found", type);
    call->result = json_object_new_array();
    list_properties(call->result, properties);
    return true;
}

/* Of a type that is not there the answer is as of one without properties: libvirt 9.0 asks for
 * memory-backend-file and cannot stand an error. */
bool qmp_qom_list_properties(QmpCall *call) {
    const char *type = qmp_get_string(call, "typename");
    const char *properties = find_properties(type);
    if (properties == NULL && strncmp(type, "memory-backend-", 15) != 0)
        return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Class '%.100s' not found", type);
    call->result = json_object_new_array();
    list_properties(call->result, properties != NULL ? properties : "");
    return true;
}

static void list_devices(QmpCall *call, bool named) {
    const Settings *settings = call->program->settings;
    unsigned number = 0;
    for (int i = 0; i < settings->plugged_count; i++) {
        const PluggedDevice *device = &settings->plugged[i];
        char name[128], type[QMP_WORD_BYTES + 8];
        if ((device->id != NULL) != named)
            continue;
        snprintf(type, sizeof(type), "child<%s>", device->driver);
        snprintf(name, sizeof(name), "device[%u]", number++);
        json_object_array_add(call->result, property_info(named ? device->id : name, type));
    }
}

/* The device at the rest of a path: an id, or "device[N]". */
static const PluggedDevice *find_plugged(QmpCall *call, const char *name, bool named) {
    const Settings *settings = call->program->settings;
    unsigned number = 0, wanted = 0;
    if (!named && sscanf(name, "device[%u]", &wanted) != 1)
        return NULL;
    for (int i = 0; i < settings->plugged_count; i++) {
        const PluggedDevice *device = &settings->plugged[i];
        if ((device->id != NULL) == named &&
            (named ? strcmp(device->id, name) == 0 : number++ == wanted))
            return device;
    }
    return NULL;
}

static const char *behind(const char *path, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

static const PluggedDevice *find_device_at(QmpCall *call, const char *path) {
    const char *name = behind(path, "/machine/peripheral/");
    if (name != NULL)
        return find_plugged(call, name, true);
    name = behind(path, "/machine/peripheral-anon/");
    return name != NULL ? find_plugged(call, name, false) : NULL;
}

static bool is_processor(QmpCall *call, const char *path) {
    const char *name = behind(path, "/machine/unattached/device[");
    char *end;
    unsigned long number =
        name != NULL && *name >= '0' && *name <= '9' ? strtoul(name, &end, 10) : MACHINE_PROCESSORS;
    return number < call->machine->processor_count && strcmp(end, "]") == 0;
}

static void list_processors(QmpCall *call) {
    for (unsigned i = 0; i < call->machine->processor_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "device[%u]", i);
        json_object_array_add(call->result, property_info(name, "child<qemu32-i386-cpu>"));
    }
}

static void list_objects(QmpCall *call) {
    const Settings *settings = call->program->settings;
    for (int i = 0; i < settings->object_count; i++) {
        char type[QMP_WORD_BYTES];
        snprintf(type, sizeof(type), "child<%s>", settings->object[i].type);
        json_object_array_add(call->result, property_info(settings->object[i].id, type));
    }
}

static void list_named_devices(QmpCall *call) {
    list_devices(call, true);
}

static void list_other_devices(QmpCall *call) {
    list_devices(call, false);
}

/* The upper levels of the tree. */
static const struct {
    const char *path;
    const char *children; /* "name type", in pairs */
    void (*list)(QmpCall *call);
} places[] = {
    {"/", "machine child<pc-i440fx-7.2-machine> objects child<container>", NULL},
    {"/machine",
     "peripheral child<container> peripheral-anon child<container> unattached child<container>",
     NULL},
    {"/machine/peripheral", "", list_named_devices},
    {"/machine/peripheral-anon", "", list_other_devices},
    {"/machine/unattached", "", list_processors},
    {"/objects", "", list_objects},
};

static bool list_place(QmpCall *call, const char *path) {
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char name[QMP_WORD_BYTES], type[QMP_WORD_BYTES];
        if (strcmp(places[i].path, path) != 0)
            continue;
        json_object_array_add(call->result, property_info("type", "string"));
        for (const char *rest = places[i].children;
             qmp_value_next(&rest, name) && qmp_value_next(&rest, type);)
            json_object_array_add(call->result, property_info(name, type));
        if (places[i].list != NULL)
            places[i].list(call);
        return true;
    }
    return false;
}

bool qmp_qom_list(QmpCall *call) {
    const char *path = qmp_get_string(call, "path");
    call->result = json_object_new_array();
    if (list_place(call, path))
        return true;
    const PluggedDevice *device = find_device_at(call, path);
    if (device == NULL && !is_processor(call, path))
        return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Device '%.100s' not found", path);
    json_object_array_add(call->result, property_info("type", "string"));
    if (device != NULL)
        list_properties(call->result, find_properties(device->driver));
    return true;
}

static bool get_property(QmpCall *call, const PluggedDevice *device, const char *name) {
    int row = find_property_type(name);
    const char *type = row >= 0 ? property_types[row].type : "str";
    const char *given = NULL;
    uint64_t number;
    for (int i = 0; i < device->values.count; i++)
        if (strcmp(device->values.items[i].key, name) == 0)
            given = device->values.items[i].value;
    if (strcmp(type, "str") == 0)
        call->result = json_object_new_string(given != NULL ? given : "");
    else if (strcmp(type, "bool") == 0)
        call->result = json_object_new_boolean(given != NULL && strcmp(given, "on") == 0);
    else if (given != NULL && parse_number(given, &number))
        call->result = json_object_new_int64((int64_t)number);
    else
        call->result = given != NULL ? json_object_new_string(given)
                                     : json_object_new_int64(property_types[row].otherwise);
    return true;
}

static bool has_property(const char *properties, const char *name) {
    char word[QMP_WORD_BYTES];
    while (qmp_value_next(&properties, word))
        if (strcmp(word, name) == 0)
            return true;
    return false;
}

bool qmp_qom_get(QmpCall *call) {
    const char *path = qmp_get_string(call, "path");
    const char *name = qmp_get_string(call, "property");
    const PluggedDevice *device = find_device_at(call, path);
    bool processor = is_processor(call, path);
    if (device == NULL && !processor)
        return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Device '%.100s' not found", path);
    if (strcmp(name, "type") == 0) {
        call->result = json_object_new_string(processor ? "qemu32-i386-cpu" : device->driver);
        return true;
    }
    if (device == NULL || !has_property(find_properties(device->driver), name))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Property '%.60s.%.60s' not found",
                        device != NULL ? device->driver : "qemu32-i386-cpu", name);
    return get_property(call, device, name);
}
