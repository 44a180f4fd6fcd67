/* Somebody who looks at a machine at fixed guest times, as a camera does. The guest sees nothing of
 * it; under icount the times are exact. */
#ifndef REPRISE_MACHINE_OBSERVER_H
#define REPRISE_MACHINE_OBSERVER_H

#include "clock.h"
#include "machine.h"

typedef struct MachineObserver {
    Timer timer;
    int64_t due_ns, next_ns, period_ns;
    void (*look)(void *opaque); /* must not change the machine */
    void *opaque;
} MachineObserver;

/* Has 'look' called every 'period_ns' of guest time, the first time one period from now. A machine
 * has one observer; NULL: none any more. */
void machine_observe(Machine *machine, int64_t period_ns, void (*look)(void *opaque), void *opaque);

/* For the machine: after the board was made, and where guest time may have been set to another. */
void machine_observer_init(Machine *machine);
void machine_observer_resume(Machine *machine);

#endif
