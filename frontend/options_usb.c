/* -device for the USB controller and what is plugged into it. */
#include "options.h"
#include "uhci.h"

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

bool plug_in_usb_tablet(Settings *settings, KeyValues *values, Error *error) {
    const char *bus = key_values_get(values, "bus");
    uint64_t port;
    if (settings->machine.has_usb_tablet)
        return error_set(error, "there is one USB tablet already");
    if (!is_known_bus(settings, bus))
        return error_set(error, "there is no USB bus '%s'; known is usb.0", bus);
    if (!key_values_get_number(values, "port", 1, &port, error))
        return false;
    if (port < 1 || port > UHCI_PORTS)
        return error_set(error, "port is 1 to %d", UHCI_PORTS);
    settings->machine.has_usb_tablet = true;
    settings->machine.usb_tablet_port = (unsigned)port - 1;
    return true;
}
