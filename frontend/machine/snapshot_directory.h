/* What is in a snapshot file and where: snapshots with their streams, chunks of pages, records. In
 * memory a set of lists, in the file one chunk. */
#ifndef REPRISE_SNAPSHOT_DIRECTORY_H
#define REPRISE_SNAPSHOT_DIRECTORY_H

#include "byte_buffer.h"
#include "error.h"
#include "snapshot_file.h"

/* A piece of the file, with its header. */
typedef struct FilePlace {
    uint64_t offset;
    uint32_t bytes; /* 0: nothing */
} FilePlace;

typedef struct StreamEntry {
    char name[SNAPSHOT_STREAM_NAME_MAX + 1];
    uint64_t size;
    uint32_t pages; /* those that are not zeros */
    FilePlace map;
} StreamEntry;

typedef struct SnapshotEntry {
    SnapshotInfo info;
    StreamEntry *streams;
    size_t stream_count, stream_capacity;
} SnapshotEntry;

/* A chunk of pages; its number is its index, which stays. bytes 0: the number is free. */
typedef struct PageChunkEntry {
    FilePlace place;
    uint32_t pages;
} PageChunkEntry;

typedef struct RecordEntry {
    SnapshotRecord record;
    FilePlace place;
} RecordEntry;

typedef struct SnapshotDirectory {
    uint64_t next_id;
    SnapshotEntry *entries;
    size_t count, capacity;
    PageChunkEntry *chunks;
    size_t chunk_count, chunk_capacity;
    RecordEntry *records;
    size_t record_count, record_capacity;
} SnapshotDirectory;

/* The most chunks of pages that a page's number (snapshot_pages.h) leaves room for. */
#define DIRECTORY_CHUNKS_MAX (1u << 26)

void snapshot_directory_free(SnapshotDirectory *directory);

SnapshotEntry *snapshot_directory_find(const SnapshotDirectory *directory, uint64_t id);
SnapshotEntry *snapshot_directory_find_name(const SnapshotDirectory *directory, const char *name);
/* 'info' is copied; its id must be the greatest so far. */
SnapshotEntry *snapshot_directory_add(SnapshotDirectory *directory, const SnapshotInfo *info);
/* With its records; its children become its parent's. */
void snapshot_directory_remove(SnapshotDirectory *directory, uint64_t id);

StreamEntry *snapshot_entry_find_stream(const SnapshotEntry *entry, const char *name);
/* The one of that name, or a new one. */
StreamEntry *snapshot_entry_make_stream(SnapshotEntry *entry, const char *name);

void snapshot_directory_add_record(SnapshotDirectory *directory, const RecordEntry *record);
/* Kind UINT32_MAX: of every kind. */
void snapshot_directory_remove_records(SnapshotDirectory *directory, uint32_t kind, uint64_t owner);

void snapshot_directory_encode(const SnapshotDirectory *directory, ByteBuffer *buffer);
/* Into an empty directory. Every place must lie between 'first' and 'end'; everything that others
 * rely on is checked. */
bool snapshot_directory_decode(SnapshotDirectory *directory, ByteReader *reader, uint64_t first,
                               uint64_t end, Error *error);

#endif
