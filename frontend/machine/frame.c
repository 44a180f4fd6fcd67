/* The published picture: rendered by the machine's thread when somebody asked, looked at by any
 * other. */
#include "machine_parts.h"

void machine_request_frame(Machine *machine) {
    __atomic_store_n(&machine->frame_wanted, true, __ATOMIC_RELEASE);
    if (machine_run_state(machine) != RUN_STATE_RUNNING)
        input_door_wake(&machine->door);
}

static void publish_activity(Machine *machine) {
    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        const BoardDrive *drive = &machine->board.drive[i];
        machine->activity.present[i] = drive->present;
        if (drive->medium != NULL) {
            const BlockCounters *counters = block_counters(drive->medium);
            machine->activity.transfers[i] = counters->reads + counters->writes;
        }
    }
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const BoardNetworkCard *card = &machine->board.network_card[i];
        machine->activity.has_cable[i] = card->link != NULL && network_link_is_up(card->link);
        machine->activity.frames[i] = card->link != NULL ? network_link_frames(card->link) : 0;
    }
}

/* Whoever looks at the picture never makes the guest wait: the request stands until the lock is
 * free. */
void machine_serve_frame(Machine *machine) {
    if (!__atomic_load_n(&machine->frame_wanted, __ATOMIC_ACQUIRE))
        return;
    if (pthread_mutex_trylock(&machine->frame_lock) != 0)
        return;
    __atomic_store_n(&machine->frame_wanted, false, __ATOMIC_RELEASE);
    if (board_render(&machine->board, &machine->frame))
        machine->frame_number++;
    publish_activity(machine);
    pthread_mutex_unlock(&machine->frame_lock);
}

void machine_get_activity(Machine *machine, MachineActivity *activity) {
    pthread_mutex_lock(&machine->frame_lock);
    *activity = machine->activity;
    pthread_mutex_unlock(&machine->frame_lock);
}

const DisplaySurface *machine_lock_frame(Machine *machine, uint64_t *number) {
    pthread_mutex_lock(&machine->frame_lock);
    *number = machine->frame_number;
    return &machine->frame;
}

void machine_unlock_frame(Machine *machine) {
    pthread_mutex_unlock(&machine->frame_lock);
}
