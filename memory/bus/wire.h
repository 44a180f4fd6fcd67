/* A wire carries a level from one chip to another. Whoever drives it knows nothing of who listens.
 */
#ifndef REPRISE_WIRE_H
#define REPRISE_WIRE_H

#include <stddef.h>

typedef struct Wire {
    void (*set)(void *listener, int line, int level); /* NULL: the pin is not connected */
    void *listener;
    int line; /* the listener's own number for this pin, an interrupt request number for example */
} Wire;

/* Drives the wire to 'level' (0 or 1). Driving a level that it has already is allowed and harmless.
 */
static inline void wire_set(const Wire *wire, int level) {
    if (wire->set != NULL)
        wire->set(wire->listener, wire->line, level);
}

/* A pulse: high, then low. */
static inline void wire_pulse(const Wire *wire) {
    wire_set(wire, 1);
    wire_set(wire, 0);
}

#endif
