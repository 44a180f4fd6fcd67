#include "snapshot_chunk.h"
#include "host_file.h"
#include "little_endian.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK_MAGIC 0x4B4E4843u /* "CHNK" */
#define RAW_DEFLATE (-15)       /* no zlib header: chunks have their own checksum */
#define MEMORY_LEVEL 8

void chunk_encode_header(const SnapshotChunk *chunk, uint8_t header[CHUNK_HEADER_BYTES]) {
    store_le32(header, CHUNK_MAGIC);
    header[4] = (uint8_t)chunk->kind;
    header[5] = (uint8_t)chunk->codec;
    store_le16(header + 6, chunk->pages);
    store_le32(header + 8, chunk->stored_bytes);
    store_le32(header + 12, chunk->raw_bytes);
    store_le32(header + 16, chunk->checksum);
    store_le32(header + 20, chunk->tag);
    store_le64(header + 24, chunk->owner);
    store_le64(header + 32, chunk->key);
    store_le32(header + 40, 0);
    store_le32(header + 44, chunk_checksum(0, header, 44));
}

bool chunk_decode_header(SnapshotChunk *chunk, const uint8_t header[CHUNK_HEADER_BYTES]) {
    if (load_le32(header) != CHUNK_MAGIC || load_le32(header + 44) != chunk_checksum(0, header, 44))
        return false;
    *chunk = (SnapshotChunk){
        .kind = (ChunkKind)header[4],
        .codec = (ChunkCodec)header[5],
        .pages = load_le16(header + 6),
        .stored_bytes = load_le32(header + 8),
        .raw_bytes = load_le32(header + 12),
        .checksum = load_le32(header + 16),
        .tag = load_le32(header + 20),
        .owner = load_le64(header + 24),
        .key = load_le64(header + 32),
    };
    return chunk->codec == CODEC_DEFLATE ||
           (chunk->codec == CODEC_RAW && chunk->stored_bytes == chunk->raw_bytes);
}

bool chunk_read_bytes(int file, uint64_t offset, void *data, size_t size, Error *error) {
    uint8_t *to = data;
    while (size > 0) {
        ssize_t part = pread(file, to, size, (off_t)offset);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return error_set(error, "cannot read: %s", strerror(errno));
        if (part == 0)
            return error_set(error, "the file is cut short");
        to += part;
        offset += (uint64_t)part;
        size -= (size_t)part;
    }
    return true;
}

bool chunk_write_bytes(int file, uint64_t offset, const void *data, size_t size, Error *error) {
    const uint8_t *from = data;
    while (size > 0) {
        ssize_t part = pwrite(file, from, size, (off_t)offset);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return error_set(error, "cannot write: %s", strerror(part < 0 ? errno : ENOSPC));
        from += part;
        offset += (uint64_t)part;
        size -= (size_t)part;
    }
    return true;
}

size_t chunk_deflate(const void *data, size_t size, void *to, size_t room) {
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)size};
    stream.next_out = to;
    stream.avail_out = (uInt)room;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, RAW_DEFLATE, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    size_t result = deflate(&stream, Z_FINISH) == Z_STREAM_END ? room - stream.avail_out : 0;
    deflateEnd(&stream);
    return result;
}

bool chunk_inflate(const void *data, size_t data_size, void *to, size_t size) {
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)data_size};
    stream.next_out = to;
    stream.avail_out = (uInt)size;
    if (inflateInit2(&stream, RAW_DEFLATE) != Z_OK)
        return false;
    bool good =
        inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
    inflateEnd(&stream);
    return good;
}

uint32_t chunk_checksum(uint32_t checksum, const void *data, size_t size) {
    return (uint32_t)crc32(checksum, data, (uInt)size);
}

/* What compression made of it; NULL where it is not worth it. */
static uint8_t *try_deflate(const void *data, size_t size, size_t *stored) {
    size_t room = size - size / 10;
    uint8_t *packed = malloc(room + 1);
    *stored = packed == NULL ? 0 : chunk_deflate(data, size, packed, room);
    if (*stored > 0)
        return packed;
    free(packed);
    return NULL;
}

bool chunk_write(int file, uint64_t offset, SnapshotChunk *chunk, const void *data, size_t size,
                 bool compress, Error *error) {
    size_t stored = size;
    uint8_t *packed = compress && size > 0 ? try_deflate(data, size, &stored) : NULL;
    if (packed == NULL)
        stored = size;
    const void *from = packed != NULL ? packed : data;
    chunk->codec = packed != NULL ? CODEC_DEFLATE : CODEC_RAW;
    chunk->raw_bytes = (uint32_t)size;
    chunk->stored_bytes = (uint32_t)stored;
    chunk->checksum = chunk_checksum(0, from, stored);
    uint8_t header[CHUNK_HEADER_BYTES];
    chunk_encode_header(chunk, header);
    bool good = chunk_write_bytes(file, offset, header, sizeof(header), error) &&
                chunk_write_bytes(file, offset + sizeof(header), from, stored, error);
    free(packed);
    return good;
}

bool chunk_read_header(int file, uint64_t offset, uint64_t end, ChunkKind kind,
                       SnapshotChunk *chunk, Error *error) {
    uint8_t header[CHUNK_HEADER_BYTES];
    if (offset > end || end - offset < sizeof(header))
        return error_set(error, "the file is cut short");
    if (!chunk_read_bytes(file, offset, header, sizeof(header), error))
        return false;
    if (!chunk_decode_header(chunk, header) || chunk->kind != kind)
        return error_set(error, "the file is damaged at byte %llu", (unsigned long long)offset);
    return chunk->stored_bytes <= end - offset - sizeof(header) ||
           error_set(error, "the file is cut short");
}

static bool read_stored(int file, uint64_t offset, const SnapshotChunk *chunk, void *data,
                        Error *error) {
    offset += CHUNK_HEADER_BYTES;
    if (!chunk_read_bytes(file, offset, data, chunk->stored_bytes, error))
        return false;
    return chunk_checksum(0, data, chunk->stored_bytes) == chunk->checksum ||
           error_set(error, "the file is damaged at byte %llu", (unsigned long long)offset);
}

bool chunk_read_data(int file, uint64_t offset, const SnapshotChunk *chunk, void *data,
                     Error *error) {
    if (chunk->codec == CODEC_RAW)
        return read_stored(file, offset, chunk, data, error);
    uint8_t *packed = malloc((size_t)chunk->stored_bytes + 1);
    if (packed == NULL)
        return error_set(error, "no memory for a piece of the file");
    bool good = read_stored(file, offset, chunk, packed, error) &&
                (chunk_inflate(packed, chunk->stored_bytes, data, chunk->raw_bytes) ||
                 error_set(error, "the file is damaged: what is at byte %llu cannot be unpacked",
                           (unsigned long long)offset));
    free(packed);
    return good;
}
