/* Message-signalled interrupts: a device writes to the address of the local APICs in place of
 * driving its pin (PCI Local Bus Specification 3.0, 6.8: MSI and MSI-X; SDM vol. 3A 10.11). What a
 * device has of them is told with its description (pci.h); capability, table and pending bits are
 * the bus's affair. */
#ifndef REPRISE_PCI_MESSAGES_H
#define REPRISE_PCI_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

enum { PCI_MESSAGE_VECTORS_MAX = 32 };

/* All zeros: it has none. Nothing has both. */
typedef struct PciMessagesInfo {
    uint8_t msi_at;  /* MSI, one message: where in the configuration space */
    uint8_t msix_at; /* MSI-X */
    /* Of MSI-X: the number of vectors, and where table and pending bits are. */
    uint8_t vectors, bar;
    uint32_t table, pending;
} PciMessagesInfo;

#endif
