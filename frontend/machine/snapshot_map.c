/* See snapshot_pages.h: which pages a stream consists of, as bytes. */
#include "snapshot_pages.h"

static void append_leb128(ByteBuffer *buffer, uint64_t value) {
    uint8_t bytes[10];
    unsigned count = 0;
    do {
        bytes[count] = (uint8_t)(value & 0x7F);
        value >>= 7;
        bytes[count++] |= value != 0 ? 0x80 : 0;
    } while (value != 0);
    byte_buffer_append(buffer, bytes, count);
}

static uint64_t read_leb128(ByteReader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t byte = byte_reader_read_le(reader, 1);
        value |= (byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->failed = true;
    return 0;
}

static uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

void snapshot_map_encode(const uint32_t *numbers, uint64_t pages, ByteBuffer *buffer) {
    int64_t expected = 1;
    for (uint64_t page = 0; page < pages; page++) {
        if (numbers[page] == 0) {
            append_leb128(buffer, 0);
            continue;
        }
        append_leb128(buffer, 1 + zigzag((int64_t)numbers[page] - expected));
        expected = (int64_t)numbers[page] + 1;
    }
}

bool snapshot_map_decode(uint32_t *numbers, uint64_t pages, ByteReader *reader) {
    int64_t expected = 1;
    for (uint64_t page = 0; page < pages; page++) {
        uint64_t code = read_leb128(reader);
        numbers[page] = 0;
        if (code == 0)
            continue;
        if (code > UINT64_C(1) << 40)
            return false;
        int64_t value = expected + unzigzag(code - 1);
        if (value <= 0 || value > UINT32_MAX)
            return false;
        numbers[page] = (uint32_t)value;
        expected = value + 1;
    }
    return !reader->failed && reader->position == reader->size;
}
