/* The sources of the virtual clock: the host's clock while the machine runs, or the count of guest
 * instructions, either for runs that repeat (icount) or to hold an old system's speed. */
#ifndef REPRISE_MACHINE_TIME_H
#define REPRISE_MACHINE_TIME_H

#include "clock.h"
#include "device.h"
#include "host_clock.h"
#include "host_ticks.h"

typedef struct MachineTimeState {
    /* Where time follows the instructions: virtual time when 'base_count' of them had completed;
     * it grows where HLT skips to the next event. Otherwise: the virtual time at which the host's
     * clock showed 'host_start_ns'. */
    int64_t base_ns;
    uint64_t base_count; /* 0 with icount */
} MachineTimeState;

/* How long instructions take: 'ns' nanoseconds are 'instructions' of them. ns 0: as long as on the
 * host. */
typedef struct InstructionPace {
    uint64_t ns, instructions;
} InstructionPace;

typedef struct MachineTime {
    MachineTimeState state;
    bool icount; /* nothing depends on the host's clock; the pace never changes */
    InstructionPace pace;
    uint64_t (*count)(const void *machine); /* instructions completed so far */
    const void *machine;
    HostTicks ticks;                     /* the host's clock, quickly */
    bool running;                        /* time stands while the machine is stopped */
    int64_t host_start_ns, host_seen_ns; /* host's clock */
    int64_t leapt_ns;                    /* so far the guest is ahead of it: MACHINE_TIME_LEAP_NS */
    /* A speed that is held: virtual and host's time go on together from here. */
    int64_t held_ns, held_host_ns;
    /* 'sliced': a run at the host's speed is recorded. Its clock follows the instructions within
     * slices; between them it comes as near to the host's as it can without going back. */
    bool sliced;
    bool slices_wanted;        /* so wherever no speed is held */
    bool follows;              /* a replay tells the time */
    int64_t target_ns;         /* sliced: virtual time by the host's clock */
    int64_t slept_ns;          /* since the last look at it */
    double ns_per_instruction; /* measured, to guess how many fit before the next event */
} MachineTime;

/* Becomes the source of 'clock' and an entry of 'devices'. */
void machine_time_init(MachineTime *time, VirtualClock *clock,
                       uint64_t (*count)(const void *machine), const void *machine, bool icount,
                       InstructionPace pace, DeviceList *devices);

/* True where virtual time follows the count of instructions. */
static inline bool machine_time_is_counted(const MachineTime *time) {
    return time->pace.ns != 0;
}

/* With the host's clock, time that the host gave to others does not count: where it did not let
 * this thread run for longer than MACHINE_TIME_STALL_NS, the rest is left out, so that no guest
 * sees its devices time out on a loaded host. */
#define MACHINE_TIME_STALL_NS (5 * 1000000LL)
int64_t machine_time_now_ns(MachineTime *time);

/* From now on instructions take so long; not for icount. */
void machine_time_set_pace(MachineTime *time, InstructionPace pace);

/* How far virtual time is ahead of the host's where a speed is held: so long the machine has to
 * wait. Negative where the host did not keep up; what it lost is caught up with, but for more than
 * MACHINE_TIME_BACKLOG_NS. 0 where no speed is held. */
#define MACHINE_TIME_BACKLOG_NS (100 * 1000000LL)
int64_t machine_time_ahead_ns(MachineTime *time);

/* The thread slept on purpose, for so long at most: for the idle processor that time passes. */
void machine_time_slept(MachineTime *time, int64_t nanoseconds);

/* The machine starts or stops: but with icount, time stands in between. */
void machine_time_set_running(MachineTime *time, bool running);

/* How many instructions may run until 'due_ns', at most 'limit', at least 1. A guess with the
 * host's clock, otherwise exact. */
int64_t machine_time_budget(MachineTime *time, int64_t due_ns, int64_t limit);

/* Where a speed is held, 'limit' or what runs in 'nanoseconds', whichever is less, at least 1. */
int64_t machine_time_limit(const MachineTime *time, int64_t nanoseconds, int64_t limit);

/* A sleep of the host's costs as much as some thousand instructions, and lasts longer than asked
 * for. So an idle guest whose next event is this near (a disk is about to be ready) gets it at
 * once: its clock leaps, and goes ahead of the host's. The next longer sleep makes up for it, and
 * so does a short one that would leave the guest ahead by more than MACHINE_TIME_LEAPT_MAX_NS. */
#define MACHINE_TIME_LEAP_NS (200 * 1000LL)
#define MACHINE_TIME_LEAPT_MAX_NS (2 * 1000000LL)

/* The CPU is idle until 'due_ns'. icount: makes it that time and returns 0; otherwise returns how
 * long to sleep, 0 too where a held speed is behind by that much, or for a leap. */
int64_t machine_time_skip(MachineTime *time, int64_t due_ns);

/* For the guess above: so many instructions took so long. */
void machine_time_measure(MachineTime *time, uint64_t instructions, int64_t nanoseconds);

/* For recorded runs: machine_record.c. */
void machine_time_begin_slices(MachineTime *time);
void machine_time_end_slices(MachineTime *time);
/* Between slices: looks at the host's clock. Nothing where no slices were begun. */
void machine_time_sync(MachineTime *time);
/* For replays: time passes by the instructions and by what machine_time_adjust() adds alone. */
void machine_time_follow(MachineTime *time, bool follows);
void machine_time_adjust(MachineTime *time, int64_t nanoseconds, const InstructionPace *pace);

/* Before a save: makes 'state' alone tell the present time. */
void machine_time_settle(MachineTime *time);

#endif
