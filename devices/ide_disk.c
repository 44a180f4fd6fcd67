/* ATA commands of a hard disk (ATA/ATAPI-7 volume 1, chapter 6). */
#include "dma_list.h"
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

#define FLUSH_NS 100000
#define RANGE_BYTES 8
#define RANGE_ADDRESS 0xFFFFFFFFFFFFull
#define DMA_CHUNK_SECTORS (IDE_BUFFER_BYTES / IDE_SECTOR_BYTES)

/* What a row of the command table tells of a command. */
enum {
    FLAG_EXTENDED = 1,
    FLAG_DMA = 2,
    FLAG_MULTIPLE = 4,
    FLAG_WRITE = 8,
    FLAG_THROUGH = 16, /* the write is not over before it is safe */
};

static void abort_command(IdeDrive *drive) {
    ide_finish_later(drive, ERROR_ABORTED);
}

static uint32_t sector_count(const IdeDriveState *state) {
    if (!state->extended)
        return state->count[0] == 0 ? 256 : state->count[0];
    uint32_t count = (uint32_t)state->count[1] << 8 | state->count[0];
    return count == 0 ? 65536 : count;
}

bool ide_disk_read_address(const IdeDriveState *state, uint64_t *lba) {
    uint32_t low = (uint32_t)state->lba_high[0] << 16 | state->lba_mid[0] << 8 | state->lba_low[0];
    uint32_t head = state->device & DEVICE_HEAD_MASK;
    if (state->extended) {
        uint64_t high =
            (uint64_t)state->lba_high[1] << 16 | state->lba_mid[1] << 8 | state->lba_low[1];
        *lba = high << 24 | low;
        return true;
    }
    if (state->device & DEVICE_LBA) {
        *lba = head << 24 | low;
        return true;
    }
    uint32_t cylinder = low >> 8, sector = state->lba_low[0];
    *lba = ((uint64_t)cylinder * state->current_heads + head) * state->current_sectors + sector - 1;
    return sector != 0 && sector <= state->current_sectors && head < state->current_heads;
}

void ide_disk_write_address(IdeDriveState *state, uint64_t lba) {
    bool is_lba = state->extended || (state->device & DEVICE_LBA);
    if (!is_lba && state->current_heads != 0 && state->current_sectors != 0) {
        uint64_t track = lba / state->current_sectors;
        uint64_t cylinder = track / state->current_heads;
        state->device = (uint8_t)((state->device & ~DEVICE_HEAD_MASK) |
                                  (track % state->current_heads & DEVICE_HEAD_MASK));
        lba = cylinder << 8 | (lba % state->current_sectors + 1);
    } else if (!state->extended) {
        state->device =
            (uint8_t)((state->device & ~DEVICE_HEAD_MASK) | (lba >> 24 & DEVICE_HEAD_MASK));
    }
    state->lba_low[0] = (uint8_t)lba;
    state->lba_mid[0] = (uint8_t)(lba >> 8);
    state->lba_high[0] = (uint8_t)(lba >> 16);
    if (state->extended) {
        state->lba_low[1] = (uint8_t)(lba >> 24);
        state->lba_mid[1] = (uint8_t)(lba >> 32);
        state->lba_high[1] = (uint8_t)(lba >> 40);
    }
}

/* The registers follow the transfer: the last sector done, and how many are left. */
static void show_progress(IdeDriveState *state, uint64_t lba) {
    ide_disk_write_address(state, lba);
    state->count[0] = (uint8_t)state->sectors_left;
    state->count[1] = (uint8_t)(state->sectors_left >> 8);
}

/* Ends a transfer at the sector that failed. */
static bool fail_at(IdeDrive *drive, uint64_t lba, uint8_t error, uint8_t status) {
    show_progress(drive->state, lba);
    ide_finish(drive, error);
    drive->state->status |= status;
    if (error == ERROR_UNCORRECTABLE || status != 0)
        ide_smart_log_error(drive, lba, error, drive->state->status);
    return false;
}

/* How many sectors the next buffer holds. */
static uint32_t chunk_sectors(const IdeDriveState *state) {
    uint32_t chunk = state->by_dma ? DMA_CHUNK_SECTORS : state->block_bytes / IDE_SECTOR_BYTES;
    return state->sectors_left < chunk ? state->sectors_left : chunk;
}

