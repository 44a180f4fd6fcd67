/* What the files of the PCI bus share: pci.c has the configuration spaces, pci_messages.c
 * interrupts that are messages. */
#ifndef REPRISE_PCI_INTERNAL_H
#define REPRISE_PCI_INTERNAL_H

#include "pci.h"

/* Where a chain of capabilities begins (specification 6.7), and what announces it. */
enum { PCI_CAPABILITIES = 0x34, PCI_STATUS_CAPABILITIES = 0x10 };

typedef struct PciMessages PciMessages;

/* NULL where 'info' has none. 'config' is the device's configuration space. */
PciMessages *pci_messages_create(PciDevice *device, const PciMessagesInfo *info, const char *place,
                                 const DeviceContext *context);
void pci_messages_destroy(PciMessages *messages);

/* The capability's registers, up to PCI_MESSAGE_REGISTERS, the last of size 0; 'next' is the
 * capability behind it. Returns where it is; 0: nowhere. */
enum { PCI_MESSAGE_REGISTERS = 6 };
uint8_t pci_messages_describe(const PciMessagesInfo *info, uint8_t next,
                              PciRegister registers[PCI_MESSAGE_REGISTERS]);

/* Software has them on: the pin is silent. */
bool pci_messages_are_on(const PciMessages *messages);
/* The configuration space was written. */
void pci_messages_config_written(PciMessages *messages);

/* pci.c: the device's, or NULL. */
PciMessages *pci_device_messages(const PciDevice *device);
/* pci.c: where messages go; 'send' is NULL where nobody takes them. */
const ApicBus *pci_device_message_bus(const PciDevice *device);

#endif
