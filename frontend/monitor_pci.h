/* What 'info pci' and 'info qtree' share. */
#ifndef REPRISE_MONITOR_PCI_H
#define REPRISE_MONITOR_PCI_H

#include "monitor_command.h"
#include "pci.h"

typedef struct MonitorPciBar {
    bool is_io, is_prefetchable;
    uint64_t first, last; /* 'first' all ones: the guest has not mapped it */
    uint32_t size;
} MonitorPciBar;

/* "IDE controller"; NULL: a class without a name. */
const char *monitor_pci_class_name(const PciDeviceInfo *info);
/* Prints that, or "Class 1234". */
void monitor_print_pci_class(Monitor *monitor, const PciDeviceInfo *info);
/* BAR 'bar' (6 is the ROM); false if the device has none. */
bool monitor_pci_bar(const PciDevice *device, unsigned bar, MonitorPciBar *result);

#endif
