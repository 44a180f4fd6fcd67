/* Commands that read, write, compare and forget blocks of a SCSI disk (SBC-3, chapter 5). */
#include "big_endian.h"
#include "dma_list.h"
#include "scsi_disk_internal.h"
#include <string.h>

#define COMPARE_BYTES 4096
#define PATTERN_BLOCKS 128u
#define RANGE_BYTES 16

void scsi_disk_read(ScsiDisk *disk, const uint8_t *command) {
    ScsiRange range = scsi_range(command);
    scsi_disk_begin_blocks(disk, SCSI_TO_HOST, SCSI_DATA_BLOCKS, range.lba, range.count);
}

void scsi_disk_write(ScsiDisk *disk, const uint8_t *command) {
    ScsiRange range = scsi_range(command);
    scsi_disk_begin_blocks(disk, SCSI_FROM_HOST, SCSI_DATA_BLOCKS, range.lba, range.count);
}

/* With BYTCHK the host sends what the blocks should hold. */
void scsi_disk_verify(ScsiDisk *disk, const uint8_t *command) {
    ScsiRange range = scsi_range(command);
    if (!(command[1] & 2))
        scsi_disk_finish(disk);
    else
        scsi_disk_begin_blocks(disk, SCSI_FROM_HOST, SCSI_DATA_COMPARE, range.lba, range.count);
}

void scsi_disk_seek(ScsiDisk *disk, const uint8_t *command) {
    uint64_t lba = scsi_range(command).lba;
    if (lba >= disk->blocks)
        scsi_disk_fail_at(disk, SCSI_OUT_OF_RANGE, lba);
    else
        scsi_disk_finish(disk);
}

