#include "scsi_disk.h"
#include "allocate.h"
#include "big_endian.h"
#include "dma_list.h"
#include "scsi_disk_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCT "QEMU HARDDISK"

static const Field field_rows[] = {
    FIELD(ScsiDiskState, U64, due_ns),
    FIELD(ScsiDiskState, U64, offset),
    FIELD(ScsiDiskState, U64, left),
    FIELD(ScsiDiskState, U32, position),
    FIELD(ScsiDiskState, U32, sense),
    FIELD(ScsiDiskState, U64, failed_block),
    FIELD_BYTES_OF(ScsiDiskState, command),
    FIELD(ScsiDiskState, U8, phase),
    FIELD(ScsiDiskState, U8, data),
    FIELD(ScsiDiskState, U8, has_data),
    FIELD(ScsiDiskState, U8, lun),
    FIELD(ScsiDiskState, U8, status),
    FIELD(ScsiDiskState, U8, attention),
    FIELD(ScsiDiskState, U8, has_failed_block),
    FIELD(ScsiDiskState, U8, write_cache),
    FIELD(ScsiDiskState, U8, stopped),
    FIELD_PADDING(ScsiDiskState, padding),
    FIELD_BYTES_OF(ScsiDiskState, buffer),
    FIELD_END,
};
static const FieldTable fields = {"scsi-disk", 1, sizeof(ScsiDiskState), field_rows};

static void set_phase(ScsiDisk *disk, ScsiTargetPhase phase) {
    bool was_busy = disk->state.phase == SCSI_BUSY;
    disk->state.phase = (uint8_t)phase;
    if (was_busy && phase != SCSI_BUSY && disk->target.ready != NULL)
        disk->target.ready(disk->target.host);
}

void scsi_disk_finish(ScsiDisk *disk) {
    disk->state.status = SCSI_GOOD;
    set_phase(disk, SCSI_DONE);
}

void scsi_disk_fail(ScsiDisk *disk, ScsiSense sense) {
    disk->state.sense = sense;
    disk->state.status = SCSI_CHECK_CONDITION;
    disk->state.left = 0;
    set_phase(disk, SCSI_DONE);
}

void scsi_disk_fail_at(ScsiDisk *disk, ScsiSense sense, uint64_t lba) {
    disk->state.has_failed_block = 1;
    disk->state.failed_block = lba;
    scsi_disk_fail(disk, sense);
}

static void begin_data(ScsiDisk *disk, ScsiTargetPhase phase, ScsiDiskData data, uint64_t size) {
    disk->state.data = (uint8_t)data;
    disk->state.position = 0;
    disk->state.left = size;
    disk->state.status = SCSI_GOOD;
    set_phase(disk, size == 0 ? SCSI_DONE : phase);
}

void scsi_disk_answer(ScsiDisk *disk, size_t size, size_t room) {
    begin_data(disk, SCSI_TO_HOST, SCSI_DATA_BUFFER, size < room ? size : room);
}

void scsi_disk_ask(ScsiDisk *disk, size_t size) {
    if (size > SCSI_BUFFER_BYTES)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        begin_data(disk, SCSI_FROM_HOST, SCSI_DATA_BUFFER, size);
}

void scsi_disk_begin_blocks(ScsiDisk *disk, ScsiTargetPhase phase, ScsiDiskData data, uint64_t lba,
                            uint64_t count) {
    disk->state.offset = lba * SCSI_BLOCK_BYTES;
    begin_data(disk, phase, data, count * SCSI_BLOCK_BYTES);
}

void scsi_disk_flush_and_finish(ScsiDisk *disk) {
    Error error = {.set = false};
    if (block_flush(disk->medium, &error)) {
        scsi_disk_finish(disk);
        return;
    }
    TRACE(disk->trace, TRACE_GUEST_ERRORS, "scsi-disk: %s\n", error.message);
    scsi_disk_fail(disk, SCSI_WRITE_ERROR);
}

static void accept(ScsiDisk *disk, const uint8_t *command) {
    (void)command;
    scsi_disk_finish(disk);
}

static void request_sense(ScsiDisk *disk, const uint8_t *command) {
    ScsiDiskState *state = &disk->state;
    if (command[1] & 1) { /* in the form of descriptors */
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
        return;
    }
    if (state->sense == SCSI_NO_SENSE && state->attention) {
        state->sense = SCSI_WAS_RESET;
        state->attention = 0;
    }
    scsi_store_sense(state->buffer, state->sense);
    if (state->has_failed_block && state->failed_block <= UINT32_MAX) {
        state->buffer[0] |= 0x80;
        store_be32(state->buffer + 3, (uint32_t)state->failed_block);
    }
    state->sense = SCSI_NO_SENSE;
    state->has_failed_block = 0;
    scsi_disk_answer(disk, SCSI_SENSE_BYTES, command[4]);
}

