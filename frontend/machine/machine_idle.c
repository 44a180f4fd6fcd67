/* See machine_idle.h. */
#include "machine_idle.h"
#include "machine_parts.h"

#include <string.h>

/* Drives that work have an event to come; its timer's name begins so. */
static const char *const drive_timers[] = {"fdc", "ide-drive"};

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

/* A stretch that turns out too busy starts anew, at its end at the latest. */
bool machine_look_idle(Machine *machine, IdleWatch *watch, uint32_t looks) {
    if (drives_work(machine)) {
        *watch = (IdleWatch){0};
        return false;
    }
    watch->looks++;
    watch->halted += machine->cpu->state.halted != 0;
    if (watch->looks - watch->halted > looks / 10) {
        *watch = (IdleWatch){0};
        return false;
    }
    return watch->looks >= looks;
}
