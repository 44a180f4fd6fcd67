/* The sources of the virtual clock: the host's clock while the machine runs, or the count of guest
 * instructions. */
#ifndef REPRISE_MACHINE_TIME_H
#define REPRISE_MACHINE_TIME_H

#include "clock.h"
#include "cpu.h"
#include "device.h"
#include "host_clock.h"

typedef struct MachineTimeState {
    /* icount: virtual time = base_ns + (instructions << shift): grows where HLT skips to the next
     * event. Otherwise: the virtual time at which the host's clock showed 'host_start_ns'. */
    int64_t base_ns;
} MachineTimeState;

typedef struct MachineTime {
    MachineTimeState state;
    bool icount;
    unsigned shift;
    const Cpu *cpu;
    bool running; /* host's clock: stands while the machine is stopped */
    int64_t host_start_ns, host_seen_ns;
    double ns_per_instruction; /* measured, to guess how many fit before the next event */
} MachineTime;

/* Becomes the source of 'clock' and an entry of 'devices'. */
void machine_time_init(MachineTime *time, VirtualClock *clock, const Cpu *cpu, bool icount,
                       unsigned shift, DeviceList *devices);

/* With the host's clock, time that the host gave to others does not count: where it did not let
 * this thread run for longer than MACHINE_TIME_STALL_NS, the rest is left out, so that no guest
 * sees its devices time out on a loaded host. */
#define MACHINE_TIME_STALL_NS (5 * 1000000LL)
int64_t machine_time_now_ns(MachineTime *time);

/* The thread slept on purpose, for so long at most. */
void machine_time_slept(MachineTime *time, int64_t nanoseconds);

/* The machine starts or stops: with the host's clock, time stands in between. */
void machine_time_set_running(MachineTime *time, bool running);

/* How many instructions may run until 'due_ns', at most 'limit', at least 1. Exact with icount, a
 * guess otherwise. */
int64_t machine_time_budget(MachineTime *time, int64_t due_ns, int64_t limit);

/* The CPU is idle until 'due_ns'. icount: makes it that time and returns 0; otherwise returns how
 * long to sleep. */
int64_t machine_time_skip(MachineTime *time, int64_t due_ns);

/* For the guess above: so many instructions took so long. */
void machine_time_measure(MachineTime *time, uint64_t instructions, int64_t nanoseconds);

/* Before a save: makes 'state' alone tell the present time. */
void machine_time_settle(MachineTime *time);

#endif
