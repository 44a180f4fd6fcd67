/* Which port each device of a configuration gets. */
#ifndef REPRISE_USB_PORTS_H
#define REPRISE_USB_PORTS_H

#include "machine_config.h"
#include "usb_bus.h"

typedef struct UsbPorts {
    UsbPath device[MACHINE_USB_DEVICES]; /* as config.usb_device; 0: there is none left */
    UsbPath spare_hub; /* one that nobody asked for has to be plugged in there; 0: none */
    unsigned spare_hub_number;
} UsbPorts;

/* Who asks for a port has it, the others take what is left, hubs first. Where that is too little a
 * hub comes into the last port of the controller. */
void usb_ports_plan(const MachineConfig *config, UsbPorts *ports);

#endif