static void inquire(ScsiDisk *disk, const uint8_t *command) {
    const ScsiIdentity identity = {.product = disk->product,
                                   .serial = disk->serial,
                                   .device_id = disk->device_id,
                                   .forgets_blocks = !scsi_disk_is_read_only(disk)};
    memset(disk->state.buffer, 0, SCSI_BUFFER_BYTES);
    size_t size = scsi_inquire(&identity, command, disk->state.buffer);
    if (size == 0)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_answer(disk, size, load_be16(command + 3));
}

static void report_luns(ScsiDisk *disk, const uint8_t *command) {
    size_t size = scsi_report_luns(command, disk->state.buffer);
    if (size == 0)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_answer(disk, size, load_be32(command + 6));
}

static void start_stop(ScsiDisk *disk, const uint8_t *command) {
    if (command[4] >> 4 == 0)
        disk->state.stopped = !(command[4] & 1);
    if (disk->state.stopped && !(command[4] & 4))
        scsi_disk_flush_and_finish(disk);
    else
        scsi_disk_finish(disk);
}

/* All of the cache is one, however much of it the command names. */
static void synchronize(ScsiDisk *disk, const uint8_t *command) {
    (void)command;
    scsi_disk_flush_and_finish(disk);
}

/* Without data it only tests itself; with a list of defects it would be for a disk that has some.
 */
static void format_unit(ScsiDisk *disk, const uint8_t *command) {
    if (command[1] & 0x10)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_finish(disk);
}

static void send_diagnostic(ScsiDisk *disk, const uint8_t *command) {
    bool tests_itself = command[1] & 4;
    if (!tests_itself && load_be16(command + 3) != 0)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_finish(disk);
}

enum {
    NEEDS_MOTOR = 1,
    WRITES = 2,
    ALLOWED_ANYTIME = 4, /* does not report, or clear, that the disk was reset */
    HAS_RANGE = 8,       /* blocks that must be on the disk */
};
#define READS_BLOCKS (NEEDS_MOTOR | HAS_RANGE)
#define WRITES_BLOCKS (NEEDS_MOTOR | HAS_RANGE | WRITES)

typedef struct Command {
    uint8_t code, flags;
    void (*execute)(ScsiDisk *disk, const uint8_t *command);
    /* All that the host was asked for has come. */
    void (*store)(ScsiDisk *disk, const uint8_t *command);
} Command;

/* clang-format off */
static const Command commands[] = {
    {0x00, NEEDS_MOTOR,     accept,                      NULL}, /* TEST UNIT READY */
    {0x01, 0,               accept,                      NULL}, /* REZERO UNIT */
    {0x03, ALLOWED_ANYTIME, request_sense,               NULL},
    {0x04, WRITES_BLOCKS & ~HAS_RANGE, format_unit,      NULL},
    {0x08, READS_BLOCKS,    scsi_disk_read,              NULL},
    {0x0A, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come},
    {0x0B, NEEDS_MOTOR,     scsi_disk_seek,              NULL},
    {0x12, ALLOWED_ANYTIME, inquire,                     NULL},
    {0x15, 0,               scsi_disk_mode_select,       scsi_disk_take_modes},
    {0x16, 0,               accept,                      NULL}, /* RESERVE and RELEASE: there is one host */
    {0x17, 0,               accept,                      NULL},
    {0x1A, 0,               scsi_disk_mode_sense,        NULL},
    {0x1B, 0,               start_stop,                  NULL},
    {0x1D, 0,               send_diagnostic,             NULL},
    {0x1E, 0,               accept,                      NULL}, /* PREVENT ALLOW MEDIUM REMOVAL */
    {0x25, NEEDS_MOTOR,     scsi_disk_read_capacity,     NULL},
    {0x28, READS_BLOCKS,    scsi_disk_read,              NULL},
    {0x2A, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come},
    {0x2B, NEEDS_MOTOR,     scsi_disk_seek,              NULL},
    {0x2E, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come}, /* AND VERIFY */
    {0x2F, READS_BLOCKS,    scsi_disk_verify,            scsi_disk_blocks_have_come},
    {0x35, NEEDS_MOTOR,     synchronize,                 NULL},
    {0x41, WRITES_BLOCKS,   scsi_disk_write_same,        scsi_disk_write_same_block},
    {0x42, WRITES_BLOCKS & ~HAS_RANGE, scsi_disk_unmap,  scsi_disk_unmap_ranges},
    {0x55, 0,               scsi_disk_mode_select,       scsi_disk_take_modes},
    {0x56, 0,               accept,                      NULL},
    {0x57, 0,               accept,                      NULL},
    {0x5A, 0,               scsi_disk_mode_sense,        NULL},
    {0x88, READS_BLOCKS,    scsi_disk_read,              NULL},
    {0x8A, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come},
    {0x8E, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come}, /* AND VERIFY */
    {0x8F, READS_BLOCKS,    scsi_disk_verify,            scsi_disk_blocks_have_come},
    {0x91, NEEDS_MOTOR,     synchronize,                 NULL},
    {0x93, WRITES_BLOCKS,   scsi_disk_write_same,        scsi_disk_write_same_block},
    {0x9E, NEEDS_MOTOR,     scsi_disk_service_action_in, NULL},
    {0xA0, ALLOWED_ANYTIME, report_luns,                 NULL},
    {0xA8, READS_BLOCKS,    scsi_disk_read,              NULL},
    {0xAA, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come},
    {0xAE, WRITES_BLOCKS,   scsi_disk_write,             scsi_disk_blocks_have_come}, /* AND VERIFY */
    {0xAF, READS_BLOCKS,    scsi_disk_verify,            scsi_disk_blocks_have_come},
};
/* clang-format on */

