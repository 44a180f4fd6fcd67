#include "checkpoint.h"
#include "allocate.h"
#include "disk_point.h"
#include "machine_parts.h"
#include "machine_state.h"
#include "page_history.h"

#include <stdlib.h>

struct Checkpoint {
    Machine *machine; /* NULL after its end */
    PageVersion *memory;
    DiskPoint *disks;
    ByteBuffer state;
    Checkpoint *next, **link; /* in the machine's list */
};

/* The pages of all checkpoints; made for the first. */
static PageHistory *get_history(Machine *machine, Error *error) {
    if (machine->page_history == NULL)
        machine->page_history = page_history_create(machine->memory, error);
    return machine->page_history;
}

Checkpoint *machine_checkpoint(Machine *machine, Error *error) {
    PageHistory *history = get_history(machine, error);
    if (history == NULL)
        return NULL;
    DiskPoint *disks = disk_point_take(machine, error);
    if (disks == NULL)
        return NULL;
    Checkpoint *checkpoint = allocate_zeroed(sizeof *checkpoint);
    checkpoint->machine = machine;
    checkpoint->disks = disks;
    machine_state_save(machine, &checkpoint->state);
    checkpoint->memory = page_history_take(history);
    checkpoint->next = machine->checkpoints;
    checkpoint->link = &machine->checkpoints;
    if (checkpoint->next != NULL)
        checkpoint->next->link = &checkpoint->next;
    machine->checkpoints = checkpoint;
    return checkpoint;
}

bool machine_restore(Machine *machine, Checkpoint *checkpoint, Error *error) {
    if (checkpoint->machine != machine)
        return error_set(error, "the checkpoint is not of this machine");
    ByteReader reader = {.data = checkpoint->state.data, .size = checkpoint->state.size};
    if (!disk_point_return(machine, checkpoint->disks, error) ||
        !machine_state_load(machine, &reader, error))
        return false;
    page_history_return(machine->page_history, checkpoint->memory);
    return true;
}

/* Takes it out of its machine. */
static void detach(Checkpoint *checkpoint) {
    *checkpoint->link = checkpoint->next;
    if (checkpoint->next != NULL)
        checkpoint->next->link = checkpoint->link;
    checkpoint->machine = NULL;
}

void checkpoint_free(Checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    if (checkpoint->machine != NULL) {
        page_history_forget(checkpoint->machine->page_history, checkpoint->memory);
        detach(checkpoint);
    }
    disk_point_free(checkpoint->disks);
    byte_buffer_free(&checkpoint->state);
    free(checkpoint);
}

void checkpoints_end(Machine *machine) {
    while (machine->checkpoints != NULL)
        detach(machine->checkpoints);
    page_history_destroy(machine->page_history);
    machine->page_history = NULL;
}
