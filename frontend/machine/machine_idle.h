/* Whether a guest has nothing to do: it sleeps, and no drive works for it. */
#ifndef REPRISE_MACHINE_IDLE_H
#define REPRISE_MACHINE_IDLE_H

#include "machine.h"

/* The looks of a stretch of time, one after the other. All zero at first. */
typedef struct IdleWatch {
    uint32_t looks, halted; /* in this stretch: how many, and how many found the processor halted */
} IdleWatch;

#define IDLE_LOOK_NS (1000 * 1000LL) /* of guest time, between two looks */

/* Looks once. True: in the last 'looks' looks no drive had a request in flight, and in nine of ten
 * of them the processor was halted. */
bool machine_look_idle(Machine *machine, IdleWatch *watch, uint32_t looks);

#endif
