#include "disk_log_records.h"
#include "allocate.h"

#include <stdlib.h>
#include <string.h>

#define UNIT_BITS 48
#define IMAGES_MAXIMUM 0xFFFFu

static uint64_t key_of(uint32_t image, uint64_t unit) {
    return (uint64_t)image << UNIT_BITS | unit;
}

static uint32_t image_of(uint64_t key) {
    return (uint32_t)(key >> UNIT_BITS);
}

static bool append(SnapshotFile *file, uint32_t kind, uint64_t key, const ByteBuffer *data,
                   Error *error) {
    SnapshotRecord record = {.kind = kind, .key = key, .size = (uint32_t)data->size};
    return snapshot_file_append_record(file, &record, data->data, error);
}

/* The last record of a kind and key, read whole; '*found' false: there is none. */
static bool read_last(SnapshotFile *file, uint32_t kind, uint64_t key, ByteReader *reader,
                      bool *found, Error *error) {
    *reader = (ByteReader){.data = NULL};
    *found = false;
    for (size_t i = snapshot_file_record_count(file); i-- > 0;) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind != kind || record->key != key)
            continue;
        uint8_t *data = allocate_zeroed(record->size + 1);
        *reader = (ByteReader){.data = data, .size = record->size};
        *found = snapshot_file_read_record(file, i, data, error);
        if (!*found)
            free(data);
        return *found;
    }
    return true;
}

static void free_read(ByteReader *reader) {
    free((void *)(uintptr_t)reader->data);
}

static bool damaged(Error *error) {
    return error_set(error, "its notes about disk images are damaged");
}

/* ---- Stamps ---- */

bool disk_stamp_append(SnapshotFile *file, const DiskStamp *stamp, Error *error) {
    ByteBuffer data = {.data = NULL};
    byte_buffer_append_le(&data, stamp->open, 1);
    disk_identity_save(&stamp->identity, &data);
    bool good = append(file, DISK_RECORD_STAMP, stamp->image, &data, error);
    byte_buffer_free(&data);
    return good;
}

static bool read_stamp(SnapshotFile *file, size_t index, DiskStamp *stamp, Error *error) {
    const SnapshotRecord *record = snapshot_file_record(file, index);
    uint8_t *data = allocate_zeroed(record->size + 1);
    ByteReader reader = {.data = data, .size = record->size};
    stamp->image = (uint32_t)record->key;
    bool good = snapshot_file_read_record(file, index, data, error);
    stamp->open = byte_reader_read_le(&reader, 1) != 0;
    good = good && (disk_identity_load(&stamp->identity, &reader) || damaged(error));
    free(data);
    return good;
}

/* The last stamps of all images, from the newest on. */
static bool find_last_stamp(SnapshotFile *file, const DiskIdentity *now, bool by_path,
                            DiskStamp *stamp, bool *found, Error *error) {
    BlockUnitMap seen = {.entries = NULL};
    bool good = true;
    for (size_t i = snapshot_file_record_count(file); i-- > 0 && good && !*found;) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind != DISK_RECORD_STAMP || record->key >= IMAGES_MAXIMUM ||
            block_unit_map_find(&seen, record->key) != NULL)
            continue;
        block_unit_map_add(&seen, record->key, 0);
        good = read_stamp(file, i, stamp, error);
        *found = good && (by_path ? strcmp(stamp->identity.path, now->path) == 0
                                  : disk_identity_equal(&stamp->identity, now));
    }
    block_unit_map_free(&seen);
    return good;
}

static uint32_t next_image(const SnapshotFile *file) {
    uint32_t next = 0;
    for (size_t i = 0; i < snapshot_file_record_count(file); i++) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind == DISK_RECORD_STAMP && record->key < IMAGES_MAXIMUM &&
            record->key >= next)
            next = (uint32_t)record->key + 1;
    }
    return next;
}

/* The same path comes first: a file there that is another one by now has taken the place of the old
 * one. Else the image may have been moved. */
