#include "disk_log.h"
#include "allocate.h"
#include "block_history.h"
#include "disk_log_records.h"
#include "disk_record.h"

#include <stdlib.h>
#include <string.h>

struct DiskLog {
    SnapshotFile *file;
    BlockNode *medium;
    BlockGuard guard;
    uint32_t image;
    DiskLog *next, **where; /* in somebody's list */
    bool stamped_open;
    bool unsynced;     /* records were appended since the last flush */
    uint64_t newest;   /* the snapshot that owns new records; 0: none is needed */
    uint64_t lost;     /* this snapshot and older ones cannot be returned to */
    BlockUnitMap kept; /* units with a record of that owner */
};

SnapshotFile *disk_log_file(const DiskLog *log) {
    return log->file;
}

DiskLog *disk_log_next(const DiskLog *log) {
    return log->next;
}

BlockNode *disk_log_medium(const DiskLog *log) {
    return log->medium;
}

uint32_t disk_log_image(const DiskLog *log) {
    return log->image;
}

void disk_log_renew(DiskLog *log) {
    block_unit_map_free(&log->kept);
    log->newest = disk_newest_snapshot(log->file);
    if (log->newest <= log->lost)
        log->newest = 0;
    if (log->newest != 0)
        disk_units_list(log->file, log->image, log->newest, &log->kept);
}

static bool stamp(DiskLog *log, bool open, Error *error) {
    DiskStamp *now = allocate_zeroed(sizeof(*now));
    now->image = log->image;
    now->open = open;
    bool good = disk_identity_find(log->medium, &now->identity, error) &&
                disk_stamp_append(log->file, now, error);
    free(now);
    if (good)
        log->stamped_open = open;
    return good;
}

/* ---- The guard ---- */

/* The end of the run of units from 'unit' on that have no record yet. */
static uint64_t end_of_run(const DiskLog *log, uint64_t unit, uint64_t last) {
    uint64_t end = unit;
    while (end <= last && end - unit < DISK_LOG_UNITS_MAXIMUM &&
           block_unit_map_find(&log->kept, end) == NULL)
        end++;
    return end;
}

static bool keep_run(DiskLog *log, uint64_t unit, uint64_t end, Error *error) {
    size_t size = (size_t)(end - unit) * DISK_LOG_UNIT_BYTES;
    uint8_t *data = malloc(size);
    if (data == NULL)
        return error_set(error, "no memory to keep what the disk held");
    bool good = block_read(log->medium, unit * DISK_LOG_UNIT_BYTES, data, size, error) &&
                disk_units_append(log->file, log->image, log->newest, unit, data,
                                  (unsigned)(end - unit), error);
    free(data);
    log->unsynced = true;
    for (; good && unit < end; unit++)
        block_unit_map_add(&log->kept, unit, 0);
    return good;
}

static bool before_write(void *opaque, uint64_t offset, uint64_t size, Error *error) {
    DiskLog *log = opaque;
    if (!log->stamped_open && !stamp(log, true, error))
        return false;
    if (log->newest == 0 || size == 0)
        return true;
    uint64_t last = (offset + size - 1) / DISK_LOG_UNIT_BYTES;
    for (uint64_t unit = offset / DISK_LOG_UNIT_BYTES; unit <= last;) {
        uint64_t end = end_of_run(log, unit, last);
        if (end > unit && !keep_run(log, unit, end, error))
            return false;
        unit = end > unit ? end : unit + 1;
    }
    return true;
}

static bool before_flush(void *opaque, Error *error) {
    DiskLog *log = opaque;
    if (log->unsynced && !snapshot_file_sync(log->file, error))
        return false;
    log->unsynced = false;
    return true;
}

static void closing(void *opaque) {
    DiskLog *log = opaque;
    if (log->stamped_open)
        (void)stamp(log, false, NULL);
    block_unit_map_free(&log->kept);
    *log->where = log->next;
    if (log->next != NULL)
        log->next->where = log->where;
    free(log);
}

void disk_log_detach(DiskLog *log) {
    if (log == NULL)
        return;
    block_remove_guard(log->medium, &log->guard);
    closing(log);
}

/* ---- Going back ---- */

static bool tell_lost(const BlockNode *medium, Error *error) {
    return error_set(error, "%s: was changed by another program after the snapshot was taken",
                     block_path(medium));
}

bool disk_log_check(DiskLog *log, uint64_t snapshot, Error *error) {
    return snapshot > log->lost || tell_lost(log->medium, error);
}

