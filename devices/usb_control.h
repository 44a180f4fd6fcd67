/* Endpoint 0 of a device: setup, data and status stages, and the requests that all devices know.
 * (Universal Serial Bus Specification 1.1, 8.5.2 and chapter 9.) */
#ifndef REPRISE_USB_CONTROL_H
#define REPRISE_USB_CONTROL_H

#include "field.h"
#include "usb_device.h"

enum { USB_CONTROL_PACKET_BYTES = 8, USB_CONTROL_DATA_BYTES = 128 };

typedef struct UsbControlState {
    uint8_t address, next_address; /* the second from the end of the request on */
    uint8_t configuration;
    uint8_t stage;
    uint8_t may_wake; /* DEVICE_REMOTE_WAKEUP */
    uint8_t halted;   /* ENDPOINT_HALT, a bit for each endpoint descriptor in their order */
    uint8_t size, at; /* of the data stage */
    uint8_t setup[8];
    uint8_t data[USB_CONTROL_DATA_BYTES];
} UsbControlState;

extern const FieldTable usb_control_fields;

typedef struct UsbRequest {
    uint8_t type, request;
    uint16_t value, index, length;
} UsbRequest;

/* What differs between devices; 'size' bytes each, standard layout. */
typedef struct UsbControlModel {
    const uint8_t *device_descriptor;
    const uint8_t *configuration_descriptor; /* with all that belongs to it */
    const char *const *strings;              /* from number 1 on, to NULL */
    /* A request that is not for all devices. Takes state->data where the host sent data, or fills
     * it and returns its size; -1: unknown. */
    int (*request)(void *opaque, const UsbRequest *request, uint8_t *data);
} UsbControlModel;

void usb_control_reset(UsbControlState *state);
/* Bounds what a damaged save may hold. */
void usb_control_restored(UsbControlState *state);
/* A transaction with endpoint 0. */
UsbAnswer usb_control_transact(UsbControlState *state, const UsbControlModel *model, void *opaque,
                               UsbTransaction *transaction);

#endif
