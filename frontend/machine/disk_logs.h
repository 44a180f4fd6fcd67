/* The snapshot files that a machine has open, and which of its drives' images they watch.
 *
 * Whoever writes to an image for which snapshots exist has to keep what it held. So a snapshot file
 * is open as long as such an image is: 'IMAGE.snapshots' beside each image that is written, even
 * if this run makes no snapshot, and the machine's own. */
#ifndef REPRISE_DISK_LOGS_H
#define REPRISE_DISK_LOGS_H

#include "disk_log.h"
#include "machine.h"

typedef struct DiskLogs DiskLogs;

#define DISK_SNAPSHOTS_SUFFIX ".snapshots"

/* Opens the file, or finds it open; it stays open until the machine goes. Media that it knows are
 * watched from then on. */
SnapshotFile *disk_logs_open_file(Machine *machine, const char *path, SnapshotMode mode,
                                  Error *error);

/* The file, if it is open; else NULL. */
SnapshotFile *disk_logs_find_file(Machine *machine, const char *path);

bool disk_logs_hold_file(Machine *machine, const SnapshotFile *file);

/* Whether some drive writes straight to its image. */
bool disk_logs_are_needed(const Machine *machine);

/* Makes the file know all media that are written straight to their images. Before a snapshot is
 * added to it. */
bool disk_logs_add_media(Machine *machine, SnapshotFile *file, Error *error);

/* After snapshots were added to the file or removed from it. */
void disk_logs_renew(Machine *machine, SnapshotFile *file);

/* The log in this file of the medium in a drive; NULL if there is none. */
DiskLog *disk_logs_find(Machine *machine, const SnapshotFile *file, const BlockNode *medium);

/* All logs: disk_log_next() has the others. */
DiskLog *disk_logs_first(Machine *machine);

/* A medium comes: if its image is written, whatever files watch it have to be open; if it is only
 * read, it must not be half way back to a snapshot. */
bool disk_logs_watch(Machine *machine, BlockNode *medium, Error *error);

/* The machine goes: images are stamped, files closed. */
void disk_logs_close(Machine *machine);

#endif