/* What is to be made what it was. */
typedef struct PastImage {
    SnapshotFile *file;
    uint32_t image;
    BlockNode *medium;
    uint64_t length;
} PastImage;

/* Units in the order of their records, each of which is read once. */
static int compare_units(const void *one, const void *other) {
    const BlockUnit *first = one, *second = other;
    if (first->place != second->place)
        return first->place < second->place ? -1 : 1;
    return (first->number > second->number) - (first->number < second->number);
}

/* What is right already is left alone: it needs no record of its own. */
static bool write_back_unit(const PastImage *past, uint64_t unit, const uint8_t *then,
                            Error *error) {
    uint8_t now[DISK_LOG_UNIT_BYTES];
    uint64_t offset = unit * DISK_LOG_UNIT_BYTES;
    if (offset >= past->length)
        return true;
    uint64_t left = past->length - offset;
    size_t size = left < sizeof(now) ? (size_t)left : sizeof(now);
    return block_read(past->medium, offset, now, size, error) &&
           (memcmp(now, then, size) == 0 || block_write(past->medium, offset, then, size, error));
}

static bool write_back_units(const PastImage *past, const BlockUnit *units, size_t count,
                             Error *error) {
    ByteBuffer data = {.data = NULL};
    uint64_t first = 0;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        if (i == 0 || units[i].place != units[i - 1].place)
            good = disk_units_read(past->file, units[i].place, &data, &first, error);
        if (good)
            good =
                write_back_unit(past, units[i].number,
                                data.data + (units[i].number - first) * DISK_LOG_UNIT_BYTES, error);
    }
    byte_buffer_free(&data);
    return good;
}

/* Done twice, or once more after it was done in part, it does the same. */
static bool write_past(const PastImage *past, uint64_t snapshot, Error *error) {
    if (past->length > block_length(past->medium) + DISK_GROWTH_MAXIMUM)
        return disk_record_damaged(error);
    BlockUnitMap map = {.entries = NULL};
    disk_units_find(past->file, past->image, snapshot, &map);
    BlockUnit *units = allocate_zeroed((map.count + 1) * sizeof(*units));
    size_t position = 0, count = 0;
    for (const BlockUnit *unit; (unit = block_unit_map_next(&map, &position)) != NULL;)
        units[count++] = *unit;
    qsort(units, count, sizeof(*units), compare_units);
    bool good = (block_length(past->medium) >= past->length ||
                 block_set_length(past->medium, past->length, error)) &&
                write_back_units(past, units, count, error) &&
                block_set_length(past->medium, past->length, error);
    free(units);
    block_unit_map_free(&map);
    return good;
}

static bool write_back(const DiskReturn *back, uint64_t snapshot, Error *error) {
    PastImage past = {back->log->file, back->log->image, back->log->medium, back->length};
    return write_past(&past, snapshot, error);
}

static bool declare_intent(const DiskReturn *returns, unsigned count, uint64_t snapshot,
                           Error *error) {
    DiskIntent intent = {.snapshot = snapshot, .count = count};
    for (unsigned i = 0; i < count; i++) {
        intent.images[i].image = returns[i].log->image;
        intent.images[i].length = returns[i].length;
        if (!disk_log_check(returns[i].log, snapshot, error) ||
            !(returns[i].log->stamped_open || stamp(returns[i].log, true, error)))
            return false;
    }
    return disk_intent_append(returns[0].log->file, &intent, error);
}

bool disk_log_return(const DiskReturn *returns, unsigned count, uint64_t snapshot, Error *error) {
    if (count == 0)
        return true;
    if (!declare_intent(returns, count, snapshot, error))
        return false;
    BlockPoint *before[DISK_LOG_IMAGES_MAXIMUM];
    bool good = true;
    for (unsigned i = 0; i < count; i++)
        before[i] = block_point_take(returns[i].log->medium);
    for (unsigned i = 0; i < count && good; i++)
        good = write_back(&returns[i], snapshot, error);
    for (unsigned i = 0; i < count; i++) {
        if (!good)
            (void)block_point_return(before[i], NULL);
        block_point_free(before[i]);
        good = disk_done_append(returns[i].log->file, returns[i].log->image, error) && good;
    }
    return good;
}

static bool finish_return(DiskLog *log, Error *error) {
    DiskReturn back = {.log = log};
    uint64_t snapshot;
    if (!disk_intent_find(log->file, log->image, &snapshot, &back.length, error))
        return false;
    if (snapshot == 0)
        return true;
    return write_back(&back, snapshot, error) && disk_done_append(log->file, log->image, error);
}

