/* -device for the USB controller and what is plugged into it. */
#include "options.h"
#include "uhci.h"

#include <stdio.h>
#include <string.h>

/* The usual place is function 2 of the ISA bridge, however it is written. */
static bool is_usual_place(const char *address) {
    return address == NULL || strcmp(address, "1.2") == 0 || strcmp(address, "01.2") == 0 ||
           strcmp(address, "0x1.0x2") == 0;
}

bool plug_in_usb_controller(Settings *settings, KeyValues *values, Error *error) {
    const char *id = key_values_get(values, "id");
    if (settings->usb_id != NULL)
        return error_set(error, "there is one USB controller already");
    settings->machine.has_usb = true;
    settings->usb_id = settings_keep_string(settings, id != NULL ? id : "usb");
    return is_usual_place(key_values_get(values, "addr")) ||
           options_read_slot(values, &settings->machine.usb_slot, error);
}

/* 'usb.0', 'usb-bus.0', or after the controller's id. */
static bool is_known_bus(const Settings *settings, const char *bus) {
    size_t length = settings->usb_id != NULL ? strlen(settings->usb_id) : 0;
    return bus == NULL || strcmp(bus, "usb.0") == 0 || strcmp(bus, "usb-bus.0") == 0 ||
           (length > 0 && strncmp(bus, settings->usb_id, length) == 0 &&
            strcmp(bus + length, ".0") == 0);
}

static bool plug_in(Settings *settings, KeyValues *values, UsbDeviceKind kind, unsigned disk,
                    Error *error) {
    static const char *const names[USB_DEVICE_KINDS] = {
        [USB_DEVICE_TABLET] = "tablet",
        [USB_DEVICE_KEYBOARD] = "keyboard",
        [USB_DEVICE_MOUSE] = "mouse",
    };
    const char *bus = key_values_get(values, "bus");
    const char *id = settings_keep_string(settings, key_values_get(values, "id"));
    UsbDeviceConfig *device = settings->machine.usb_device;
    const char *port_text = key_values_get(values, "port");
    UsbPath port = 0;
    unsigned index = 0;
    for (; index < MACHINE_USB_DEVICES && device[index].kind != USB_DEVICE_NONE; index++)
        if (device[index].kind == kind && names[kind] != NULL)
            return error_set(error, "there is one USB %s already", names[kind]);
    if (index == MACHINE_USB_DEVICES)
        return error_set(error, "there are at most %d USB devices", MACHINE_USB_DEVICES);
    if (!is_known_bus(settings, bus))
        return error_set(error, "there is no USB bus '%s'; known is usb.0", bus);
    if (port_text != NULL &&
        (!usb_path_parse(port_text, &port) || usb_path_port(port, 0) > UHCI_PORTS))
        return error_set(error, "port is 1 to %d, or behind a usb-hub two numbers as 1.3",
                         UHCI_PORTS);
    device[index] = (UsbDeviceConfig){.kind = kind, .id = id, .port = port, .disk = disk};
    return true;
}

bool plug_in_usb_tablet(Settings *settings, KeyValues *values, Error *error) {
    return plug_in(settings, values, USB_DEVICE_TABLET, 0, error);
}

bool plug_in_usb_keyboard(Settings *settings, KeyValues *values, Error *error) {
    return plug_in(settings, values, USB_DEVICE_KEYBOARD, 0, error);
}

bool plug_in_usb_mouse(Settings *settings, KeyValues *values, Error *error) {
    return plug_in(settings, values, USB_DEVICE_MOUSE, 0, error);
}

/* The first hub that no other device of the configuration is. */
static unsigned next_hub(const Settings *settings) {
    const UsbDeviceConfig *device = settings->machine.usb_device;
    bool used[MACHINE_USB_HUBS] = {false};
    unsigned hub = 0;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        if (device[i].kind == USB_DEVICE_HUB)
            used[device[i].disk] = true;
    while (hub < MACHINE_USB_HUBS && used[hub])
        hub++;
    return hub;
}

bool plug_in_usb_hub(Settings *settings, KeyValues *values, Error *error) {
    unsigned hub = next_hub(settings);
    if (hub == MACHINE_USB_HUBS)
        return error_set(error, "there are at most %d USB hubs", MACHINE_USB_HUBS);
    return plug_in(settings, values, USB_DEVICE_HUB, hub, error);
}

static bool add_storage(Settings *settings, KeyValues *values, const DriveRequest *request,
                        Error *error) {
    const PciDiskConfig *disks = settings->machine.pci_disk;
    unsigned disk = 0;
    while (disk < MACHINE_PCI_DISKS && disks[disk].drive.present)
        disk++;
    return settings_add_pci_disk(settings, &(PciDiskConfig){.kind = PCI_DISK_USB}, request,
                                 error) &&
           plug_in(settings, values, USB_DEVICE_STORAGE, disk, error);
}

/* What 'removable' says systems find out by themselves: a stick is pulled out with all there is. */
bool plug_in_usb_storage(Settings *settings, KeyValues *values, Error *error) {
    DriveRequest request;
    bool removable;
    return options_read_drive(settings, values, &request, error) &&
           key_values_get_bool(values, "removable", false, &removable, error) &&
           add_storage(settings, values, &request, error);
}

/* 'disk:FILE' or 'disk:format=FORMAT:FILE'. */
static bool add_disk(Settings *settings, const char *text, Error *error) {
    static const char prefix[] = "format=";
    DriveRequest request = {.file = text, .boot_index = -1};
    KeyValues values = {.items = NULL};
    const char *end = strchr(text, ':');
    if (strncmp(text, prefix, sizeof(prefix) - 1) == 0 && end != NULL) {
        char format[32];
        const char *name = text + sizeof(prefix) - 1;
        snprintf(format, sizeof(format), "%.*s", (int)(end - name), name);
        request.format = settings_keep_string(settings, format);
        request.file = end + 1;
    }
    request.snapshot = settings->snapshot_by_default;
    return add_storage(settings, &values, &request, error);
}

/* The older spelling: the controller comes with it. */
bool option_usbdevice(Settings *settings, const char *argument, Error *error) {
    static const struct {
        const char *name, *device;
    } names[] = {{"tablet", "usb-tablet"}, {"keyboard", "usb-kbd"}, {"mouse", "usb-mouse"}};
    settings->machine.has_usb = true;
    if (strncmp(argument, "disk:", 5) == 0)
        return add_disk(settings, argument + 5, error);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, argument) == 0) {
            return options_plug_in_device(settings, names[i].device, error);
        }
    }
    return error_set(error, "-usbdevice knows tablet, keyboard, mouse and disk:FILE, not '%s'",
                     argument);
}
