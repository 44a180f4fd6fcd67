/* The IDE function of the PIIX3 (8086:7010): two channels at the ports and interrupts where PCs
 * have them, and a bus master for each (82371SB data sheet; "Programming Interface for Bus Master
 * IDE Controller", revision 1.0). */
#ifndef REPRISE_PIIX3_IDE_H
#define REPRISE_PIIX3_IDE_H

#include "ide.h"
#include "pci.h"

#define PIIX3_IDE_CHANNELS 2
#define PIIX3_IDE_DRIVES (PIIX3_IDE_CHANNELS * IDE_CHANNEL_DRIVES)

typedef struct Piix3Ide Piix3Ide;

typedef struct Piix3IdeOptions {
    unsigned slot, function; /* on the PCI bus */
    /* Primary master, primary slave, secondary master, secondary slave. */
    IdeDriveOptions drives[PIIX3_IDE_DRIVES];
    Wire irqs[PIIX3_IDE_CHANNELS]; /* IRQ 14 and 15 */
} Piix3IdeOptions;

Piix3Ide *piix3_ide_create(const DeviceContext *context, PciBus *bus,
                           const Piix3IdeOptions *options, Error *error);
void piix3_ide_destroy(Piix3Ide *ide);

IdeChannel *piix3_ide_channel(Piix3Ide *ide, unsigned channel);

#endif
