/* A PS/2 mouse: the standard three-button one, which becomes an IntelliMouse (wheel) or an
 * IntelliMouse Explorer (five buttons) when the driver knocks. (IBM PS/2 Hardware Interface
 * Technical Reference, 'Mouse'; Microsoft, 'IntelliMouse' hardware notes.) */
#ifndef REPRISE_PS2_MOUSE_H
#define REPRISE_PS2_MOUSE_H

#include "device_context.h"
#include "ps2_queue.h"

enum {
    PS2_MOUSE_LEFT = 1 << 0,
    PS2_MOUSE_RIGHT = 1 << 1,
    PS2_MOUSE_MIDDLE = 1 << 2,
    PS2_MOUSE_SIDE = 1 << 3,
    PS2_MOUSE_EXTRA = 1 << 4,
};

typedef struct Ps2Mouse Ps2Mouse;

Ps2Mouse *ps2_mouse_create(const DeviceContext *context, Error *error);
void ps2_mouse_destroy(Ps2Mouse *mouse);

/* The mouse's end of the cable; 'waiting' is driven with 1 when a byte is ready to be sent. */
Ps2Port ps2_mouse_connect(Ps2Mouse *mouse, const Wire *waiting);

/* The mouse moves by counts: x to the right, y down (as on screens), the wheel towards the user. */
void ps2_mouse_move(Ps2Mouse *mouse, int dx, int dy, int dz);
/* All buttons that are down now: PS2_MOUSE_*. */
void ps2_mouse_set_buttons(Ps2Mouse *mouse, unsigned buttons);
/* An empty packet, for its interrupt. */
void ps2_mouse_poke(Ps2Mouse *mouse);
/* The buttons that are down. */
unsigned ps2_mouse_buttons(const Ps2Mouse *mouse);
/* Whether the guest listens to movements. */
bool ps2_mouse_is_enabled(const Ps2Mouse *mouse);
/* Everything that moved or was pressed was told, and the last packet is sent. */
bool ps2_mouse_is_idle(const Ps2Mouse *mouse);

#endif
