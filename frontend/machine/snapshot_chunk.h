/* A piece of a snapshot file: a header that says what it is, and its bytes, both with a checksum.
 *
 *   0 magic "CHNK"   4 kind  5 codec  6 pages (16 bits)   8 bytes stored   12 bytes once decoded
 *  16 CRC-32 of what is stored   20 tag   24 owner   32 key   40 zero   44 CRC-32 of the above
 *
 * All numbers are little-endian. */
#ifndef REPRISE_SNAPSHOT_CHUNK_H
#define REPRISE_SNAPSHOT_CHUNK_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_HEADER_BYTES 48u

typedef enum ChunkKind {
    CHUNK_PAGES = 1,     /* pages: their hashes, 8 bytes each and never compressed, then they */
    CHUNK_MAP = 2,       /* which pages a stream consists of */
    CHUNK_DIRECTORY = 3, /* what is in the file */
    CHUNK_RECORD = 4,    /* tag: its kind */
} ChunkKind;

typedef enum ChunkCodec { CODEC_RAW = 0, CODEC_DEFLATE = 1 } ChunkCodec;

typedef struct SnapshotChunk {
    ChunkKind kind;
    ChunkCodec codec;
    uint16_t pages;
    uint32_t stored_bytes, raw_bytes; /* both with the hashes of CHUNK_PAGES */
    uint32_t checksum;
    uint32_t tag;
    uint64_t owner, key;
} SnapshotChunk;

void chunk_encode_header(const SnapshotChunk *chunk, uint8_t header[CHUNK_HEADER_BYTES]);
/* False: this is no header. */
bool chunk_decode_header(SnapshotChunk *chunk, const uint8_t header[CHUNK_HEADER_BYTES]);

/* All bytes or an error; reading past the end is one. */
bool chunk_read_bytes(int file, uint64_t offset, void *data, size_t size, Error *error);
bool chunk_write_bytes(int file, uint64_t offset, const void *data, size_t size, Error *error);

/* Deflates by zlib's fastest level; the bytes that resulted, or 0 where 'room' is too little. */
size_t chunk_deflate(const void *data, size_t size, void *to, size_t room);
/* False: not exactly 'size' bytes come out. */
bool chunk_inflate(const void *data, size_t data_size, void *to, size_t size);

uint32_t chunk_checksum(uint32_t checksum, const void *data, size_t size);

/* Writes one at 'offset', compressed if that saves a tenth and 'compress' asks for it. Of 'chunk',
 * kind, tag, owner and key are given; the rest is filled in. */
bool chunk_write(int file, uint64_t offset, SnapshotChunk *chunk, const void *data, size_t size,
                 bool compress, Error *error);

/* Reads and checks the header at 'offset'; it must be of this kind and end before 'end'. */
bool chunk_read_header(int file, uint64_t offset, uint64_t end, ChunkKind kind,
                       SnapshotChunk *chunk, Error *error);
/* Reads what follows the header into 'data', which has room for raw_bytes. */
bool chunk_read_data(int file, uint64_t offset, const SnapshotChunk *chunk, void *data,
                     Error *error);

#endif
