/* See case_machine.h. */
#include "case_machine.h"
#include "allocate.h"
#include "machine_parts.h"
#include "machine_snapshot.h"

#include <stdlib.h>
#include <string.h>

struct CaseBase {
    const ScriptMachine *machine; /* stands still as long as there are cases */
    ByteBuffer state;
};

CaseBase *case_base_create(ScriptMachine *machine, Error *error) {
    (void)error;
    CaseBase *base = allocate_zeroed(sizeof(*base));
    base->machine = machine;
    machine_save(machine->machine, &base->state);
    return base;
}

void case_base_free(CaseBase *base) {
    if (base == NULL)
        return;
    byte_buffer_free(&base->state);
    free(base);
}

ScriptMachine *case_base_clone(const CaseBase *base, lua_State *L, Error *error) {
    ScriptMachine *clone = script_machine_new(L, base->machine);
    MachineConfig config = base->machine->machine->config;
    memcpy(clone->name, base->machine->name, sizeof(clone->name));
    script_output_copy(&clone->output, &base->machine->output);
    script_output_wire(&clone->output, &config, config.firmware_log.write != NULL);
    clone->machine = machine_create(&config, error);
    if (clone->machine == NULL)
        return NULL;
    machine_run_instructions(clone->machine, 0);
    ByteReader reader = {.data = base->state.data, .size = base->state.size};
    if (!machine_load(clone->machine, &reader, error))
        return NULL;
    script_machine_made(clone);
    return clone;
}
