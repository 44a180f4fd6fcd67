/* See case_machine.h. */
#include "case_machine.h"
#include "allocate.h"
#include "machine_clone.h"
#include "machine_parts.h"
#include "script_recording.h"

#include <stdlib.h>
#include <string.h>

struct CaseBase {
    const ScriptMachine *machine; /* stands still as long as there are cases */
    CloneBase *clones;
    RecordingPlace *place; /* in its recording */
};

CaseBase *case_base_create(ScriptMachine *machine, Error *error) {
    CloneBase *clones = clone_base_create(machine->machine, error);
    if (clones == NULL)
        return NULL;
    CaseBase *base = allocate_zeroed(sizeof(*base));
    *base = (CaseBase){
        .machine = machine, .clones = clones, .place = script_recording_mark(machine->recording)};
    return base;
}

void case_base_free(CaseBase *base) {
    if (base == NULL)
        return;
    clone_base_release(base->clones);
    recording_place_release(base->place);
    free(base);
}

ScriptMachine *case_base_clone(const CaseBase *base, lua_State *L, Error *error) {
    ScriptMachine *clone = script_machine_new(L, base->machine);
    MachineConfig config = base->machine->machine->config;
    memcpy(clone->name, base->machine->name, sizeof(clone->name));
    script_output_copy(&clone->output, &base->machine->output);
    script_output_wire(&clone->output, &config, config.firmware_log.write != NULL);
    clone->machine = machine_create_clone(base->clones, &config, error);
    if (clone->machine == NULL)
        return NULL;
    clone->recording =
        script_recording_follow(base->place, clone->machine, &clone->settings->settings);
    script_machine_made(clone);
    machine_stop_at_triple_fault(clone->machine, base->machine->machine->stops_at_triple_fault);
    return clone;
}
