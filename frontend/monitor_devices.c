/* 'info' about chips: block, device, hash. */
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "monitor_command.h"

#include <string.h>

static void print_drive(Monitor *monitor, const Board *board, const BoardDrive *drive) {
    if (drive->medium == NULL)
        monitor_print(monitor, "%s: [not inserted]\n", drive->id);
    else
        monitor_print(monitor, "%s: %s (%s%s)\n", drive->id, block_path(drive->medium),
                      block_format(drive->medium),
                      block_is_read_only(drive->medium) ? ", read-only" : "");
    if (drive->is_floppy || drive->is_cd)
        monitor_print(monitor, "    Removable device: %slocked, tray %s\n",
                      board_tray_is_locked(board, drive) ? "" : "not ",
                      board_tray_is_open(board, drive) ? "open" : "closed");
    if (drive->snapshot)
        monitor_print(monitor, "    Writes are temporary\n");
}

bool monitor_info_block(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    const Board *board = &monitor->machine->board;
    bool first = true;
    for (int i = 0; i < BOARD_DRIVES; i++) {
        if (!board->drive[i].present)
            continue;
        monitor_print(monitor, "%s", first ? "" : "\n");
        print_drive(monitor, board, &board->drive[i]);
        first = false;
    }
    return true;
}

bool monitor_info_device(Monitor *monitor, char *arguments, Error *error) {
    const DeviceList *devices = &monitor->machine->devices;
    char *id = monitor_next_word(&arguments);
    for (int i = 0; i < devices->count; i++) {
        const DeviceEntry *entry = &devices->entries[i];
        if (id == NULL) {
            monitor_print(monitor, "%s (%s)\n", entry->id, entry->device_class->name);
        } else if (strcmp(entry->id, id) == 0) {
            field_table_print(entry->device_class->fields, entry->state, &monitor->output);
            return true;
        }
    }
    return id == NULL || error_set(error, "Device '%s' not found", id);
}

bool monitor_info_hash(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    monitor_print(monitor, "%016llx\n", (unsigned long long)machine_state_hash(monitor->machine));
    return true;
}