static const Command *find_command(uint8_t code) {
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

static void execute_absent(ScsiDisk *disk, const uint8_t *command) {
    size_t size;
    uint8_t status = scsi_absent_unit(command, disk->state.buffer, &size);
    scsi_disk_answer(disk, size, command[4]);
    disk->state.status = status;
}

static void execute(ScsiDisk *disk) {
    ScsiDiskState *state = &disk->state;
    uint8_t bytes[SCSI_COMMAND_BYTES];
    memcpy(bytes, state->command, sizeof(bytes));
    const Command *command = find_command(bytes[0]);
    if (state->lun != 0) {
        execute_absent(disk, bytes);
        return;
    }
    if (bytes[0] != SCSI_REQUEST_SENSE) { /* sense data is of the last command only */
        state->sense = SCSI_NO_SENSE;
        state->has_failed_block = 0;
    }
    if (state->attention && (command == NULL || !(command->flags & ALLOWED_ANYTIME))) {
        state->attention = 0;
        scsi_disk_fail(disk, SCSI_WAS_RESET);
    } else if (command == NULL) {
        TRACE(disk->trace, TRACE_UNIMP, "scsi-disk: command %02X\n", bytes[0]);
        scsi_disk_fail(disk, SCSI_INVALID_COMMAND);
    } else if ((command->flags & NEEDS_MOTOR) && (state->stopped || disk->medium == NULL)) {
        scsi_disk_fail(disk, disk->medium == NULL ? SCSI_NO_MEDIUM : SCSI_STOPPED);
    } else if ((command->flags & WRITES) && scsi_disk_is_read_only(disk)) {
        scsi_disk_fail(disk, SCSI_WRITE_PROTECTED);
    } else if ((command->flags & HAS_RANGE) && !scsi_disk_has(disk, scsi_range(bytes))) {
        scsi_disk_fail_at(disk, SCSI_OUT_OF_RANGE, scsi_range(bytes).lba);
    } else {
        command->execute(disk, bytes);
    }
}

static void timer_fired(void *opaque) {
    ScsiDisk *disk = opaque;
    const Command *command = find_command(disk->state.command[0]);
    if (disk->state.phase != SCSI_BUSY)
        return;
    if (!disk->state.has_data)
        execute(disk);
    else if (disk->medium == NULL)
        scsi_disk_fail(disk, SCSI_NO_MEDIUM);
    else if (command != NULL && command->store != NULL)
        command->store(disk, disk->state.command);
    else
        scsi_disk_finish(disk);
}

static void be_busy(ScsiDisk *disk, bool has_data) {
    disk->state.phase = SCSI_BUSY;
    disk->state.has_data = has_data;
    timer_arm(&disk->timer, clock_now_ns(disk->clock) + DMA_ACCESS_NS);
}

static void begin(void *opaque, unsigned lun, const uint8_t *command) {
    ScsiDisk *disk = opaque;
    memcpy(disk->state.command, command, SCSI_COMMAND_BYTES);
    disk->state.lun = (uint8_t)lun;
    disk->state.left = 0;
    be_busy(disk, false);
}

static ScsiTargetPhase get_phase(const void *opaque) {
    const ScsiDisk *disk = opaque;
    return (ScsiTargetPhase)disk->state.phase;
}

static bool move_buffer(ScsiDisk *disk, uint8_t *data, size_t size) {
    ScsiDiskState *state = &disk->state;
    if (state->phase == SCSI_TO_HOST)
        memcpy(data, state->buffer + state->position, size);
    else
        memcpy(state->buffer + state->position, data, size);
    state->position += (uint32_t)size;
    return true;
}

static size_t move(void *opaque, uint8_t *data, size_t size) {
    ScsiDisk *disk = opaque;
    ScsiDiskState *state = &disk->state;
    if (state->phase != SCSI_TO_HOST && state->phase != SCSI_FROM_HOST)
        return 0;
    if (size > state->left)
        size = (size_t)state->left;
    if (!(state->data == SCSI_DATA_BUFFER ? move_buffer(disk, data, size)
                                          : scsi_disk_move_blocks(disk, data, size)))
        return 0;
    state->left -= size;
    if (state->left == 0 && state->phase == SCSI_TO_HOST)
        state->phase = SCSI_DONE;
    else if (state->left == 0)
        be_busy(disk, true);
    return size;
}

static uint8_t take_status(void *opaque) {
    ScsiDisk *disk = opaque;
    disk->state.phase = SCSI_FREE;
    return disk->state.status;
}

static void cancel(void *opaque) {
    ScsiDisk *disk = opaque;
    timer_cancel(&disk->timer);
    disk->state.phase = SCSI_FREE;
    disk->state.left = 0;
}

/* The write cache stays as it was set: what is reset is the bus's side. */
static void target_reset(void *opaque) {
    ScsiDisk *disk = opaque;
    ScsiDiskState kept = disk->state;
    timer_cancel(&disk->timer);
    disk->state = (ScsiDiskState){
        .due_ns = TIMER_NEVER, .attention = 1, .write_cache = kept.write_cache, .stopped = 0};
}

static const ScsiTargetClass target_class = {begin,       get_phase, move,
                                             take_status, cancel,    target_reset};

static void reset(void *opaque) {
    ScsiDisk *disk = opaque;
    target_reset(disk);
    disk->state.write_cache = 1;
}

/* Bounds what a damaged save may hold; blocks are looked at whenever they move. */
static void restored(void *opaque) {
    ScsiDisk *disk = opaque;
    ScsiDiskState *state = &disk->state;
    bool moves = state->phase == SCSI_TO_HOST || state->phase == SCSI_FROM_HOST;
    bool in_buffer =
        state->position <= SCSI_BUFFER_BYTES && state->left <= SCSI_BUFFER_BYTES - state->position;
    if (state->phase > SCSI_DONE || state->data >= SCSI_DATA_KINDS ||
        (moves && (state->left == 0 || (state->data == SCSI_DATA_BUFFER && !in_buffer))))
        target_reset(disk);
}

static const DeviceClass device_class = {"scsi-disk", &fields, reset, restored};

ScsiTarget *scsi_disk_target(ScsiDisk *disk) {
    return &disk->target;
}

void scsi_disk_restore_medium(ScsiDisk *disk, BlockNode *medium) {
    disk->medium = medium;
    disk->blocks =
        medium == NULL ? 0 : (block_length(medium) + SCSI_BLOCK_BYTES - 1) / SCSI_BLOCK_BYTES;
}

IdeGeometry scsi_disk_geometry(const ScsiDisk *disk) {
    return disk->geometry;
}

void scsi_disk_restore_geometry(ScsiDisk *disk, IdeGeometry geometry) {
    disk->geometry = geometry;
}

ScsiDisk *scsi_disk_create(const DeviceContext *context, const ScsiDiskOptions *options) {
    ScsiDisk *disk = allocate_zeroed(sizeof(*disk));
    const char *serial = options->serial != NULL ? options->serial : "";
    const char *device_id = options->device_id != NULL ? options->device_id
                            : *serial != '\0'          ? serial
                                                       : options->id;
    snprintf(disk->id, sizeof(disk->id), "%s", options->id);
    snprintf(disk->product, sizeof(disk->product), "%s",
             options->product != NULL ? options->product : PRODUCT);
    snprintf(disk->serial, sizeof(disk->serial), "%s", serial);
    snprintf(disk->device_id, sizeof(disk->device_id), "%s", device_id);
    disk->clock = context->clock;
    disk->trace = context->trace;
    disk->target = (ScsiTarget){.class = &target_class, .opaque = disk};
    disk->geometry =
        options->geometry.cylinders != 0 ? options->geometry : ide_geometry_guess(options->medium);
    scsi_disk_restore_medium(disk, options->medium);
    timer_init(&disk->timer, context->clock, "scsi-disk", &disk->state.due_ns, timer_fired, disk);
    device_list_add(context->devices, &device_class, disk->id, disk, &disk->state);
    reset(disk);
    return disk;
}

void scsi_disk_destroy(ScsiDisk *disk) {
    free(disk);
}
