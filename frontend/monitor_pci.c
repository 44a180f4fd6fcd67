/* 'info pci', and what a PCI device says of itself, in the forms of QEMU. */
#include "monitor_pci.h"
#include "machine_parts.h"

/* Names by class and subclass (PCI Local Bus Specification 2.1, appendix D). */
static const struct {
    uint16_t class_code;
    const char *name;
} class_names[] = {
    {0x0100, "SCSI controller"},     {0x0101, "IDE controller"}, {0x0106, "SATA controller"},
    {0x0200, "Ethernet controller"}, {0x0300, "VGA controller"}, {0x0401, "Audio controller"},
    {0x0600, "Host bridge"},         {0x0601, "ISA bridge"},     {0x0680, "Bridge"},
    {0x0C03, "USB controller"},
};

const char *monitor_pci_class_name(const PciDeviceInfo *info) {
    for (size_t i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++)
        if (class_names[i].class_code == info->class_code >> 8)
            return class_names[i].name;
    return NULL;
}

void monitor_print_pci_class(Monitor *monitor, const PciDeviceInfo *info) {
    const char *name = monitor_pci_class_name(info);
    if (name != NULL)
        monitor_print(monitor, "%s", name);
    else
        monitor_print(monitor, "Class %04x", info->class_code >> 8);
}

/* A ROM decodes a power of two, at least 2 KB (specification 6.2.5.2). */
static uint32_t rom_window(uint32_t rom_bytes) {
    uint32_t size = rom_bytes != 0 ? 2048 : 0;
    while (size < rom_bytes && size < 16u << 20)
        size *= 2;
    return size;
}

bool monitor_pci_bar(const PciDevice *device, unsigned bar, MonitorPciBar *result) {
    const PciDeviceInfo *info = pci_device_info(device);
    uint32_t base;
    *result = (MonitorPciBar){.first = UINT64_MAX};
    result->size = bar < PCI_BARS ? info->bars[bar].size : rom_window(info->rom_size);
    if ((bar < PCI_BARS && info->bars[bar].type == PCI_BAR_NONE) || result->size == 0)
        return false;
    if (bar < PCI_BARS) {
        result->is_io = info->bars[bar].type == PCI_BAR_IO;
        result->is_prefetchable = info->bars[bar].type == PCI_BAR_MEMORY_PREFETCHABLE;
    }
    if (pci_device_bar_base(device, bar, &base))
        result->first = base;
    result->last = result->first + result->size - 1;
    if (result->first == UINT64_MAX) /* as QEMU shows a BAR that is not mapped */
        result->last &= result->is_io ? 0xFFFF : UINT32_MAX;
    return true;
}

static void print_bar(Monitor *monitor, const PciDevice *device, unsigned bar) {
    MonitorPciBar place;
    if (!monitor_pci_bar(device, bar, &place))
        return;
    unsigned long long first = place.first, last = place.last;
    if (place.is_io)
        monitor_print(monitor, "      BAR%u: I/O at 0x%04llx [0x%04llx].\n", bar, first, last);
    else
        monitor_print(monitor, "      BAR%u: 32 bit %smemory at 0x%08llx [0x%08llx].\n", bar,
                      place.is_prefetchable ? "prefetchable " : "", first, last);
}

static void print_device(Monitor *monitor, const PciDevice *device, unsigned slot,
                         unsigned function) {
    const PciDeviceInfo *info = pci_device_info(device);
    monitor_print(monitor, "  Bus  0, device %3u, function %u:\n    ", slot, function);
    monitor_print_pci_class(monitor, info);
    monitor_print(monitor, ": PCI device %04x:%04x\n", info->vendor_id, info->device_id);
    if (info->subsystem_vendor_id != 0)
        monitor_print(monitor, "      PCI subsystem %04x:%04x\n", info->subsystem_vendor_id,
                      info->subsystem_id);
    if (info->interrupt_pin != 0)
        monitor_print(monitor, "      IRQ %u, pin %c\n",
                      pci_device_get(device, PCI_INTERRUPT_LINE, 1), 'A' + info->interrupt_pin - 1);
    for (unsigned bar = 0; bar <= PCI_BARS; bar++)
        print_bar(monitor, device, bar);
    monitor_print(monitor, "      id \"\"\n");
}

bool monitor_info_pci(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    if (monitor->machine->board.pci == NULL)
        return error_set(error, "this machine has no PCI bus");
    for (unsigned place = 0; place < 32 * 8; place++) {
        PciDevice *device = pci_bus_device(monitor->machine->board.pci, place / 8, place % 8);
        if (device != NULL)
            print_device(monitor, device, place / 8, place % 8);
    }
    return true;
}
