#include "byte_buffer.h"
#include "allocate.h"
#include "little_endian.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(ByteBuffer *buffer, size_t more) {
    assert(more <= SIZE_MAX - buffer->size);
    buffer->data = allocate_grow(buffer->data, &buffer->capacity, buffer->size + more, 1);
}

void byte_buffer_free(ByteBuffer *buffer) {
    free(buffer->data);
    *buffer = (ByteBuffer){0};
}

void byte_buffer_append(ByteBuffer *buffer, const void *data, size_t size) {
    if (size == 0)
        return;
    reserve(buffer, size);
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void byte_buffer_append_le(ByteBuffer *buffer, uint64_t value, unsigned bytes) {
    assert(bytes >= 1 && bytes <= 8);
    uint8_t encoded[8];
    store_le64(encoded, value);
    byte_buffer_append(buffer, encoded, bytes);
}

void byte_buffer_print(ByteBuffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        reserve(buffer, (size_t)length + 1);
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
}

bool byte_reader_read(ByteReader *reader, void *data, size_t size) {
    if (size > reader->size - reader->position)
        reader->failed = true;
    if (reader->failed) {
        memset(data, 0, size);
        return false;
    }
    if (size != 0)
        memcpy(data, reader->data + reader->position, size);
    reader->position += size;
    return true;
}

uint64_t byte_reader_read_le(ByteReader *reader, unsigned bytes) {
    assert(bytes >= 1 && bytes <= 8);
    uint8_t encoded[8] = {0};
    byte_reader_read(reader, encoded, bytes);
    return load_le64(encoded);
}
