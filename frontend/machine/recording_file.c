/* See recording_file.h. */
#include "recording_file.h"
#include "host_file.h"
#include "little_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define VERSION 1
#define CHUNK_BYTES (1u << 20) /* unpacked, at most */
#define CHUNK_HEADER 16
/* Of a file's contents so many pages are looked at. */
#define LOOKED_AT_PAGES 256
#define LOOK_BYTES 4096

enum { CHUNK_DESCRIPTION = 1, CHUNK_STATE, CHUNK_LOG };

static const char magic[8] = {'R', 'E', 'P', 'R', 'R', 'E', 'C', '1'};

bool recorded_file_look(RecordedFile *file, Error *error) {
    uint8_t page[LOOK_BYTES];
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return error_set(error, "cannot read '%s': %s", file->path, strerror(errno));
    }
    file->bytes = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    file->fingerprint = file->bytes;
    uint64_t pages = (file->bytes + LOOK_BYTES - 1) / LOOK_BYTES;
    uint64_t step = pages / LOOKED_AT_PAGES + 1;
    for (uint64_t number = 0; number < pages; number += step) {
        memset(page, 0, sizeof(page));
        if (pread(fd, page, sizeof(page), (off_t)(number * LOOK_BYTES)) < 0)
            break;
        file->fingerprint =
            file->fingerprint * 0x9E3779B97F4A7C15u + crc32(0, page, sizeof(page)) + number;
    }
    close(fd);
    return true;
}

/* ---- Writing ---- */

struct RecordingWriter {
    int fd;
    bool failed;
    ByteBuffer packed;
};

static bool write_all(RecordingWriter *writer, const uint8_t *bytes, size_t size) {
    while (size > 0 && !writer->failed) {
        ssize_t count = write(writer->fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            writer->failed = true;
            break;
        }
        bytes += count;
        size -= (size_t)count;
    }
    return !writer->failed;
}

/* Header and contents go out by one call: a kill leaves all of it or a piece that is found out. */
static bool write_chunk(RecordingWriter *writer, uint32_t kind, const uint8_t *bytes, size_t size) {
    uLongf stored = compressBound(size);
    if (writer->packed.capacity < CHUNK_HEADER + stored) {
        free(writer->packed.data);
        writer->packed = (ByteBuffer){malloc(CHUNK_HEADER + stored), 0, CHUNK_HEADER + stored};
    }
    uint8_t *chunk = writer->packed.data;
    if (chunk == NULL || compress2(chunk + CHUNK_HEADER, &stored, bytes, size, 1) != Z_OK) {
        writer->failed = true;
        return false;
    }
    store_le32(chunk, kind);
    store_le32(chunk + 4, (uint32_t)stored);
    store_le32(chunk + 8, (uint32_t)size);
    store_le32(chunk + 12, (uint32_t)crc32(0, chunk + CHUNK_HEADER, (uInt)stored));
    return write_all(writer, chunk, CHUNK_HEADER + stored);
}

static bool write_chunks(RecordingWriter *writer, uint32_t kind, const void *bytes, size_t size) {
    for (size_t done = 0; done < size; done += CHUNK_BYTES)
        if (!write_chunk(writer, kind, (const uint8_t *)bytes + done,
                         size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES))
            return false;
    return true;
}

static void append_text(ByteBuffer *text, const char *string) {
    byte_buffer_append_le(text, strlen(string), 4);
    byte_buffer_append(text, string, strlen(string));
}

static void describe(const RecordingDescription *description, ByteBuffer *text) {
    byte_buffer_append_le(text, description->word_count, 4);
    for (unsigned i = 0; i < description->word_count; i++)
        append_text(text, description->word[i]);
    byte_buffer_append_le(text, description->file_count, 4);
    for (unsigned i = 0; i < description->file_count; i++) {
        append_text(text, description->file[i].path);
        byte_buffer_append_le(text, description->file[i].bytes, 8);
        byte_buffer_append_le(text, description->file[i].fingerprint, 8);
    }
}

static bool may_replace(const char *path, Error *error) {
    char start[sizeof(magic)];
    struct stat info;
    if (stat(path, &info) != 0)
        return true;
    FILE *file = fopen(path, "rb");
    bool is_ours = S_ISREG(info.st_mode) && file != NULL &&
                   (info.st_size == 0 || (fread(start, sizeof(start), 1, file) == 1 &&
                                          memcmp(start, magic, sizeof(magic)) == 0));
    if (file != NULL)
        fclose(file);
    return is_ours || error_set(error, "'%s' is there and is no recording", path);
}

RecordingWriter *recording_create(const char *path, const RecordingDescription *description,
                                  const ByteBuffer *state, Error *error) {
    if (!may_replace(path, error))
        return NULL;
    RecordingWriter *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return NULL;
    writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd < 0) {
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
        free(writer);
        return NULL;
    }
    uint8_t head[sizeof(magic) + 4];
    memcpy(head, magic, sizeof(magic));
    store_le32(head + sizeof(magic), VERSION);
    ByteBuffer text = {.data = NULL};
    describe(description, &text);
    if (!write_all(writer, head, sizeof(head)) ||
        !write_chunks(writer, CHUNK_DESCRIPTION, text.data, text.size) ||
        !write_chunks(writer, CHUNK_STATE, state->data, state->size)) {
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
        recording_close(writer);
        writer = NULL;
    }
    byte_buffer_free(&text);
    return writer;
}

