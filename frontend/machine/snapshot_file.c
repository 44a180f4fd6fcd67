/* See snapshot_file.h: opening, the two superblocks, committing. */
#define _GNU_SOURCE
#include "snapshot_file.h"
#include "allocate.h"
#include "host_file.h"
#include "little_endian.h"
#include "snapshot_chunk.h"
#include "snapshot_file_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = "REPRSNAP";
#define CHECKED_BYTES (SNAPSHOT_SUPERBLOCK_BYTES - 4)
#define OPEN_TRIES 10

/*   0 magic   8 version  12 bytes a page   16 sequence   24 directory's place  32 its bytes
 *  40 end of what was written by then      508 CRC-32 */
typedef struct Superblock {
    uint64_t sequence;
    FilePlace directory; /* bytes 0: there is nothing in the file */
    uint64_t end;
} Superblock;

bool snapshot_file_fail(const SnapshotFile *file, Error *error) {
    return error_prefix(error, "%s: ", file->path);
}

/* ---- Superblocks ---- */

bool snapshot_file_write_superblock(int file, uint64_t sequence, FilePlace directory, uint64_t end,
                                    Error *error) {
    uint8_t block[SNAPSHOT_SUPERBLOCK_BYTES] = {0};
    memcpy(block, magic, sizeof(magic));
    store_le32(block + 8, SNAPSHOT_FORMAT_VERSION);
    store_le32(block + 12, SNAPSHOT_PAGE_BYTES);
    store_le64(block + 16, sequence);
    store_le64(block + 24, directory.offset);
    store_le32(block + 32, directory.bytes);
    store_le64(block + 40, end);
    store_le32(block + CHECKED_BYTES, chunk_checksum(0, block, CHECKED_BYTES));
    return chunk_write_bytes(file, sequence % 2 * SNAPSHOT_SUPERBLOCK_DISTANCE, block,
                             sizeof(block), error);
}

typedef enum BlockState { BLOCK_GOOD, BLOCK_NEWER, BLOCK_DAMAGED, BLOCK_FOREIGN } BlockState;

static BlockState decode_superblock(const uint8_t *block, Superblock *result) {
    if (memcmp(block, magic, sizeof(magic)) != 0)
        return BLOCK_FOREIGN;
    if (load_le32(block + 8) > SNAPSHOT_FORMAT_VERSION)
        return BLOCK_NEWER;
    if (load_le32(block + CHECKED_BYTES) != chunk_checksum(0, block, CHECKED_BYTES) ||
        load_le32(block + 12) != SNAPSHOT_PAGE_BYTES)
        return BLOCK_DAMAGED;
    result->sequence = load_le64(block + 16);
    result->directory = (FilePlace){load_le64(block + 24), load_le32(block + 32)};
    result->end = load_le64(block + 40);
    return result->end >= SNAPSHOT_DATA_START ? BLOCK_GOOD : BLOCK_DAMAGED;
}

/* The newer of the two that are whole. While one is written the other one stands. */
static bool read_superblock(int file, Superblock *newest, Error *error) {
    bool found = false;
    BlockState best = BLOCK_FOREIGN;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[SNAPSHOT_SUPERBLOCK_BYTES];
        Superblock block;
        Error ignored = {.set = false};
        if (!chunk_read_bytes(file, i * SNAPSHOT_SUPERBLOCK_DISTANCE, bytes, sizeof(bytes),
                              &ignored))
            continue;
        BlockState state = decode_superblock(bytes, &block);
        if (state == BLOCK_NEWER)
            return error_set(error,
                             "it was written by a newer version of this program (format %u, "
                             "known is %u)",
                             load_le32(bytes + 8), SNAPSHOT_FORMAT_VERSION);
        if (state < best)
            best = state;
        if (state == BLOCK_GOOD && (!found || block.sequence > newest->sequence)) {
            *newest = block;
            found = true;
        }
    }
    if (found)
        return true;
    return best == BLOCK_DAMAGED ? error_set(error, "the file is damaged at its head")
                                 : error_set(error, "this is no file of snapshots");
}

/* ---- Reading what is in it ---- */

