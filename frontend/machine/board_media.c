/* Media in steps: trays that open and close, what lies in them, and overlays that come over a disk.
 */
#include "board_drives.h"
#include "disk_media.h"
#include "i82077.h"
#include "machine_parts.h"

#include <stdio.h>

static void name_node(BoardDrive *drive, const char *name) {
    snprintf(drive->node_name, sizeof(drive->node_name), "%s", name != NULL ? name : "");
}

bool board_move_tray(Board *board, BoardDrive *drive, bool open, bool force, Error *error) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    if (drive->is_floppy)
        return true;
    if (!drive->is_cd || channel == NULL)
        return error_set(error, "Device '%s' does not have a tray", drive->id);
    bool good = ide_channel_move_tray(channel, unit, open, force, error);
    machine_tell_trays(board->machine);
    return good;
}

bool board_place_medium(Board *board, BoardDrive *drive, BlockNode *medium, const char *node_name,
                        Error *error) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    if (drive->is_floppy) {
        if (!i82077_change_media(board->floppy, drive->unit, medium, error))
            return false;
    } else if (drive->is_cd && channel != NULL && ide_channel_tray_is_open(channel, unit)) {
        ide_channel_place_medium(channel, unit, medium);
    } else {
        return error_set(error, "Tray of device '%s' is not open", drive->id);
    }
    block_close(drive->medium);
    drive->medium = block_hold(medium);
    name_node(drive, node_name);
    return true;
}

void board_cover_medium(Board *board, BoardDrive *drive, BlockNode *over, const char *node_name) {
    disk_media_restore(board, drive, block_hold(over));
    name_node(drive, node_name);
}
