#include "machine_events.h"
#include "machine_parts.h"

#include <stdio.h>
#include <time.h>

static const struct {
    const char *name;
    bool is_guest;
} causes[MACHINE_CAUSES] = {
    [MACHINE_CAUSE_NONE] = {"none", false},
    [MACHINE_CAUSE_GUEST_SHUTDOWN] = {"guest-shutdown", true},
    [MACHINE_CAUSE_GUEST_RESET] = {"guest-reset", true},
    [MACHINE_CAUSE_GUEST_PANIC] = {"guest-panic", true},
    [MACHINE_CAUSE_HOST_QUIT] = {"host-qmp-quit", false},
    [MACHINE_CAUSE_HOST_RESET] = {"host-qmp-system-reset", false},
    [MACHINE_CAUSE_HOST_SIGNAL] = {"host-signal", false},
    [MACHINE_CAUSE_HOST_UI] = {"host-ui", false},
};

const char *machine_cause_name(MachineCause cause) {
    return causes[cause].name;
}

bool machine_cause_is_guest(MachineCause cause) {
    return causes[cause].is_guest;
}

void machine_events_init(MachineEvents *events) {
    *events = (MachineEvents){.first = 0};
    pthread_mutex_init(&events->lock, NULL);
}

void machine_events_destroy(MachineEvents *events) {
    pthread_mutex_destroy(&events->lock);
}

static void append(MachineEvents *events, const MachineEvent *event) {
    pthread_mutex_lock(&events->lock);
    if (events->count == MACHINE_EVENTS_KEPT) {
        events->first = (events->first + 1) % MACHINE_EVENTS_KEPT;
        events->count--;
    }
    events->kept[(events->first + events->count++) % MACHINE_EVENTS_KEPT] = *event;
    pthread_mutex_unlock(&events->lock);
}

static void tell(Machine *machine, MachineEvent event) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    event.seconds = now.tv_sec;
    event.microseconds = (int32_t)(now.tv_nsec / 1000);
    append(&machine->events, &event);
    if (machine->notify != NULL)
        machine->notify(machine->notify_opaque);
}

void machine_tell(Machine *machine, MachineEventKind kind, MachineCause cause) {
    tell(machine, (MachineEvent){.kind = kind, .cause = cause});
}

static void tell_tray(Machine *machine, unsigned drive, bool is_open) {
    tell(machine, (MachineEvent){.kind = MACHINE_EVENT_TRAY, .drive = drive, .is_open = is_open});
}

void machine_tell_deleted(Machine *machine, const char *device) {
    MachineEvent event = {.kind = MACHINE_EVENT_DEVICE_DELETED};
    snprintf(event.device, sizeof(event.device), "%s", device);
    tell(machine, event);
}

void machine_tell_trays(Machine *machine) {
    const Board *board = &machine->board;
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &board->drive[i];
        if (!drive->is_cd || !drive->present)
            continue;
        bool is_open = board_tray_is_open(board, drive);
        if (is_open == machine->told_trays[i])
            continue;
        machine->told_trays[i] = is_open;
        tell_tray(machine, i, is_open);
    }
}

void machine_tell_exchange(Machine *machine, unsigned drive) {
    tell_tray(machine, drive, true);
    tell_tray(machine, drive, false);
}

bool machine_take_event(Machine *machine, MachineEvent *event) {
    MachineEvents *events = &machine->events;
    pthread_mutex_lock(&events->lock);
    bool found = events->count > 0;
    if (found) {
        *event = events->kept[events->first];
        events->first = (events->first + 1) % MACHINE_EVENTS_KEPT;
        events->count--;
    }
    pthread_mutex_unlock(&events->lock);
    return found;
}
