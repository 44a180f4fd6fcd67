#include "disk_handover.h"
#include "disk_logs.h"
#include "machine_parts.h"

#include <string.h>

bool machine_settle_disks(Machine *machine, Error *error) {
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &machine->board.drive[i];
        if (drive->medium == NULL)
            continue;
        if (block_is_overlay(drive->medium) && !block_is_read_only(drive->medium))
            return error_set(error, "the drive '%s' keeps what is written in this process",
                             drive->id);
        if (!block_flush(drive->medium, error))
            return false;
    }
    return true;
}

/* Before the first of the drives that is not active. */
static bool activate_drives(Machine *machine, Error *error) {
    bool good = true;
    for (int i = 0; i < BOARD_DRIVES && good; i++) {
        BlockNode *medium = machine->board.drive[i].medium;
        good = medium == NULL || block_activate(medium, error);
    }
    for (int i = 0; i < BOARD_DRIVES && good; i++) {
        BlockNode *medium = machine->board.drive[i].medium;
        good = medium == NULL || disk_logs_watch(machine, medium, error);
    }
    return good;
}

bool machine_give_disks(Machine *machine, Error *error) {
    Error ignored = {.set = false};
    bool good = true;
    disk_logs_close(machine);
    for (int i = 0; i < BOARD_DRIVES && good; i++) {
        BlockNode *medium = machine->board.drive[i].medium;
        good = medium == NULL || block_deactivate(medium, error);
    }
    machine->gave_disks = true;
    if (!good && activate_drives(machine, &ignored))
        machine->gave_disks = false;
    return good;
}

static bool take(Machine *machine, Error *error) {
    Error ignored = {.set = false};
    if (!activate_drives(machine, error)) {
        machine_give_disks(machine, &ignored);
        machine->gave_disks = true;
        return false;
    }
    machine->gave_disks = false;
    return true;
}

typedef struct Taking {
    Machine *machine;
    Error *error;
    bool done;
} Taking;

static void run_take(void *opaque) {
    Taking *taking = opaque;
    taking->done = !taking->machine->gave_disks || take(taking->machine, taking->error);
}

bool machine_take_disks(Machine *machine, Error *error) {
    Taking taking = {.machine = machine, .error = error};
    machine_call(machine, run_take, &taking);
    return taking.done;
}

bool machine_lacks_disks(const Machine *machine) {
    return machine->gave_disks;
}

bool machine_shares_disks(const Machine *machine) {
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BlockNode *medium = machine->board.drive[i].medium;
        if (medium != NULL && !block_is_read_only(medium) && !block_is_overlay(medium))
            return true;
    }
    return false;
}
