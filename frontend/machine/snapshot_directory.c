#include "snapshot_directory.h"
#include "allocate.h"
#include "snapshot_chunk.h"
#include "snapshot_pages.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1u << 16)

static void free_entry(SnapshotEntry *entry) {
    free(entry->info.name);
    free(entry->info.fingerprint);
    free(entry->info.media);
    free(entry->streams);
}

void snapshot_directory_free(SnapshotDirectory *directory) {
    for (size_t i = 0; i < directory->count; i++)
        free_entry(&directory->entries[i]);
    free(directory->entries);
    free(directory->chunks);
    free(directory->records);
    *directory = (SnapshotDirectory){.next_id = 1};
}

SnapshotEntry *snapshot_directory_find(const SnapshotDirectory *directory, uint64_t id) {
    for (size_t i = 0; i < directory->count; i++)
        if (directory->entries[i].info.id == id)
            return &directory->entries[i];
    return NULL;
}

SnapshotEntry *snapshot_directory_find_name(const SnapshotDirectory *directory, const char *name) {
    for (size_t i = 0; i < directory->count; i++)
        if (strcmp(directory->entries[i].info.name, name) == 0)
            return &directory->entries[i];
    return NULL;
}

static char *copy_text(const char *text) {
    size_t size = text != NULL ? strnlen(text, TEXT_MAX - 1) : 0;
    char *copy = allocate_zeroed(size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    return copy;
}

/* Names of files may have anything in them. */
static char *copy_lines(const char *lines) {
    char *copy = copy_text(lines);
    for (char *at = copy; *at != 0; at++)
        if (((unsigned char)*at < ' ' && *at != '\n') || *at == 0x7F)
            *at = '?';
    return copy;
}

static SnapshotEntry *append_entry(SnapshotDirectory *directory) {
    directory->entries = allocate_grow(directory->entries, &directory->capacity,
                                       directory->count + 1, sizeof(SnapshotEntry));
    SnapshotEntry *entry = &directory->entries[directory->count++];
    *entry = (SnapshotEntry){.streams = NULL};
    return entry;
}

SnapshotEntry *snapshot_directory_add(SnapshotDirectory *directory, const SnapshotInfo *info) {
    SnapshotEntry *entry = append_entry(directory);
    entry->info = *info;
    entry->info.name = copy_text(info->name);
    entry->info.fingerprint = copy_lines(info->fingerprint);
    entry->info.media = copy_lines(info->media);
    return entry;
}

void snapshot_directory_remove(SnapshotDirectory *directory, uint64_t id) {
    SnapshotEntry *entry = snapshot_directory_find(directory, id);
    if (entry == NULL)
        return;
    uint64_t parent = entry->info.parent;
    free_entry(entry);
    size_t index = (size_t)(entry - directory->entries);
    directory->count--;
    memmove(entry, entry + 1, (directory->count - index) * sizeof(*entry));
    for (size_t i = 0; i < directory->count; i++)
        if (directory->entries[i].info.parent == id)
            directory->entries[i].info.parent = parent;
    snapshot_directory_remove_records(directory, UINT32_MAX, id);
}

StreamEntry *snapshot_entry_find_stream(const SnapshotEntry *entry, const char *name) {
    for (size_t i = 0; i < entry->stream_count; i++)
        if (strcmp(entry->streams[i].name, name) == 0)
            return &entry->streams[i];
    return NULL;
}

static StreamEntry *append_stream(SnapshotEntry *entry) {
    entry->streams = allocate_grow(entry->streams, &entry->stream_capacity, entry->stream_count + 1,
                                   sizeof(StreamEntry));
    StreamEntry *stream = &entry->streams[entry->stream_count++];
    *stream = (StreamEntry){.size = 0};
    return stream;
}

StreamEntry *snapshot_entry_make_stream(SnapshotEntry *entry, const char *name) {
    StreamEntry *stream = snapshot_entry_find_stream(entry, name);
    if (stream == NULL) {
        stream = append_stream(entry);
        strncpy(stream->name, name, SNAPSHOT_STREAM_NAME_MAX);
    }
    return stream;
}

void snapshot_directory_add_record(SnapshotDirectory *directory, const RecordEntry *record) {
    directory->records = allocate_grow(directory->records, &directory->record_capacity,
                                       directory->record_count + 1, sizeof(RecordEntry));
    directory->records[directory->record_count++] = *record;
}

void snapshot_directory_remove_records(SnapshotDirectory *directory, uint32_t kind,
                                       uint64_t owner) {
    size_t kept = 0;
    for (size_t i = 0; i < directory->record_count; i++) {
        const SnapshotRecord *record = &directory->records[i].record;
        if (record->owner != owner || (kind != UINT32_MAX && record->kind != kind))
            directory->records[kept++] = directory->records[i];
    }
    directory->record_count = kept;
}

/* ---- As bytes ---- */

static void encode_text(ByteBuffer *buffer, const char *text) {
    size_t length = strlen(text);
    byte_buffer_append_le(buffer, length, 4);
    byte_buffer_append(buffer, text, length);
}

static void encode_place(ByteBuffer *buffer, FilePlace place) {
    byte_buffer_append_le(buffer, place.offset, 8);
    byte_buffer_append_le(buffer, place.bytes, 4);
}

static void encode_entry(ByteBuffer *buffer, const SnapshotEntry *entry) {
    const SnapshotInfo *info = &entry->info;
    byte_buffer_append_le(buffer, info->id, 8);
    byte_buffer_append_le(buffer, info->parent, 8);
    byte_buffer_append_le(buffer, (uint64_t)info->date_seconds, 8);
    byte_buffer_append_le(buffer, (uint64_t)info->clock_ns, 8);
    byte_buffer_append_le(buffer, info->instructions, 8);
    byte_buffer_append_le(buffer, info->bytes, 8);
    encode_text(buffer, info->name);
    encode_text(buffer, info->fingerprint);
    encode_text(buffer, info->media);
    byte_buffer_append_le(buffer, entry->stream_count, 4);
    for (size_t i = 0; i < entry->stream_count; i++) {
        const StreamEntry *stream = &entry->streams[i];
        encode_text(buffer, stream->name);
        byte_buffer_append_le(buffer, stream->size, 8);
        byte_buffer_append_le(buffer, stream->pages, 4);
        encode_place(buffer, stream->map);
    }
}

void snapshot_directory_encode(const SnapshotDirectory *directory, ByteBuffer *buffer) {
    byte_buffer_append_le(buffer, directory->next_id, 8);
    byte_buffer_append_le(buffer, directory->count, 4);
    for (size_t i = 0; i < directory->count; i++)
        encode_entry(buffer, &directory->entries[i]);
    byte_buffer_append_le(buffer, directory->chunk_count, 4);
    for (size_t i = 0; i < directory->chunk_count; i++) {
        encode_place(buffer, directory->chunks[i].place);
        byte_buffer_append_le(buffer, directory->chunks[i].pages, 2);
    }
    byte_buffer_append_le(buffer, directory->record_count, 4);
    for (size_t i = 0; i < directory->record_count; i++) {
        const RecordEntry *entry = &directory->records[i];
        byte_buffer_append_le(buffer, entry->record.kind, 4);
        byte_buffer_append_le(buffer, entry->record.size, 4);
        byte_buffer_append_le(buffer, entry->record.owner, 8);
        byte_buffer_append_le(buffer, entry->record.key, 8);
        encode_place(buffer, entry->place);
    }
}

/* ---- And back ---- */

typedef struct Decoder {
    SnapshotDirectory *directory;
    ByteReader *reader;
    uint64_t first, end;
} Decoder;

static uint64_t number(Decoder *decoder, unsigned bytes) {
    return byte_reader_read_le(decoder->reader, bytes);
}

/* Terminals get to see it: no control characters but the ends of lines where there are lines. */
static bool is_text(const char *bytes, size_t length, bool has_lines) {
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)bytes[i] < ' ' && !(has_lines && bytes[i] == '\n')) || bytes[i] == 0x7F)
            return false;
    return true;
}

