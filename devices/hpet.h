/* The high precision event timer: a 64-bit counter of 100 MHz with three comparators. (Intel IA-PC
 * HPET specification 1.0a.)
 *
 * It stands between the 8254, the clock chip and their interrupt requests, since under "legacy
 * replacement" its own timers 0 and 1 drive these. */
#ifndef REPRISE_HPET_H
#define REPRISE_HPET_H

#include "device_context.h"

#define HPET_BASE 0xFED00000u
#define HPET_SIZE 0x400u
#define HPET_TICK_NS 10

enum { HPET_TIMERS = 3, HPET_ROUTES = 24 };

typedef struct Hpet Hpet;

typedef struct HpetOptions {
    Wire irq0, irq8; /* the requests of the 8254 and of the clock chip */
    /* Interrupt requests that the timers may be routed to: those of 'route_mask' (bit n: pin n of
     * the I/O APIC). */
    Wire routes[HPET_ROUTES];
    uint32_t route_mask;
} HpetOptions;

/* Claims its registers in memory. */
Hpet *hpet_create(const DeviceContext *context, const HpetOptions *options, Error *error);
void hpet_destroy(Hpet *hpet);

/* Where the 8254's OUT 0 and the clock chip's interrupt request lead; passed on but under legacy
 * replacement. */
Wire hpet_irq0_input(Hpet *hpet);
Wire hpet_irq8_input(Hpet *hpet);

#endif