bool ide_disk_load(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    Error error = {0};
    if (state->lba >= ide_disk_sectors(drive))
        return fail_at(drive, state->lba, ERROR_ID_NOT_FOUND, 0);
    uint32_t count = chunk_sectors(state);
    if (count > ide_disk_sectors(drive) - state->lba)
        count = (uint32_t)(ide_disk_sectors(drive) - state->lba);
    if (!ide_batch_read(drive, state->lba, count) &&
        !block_read(drive->medium, state->lba * IDE_SECTOR_BYTES, state->buffer,
                    (size_t)count * IDE_SECTOR_BYTES, &error)) {
        TRACE(drive->channel->trace, TRACE_GUEST_ERRORS, "ide: %s\n", error.message);
        return fail_at(drive, state->lba, ERROR_UNCORRECTABLE, 0);
    }
    state->buffer_size = count * IDE_SECTOR_BYTES;
    state->lba += count;
    state->sectors_left -= count;
    show_progress(state, state->lba - 1);
    return true;
}

void ide_disk_prepare_block(IdeDrive *drive) {
    drive->state->buffer_size = chunk_sectors(drive->state) * IDE_SECTOR_BYTES;
}

/* The image did not take what comes from this sector on. */
static bool fail_write(IdeDrive *drive, uint64_t failed, const Error *error) {
    IdeDriveState *state = drive->state;
    TRACE(drive->channel->trace, TRACE_GUEST_ERRORS, "ide: %s\n", error->message);
    state->sectors_left += (uint32_t)(state->lba - failed);
    state->lba = failed;
    return fail_at(drive, failed, ERROR_ABORTED, STATUS_DEVICE_FAULT);
}

bool ide_disk_settle(IdeDrive *drive) {
    Error error = {0};
    uint64_t failed;
    return ide_batch_flush(drive, &failed, &error) || fail_write(drive, failed, &error);
}

bool ide_disk_store(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    Error error = {0};
    uint64_t failed;
    uint32_t count = state->buffer_size / IDE_SECTOR_BYTES, fits = count;
    if (state->lba >= ide_disk_sectors(drive))
        fits = 0;
    else if (count > ide_disk_sectors(drive) - state->lba)
        fits = (uint32_t)(ide_disk_sectors(drive) - state->lba);
    if (fits == 0 && !ide_disk_settle(drive))
        return false;
    if (fits > 0 && !ide_batch_write(drive, state->lba, fits, &failed, &error))
        return fail_write(drive, failed, &error);
    state->lba += fits;
    state->sectors_left -= fits;
    if (state->through && state->sectors_left == 0 && !block_flush(drive->medium, &error))
        return fail_at(drive, state->lba - 1, ERROR_ABORTED, STATUS_DEVICE_FAULT);
    if (fits < count)
        return fail_at(drive, state->lba, ERROR_ID_NOT_FOUND, 0);
    show_progress(state, state->lba - 1);
    return true;
}

/* Takes count and address from the registers; false if the command is over with that. */
static bool begin_access(IdeDrive *drive, unsigned flags) {
    IdeDriveState *state = drive->state;
    if ((flags & FLAG_DMA) && drive->channel->bus_master.transfer == NULL) {
        abort_command(drive);
        return false;
    }
    if ((flags & FLAG_MULTIPLE) && state->multiple == 0) {
        abort_command(drive);
        return false;
    }
    if ((flags & FLAG_WRITE) && block_is_read_only(drive->medium)) {
        abort_command(drive);
        return false;
    }
    state->sectors_left = sector_count(state);
    ide_disk_note_access(drive);
    if (!ide_disk_read_address(state, &state->lba) || state->lba >= ide_disk_sectors(drive)) {
        ide_finish_later(drive, ERROR_ID_NOT_FOUND);
        return false;
    }
    state->given_lba = state->lba;
    state->given_count = state->sectors_left;
    state->block_bytes = (flags & FLAG_MULTIPLE ? state->multiple : 1u) * IDE_SECTOR_BYTES;
    return true;
}

static void read_or_write(IdeDrive *drive, unsigned flags) {
    if (!begin_access(drive, flags))
        return;
    bool by_dma = (flags & FLAG_DMA) != 0, writes = (flags & FLAG_WRITE) != 0;
    int64_t ns = ide_access_ns(drive);
    drive->state->through = (flags & FLAG_THROUGH) != 0;
    if (by_dma)
        ns += (int64_t)drive->state->sectors_left *
              (drive->channel->serial ? SERIAL_SECTOR_NS : DMA_SECTOR_NS);
    ide_begin_transfer(drive, writes ? TRANSFER_DISK_WRITE : TRANSFER_DISK_READ, by_dma, ns);
}

/* A block of ranges: 48 bits of address, 16 of length each (ATA8-ACS 7.5.3.1). Those that do not
 * lie on the disk end the command. */
