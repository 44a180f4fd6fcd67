/* Going back in a run: checkpoints now and then, and a log that leads from each to any instruction
 * after it.
 *
 * A machine whose debugger is here is recorded in memory from then on; one that replays a recording
 * has its log already. What is changed by hand begins a new past. All functions belong to the
 * machine's thread, and but for the first two to a machine that stands. */
#ifndef REPRISE_MACHINE_HISTORY_H
#define REPRISE_MACHINE_HISTORY_H

#include "error.h"
#include "machine_debug.h"

typedef struct MachineHistory MachineHistory;

/* False: this run cannot be repeated, or it is recorded by somebody else. */
bool machine_history_begin(Machine *machine, Error *error);
/* Nothing where none was begun. A machine that stands in its past goes on from there. */
void machine_history_end(Machine *machine);

/* A replay came to the end of the log. True: that is the present, and the machine goes on. */
bool machine_history_reach_present(Machine *machine);

/* Before the machine is changed by hand: what was before cannot be reached any more. False: it
 * stands in the past, which cannot be changed. */
bool machine_history_change(Machine *machine);

/* After changes by hand, before the machine goes on: from here on the past is known again. */
void machine_history_go_on(Machine *machine);

/* Back by one instruction, of whichever processor ran it. How it ended is told by
 * machine_debug_take_stop(): MACHINE_STOP_HISTORY at the beginning of what is known. */
bool machine_history_step_back(Machine *machine, Error *error);

/* Back to the last place before this one at which something of machine_debug_add() is met: at an
 * instruction address, or before the instruction that reaches a data address. */
bool machine_history_run_back(Machine *machine, Error *error);

/* Back to before the instruction that gave these bits of the present processor's EFLAGS the values
 * they have. */
bool machine_history_last_flag(Machine *machine, uint32_t flags, Error *error);

#endif
