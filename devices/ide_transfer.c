/* How data moves between a drive's buffer and the host: by data requests through the data register,
 * or by bus-master DMA. Where the buffer's content comes from and goes to is told by the transfer's
 * kind, so that both ways serve every command (ATA/ATAPI-7 volume 2, chapter 9). */
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

typedef struct Transfer {
    bool to_host;
    bool is_packet;
    /* Fills the buffer with what comes next; false if that failed and the command is over. NULL:
     * the buffer is full already. */
    bool (*load)(IdeDrive *drive);
    /* The host has filled the buffer. False if the command is over with an error. */
    bool (*store)(IdeDrive *drive);
    /* Sets the size of the buffer for the host's next block. */
    void (*prepare)(IdeDrive *drive);
} Transfer;

static void keep_size(IdeDrive *drive) {
    (void)drive;
}

static bool discard(IdeDrive *drive) {
    (void)drive;
    return true;
}

static const Transfer transfers[TRANSFER_KINDS] = {
    [TRANSFER_NONE] = {.to_host = true},
    [TRANSFER_DISK_READ] = {.to_host = true, .load = ide_disk_load},
    [TRANSFER_DISK_WRITE] = {.store = ide_disk_store, .prepare = ide_disk_prepare_block},
    [TRANSFER_DISK_TRIM] = {.store = ide_disk_trim, .prepare = ide_disk_prepare_block},
    [TRANSFER_DATA_IN] = {.to_host = true},
    [TRANSFER_DATA_OUT] = {.store = discard, .prepare = keep_size},
    [TRANSFER_PACKET] = {.is_packet = true, .store = discard, .prepare = keep_size},
    [TRANSFER_PACKET_READ] = {.to_host = true, .is_packet = true, .load = ide_cdrom_load},
    [TRANSFER_PACKET_DATA_IN] = {.to_host = true, .is_packet = true},
    [TRANSFER_PACKET_DATA_OUT] = {.is_packet = true,
                                  .store = ide_cdrom_store_modes,
                                  .prepare = keep_size},
};

static const Transfer *transfer_of(const IdeDrive *drive) {
    return &transfers[drive->state->transfer];
}

static void request_data(IdeDrive *drive, bool interrupt);

void ide_begin_transfer(IdeDrive *drive, TransferKind kind, bool by_dma, int64_t ns) {
    IdeDriveState *state = drive->state;
    state->transfer = (uint8_t)kind;
    state->by_dma = by_dma;
    state->buffer_position = 0;
    state->drq_end = 0;
    const Transfer *transfer = transfer_of(drive);
    if (!transfer->to_host)
        transfer->prepare(drive);
    else if (transfer->load != NULL)
        state->buffer_size = 0;
    if ((kind == TRANSFER_DISK_WRITE || kind == TRANSFER_DATA_OUT) && !by_dma)
        request_data(drive, false);
    else
        ide_busy(drive, by_dma ? STEP_DMA : transfer->to_host ? STEP_LOAD : STEP_ACCEPT, ns);
}

/* All data has moved. */
static void end_transfer(IdeDrive *drive, bool interrupt) {
    IdeDriveState *state = drive->state;
    if (transfer_of(drive)->is_packet) {
        ide_cdrom_finish(drive);
    } else if (interrupt) {
        ide_finish(drive, 0);
    } else {
        state->phase = DRIVE_IDLE;
        state->transfer = TRANSFER_NONE;
        state->status = STATUS_IDLE;
    }
}

/* Opens the data register for the next part of the buffer. */
static void request_data(IdeDrive *drive, bool interrupt) {
    IdeDriveState *state = drive->state;
    const Transfer *transfer = transfer_of(drive);
    uint32_t left = state->buffer_size - state->buffer_position;
    uint32_t limit = state->transfer == TRANSFER_PACKET ? PACKET_BYTES : state->block_bytes;
    uint32_t part = limit != 0 && limit < left ? limit : left;
    state->drq_end = state->buffer_position + part;
    state->phase = transfer->to_host ? DRIVE_DATA_IN : DRIVE_DATA_OUT;
    state->status = STATUS_IDLE | STATUS_DATA_REQUEST;
    if (transfer->is_packet) {
        state->count[0] = state->transfer == TRANSFER_PACKET ? REASON_COMMAND
                          : transfer->to_host                ? REASON_TO_HOST
                                                             : 0;
        if (state->transfer != TRANSFER_PACKET) {
            state->lba_mid[0] = (uint8_t)part;
            state->lba_high[0] = (uint8_t)(part >> 8);
        }
    }
    if (interrupt)
        ide_raise_interrupt(drive);
    const IdeBusMaster *master = &drive->channel->bus_master;
    if (master->data_requested != NULL)
        master->data_requested(master->opaque);
}

