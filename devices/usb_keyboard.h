/* A keyboard on USB, which a BIOS can use, too. (Device Class Definition for Human Interface
 * Devices 1.11, appendices B.1 and C; HID Usage Tables 1.12, chapter 10.) */
#ifndef REPRISE_USB_KEYBOARD_H
#define REPRISE_USB_KEYBOARD_H

#include "device_context.h"
#include "keyboard_keys.h"
#include "usb_bus.h"

typedef struct UsbKeyboard UsbKeyboard;

/* Not plugged in yet. */
UsbKeyboard *usb_keyboard_create(const DeviceContext *context, UsbBus *bus);
void usb_keyboard_destroy(UsbKeyboard *keyboard);
UsbDevice *usb_keyboard_device(UsbKeyboard *keyboard);

/* A driver listens to it, and has asked for keys of late. */
bool usb_keyboard_is_used(const UsbKeyboard *keyboard);

/* A key (KEYBOARD_KEY_*) goes down or up. Repeating is the guest's work. */
void usb_keyboard_set_key(UsbKeyboard *keyboard, int key, bool down);
bool usb_keyboard_is_down(const UsbKeyboard *keyboard, int key);
/* Changes that the queue can still take without losing one. */
unsigned usb_keyboard_room(const UsbKeyboard *keyboard);
/* The guest has taken all of them. */
bool usb_keyboard_is_idle(const UsbKeyboard *keyboard);
/* The lights: bit 0 Num Lock, 1 Caps Lock, 2 Scroll Lock. */
uint8_t usb_keyboard_lights(const UsbKeyboard *keyboard);

#endif
