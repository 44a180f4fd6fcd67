/* A PS/2 keyboard with scan code sets 1, 2 and 3. (IBM PS/2 Hardware Interface Technical Reference,
 * 'Keyboard and Auxiliary Device Controller' and '101- and 102-Key Keyboard'.) */
#ifndef REPRISE_PS2_KEYBOARD_H
#define REPRISE_PS2_KEYBOARD_H

#include "device_context.h"
#include "keyboard_keys.h"
#include "ps2_queue.h"

/* The longest sequence of bytes that a key sends at once (Pause). */
#define PS2_KEYBOARD_LONGEST_SEQUENCE 8

typedef struct Ps2Keyboard Ps2Keyboard;

Ps2Keyboard *ps2_keyboard_create(const DeviceContext *context, Error *error);
void ps2_keyboard_destroy(Ps2Keyboard *keyboard);

/* The keyboard's end of the cable; 'waiting' is driven with 1 when a byte is ready to be sent. */
Ps2Port ps2_keyboard_connect(Ps2Keyboard *keyboard, const Wire *waiting);

/* A key (KEYBOARD_KEY_*) goes down or up. Pressing what is down already does nothing: repeating is
 * the keyboard's own work, in guest time. Codes for which the queue has no room are lost, as on the
 * real thing. */
void ps2_keyboard_set_key(Ps2Keyboard *keyboard, int key, bool down);

/* Bytes that the queue can still take: with PS2_KEYBOARD_LONGEST_SEQUENCE no key is lost. */
unsigned ps2_keyboard_room(const Ps2Keyboard *keyboard);
/* Nothing waits to be sent any more. */
bool ps2_keyboard_is_idle(const Ps2Keyboard *keyboard);
/* Whether it looks at its keys at all: the host can turn that off, and what is pressed then is
 * lost.
 */
bool ps2_keyboard_is_scanning(const Ps2Keyboard *keyboard);
/* Whether a key is down. */
bool ps2_keyboard_is_down(const Ps2Keyboard *keyboard, int key);

/* The lights: bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
uint8_t ps2_keyboard_leds(const Ps2Keyboard *keyboard);

#endif
