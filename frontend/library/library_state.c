/* States of a machine of the library: snapshots in a file, checkpoints in memory. */
#include "allocate.h"
#include "checkpoint.h"
#include "library_parts.h"
#include "snapshot_of_machine.h"

#include <stdlib.h>

typedef struct SnapshotCall {
    Machine *machine;
    const char *name;
    bool (*run)(Machine *machine, const char *name, Error *error);
    Error error;
} SnapshotCall;

static void run_call(void *opaque) {
    SnapshotCall *call = opaque;
    if (call->run(call->machine, call->name, &call->error) && call->run == machine_load_snapshot)
        machine_watch_anew(call->machine);
}

static bool call_snapshot(RepriseMachine *machine, const char *name,
                          bool (*run)(Machine *machine, const char *name, Error *error),
                          RepriseError *error) {
    SnapshotCall call = {.machine = machine->machine, .name = name, .run = run};
    machine_call(machine->machine, run_call, &call);
    return library_tell(error, &call.error);
}

bool reprise_save_snapshot(RepriseMachine *machine, const char *name, RepriseError *error) {
    return call_snapshot(machine, name, machine_save_snapshot, error);
}

bool reprise_load_snapshot(RepriseMachine *machine, const char *name, RepriseError *error) {
    return call_snapshot(machine, name, machine_load_snapshot, error);
}

bool reprise_delete_snapshot(RepriseMachine *machine, const char *name, RepriseError *error) {
    return call_snapshot(machine, name, machine_delete_snapshot, error);
}

struct RepriseCheckpoint {
    RepriseMachine *machine; /* whose it is */
    Checkpoint *state;
};

typedef struct CheckpointCall {
    Machine *machine;
    Checkpoint *state;
    Error error;
} CheckpointCall;

static void take(void *opaque) {
    CheckpointCall *call = opaque;
    call->state = machine_checkpoint(call->machine, &call->error);
}

static void restore(void *opaque) {
    CheckpointCall *call = opaque;
    if (machine_restore(call->machine, call->state, &call->error))
        machine_watch_anew(call->machine);
}

static void forget(void *opaque) {
    CheckpointCall *call = opaque;
    checkpoint_free(call->state);
}

RepriseCheckpoint *reprise_checkpoint(RepriseMachine *machine, RepriseError *error) {
    CheckpointCall call = {.machine = machine->machine};
    machine_call(machine->machine, take, &call);
    library_tell(error, &call.error);
    if (call.state == NULL)
        return NULL;
    RepriseCheckpoint *checkpoint = allocate_zeroed(sizeof(*checkpoint));
    *checkpoint = (RepriseCheckpoint){machine, call.state};
    return checkpoint;
}

bool reprise_restore(RepriseMachine *machine, RepriseCheckpoint *checkpoint, RepriseError *error) {
    CheckpointCall call = {.machine = machine->machine, .state = checkpoint->state};
    if (checkpoint->machine == machine)
        machine_call(machine->machine, restore, &call);
    else
        error_set(&call.error, "this checkpoint is another machine's");
    return library_tell(error, &call.error);
}

void reprise_free_checkpoint(RepriseCheckpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    CheckpointCall call = {.machine = checkpoint->machine->machine, .state = checkpoint->state};
    machine_call(call.machine, forget, &call);
    free(checkpoint);
}