static bool load_buffer(IdeDrive *drive) {
    const Transfer *transfer = transfer_of(drive);
    if (transfer->load == NULL)
        return true;
    drive->state->buffer_position = 0;
    return transfer->load(drive);
}

/* The host's block is complete: store it, then ask for the next or end. */
static void store_block(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    const Transfer *transfer = transfer_of(drive);
    if (state->transfer == TRANSFER_PACKET) {
        ide_cdrom_execute_packet(drive);
        return;
    }
    if (!transfer->store(drive))
        return;
    if (state->sectors_left == 0) {
        end_transfer(drive, true);
        return;
    }
    state->buffer_position = 0;
    transfer->prepare(drive);
    request_data(drive, true);
}

void ide_continue_transfer(IdeDrive *drive, DriveStep step) {
    const Transfer *transfer = transfer_of(drive);
    switch (step) {
    case STEP_LOAD:
        if (load_buffer(drive))
            request_data(drive, true);
        break;
    case STEP_PRESENT:
        request_data(drive, true);
        break;
    case STEP_ACCEPT:
        /* No interrupt for the first block of a write, nor for the packet. */
        request_data(drive, transfer->is_packet && drive->state->transfer != TRANSFER_PACKET);
        break;
    case STEP_STORE:
        store_block(drive);
        break;
    case STEP_DMA:
        ide_run_dma(drive);
        break;
    case STEP_FINISH:
    case STEP_RESET:
        break;
    }
}

static int64_t block_ns(const IdeDrive *drive) {
    return NEXT_BLOCK_NS + ide_sectors_ns(drive, drive->state->buffer_size / IDE_SECTOR_BYTES);
}

/* The host has read all of a data request. */
static void data_request_read(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    if (state->buffer_position < state->buffer_size)
        ide_busy(drive, STEP_PRESENT, NEXT_BLOCK_NS);
    else if (state->sectors_left > 0)
        ide_busy(drive, STEP_LOAD, block_ns(drive));
    else
        end_transfer(drive, false);
}

uint32_t ide_read_data(IdeDrive *drive, unsigned size) {
    IdeDriveState *state = drive->state;
    if (state->phase != DRIVE_DATA_IN)
        return 0;
    uint8_t bytes[4] = {0};
    uint32_t left = state->drq_end - state->buffer_position;
    memcpy(bytes, state->buffer + state->buffer_position, size < left ? size : left);
    state->buffer_position += size < left ? size : left;
    if (state->buffer_position >= state->drq_end)
        data_request_read(drive);
    return load_le32(bytes);
}

void ide_write_data(IdeDrive *drive, unsigned size, uint32_t value) {
    IdeDriveState *state = drive->state;
    if (state->phase != DRIVE_DATA_OUT)
        return;
    uint8_t bytes[4];
    store_le32(bytes, value);
    uint32_t left = state->drq_end - state->buffer_position;
    memcpy(state->buffer + state->buffer_position, bytes, size < left ? size : left);
    state->buffer_position += size < left ? size : left;
    if (state->buffer_position < state->drq_end)
        return;
    if (state->buffer_position < state->buffer_size)
        ide_busy(drive, STEP_ACCEPT, NEXT_BLOCK_NS);
    else
        ide_busy(drive, STEP_STORE, block_ns(drive));
}

/* Moves the rest of the buffer; false if the bus master must be waited for. */
static bool move_buffer(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    const IdeBusMaster *master = &drive->channel->bus_master;
    size_t left = state->buffer_size - state->buffer_position;
    size_t moved = left == 0
                       ? 0
                       : master->transfer(master->opaque, state->buffer + state->buffer_position,
                                          left, transfer_of(drive)->to_host);
    state->buffer_position += (uint32_t)(moved < left ? moved : left);
    if (moved >= left)
        return true;
    state->phase = DRIVE_DMA_WAITING;
    state->status = STATUS_IDLE | STATUS_DATA_REQUEST;
    return false;
}

static void move_all(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    const Transfer *transfer = transfer_of(drive);
    for (;;) {
        bool loads = transfer->to_host && state->buffer_position == state->buffer_size;
        if (loads && state->sectors_left > 0 && !load_buffer(drive))
            return;
        if (!move_buffer(drive)) {
            if (state->transfer == TRANSFER_DISK_WRITE)
                ide_disk_settle(drive);
            return;
        }
        if (!transfer->to_host && !transfer->store(drive))
            return;
        if (state->sectors_left == 0) {
            end_transfer(drive, true);
            return;
        }
        if (!transfer->to_host) {
            state->buffer_position = 0;
            transfer->prepare(drive);
        }
    }
}

void ide_run_dma(IdeDrive *drive) {
    TransferKind kind = drive->state->transfer;
    if (kind == TRANSFER_DISK_READ || kind == TRANSFER_DISK_WRITE)
        ide_batch_begin(drive);
    move_all(drive);
    ide_batch_end(drive);
}
