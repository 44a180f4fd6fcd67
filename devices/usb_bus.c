#include "usb_bus.h"
#include "allocate.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct UsbSocket {
    UsbSocketOwner owner;
    unsigned number; /* of the owner's */
} UsbSocket;

struct UsbBus {
    UsbSocket sockets[USB_BUS_SOCKETS];
    UsbDevice *devices[USB_BUS_DEVICES];
    unsigned socket_count, device_count;
};

bool usb_path_parse(const char *text, UsbPath *path) {
    *path = 0;
    for (unsigned depth = 0; depth < USB_PATH_PORTS; depth++) {
        size_t digits = strspn(text, "0123456789");
        unsigned long port = digits > 0 && digits <= 2 ? strtoul(text, NULL, 10) : 0;
        if (port == 0 || port >= 1u << USB_PATH_BITS)
            return false;
        *path |= (UsbPath)port << (USB_PATH_BITS * depth);
        text += digits;
        if (*text == '\0')
            return true;
        if (*text++ != '.')
            return false;
    }
    return false;
}

unsigned usb_path_port(UsbPath path, unsigned depth) {
    return depth < USB_PATH_PORTS ? path >> (USB_PATH_BITS * depth) & 15 : 0;
}

void usb_path_print(UsbPath path, char text[USB_PATH_TEXT]) {
    size_t length = 0;
    text[0] = '\0';
    for (unsigned depth = 0; usb_path_port(path, depth) != 0; depth++)
        length += (size_t)snprintf(text + length, USB_PATH_TEXT - length, depth > 0 ? ".%u" : "%u",
                                   usb_path_port(path, depth));
}

UsbPath usb_path_below(UsbPath hub, unsigned port) {
    unsigned depth = 0;
    while (usb_path_port(hub, depth) != 0)
        depth++;
    return depth < USB_PATH_PORTS ? hub | (UsbPath)port << (USB_PATH_BITS * depth) : 0;
}

UsbBus *usb_bus_create(void) {
    return allocate_zeroed(sizeof(UsbBus));
}

void usb_bus_destroy(UsbBus *bus) {
    free(bus);
}

unsigned usb_bus_add_sockets(UsbBus *bus, const UsbSocketOwner *owner, unsigned count) {
    unsigned first = bus->socket_count;
    assert(first + count <= USB_BUS_SOCKETS);
    for (unsigned i = 0; i < count; i++)
        bus->sockets[bus->socket_count++] = (UsbSocket){*owner, i};
    return first;
}

void usb_bus_add_device(UsbBus *bus, UsbDevice *device) {
    assert(bus->device_count < USB_BUS_DEVICES);
    bus->devices[bus->device_count++] = device;
}

UsbDevice *usb_bus_device(const UsbBus *bus, unsigned socket) {
    for (unsigned i = 0; i < bus->device_count; i++)
        if (*bus->devices[i]->socket == socket + 1)
            return bus->devices[i];
    return NULL;
}

UsbDevice *usb_bus_device_at(const UsbBus *bus, unsigned index) {
    return index < bus->device_count ? bus->devices[index] : NULL;
}

/* The way up, which a damaged save may have made a circle: then it leads to no controller. */
UsbPath usb_bus_path(const UsbBus *bus, unsigned socket) {
    UsbPath path = 0;
    for (unsigned ports = 0; ports < USB_PATH_PORTS && socket < bus->socket_count; ports++) {
        const UsbSocket *at = &bus->sockets[socket];
        path = path << USB_PATH_BITS | (at->number + 1);
        if (at->owner.device == NULL)
            return path;
        if (*at->owner.device->socket == 0)
            return 0;
        socket = *at->owner.device->socket - 1u;
    }
    return 0;
}

static bool shares_controller(const UsbBus *bus, unsigned socket, unsigned root) {
    const UsbSocket *at = &bus->sockets[socket];
    for (unsigned ports = 0; ports < USB_PATH_PORTS && at->owner.device != NULL; ports++) {
        unsigned above = *at->owner.device->socket;
        if (above == 0 || above > bus->socket_count)
            return false;
        at = &bus->sockets[above - 1];
    }
    return at->owner.opaque == bus->sockets[root].owner.opaque;
}

int usb_bus_find_socket(const UsbBus *bus, unsigned root, UsbPath path) {
    for (unsigned socket = 0; socket < bus->socket_count; socket++)
        if (path != 0 && usb_bus_path(bus, socket) == path && shares_controller(bus, socket, root))
            return (int)socket;
    return -1;
}

int usb_bus_find_free(const UsbBus *bus, unsigned root) {
    for (unsigned socket = 0; socket < bus->socket_count; socket++)
        if (usb_bus_device(bus, socket) == NULL && usb_bus_path(bus, socket) != 0 &&
            shares_controller(bus, socket, root))
            return (int)socket;
    return -1;
}

static void tell_owner(const UsbBus *bus, unsigned socket) {
    const UsbSocket *changed = &bus->sockets[socket];
    changed->owner.changed(changed->owner.opaque, changed->number);
}

bool usb_bus_plug_in(UsbBus *bus, unsigned socket, UsbDevice *device, Error *error) {
    if (socket >= bus->socket_count)
        return error_set(error, "there is no such USB port");
    if (*device->socket != 0)
        return error_set(error, "the %s is plugged in already", device->name);
    if (usb_bus_device(bus, socket) != NULL)
        return error_set(error, "port %u of the %s is taken", bus->sockets[socket].number + 1,
                         bus->sockets[socket].owner.name);
    *device->socket = (uint8_t)(socket + 1);
    tell_owner(bus, socket);
    return true;
}

void usb_bus_unplug(UsbBus *bus, UsbDevice *device) {
    unsigned socket = *device->socket;
    if (socket == 0)
        return;
    *device->socket = 0;
    device->reset(device->opaque);
    if (socket <= bus->socket_count)
        tell_owner(bus, socket - 1);
}

void usb_bus_wake(const UsbBus *bus, const UsbDevice *device) {
    if (*device->socket == 0 || *device->socket > bus->socket_count)
        return;
    const UsbSocket *socket = &bus->sockets[*device->socket - 1];
    socket->owner.wake(socket->owner.opaque, socket->number);
}
