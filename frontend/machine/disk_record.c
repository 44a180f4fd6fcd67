#include "disk_record.h"
#include "board_drives.h"

#include <stdio.h>
#include <string.h>

enum {
    FLAG_PRESENT = 1 << 0,
    FLAG_MEDIUM = 1 << 1,
    FLAG_SNAPSHOT = 1 << 2,
    FLAG_READ_ONLY = 1 << 3,
    FLAG_PROTECTED = 1 << 4,
    FLAG_OVERLAY = 1 << 5,
    FLAGS_ALL = (1 << 6) - 1,
};

/* What IDENTIFY DEVICE can tell. */
#define CYLINDERS_MAXIMUM 65535u
#define HEADS_MAXIMUM 256u
#define SECTORS_MAXIMUM 63u

#define STATE_VERSION 1

bool disk_record_damaged(Error *error) {
    return error_set(error, "the snapshot's description of the disks is damaged");
}

void disk_head_save(ByteBuffer *buffer) {
    byte_buffer_append_le(buffer, STATE_VERSION, 4);
    byte_buffer_append_le(buffer, BOARD_DRIVES, 4);
}

bool disk_head_load(ByteReader *reader, Error *error) {
    uint64_t version = byte_reader_read_le(reader, 4), drives = byte_reader_read_le(reader, 4);
    if (reader->failed)
        return disk_record_damaged(error);
    return (version == STATE_VERSION && drives == BOARD_DRIVES) ||
           error_set(error, "the snapshot's disks were written by another version");
}

static unsigned flags_of(const DiskRecord *record) {
    return (record->present ? FLAG_PRESENT : 0u) | (record->has_medium ? FLAG_MEDIUM : 0u) |
           (record->snapshot ? FLAG_SNAPSHOT : 0u) | (record->read_only ? FLAG_READ_ONLY : 0u) |
           (record->is_protected ? FLAG_PROTECTED : 0u) | (record->is_overlay ? FLAG_OVERLAY : 0u);
}

void disk_record_save(const DiskRecord *record, ByteBuffer *buffer) {
    byte_buffer_append_le(buffer, flags_of(record), 1);
    byte_buffer_append(buffer, record->id, sizeof(record->id));
    byte_buffer_append_le(buffer, record->geometry.cylinders, 4);
    byte_buffer_append_le(buffer, record->geometry.heads, 4);
    byte_buffer_append_le(buffer, record->geometry.sectors, 4);
    byte_buffer_append_le(buffer, record->geometry.translation, 4);
    if (!record->has_medium)
        return;
    disk_identity_save(&record->identity, buffer);
    byte_buffer_append_le(buffer, record->length, 8);
    byte_buffer_append_le(buffer, record->image, 4);
}

static bool is_possible(const DiskRecord *record) {
    const IdeGeometry *geometry = &record->geometry;
    bool has_geometry = geometry->cylinders != 0;
    return memchr(record->id, '\0', sizeof(record->id)) != NULL &&
           geometry->cylinders <= CYLINDERS_MAXIMUM && geometry->heads <= HEADS_MAXIMUM &&
           geometry->sectors <= SECTORS_MAXIMUM && (geometry->heads != 0) == has_geometry &&
           (geometry->sectors != 0) == has_geometry &&
           geometry->translation <= IDE_TRANSLATION_LARGE;
}

bool disk_record_load(DiskRecord *record, ByteReader *reader) {
    memset(record, 0, sizeof(*record));
    unsigned flags = (unsigned)byte_reader_read_le(reader, 1);
    if (!byte_reader_read(reader, record->id, sizeof(record->id)) || (flags & ~FLAGS_ALL) != 0)
        return false;
    record->present = flags & FLAG_PRESENT;
    record->has_medium = flags & FLAG_MEDIUM;
    record->snapshot = flags & FLAG_SNAPSHOT;
    record->read_only = flags & FLAG_READ_ONLY;
    record->is_protected = flags & FLAG_PROTECTED;
    record->is_overlay = flags & FLAG_OVERLAY;
    record->geometry.cylinders = (uint32_t)byte_reader_read_le(reader, 4);
    record->geometry.heads = (uint32_t)byte_reader_read_le(reader, 4);
    record->geometry.sectors = (uint32_t)byte_reader_read_le(reader, 4);
    record->geometry.translation = (IdeTranslation)byte_reader_read_le(reader, 4);
    if (reader->failed || !is_possible(record))
        return false;
    if (!record->has_medium)
        return true;
    if (!disk_identity_load(&record->identity, reader))
        return false;
    record->length = byte_reader_read_le(reader, 8);
    record->image = (uint32_t)byte_reader_read_le(reader, 4);
    return !reader->failed && record->length <= INT64_MAX / 2;
}

bool disk_record_is_straight(const DiskRecord *record) {
    return record->has_medium && !record->is_overlay && !record->is_protected;
}

bool disk_record_stays_straight(const DiskRecord *record, const BoardDrive *drive) {
    return disk_record_is_straight(record) && (!drive->snapshot || record->snapshot);
}

bool disk_record_find(DiskRecord *record, const Board *board, const BoardDrive *drive,
                      Error *error) {
    memset(record, 0, sizeof(*record));
    snprintf(record->id, sizeof(record->id), "%s", drive->id);
    record->present = drive->present;
    record->snapshot = drive->snapshot;
    record->read_only = drive->read_only;
    if (drive->present && !drive->is_cd)
        record->geometry = board_drive_geometry(board, drive);
    if (drive->medium == NULL)
        return true;
    record->has_medium = true;
    record->is_protected = block_is_read_only(drive->medium);
    record->is_overlay = block_is_overlay(drive->medium);
    record->length = block_length(drive->medium);
    return disk_identity_find(drive->medium, &record->identity, error);
}
