/* A mouse on USB, with three buttons and a wheel, which a BIOS can use, too. (Device Class
 * Definition for Human Interface Devices 1.11, appendix B.2.) */
#ifndef REPRISE_USB_MOUSE_H
#define REPRISE_USB_MOUSE_H

#include "device_context.h"
#include "usb_bus.h"

typedef struct UsbMouse UsbMouse;

/* Not plugged in yet. */
UsbMouse *usb_mouse_create(const DeviceContext *context, UsbBus *bus);
void usb_mouse_destroy(UsbMouse *mouse);
UsbDevice *usb_mouse_device(UsbMouse *mouse);

/* A driver listens to it. From any thread. */
bool usb_mouse_is_used(const UsbMouse *mouse);

/* By counts: to the right, down, and as a PS/2 mouse has the wheel: towards the hand. */
void usb_mouse_move(UsbMouse *mouse, int32_t dx, int32_t dy, int32_t dz);
void usb_mouse_set_buttons(UsbMouse *mouse, uint32_t buttons); /* 1 left, 2 right, 4 middle */
/* The buttons that are down. */
uint32_t usb_mouse_buttons(const UsbMouse *mouse);
/* The guest has taken all that there was to tell. */
bool usb_mouse_is_idle(const UsbMouse *mouse);

#endif
