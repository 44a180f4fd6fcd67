#include "run_state.h"

#define TO(state) (1u << RUN_STATE_##state)

static const struct {
    const char *name;
    unsigned successors; /* a bit for each state that may follow */
} run_states[RUN_STATE_COUNT] = {
    // clang-format off
    [RUN_STATE_PRELAUNCH]      = {"prelaunch",      TO(RUNNING) | TO(PAUSED) | TO(RESTORE_VM) | TO(SAVE_VM) | TO(INMIGRATE) | TO(POSTMIGRATE) | TO(FINISH_MIGRATE)},
    [RUN_STATE_RUNNING]        = {"running",        TO(PAUSED) | TO(SHUTDOWN) | TO(INTERNAL_ERROR) | TO(GUEST_PANICKED) | TO(RESTORE_VM) | TO(SAVE_VM) | TO(FINISH_MIGRATE)},
    [RUN_STATE_PAUSED]         = {"paused",         TO(RUNNING) | TO(SHUTDOWN) | TO(RESTORE_VM) | TO(SAVE_VM) | TO(POSTMIGRATE) | TO(FINISH_MIGRATE)},
    [RUN_STATE_SHUTDOWN]       = {"shutdown",       TO(PAUSED) | TO(PRELAUNCH) | TO(RESTORE_VM) | TO(POSTMIGRATE) | TO(FINISH_MIGRATE)},
    [RUN_STATE_INTERNAL_ERROR] = {"internal-error", TO(PAUSED) | TO(PRELAUNCH) | TO(RESTORE_VM) | TO(FINISH_MIGRATE)},
    [RUN_STATE_GUEST_PANICKED] = {"guest-panicked", TO(PAUSED) | TO(PRELAUNCH) | TO(SHUTDOWN) | TO(RESTORE_VM) | TO(FINISH_MIGRATE)},
    [RUN_STATE_RESTORE_VM]     = {"restore-vm",     TO(RUNNING) | TO(PAUSED) | TO(PRELAUNCH) | TO(SHUTDOWN) | TO(INTERNAL_ERROR) | TO(GUEST_PANICKED)},
    [RUN_STATE_SAVE_VM]        = {"save-vm",        TO(RUNNING) | TO(PAUSED) | TO(PRELAUNCH)},
    [RUN_STATE_INMIGRATE]      = {"inmigrate",      TO(RUNNING) | TO(PAUSED) | TO(PRELAUNCH) | TO(SHUTDOWN) | TO(INTERNAL_ERROR) | TO(GUEST_PANICKED) | TO(POSTMIGRATE)},
    [RUN_STATE_FINISH_MIGRATE] = {"finish-migrate", TO(RUNNING) | TO(PAUSED) | TO(PRELAUNCH) | TO(SHUTDOWN) | TO(INTERNAL_ERROR) | TO(GUEST_PANICKED) | TO(POSTMIGRATE)},
    [RUN_STATE_POSTMIGRATE]    = {"postmigrate",    TO(RUNNING) | TO(PAUSED) | TO(PRELAUNCH) | TO(RESTORE_VM) | TO(FINISH_MIGRATE)},
    // clang-format on
};

const char *run_state_name(RunState state) {
    return run_states[state].name;
}

bool run_state_allows(RunState from, RunState to) {
    return from == to || (run_states[from].successors >> to & 1) != 0;
}
