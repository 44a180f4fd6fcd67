/* What removed snapshots leave behind: which chunks nobody needs any more, and the file without
 * them. */
#define _GNU_SOURCE
#include "allocate.h"
#include "host_file.h"
#include "snapshot_chunk.h"
#include "snapshot_file_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GARBAGE_MIN (4u << 20)
#define COMPACTING_SUFFIX ".compacting"

static bool mark_stream(SnapshotFile *file, const StreamEntry *stream, uint8_t *used) {
    Error ignored = {.set = false};
    uint32_t *numbers = snapshot_file_read_map(file, stream, &ignored);
    if (numbers == NULL)
        return false;
    uint64_t pages = snapshot_stream_pages(stream->size);
    for (uint64_t page = 0; page < pages; page++)
        if (numbers[page] != 0)
            used[(numbers[page] - 1) / SNAPSHOT_CHUNK_PAGES] = 1;
    free(numbers);
    return true;
}

/* Where a map cannot be read, no chunk is given up. */
static bool mark_all(SnapshotFile *file, uint8_t *used) {
    const SnapshotDirectory *directory = &file->directory;
    for (size_t i = 0; i < directory->count; i++)
        for (size_t j = 0; j < directory->entries[i].stream_count; j++)
            if (!mark_stream(file, &directory->entries[i].streams[j], used))
                return false;
    return true;
}

void snapshot_file_free_chunks(SnapshotFile *file) {
    SnapshotDirectory *directory = &file->directory;
    uint8_t *used = allocate_zeroed(directory->chunk_count + 1);
    if (mark_all(file, used)) {
        for (size_t i = 0; i < directory->chunk_count; i++)
            if (!used[i])
                directory->chunks[i] = (PageChunkEntry){.pages = 0};
        while (directory->chunk_count > 0 &&
               directory->chunks[directory->chunk_count - 1].pages == 0)
            directory->chunk_count--;
        file->has_index = false;
    }
    free(used);
}

/* ---- The file anew ---- */

/* Calls 'visit' for every place that the directory names. */
static bool visit_places(SnapshotDirectory *directory,
                         bool (*visit)(void *opaque, FilePlace *place), void *opaque) {
    for (size_t i = 0; i < directory->chunk_count; i++)
        if (directory->chunks[i].pages != 0 && !visit(opaque, &directory->chunks[i].place))
            return false;
    for (size_t i = 0; i < directory->count; i++)
        for (size_t j = 0; j < directory->entries[i].stream_count; j++)
            if (!visit(opaque, &directory->entries[i].streams[j].map))
                return false;
    for (size_t i = 0; i < directory->record_count; i++)
        if (!visit(opaque, &directory->records[i].place))
            return false;
    return true;
}

static bool add_bytes(void *opaque, FilePlace *place) {
    *(uint64_t *)opaque += snapshot_align(place->bytes);
    return true;
}

typedef struct Copy {
    int from, to;
    uint64_t end;
} Copy;

static bool copy_place(void *opaque, FilePlace *place) {
    Copy *copy = opaque;
    Error error = {.set = false};
    uint8_t *bytes = malloc(place->bytes);
    bool good = bytes != NULL &&
                chunk_read_bytes(copy->from, place->offset, bytes, place->bytes, &error) &&
                chunk_write_bytes(copy->to, copy->end, bytes, place->bytes, &error);
    free(bytes);
    place->offset = copy->end;
    copy->end = snapshot_align(copy->end + place->bytes);
    return good;
}

/* Into 'to', which is locked, so that nobody opens it before we are done with it. */
static bool write_anew(SnapshotFile *file, int to) {
    SnapshotFile anew = {.file = to, .mode = SNAPSHOT_CREATE, .end = SNAPSHOT_DATA_START};
    Copy copy = {.from = file->file, .to = to, .end = SNAPSHOT_DATA_START};
    SnapshotChunk chunk = {.kind = CHUNK_DIRECTORY};
    ByteBuffer bytes = {.data = NULL};
    Error error = {.set = false};
    FilePlace place;
    if (!visit_places(&file->directory, copy_place, &copy))
        return false;
    anew.end = copy.end;
    snapshot_directory_encode(&file->directory, &bytes);
    bool good =
        snapshot_file_append_chunk(&anew, &chunk, bytes.data, bytes.size, true, &place, &error) &&
        ftruncate(to, (off_t)anew.end) == 0 &&
        snapshot_file_write_superblock(to, file->sequence, place, anew.end, &error) &&
        fdatasync(to) == 0;
    byte_buffer_free(&bytes);
    return good;
}

static char *find_path_beside(const SnapshotFile *file) {
    size_t size = strlen(file->path) + sizeof(COMPACTING_SUFFIX);
    char *path = allocate_zeroed(size);
    snprintf(path, size, "%s%s", file->path, COMPACTING_SUFFIX);
    return path;
}

void snapshot_file_remove_leftover(const SnapshotFile *file) {
    char *path = find_path_beside(file);
    unlink(path);
    free(path);
}

/* Next to the file, so that one rename puts it there. Whoever has the file locked is alone here. */
static int create_beside(const SnapshotFile *file, const char *path) {
    struct stat status;
    int made = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (made >= 0 && fstat(file->file, &status) == 0 && fchmod(made, status.st_mode & 0777) != 0) {
        unlink(path);
        close(made);
        made = -1;
    }
    return made;
}

static void replace(SnapshotFile *file) {
    Error ignored = {.set = false};
    snapshot_file_remove_leftover(file);
    char *path = find_path_beside(file);
    int made = create_beside(file, path);
    if (made >= 0 && host_file_lock(made, true) && write_anew(file, made) &&
        rename(path, file->path) == 0) {
        close(file->file);
        file->file = made;
    } else if (made >= 0) {
        unlink(path);
        close(made);
    }
    free(path);
    /* The places in memory are those of the new file, which may not have come to be. */
    if (!snapshot_file_load_directory(file, &ignored))
        file->mode = SNAPSHOT_READ;
}

void snapshot_file_compact(SnapshotFile *file) {
    uint64_t needed = snapshot_align(file->stored_directory.bytes);
    if (file->changed || file->mode == SNAPSHOT_READ)
        return;
    visit_places(&file->directory, add_bytes, &needed);
    uint64_t all = file->end - SNAPSHOT_DATA_START;
    if (all > needed && all - needed > needed && all - needed > GARBAGE_MIN)
        replace(file);
}