static bool read_directory(SnapshotFile *file, const Superblock *block, Error *error) {
    enum { DIRECTORY_BYTES_MAX = 1 << 28 };
    SnapshotChunk chunk;
    if (block->directory.bytes == 0)
        return true;
    if (!chunk_read_header(file->file, block->directory.offset, block->end, CHUNK_DIRECTORY, &chunk,
                           error))
        return false;
    if (chunk.raw_bytes > DIRECTORY_BYTES_MAX)
        return error_set(error, "the file is damaged: its directory is too large");
    uint8_t *bytes = allocate_zeroed((size_t)chunk.raw_bytes + 1);
    ByteReader reader = {.data = bytes, .size = chunk.raw_bytes};
    bool good = chunk_read_data(file->file, block->directory.offset, &chunk, bytes, error) &&
                snapshot_directory_decode(&file->directory, &reader, SNAPSHOT_DATA_START,
                                          block->end, error);
    free(bytes);
    return good;
}

static bool record_is_whole(SnapshotFile *file, uint64_t offset, const SnapshotChunk *chunk) {
    Error ignored = {.set = false};
    uint8_t *data = malloc((size_t)chunk->raw_bytes + 1);
    bool whole = data != NULL && chunk_read_data(file->file, offset, chunk, data, &ignored);
    free(data);
    return whole;
}

/* Records that were appended since the last commit stand behind it, one after the other. The first
 * piece that is none, or not whole, is what a kill left of something that was never finished. */
static void read_records(SnapshotFile *file, uint64_t end) {
    SnapshotChunk chunk;
    Error ignored = {.set = false};
    while (chunk_read_header(file->file, file->end, end, CHUNK_RECORD, &chunk, &ignored) &&
           chunk.raw_bytes <= SNAPSHOT_RECORD_BYTES_MAX &&
           record_is_whole(file, file->end, &chunk)) {
        RecordEntry entry = {
            .record = {chunk.tag, chunk.raw_bytes, chunk.owner, chunk.key},
            .place = {file->end, CHUNK_HEADER_BYTES + chunk.stored_bytes},
        };
        snapshot_directory_add_record(&file->directory, &entry);
        file->end = snapshot_align(file->end + entry.place.bytes);
    }
}

bool snapshot_file_load_directory(SnapshotFile *file, Error *error) {
    Superblock block = {.sequence = 0};
    struct stat status;
    snapshot_directory_free(&file->directory);
    snapshot_index_free(&file->index);
    file->has_index = file->changed = file->removed = false;
    if (fstat(file->file, &status) != 0)
        return error_set(error, "cannot read: %s", strerror(errno));
    if (!read_superblock(file->file, &block, error))
        return false;
    if ((uint64_t)status.st_size < block.end)
        return error_set(error, "the file is cut: it has %llu bytes of %llu",
                         (unsigned long long)status.st_size, (unsigned long long)block.end);
    file->sequence = block.sequence;
    file->stored_directory = block.directory;
    file->end = block.end;
    if (!read_directory(file, &block, error))
        return false;
    read_records(file, (uint64_t)status.st_size);
    return true;
}

/* ---- Opening ---- */

static bool lock(SnapshotFile *file, Error *error) {
    if (host_file_lock(file->file, file->mode != SNAPSHOT_READ))
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(error, "another machine has the file open");
    return error_set(error, "cannot lock the file: %s", strerror(errno));
}

