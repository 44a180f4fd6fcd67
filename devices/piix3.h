/* The ISA bridge of the 82371SB (PIIX3): routes PCI interrupts to the 8259s and holds the reset
 * control register CF9h. (Intel 82371FB/82371SB data sheet 290550, 2.2 and 2.5.8.) */
#ifndef REPRISE_PIIX3_H
#define REPRISE_PIIX3_H

#include "pci.h"

typedef struct Piix3 Piix3;

/* Plugs itself into slot 1, function 0, and takes the bus's PIRQ lines. 'irqs' are the sixteen
 * request pins of the 8259 pair for PCI interrupts alone: where an ISA device or the power
 * management shares one, the board must join the two (irq_lines.h). 'reset' is pulsed by CF9h, and
 * resets the whole system. */
Piix3 *piix3_create(const DeviceContext *context, PciBus *bus, const Wire irqs[16],
                    const Wire *reset, Error *error);
void piix3_destroy(Piix3 *bridge);

#endif
