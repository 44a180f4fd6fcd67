/* Removable media: change, eject. */
#include "machine_action.h"
#include "machine_parts.h"
#include "monitor_command.h"

#include <string.h>

static BoardDrive *find_removable(Monitor *monitor, const char *id, Error *error) {
    BoardDrive *drive = board_find_drive(&monitor->machine->board, id);
    if (drive == NULL) {
        error_set(error, "Error: Device '%s' not found", id);
        return NULL;
    }
    if (!drive->is_floppy && !drive->is_cd) {
        error_set(error, "Error: Device '%s' is not removable", id);
        return NULL;
    }
    return drive;
}

static bool read_mode(const char *mode, BlockOptions *options, Error *error) {
    if (mode == NULL || strcmp(mode, "retain") == 0)
        return true;
    options->read_only = strcmp(mode, "read-only") == 0;
    return options->read_only || strcmp(mode, "read-write") == 0 ||
           error_set(error, "Error: the mode is read-only or read-write, not '%s'", mode);
}

bool monitor_change(Monitor *monitor, char *arguments, Error *error) {
    char *id = monitor_next_word(&arguments);
    char *path = monitor_next_word(&arguments);
    bool force = path != NULL && strcmp(path, "-f") == 0;
    if (force)
        path = monitor_next_word(&arguments);
    char *format = monitor_next_word(&arguments);
    char *mode = monitor_next_word(&arguments);
    if (id == NULL || path == NULL)
        return error_set(error, "change: block device name and file name expected");
    if (strcmp(id, "vnc") == 0 && strcmp(path, "password") == 0)
        return monitor_set_vnc_password(monitor, format, error);
    BoardDrive *drive = find_removable(monitor, id, error);
    if (drive == NULL)
        return false;
    BlockOptions options = {.path = path,
                            .format = format,
                            .node_name = drive->id,
                            .read_only = drive->read_only,
                            .snapshot = drive->snapshot,
                            .auto_read_only = true};
    if (!read_mode(mode, &options, error))
        return false;
    return machine_change_medium(monitor->machine, drive, &options, force, error) ||
           error_prefix(error, "Error: ");
}

bool monitor_eject(Monitor *monitor, char *arguments, Error *error) {
    char *id = monitor_next_word(&arguments);
    bool force = id != NULL && strcmp(id, "-f") == 0;
    if (force)
        id = monitor_next_word(&arguments);
    if (id == NULL)
        return error_set(error, "eject: block device name expected");
    BoardDrive *drive = find_removable(monitor, id, error);
    return drive != NULL &&
           (machine_eject(monitor->machine, drive, force, error) || error_prefix(error, "Error: "));
}
