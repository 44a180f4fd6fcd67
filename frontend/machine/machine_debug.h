/* A debugger at a machine: what it stops at, one instruction at a time, memory as it sees it.
 *
 * All functions belong to the machine's thread. A machine that stops for its debugger is paused,
 * and machine_debug_take_stop() tells why. */
#ifndef REPRISE_MACHINE_DEBUG_H
#define REPRISE_MACHINE_DEBUG_H

#include "cpu_debugger.h"
#include "machine.h"

typedef enum MachineStopReason {
    MACHINE_STOP_NONE,    /* it runs, or was stopped by somebody else */
    MACHINE_STOP_POINT,   /* 'point' was met */
    MACHINE_STOP_STEP,    /* the instruction that was wanted is done */
    MACHINE_STOP_TRIPLE,  /* triple fault: the state is that before the reset */
    MACHINE_STOP_HISTORY, /* an end of what is recorded was reached */
} MachineStopReason;

typedef struct MachineStop {
    MachineStopReason reason;
    unsigned processor;
    CpuStopPoint point;
    uint32_t address; /* of the access, or of the instruction */
} MachineStop;

typedef struct MachineDebug {
    bool attached;
    CpuDebugger points;
    unsigned stepping; /* number of the processor that is to do one instruction, and one; 0: none */
    MachineStop stop;
} MachineDebug;

/* The debugger comes and goes; going forgets all it wanted. While one is there a triple fault
 * pauses the machine, and resets it only when it goes on. */
void machine_debug_attach(Machine *machine);
void machine_debug_detach(Machine *machine);

/* False: there is no room for it, or no such point. */
bool machine_debug_add(Machine *machine, const CpuStopPoint *point);
bool machine_debug_remove(Machine *machine, const CpuStopPoint *point);

/* Goes on from here; 'quiet' holds interrupts back from the one instruction of a step. False: the
 * state of the machine does not allow it. */
bool machine_debug_continue(Machine *machine);
bool machine_debug_step(Machine *machine, unsigned processor, bool quiet);

/* Why it stopped; forgotten by that. */
MachineStop machine_debug_take_stop(Machine *machine);

/* Memory by linear address as this processor maps it, or by physical address. Neither has side
 * effects: no bits are set in page tables, and devices are left alone. False: something there is
 * no memory; writing changes nothing then, and goes to RAM alone. */
typedef struct MachineView {
    unsigned processor;
    bool physical;
} MachineView;
bool machine_debug_read(Machine *machine, MachineView view, uint32_t address, void *data,
                        size_t size);
bool machine_debug_write(Machine *machine, MachineView view, uint32_t address, const void *data,
                         size_t size);

/* For the run loop. So many instructions of 'limit' may run; whether a stop was met, which pauses
 * the machine. */
int64_t machine_debug_limit(const Machine *machine, int64_t limit);
bool machine_debug_look(Machine *machine, uint64_t instructions);

#endif
