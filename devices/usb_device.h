/* A device on a USB cable, as a host controller sees it: one transaction after the other.
 * (Universal Serial Bus Specification 1.1, chapter 8.)
 *
 * Nothing is lost on this cable, so data toggles are in step by themselves and nobody checks
 * them. */
#ifndef REPRISE_USB_DEVICE_H
#define REPRISE_USB_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* The longest data packet that a controller sends (UHCI Design Guide 1.1, 3.2.3). */
#define USB_PACKET_BYTES 1280

typedef enum UsbToken { USB_SETUP = 0x2D, USB_IN = 0x69, USB_OUT = 0xE1 } UsbToken;

typedef enum UsbAnswer {
    USB_SILENT, /* not the device's address, or not its endpoint */
    USB_ACK,
    USB_NAK,
    USB_STALL,
} UsbAnswer;

typedef struct UsbTransaction {
    UsbToken token;
    uint8_t address, endpoint;
    uint32_t size; /* of what the host sends; after USB_IN: of what the device does */
    uint8_t bytes[USB_PACKET_BYTES];
} UsbTransaction;

typedef struct UsbDevice {
    const char *name; /* for lists */
    const char *id;   /* that somebody gave it; NULL: none */
    bool low_speed;
    void *opaque;
    /* The bus is reset: back to address 0, without a configuration. */
    void (*reset)(void *opaque);
    UsbAnswer (*transact)(void *opaque, UsbTransaction *transaction);
    uint8_t (*address)(void *opaque);
    uint8_t *socket; /* of its State: where it is plugged in (usb_bus.h), from 1 on; 0: nowhere */
} UsbDevice;

#endif
