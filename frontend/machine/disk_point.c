#include "disk_point.h"
#include "allocate.h"
#include "block_history.h"
#include "disk_media.h"
#include "machine_parts.h"

#include <stdlib.h>

/* A drive as it was. */
typedef struct DriveContents {
    BlockNode *medium; /* held; NULL: empty */
    BlockPoint *point; /* NULL: the medium cannot be written */
    bool snapshot, read_only;
} DriveContents;

struct DiskPoint {
    DiskPoint *next, **where; /* in the board's list */
    DriveContents drives[BOARD_DRIVES];
};

DiskPoint *disk_point_take(Machine *machine, Error *error) {
    (void)error;
    Board *board = &machine->board;
    DiskPoint *point = allocate_zeroed(sizeof(*point));
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &board->drive[i];
        DriveContents *contents = &point->drives[i];
        contents->medium = block_hold(drive->medium);
        contents->snapshot = drive->snapshot;
        contents->read_only = drive->read_only;
        if (drive->medium != NULL && !block_is_read_only(drive->medium))
            contents->point = block_point_take(drive->medium);
    }
    point->next = board->disk_points;
    point->where = &board->disk_points;
    if (point->next != NULL)
        point->next->where = &point->next;
    board->disk_points = point;
    return point;
}

static bool return_contents(DiskPoint *point, Error *error) {
    bool good = true;
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++)
        if (point->drives[i].point != NULL)
            good = block_point_return(point->drives[i].point, error);
    return good;
}

bool disk_point_return(Machine *machine, DiskPoint *point, Error *error) {
    DiskPoint *before = disk_point_take(machine, error);
    bool good = return_contents(point, error);
    if (!good)
        (void)return_contents(before, NULL);
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++) {
        BoardDrive *drive = &machine->board.drive[i];
        const DriveContents *contents = &point->drives[i];
        disk_media_restore(&machine->board, drive, block_hold(contents->medium));
        drive->snapshot = contents->snapshot;
        drive->read_only = contents->read_only;
    }
    disk_point_free(before);
    return good;
}

static void leave_list(DiskPoint *point) {
    if (point->where == NULL)
        return;
    *point->where = point->next;
    if (point->next != NULL)
        point->next->where = point->where;
    point->where = NULL;
}

void disk_point_free(DiskPoint *point) {
    if (point == NULL)
        return;
    leave_list(point);
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        block_point_free(point->drives[i].point);
        block_close(point->drives[i].medium);
    }
    free(point);
}

void disk_point_forget_board(Board *board) {
    while (board->disk_points != NULL)
        leave_list(board->disk_points);
}

BlockNode *disk_point_find_medium(Board *board, const char *path) {
    for (DiskPoint *point = board->disk_points; point != NULL; point = point->next)
        for (unsigned i = 0; i < BOARD_DRIVES; i++) {
            BlockNode *medium = point->drives[i].medium;
            if (medium != NULL && block_writes_image(medium) &&
                disk_media_same_file(block_path(medium), path))
                return medium;
        }
    return NULL;
}