bool disk_log_hand_on(SnapshotFile *file, uint64_t snapshot, Error *error) {
    return disk_units_hand_on(file, snapshot, error);
}

/* ---- Reading only ---- */

static bool find_stamp(SnapshotFile *file, const BlockNode *medium, DiskStamp *stamp,
                       DiskIdentity *now, Error *error) {
    bool known = false;
    return disk_identity_find(medium, now, error) &&
           disk_stamp_find(file, now, stamp, &known, error) && known;
}

bool disk_log_knows(SnapshotFile *file, const BlockNode *medium, uint32_t image) {
    DiskStamp *stamp = allocate_zeroed(sizeof(*stamp));
    DiskIdentity *now = allocate_zeroed(sizeof(*now));
    bool knows = find_stamp(file, medium, stamp, now, NULL) && stamp->image == image;
    free(stamp);
    free(now);
    return knows;
}

bool disk_log_check_whole(SnapshotFile *file, const BlockNode *medium, Error *error) {
    DiskStamp *stamp = allocate_zeroed(sizeof(*stamp));
    DiskIdentity *now = allocate_zeroed(sizeof(*now));
    uint64_t snapshot = 0, length;
    if (find_stamp(file, medium, stamp, now, NULL))
        (void)disk_intent_find(file, stamp->image, &snapshot, &length, NULL);
    free(stamp);
    free(now);
    return snapshot == 0 ||
           error_set(error,
                     "%s: a return to a snapshot was interrupted; start once with this image, "
                     "without snapshot=on and readonly=on, to finish it",
                     block_path(medium));
}

/* The image is as it was when it was last closed, and the snapshot was good then. */
static bool check_image(SnapshotFile *file, uint32_t image, uint64_t snapshot,
                        const BlockNode *medium, Error *error) {
    DiskStamp *last = allocate_zeroed(sizeof(*last));
    DiskIdentity *now = allocate_zeroed(sizeof(*now));
    uint64_t lost = 0;
    bool good = find_stamp(file, medium, last, now, error) && last->image == image &&
                disk_lost_find(file, image, &lost, error);
    if (!good)
        error_set(error, "%s: is another image than the snapshot's", block_path(medium));
    else if (snapshot <= lost || (!last->open && !disk_identity_equal(&last->identity, now)))
        good = tell_lost(medium, error);
    free(last);
    free(now);
    return good;
}

bool disk_log_copy(SnapshotFile *file, uint32_t image, uint64_t snapshot, BlockNode *overlay,
                   uint64_t length, Error *error) {
    PastImage past = {file, image, overlay, length};
    return check_image(file, image, snapshot, overlay, error) && write_past(&past, snapshot, error);
}

/* ---- Attaching ---- */

/* Somebody else has written the image since it was closed: none of the snapshots fits it. */
static bool check_stamp(DiskLog *log, const DiskStamp *last, const DiskIdentity *now,
                        Error *error) {
    if (!disk_lost_find(log->file, log->image, &log->lost, error))
        return false;
    log->stamped_open = last->open;
    if (last->open || disk_identity_equal(&last->identity, now))
        return true;
    log->lost = disk_newest_snapshot(log->file);
    return disk_lost_append(log->file, log->image, log->lost, error) && stamp(log, true, error);
}

static bool recognise(DiskLog *log, bool *known, Error *error) {
    DiskIdentity *now = allocate_zeroed(sizeof(*now));
    DiskStamp *last = allocate_zeroed(sizeof(*last));
    bool good = disk_identity_find(log->medium, now, error) &&
                disk_stamp_find(log->file, now, last, known, error);
    log->image = last->image;
    if (good && *known)
        good = check_stamp(log, last, now, error);
    free(now);
    free(last);
    return good;
}

static void enter_list(DiskLog *log, DiskLog **list) {
    log->next = *list;
    log->where = list;
    if (log->next != NULL)
        log->next->where = &log->next;
    *list = log;
}

bool disk_log_attach(SnapshotFile *file, BlockNode *medium, bool add, DiskLog **list,
                     Error *error) {
    DiskLog *log = allocate_zeroed(sizeof(*log));
    log->file = file;
    log->medium = medium;
    bool known = false;
    bool good = recognise(log, &known, error);
    if (good && !known && add)
        good = stamp(log, true, error);
    if (!good || (!known && !add)) {
        free(log);
        return good;
    }
    disk_log_renew(log);
    log->guard = (BlockGuard){before_write, before_flush, closing, log, NULL};
    block_add_guard(medium, &log->guard);
    enter_list(log, list);
    if (finish_return(log, error))
        return true;
    disk_log_detach(log);
    return false;
}
