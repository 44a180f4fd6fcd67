/* A file with snapshots in it, a tree of them: the container, which knows nothing of machines.
 *
 * A snapshot is a name with a description and *streams*, runs of bytes such as "ram", "machine" or
 * "disks". Streams are cut into pages that are stored once, however often they occur in the file.
 * Besides there are *records*, small pieces that are appended between snapshots at any time.
 *
 * The file only grows at its end; two superblocks at its head take turns in saying what is in it.
 * So a process that is killed at any moment leaves what was there before. ARCHITECTURE.md has the
 * format as a table.
 *
 * Changes (begin, put, remove) are made in memory and in the file behind its end; one call of
 * snapshot_file_commit() makes all of them true, snapshot_file_revert() forgets them. */
#ifndef REPRISE_SNAPSHOT_FILE_H
#define REPRISE_SNAPSHOT_FILE_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_NAME_MAX 255
#define SNAPSHOT_STREAM_NAME_MAX 31
#define SNAPSHOT_STREAM_BYTES_MAX (1ull << 36)
#define SNAPSHOTS_MAX 10000
#define SNAPSHOT_PAGE_BYTES 4096u

typedef struct SnapshotFile SnapshotFile;

typedef struct SnapshotInfo {
    uint64_t id;          /* unique in the file, never used again; the file gives it */
    uint64_t parent;      /* the snapshot whose future this one is; 0: none */
    int64_t date_seconds; /* of the host, since 1970 */
    int64_t clock_ns;     /* of the guest */
    uint64_t instructions;
    uint64_t bytes;    /* all its streams together, zeros left out; the file counts it */
    char *name;        /* unique in the file */
    char *fingerprint; /* lines "what: value" that a machine must have in common with it */
    char *media;       /* what was in the drives, for people */
} SnapshotInfo;

/* ---- Opening ---- */

typedef enum SnapshotMode {
    SNAPSHOT_READ,  /* others may read it too; it must exist */
    SNAPSHOT_WRITE, /* for this process alone; it must exist */
    SNAPSHOT_CREATE /* the same, and made if it is not there (on disk with the first commit) */
} SnapshotMode;

/* NULL on error, with one line that names the path: nobody is kept waiting, a damaged file is not
 * touched. */
SnapshotFile *snapshot_file_open(const char *path, SnapshotMode mode, Error *error);
/* Forgets what was not committed. NULL is allowed. */
void snapshot_file_close(SnapshotFile *file);
const char *snapshot_file_path(const SnapshotFile *file);

/* ---- What is in it ---- */

size_t snapshot_file_count(const SnapshotFile *file);
/* In the order in which they were saved. */
const SnapshotInfo *snapshot_file_info(const SnapshotFile *file, size_t index);
/* By name; NULL if there is none. */
const SnapshotInfo *snapshot_file_find(const SnapshotFile *file, const char *name);
const SnapshotInfo *snapshot_file_find_id(const SnapshotFile *file, uint64_t id);

/* ---- Changing it ---- */

/* Adds a snapshot; 'info' is copied. One of the same name is replaced: removed with the commit that
 * adds this one. Returns its id; 0 on error. */
uint64_t snapshot_file_add(SnapshotFile *file, const SnapshotInfo *info, Error *error);
/* Its children become its parent's. Its records (owner) go with it. */
bool snapshot_file_remove(SnapshotFile *file, uint64_t id, Error *error);

/* Writes a stream of a snapshot, one that is being added or an old one; one of that name is
 * replaced. 'present' (may be NULL) has a byte for each page: 0 where the page is known to be zeros
 * and need not be read. Not NUL: 'data' may be NULL if 'size' is 0. */
bool snapshot_file_put_stream(SnapshotFile *file, uint64_t id, const char *stream, const void *data,
                              uint64_t size, const uint8_t *present, Error *error);

/* Makes all changes true. On an error (a full disk) none is: they are reverted. */
bool snapshot_file_commit(SnapshotFile *file, Error *error);
void snapshot_file_revert(SnapshotFile *file);

/* Writes the file anew without what nobody needs, if that is most of it; after a commit. What goes
 * wrong here leaves the file as it is. */
void snapshot_file_compact(SnapshotFile *file);

/* ---- Reading a snapshot ---- */

/* Streams of a snapshot in memory: read, decoded and found good, all of it. */
typedef struct SnapshotImage SnapshotImage;
SnapshotImage *snapshot_file_read(SnapshotFile *file, uint64_t id, Error *error);
/* One stream of it alone; the image has none if the snapshot does not. */
SnapshotImage *snapshot_file_read_stream(SnapshotFile *file, uint64_t id, const char *stream,
                                         Error *error);
void snapshot_image_free(SnapshotImage *image); /* NULL is allowed */

/* 0 if there is no such stream. */
uint64_t snapshot_image_size(const SnapshotImage *image, const char *stream);
/* The stream's number for the next function; negative if there is no such stream. */
int snapshot_image_find(const SnapshotImage *image, const char *stream);
/* A page of the stream, the last one filled up with zeros; NULL: all of it zeros, or none. */
const uint8_t *snapshot_image_page(const SnapshotImage *image, int stream, uint64_t page);
/* All of it in one piece, to be freed; NULL if there is no such stream or no memory. */
uint8_t *snapshot_image_copy(const SnapshotImage *image, const char *stream, uint64_t *size);

/* ---- Records ---- */

typedef struct SnapshotRecord {
    uint32_t kind;  /* SNAPSHOT_RECORD_* */
    uint32_t size;  /* bytes of data, at most SNAPSHOT_RECORD_BYTES_MAX */
    uint64_t owner; /* id of the snapshot with which it goes; 0: none */
    uint64_t key;   /* the appender's own */
} SnapshotRecord;

#define SNAPSHOT_RECORD_BYTES_MAX (1u << 24)

/* Appends it at once: it is in the file when this returns, without a commit, and found again at the
 * next opening. Not while other changes wait for their commit. */
bool snapshot_file_append_record(SnapshotFile *file, const SnapshotRecord *record, const void *data,
                                 Error *error);
/* In the order in which they were appended. */
size_t snapshot_file_record_count(const SnapshotFile *file);
const SnapshotRecord *snapshot_file_record(const SnapshotFile *file, size_t index);
/* 'data' has room for the record's size. A damaged one is an error. */
bool snapshot_file_read_record(SnapshotFile *file, size_t index, void *data, Error *error);
/* With the next commit. UINT32_MAX: of every kind. */
void snapshot_file_remove_records(SnapshotFile *file, uint32_t kind, uint64_t owner);

/* Returns when all that was written is on stable storage, so that it outlives a loss of power; what
 * a kill leaves needs no such call. */
bool snapshot_file_sync(SnapshotFile *file, Error *error);

#endif
