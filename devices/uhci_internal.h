/* What the parts of the UHCI share: uhci.c has ports and registers, uhci_schedule.c frames. */
#ifndef REPRISE_UHCI_INTERNAL_H
#define REPRISE_UHCI_INTERNAL_H

#include "uhci.h"

/* USBCMD (design guide 2.1.1). */
enum {
    UHCI_RUN = 0x01,
    UHCI_RESET = 0x02,
    UHCI_GLOBAL_RESET = 0x04,
    UHCI_SUSPEND = 0x08,
    UHCI_DEBUG = 0x20,
};

/* USBSTS (2.1.2). */
enum {
    UHCI_INTERRUPT = 0x01,
    UHCI_ERROR = 0x02,
    UHCI_RESUME = 0x04,
    UHCI_SYSTEM_ERROR = 0x08,
    UHCI_PROCESS_ERROR = 0x10,
    UHCI_HALTED = 0x20,
    UHCI_STATUS_BITS = 0x1F, /* but the last, which follows from USBCMD */
};

/* What UHCI_INTERRUPT is for: their bits in USBINTR (2.1.3). */
enum { UHCI_ON_COMPLETE = 0x04, UHCI_ON_SHORT = 0x08 };

/* PORTSC (2.1.7). */
enum {
    UHCI_PORT_CONNECTED = 0x0001,
    UHCI_PORT_CONNECT_CHANGE = 0x0002,
    UHCI_PORT_ENABLED = 0x0004,
    UHCI_PORT_ENABLE_CHANGE = 0x0008,
    UHCI_PORT_RESUME = 0x0040,
    UHCI_PORT_LOW_SPEED = 0x0100,
    UHCI_PORT_RESET = 0x0200,
    UHCI_PORT_SUSPENDED = 0x1000,
};

typedef struct UhciState {
    int64_t frame_due_ns;
    int64_t running_since_ns; /* when 'frame' was right, while no timer counts */
    uint32_t list;            /* FLBASEADD */
    uint16_t command, status, enabled;
    uint16_t frame;
    uint16_t port[UHCI_PORTS];
    uint8_t start_of_frame;
    uint8_t causes; /* of UHCI_INTERRUPT */
    uint8_t padding[6];
} UhciState;

struct Uhci {
    UhciState state;
    DeviceContext context;
    PciDevice *pci;
    Timer timer;
    UsbBus *usb;
    unsigned socket;            /* of port 0 */
    UsbTransaction transaction; /* within uhci_run_frame() alone */
};

/* What is plugged into a port, or NULL. */
UsbDevice *uhci_device(const Uhci *uhci, unsigned port);

/* Goes through the frame's schedule: sets status bits and causes, and stops the controller at
 * errors. */
void uhci_run_frame(Uhci *uhci);

#endif