/* NULL on bytes that are no text. */
static char *decode_text(Decoder *decoder, size_t length_max, bool has_lines) {
    uint64_t length = number(decoder, 4);
    ByteReader *reader = decoder->reader;
    if (length > length_max || length > reader->size - reader->position)
        return NULL;
    char *text = allocate_zeroed(length + 1);
    byte_reader_read(reader, text, length);
    if (is_text(text, length, has_lines))
        return text;
    free(text);
    return NULL;
}

static bool decode_place(Decoder *decoder, FilePlace *place) {
    place->offset = number(decoder, 8);
    place->bytes = (uint32_t)number(decoder, 4);
    return place->bytes >= CHUNK_HEADER_BYTES && place->offset >= decoder->first &&
           place->offset <= decoder->end && place->bytes <= decoder->end - place->offset;
}

static bool decode_stream(Decoder *decoder, SnapshotEntry *entry) {
    char *name = decode_text(decoder, SNAPSHOT_STREAM_NAME_MAX, false);
    if (name == NULL || name[0] == 0 || snapshot_entry_find_stream(entry, name) != NULL) {
        free(name);
        return false;
    }
    StreamEntry *stream = snapshot_entry_make_stream(entry, name);
    free(name);
    stream->size = number(decoder, 8);
    stream->pages = (uint32_t)number(decoder, 4);
    return decode_place(decoder, &stream->map) && stream->size <= SNAPSHOT_STREAM_BYTES_MAX &&
           stream->pages <= snapshot_stream_pages(stream->size);
}

