/* A guest that waits in a loop with PAUSE - for a clock, a device, an interrupt - need not keep the
 * host busy: where it has done nothing else for a while, the thread sleeps for a part of the time
 * that it has waited already. So a delay becomes longer by a half at most (delays are "at least"
 * everywhere), and short ones are left alone. Only where the host's clock drives the
 * machine.
 *
 * A loop that counts its PAUSEs would wait for so many sleeps. It shows in a register; and one that
 * counts in memory is not kept for longer than SPIN_SLEPT_NS_MAX. */
#ifndef REPRISE_SPIN_WAIT_H
#define REPRISE_SPIN_WAIT_H

#include "cpu.h"

/* Without a look at anything outside, in one wait. */
#define SPIN_SLEPT_NS_MAX (100 * 1000000LL)

typedef struct SpinWait {
    Cpu *cpu;
    uint64_t gpr[8];  /* as the last look found them */
    uint64_t outside; /* and cpu->outside_accesses */
    int64_t slept_ns; /* in this wait, without any of those */
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
