/* A tablet on USB: a pointing device that tells where it is on its surface, with three buttons and
 * a wheel. (Device Class Definition for Human Interface Devices 1.11.) */
#ifndef REPRISE_USB_TABLET_H
#define REPRISE_USB_TABLET_H

#include "device_context.h"
#include "usb_bus.h"

#define USB_TABLET_MOST 32767 /* of both axes */

typedef struct UsbTablet UsbTablet;

/* Not plugged in yet. */
UsbTablet *usb_tablet_create(const DeviceContext *context, UsbBus *bus);
void usb_tablet_destroy(UsbTablet *tablet);
UsbDevice *usb_tablet_device(UsbTablet *tablet);

/* A driver has configured it: it listens. From any thread. */
bool usb_tablet_is_used(const UsbTablet *tablet);

void usb_tablet_move(UsbTablet *tablet, uint32_t x, uint32_t y);
/* 'dz' as a PS/2 mouse has it: positive is towards the hand. */
void usb_tablet_turn(UsbTablet *tablet, int32_t dz);
void usb_tablet_set_buttons(UsbTablet *tablet, uint32_t buttons); /* 1 left, 2 right, 4 middle */

#endif
