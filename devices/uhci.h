/* The USB host controller of the PIIX3: two ports, frames of a millisecond. (Universal Host
 * Controller Interface Design Guide 1.1; Intel 82371SB data sheet 290550, 2.4 and 2.10.)
 *
 * Frames pass by a timer only while the controller runs and something is plugged in; else they are
 * counted by the clock. */
#ifndef REPRISE_UHCI_H
#define REPRISE_UHCI_H

#include "pci.h"
#include "usb_bus.h"

enum { UHCI_PORTS = 2 };

typedef struct Uhci Uhci;

/* Claims two sockets of 'usb'. */
Uhci *uhci_create(const DeviceContext *context, PciBus *bus, UsbBus *usb, unsigned slot,
                  unsigned function, Error *error);
void uhci_destroy(Uhci *uhci);

/* The first of its sockets. */
unsigned uhci_socket(const Uhci *uhci);

#endif
