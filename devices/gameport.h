/* The gameport: four axes, read as how long a resistor takes to charge a capacitor, and four
 * buttons. (IBM PC Game Control Adapter.) Times follow the virtual clock, whatever the processor's
 * speed. */
#ifndef REPRISE_GAMEPORT_H
#define REPRISE_GAMEPORT_H

#include "device_context.h"

enum { GAMEPORT_AXES = 4, GAMEPORT_BUTTONS = 4, GAMEPORT_CENTER = 128, GAMEPORT_UNPLUGGED = -1 };

typedef struct Gameport Gameport;

/* Claims ports 200h to 207h, as the adapter did. No joystick is plugged in. */
Gameport *gameport_create(const DeviceContext *context, Error *error);
void gameport_destroy(Gameport *port);

/* Where an axis stands: 0 left or up, GAMEPORT_CENTER, 255 right or down; GAMEPORT_UNPLUGGED. Axes
 * 0 and 1 are x and y of the first joystick, 2 and 3 of the second. */
void gameport_set_axis(Gameport *port, unsigned axis, int position);
void gameport_set_button(Gameport *port, unsigned button, bool down);

#endif
