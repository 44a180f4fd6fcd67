/* The USB controller, which is function 2 of the PIIX3 unless it was asked for elsewhere, and all
 * that can be plugged into it, plugged in or not. */
#include "board_parts.h"
#include "machine_parts.h"
#include "uhci.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_tablet.h"

enum { SLOT_PIIX3 = 1, FUNCTION_USB = 2 };

static UsbDevice *find_device(Board *board, const UsbDeviceConfig *config) {
    switch (config->kind) {
    case USB_DEVICE_TABLET:
        return usb_tablet_device(board->usb_tablet);
    case USB_DEVICE_KEYBOARD:
        return usb_keyboard_device(board->usb_keyboard);
    case USB_DEVICE_MOUSE:
        return usb_mouse_device(board->usb_mouse);
    default:
        return NULL;
    }
}

/* -1: there is none. */
static int find_free_port(const Board *board) {
    unsigned first = uhci_socket(board->usb);
    for (int port = 0; port < UHCI_PORTS; port++)
        if (usb_bus_device(board->usb_bus, first + (unsigned)port) == NULL)
            return port;
    return -1;
}

static bool plug_in(Board *board, const UsbDeviceConfig *config, Error *error) {
    UsbDevice *device = find_device(board, config);
    int port = config->port != 0 ? (int)config->port - 1 : find_free_port(board);
    if (port < 0)
        return error_set(error, "both ports of the USB controller are taken");
    device->id = config->id;
    return usb_bus_plug_in(board->usb_bus, uhci_socket(board->usb) + (unsigned)port, device, error);
}

/* Who asks for a port has it; the others take what is left. */
static bool plug_in_all(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    for (int asked = 1; asked >= 0; asked--)
        for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
            const UsbDeviceConfig *device = &config->usb_device[i];
            if (device->kind != USB_DEVICE_NONE && (device->port != 0) == asked &&
                !plug_in(board, device, error))
                return false;
        }
    return true;
}

bool board_create_usb(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    if (!config->has_usb && config->usb_device[0].kind == USB_DEVICE_NONE)
        return true;
    unsigned slot = config->usb_slot != 0 ? config->usb_slot : SLOT_PIIX3;
    unsigned function = config->usb_slot != 0 ? 0 : FUNCTION_USB;
    board->usb_bus = usb_bus_create();
    board->usb = uhci_create(&context, board->pci, board->usb_bus, slot, function, error);
    if (board->usb == NULL)
        return false;
    board->usb_tablet = usb_tablet_create(&context, board->usb_bus);
    board->usb_keyboard = usb_keyboard_create(&context, board->usb_bus);
    board->usb_mouse = usb_mouse_create(&context, board->usb_bus);
    return plug_in_all(board, error);
}

void board_destroy_usb(Board *board) {
    usb_tablet_destroy(board->usb_tablet);
    usb_keyboard_destroy(board->usb_keyboard);
    usb_mouse_destroy(board->usb_mouse);
    uhci_destroy(board->usb);
    usb_bus_destroy(board->usb_bus);
}
