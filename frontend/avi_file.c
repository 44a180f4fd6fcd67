#include "avi_file.h"
#include "allocate.h"
#include "byte_buffer.h"
#include "little_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAIN_HAS_INDEX = 0x10,
    MAIN_IS_INTERLEAVED = 0x100,
    INDEX_KEY_FRAME = 0x10,
    SOUND_FRAME_BYTES = 4,
    FRAMES_A_HEADER = 64, /* how often the header is told what is there */
    NS_A_MICROSECOND = 1000,
    NS_A_SECOND = 1000000000,
};

struct AviFile {
    FILE *file;
    AviFormat format;
    ByteBuffer index;
    uint64_t size;
    uint32_t header_bytes, frames, sound_frames, largest;
    int failure; /* errno of the first that went wrong */
};

/* ---- The header ---- */

static void put32(ByteBuffer *buffer, uint32_t value) {
    uint8_t bytes[4];
    store_le32(bytes, value);
    byte_buffer_append(buffer, bytes, sizeof(bytes));
}

static void put16(ByteBuffer *buffer, uint16_t value) {
    uint8_t bytes[2];
    store_le16(bytes, value);
    byte_buffer_append(buffer, bytes, sizeof(bytes));
}

static void put_name(ByteBuffer *buffer, const char *name) {
    byte_buffer_append(buffer, name, 4);
}

/* A chunk or a list whose size is filled in by end_chunk(). */
static size_t begin_chunk(ByteBuffer *buffer, const char *name, const char *list) {
    put_name(buffer, name);
    put32(buffer, 0);
    size_t start = buffer->size;
    if (list != NULL)
        put_name(buffer, list);
    return start;
}

static void end_chunk(ByteBuffer *buffer, size_t start) {
    store_le32(buffer->data + start - 4, (uint32_t)(buffer->size - start));
}

static void put_main_header(const AviFile *file, ByteBuffer *to) {
    const AviFormat *format = &file->format;
    size_t chunk = begin_chunk(to, "avih", NULL);
    put32(to, (uint32_t)(format->period_ns / NS_A_MICROSECOND));
    put32(to, 0);
    put32(to, 0);
    put32(to, MAIN_HAS_INDEX | MAIN_IS_INTERLEAVED);
    put32(to, file->frames);
    put32(to, 0);
    put32(to, format->sound_rate != 0 ? 2 : 1);
    put32(to, file->largest);
    put32(to, format->width);
    put32(to, format->height);
    for (int i = 0; i < 4; i++)
        put32(to, 0);
    end_chunk(to, chunk);
}

static void put_stream_header(const AviFile *file, ByteBuffer *to, bool is_video) {
    const AviFormat *format = &file->format;
    size_t chunk = begin_chunk(to, "strh", NULL);
    put_name(to, is_video ? "vids" : "auds");
    if (is_video)
        put_name(to, format->codec);
    else
        put32(to, 0);
    for (int i = 0; i < 3; i++)
        put32(to, 0); /* flags, priority and language, initial frames */
    put32(to, is_video ? (uint32_t)format->period_ns : SOUND_FRAME_BYTES);
    put32(to, is_video ? NS_A_SECOND : format->sound_rate * SOUND_FRAME_BYTES);
    put32(to, 0);
    put32(to, is_video ? file->frames : file->sound_frames);
    put32(to, file->largest);
    put32(to, UINT32_MAX); /* quality: the codec's own */
    put32(to, is_video ? 0 : SOUND_FRAME_BYTES);
    put32(to, 0);
    put16(to, is_video ? (uint16_t)format->width : 0);
    put16(to, is_video ? (uint16_t)format->height : 0);
    end_chunk(to, chunk);
}

static void put_video_format(const AviFile *file, ByteBuffer *to) {
    const AviFormat *format = &file->format;
    size_t chunk = begin_chunk(to, "strf", NULL);
    put32(to, 40); /* BITMAPINFOHEADER */
    put32(to, format->width);
    put32(to, format->height);
    put16(to, 1);
    put16(to, (uint16_t)format->bits);
    put_name(to, format->codec);
    put32(to, format->width * format->height * 4);
    for (int i = 0; i < 4; i++)
        put32(to, 0);
    end_chunk(to, chunk);
}

/* "Video properties header": the picture's shape. */
static void put_shape(const AviFile *file, ByteBuffer *to) {
    const AviFormat *format = &file->format;
    const uint32_t words[] = {0,
                              0,
                              (uint32_t)(NS_A_SECOND / format->period_ns),
                              format->width,
                              format->height,
                              format->aspect_width << 16 | (format->aspect_height & 0xFFFF),
                              format->width,
                              format->height,
                              1, /* fields a frame; of it: */
                              format->height,
                              format->width,
                              format->height,
                              format->width,
                              0,
                              0,
                              0,
                              0};
    size_t chunk = begin_chunk(to, "vprp", NULL);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put32(to, words[i]);
    end_chunk(to, chunk);
}

