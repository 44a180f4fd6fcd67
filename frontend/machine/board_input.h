/* Which keyboard and which pointer the guest listens to, and what they have not told it yet: for
 * those who type and point with care. On the machine's thread. */
#ifndef REPRISE_BOARD_INPUT_H
#define REPRISE_BOARD_INPUT_H

#include "board.h"

/* Keys go to the USB keyboard while a driver asks it for them, else to the PS/2 keyboard. */
bool board_keyboard_is_down(const Board *board, int key);
/* Software looks at the keyboard at all. */
bool board_keyboard_listens(const Board *board);
/* Software has read all that the keyboard sent. */
bool board_keyboard_is_idle(const Board *board);
/* No key is lost if one more comes. */
bool board_keyboard_has_room(const Board *board);
/* Does the handler of the keyboard's interrupt run? Some look at a byte before they hand it on to
 * one that reads it again, and rely on the time that the next one takes. */
bool board_keyboard_is_served(const Board *board);
/* A byte takes its time on the cable, which ACTION_HASTEN_KEYS cuts short. */
bool board_keyboard_byte_is_coming(const Board *board);

/* Likewise for the mouse: movements by counts, and the buttons. */
bool board_mouse_listens(const Board *board);
bool board_mouse_is_idle(const Board *board);
uint32_t board_mouse_held(const Board *board);

#endif