bool disk_stamp_find(SnapshotFile *file, const DiskIdentity *now, DiskStamp *stamp, bool *found,
                     Error *error) {
    *found = false;
    if (!find_last_stamp(file, now, true, stamp, found, error) ||
        (!*found && !find_last_stamp(file, now, false, stamp, found, error)))
        return false;
    if (*found)
        return true;
    stamp->image = next_image(file);
    return stamp->image < IMAGES_MAXIMUM || error_set(error, "it knows too many disk images");
}

/* ---- Notes of intent ---- */

bool disk_intent_append(SnapshotFile *file, const DiskIntent *intent, Error *error) {
    ByteBuffer data = {.data = NULL};
    byte_buffer_append_le(&data, intent->snapshot, 8);
    byte_buffer_append_le(&data, intent->count, 4);
    for (uint32_t i = 0; i < intent->count; i++) {
        byte_buffer_append_le(&data, intent->images[i].image, 4);
        byte_buffer_append_le(&data, intent->images[i].length, 8);
    }
    bool good = append(file, DISK_RECORD_INTENT, 0, &data, error);
    byte_buffer_free(&data);
    return good;
}

bool disk_done_append(SnapshotFile *file, uint32_t image, Error *error) {
    return append(file, DISK_RECORD_DONE, image, &(ByteBuffer){.data = NULL}, error);
}

static bool read_intent(SnapshotFile *file, size_t index, DiskIntent *intent, Error *error) {
    const SnapshotRecord *record = snapshot_file_record(file, index);
    uint8_t data[12 + 12 * DISK_LOG_IMAGES_MAXIMUM];
    if (record->size > sizeof(data))
        return damaged(error);
    ByteReader reader = {.data = data, .size = record->size};
    if (!snapshot_file_read_record(file, index, data, error))
        return false;
    intent->snapshot = byte_reader_read_le(&reader, 8);
    intent->count = (uint32_t)byte_reader_read_le(&reader, 4);
    if (intent->count > DISK_LOG_IMAGES_MAXIMUM)
        return damaged(error);
    for (uint32_t i = 0; i < intent->count; i++) {
        intent->images[i].image = (uint32_t)byte_reader_read_le(&reader, 4);
        intent->images[i].length = byte_reader_read_le(&reader, 8);
    }
    return !reader.failed || damaged(error);
}

bool disk_intent_find(SnapshotFile *file, uint32_t image, uint64_t *snapshot, uint64_t *length,
                      Error *error) {
    *snapshot = 0;
    for (size_t i = snapshot_file_record_count(file); i-- > 0;) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind == DISK_RECORD_DONE && record->key == image)
            return true;
        if (record->kind != DISK_RECORD_INTENT)
            continue;
        DiskIntent intent = {.count = 0};
        if (!read_intent(file, i, &intent, error))
            return false;
        for (uint32_t j = 0; j < intent.count; j++) {
            if (intent.images[j].image != image)
                continue;
            *snapshot = intent.snapshot;
            *length = intent.images[j].length;
            return true;
        }
    }
    return true;
}

/* ---- Lost snapshots ---- */

bool disk_lost_append(SnapshotFile *file, uint32_t image, uint64_t snapshot, Error *error) {
    ByteBuffer data = {.data = NULL};
    byte_buffer_append_le(&data, snapshot, 8);
    bool good = append(file, DISK_RECORD_LOST, image, &data, error);
    byte_buffer_free(&data);
    return good;
}

bool disk_lost_find(SnapshotFile *file, uint32_t image, uint64_t *snapshot, Error *error) {
    ByteReader reader;
    bool found;
    *snapshot = 0;
    if (!read_last(file, DISK_RECORD_LOST, image, &reader, &found, error))
        return false;
    if (found)
        *snapshot = byte_reader_read_le(&reader, 8);
    free_read(&reader);
    return !reader.failed || damaged(error);
}

uint64_t disk_newest_snapshot(const SnapshotFile *file) {
    uint64_t newest = 0;
    for (size_t i = 0; i < snapshot_file_count(file); i++) {
        uint64_t id = snapshot_file_info(file, i)->id;
        newest = id > newest ? id : newest;
    }
    return newest;
}

/* ---- Old contents ---- */

static unsigned units_in(const SnapshotRecord *record) {
    return record->size / DISK_LOG_UNIT_BYTES;
}

static uint64_t first_unit(const SnapshotRecord *record) {
    return record->key & ((1ull << UNIT_BITS) - 1);
}

