/* The panic port, as QEMU's pvpanic (its docs/specs/pvpanic): a guest kernel says by it that it
 * crashed. It reads as the events that it knows; a write of one tells it. */
#ifndef REPRISE_PVPANIC_H
#define REPRISE_PVPANIC_H

#include "device_context.h"

typedef struct Pvpanic Pvpanic;

enum {
    PVPANIC_PORT = 0x505, /* by default */
    PVPANIC_PANICKED = 1,
    PVPANIC_CRASH_LOADED = 2, /* the guest panicked, and goes on in a kernel kept for that */
    PVPANIC_EVENTS = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED,
};

/* 'events': those that reading announces. 'panicked' is called when the guest will not go on. */
Pvpanic *pvpanic_create(const DeviceContext *context, uint16_t port, uint8_t events,
                        void (*panicked)(void *opaque), void *opaque, Error *error);
void pvpanic_destroy(Pvpanic *device);

#endif