bool recording_append(RecordingWriter *writer, const void *log, size_t size) {
    return !writer->failed && write_chunks(writer, CHUNK_LOG, log, size);
}

void recording_close(RecordingWriter *writer) {
    if (writer == NULL)
        return;
    close(writer->fd);
    byte_buffer_free(&writer->packed);
    free(writer);
}

/* ---- Reading ---- */

/* False at the end, and where a chunk is damaged. */
static bool read_chunk(FILE *file, uint32_t *kind, ByteBuffer *bytes) {
    uint8_t header[CHUNK_HEADER];
    if (fread(header, sizeof(header), 1, file) != 1)
        return false;
    *kind = load_le32(header);
    uint32_t stored = load_le32(header + 4), size = load_le32(header + 8);
    if (size == 0 || size > CHUNK_BYTES || stored > compressBound(CHUNK_BYTES))
        return false;
    uint8_t *packed = malloc(stored + 1), *unpacked = malloc(size);
    uLongf got = size;
    bool good = packed != NULL && unpacked != NULL && fread(packed, 1, stored, file) == stored &&
                crc32(0, packed, stored) == load_le32(header + 12) &&
                uncompress(unpacked, &got, packed, stored) == Z_OK && got == size;
    bytes->size = 0;
    if (good)
        byte_buffer_append(bytes, unpacked, size);
    free(packed);
    free(unpacked);
    return good;
}

/* A string, with a NUL behind it in place of what stood there: its length's first byte. */
static const char *take_text(ByteBuffer *text, ByteReader *reader) {
    uint32_t length = (uint32_t)byte_reader_read_le(reader, 4);
    if (reader->failed || length > reader->size - reader->position)
        return NULL;
    char *start = (char *)text->data + reader->position - 4;
    memmove(start, start + 4, length);
    start[length] = '\0';
    reader->position += length;
    return memchr(start, '\0', length) == NULL ? start : NULL;
}

static bool take_description(Recording *recording) {
    RecordingDescription *description = &recording->description;
    ByteReader reader = {.data = recording->text.data, .size = recording->text.size};
    uint32_t words = (uint32_t)byte_reader_read_le(&reader, 4);
    if (words > RECORDING_WORDS)
        return false;
    for (; description->word_count < words; description->word_count++) {
        const char *word = take_text(&recording->text, &reader);
        description->word[description->word_count] = word;
        if (word == NULL)
            return false;
    }
    uint32_t files = (uint32_t)byte_reader_read_le(&reader, 4);
    if (files > RECORDING_FILES)
        return false;
    for (; description->file_count < files; description->file_count++) {
        RecordedFile *file = &description->file[description->file_count];
        file->path = take_text(&recording->text, &reader);
        if (file->path == NULL)
            return false;
        file->bytes = byte_reader_read_le(&reader, 8);
        file->fingerprint = byte_reader_read_le(&reader, 8);
    }
    return !reader.failed;
}

static void read_chunks(Recording *recording, FILE *file) {
    ByteBuffer bytes = {.data = NULL};
    uint32_t kind, least = CHUNK_DESCRIPTION;
    while (read_chunk(file, &kind, &bytes)) {
        if (kind < least || kind > CHUNK_LOG) {
            recording->is_damaged = true;
            break;
        }
        least = kind;
        byte_buffer_append(kind == CHUNK_DESCRIPTION ? &recording->text
                           : kind == CHUNK_STATE     ? &recording->state
                                                     : &recording->log,
                           bytes.data, bytes.size);
    }
    recording->is_damaged |= !feof(file);
    byte_buffer_free(&bytes);
}

bool recording_read(Recording *recording, const char *path, Error *error) {
    uint8_t head[sizeof(magic) + 4];
    *recording = (Recording){.is_damaged = false};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "cannot read '%s': %s", path, strerror(errno));
    bool good = fread(head, sizeof(head), 1, file) == 1 && memcmp(head, magic, sizeof(magic)) == 0;
    if (!good) {
        error_set(error, "'%s' is no recording", path);
    } else if (load_le32(head + sizeof(magic)) != VERSION) {
        good = error_set(error, "'%s' was written by another version", path);
    } else {
        read_chunks(recording, file);
        good = take_description(recording) && recording->state.size > 0;
        if (!good)
            error_set(error, "'%s' is damaged", path);
    }
    fclose(file);
    if (!good)
        recording_free(recording);
    return good;
}

void recording_free(Recording *recording) {
    byte_buffer_free(&recording->text);
    byte_buffer_free(&recording->state);
    byte_buffer_free(&recording->log);
}
