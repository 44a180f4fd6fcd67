/* Who is plugged in where: the sockets of controllers and hubs, and the devices that a machine has,
 * plugged in or not.
 *
 * Where a device is plugged in is part of its State, so that a restore plugs and unplugs, too. */
#ifndef REPRISE_USB_BUS_H
#define REPRISE_USB_BUS_H

#include "error.h"
#include "usb_device.h"

enum { USB_BUS_DEVICES = 24, USB_BUS_SOCKETS = 32 };

/* A controller or a hub. */
typedef struct UsbSocketOwner {
    const char *name;
    void *opaque;
    /* Something was plugged into its socket 'number' (from 0 on), or pulled out. */
    void (*changed)(void *opaque, unsigned number);
    /* What is there is to wake the bus. */
    void (*wake)(void *opaque, unsigned number);
} UsbSocketOwner;

typedef struct UsbBus UsbBus;

UsbBus *usb_bus_create(void);
void usb_bus_destroy(UsbBus *bus);

/* Returns the first of so many new sockets. */
unsigned usb_bus_add_sockets(UsbBus *bus, const UsbSocketOwner *owner, unsigned count);
/* Makes a device known; 'device' stays the caller's. */
void usb_bus_add_device(UsbBus *bus, UsbDevice *device);

/* What is plugged in there, or NULL. */
UsbDevice *usb_bus_device(const UsbBus *bus, unsigned socket);
/* All devices, plugged in or not; NULL behind the last. */
UsbDevice *usb_bus_device_at(const UsbBus *bus, unsigned index);

bool usb_bus_plug_in(UsbBus *bus, unsigned socket, UsbDevice *device, Error *error);
void usb_bus_unplug(UsbBus *bus, UsbDevice *device);

/* A device has something to tell a sleeping bus. */
void usb_bus_wake(const UsbBus *bus, const UsbDevice *device);

#endif
