/* Serial port and monitor on one terminal: Ctrl-A c switches between them, Ctrl-A x ends the
 * program. */
#ifndef REPRISE_MUX_H
#define REPRISE_MUX_H

#include "character_device.h"
#include <stdbool.h>

typedef struct Mux {
    CharacterDevice *device;
    CharacterClient port;    /* gets the input at first */
    CharacterClient monitor; /* after Ctrl-A c */
    bool on_monitor;
    bool escaped; /* Ctrl-A was the last byte */
    void (*quit)(void *opaque);
    void *quit_opaque;
} Mux;

/* Becomes the device's client. The other fields are filled in by the caller before. */
void mux_attach(Mux *mux);

#endif