static bool decode_info(Decoder *decoder, SnapshotInfo *info) {
    info->id = number(decoder, 8);
    info->parent = number(decoder, 8);
    info->date_seconds = (int64_t)number(decoder, 8);
    info->clock_ns = (int64_t)number(decoder, 8);
    info->instructions = number(decoder, 8);
    info->bytes = number(decoder, 8);
    info->name = decode_text(decoder, SNAPSHOT_NAME_MAX, false);
    info->fingerprint = decode_text(decoder, TEXT_MAX, true);
    info->media = decode_text(decoder, TEXT_MAX, true);
    return info->name != NULL && info->name[0] != 0 && info->fingerprint != NULL &&
           info->media != NULL && info->clock_ns >= 0;
}

/* Ids grow, and a parent is older than its children: so the tree is one. */
static bool info_fits(const SnapshotDirectory *directory, const SnapshotInfo *info) {
    uint64_t last = directory->count > 1 ? directory->entries[directory->count - 2].info.id : 0;
    const SnapshotEntry *same = snapshot_directory_find_name(directory, info->name);
    return info->id > last && info->id < directory->next_id && info->parent < info->id &&
           same->info.id == info->id &&
           (info->parent == 0 || snapshot_directory_find(directory, info->parent) != NULL);
}

static bool decode_entry(Decoder *decoder) {
    SnapshotDirectory *directory = decoder->directory;
    SnapshotEntry *entry = append_entry(directory);
    entry->info.name = copy_text("");
    SnapshotInfo info = {.id = 0};
    bool good = decode_info(decoder, &info);
    free(entry->info.name);
    entry->info = info;
    if (!good) {
        free_entry(entry);
        directory->count--;
        return false;
    }
    if (!info_fits(directory, &info))
        return false;
    uint64_t streams = number(decoder, 4);
    for (uint64_t i = 0; i < streams; i++)
        if (decoder->reader->failed || !decode_stream(decoder, entry))
            return false;
    return !decoder->reader->failed;
}

static bool decode_entries(Decoder *decoder) {
    decoder->directory->next_id = number(decoder, 8);
    uint64_t count = number(decoder, 4);
    if (count > SNAPSHOTS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (decoder->reader->failed || !decode_entry(decoder))
            return false;
    return decoder->directory->next_id > 0;
}

static bool decode_chunks(Decoder *decoder) {
    SnapshotDirectory *directory = decoder->directory;
    uint64_t count = number(decoder, 4);
    if (count > DIRECTORY_CHUNKS_MAX)
        return false;
    for (uint64_t i = 0; i < count && !decoder->reader->failed; i++) {
        PageChunkEntry chunk = {.pages = 0};
        bool placed = decode_place(decoder, &chunk.place);
        chunk.pages = (uint32_t)number(decoder, 2);
        bool is_free = chunk.place.offset == 0 && chunk.place.bytes == 0 && chunk.pages == 0;
        if (!is_free && (!placed || chunk.pages == 0 || chunk.pages > SNAPSHOT_CHUNK_PAGES))
            return false;
        directory->chunks = allocate_grow(directory->chunks, &directory->chunk_capacity,
                                          directory->chunk_count + 1, sizeof(PageChunkEntry));
        directory->chunks[directory->chunk_count++] = chunk;
    }
    return !decoder->reader->failed;
}

static bool decode_records(Decoder *decoder) {
    uint64_t count = number(decoder, 4);
    for (uint64_t i = 0; i < count && !decoder->reader->failed; i++) {
        RecordEntry entry = {.record = {.kind = (uint32_t)number(decoder, 4)}};
        entry.record.size = (uint32_t)number(decoder, 4);
        entry.record.owner = number(decoder, 8);
        entry.record.key = number(decoder, 8);
        if (!decode_place(decoder, &entry.place) || entry.record.size > SNAPSHOT_RECORD_BYTES_MAX)
            return false;
        snapshot_directory_add_record(decoder->directory, &entry);
    }
    return !decoder->reader->failed;
}

bool snapshot_directory_decode(SnapshotDirectory *directory, ByteReader *reader, uint64_t first,
                               uint64_t end, Error *error) {
    Decoder decoder = {directory, reader, first, end};
    *directory = (SnapshotDirectory){.next_id = 1};
    if (decode_entries(&decoder) && decode_chunks(&decoder) && decode_records(&decoder) &&
        reader->position == reader->size)
        return true;
    snapshot_directory_free(directory);
    return error_set(error, "the file is damaged: its directory makes no sense");
}
