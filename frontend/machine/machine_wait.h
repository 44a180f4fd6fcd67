/* Waiting in guest time: runs a machine in the caller's thread until something holds. For scripts
 * and tests; machine_start() was not called.
 *
 * Under icount a wait looks at its condition at guest times that depend on the guest alone, so that
 * what a script does between two waits happens at the same instruction in every run, on every
 * host and with every backend. That it looks changes nothing that the guest sees: the timer of the
 * wait only shortens slices, and a halted processor sleeps in two parts what it slept in one. */
#ifndef REPRISE_MACHINE_WAIT_H
#define REPRISE_MACHINE_WAIT_H

#include "machine.h"

typedef enum WaitEnd {
    WAIT_MET,
    WAIT_TIMED_OUT,
    WAIT_HUNG,        /* machine_find_hang() has a proof that nothing can come any more */
    WAIT_CRASHED,     /* machine_get_crash() says how */
    WAIT_ENDED,       /* powered off, debug exit, reset under no_reboot, or stopped */
    WAIT_INTERRUPTED, /* by the watch */
} WaitEnd;

/* Runs until 'met', which is asked at once and then every 'poll_ns'. 'deadline_ns' is a time of the
 * virtual clock, INT64_MAX for none. With 'met' NULL time alone passes: it ends as timed out, and
 * never as hung. */
WaitEnd machine_run_until(Machine *machine, int64_t deadline_ns, int64_t poll_ns,
                          bool (*met)(void *opaque), void *opaque);

/* The same for what acts by itself, as somebody who types: 'step' is called at once and then every
 * 'step_ns', and may change the machine, until it returns true. A guest that waits for nothing but
 * that does not hang: only one that takes no interrupts does. */
WaitEnd machine_run_with(Machine *machine, int64_t step_ns, bool (*step)(void *opaque),
                         void *opaque);

/* Runs exactly so many instructions: then it is met. */
WaitEnd machine_run_exactly(Machine *machine, uint64_t instructions, int64_t deadline_ns);

/* How a guest crashes. */
typedef enum MachineCrash { CRASH_NONE, CRASH_TRIPLE_FAULT, CRASH_PANIC } MachineCrash;
MachineCrash machine_get_crash(const Machine *machine);
/* Does a triple fault stop the machine, as crashed? By default it resets it, as the board does. */
void machine_stop_at_triple_fault(Machine *machine, bool stop);
/* A machine that ended or crashed may run again: for one whose state was restored. */
void machine_revive(Machine *machine);

/* What looks on at every wait of a machine. All members may be NULL or 0. */
typedef struct MachineWatch {
    /* Asked between slices, some thousand times a second: true ends the wait. */
    bool (*interrupted)(void *opaque);
    /* Called once whenever the number of instructions is a multiple of 'stride'. */
    void (*stride_done)(void *opaque);
    uint64_t stride;
    void *opaque;
} MachineWatch;
void machine_set_watch(Machine *machine, const MachineWatch *watch);
/* The number of instructions is another now: the state was replaced. */
void machine_watch_anew(Machine *machine);

/* Virtual nanoseconds since the machine was made. */
int64_t machine_guest_time_ns(Machine *machine);

#endif
