/* A guest that waits in a loop with PAUSE - for a clock, a device, an interrupt - need not keep the
 * host busy: where it has done nothing else for a while, the thread sleeps for a part of the time
 * that it has waited already. So a delay becomes longer by a half at most (delays are "at least"
 * everywhere), and short ones are left alone. Only where the host's clock drives the
 * machine. */
#ifndef REPRISE_SPIN_WAIT_H
#define REPRISE_SPIN_WAIT_H

#include "cpu.h"

typedef struct SpinWait {
    Cpu *cpu;
    int64_t start_ns; /* when the run loop first saw this wait */
    uint64_t seen;    /* the PAUSE that was looked at last, by its instruction count */
    uint64_t sleeps;  /* so far */
    uint32_t pauses;  /* that had come by then */
} SpinWait;

/* From now on such waits end the run loop (RUN_BREAK) from time to time. */
void spin_wait_watch(SpinWait *spin, Cpu *cpu);

/* After the run loop came back: for how long to sleep; 0: not at all. */
int64_t spin_wait_look(SpinWait *spin, int64_t now_ns);

#endif
