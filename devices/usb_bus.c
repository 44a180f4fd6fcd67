#include "usb_bus.h"
#include "allocate.h"
#include <assert.h>
#include <stdlib.h>

typedef struct UsbSocket {
    UsbSocketOwner owner;
    unsigned number; /* of the owner's */
} UsbSocket;

struct UsbBus {
    UsbSocket sockets[USB_BUS_SOCKETS];
    UsbDevice *devices[USB_BUS_DEVICES];
    unsigned socket_count, device_count;
};

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
