/* AMD's PCnet-PCI II (Am79C970A) on the PCI bus. */
#ifndef REPRISE_PCNET_H
#define REPRISE_PCNET_H

#include "network_card.h"

extern const NetworkCardModel pcnet_model;

#endif
