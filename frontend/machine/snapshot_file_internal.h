/* What the files of the snapshot container share. */
#ifndef REPRISE_SNAPSHOT_FILE_INTERNAL_H
#define REPRISE_SNAPSHOT_FILE_INTERNAL_H

#include "snapshot_directory.h"
#include "snapshot_file.h"
#include "snapshot_index.h"
#include "snapshot_pages.h"

/* Two superblocks, then chunks, which begin at multiples of SNAPSHOT_ALIGNMENT. */
#define SNAPSHOT_SUPERBLOCK_BYTES 512u
#define SNAPSHOT_SUPERBLOCK_DISTANCE 4096u
#define SNAPSHOT_DATA_START (2 * SNAPSHOT_SUPERBLOCK_DISTANCE)
#define SNAPSHOT_ALIGNMENT 16u
#define SNAPSHOT_FORMAT_VERSION 1u

struct SnapshotFile {
    int file;
    char *path;
    SnapshotMode mode;
    bool created; /* by us, and nothing was committed yet */
    bool changed; /* something waits for its commit */
    bool removed; /* chunks may have lost their last user */
    uint64_t sequence;
    uint64_t end; /* where the next chunk goes */
    FilePlace stored_directory;
    SnapshotDirectory directory;
    SnapshotIndex index; /* hash to page number; of chunks that were read or written */
    bool has_index;
};

static inline uint64_t snapshot_align(uint64_t offset) {
    return (offset + SNAPSHOT_ALIGNMENT - 1) & ~(uint64_t)(SNAPSHOT_ALIGNMENT - 1);
}

/* snapshot_file.c: puts the path before the message; returns false. */
bool snapshot_file_fail(const SnapshotFile *file, Error *error);
/* Writes a chunk at the end of the file. */
struct SnapshotChunk;
bool snapshot_file_append_chunk(SnapshotFile *file, struct SnapshotChunk *chunk, const void *data,
                                size_t size, bool compress, FilePlace *place, Error *error);
/* Reads the directory that the newer superblock names, and the records behind it. */
bool snapshot_file_load_directory(SnapshotFile *file, Error *error);
bool snapshot_file_write_superblock(int file, uint64_t sequence, FilePlace directory, uint64_t end,
                                    Error *error);

/* snapshot_read.c: a stream's map, one number a page, to be freed; NULL on error. All numbers are
 * those of pages that exist. */
uint32_t *snapshot_file_read_map(SnapshotFile *file, const StreamEntry *stream, Error *error);

/* snapshot_read.c: decodes a chunk of pages; 'content' has room for SNAPSHOT_CHUNK_PAGES. Any
 * thread. */
bool snapshot_file_read_pages(SnapshotFile *file, uint32_t chunk, uint8_t *content, Error *error);

/* snapshot_compact.c: forgets chunks of pages that no stream uses. */
void snapshot_file_free_chunks(SnapshotFile *file);
/* What a process left that was killed while it compacted. */
void snapshot_file_remove_leftover(const SnapshotFile *file);

#endif
