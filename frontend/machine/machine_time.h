/* The sources of the virtual clock: the host's clock while the machine runs, or the count of guest
 * instructions. */
#ifndef REPRISE_MACHINE_TIME_H
#define REPRISE_MACHINE_TIME_H

#include "clock.h"
#include "cpu.h"
#include "device.h"

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
    int64_t host_start_ns;
    double ns_per_instruction; /* measured, to guess how many fit before the next event */
} MachineTime;

/* Becomes the source of 'clock' and an entry of 'devices'. */
void machine_time_init(MachineTime *time, VirtualClock *clock, const Cpu *cpu, bool icount,
                       unsigned shift, DeviceList *devices);

int64_t machine_time_now_ns(const MachineTime *time);

/* The machine starts or stops: with the host's clock, time stands in between. */
void machine_time_set_running(MachineTime *time, bool running);

/* How many instructions may run until 'due_ns', at most 'limit', at least 1. Exact with icount, a
 * guess otherwise. */
int64_t machine_time_budget(const MachineTime *time, int64_t due_ns, int64_t limit);

/* The CPU is idle until 'due_ns'. icount: makes it that time and returns 0; otherwise returns how
 * long to sleep. */
int64_t machine_time_skip(MachineTime *time, int64_t due_ns);

/* For the guess above: so many instructions took so long. */
void machine_time_measure(MachineTime *time, uint64_t instructions, int64_t nanoseconds);

/* Before a save: makes 'state' alone tell the present time. */
void machine_time_settle(MachineTime *time);

int64_t host_clock_ns(void);

#endif
