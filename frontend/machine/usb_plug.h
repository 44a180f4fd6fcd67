/* What comes and goes on USB while the machine runs. On the machine's thread. */
#ifndef REPRISE_USB_PLUG_H
#define REPRISE_USB_PLUG_H

#include "block.h"
#include "machine.h"

/* 'disk' is the disk of USB_DEVICE_STORAGE, in 'medium' if that is not NULL (it is held then). What
 * it points to must outlive the machine. */
bool usb_plug_in(Machine *machine, const UsbDeviceConfig *device, const PciDiskConfig *disk,
                 BlockNode *medium, Error *error);
bool usb_plug_out(Machine *machine, const UsbDeviceConfig *device, Error *error);

#endif
