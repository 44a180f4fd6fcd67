/* The USB controller, which is function 2 of the PIIX3 unless it was asked for elsewhere, and what
 * is plugged into it. */
#include "board_parts.h"
#include "machine_parts.h"
#include "uhci.h"
#include "usb_tablet.h"

enum { SLOT_PIIX3 = 1, FUNCTION_USB = 2 };

static bool plug_in_tablet(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    board->usb_tablet = usb_tablet_create(&context, "usb-tablet");
    return uhci_plug_in(board->usb, config->usb_tablet_port, usb_tablet_device(board->usb_tablet),
                        error);
}

bool board_create_usb(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    if (!config->has_usb && !config->has_usb_tablet)
        return true;
    unsigned slot = config->usb_slot != 0 ? config->usb_slot : SLOT_PIIX3;
    unsigned function = config->usb_slot != 0 ? 0 : FUNCTION_USB;
    board->usb = uhci_create(&context, board->pci, slot, function, error);
    return board->usb != NULL && (!config->has_usb_tablet || plug_in_tablet(board, error));
}

void board_destroy_usb(Board *board) {
    usb_tablet_destroy(board->usb_tablet);
    uhci_destroy(board->usb);
}

bool board_has_tablet(const Board *board) {
    return board->usb_tablet != NULL && usb_tablet_is_used(board->usb_tablet);
}

void board_mouse_absolute(Board *board, uint32_t x, uint32_t y) {
    if (board->usb_tablet != NULL)
        usb_tablet_move(board->usb_tablet, x, y);
}

void board_mouse_wheel(Board *board, int32_t dz) {
    usb_tablet_turn(board->usb_tablet, dz);
}

void board_tablet_buttons(Board *board, uint32_t buttons) {
    usb_tablet_set_buttons(board->usb_tablet, buttons);
}
