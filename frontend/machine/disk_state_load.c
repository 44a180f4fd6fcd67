/* Drives and media as they were saved. */
#include "allocate.h"
#include "board_drives.h"
#include "disk_logs.h"
#include "disk_media.h"
#include "disk_record.h"
#include "disk_state.h"
#include "machine_parts.h"

#include <stdlib.h>
#include <string.h>

/* What a drive is to get. */
typedef struct Arrival {
    DiskRecord record;
    BlockNode *medium;
    DiskLog *log; /* of a medium that is written straight to its image */
} Arrival;

/* Whether the machine has such a drive, and one that may be written in the same way. */
static bool check_drive(const DiskRecord *record, const BoardDrive *drive, Error *error) {
    if (record->present != drive->present || strcmp(record->id, drive->id) != 0)
        return error_set(error, "the snapshot is of a machine %s drive %s",
                         record->present ? "with" : "without",
                         record->present ? record->id : drive->id);
    if (!record->has_medium && !drive->is_floppy && !drive->is_cd && drive->present)
        return disk_record_damaged(error);
    if (!record->has_medium || !record->is_overlay || record->is_protected || drive->snapshot ||
        !record->snapshot)
        return true;
    return error_set(error,
                     "%s: the snapshot was taken with snapshot=on for this drive, and needs that "
                     "again",
                     record->id);
}

/* The image may lie elsewhere by now, and be in the drive already. */
static bool find_image(const DiskRecord *record, const BoardDrive *drive, DiskIdentity *now,
                       Error *error) {
    return drive->medium != NULL && disk_identity_find(drive->medium, now, error) &&
           disk_identity_equal(&record->identity, now);
}

static BlockNode *open_medium(const DiskRecord *record, const BoardDrive *drive, Error *error) {
    DiskIdentity *now = allocate_zeroed(sizeof(*now));
    const char *path = record->identity.path;
    if (find_image(record, drive, now, NULL))
        path = now->path;
    BlockOptions options = {.path = path,
                            .format = record->identity.format,
                            .node_name = drive->id,
                            .read_only = record->is_protected,
                            .snapshot = record->is_overlay,
                            .auto_read_only = true};
    BlockNode *medium = block_open(&options, error);
    if (medium != NULL && !(disk_identity_find(medium, now, error) &&
                            disk_identity_check(&record->identity, now, error))) {
        block_close(medium);
        medium = NULL;
    }
    free(now);
    return medium;
}

/* What an overlay holds may be a little longer than what is below; no number in a file makes it
 * much longer. */
static bool check_length(const Arrival *arrival, Error *error) {
    return arrival->record.length <= block_length(arrival->medium) + DISK_GROWTH_MAXIMUM ||
           disk_record_damaged(error);
}

/* The image that the file knows by this number, wherever it is open. */
static DiskLog *find_image_log(Machine *machine, const DiskRecord *record, SnapshotFile *file) {
    for (DiskLog *log = disk_logs_first(machine); log != NULL; log = disk_log_next(log))
        if (disk_log_file(log) == file && disk_log_image(log) == record->image)
            return log;
    return NULL;
}

/* An image that is written straight: it is in some drive, or is opened again. */
static bool find_straight(Machine *machine, Arrival *arrival, const BoardDrive *drive,
                          const DiskUnitSource *source, Error *error) {
    const DiskRecord *record = &arrival->record;
    if (source == NULL || source->file == NULL)
        return disk_record_damaged(error);
    arrival->log = find_image_log(machine, record, source->file);
    if (arrival->log != NULL) {
        arrival->medium = block_hold(disk_log_medium(arrival->log));
        return disk_log_check(arrival->log, source->snapshot, error);
    }
    BlockOptions options = {
        .path = record->identity.path, .format = record->identity.format, .node_name = drive->id};
    arrival->medium = disk_media_open(&machine->board, &options, error);
    if (arrival->medium == NULL)
        return false;
    arrival->log = find_image_log(machine, record, source->file);
    if (arrival->log == NULL)
        return error_set(error, "%s: is another image than the snapshot's", record->identity.path);
    return disk_log_check(arrival->log, source->snapshot, error);
}

/* The same contents for a drive that is not to write to its image now: in an overlay. The image may
 * have been moved, and be in the drive already. */
static bool copy_straight(Arrival *arrival, const BoardDrive *drive, const DiskUnitSource *source,
                          Error *error) {
    const DiskRecord *record = &arrival->record;
    if (source == NULL || source->file == NULL)
        return disk_record_damaged(error);
    bool is_there =
        drive->medium != NULL && disk_log_knows(source->file, drive->medium, record->image);
    BlockOptions options = {.path = is_there ? block_path(drive->medium) : record->identity.path,
                            .format = record->identity.format,
                            .node_name = drive->id,
                            .snapshot = true};
    arrival->medium = block_open(&options, error);
    return arrival->medium != NULL && check_length(arrival, error) &&
           disk_log_copy(source->file, record->image, source->snapshot, arrival->medium,
                         record->length, error);
}

