/* The 8042 keyboard controller of a PS/2 and its two ports. (IBM PS/2 Hardware Interface Technical
 * Reference, 'Keyboard and Auxiliary Device Controller'.) */
#ifndef REPRISE_I8042_H
#define REPRISE_I8042_H

#include "device_context.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"

typedef struct I8042 I8042;

typedef enum I8042Port { I8042_KEYBOARD, I8042_AUXILIARY } I8042Port;

typedef struct I8042Wires {
    Wire irq1, irq12;
    Wire a20;   /* level 1: the gate is open */
    Wire reset; /* pulsed: of the processor; a board may reset everything */
} I8042Wires;

/* Claims ports 60h and 64h and takes the devices' cables; 'mouse' may be NULL. */
I8042 *i8042_create(const DeviceContext *context, const I8042Wires *wires, Ps2Keyboard *keyboard,
                    Ps2Mouse *mouse, Error *error);
void i8042_destroy(I8042 *controller);

/* What flow control needs to know of one of the two ports. Whether its device may send: the
 * controller does not hold its clock. */
bool i8042_port_is_enabled(const I8042 *controller, I8042Port port);
/* Whether software has yet to read a byte that came from there. */
bool i8042_holds_byte(const I8042 *controller, I8042Port port);
/* Whether one is on its way over a cable. */
bool i8042_byte_is_coming(const I8042 *controller);
/* The byte that comes over a cable at present arrives now: a quicker cable, for typists who wait
 * until software has taken each byte. Nothing where none is on its way. */
void i8042_hasten(I8042 *controller);

#endif
