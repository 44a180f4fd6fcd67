/* Keyboards and pointers, each of which may be there more than once. */
#include "board_input.h"
#include "board_parts.h"
#include "i8042.h"
#include "i8259.h"
#include "machine.h"
#include "piix4_pm.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_tablet.h"
#include "vmware_port.h"

enum { IRQ_KEYBOARD = 1 };

static bool has_usb_keyboard(const Board *board) {
    return board->usb_keyboard != NULL && usb_keyboard_is_used(board->usb_keyboard);
}

static bool has_usb_mouse(const Board *board) {
    return board->usb_mouse != NULL && usb_mouse_is_used(board->usb_mouse);
}

static bool has_usb_tablet(const Board *board) {
    return board->usb_tablet != NULL && usb_tablet_is_used(board->usb_tablet);
}

/* A tablet comes first where a system uses both. */
static bool has_vmware_pointer(const Board *board) {
    return board->vmware_port != NULL && vmware_port_is_used(board->vmware_port) &&
           !has_usb_tablet(board);
}

bool board_has_tablet(const Board *board) {
    return has_usb_tablet(board) || has_vmware_pointer(board);
}

/* A key is let go on both: the guest may have changed over while it was down. */
void board_key(Board *board, int key, bool down) {
    if (board->power_management != NULL)
        piix4_pm_wake(board->power_management);
    if (board->usb_keyboard != NULL && (!down || has_usb_keyboard(board)))
        usb_keyboard_set_key(board->usb_keyboard, key, down);
    if (!has_usb_keyboard(board) || !down || !usb_keyboard_is_down(board->usb_keyboard, key))
        ps2_keyboard_set_key(board->keyboard, key, down);
}

bool board_keyboard_is_down(const Board *board, int key) {
    return has_usb_keyboard(board) ? usb_keyboard_is_down(board->usb_keyboard, key)
                                   : ps2_keyboard_is_down(board->keyboard, key);
}

bool board_keyboard_listens(const Board *board) {
    return has_usb_keyboard(board) ||
           (ps2_keyboard_is_scanning(board->keyboard) &&
            i8042_port_is_enabled(board->keyboard_controller, I8042_KEYBOARD));
}

bool board_keyboard_is_idle(const Board *board) {
    if (has_usb_keyboard(board))
        return usb_keyboard_is_idle(board->usb_keyboard);
    return ps2_keyboard_is_idle(board->keyboard) &&
           !i8042_holds_byte(board->keyboard_controller, I8042_KEYBOARD);
}

bool board_keyboard_has_room(const Board *board) {
    return has_usb_keyboard(board)
               ? usb_keyboard_room(board->usb_keyboard) > 0
               : ps2_keyboard_room(board->keyboard) >= PS2_KEYBOARD_LONGEST_SEQUENCE;
}

bool board_keyboard_is_served(const Board *board) {
    I8259View master;
    i8259_view(board->pic, 0, &master);
    return (master.isr & 1u << IRQ_KEYBOARD) != 0;
}

bool board_keyboard_byte_is_coming(const Board *board) {
    return !has_usb_keyboard(board) && i8042_byte_is_coming(board->keyboard_controller);
}

void board_mouse_absolute(Board *board, uint32_t x, uint32_t y) {
    if (board->usb_tablet != NULL)
        usb_tablet_move(board->usb_tablet, x, y);
    x = x < MACHINE_PLACE_MOST ? x : MACHINE_PLACE_MOST;
    y = y < MACHINE_PLACE_MOST ? y : MACHINE_PLACE_MOST;
    if (has_vmware_pointer(board))
        vmware_port_place(board->vmware_port, x * VMWARE_PLACE_MOST / MACHINE_PLACE_MOST,
                          y * VMWARE_PLACE_MOST / MACHINE_PLACE_MOST);
}

/* The wheel and the buttons are the tablet's while the guest uses it. */
void board_mouse_move(Board *board, int32_t dx, int32_t dy, int32_t dz) {
    if (has_usb_tablet(board)) {
        usb_tablet_turn(board->usb_tablet, dz);
        dz = 0;
    }
    if (has_vmware_pointer(board))
        vmware_port_move(board->vmware_port, dx, dy, dz);
    else if (has_usb_mouse(board))
        usb_mouse_move(board->usb_mouse, dx, dy, dz);
    else
        ps2_mouse_move(board->mouse, dx, dy, dz);
}

/* Buttons are let go on all. */
void board_mouse_buttons(Board *board, uint32_t buttons) {
    bool on_tablet = has_usb_tablet(board), on_vmware = has_vmware_pointer(board);
    bool on_mouse = !on_tablet && !on_vmware && has_usb_mouse(board);
    if (board->usb_tablet != NULL)
        usb_tablet_set_buttons(board->usb_tablet, on_tablet ? buttons : 0);
    if (board->vmware_port != NULL)
        vmware_port_set_buttons(board->vmware_port, on_vmware ? buttons : 0);
    if (board->usb_mouse != NULL)
        usb_mouse_set_buttons(board->usb_mouse, on_mouse ? buttons : 0);
    ps2_mouse_set_buttons(board->mouse, on_tablet || on_vmware || on_mouse ? 0 : buttons);
}

bool board_mouse_listens(const Board *board) {
    return has_usb_mouse(board) || ps2_mouse_is_enabled(board->mouse);
}

bool board_mouse_is_idle(const Board *board) {
    if (has_vmware_pointer(board) && !vmware_port_is_idle(board->vmware_port))
        return false;
    if (!has_vmware_pointer(board) && has_usb_mouse(board))
        return usb_mouse_is_idle(board->usb_mouse);
    return ps2_mouse_is_idle(board->mouse) &&
           i8042_port_is_enabled(board->keyboard_controller, I8042_AUXILIARY) &&
           !i8042_holds_byte(board->keyboard_controller, I8042_AUXILIARY);
}

uint32_t board_mouse_held(const Board *board) {
    uint32_t held = ps2_mouse_buttons(board->mouse);
    if (board->usb_mouse != NULL)
        held |= usb_mouse_buttons(board->usb_mouse);
    if (board->vmware_port != NULL)
        held |= vmware_port_buttons(board->vmware_port);
    return held;
}