static bool load_unit(ByteReader *reader, const DiskUnitSource *source, uint8_t *unit,
                      Error *error) {
    if (source == NULL)
        return byte_reader_read(reader, unit, DISK_STATE_UNIT_BYTES) || disk_record_damaged(error);
    uint64_t reference = byte_reader_read_le(reader, 8);
    if (reader->failed)
        return disk_record_damaged(error);
    return source->get(source->opaque, reference, unit, error);
}

static bool load_unit_into(Arrival *arrival, uint64_t offset, ByteReader *reader,
                           const DiskUnitSource *source, Error *error) {
    uint8_t unit[DISK_STATE_UNIT_BYTES];
    if (!load_unit(reader, source, unit, error))
        return false;
    uint64_t length = arrival->record.length;
    if (offset >= length || block_is_read_only(arrival->medium))
        return disk_record_damaged(error);
    size_t size = length - offset < sizeof(unit) ? (size_t)(length - offset) : sizeof(unit);
    return block_write(arrival->medium, offset, unit, size, error);
}

static bool load_clusters(Arrival *arrival, ByteReader *reader, const DiskUnitSource *source,
                          Error *error) {
    uint64_t next = 0, cluster;
    while ((cluster = byte_reader_read_le(reader, 8)) != DISK_CLUSTERS_END) {
        unsigned units = (unsigned)byte_reader_read_le(reader, 2);
        if (reader->failed || cluster < next || units == 0 ||
            cluster > arrival->record.length / BLOCK_CLUSTER_BYTES)
            return disk_record_damaged(error);
        next = cluster + 1;
        for (unsigned i = 0; i < DISK_UNITS_A_CLUSTER; i++) {
            uint64_t offset = cluster * BLOCK_CLUSTER_BYTES + (uint64_t)i * DISK_STATE_UNIT_BYTES;
            if ((units >> i & 1) != 0 && !load_unit_into(arrival, offset, reader, source, error))
                return false;
        }
    }
    return !reader->failed || disk_record_damaged(error);
}

static bool load_drive(Machine *machine, Arrival *arrival, const BoardDrive *drive,
                       ByteReader *reader, const DiskUnitSource *source, Error *error) {
    if (!disk_record_load(&arrival->record, reader))
        return disk_record_damaged(error);
    if (!check_drive(&arrival->record, drive, error))
        return false;
    if (!arrival->record.has_medium)
        return true;
    if (disk_record_is_straight(&arrival->record))
        return (!disk_record_stays_straight(&arrival->record, drive)
                    ? copy_straight(arrival, drive, source, error)
                    : find_straight(machine, arrival, drive, source, error)) ||
               error_prefix(error, "%s: ", drive->id);
    arrival->medium = open_medium(&arrival->record, drive, error);
    if (arrival->medium == NULL)
        return error_prefix(error, "%s: ", drive->id);
    return !arrival->record.is_overlay ||
           (check_length(arrival, error) && load_clusters(arrival, reader, source, error) &&
            block_set_length(arrival->medium, arrival->record.length, error));
}

/* From here on nothing fails. */
static void put_in(Board *board, BoardDrive *drive, Arrival *arrival) {
    const DiskRecord *record = &arrival->record;
    if (!drive->present)
        return;
    disk_media_restore(board, drive, arrival->medium);
    arrival->medium = NULL;
    drive->read_only = record->read_only;
    if (!drive->is_cd)
        board_drive_restore_geometry(board, drive, record->geometry);
}

/* Images that are written straight get their old contents. */
static bool return_images(const Arrival *arrivals, const DiskUnitSource *source, Error *error) {
    DiskReturn returns[BOARD_DRIVES];
    unsigned count = 0;
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        if (arrivals[i].log != NULL)
            returns[count++] = (DiskReturn){arrivals[i].log, arrivals[i].record.length};
    return count == 0 || disk_log_return(returns, count, source->snapshot, error);
}

bool disk_state_load(Machine *machine, ByteReader *reader, const DiskUnitSource *source,
                     Error *error) {
    Board *board = &machine->board;
    Arrival *arrivals = allocate_zeroed(BOARD_DRIVES * sizeof(*arrivals));
    bool good = disk_head_load(reader, error);
    for (unsigned i = 0; i < BOARD_DRIVES && good; i++)
        good = load_drive(machine, &arrivals[i], &board->drive[i], reader, source, error);
    good = good && return_images(arrivals, source, error);
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        if (good)
            put_in(board, &board->drive[i], &arrivals[i]);
        else
            block_close(arrivals[i].medium);
    }
    free(arrivals);
    return good;
}
