/* What all drives hold, and which medium is in which, at one time: the disks' part of a checkpoint.
 * What the guest knows of its media (trays, locks, changes) is State, which others restore.
 *
 * Taking one costs nothing but what is written afterwards: old contents are kept on the first write
 * (block_history.h), of temporary overlays and image files alike. A medium that is taken out while
 * a point knows it stays open, with what the guest wrote to it. Points form a tree and may be freed
 * in any order. */
#ifndef REPRISE_DISK_POINT_H
#define REPRISE_DISK_POINT_H

#include "error.h"
#include "machine.h"

typedef struct DiskPoint DiskPoint;

/* All on the machine's thread, between two instructions. */
DiskPoint *disk_point_take(Machine *machine, Error *error);

/* Puts media and contents back: all of them or, on an error, none. To be done before State is
 * restored, which cannot fail. */
bool disk_point_return(Machine *machine, DiskPoint *point, Error *error);

/* NULL is allowed; also after the machine was destroyed. */
void disk_point_free(DiskPoint *point);

#endif
