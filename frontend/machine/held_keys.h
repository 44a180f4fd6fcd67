/* Keys that come faster than a keyboard can send them, held before its queue: those of programs
 * (VNC, QMP), for no person is so fast. They go in when there is room, between two rounds of the
 * run loop as all that enters, and are noted by whoever records the run. */
#ifndef REPRISE_HELD_KEYS_H
#define REPRISE_HELD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct Machine;

#define HELD_KEYS 1024

typedef struct HeldKeys {
    struct HeldKey {
        uint32_t key;
        bool down;
    } keys[HELD_KEYS];
    uint32_t first, count;
} HeldKeys;

/* Presses or releases a key, now or after those that are held; drops it where too many are. */
void machine_put_key(struct Machine *machine, int key, bool down);
/* For the run loop: those for which there is room now. */
void machine_serve_held_keys(struct Machine *machine);

#endif