/* Compacting puts another file at the path: was it done while we waited? */
static bool is_at_path(const SnapshotFile *file) {
    struct stat here, there;
    return fstat(file->file, &here) == 0 && stat(file->path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static bool open_and_lock(SnapshotFile *file, Error *error) {
    int flags = O_CLOEXEC | (file->mode == SNAPSHOT_READ ? O_RDONLY : O_RDWR) |
                (file->mode == SNAPSHOT_CREATE ? O_CREAT : 0);
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        struct stat status;
        file->file = open(file->path, flags, 0666);
        if (file->file < 0)
            return error_set(error, "cannot open: %s", strerror(errno));
        if (fstat(file->file, &status) != 0 || !S_ISREG(status.st_mode))
            return error_set(error, "this is no file of snapshots");
        if (!lock(file, error))
            return false;
        if (is_at_path(file))
            return true;
        close(file->file);
        file->file = -1;
    }
    return error_set(error, "the file is exchanged all the time");
}

/* An empty file is one that was never finished. */
static bool create_if_empty(SnapshotFile *file, Error *error) {
    struct stat status;
    if (file->mode != SNAPSHOT_CREATE || fstat(file->file, &status) != 0 || status.st_size != 0)
        return true;
    uint8_t zeros[SNAPSHOT_DATA_START] = {0};
    file->created = true;
    return chunk_write_bytes(file->file, 0, zeros, sizeof(zeros), error) &&
           snapshot_file_write_superblock(file->file, 0, (FilePlace){0, 0}, SNAPSHOT_DATA_START,
                                          error);
}

/* What a kill left behind the end must not be taken for records once there are new ones before it.
 */
static bool cut_off_rest(const SnapshotFile *file, Error *error) {
    if (file->mode == SNAPSHOT_READ)
        return true;
    snapshot_file_remove_leftover(file);
    return ftruncate(file->file, (off_t)file->end) == 0 ||
           error_set(error, "cannot write: %s", strerror(errno));
}

SnapshotFile *snapshot_file_open(const char *path, SnapshotMode mode, Error *error) {
    SnapshotFile *file = allocate_zeroed(sizeof(*file));
    file->path = allocate_zeroed(strlen(path) + 1);
    strcpy(file->path, path);
    file->mode = mode;
    file->file = -1;
    if (open_and_lock(file, error) && create_if_empty(file, error) &&
        snapshot_file_load_directory(file, error) && cut_off_rest(file, error))
        return file;
    snapshot_file_fail(file, error);
    snapshot_file_close(file);
    return NULL;
}

void snapshot_file_close(SnapshotFile *file) {
    if (file == NULL)
        return;
    if (file->changed)
        snapshot_file_revert(file);
    if (file->created && file->sequence == 0 && file->directory.record_count == 0)
        unlink(file->path);
    if (file->file >= 0)
        close(file->file);
    snapshot_directory_free(&file->directory);
    snapshot_index_free(&file->index);
    free(file->path);
    free(file);
}

const char *snapshot_file_path(const SnapshotFile *file) {
    return file->path;
}

/* ---- What is in it ---- */

size_t snapshot_file_count(const SnapshotFile *file) {
    return file->directory.count;
}

const SnapshotInfo *snapshot_file_info(const SnapshotFile *file, size_t index) {
    return &file->directory.entries[index].info;
}

const SnapshotInfo *snapshot_file_find(const SnapshotFile *file, const char *name) {
    const SnapshotEntry *entry = snapshot_directory_find_name(&file->directory, name);
    return entry != NULL ? &entry->info : NULL;
}

const SnapshotInfo *snapshot_file_find_id(const SnapshotFile *file, uint64_t id) {
    const SnapshotEntry *entry = snapshot_directory_find(&file->directory, id);
    return entry != NULL ? &entry->info : NULL;
}

/* ---- Changes ---- */

static bool check_writable(const SnapshotFile *file, Error *error) {
    return file->mode != SNAPSHOT_READ || error_set(error, "the file is open for reading");
}

static bool check_new(const SnapshotFile *file, const SnapshotInfo *info, Error *error) {
    size_t length = strlen(info->name);
    if (length == 0 || length > SNAPSHOT_NAME_MAX)
        return error_set(error, "a snapshot's name has 1 to %d characters", SNAPSHOT_NAME_MAX);
    for (const char *at = info->name; *at != 0; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return error_set(error, "a snapshot's name has no control characters");
    if (file->directory.count >= SNAPSHOTS_MAX)
        return error_set(error, "there is no room for more than %d snapshots", SNAPSHOTS_MAX);
    return check_writable(file, error);
}

uint64_t snapshot_file_add(SnapshotFile *file, const SnapshotInfo *info, Error *error) {
    if (!check_new(file, info, error)) {
        snapshot_file_fail(file, error);
        return 0;
    }
    SnapshotInfo added = *info;
    const SnapshotEntry *same = snapshot_directory_find_name(&file->directory, info->name);
    if (same != NULL) {
        added.parent = same->info.id == info->parent ? same->info.parent : info->parent;
        snapshot_directory_remove(&file->directory, same->info.id);
        file->removed = true;
    }
    if (snapshot_directory_find(&file->directory, added.parent) == NULL)
        added.parent = 0;
    added.id = file->directory.next_id++;
    added.bytes = 0;
    snapshot_directory_add(&file->directory, &added);
    file->changed = true;
    return added.id;
}

bool snapshot_file_remove(SnapshotFile *file, uint64_t id, Error *error) {
    if (!check_writable(file, error))
        return snapshot_file_fail(file, error);
    if (snapshot_directory_find(&file->directory, id) == NULL)
        return error_set(error, "%s: there is no snapshot with number %llu", file->path,
                         (unsigned long long)id);
    snapshot_directory_remove(&file->directory, id);
    file->changed = file->removed = true;
    return true;
}

bool snapshot_file_append_chunk(SnapshotFile *file, SnapshotChunk *chunk, const void *data,
                                size_t size, bool compress, FilePlace *place, Error *error) {
    if (size > UINT32_MAX - CHUNK_HEADER_BYTES)
        return error_set(error, "a piece of the file would be too large");
    if (!chunk_write(file->file, file->end, chunk, data, size, compress, error))
        return false;
    *place = (FilePlace){file->end, CHUNK_HEADER_BYTES + chunk->stored_bytes};
    file->end = snapshot_align(file->end + place->bytes);
    return true;
}

static bool flush(const SnapshotFile *file, Error *error) {
    return fdatasync(file->file) == 0 || error_set(error, "cannot write: %s", strerror(errno));
}

/* Everything is on stable storage before the superblock says that it is there. */
static bool write_commit(SnapshotFile *file, Error *error) {
    ByteBuffer bytes = {.data = NULL};
    SnapshotChunk chunk = {.kind = CHUNK_DIRECTORY};
    snapshot_directory_encode(&file->directory, &bytes);
    bool good = snapshot_file_append_chunk(file, &chunk, bytes.data, bytes.size, true,
                                           &file->stored_directory, error);
    byte_buffer_free(&bytes);
    return good && ftruncate(file->file, (off_t)file->end) == 0 && flush(file, error) &&
           snapshot_file_write_superblock(file->file, file->sequence + 1, file->stored_directory,
                                          file->end, error) &&
           flush(file, error);
}

bool snapshot_file_commit(SnapshotFile *file, Error *error) {
    if (!file->changed)
        return true;
    if (file->removed)
        snapshot_file_free_chunks(file);
    if (write_commit(file, error)) {
        file->sequence++;
        file->changed = file->removed = false;
        return true;
    }
    error_set(error, "cannot write: %s", strerror(errno));
    snapshot_file_revert(file);
    return snapshot_file_fail(file, error);
}

void snapshot_file_revert(SnapshotFile *file) {
    Error ignored = {.set = false};
    if (!file->changed)
        return;
    /* If even this fails, there is nothing in the file for us; what is in it stays. */
    if (snapshot_file_load_directory(file, &ignored))
        ignored.set = ftruncate(file->file, (off_t)file->end) != 0;
    else
        file->mode = SNAPSHOT_READ;
}

bool snapshot_file_sync(SnapshotFile *file, Error *error) {
    return flush(file, error) || snapshot_file_fail(file, error);
}

/* ---- Records ---- */

bool snapshot_file_append_record(SnapshotFile *file, const SnapshotRecord *record, const void *data,
                                 Error *error) {
    SnapshotChunk chunk = {
        .kind = CHUNK_RECORD, .tag = record->kind, .owner = record->owner, .key = record->key};
    RecordEntry entry = {.record = *record};
    if (!check_writable(file, error))
        return snapshot_file_fail(file, error);
    if (file->changed || record->size > SNAPSHOT_RECORD_BYTES_MAX)
        return error_set(error, "%s: a record cannot be appended now", file->path);
    if (!snapshot_file_append_chunk(file, &chunk, data, record->size, false, &entry.place, error)) {
        if (ftruncate(file->file, (off_t)file->end) != 0)
            error_set(error, "cannot write: %s", strerror(errno));
        return snapshot_file_fail(file, error);
    }
    snapshot_directory_add_record(&file->directory, &entry);
    return true;
}

size_t snapshot_file_record_count(const SnapshotFile *file) {
    return file->directory.record_count;
}

const SnapshotRecord *snapshot_file_record(const SnapshotFile *file, size_t index) {
    return &file->directory.records[index].record;
}

bool snapshot_file_read_record(SnapshotFile *file, size_t index, void *data, Error *error) {
    const RecordEntry *entry = &file->directory.records[index];
    uint64_t end = entry->place.offset + entry->place.bytes;
    SnapshotChunk chunk;
    bool good =
        chunk_read_header(file->file, entry->place.offset, end, CHUNK_RECORD, &chunk, error);
    if (good && chunk.raw_bytes != entry->record.size)
        good = error_set(error, "the file is damaged at byte %llu",
                         (unsigned long long)entry->place.offset);
    return (good && chunk_read_data(file->file, entry->place.offset, &chunk, data, error)) ||
           snapshot_file_fail(file, error);
}

void snapshot_file_remove_records(SnapshotFile *file, uint32_t kind, uint64_t owner) {
    snapshot_directory_remove_records(&file->directory, kind, owner);
    file->changed = true;
}
