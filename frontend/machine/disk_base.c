#include "disk_base.h"
#include "allocate.h"
#include "board_drives.h"
#include "disk_media.h"
#include "machine_parts.h"

#include <stdlib.h>

typedef struct DriveBase {
    BlockNode *medium; /* nobody writes to it; NULL: empty */
    bool snapshot, read_only;
    IdeGeometry geometry; /* found when the disk was plugged in, whatever is on it by now */
} DriveBase;

struct DiskBase {
    DriveBase drives[BOARD_DRIVES];
};

static bool seal_drive(const Board *board, const BoardDrive *drive, DriveBase *sealed,
                       Error *error) {
    *sealed = (DriveBase){.snapshot = drive->snapshot, .read_only = drive->read_only};
    sealed->geometry = board_drive_geometry(board, drive);
    if (drive->medium == NULL)
        return true;
    sealed->medium = block_share(drive->medium, error);
    return sealed->medium != NULL || error_prefix(error, "%s: ", drive->id);
}

DiskBase *disk_base_create(Machine *machine, Error *error) {
    DiskBase *base = allocate_zeroed(sizeof(*base));
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        if (seal_drive(&machine->board, &machine->board.drive[i], &base->drives[i], error))
            continue;
        disk_base_free(base);
        return NULL;
    }
    return base;
}

void disk_base_free(DiskBase *base) {
    if (base == NULL)
        return;
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        block_close(base->drives[i].medium);
    free(base);
}

bool disk_base_fill_drive(const DiskBase *base, unsigned index, BoardDrive *drive, Error *error) {
    const DriveBase *sealed = &base->drives[index];
    drive->snapshot = sealed->snapshot;
    drive->read_only = sealed->read_only;
    if (sealed->medium == NULL)
        return true;
    drive->medium = block_share(sealed->medium, error);
    return drive->medium != NULL;
}

IdeGeometry disk_base_geometry(const DiskBase *base, unsigned index) {
    return base->drives[index].geometry;
}
