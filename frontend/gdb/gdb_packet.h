/* Packets: "$payload#checksum", acknowledged by '+' until the debugger asks for that to end. */
#ifndef REPRISE_GDB_PACKET_H
#define REPRISE_GDB_PACKET_H

#include "byte_buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest payload, as qSupported tells it. */
#define GDB_PACKET_BYTES 0x4000

typedef enum GdbEvent {
    GDB_NOTHING,
    GDB_PACKET,     /* 'payload' is whole, with a NUL behind it */
    GDB_BAD_PACKET, /* wrong checksum, or too long */
    GDB_INTERRUPT,  /* Ctrl-C */
    GDB_REPEAT,     /* '-': the last packet did not arrive well */
} GdbEvent;

typedef struct GdbPacketReader {
    enum { GDB_BETWEEN, GDB_IN_PAYLOAD, GDB_FIRST_DIGIT, GDB_SECOND_DIGIT } place;
    char payload[GDB_PACKET_BYTES + 1];
    size_t size;
    bool too_long;
    uint8_t sum, told_sum;
} GdbPacketReader;

/* The next byte from the debugger. */
GdbEvent gdb_packet_read(GdbPacketReader *reader, uint8_t byte);

/* The payload as a packet, appended to 'packet'. */
void gdb_packet_write(ByteBuffer *packet, const ByteBuffer *payload);

/* ---- Inside of payloads ---- */

typedef struct GdbText {
    const char *at, *end; /* a NUL stands at 'end' */
} GdbText;

/* Each takes something off the front of the text, or leaves it as it is and returns false. */
bool gdb_take(GdbText *text, const char *word);
bool gdb_take_number(GdbText *text, uint64_t *value);          /* hexadecimal, at most 16 digits */
bool gdb_take_bytes(GdbText *text, void *bytes, size_t count); /* two digits each */
bool gdb_take_binary(GdbText *text, uint8_t *bytes, size_t count); /* with '}' before 23h 24h 7Dh */

/* Bytes as hexadecimal digits. */
void gdb_append_hex(ByteBuffer *payload, const void *bytes, size_t count);

#endif
