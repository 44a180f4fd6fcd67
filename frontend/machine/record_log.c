/* See record_log.h. A record is its kind, then its fields as numbers of 7 bits a byte, lowest
 * first; differences have their sign in bit 0. */
#include "record_log.h"

#define HAS_PACE 0x80u

enum { HAS_TIME = 1, HAS_COUNT = 2, HAS_HASH = 4, HAS_ACTION = 8, HAS_BYTES = 16 };

static const uint8_t fields_of[RECORD_KINDS] = {
    [RECORD_SLICE] = HAS_TIME | HAS_COUNT,
    [RECORD_EVENTS] = HAS_TIME,
    [RECORD_IDLE] = HAS_TIME,
    [RECORD_ACTION] = HAS_ACTION | HAS_BYTES,
    [RECORD_CHECK] = HAS_HASH | HAS_COUNT,
    [RECORD_END] = HAS_TIME | HAS_HASH | HAS_COUNT,
    [RECORD_FRAME] = HAS_ACTION | HAS_COUNT | HAS_BYTES,
    [RECORD_BREAK] = HAS_BYTES,
};

static void append_number(ByteBuffer *log, uint64_t value) {
    uint8_t bytes[10];
    unsigned count = 0;
    do {
        bytes[count] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
        count++;
    } while (value != 0);
    byte_buffer_append(log, bytes, count);
}

static uint64_t read_number(ByteReader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint64_t byte = byte_reader_read_le(reader, 1);
        if (shift < 64)
            value |= (byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->failed = true;
    return 0;
}

static uint64_t fold_sign(int64_t value) {
    return value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
}

static int64_t unfold_sign(uint64_t value) {
    return (int64_t)(value & 1 ? ~(value >> 1) : value >> 1);
}

void record_append(ByteBuffer *log, const Record *record) {
    unsigned fields = fields_of[record->kind];
    bool has_pace = record->has_pace && (fields & HAS_TIME) != 0;
    byte_buffer_append_le(log, record->kind | (has_pace ? HAS_PACE : 0), 1);
    if (fields & HAS_TIME)
        append_number(log, fold_sign(record->time_ns));
    if (has_pace) {
        append_number(log, record->pace.ns);
        append_number(log, record->pace.instructions);
    }
    if (fields & HAS_COUNT)
        append_number(log, record->instructions);
    if (fields & HAS_HASH)
        byte_buffer_append_le(log, record->hash, 8);
    if (fields & HAS_ACTION)
        byte_buffer_append_le(log, record->action, 1);
    if (fields & HAS_BYTES) {
        append_number(log, record->size);
        byte_buffer_append(log, record->bytes, record->size);
    }
}

bool record_read(const ByteBuffer *log, size_t *position, Record *record) {
    ByteReader reader = {.data = log->data, .size = log->size, .position = *position};
    uint8_t kind = (uint8_t)byte_reader_read_le(&reader, 1);
    *record = (Record){.kind = kind & ~HAS_PACE, .has_pace = (kind & HAS_PACE) != 0};
    if (reader.failed || record->kind == 0 || record->kind >= RECORD_KINDS)
        return false;
    unsigned fields = fields_of[record->kind];
    if (fields & HAS_TIME)
        record->time_ns = unfold_sign(read_number(&reader));
    if (record->has_pace) {
        record->pace.ns = read_number(&reader);
        record->pace.instructions = read_number(&reader);
        if (record->pace.ns == 0 || record->pace.instructions == 0)
            return false;
    }
    if (fields & HAS_COUNT)
        record->instructions = read_number(&reader);
    if (fields & HAS_HASH)
        record->hash = byte_reader_read_le(&reader, 8);
    if (fields & HAS_ACTION)
        record->action = (uint8_t)byte_reader_read_le(&reader, 1);
    if (fields & HAS_BYTES) {
        uint64_t size = read_number(&reader);
        if (reader.failed || size > reader.size - reader.position)
            return false;
        record->bytes = log->data + reader.position;
        record->size = (size_t)size;
        reader.position += (size_t)size;
    }
    if (reader.failed)
        return false;
    *position = reader.position;
    return true;
}
