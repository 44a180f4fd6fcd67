/* Whether a guest has nothing to do: it sleeps, or provably only polls the keyboard, and no drive
 * works for it. */
#ifndef REPRISE_MACHINE_IDLE_H
#define REPRISE_MACHINE_IDLE_H

#include "machine.h"

/* The looks of a stretch of time, one after the other. All zero at first. */
typedef struct IdleWatch {
    uint32_t looks, asleep; /* in this stretch: how many, and how many found the guest asleep */
    uint64_t proofs;        /* of polling, up to the last look */
} IdleWatch;

#define IDLE_LOOK_NS (1000 * 1000LL) /* of guest time, between two looks */

/* Around the looks: under icount the proofs cost time, and are made for these alone. */
void machine_begin_idle_looks(Machine *machine);
void machine_end_idle_looks(Machine *machine);

/* Looks once. True: in the last 'looks' looks no drive had a request in flight, and in nine of ten
 * of them the processor was halted, or proven since the look before to do nothing but poll. */
bool machine_look_idle(Machine *machine, IdleWatch *watch, uint32_t looks);

#endif
