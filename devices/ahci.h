/* A Serial ATA controller of the ICH9 (8086:2922) with six ports (Serial ATA AHCI specification
 * 1.3; Intel 316972). Behind each is a drive of ide.h; commands of the native queue of disks are
 * run here. */
#ifndef REPRISE_AHCI_H
#define REPRISE_AHCI_H

#include "ide.h"
#include "pci.h"

#define AHCI_PORTS 6

typedef struct Ahci Ahci;

typedef struct AhciOptions {
    unsigned slot; /* on the PCI bus */
    IdeDriveOptions drives[AHCI_PORTS];
} AhciOptions;

Ahci *ahci_create(const DeviceContext *context, PciBus *bus, const AhciOptions *options,
                  Error *error);
void ahci_destroy(Ahci *ahci);

/* The channel whose drive 0 is on this port; NULL if nothing is. */
IdeChannel *ahci_channel(Ahci *ahci, unsigned port);

#endif
