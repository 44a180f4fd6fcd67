/* See gdb_packet.h. */
#include "gdb_packet.h"

#include <string.h>

static int digit_of(char letter) {
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

static void begin_payload(GdbPacketReader *reader) {
    reader->place = GDB_IN_PAYLOAD;
    reader->size = 0;
    reader->sum = 0;
    reader->too_long = false;
}

static void take_payload(GdbPacketReader *reader, uint8_t byte) {
    if (byte == '#') {
        reader->place = GDB_FIRST_DIGIT;
    } else if (byte == '$') { /* the packet before it was cut off */
        begin_payload(reader);
    } else {
        reader->sum += byte;
        reader->too_long |= reader->size == GDB_PACKET_BYTES;
        if (!reader->too_long)
            reader->payload[reader->size++] = (char)byte;
    }
}

static GdbEvent end_packet(GdbPacketReader *reader, int digit) {
    reader->place = GDB_BETWEEN;
    bool good = digit >= 0 && (reader->told_sum << 4 | digit) == reader->sum && !reader->too_long;
    reader->payload[reader->size] = '\0';
    return good ? GDB_PACKET : GDB_BAD_PACKET;
}

GdbEvent gdb_packet_read(GdbPacketReader *reader, uint8_t byte) {
    switch (reader->place) {
    case GDB_BETWEEN:
        if (byte == '$')
            begin_payload(reader);
        return byte == 0x03 ? GDB_INTERRUPT : byte == '-' ? GDB_REPEAT : GDB_NOTHING;
    case GDB_IN_PAYLOAD:
        take_payload(reader, byte);
        return GDB_NOTHING;
    case GDB_FIRST_DIGIT: {
        int digit = digit_of((char)byte);
        reader->told_sum = digit < 0 ? 0 : (uint8_t)digit;
        reader->too_long |= digit < 0;
        reader->place = GDB_SECOND_DIGIT;
        return GDB_NOTHING;
    }
    default:
        return end_packet(reader, digit_of((char)byte));
    }
}

void gdb_packet_write(ByteBuffer *packet, const ByteBuffer *payload) {
    uint8_t sum = 0;
    byte_buffer_append(packet, "$", 1);
    for (size_t i = 0; i < payload->size; i++)
        sum += payload->data[i];
    byte_buffer_append(packet, payload->data, payload->size);
    byte_buffer_print(packet, "#%02x", sum);
}

bool gdb_take(GdbText *text, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

bool gdb_take_number(GdbText *text, uint64_t *value) {
    const char *at = text->at;
    uint64_t number = 0;
    while (at - text->at < 16 && digit_of(*at) >= 0)
        number = number << 4 | (unsigned)digit_of(*at++);
    if (at == text->at || digit_of(*at) >= 0)
        return false;
    text->at = at;
    *value = number;
    return true;
}

bool gdb_take_bytes(GdbText *text, void *bytes, size_t count) {
    if ((size_t)(text->end - text->at) < 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(text->at[2 * i]), low = digit_of(text->at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ((uint8_t *)bytes)[i] = (uint8_t)(high << 4 | low);
    }
    text->at += 2 * count;
    return true;
}

bool gdb_take_binary(GdbText *text, uint8_t *bytes, size_t count) {
    const char *at = text->at;
    for (size_t i = 0; i < count; i++) {
        bool escaped = at < text->end && *at == '}';
        at += escaped;
        if (at >= text->end)
            return false;
        bytes[i] = (uint8_t)(*at++ ^ (escaped ? 0x20 : 0));
    }
    text->at = at;
    return true;
}

void gdb_append_hex(ByteBuffer *payload, const void *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = ((const uint8_t *)bytes)[i];
        char pair[2] = {digits[byte >> 4], digits[byte & 15]};
        byte_buffer_append(payload, pair, 2);
    }
}
