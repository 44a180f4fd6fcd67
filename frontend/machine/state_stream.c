#include "state_stream.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "snapshot_fingerprint.h"

#include <stdlib.h>
#include <string.h>

/* "RPRSTATE", the format's version, and the length of the text behind. */
static const char magic[8] = {'R', 'P', 'R', 'S', 'T', 'A', 'T', 'E'};
#define VERSION 1
#define FINGERPRINT_BYTES_MAX 65536

static bool settle_drives(Machine *machine, Error *error) {
    for (int i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &machine->board.drive[i];
        if (drive->medium == NULL)
            continue;
        if (block_is_overlay(drive->medium) && !block_is_read_only(drive->medium))
            return error_set(error, "the drive '%s' keeps what is written in this process",
                             drive->id);
        if (!block_flush(drive->medium, error))
            return false;
    }
    return true;
}

bool state_stream_save(Machine *machine, ByteBuffer *buffer, Error *error) {
    ByteBuffer fingerprint = {.data = NULL};
    if (!settle_drives(machine, error))
        return false;
    snapshot_fingerprint(machine, &fingerprint);
    byte_buffer_append(buffer, magic, sizeof(magic));
    byte_buffer_append_le(buffer, VERSION, 4);
    byte_buffer_append_le(buffer, fingerprint.size, 4);
    byte_buffer_append(buffer, fingerprint.data, fingerprint.size);
    byte_buffer_free(&fingerprint);
    machine_save(machine, buffer);
    return true;
}

static bool check_fingerprint(Machine *machine, ByteReader *reader, size_t size, Error *error) {
    ByteBuffer present = {.data = NULL};
    char *saved = malloc(size + 1);
    if (saved == NULL)
        return error_set(error, "no memory for the state");
    byte_reader_read(reader, saved, size);
    saved[size] = '\0';
    snapshot_fingerprint(machine, &present);
    bool good = snapshot_fingerprint_compare(saved, (const char *)present.data, error);
    byte_buffer_free(&present);
    free(saved);
    return good;
}

bool state_stream_load(Machine *machine, const uint8_t *bytes, size_t size, Error *error) {
    ByteReader reader = {.data = bytes, .size = size};
    char start[sizeof(magic)];
    if (!byte_reader_read(&reader, start, sizeof(start)) ||
        memcmp(start, magic, sizeof(magic)) != 0)
        return error_set(error, "this is no state of a machine");
    uint64_t version = byte_reader_read_le(&reader, 4);
    uint64_t length = byte_reader_read_le(&reader, 4);
    if (version != VERSION)
        return error_set(error, "the state was written by another version");
    if (reader.failed || length > FINGERPRINT_BYTES_MAX || length > size - reader.position)
        return error_set(error, "the state is cut short");
    return check_fingerprint(machine, &reader, (size_t)length, error) &&
           machine_load(machine, &reader, error);
}
