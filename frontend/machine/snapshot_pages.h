/* The pages of a snapshot file: each content is stored once, in chunks of SNAPSHOT_CHUNK_PAGES.
 *
 * A page's number is its chunk's times SNAPSHOT_CHUNK_PAGES, plus its place there, plus 1; 0 is a
 * page of zeros. A stream's map is the list of its pages' numbers: one LEB128 number each, 0 for a
 * page of zeros, else 1 + the zigzag-coded distance from the number after the last one. */
#ifndef REPRISE_SNAPSHOT_PAGES_H
#define REPRISE_SNAPSHOT_PAGES_H

#include "byte_buffer.h"
#include "snapshot_file.h"

#define SNAPSHOT_CHUNK_PAGES 16u

static inline uint64_t snapshot_stream_pages(uint64_t bytes) {
    return bytes / SNAPSHOT_PAGE_BYTES + (bytes % SNAPSHOT_PAGE_BYTES != 0);
}

/* 'numbers' has a number for each page of the stream. */
void snapshot_map_encode(const uint32_t *numbers, uint64_t pages, ByteBuffer *buffer);
bool snapshot_map_decode(uint32_t *numbers, uint64_t pages, ByteReader *reader);

#endif
