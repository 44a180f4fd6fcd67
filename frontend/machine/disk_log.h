/* What an image held when snapshots were taken, where the guest writes straight to the image: old
 * contents, appended to the snapshot file before the image is overwritten.
 *
 * The image's past is one line, whatever the tree of snapshots looks like: going back to a snapshot
 * is one more write to the image. A record has the units that a write was about to change and, as
 * owner, the newest snapshot of that time; it is made for units that have none yet of that owner.
 * So what snapshot S had in a unit is in the unit's record with the smallest owner from S on; and
 * where there is none the image has it still.
 *
 * A snapshot file may know several images, by number. Its stamps tell name, size and time of change
 * that an image had when it was closed: one that somebody else wrote meanwhile has lost its
 * snapshots. (After a kill, which leaves a stamp that says 'open', nobody can tell.) */
#ifndef REPRISE_DISK_LOG_H
#define REPRISE_DISK_LOG_H

#include "block.h"
#include "snapshot_file.h"

typedef struct DiskLog DiskLog;

/* Watches the image from now on, as the first in '*list'; what a kill left of a return to a
 * snapshot is done first. Nothing happens where the file does not know the image, unless 'add'.
 * 'file' must not go before the log; the node may, and takes the log with it. */
bool disk_log_attach(SnapshotFile *file, BlockNode *medium, bool add, DiskLog **list, Error *error);

/* Remembers the image as it is now. NULL is allowed. */
void disk_log_detach(DiskLog *log);

SnapshotFile *disk_log_file(const DiskLog *log);
DiskLog *disk_log_next(const DiskLog *log); /* in the list */
BlockNode *disk_log_medium(const DiskLog *log);

/* Its number in the file. */
uint32_t disk_log_image(const DiskLog *log);

/* Snapshots of the file were added or removed: after the commit. */
void disk_log_renew(DiskLog *log);

/* Whether the image can be brought back to what it was; else an error that names it. */
bool disk_log_check(DiskLog *log, uint64_t snapshot, Error *error);

/* An image to bring back to a snapshot. */
typedef struct DiskReturn {
    DiskLog *log;
    uint64_t length; /* of the image then */
} DiskReturn;

/* Brings back all of them, in one file. Once that has begun a kill does not stop it: it is finished
 * when the image is next opened. On an error the images hold what they held before, so far as
 * they take writes at all. */
bool disk_log_return(const DiskReturn *returns, unsigned count, uint64_t snapshot, Error *error);

/* Whether the file knows the image that the medium lies on by this number. */
bool disk_log_knows(SnapshotFile *file, const BlockNode *medium, uint32_t image);

/* For somebody who only reads the image: an error where a return to a snapshot was begun and not
 * finished. */
bool disk_log_check_whole(SnapshotFile *file, const BlockNode *medium, Error *error);

/* Makes an overlay over the image hold what the image held at a snapshot; image and file are only
 * read. */
bool disk_log_copy(SnapshotFile *file, uint32_t image, uint64_t snapshot, BlockNode *overlay,
                   uint64_t length, Error *error);

/* To be called before a snapshot is removed from the file: hands on records that older ones need.
 */
bool disk_log_hand_on(SnapshotFile *file, uint64_t snapshot, Error *error);

#endif
