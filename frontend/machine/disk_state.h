/* What the drives hold, as bytes for a snapshot file: for each drive which medium is in it, and the
 * contents in which that differs from its image file. */
#ifndef REPRISE_DISK_STATE_H
#define REPRISE_DISK_STATE_H

#include "byte_buffer.h"
#include "error.h"
#include "machine.h"
#include "snapshot_file.h"

/* Contents are handed out and asked for in units of as many bytes as a page of memory has, on the
 * disk's multiples of that. */
#define DISK_STATE_UNIT_BYTES 4096u

/* Where contents go while a state is saved: the container keeps a unit (equal ones once, zeros not
 * at all, as it likes) and tells a number by which it will find it. */
typedef struct DiskUnitSink {
    bool (*put)(void *opaque, const uint8_t *unit, uint64_t *reference, Error *error);
    void *opaque;
    /* The file that knows the images that are written straight (disk_logs.h); NULL: none does, and
     * a machine that has such is refused. */
    SnapshotFile *file;
} DiskUnitSink;

/* Where they come from. A reference that the container does not know is an error. */
typedef struct DiskUnitSource {
    bool (*get)(void *opaque, uint64_t reference, uint8_t *unit, Error *error);
    void *opaque;
    SnapshotFile *file; /* as in the sink, and the snapshot's id there */
    uint64_t snapshot;
} DiskUnitSource;

/* How a container saves a snapshot: disk_logs_open_file(); disk_logs_add_media(); where it replaces
 * one, disk_log_hand_on(); it begins its snapshot; disk_state_save(); it commits;
 * disk_logs_renew(). It removes one: disk_log_hand_on(), remove and commit, disk_logs_renew(). */

/* Appends the description to 'buffer', some bytes for each unit, and hands contents to 'sink';
 * NULL: they stand in the buffer too. At most a cluster of them is in memory at a time. */
bool disk_state_save(Machine *machine, ByteBuffer *buffer, const DiskUnitSink *sink, Error *error);

/* No more bytes than this will be handed to the sink. */
uint64_t disk_state_contents_bound(const Machine *machine);

/* Puts media and contents as they were saved into the drives; what was written since is dropped.
 * All or nothing: an image that is missing or was changed since, or damaged bytes, are told in one
 * line before anything is changed. Who has more to load that can fail takes a disk_point_take()
 * before, to return to. */
bool disk_state_load(Machine *machine, ByteReader *reader, const DiskUnitSource *source,
                     Error *error);

/* Whether loading this writes to image files: the snapshot file has to be open for writing then. A
 * machine whose drives have snapshot=on gets what was written straight into overlays. */
bool disk_state_writes_images(const Machine *machine, ByteReader *reader);

/* Calls 'each' for every reference in a saved description, for a container that frees or moves
 * units. False: the bytes are damaged, or 'each' said so. */
bool disk_state_each_reference(ByteReader *reader, bool (*each)(void *opaque, uint64_t reference),
                               void *opaque);

#endif
