/* A disk or a CD drive on USB: a bridge to a SCSI target. (Universal Serial Bus Mass Storage Class,
 * Bulk-Only Transport 1.0.) */
#ifndef REPRISE_USB_STORAGE_H
#define REPRISE_USB_STORAGE_H

#include "device_context.h"
#include "scsi_target.h"
#include "usb_bus.h"

typedef struct UsbStorage UsbStorage;

/* Not plugged in yet. 'target' stays the caller's. */
UsbStorage *usb_storage_create(const DeviceContext *context, UsbBus *bus, const char *id,
                               ScsiTarget *target);
void usb_storage_destroy(UsbStorage *storage);
UsbDevice *usb_storage_device(UsbStorage *storage);

#endif
