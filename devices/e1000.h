/* Intel's 82540EM Gigabit Ethernet controller (PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual, 317453), the card "e1000". */
#ifndef REPRISE_E1000_H
#define REPRISE_E1000_H

#include "network_card.h"

extern const NetworkCardModel e1000_model;

#endif
