/* Realtek's RTL8139C+ on the PCI bus: four transmit buffers and a ring of bytes as the RTL8139 has
 * them, or rings of descriptors with checksums and segmentation ("C+ mode"). */
#ifndef REPRISE_RTL8139_H
#define REPRISE_RTL8139_H

#include "network_card.h"

extern const NetworkCardModel rtl8139_model;

#endif
