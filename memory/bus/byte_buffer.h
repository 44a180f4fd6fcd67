/* A growing run of bytes to write into, and a checked reader over one. Out of memory ends the
 * process with a message. */
#ifndef REPRISE_BYTE_BUFFER_H
#define REPRISE_BYTE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ByteBuffer {
    uint8_t *data; /* NULL while empty; byte_buffer_print keeps a NUL after the end */
    size_t size, capacity;
} ByteBuffer;

void byte_buffer_free(ByteBuffer *buffer);
void byte_buffer_append(ByteBuffer *buffer, const void *data, size_t size);
void byte_buffer_append_le(ByteBuffer *buffer, uint64_t value,
                           unsigned bytes); /* little-endian, 1 to 8 bytes */
void byte_buffer_print(ByteBuffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

typedef struct ByteReader {
    const uint8_t *data;
    size_t size, position;
    bool failed; /* set by the first read past the end; later reads give zero */
} ByteReader;

bool byte_reader_read(ByteReader *reader, void *data, size_t size);
uint64_t byte_reader_read_le(ByteReader *reader, unsigned bytes);

#endif
