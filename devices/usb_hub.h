/* A USB hub of eight ports with a power supply of its own. (Universal Serial Bus Specification 1.1,
 * chapter 11.) */
#ifndef REPRISE_USB_HUB_H
#define REPRISE_USB_HUB_H

#include "device_context.h"
#include "usb_bus.h"

enum { USB_HUB_PORTS = 8 };

typedef struct UsbHub UsbHub;

/* Plugged in nowhere; claims sockets of 'bus'. 'id' names it in the list of devices. */
UsbHub *usb_hub_create(const DeviceContext *context, UsbBus *bus, const char *id);
void usb_hub_destroy(UsbHub *hub);
UsbDevice *usb_hub_device(UsbHub *hub);

/* The first of its sockets. */
unsigned usb_hub_socket(const UsbHub *hub);
/* Is anything plugged into it? */
bool usb_hub_is_used(const UsbHub *hub);

#endif
