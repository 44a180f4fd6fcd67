/* States of a machine: checkpoints in memory, clones, snapshots in a file. */
#include "allocate.h"
#include "case_machine.h"
#include "checkpoint.h"
#include "machine_parts.h"
#include "script.h"
#include "script_recording.h"
#include "script_wait.h"
#include "snapshot_of_machine.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_TYPE "reprise.checkpoint"

/* What a script holds: the machine's state, and what had come out of its ports by then. */
typedef struct ScriptCheckpoint {
    Checkpoint *state;
    const ScriptMachine *machine; /* whose it is; only compared */
    int machine_number;
    ScriptOutput output;
    RecordingPlace *place;
} ScriptCheckpoint;

static ScriptCheckpoint *check_checkpoint(lua_State *L, int index) {
    ScriptCheckpoint *checkpoint = luaL_checkudata(L, index, CHECKPOINT_TYPE);
    if (checkpoint->state == NULL)
        script_fail(L, KIND_USAGE, "this checkpoint was given up");
    return checkpoint;
}

/* m:checkpoint() -> a checkpoint */
static int take_checkpoint(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    ScriptCheckpoint *checkpoint = lua_newuserdatauv(L, sizeof(*checkpoint), 0);
    Error error = {.set = false};
    *checkpoint = (ScriptCheckpoint){.machine = machine, .machine_number = machine->number};
    luaL_setmetatable(L, CHECKPOINT_TYPE);
    script_log(machine->script, machine, "checkpoint");
    checkpoint->state = machine_checkpoint(machine->machine, &error);
    if (checkpoint->state == NULL)
        return script_fail(L, KIND_ERROR, "checkpoint: %s", error.message);
    script_output_copy(&checkpoint->output, &machine->output);
    checkpoint->place = script_recording_mark(machine->recording);
    return 1;
}

/* m:restore(checkpoint): the machine is what it was then */
static int restore_checkpoint(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    ScriptCheckpoint *checkpoint = check_checkpoint(L, 2);
    Error error = {.set = false};
    if (checkpoint->machine != machine || checkpoint->machine_number != machine->number)
        return script_fail(L, KIND_USAGE, "this checkpoint is another machine's");
    script_log(machine->script, machine, "restore");
    if (!machine_restore(machine->machine, checkpoint->state, &error))
        return script_fail(L, KIND_ERROR, "restore: %s", error.message);
    script_recording_return(machine->recording, checkpoint->place);
    script_output_copy(&machine->output, &checkpoint->output);
    script_machine_restored(machine);
    return 0;
}

/* c:free(): gives its memory back now; Lua's garbage collector does it some day. */
static int free_checkpoint(lua_State *L) {
    ScriptCheckpoint *checkpoint = luaL_checkudata(L, 1, CHECKPOINT_TYPE);
    checkpoint_free(checkpoint->state);
    checkpoint->state = NULL;
    recording_place_release(checkpoint->place);
    checkpoint->place = NULL;
    script_output_free(&checkpoint->output);
    return 0;
}

static const luaL_Reg checkpoint_methods[] = {
    {"free", free_checkpoint},
    {NULL, NULL},
};

static void open_state(lua_State *L) {
    luaL_newmetatable(L, CHECKPOINT_TYPE);
    luaL_newlib(L, checkpoint_methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, free_checkpoint);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

/* m:clone() -> a machine that goes on from here too, by itself */
static int clone_machine(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    Error error = {.set = false};
    script_log(machine->script, machine, "clone");
    CaseBase *base = case_base_create(machine, &error);
    ScriptMachine *clone = base != NULL ? case_base_clone(base, L, &error) : NULL;
    case_base_free(base);
    if (clone == NULL)
        return script_fail(L, KIND_USAGE, "clone: %s", error.message);
    return 1;
}

/* m:save(name): into the machine's snapshot file */
static int save_snapshot(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    Error error = {.set = false};
    script_log(machine->script, machine, "save \"%s\"", name);
    if (!machine_save_snapshot(machine->machine, name, &error))
        return script_fail(L, KIND_USAGE, "save: %s", error.message);
    return 0;
}

/* m:load(name): the machine is what it was when that was saved */
static int load_snapshot(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    Error error = {.set = false};
    script_log(machine->script, machine, "load \"%s\"", name);
    if (!machine_load_snapshot(machine->machine, name, &error))
        return script_fail(L, KIND_USAGE, "load: %s", error.message);
    script_recording_load(machine->recording, name);
    script_machine_restored(machine);
    return 0;
}

/* It counts on from another number of instructions. */
static void watch_anew(ScriptMachine *machine) {
    machine_watch_anew(machine->machine);
}

static const luaL_Reg state_methods[] = {
    {"checkpoint", take_checkpoint}, {"clone", clone_machine}, {"load", load_snapshot},
    {"restore", restore_checkpoint}, {"save", save_snapshot},  {NULL, NULL},
};
const ScriptPart script_state_part = {
    .methods = state_methods, .open = open_state, .restored = watch_anew};
