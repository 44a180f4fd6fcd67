/* Media on their way into drives and out, for those who keep what drives held. */
#ifndef REPRISE_DISK_MEDIA_H
#define REPRISE_DISK_MEDIA_H

#include "board.h"
#include "ide.h"

/* Both are there and are one file. */
bool disk_media_same_file(const char *one, const char *other);

/* Puts 'medium' (NULL: none), which the drive holds from now on, into the drive. The guest is told
 * nothing: its State, which is restored beside, says what it knows. */
void disk_media_restore(Board *board, BoardDrive *drive, BlockNode *medium);

/* Opens a medium for a drive. An image that is written straight may still be open for a checkpoint
 * that knows it: it is the same medium then. */
BlockNode *disk_media_open(Board *board, const BlockOptions *options, Error *error);

/* disk_point.c: the medium that writes to this image, if some point of this board holds it. */
BlockNode *disk_point_find_medium(Board *board, const char *path);
/* The board goes; its points are still to be freed by who took them. */
void disk_point_forget_board(Board *board);

/* disk_base.c: a clone's drive gets what the base has for it. */
struct DiskBase;
bool disk_base_fill_drive(const struct DiskBase *base, unsigned index, BoardDrive *drive,
                          Error *error);
IdeGeometry disk_base_geometry(const struct DiskBase *base, unsigned index);

#endif