void disk_units_list(SnapshotFile *file, uint32_t image, uint64_t owner, BlockUnitMap *units) {
    for (size_t i = 0; i < snapshot_file_record_count(file); i++) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind != DISK_RECORD_UNITS || image_of(record->key) != image ||
            record->owner != owner)
            continue;
        for (unsigned j = 0; j < units_in(record); j++)
            block_unit_map_put(units, first_unit(record) + j, (uint32_t)i);
    }
}

void disk_units_find(SnapshotFile *file, uint32_t image, uint64_t snapshot, BlockUnitMap *units) {
    for (size_t i = 0; i < snapshot_file_record_count(file); i++) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind != DISK_RECORD_UNITS || image_of(record->key) != image ||
            record->owner < snapshot)
            continue;
        for (unsigned j = 0; j < units_in(record); j++) {
            const BlockUnit *known = block_unit_map_find(units, first_unit(record) + j);
            if (known == NULL || snapshot_file_record(file, known->place)->owner > record->owner)
                block_unit_map_put(units, first_unit(record) + j, (uint32_t)i);
        }
    }
}

bool disk_units_read(SnapshotFile *file, uint32_t record, ByteBuffer *data, uint64_t *first,
                     Error *error) {
    const SnapshotRecord *found = snapshot_file_record(file, record);
    uint8_t *all = allocate_zeroed(found->size + 1);
    data->size = 0;
    *first = first_unit(found);
    size_t size = found->size;
    bool good = snapshot_file_read_record(file, record, all, error);
    if (good)
        byte_buffer_append(data, all, size);
    free(all);
    return good;
}

bool disk_units_append(SnapshotFile *file, uint32_t image, uint64_t owner, uint64_t first,
                       const uint8_t *data, unsigned count, Error *error) {
    SnapshotRecord record = {.kind = DISK_RECORD_UNITS,
                             .key = key_of(image, first),
                             .owner = owner,
                             .size = count * DISK_LOG_UNIT_BYTES};
    return snapshot_file_append_record(file, &record, data, error);
}

/* Runs of one record whose units the older snapshot has no record for. */
static bool hand_on_record(SnapshotFile *file, size_t index, uint64_t older, BlockUnitMap *known,
                           Error *error) {
    SnapshotRecord record = *snapshot_file_record(file, index);
    uint8_t *data = allocate_zeroed(record.size + 1);
    bool good = snapshot_file_read_record(file, index, data, error);
    for (unsigned from = 0, to; good && from < units_in(&record); from = to) {
        to = from + 1;
        if (block_unit_map_find(known, record.key + from) != NULL)
            continue;
        while (to < units_in(&record) && block_unit_map_find(known, record.key + to) == NULL)
            to++;
        good = disk_units_append(file, image_of(record.key), older, first_unit(&record) + from,
                                 data + (size_t)from * DISK_LOG_UNIT_BYTES, to - from, error);
        for (unsigned i = from; i < to; i++)
            block_unit_map_put(known, record.key + i, 0);
    }
    free(data);
    return good;
}

static uint64_t snapshot_before(const SnapshotFile *file, uint64_t snapshot) {
    uint64_t before = 0;
    for (size_t i = 0; i < snapshot_file_count(file); i++) {
        uint64_t id = snapshot_file_info(file, i)->id;
        if (id < snapshot && id > before)
            before = id;
    }
    return before;
}

bool disk_units_hand_on(SnapshotFile *file, uint64_t snapshot, Error *error) {
    uint64_t older = snapshot_before(file, snapshot);
    size_t count = snapshot_file_record_count(file);
    if (older == 0)
        return true;
    BlockUnitMap known = {.entries = NULL};
    for (size_t i = 0; i < count; i++) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind == DISK_RECORD_UNITS && record->owner == older)
            for (unsigned j = 0; j < units_in(record); j++)
                block_unit_map_put(&known, record->key + j, 0);
    }
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        const SnapshotRecord *record = snapshot_file_record(file, i);
        if (record->kind == DISK_RECORD_UNITS && record->owner == snapshot)
            good = hand_on_record(file, i, older, &known, error);
    }
    block_unit_map_free(&known);
    return good;
}
