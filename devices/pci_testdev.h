/* QEMU's 'pci-testdev' (its docs/specs/pci-testdev): a PCI device whose two base addresses, one of
 * memory and one of ports, tell by a header which write each of their tests wants and count those
 * that come. */
#ifndef REPRISE_PCI_TESTDEV_H
#define REPRISE_PCI_TESTDEV_H

#include "device_context.h"
#include "pci.h"

typedef struct PciTestdev PciTestdev;

/* Puts one into a slot of the bus. */
PciTestdev *pci_testdev_create(const DeviceContext *context, PciBus *bus, unsigned slot,
                               Error *error);
void pci_testdev_destroy(PciTestdev *device);

#endif
