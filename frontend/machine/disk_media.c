#include "disk_media.h"
#include "board_drives.h"
#include "disk_logs.h"
#include "host_file.h"

bool disk_media_same_file(const char *one, const char *other) {
    struct stat first, second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

void disk_media_restore(Board *board, BoardDrive *drive, BlockNode *medium) {
    board_drive_restore_medium(board, drive, medium);
    block_close(drive->medium);
    drive->medium = medium;
}

static bool is_in_a_drive(const Board *board, const BlockNode *medium) {
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        if (board->drive[i].medium == medium)
            return true;
    return false;
}

BlockNode *disk_media_open(Board *board, const BlockOptions *options, Error *error) {
    if (!options->read_only && !options->snapshot && options->path != NULL) {
        BlockNode *kept = disk_point_find_medium(board, options->path);
        if (kept != NULL && !is_in_a_drive(board, kept))
            return block_hold(kept);
    }
    BlockNode *medium = block_open(options, error);
    if (medium != NULL && !disk_logs_watch(board->machine, medium, error)) {
        block_close(medium);
        return NULL;
    }
    return medium;
}