bool ide_disk_trim(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    Error error = {0};
    for (uint32_t at = 0; at < state->buffer_size; at += RANGE_BYTES) {
        uint64_t range = load_le64(state->buffer + at);
        uint64_t first = range & RANGE_ADDRESS, count = range >> 48;
        if (count == 0)
            continue;
        if (first >= ide_disk_sectors(drive) || count > ide_disk_sectors(drive) - first)
            return fail_at(drive, first, ERROR_ID_NOT_FOUND, 0);
        if (!dma_clear_disk(drive->medium, first * IDE_SECTOR_BYTES, count * IDE_SECTOR_BYTES, true,
                            &error)) {
            TRACE(drive->channel->trace, TRACE_GUEST_ERRORS, "ide: %s\n", error.message);
            return fail_at(drive, first, ERROR_ABORTED, STATUS_DEVICE_FAULT);
        }
    }
    state->sectors_left -= state->buffer_size / IDE_SECTOR_BYTES;
    return true;
}

/* DATA SET MANAGEMENT, of which there is one kind; serial disks have it. */
static void manage_data(IdeDrive *drive, unsigned flags) {
    IdeDriveState *state = drive->state;
    (void)flags;
    if (!drive->channel->serial || state->features[0] != 1 || block_is_read_only(drive->medium) ||
        drive->channel->bus_master.transfer == NULL) {
        abort_command(drive);
        return;
    }
    state->sectors_left = sector_count(state);
    state->block_bytes = IDE_SECTOR_BYTES;
    ide_begin_transfer(drive, TRANSFER_DISK_TRIM, true, ide_access_ns(drive));
}

/* Reads without a transfer. */
static void verify(IdeDrive *drive, unsigned flags) {
    IdeDriveState *state = drive->state;
    if (!begin_access(drive, flags))
        return;
    int64_t ns = ide_access_ns(drive) + ide_sectors_ns(drive, state->sectors_left);
    uint8_t error = 0;
    while (state->sectors_left > 0 && error == 0) {
        uint32_t count =
            state->sectors_left < DMA_CHUNK_SECTORS ? state->sectors_left : DMA_CHUNK_SECTORS;
        if (state->lba + count > ide_disk_sectors(drive))
            error = ERROR_ID_NOT_FOUND;
        else if (!block_read(drive->medium, state->lba * IDE_SECTOR_BYTES, state->buffer,
                             (size_t)count * IDE_SECTOR_BYTES, NULL)) {
            error = ERROR_UNCORRECTABLE;
            ide_smart_log_error(drive, state->lba, error, STATUS_IDLE | STATUS_ERROR);
        } else
            state->sectors_left -= count;
        state->lba += error == 0 ? count : 0;
    }
    show_progress(state, error == 0 ? state->lba - 1 : state->lba);
    state->error = error;
    ide_busy(drive, STEP_FINISH, ns);
}

static void seek(IdeDrive *drive, unsigned flags) {
    (void)flags;
    uint64_t lba;
    bool there = ide_disk_read_address(drive->state, &lba) && lba < ide_disk_sectors(drive);
    ide_finish_later(drive, there ? 0 : ERROR_ID_NOT_FOUND);
}

/* Commands that change nothing we model: recalibration. */
static void accept(IdeDrive *drive, unsigned flags) {
    (void)flags;
    ide_finish_later(drive, 0);
}

static void move_sector(IdeDrive *drive, TransferKind kind) {
    drive->state->sectors_left = 0;
    drive->state->block_bytes = 0;
    drive->state->buffer_size = IDE_SECTOR_BYTES;
    ide_begin_transfer(drive, kind, false, COMMAND_NS);
}

void ide_disk_send_sector(IdeDrive *drive) {
    move_sector(drive, TRANSFER_DATA_IN);
}

static void identify(IdeDrive *drive, unsigned flags) {
    (void)flags;
    ide_identify_disk(drive, drive->state->buffer);
    ide_disk_send_sector(drive);
}

/* READ and WRITE BUFFER: a sector that goes no further, to test the way of the data. */
static void move_buffer(IdeDrive *drive, unsigned flags) {
    move_sector(drive, flags & FLAG_WRITE ? TRANSFER_DATA_OUT : TRANSFER_DATA_IN);
}

static void set_multiple(IdeDrive *drive, unsigned flags) {
    (void)flags;
    uint8_t count = drive->state->count[0];
    if (count > IDE_MULTIPLE_MAXIMUM || (count & (count - 1)) != 0) {
        abort_command(drive);
        return;
    }
    drive->state->multiple = count;
    ide_finish_later(drive, 0);
}

static void initialize_parameters(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    if (state->count[0] == 0) {
        abort_command(drive);
        return;
    }
    state->current_heads = (state->device & DEVICE_HEAD_MASK) + 1u;
    state->current_sectors = state->count[0];
    ide_finish_later(drive, 0);
}

