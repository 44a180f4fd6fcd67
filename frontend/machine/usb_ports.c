#include "usb_ports.h"
#include "uhci.h"
#include "usb_hub.h"

static bool is_taken(const UsbPorts *ports, UsbPath path) {
    bool taken = ports->spare_hub == path;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        taken |= ports->device[i] == path;
    return taken;
}

/* The n-th port of a hub that has its place, over all of them; 0: there are not so many. */
static UsbPath port_of_hubs(const MachineConfig *config, const UsbPorts *ports, unsigned n) {
    unsigned hub = n / USB_HUB_PORTS, port = n % USB_HUB_PORTS + 1;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        if (config->usb_device[i].kind == USB_DEVICE_HUB && ports->device[i] != 0 && hub-- == 0)
            return usb_path_below(ports->device[i], port);
    return hub == 0 && ports->spare_hub != 0 ? usb_path_below(ports->spare_hub, port) : 0;
}

/* The first that is free, and how many are. */
static UsbPath find_free(const MachineConfig *config, const UsbPorts *ports, unsigned *count) {
    UsbPath first = 0;
    *count = 0;
    for (unsigned n = 0; n < UHCI_PORTS + (MACHINE_USB_HUBS + 1) * USB_HUB_PORTS; n++) {
        UsbPath path = n < UHCI_PORTS ? n + 1 : port_of_hubs(config, ports, n - UHCI_PORTS);
        if (path == 0 || is_taken(ports, path))
            continue;
        first = first != 0 ? first : path;
        ++*count;
    }
    return first;
}

/* Gives free ports to the hubs that have none, or to everything that has none. */
static void place(const MachineConfig *config, UsbPorts *ports, bool hubs_alone) {
    unsigned count;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
        UsbDeviceKind kind = config->usb_device[i].kind;
        if (kind != USB_DEVICE_NONE && ports->device[i] == 0 &&
            (kind == USB_DEVICE_HUB || !hubs_alone))
            ports->device[i] = find_free(config, ports, &count);
    }
}

static void add_spare_hub(const MachineConfig *config, UsbPorts *ports) {
    unsigned hubs = 0, wanted = 0, count;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
        hubs += config->usb_device[i].kind == USB_DEVICE_HUB;
        wanted += config->usb_device[i].kind != USB_DEVICE_NONE && ports->device[i] == 0;
    }
    find_free(config, ports, &count);
    if (wanted <= count || hubs == MACHINE_USB_HUBS)
        return;
    for (UsbPath port = UHCI_PORTS; port > 0 && ports->spare_hub == 0; port--)
        if (!is_taken(ports, port))
            ports->spare_hub = port;
    ports->spare_hub_number = MACHINE_USB_HUBS - 1;
}

void usb_ports_plan(const MachineConfig *config, UsbPorts *ports) {
    *ports = (UsbPorts){.spare_hub = 0};
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        ports->device[i] = config->usb_device[i].port;
    place(config, ports, true);
    add_spare_hub(config, ports);
    place(config, ports, false);
}
