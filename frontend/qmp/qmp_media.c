/* Removable media: trays, what lies in them, and eject and change in one step. */
#include "qmp_block.h"

#include <stdlib.h>
#include <string.h>

static BoardDrive *find_by(QmpCall *call, const char *name,
                           bool (*matches)(const Board *board, const BoardDrive *drive,
                                           const char *name)) {
    Board *board = &call->machine->board;
    for (int i = 0; i < BOARD_DRIVES; i++)
        if (board->drive[i].present && matches(board, &board->drive[i], name))
            return &board->drive[i];
    return NULL;
}

static bool has_device_name(const Board *board, const BoardDrive *drive, const char *name) {
    char device[128];
    qmp_drive_device(board, drive, device, sizeof(device));
    return strcmp(device, name) == 0;
}

static bool has_backend_name(const Board *board, const BoardDrive *drive, const char *name) {
    (void)board;
    const char *backend = qmp_drive_backend(drive);
    return *backend != '\0' && strcmp(backend, name) == 0;
}

/* By "id", the device's name, or the old way by "device", the name of its -drive. */
BoardDrive *qmp_find_drive(QmpCall *call) {
    const char *id = qmp_get_string(call, "id");
    const char *device = qmp_get_string(call, "device");
    BoardDrive *drive = NULL;
    if ((id != NULL) == (device != NULL)) {
        qmp_fail(call, QMP_GENERIC_ERROR, "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    drive =
        id != NULL ? find_by(call, id, has_device_name) : find_by(call, device, has_backend_name);
    if (drive == NULL)
        qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Device '%.100s' not found", id ? id : device);
    return drive;
}

static BoardDrive *find_removable(QmpCall *call) {
    BoardDrive *drive = qmp_find_drive(call);
    if (drive == NULL || qmp_drive_is_removable(drive))
        return drive;
    qmp_fail(call, QMP_GENERIC_ERROR, "Device '%.100s' is not removable", drive->id);
    return NULL;
}

static bool move_tray(QmpCall *call, BoardDrive *drive, bool open, bool force) {
    Board *board = &call->machine->board;
    if (open && !force && board_tray_is_locked(board, drive) &&
        !board_move_tray(board, drive, open, false, NULL)) /* the guest is asked */
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "Device '%.100s' is locked and force was not specified, wait for tray to "
                        "open and try again",
                        drive->id);
    return board_move_tray(board, drive, open, force, &call->error);
}

bool qmp_blockdev_open_tray(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    return drive != NULL && move_tray(call, drive, true, qmp_get_bool(call, "force", false));
}

bool qmp_blockdev_close_tray(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    return drive != NULL && move_tray(call, drive, false, false);
}

bool qmp_blockdev_remove_medium(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    return drive != NULL &&
           (drive->medium == NULL ||
            board_place_medium(&call->machine->board, drive, NULL, NULL, &call->error));
}

bool qmp_blockdev_insert_medium(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    const char *name = qmp_get_string(call, "node-name");
    QmpNode *node = qmp_graph_find(call->server, name);
    if (drive == NULL)
        return false;
    if (node == NULL || node->open == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' not found", name);
    if (drive->medium != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "There already is a medium in device '%.100s'",
                        drive->id);
    if (qmp_graph_drive(call, node) != NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' is busy", name);
    if (drive->is_cd && !block_is_read_only(node->open))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Node '%.100s' is not read-only, as CDs are",
                        name);
    return board_place_medium(&call->machine->board, drive, node->open, name, &call->error);
}

bool qmp_eject(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    return drive != NULL && move_tray(call, drive, true, qmp_get_bool(call, "force", false)) &&
           (drive->medium == NULL ||
            board_place_medium(&call->machine->board, drive, NULL, NULL, &call->error));
}

bool qmp_blockdev_change_medium(QmpCall *call) {
    BoardDrive *drive = find_removable(call);
    const char *mode = qmp_get_string(call, "read-only-mode");
    if (drive == NULL)
        return false;
    BlockOptions options = {.path = qmp_get_string(call, "filename"),
                            .format = qmp_get_string(call, "format"),
                            .node_name = drive->id,
                            .read_only = drive->read_only,
                            .snapshot = drive->snapshot,
                            .auto_read_only = true};
    if (mode != NULL && strcmp(mode, "retain") != 0)
        options.read_only = drive->is_cd || strcmp(mode, "read-only") == 0;
    if (!board_change_medium(&call->machine->board, drive, &options,
                             qmp_get_bool(call, "force", false), &call->error))
        return false;
    drive->node_name[0] = '\0';
    return true;
}
