/* NE2000 network cards: a DP8390 with 16 KB of memory and an address PROM behind 32 ports, on the
 * ISA bus, or on the PCI bus as an RTL8029. */
#ifndef REPRISE_NE2000_H
#define REPRISE_NE2000_H

#include "network_card.h"

extern const NetworkCardModel ne2000_isa_model, ne2000_pci_model;

#endif