void scsi_disk_read_capacity(ScsiDisk *disk, const uint8_t *command) {
    uint64_t last = disk->blocks != 0 ? disk->blocks - 1 : 0;
    (void)command;
    store_be32(disk->state.buffer, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    store_be32(disk->state.buffer + 4, SCSI_BLOCK_BYTES);
    scsi_disk_answer(disk, 8, 8);
}

void scsi_disk_service_action_in(ScsiDisk *disk, const uint8_t *command) {
    enum { READ_CAPACITY = 0x10, ANSWER_BYTES = 32, PROVISIONING = 14 };
    uint8_t *data = disk->state.buffer;
    if ((command[1] & 0x1F) != READ_CAPACITY) {
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
        return;
    }
    memset(data, 0, ANSWER_BYTES);
    store_be64(data, disk->blocks != 0 ? disk->blocks - 1 : 0);
    store_be32(data + 8, SCSI_BLOCK_BYTES);
    data[PROVISIONING] = scsi_disk_is_read_only(disk) ? 0 : 0x80;
    scsi_disk_answer(disk, ANSWER_BYTES, load_be32(command + 10));
}

void scsi_disk_unmap(ScsiDisk *disk, const uint8_t *command) {
    scsi_disk_ask(disk, load_be16(command + 7));
}

/* False if the command has failed. */
static bool forget(ScsiDisk *disk, uint64_t lba, uint64_t count, bool discard) {
    Error error = {.set = false};
    if (dma_clear_disk(disk->medium, lba * SCSI_BLOCK_BYTES, count * SCSI_BLOCK_BYTES, discard,
                       &error))
        return true;
    TRACE(disk->trace, TRACE_GUEST_ERRORS, "scsi-disk: %s\n", error.message);
    scsi_disk_fail_at(disk, SCSI_WRITE_ERROR, lba);
    return false;
}

/* What was written is safe where the host, or the setting of the cache, asks for that. */
static void finish_write(ScsiDisk *disk, bool through) {
    if (through || !disk->state.write_cache)
        scsi_disk_flush_and_finish(disk);
    else
        scsi_disk_finish(disk);
}

void scsi_disk_unmap_ranges(ScsiDisk *disk, const uint8_t *command) {
    const uint8_t *data = disk->state.buffer;
    size_t given = load_be16(command + 7), size = given < 8 ? 0 : load_be16(data + 2);
    if (given < 8 || given > SCSI_BUFFER_BYTES || size > given - 8) {
        scsi_disk_fail(disk, SCSI_LIST_LENGTH);
        return;
    }
    for (size_t at = 8; at + RANGE_BYTES <= 8 + size; at += RANGE_BYTES) {
        uint64_t lba = load_be64(data + at), count = load_be32(data + at + 8);
        if (!scsi_disk_has(disk, (ScsiRange){lba, count})) {
            scsi_disk_fail_at(disk, SCSI_OUT_OF_RANGE, lba);
            return;
        }
        if (!forget(disk, lba, count, true))
            return;
    }
    finish_write(disk, false);
}

void scsi_disk_write_same(ScsiDisk *disk, const uint8_t *command) {
    bool writes_numbers = (command[1] & 6) != 0, has_no_data = command[1] & 1;
    uint64_t count = scsi_range(command).count;
    if (writes_numbers || has_no_data || count == 0 || count > SCSI_SAME_BLOCKS)
        scsi_disk_fail(disk, SCSI_INVALID_FIELD);
    else
        scsi_disk_ask(disk, SCSI_BLOCK_BYTES);
}

static bool write_pattern(ScsiDisk *disk, ScsiRange range) {
    uint8_t pattern[PATTERN_BLOCKS * SCSI_BLOCK_BYTES];
    Error error = {.set = false};
    for (unsigned i = 0; i < PATTERN_BLOCKS; i++)
        memcpy(pattern + (size_t)i * SCSI_BLOCK_BYTES, disk->state.buffer, SCSI_BLOCK_BYTES);
    while (range.count > 0) {
        uint64_t part = range.count < PATTERN_BLOCKS ? range.count : PATTERN_BLOCKS;
        if (!block_write(disk->medium, range.lba * SCSI_BLOCK_BYTES, pattern,
                         (size_t)part * SCSI_BLOCK_BYTES, &error)) {
            TRACE(disk->trace, TRACE_GUEST_ERRORS, "scsi-disk: %s\n", error.message);
            scsi_disk_fail_at(disk, SCSI_WRITE_ERROR, range.lba);
            return false;
        }
        range.lba += part;
        range.count -= part;
    }
    return true;
}

static bool is_zero(const uint8_t *block) {
    return block[0] == 0 && memcmp(block, block + 1, SCSI_BLOCK_BYTES - 1) == 0;
}

/* Zeros take no room. */
void scsi_disk_write_same_block(ScsiDisk *disk, const uint8_t *command) {
    ScsiRange range = scsi_range(command);
    if (range.count > SCSI_SAME_BLOCKS || !scsi_disk_has(disk, range)) /* a damaged save */
        scsi_disk_fail(disk, SCSI_OUT_OF_RANGE);
    else if (is_zero(disk->state.buffer) ? forget(disk, range.lba, range.count, false)
                                         : write_pattern(disk, range))
        finish_write(disk, false);
}

void scsi_disk_blocks_have_come(ScsiDisk *disk, const uint8_t *command) {
    bool is_long = scsi_command_bytes(command[0]) > 6;
    bool verifies = (command[0] & 0x1F) == 0x0E; /* WRITE AND VERIFY */
    if (disk->state.data == SCSI_DATA_COMPARE)
        scsi_disk_finish(disk);
    else
        finish_write(disk, is_long && ((command[1] & 8) || verifies)); /* FUA */
}

/* False where they differ; 'place' tells the byte. */
static bool compare(ScsiDisk *disk, const uint8_t *data, size_t size, uint64_t *place,
                    Error *error) {
    uint8_t block[COMPARE_BYTES];
    for (size_t at = 0; at < size; at += sizeof(block)) {
        size_t part = size - at < sizeof(block) ? size - at : sizeof(block);
        *place = disk->state.offset + at;
        if (!block_read(disk->medium, *place, block, part, error) ||
            memcmp(block, data + at, part) != 0)
            return false;
    }
    return true;
}

/* A bus that moves less than a block at a time, as USB does, has it from the buffer: the medium is
 * asked once, and no block is ever written in part. 'position' tells how much of the buffer waits:
 * to be read, the rest of the block; to be written, what has come last. */
static bool read_part(ScsiDisk *disk, uint8_t *data, size_t size, Error *error) {
    ScsiDiskState *state = &disk->state;
    uint32_t within = state->offset % SCSI_BLOCK_BYTES, rest = SCSI_BLOCK_BYTES - within;
    if (state->position != rest) {
        if (!block_read(disk->medium, state->offset, state->buffer + within, rest, error))
            return false;
        state->position = rest;
    }
    memcpy(data, state->buffer + within, size);
    state->position -= (uint32_t)size;
    return true;
}

static bool write_part(ScsiDisk *disk, const uint8_t *data, size_t size, Error *error) {
    ScsiDiskState *state = &disk->state;
    uint32_t within = state->offset % SCSI_BLOCK_BYTES;
    uint32_t waiting = state->position <= within ? state->position : 0; /* a damaged save */
    memcpy(state->buffer + within, data, size);
    state->position = waiting + (uint32_t)size;
    if (within + size < SCSI_BLOCK_BYTES)
        return true;
    size = state->position;
    state->position = 0;
    return block_write(disk->medium, state->offset - waiting, state->buffer + within - waiting,
                       size, error);
}

/* Moves and goes on, up to where it failed. */
static bool move_medium(ScsiDisk *disk, uint8_t *data, size_t size, Error *error) {
    ScsiDiskState *state = &disk->state;
    bool reads = state->phase == SCSI_TO_HOST, good = true;
    for (size_t part; size > 0; data += part, size -= part) {
        size_t within = state->offset % SCSI_BLOCK_BYTES, rest = SCSI_BLOCK_BYTES - within;
        if (within != 0 || size < SCSI_BLOCK_BYTES) {
            part = size < rest ? size : rest;
            good = reads ? read_part(disk, data, part, error) : write_part(disk, data, part, error);
        } else {
            part = size - size % SCSI_BLOCK_BYTES;
            good = reads ? block_read(disk->medium, state->offset, data, part, error)
                         : block_write(disk->medium, state->offset, data, part, error);
        }
        if (!good)
            return false;
        state->offset += part;
    }
    return true;
}

bool scsi_disk_move_blocks(ScsiDisk *disk, uint8_t *data, size_t size) {
    ScsiDiskState *state = &disk->state;
    Error error = {.set = false};
    uint64_t place = state->offset, bytes = disk->blocks * SCSI_BLOCK_BYTES;
    bool good;
    if (place > bytes || size > bytes - place) { /* as a damaged save may have it */
        scsi_disk_fail(disk, SCSI_OUT_OF_RANGE);
        return false;
    }
    if (state->data == SCSI_DATA_COMPARE) {
        good = compare(disk, data, size, &place, &error);
        state->offset += good ? size : 0;
    } else {
        good = (state->phase == SCSI_TO_HOST || !scsi_disk_is_read_only(disk)) &&
               move_medium(disk, data, size, &error);
        place = state->offset;
    }
    if (error.set)
        TRACE(disk->trace, TRACE_GUEST_ERRORS, "scsi-disk: %s\n", error.message);
    if (!good)
        scsi_disk_fail_at(disk,
                          state->data == SCSI_DATA_COMPARE && !error.set ? SCSI_MISCOMPARE
                          : state->phase == SCSI_TO_HOST || state->data == SCSI_DATA_COMPARE
                              ? SCSI_READ_ERROR
                              : SCSI_WRITE_ERROR,
                          place / SCSI_BLOCK_BYTES);
    return good;
}
