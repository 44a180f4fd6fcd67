#include "hot_plug.h"
#include "key_values.h"
#include "machine_events.h"
#include "machine_parts.h"
#include "options.h"
#include "usb_plug.h"

#include <string.h>

/* What an option may have changed in the settings, should the rest fail. */
typedef struct Before {
    UsbDeviceConfig usb_device[MACHINE_USB_DEVICES];
    PciDiskConfig pci_disk[MACHINE_PCI_DISKS];
    int plugged_count;
} Before;

static Before remember(const Settings *settings) {
    Before before = {.plugged_count = settings->plugged_count};
    memcpy(before.usb_device, settings->machine.usb_device, sizeof(before.usb_device));
    memcpy(before.pci_disk, settings->machine.pci_disk, sizeof(before.pci_disk));
    return before;
}

static void go_back(Settings *settings, const Before *before) {
    memcpy(settings->machine.usb_device, before->usb_device, sizeof(before->usb_device));
    memcpy(settings->machine.pci_disk, before->pci_disk, sizeof(before->pci_disk));
    while (settings->plugged_count > before->plugged_count)
        key_values_free(&settings->plugged[--settings->plugged_count].values);
}

/* What is known but on no USB has to be there from the start. */
static bool may_come_late(const char *text, Error *error) {
    KeyValues values = {.items = NULL};
    DeviceType type;
    bool good = key_values_parse(&values, text, "driver", error);
    const char *name = good ? key_values_get(&values, "driver") : NULL;
    bool is_known = false;
    for (size_t i = 0; name != NULL && device_type_at(i, &type); i++)
        is_known = is_known || strcmp(type.name, name) == 0;
    if (good && name == NULL)
        good = error_set(error, "Parameter 'driver' is missing");
    else if (good && !is_known)
        good = error_set(error, "'%s' is not a valid device model name", name);
    else if (good && strcmp(name, "usb-kbd") != 0 && strcmp(name, "usb-mouse") != 0 &&
             strcmp(name, "usb-tablet") != 0 && strcmp(name, "usb-storage") != 0 &&
             strcmp(name, "usb-hub") != 0)
        good = error_set(error,
                         "a device '%s' cannot come while the machine runs; devices on USB "
                         "can",
                         name);
    key_values_free(&values);
    return good;
}

static const UsbDeviceConfig *find_new(const Settings *settings, const Before *before) {
    for (int i = 0; i < MACHINE_USB_DEVICES; i++)
        if (settings->machine.usb_device[i].kind != before->usb_device[i].kind)
            return &settings->machine.usb_device[i];
    return NULL;
}

bool hot_plug_device(Settings *settings, Machine *machine, const char *text, BlockNode *medium,
                     Error *error) {
    Before before = remember(settings);
    if (!may_come_late(text, error))
        return false;
    if (machine->board.usb_bus == NULL)
        return error_set(error, "there is no USB controller; -usb adds one");
    const UsbDeviceConfig *device = NULL;
    if (options_plug_in_device(settings, text, error))
        device = find_new(settings, &before);
    if (device != NULL &&
        usb_plug_in(machine, device, &settings->machine.pci_disk[device->disk], medium, error))
        return true;
    go_back(settings, &before);
    return false;
}

static UsbDeviceConfig *find_device(Settings *settings, const char *id) {
    UsbDeviceConfig *devices = settings->machine.usb_device;
    for (int i = 0; i < MACHINE_USB_DEVICES; i++)
        if (devices[i].kind != USB_DEVICE_NONE && devices[i].id != NULL &&
            strcmp(devices[i].id, id) == 0)
            return &devices[i];
    return NULL;
}

/* The devices behind it move up, as they are listed up to the first that is none. */
static void forget_device(Settings *settings, UsbDeviceConfig *device) {
    UsbDeviceConfig *end = settings->machine.usb_device + MACHINE_USB_DEVICES;
    if (device->kind == USB_DEVICE_STORAGE)
        settings->machine.pci_disk[device->disk] = (PciDiskConfig){.kind = PCI_DISK_USB};
    memmove(device, device + 1, (size_t)(end - device - 1) * sizeof(*device));
    end[-1] = (UsbDeviceConfig){.kind = USB_DEVICE_NONE};
}

static void forget_plugged(Settings *settings, const char *id) {
    for (int i = 0; i < settings->plugged_count; i++) {
        PluggedDevice *plugged = &settings->plugged[i];
        if (plugged->id == NULL || strcmp(plugged->id, id) != 0)
            continue;
        key_values_free(&plugged->values);
        settings->plugged_count--;
        memmove(plugged, plugged + 1, (size_t)(settings->plugged_count - i) * sizeof(*plugged));
        return;
    }
}

bool hot_unplug_device(Settings *settings, Machine *machine, const char *id, Error *error) {
    UsbDeviceConfig *device = find_device(settings, id);
    bool is_known = false;
    for (int i = 0; i < settings->plugged_count; i++)
        is_known = is_known ||
                   (settings->plugged[i].id != NULL && strcmp(settings->plugged[i].id, id) == 0);
    if (device == NULL)
        return error_set(error,
                         is_known ? "Device '%s' cannot go while the machine runs; those on USB can"
                                  : "Device '%s' not found",
                         id);
    if (!usb_plug_out(machine, device, error))
        return false;
    machine_tell_deleted(machine, id);
    forget_device(settings, device);
    forget_plugged(settings, id);
    return true;
}

static ImageSpec *find_image(Settings *settings, const char *id) {
    for (int i = 0; i < settings->image_count; i++)
        if (strcmp(settings->image[i].id, id) == 0)
            return &settings->image[i];
    return NULL;
}

bool hot_plug_drive(Settings *settings, const char *text, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, text, NULL, error);
    const char *interface = good ? key_values_get(&values, "if") : NULL;
    const char *id = good ? key_values_get(&values, "id") : NULL;
    if (good && (interface == NULL || strcmp(interface, "none") != 0))
        good = error_set(error, "only drives with if=none can be added while the machine runs");
    if (good && id != NULL && find_image(settings, id) != NULL)
        good = error_set(error, "there is a drive '%s' already", id);
    key_values_free(&values);
    return good && option_drive(settings, text, error);
}

bool hot_forget_drive(Settings *settings, const char *id, Error *error) {
    ImageSpec *image = find_image(settings, id);
    if (image == NULL)
        return error_set(error, "Device '%s' not found", id);
    for (int i = 0; i < settings->plugged_count; i++) {
        const char *drive = key_values_get(&settings->plugged[i].values, "drive");
        if (drive != NULL && strcmp(drive, id) == 0)
            return error_set(error, "Drive '%s' is in use", id);
    }
    settings->image_count--;
    memmove(image, image + 1,
            (size_t)(settings->image + settings->image_count - image) * sizeof(*image));
    return true;
}

bool hot_plug_node(Settings *settings, const char *name, const char *path, const char *format,
                   bool read_only, Error *error) {
    ImageSpec *image = find_image(settings, name);
    if (image == NULL && settings->image_count == SETTINGS_IMAGES)
        return error_set(error, "too many images");
    if (image == NULL)
        image = &settings->image[settings->image_count++];
    *image = (ImageSpec){.id = settings_keep_string(settings, name),
                         .file = settings_keep_string(settings, path),
                         .format = settings_keep_string(settings, format),
                         .read_only = read_only,
                         .is_node = true};
    return true;
}