static void flush(IdeDrive *drive, unsigned flags) {
    (void)flags;
    Error error = {0};
    if (!block_flush(drive->medium, &error)) {
        TRACE(drive->channel->trace, TRACE_GUEST_ERRORS, "ide: %s\n", error.message);
        abort_command(drive);
        return;
    }
    ide_busy(drive, STEP_FINISH, FLUSH_NS);
}

typedef struct DiskCommand {
    uint8_t first, last;
    void (*execute)(IdeDrive *drive, unsigned flags);
    uint8_t flags;
} DiskCommand;

/* clang-format off */
static const DiskCommand commands[] = {
    {0x06, 0x06, manage_data,           FLAG_EXTENDED | FLAG_DMA},
    {0x10, 0x1F, accept,                0},                                      /* RECALIBRATE */
    {0x20, 0x21, read_or_write,         0},                                      /* READ SECTORS */
    {0x24, 0x24, read_or_write,         FLAG_EXTENDED},
    {0x25, 0x25, read_or_write,         FLAG_EXTENDED | FLAG_DMA},               /* READ DMA EXT */
    {0x27, 0x27, ide_disk_read_native_maximum,   FLAG_EXTENDED},
    {0x29, 0x29, read_or_write,         FLAG_EXTENDED | FLAG_MULTIPLE},
    {0x2F, 0x2F, ide_smart_read_log_extended, FLAG_EXTENDED},
    {0x30, 0x31, read_or_write,         FLAG_WRITE},                             /* WRITE SECTORS */
    {0x34, 0x34, read_or_write,         FLAG_EXTENDED | FLAG_WRITE},
    {0x35, 0x35, read_or_write,         FLAG_EXTENDED | FLAG_DMA | FLAG_WRITE},  /* WRITE DMA EXT */
    {0x37, 0x37, ide_disk_set_maximum,  FLAG_EXTENDED},
    {0x39, 0x39, read_or_write,         FLAG_EXTENDED | FLAG_MULTIPLE | FLAG_WRITE},
    {0x3C, 0x3C, read_or_write,         FLAG_WRITE},                             /* WRITE VERIFY */
    {0x3D, 0x3D, read_or_write,         FLAG_EXTENDED | FLAG_DMA | FLAG_WRITE | FLAG_THROUGH},
    {0x40, 0x41, verify,                0},                                      /* READ VERIFY */
    {0x42, 0x42, verify,                FLAG_EXTENDED},
    {0x70, 0x7F, seek,                  0},
    {0x91, 0x91, initialize_parameters, 0},
    {0x94, 0x97, ide_disk_set_power_mode, 0},                                    /* STANDBY, IDLE */
    {0x98, 0x98, ide_disk_check_power_mode,      0},
    {0x99, 0x99, ide_disk_sleep,        0},                                      /* SLEEP */
    {0xB0, 0xB0, ide_smart_execute,                 0},
    {0xC4, 0xC4, read_or_write,         FLAG_MULTIPLE},                          /* READ MULTIPLE */
    {0xC5, 0xC5, read_or_write,         FLAG_MULTIPLE | FLAG_WRITE},
    {0xC6, 0xC6, set_multiple,          0},
    {0xC8, 0xC9, read_or_write,         FLAG_DMA},                               /* READ DMA */
    {0xCA, 0xCB, read_or_write,         FLAG_DMA | FLAG_WRITE},                  /* WRITE DMA */
    {0xCE, 0xCE, read_or_write,         FLAG_EXTENDED | FLAG_MULTIPLE | FLAG_WRITE | FLAG_THROUGH},
    {0xE0, 0xE3, ide_disk_set_power_mode, 0},                                    /* STANDBY, IDLE */
    {0xE4, 0xE4, move_buffer,           0},
    {0xE5, 0xE5, ide_disk_check_power_mode,      0},
    {0xE6, 0xE6, ide_disk_sleep,        0},                                      /* SLEEP */
    {0xE7, 0xE7, flush,                 0},
    {0xE8, 0xE8, move_buffer,           FLAG_WRITE},
    {0xEA, 0xEA, flush,                 FLAG_EXTENDED},
    {0xEC, 0xEC, identify,              0},
    {0xEF, 0xEF, ide_disk_set_features,          0},
    {0xF8, 0xF8, ide_disk_read_native_maximum,   0},
    {0xF9, 0xF9, ide_disk_set_maximum,  0},
};
/* clang-format on */

void ide_disk_execute(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const DiskCommand *command = &commands[i];
        if (state->command >= command->first && state->command <= command->last) {
            state->extended = (command->flags & FLAG_EXTENDED) != 0;
            command->execute(drive, command->flags);
            return;
        }
    }
    TRACE(drive->channel->trace, TRACE_UNIMP, "ide: disk command %02X\n", state->command);
    abort_command(drive); /* NOP is meant to end so, too */
}
