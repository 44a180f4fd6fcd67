/* Run states: what the machine is doing, under the names that QEMU gives them, and which may follow
 * which. */
#ifndef REPRISE_RUN_STATE_H
#define REPRISE_RUN_STATE_H

#include <stdbool.h>

typedef enum RunState {
    RUN_STATE_PRELAUNCH, /* made with -S, no instruction has run */
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,   /* 'stop' */
    RUN_STATE_SHUTDOWN, /* the guest powered off or a reset was refused (-no-shutdown, -no-reboot)
                         */
    RUN_STATE_INTERNAL_ERROR, /* the emulator cannot go on with this guest */
    RUN_STATE_GUEST_PANICKED, /* it crashed, and said so or was to be stopped there */
    RUN_STATE_RESTORE_VM,     /* a snapshot is being loaded */
    RUN_STATE_SAVE_VM,        /* a snapshot is being written */
    RUN_STATE_INMIGRATE,      /* a state is awaited or comes in: -incoming */
    RUN_STATE_FINISH_MIGRATE, /* stands still while the last of the state goes out */
    RUN_STATE_POSTMIGRATE,    /* all of the state has gone out */
    RUN_STATE_COUNT,
} RunState;

/* As 'info status' and QMP spell it: "prelaunch", "running", "internal-error". */
const char *run_state_name(RunState state);

/* May a machine go from one state to the other? Staying where it is counts as allowed. */
bool run_state_allows(RunState from, RunState to);

#endif
