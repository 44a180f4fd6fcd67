/* What happened to a machine, for those who tell it on: appended by whoever did it, taken in order
 * by one reader on another thread. Nothing of it is state of the guest. */
#ifndef REPRISE_MACHINE_EVENTS_H
#define REPRISE_MACHINE_EVENTS_H

#include "machine.h"
#include <pthread.h>

typedef enum MachineEventKind {
    MACHINE_EVENT_RESUME,
    MACHINE_EVENT_STOP,
    MACHINE_EVENT_RESET,
    MACHINE_EVENT_SHUTDOWN,
    MACHINE_EVENT_POWERDOWN, /* the power button was pressed */
    MACHINE_EVENT_SUSPEND,   /* to RAM */
    MACHINE_EVENT_WAKEUP,
    MACHINE_EVENT_GUEST_PANICKED,
    MACHINE_EVENT_DEVICE_DELETED, /* pulled out */
    MACHINE_EVENT_TRAY, /* of a CD drive: the guest or somebody else opened or closed it */
} MachineEventKind;

/* Who caused a reset or a shutdown, under the names that QMP has for them. */
typedef enum MachineCause {
    MACHINE_CAUSE_NONE,
    MACHINE_CAUSE_GUEST_SHUTDOWN,
    MACHINE_CAUSE_GUEST_RESET,
    MACHINE_CAUSE_GUEST_PANIC,
    MACHINE_CAUSE_HOST_QUIT,
    MACHINE_CAUSE_HOST_RESET,
    MACHINE_CAUSE_HOST_SIGNAL,
    MACHINE_CAUSE_HOST_UI,
    MACHINE_CAUSES,
} MachineCause;

typedef struct MachineEvent {
    MachineEventKind kind;
    MachineCause cause;
    unsigned drive; /* whose tray, of the board's drives */
    bool is_open;
    char device[64]; /* that was deleted: its id */
    int64_t seconds; /* of the host, since 1970 */
    int32_t microseconds;
} MachineEvent;

#define MACHINE_EVENTS_KEPT 256

typedef struct MachineEvents {
    pthread_mutex_t lock;
    MachineEvent kept[MACHINE_EVENTS_KEPT];
    uint32_t first, count;
} MachineEvents;

void machine_events_init(MachineEvents *events);
void machine_events_destroy(MachineEvents *events);

/* Appends an event with the present time, and notifies. Where nobody takes them the oldest go. Any
 * thread. */
void machine_tell(Machine *machine, MachineEventKind kind, MachineCause cause);

/* Tells of the trays that have moved since the last time. The machine's thread. */
void machine_tell_trays(Machine *machine);
void machine_tell_deleted(Machine *machine, const char *device);
/* A disc was exchanged at one go: the tray opened and closed. */
void machine_tell_exchange(Machine *machine, unsigned drive);

/* Takes the oldest; false: there is none. Any thread. */
bool machine_take_event(Machine *machine, MachineEvent *event);

/* "guest-shutdown", "host-signal"; "none" for no cause. */
const char *machine_cause_name(MachineCause cause);
/* The guest itself is the cause. */
bool machine_cause_is_guest(MachineCause cause);

#endif
