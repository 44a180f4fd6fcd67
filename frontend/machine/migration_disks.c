#include "migration_disks.h"
#include "allocate.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "migration_stream.h"

#include <stdlib.h>
#include <string.h>

#define UNITS_A_TIME 8u
#define UNIT MIGRATION_DISK_UNIT_BYTES

typedef struct SentDrive {
    BlockNode *medium; /* NULL: nothing of it is sent */
    BlockGuard guard;
    bool guarded;
    uint8_t *listed; /* for each unit */
    uint64_t units, length;
    uint64_t waiting; /* how many are listed; atomic, as the sender counts them */
} SentDrive;

struct MigrationDisks {
    Machine *machine;
    SentDrive drive[BOARD_DRIVES];
    unsigned at_drive; /* where the round has come */
    uint64_t at_unit;
    uint64_t sent_bytes;
};

static bool note_write(void *opaque, uint64_t offset, uint64_t size, Error *error) {
    SentDrive *drive = opaque;
    (void)error;
    uint64_t end =
        size > drive->length || offset > drive->length - size ? drive->length : offset + size;
    for (uint64_t unit = offset / UNIT; unit * UNIT < end; unit++) {
        __atomic_add_fetch(&drive->waiting, drive->listed[unit] == 0, __ATOMIC_RELAXED);
        drive->listed[unit] = 1;
    }
    return true;
}

static bool note_flush(void *opaque, Error *error) {
    (void)opaque, (void)error;
    return true;
}

static void note_closing(void *opaque) {
    SentDrive *drive = opaque;
    drive->guarded = false;
}

static void begin_drive(SentDrive *drive, BlockNode *medium) {
    drive->medium = block_hold(medium);
    drive->length = block_length(medium);
    drive->units = (drive->length + UNIT - 1) / UNIT;
    drive->waiting = drive->units;
    drive->listed = allocate_zeroed(drive->units + 1);
    memset(drive->listed, 1, drive->units);
    drive->guard = (BlockGuard){note_write, note_flush, note_closing, drive, NULL};
    block_add_guard(medium, &drive->guard);
    drive->guarded = true;
}

MigrationDisks *migration_disks_begin(Machine *machine, Error *error) {
    MigrationDisks *disks = allocate_zeroed(sizeof(*disks));
    disks->machine = machine;
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        BlockNode *medium = machine->board.drive[i].medium;
        if (medium == NULL || block_is_read_only(medium))
            continue;
        if (!block_flush(medium, error)) {
            migration_disks_end(disks);
            migration_disks_free(disks);
            return NULL;
        }
        begin_drive(&disks->drive[i], medium);
    }
    return disks;
}

uint64_t migration_disks_collect(MigrationDisks *disks) {
    uint64_t bytes = 0;
    disks->at_drive = 0;
    disks->at_unit = 0;
    for (unsigned i = 0; i < BOARD_DRIVES; i++)
        bytes += disks->drive[i].waiting * UNIT;
    return bytes;
}

void migration_disks_end(MigrationDisks *disks) {
    for (unsigned i = 0; disks != NULL && i < BOARD_DRIVES; i++) {
        SentDrive *drive = &disks->drive[i];
        if (drive->guarded)
            block_remove_guard(drive->medium, &drive->guard);
        drive->guarded = false;
        block_close(drive->medium);
        drive->medium = NULL;
    }
}

void migration_disks_free(MigrationDisks *disks) {
    for (unsigned i = 0; disks != NULL && i < BOARD_DRIVES; i++)
        free(disks->drive[i].listed);
    free(disks);
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

typedef struct Reading {
    MigrationDisks *disks;
    ByteBuffer *out;
    Error *error;
    bool any;
} Reading;

static bool read_unit(Reading *reading, SentDrive *drive, unsigned number, uint64_t unit) {
    uint8_t record[MIGRATION_DISK_HEADER_BYTES + UNIT];
    uint64_t offset = unit * UNIT;
    size_t size = drive->length - offset < UNIT ? (size_t)(drive->length - offset) : UNIT;
    store_le32(record, number);
    store_le64(record + 4, drive->length);
    store_le64(record + 12, offset);
    if (!block_read(drive->medium, offset, record + MIGRATION_DISK_HEADER_BYTES, size,
                    reading->error))
        return false;
    if (is_zero(record + MIGRATION_DISK_HEADER_BYTES, size))
        size = 0;
    migration_put_record(reading->out, MIGRATION_DISK, record, MIGRATION_DISK_HEADER_BYTES + size);
    drive->listed[unit] = 0;
    __atomic_sub_fetch(&drive->waiting, 1, __ATOMIC_RELAXED);
    reading->disks->sent_bytes += UNIT;
    return reading->any = true;
}

/* Between two instructions, as chips do it: what formats know of their files is for one thread. */
static void read_units(void *opaque) {
    Reading *reading = opaque;
    MigrationDisks *disks = reading->disks;
    for (unsigned read = 0; read < UNITS_A_TIME && disks->at_drive < BOARD_DRIVES;) {
        SentDrive *drive = &disks->drive[disks->at_drive];
        if (drive->medium == NULL || disks->at_unit >= drive->units) {
            disks->at_drive++;
            disks->at_unit = 0;
            continue;
        }
        const uint8_t *next =
            memchr(drive->listed + disks->at_unit, 1, drive->units - disks->at_unit);
        disks->at_unit = next != NULL ? (uint64_t)(next - drive->listed) : drive->units;
        if (next == NULL)
            continue;
        if (!read_unit(reading, drive, disks->at_drive, disks->at_unit))
            return;
        disks->at_unit++;
        read++;
    }
}

bool migration_disks_next(MigrationDisks *disks, ByteBuffer *out, Error *error) {
    Reading reading = {disks, out, error, false};
    if (disks->at_drive >= BOARD_DRIVES)
        return false;
    machine_call(disks->machine, read_units, &reading);
    return reading.any && (error == NULL || !error->set);
}

void migration_disks_count(const MigrationDisks *disks, MigrationCounts *counts) {
    counts->disk_bytes = disks->sent_bytes;
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        counts->disk_waiting_bytes +=
            __atomic_load_n(&disks->drive[i].waiting, __ATOMIC_RELAXED) * UNIT;
        counts->disk_total_bytes += disks->drive[i].units * UNIT;
    }
}
