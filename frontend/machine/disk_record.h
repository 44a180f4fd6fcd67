/* One drive in a saved description of disks. */
#ifndef REPRISE_DISK_RECORD_H
#define REPRISE_DISK_RECORD_H

#include "board.h"
#include "disk_identity.h"
#include "ide.h"

/* An image may be shorter than the floppy that it is, and is made longer when its end is written.
 */
#define DISK_GROWTH_MAXIMUM (4u << 20)

typedef struct DiskRecord {
    char id[32];
    bool present, has_medium;
    bool snapshot, read_only; /* as the drive was asked for */
    IdeGeometry geometry;     /* of a hard disk */

    /* The medium, if there is one. */
    bool is_protected; /* the guest cannot write to it */
    bool is_overlay;   /* what it wrote follows; else the image file has it */
    uint32_t image;    /* of a medium that is neither: its number in the snapshot file */
    DiskIdentity identity;
    uint64_t length; /* of what the guest sees, in bytes */
} DiskRecord;

/* What a description begins with. */
void disk_head_save(ByteBuffer *buffer);
bool disk_head_load(ByteReader *reader, Error *error);

/* Sets the error. */
bool disk_record_damaged(Error *error);

void disk_record_save(const DiskRecord *record, ByteBuffer *buffer);
/* False: the bytes are damaged. */
bool disk_record_load(DiskRecord *record, ByteReader *reader);

/* The guest writes to the image file itself. */
bool disk_record_is_straight(const DiskRecord *record);

/* So it will after it was loaded into this drive: unless the drive has snapshot=on by now. */
bool disk_record_stays_straight(const DiskRecord *record, const BoardDrive *drive);

/* Describes what 'drive' is and holds now. */
bool disk_record_find(DiskRecord *record, const Board *board, const BoardDrive *drive,
                      Error *error);

/* After the record of an overlay come its clusters, in order: number, a bit for each unit that
 * differs from the image, and those units' references. The last one is DISK_CLUSTERS_END. */
#define DISK_CLUSTERS_END UINT64_MAX
#define DISK_UNITS_A_CLUSTER 16u

#endif
