/* The records of a snapshot file that tell what images held (disk_log.h). All numbers in them are
 * little-endian. */
#ifndef REPRISE_DISK_LOG_RECORDS_H
#define REPRISE_DISK_LOG_RECORDS_H

#include "block_unit_map.h"
#include "disk_identity.h"
#include "snapshot_file.h"

#define DISK_LOG_UNIT_BYTES 4096u
#define DISK_LOG_UNITS_MAXIMUM 256u /* in one record */
#define DISK_LOG_IMAGES_MAXIMUM 16u /* in one note of intent */

/*  kind    key                          owner                 data
 *  STAMP   image                        0                     1 byte: open; a DiskIdentity
 *  UNITS   image << 48 | first unit     newest snapshot then  what units held, one to many
 *  INTENT  0                            0                     snapshot, count, count x {image,
 * length} DONE    image                        0                     none LOST    image 0 newest
 * snapshot that is lost for it */
enum {
    DISK_RECORD_STAMP = 0x10,
    DISK_RECORD_UNITS = 0x11,
    DISK_RECORD_INTENT = 0x12,
    DISK_RECORD_DONE = 0x13,
    DISK_RECORD_LOST = 0x14,
};

typedef struct DiskStamp {
    uint32_t image;
    bool open; /* it was being written; not closed since */
    DiskIdentity identity;
} DiskStamp;

bool disk_stamp_append(SnapshotFile *file, const DiskStamp *stamp, Error *error);

/* The image that 'now' is, and its last stamp. Found false: the file does not know it, and
 * stamp->image is the number that it would get. */
bool disk_stamp_find(SnapshotFile *file, const DiskIdentity *now, DiskStamp *stamp, bool *found,
                     Error *error);

/* An image that is to hold what it held at a snapshot. */
typedef struct DiskIntent {
    uint64_t snapshot;
    uint32_t count;
    struct {
        uint32_t image;
        uint64_t length; /* of the image then */
    } images[DISK_LOG_IMAGES_MAXIMUM];
} DiskIntent;

bool disk_intent_append(SnapshotFile *file, const DiskIntent *intent, Error *error);
bool disk_done_append(SnapshotFile *file, uint32_t image, Error *error);
/* What is still to be done for this image: 'snapshot' is 0 if nothing is. */
bool disk_intent_find(SnapshotFile *file, uint32_t image, uint64_t *snapshot, uint64_t *length,
                      Error *error);

bool disk_lost_append(SnapshotFile *file, uint32_t image, uint64_t snapshot, Error *error);
/* The newest snapshot whose contents of this image are lost; 0: none. */
bool disk_lost_find(SnapshotFile *file, uint32_t image, uint64_t *snapshot, Error *error);

uint64_t disk_newest_snapshot(const SnapshotFile *file);

/* The units for which there is a record of this owner. */
void disk_units_list(SnapshotFile *file, uint32_t image, uint64_t owner, BlockUnitMap *units);
/* For each unit that was changed since the snapshot, the record that tells what it held then. */
void disk_units_find(SnapshotFile *file, uint32_t image, uint64_t snapshot, BlockUnitMap *units);
/* What the units of a record held; 'first' is the first one's number. */
bool disk_units_read(SnapshotFile *file, uint32_t record, ByteBuffer *data, uint64_t *first,
                     Error *error);
bool disk_units_append(SnapshotFile *file, uint32_t image, uint64_t owner, uint64_t first,
                       const uint8_t *data, unsigned count, Error *error);
/* Appends the snapshot's records again for the one before it, where that needs them. */
bool disk_units_hand_on(SnapshotFile *file, uint64_t snapshot, Error *error);

#endif
