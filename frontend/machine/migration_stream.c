#include "migration_stream.h"

void migration_put_record(ByteBuffer *buffer, MigrationRecord kind, const void *data, size_t size) {
    byte_buffer_append_le(buffer, kind, 4);
    byte_buffer_append_le(buffer, size, 4);
    byte_buffer_append(buffer, data, size);
}
