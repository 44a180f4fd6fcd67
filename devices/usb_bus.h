/* Who is plugged in where: the sockets of controllers and hubs, and the devices that a machine has,
 * plugged in or not.
 *
 * Where a device is plugged in is part of its State, so that a restore plugs and unplugs, too. */
#ifndef REPRISE_USB_BUS_H
#define REPRISE_USB_BUS_H

#include "error.h"
#include "usb_device.h"

enum { USB_BUS_DEVICES = 32, USB_BUS_SOCKETS = 64 };

/* The way to a port: its number in four bits, for each hub in between another four above the
 * controller's, which are the lowest. "1.3" is 31h; 0 is no port. */
typedef uint32_t UsbPath;
enum { USB_PATH_PORTS = 6, USB_PATH_BITS = 4, USB_PATH_TEXT = 2 * USB_PATH_PORTS + 8 };

/* "2" or "1.3"; false: that is no path. */
bool usb_path_parse(const char *text, UsbPath *path);
void usb_path_print(UsbPath path, char text[USB_PATH_TEXT]);
/* Of the port so many from the root on; 0: the path ends before. */
unsigned usb_path_port(UsbPath path, unsigned depth);
/* The path of a hub's port. */
UsbPath usb_path_below(UsbPath hub, unsigned port);

/* A controller or a hub. */
typedef struct UsbSocketOwner {
    const char *name;
    const UsbDevice *device; /* that the hub is; NULL: a controller */
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

/* The way to a socket from the controller on; 0: it is on a hub that is plugged in nowhere. */
UsbPath usb_bus_path(const UsbBus *bus, unsigned socket);
/* The socket at the end of a way that begins at a controller's first socket; -1: there is none. */
int usb_bus_find_socket(const UsbBus *bus, unsigned root, UsbPath path);
/* The first that is reached from there and free; -1: all are taken. */
int usb_bus_find_free(const UsbBus *bus, unsigned root);

bool usb_bus_plug_in(UsbBus *bus, unsigned socket, UsbDevice *device, Error *error);
void usb_bus_unplug(UsbBus *bus, UsbDevice *device);

/* A device has something to tell a sleeping bus. */
void usb_bus_wake(const UsbBus *bus, const UsbDevice *device);

#endif
