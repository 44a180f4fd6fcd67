#include "disk_state.h"
#include "allocate.h"
#include "disk_logs.h"
#include "disk_record.h"
#include "machine_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct Saver {
    Machine *machine;
    ByteBuffer *buffer;
    const DiskUnitSink *sink;
    uint8_t present[BLOCK_CLUSTER_BYTES], image[BLOCK_CLUSTER_BYTES];
} Saver;

static bool save_unit(Saver *saver, const uint8_t *unit, Error *error) {
    if (saver->sink == NULL) {
        byte_buffer_append(saver->buffer, unit, DISK_STATE_UNIT_BYTES);
        return true;
    }
    uint64_t reference;
    if (!saver->sink->put(saver->sink->opaque, unit, &reference, error))
        return false;
    byte_buffer_append_le(saver->buffer, reference, 8);
    return true;
}

/* A cluster is copied up whole, but little of it may be different. */
static bool save_cluster(Saver *saver, BlockNode *medium, uint64_t offset, Error *error) {
    if (!block_read(medium, offset, saver->present, BLOCK_CLUSTER_BYTES, error) ||
        !block_read(block_below(medium), offset, saver->image, BLOCK_CLUSTER_BYTES, error))
        return false;
    unsigned different = 0;
    for (unsigned i = 0; i < DISK_UNITS_A_CLUSTER; i++) {
        size_t at = (size_t)i * DISK_STATE_UNIT_BYTES;
        if (memcmp(saver->present + at, saver->image + at, DISK_STATE_UNIT_BYTES) != 0)
            different |= 1u << i;
    }
    if (different == 0)
        return true;
    byte_buffer_append_le(saver->buffer, offset / BLOCK_CLUSTER_BYTES, 8);
    byte_buffer_append_le(saver->buffer, different, 2);
    for (unsigned i = 0; i < DISK_UNITS_A_CLUSTER; i++)
        if ((different >> i & 1) != 0 &&
            !save_unit(saver, saver->present + (size_t)i * DISK_STATE_UNIT_BYTES, error))
            return false;
    return true;
}

static bool save_overlay(Saver *saver, BlockNode *medium, Error *error) {
    for (uint64_t offset = 0; block_next_written(medium, &offset); offset += BLOCK_CLUSTER_BYTES)
        if (!save_cluster(saver, medium, offset, error))
            return false;
    byte_buffer_append_le(saver->buffer, DISK_CLUSTERS_END, 8);
    return true;
}

/* An image that is written straight: the snapshot file has a log of it. */
static bool find_log(const Saver *saver, const BoardDrive *drive, DiskRecord *record,
                     Error *error) {
    SnapshotFile *file = saver->sink != NULL ? saver->sink->file : NULL;
    DiskLog *log = file != NULL ? disk_logs_find(saver->machine, file, drive->medium) : NULL;
    if (log == NULL)
        return error_set(error, "%s writes straight to its image %s; it needs snapshot=on",
                         drive->id, block_path(drive->medium));
    record->image = disk_log_image(log);
    return true;
}

static bool save_drive(Saver *saver, const BoardDrive *drive, Error *error) {
    DiskRecord *record = allocate_zeroed(sizeof(*record));
    bool good = disk_record_find(record, &saver->machine->board, drive, error);
    if (good && disk_record_is_straight(record))
        good = find_log(saver, drive, record, error);
    if (good)
        disk_record_save(record, saver->buffer);
    if (good && record->is_overlay)
        good = save_overlay(saver, drive->medium, error);
    free(record);
    return good;
}

bool disk_state_save(Machine *machine, ByteBuffer *buffer, const DiskUnitSink *sink, Error *error) {
    Saver *saver = allocate_zeroed(sizeof(*saver));
    saver->machine = machine;
    saver->buffer = buffer;
    saver->sink = sink;
    disk_head_save(buffer);
    bool good = true;
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++)
        good = save_drive(saver, &machine->board.drive[i], error);
    free(saver);
    return good;
}

uint64_t disk_state_contents_bound(const Machine *machine) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        const BlockNode *medium = machine->board.drive[i].medium;
        if (medium == NULL || !block_is_overlay(medium))
            continue;
        for (uint64_t offset = 0; block_next_written(medium, &offset);
             offset += BLOCK_CLUSTER_BYTES)
            bytes += BLOCK_CLUSTER_BYTES;
    }
    return bytes;
}

static bool each_in_drive(ByteReader *reader, bool (*each)(void *opaque, uint64_t reference),
                          void *opaque) {
    uint64_t cluster;
    while ((cluster = byte_reader_read_le(reader, 8)) != DISK_CLUSTERS_END) {
        unsigned units = (unsigned)byte_reader_read_le(reader, 2);
        for (; units != 0; units &= units - 1) {
            uint64_t reference = byte_reader_read_le(reader, 8);
            if (reader->failed || (each != NULL && !each(opaque, reference)))
                return false;
        }
        if (reader->failed)
            return false;
    }
    return true;
}

bool disk_state_each_reference(ByteReader *reader, bool (*each)(void *opaque, uint64_t reference),
                               void *opaque) {
    DiskRecord *record = allocate_zeroed(sizeof(*record));
    bool good = disk_head_load(reader, NULL);
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++)
        good = disk_record_load(record, reader) &&
               (!record->is_overlay || !record->has_medium || each_in_drive(reader, each, opaque));
    free(record);
    return good && !reader->failed;
}

bool disk_state_writes_images(const Machine *machine, ByteReader *reader) {
    DiskRecord *record = allocate_zeroed(sizeof(*record));
    bool good = disk_head_load(reader, NULL), writes = false;
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++) {
        good = disk_record_load(record, reader) &&
               (!record->is_overlay || !record->has_medium || each_in_drive(reader, NULL, NULL));
        writes = writes || disk_record_stays_straight(record, &machine->board.drive[i]);
    }
    free(record);
    return writes;
}
