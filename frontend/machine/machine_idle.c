/* See machine_idle.h. */
#include "machine_idle.h"
#include "machine_parts.h"

#include <string.h>

/* Drives that work have an event to come; its timer's name begins so. */
static const char *const drive_timers[] = {"fdc",  "ide-drive", "virtio-blk", "ahci",
                                           "nvme", "scsi",      "lsi"};

static bool drives_work(const Machine *machine) {
    for (size_t i = 0; i < machine->clock.heap_count; i++) {
        const char *name = machine->clock.heap[i]->name;
        for (size_t row = 0; row < sizeof(drive_timers) / sizeof(drive_timers[0]); row++) {
            if (strncmp(name, drive_timers[row], strlen(drive_timers[row])) == 0)
                return true;
        }
    }
    return false;
}

void machine_begin_idle_looks(Machine *machine) {
    if (machine->time.icount && machine->processor_count == 1)
        polling_loop_watch(&machine->polling_loop, machine->cpu, &machine->ram_hash);
}

void machine_end_idle_looks(Machine *machine) {
    if (machine->time.icount && machine->processor_count == 1)
        polling_loop_unwatch(&machine->polling_loop);
}

static bool is_asleep(Machine *machine, IdleWatch *watch) {
    PollingLoop *loop = &machine->polling_loop;
    bool polls = loop->proofs != watch->proofs;
    watch->proofs = loop->proofs;
    if (machine->time.icount)
        polling_loop_take_proof(loop);
    return polls || machine_processors_halted(machine);
}

/* A stretch that turns out too busy starts anew, at its end at the latest. */
bool machine_look_idle(Machine *machine, IdleWatch *watch, uint32_t looks) {
    bool asleep = is_asleep(machine, watch);
    watch->looks++;
    watch->asleep += asleep;
    if (drives_work(machine) || watch->looks - watch->asleep > looks / 10) {
        *watch = (IdleWatch){.proofs = watch->proofs};
        return false;
    }
    return watch->looks >= looks;
}