static void put_sound_format(const AviFile *file, ByteBuffer *to) {
    size_t chunk = begin_chunk(to, "strf", NULL);
    put16(to, 1); /* PCM */
    put16(to, 2);
    put32(to, file->format.sound_rate);
    put32(to, file->format.sound_rate * SOUND_FRAME_BYTES);
    put16(to, SOUND_FRAME_BYTES);
    put16(to, 16);
    end_chunk(to, chunk);
}

static void make_header(const AviFile *file, ByteBuffer *to) {
    begin_chunk(to, "RIFF", "AVI ");
    size_t header = begin_chunk(to, "LIST", "hdrl");
    put_main_header(file, to);
    size_t stream = begin_chunk(to, "LIST", "strl");
    put_stream_header(file, to, true);
    put_video_format(file, to);
    put_shape(file, to);
    end_chunk(to, stream);
    if (file->format.sound_rate != 0) {
        stream = begin_chunk(to, "LIST", "strl");
        put_stream_header(file, to, false);
        put_sound_format(file, to);
        end_chunk(to, stream);
    }
    end_chunk(to, header);
    begin_chunk(to, "LIST", "movi");
    uint32_t movie_bytes = file->size > to->size ? (uint32_t)(file->size - to->size) : 0;
    store_le32(to->data + to->size - 8, movie_bytes + 4);
    uint64_t all = file->size > to->size ? file->size : to->size;
    store_le32(to->data + 4, (uint32_t)all - 8);
}

/* ---- Writing ---- */

static void write_bytes(AviFile *file, const void *data, size_t size) {
    errno = 0;
    if (file->failure == 0 && size != 0 && fwrite(data, 1, size, file->file) != size)
        file->failure = errno != 0 ? errno : EIO;
    file->size += size;
}

static void write_header(AviFile *file, uint64_t index_bytes) {
    ByteBuffer header = {.data = NULL};
    make_header(file, &header);
    if (index_bytes != 0)
        store_le32(header.data + 4, (uint32_t)(file->size + index_bytes - 8));
    file->header_bytes = (uint32_t)header.size;
    errno = 0;
    if (file->failure == 0 && (fseeko(file->file, 0, SEEK_SET) != 0 ||
                               fwrite(header.data, 1, header.size, file->file) != header.size ||
                               fseeko(file->file, 0, SEEK_END) != 0))
        file->failure = errno != 0 ? errno : EIO;
    if (file->size < header.size)
        file->size = header.size;
    byte_buffer_free(&header);
}

AviFile *avi_file_create(const char *path, const AviFormat *format, Error *error) {
    FILE *stream = fopen(path, "wbe");
    if (stream == NULL) {
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
        return NULL;
    }
    AviFile *file = allocate_zeroed(sizeof(*file));
    file->file = stream;
    file->format = *format;
    write_header(file, 0);
    return file;
}

static void add_chunk(AviFile *file, const char *name, const void *data, size_t size, bool is_key) {
    static const uint8_t padding = 0;
    uint8_t header[8];
    memcpy(header, name, 4);
    store_le32(header + 4, (uint32_t)size);
    put_name(&file->index, name);
    put32(&file->index, is_key ? INDEX_KEY_FRAME : 0);
    put32(&file->index, (uint32_t)(file->size - file->header_bytes + 4)); /* from "movi" on */
    put32(&file->index, (uint32_t)size);
    write_bytes(file, header, sizeof(header));
    write_bytes(file, data, size);
    write_bytes(file, &padding, size & 1);
    if (size > file->largest)
        file->largest = (uint32_t)size;
}

void avi_file_add_frame(AviFile *file, const uint8_t *data, size_t size, bool is_key) {
    add_chunk(file, "00dc", data, size, is_key);
    file->frames++;
    if (file->frames % FRAMES_A_HEADER == 0)
        write_header(file, 0);
}

void avi_file_add_sound(AviFile *file, const int16_t *frames, size_t count) {
    uint8_t bytes[4096 * SOUND_FRAME_BYTES];
    while (count != 0) {
        size_t part =
            count < sizeof(bytes) / SOUND_FRAME_BYTES ? count : sizeof(bytes) / SOUND_FRAME_BYTES;
        for (size_t i = 0; i < part * 2; i++)
            store_le16(bytes + i * 2, frames != NULL ? (uint16_t)frames[i] : 0);
        add_chunk(file, "01wb", bytes, part * SOUND_FRAME_BYTES, true);
        file->sound_frames += (uint32_t)part;
        frames = frames != NULL ? frames + part * 2 : NULL;
        count -= part;
    }
}

bool avi_file_has_failed(const AviFile *file) {
    return file->failure != 0;
}

uint64_t avi_file_size(const AviFile *file) {
    return file->size + file->index.size;
}

bool avi_file_close(AviFile *file, Error *error) {
    uint8_t name[8] = "idx1";
    store_le32(name + 4, (uint32_t)file->index.size);
    write_header(file, sizeof(name) + file->index.size);
    write_bytes(file, name, sizeof(name));
    write_bytes(file, file->index.data, file->index.size);
    if (fclose(file->file) != 0 && file->failure == 0)
        file->failure = errno;
    int failure = file->failure;
    byte_buffer_free(&file->index);
    free(file);
    return failure == 0 ||
           error_set(error, "the video could not be written: %s", strerror(failure));
}
