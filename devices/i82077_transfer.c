/* The commands of the floppy controller that work on the track under the head: reading, writing,
 * verifying, scanning, formatting, reading IDs (82077AA data sheet, "Data transfer commands").
 *
 * A transfer is a chain of timed pieces. Each ends in i82077_continue_transfer(): the sector looked
 * for has passed the head; now its bytes go to or come from memory by DMA, or, in non-DMA mode,
 * through the data register, for which the chain stops until the host is through with the buffer.
 */
#include "i82077_internal.h"
#include <string.h>

#define OPTION_MULTI_TRACK 0x80
#define OPTION_SKIP 0x20
#define OPTION_VERIFY_COUNT 0x80 /* EC, in the second byte of VERIFY */
#define SIZE_CODE_512 2
#define RESULT_BYTES 7
#define ID_BYTES 4
#define CYLINDERS_OF_40_TRACK_MEDIA 42 /* at most */

#define FAST_SECTOR_NS 200000
#define FAST_NO_MARK_NS 1000000
#define TURN_NS 200000000          /* 300 revolutions a minute */
#define DMA_STALL_LIMIT_NS TURN_NS /* then the data is lost */
#define DMA_RETRY_NS 50000

static unsigned command_code(const I82077 *fdc) {
    return fdc->state.command[0] & 0x1F;
}

static TransferKind transfer_kind(const I82077 *fdc) {
    switch (command_code(fdc)) {
    case COMMAND_WRITE:
    case COMMAND_WRITE_DELETED:
        return TRANSFER_WRITE;
    case COMMAND_VERIFY:
        return TRANSFER_VERIFY;
    case COMMAND_SCAN_EQUAL:
    case COMMAND_SCAN_LOW:
    case COMMAND_SCAN_HIGH:
        return TRANSFER_SCAN;
    case COMMAND_FORMAT:
        return TRANSFER_FORMAT;
    case COMMAND_READ_ID:
        return TRANSFER_READ_ID;
    }
    return TRANSFER_READ;
}

static bool is_read_track(const I82077 *fdc) {
    return command_code(fdc) == COMMAND_READ_TRACK;
}

static bool is_read_deleted(const I82077 *fdc) {
    return command_code(fdc) == COMMAND_READ_DELETED;
}

static bool uses_dma(const I82077 *fdc) {
    return (fdc->state.specify[1] & SPECIFY_NON_DMA) == 0;
}

static unsigned unit_of(const I82077 *fdc) {
    return fdc->state.command[1] & 3;
}

/* The side that the head select line chooses. */
static unsigned side_of(const I82077 *fdc) {
    return fdc->state.status[0] >> 2 & 1;
}

static void finish(I82077 *fdc) {
    I82077State *state = &fdc->state;
    state->stalled_since_ns = -1;
    memcpy(state->result, state->status, sizeof(state->status));
    state->result[3] = state->cylinder;
    state->result[4] = state->head;
    state->result[5] = state->sector;
    state->result[6] = SIZE_CODE_512;
    i82077_enter_result(fdc, RESULT_BYTES, true);
}

static void fail(I82077 *fdc, uint8_t status_0, uint8_t status_1, uint8_t status_2) {
    fdc->state.status[0] |= ST0_ABNORMAL | status_0;
    fdc->state.status[1] |= status_1;
    fdc->state.status[2] |= status_2;
    finish(fdc);
}

static void wait_for(I82077 *fdc, TransferStep step, int64_t ns) {
    fdc->state.phase = PHASE_EXECUTION;
    fdc->state.step = (uint8_t)step;
    timer_arm(&fdc->phase_timer, clock_now_ns(fdc->clock) + ns);
}

/* Two index pulses without an address mark; or no index pulse at all, where the real chip would
 * wait for ever and the driver gives up. */
static void wait_for_no_mark(I82077 *fdc) {
    wait_for(fdc, STEP_NO_MARK, fdc->accurate_timing ? 2 * TURN_NS : FAST_NO_MARK_NS);
}

/* Until the sector has passed the head. The track turns with the virtual clock, sectors 1 to n in
 * order. */
static void wait_for_sector(I82077 *fdc) {
    const I82077State *state = &fdc->state;
    const I82077DriveState *drive = &state->drives[unit_of(fdc)];
    if (!fdc->accurate_timing || drive->sectors == 0) {
        wait_for(fdc, STEP_SECTOR, FAST_SECTOR_NS);
        return;
    }
    int64_t slot = TURN_NS / drive->sectors;
    int64_t angle = clock_now_ns(fdc->clock) % TURN_NS;
    int64_t start = (state->sector > 0 ? state->sector - 1 : 0) * slot;
    wait_for(fdc, STEP_SECTOR, (start - angle + 2 * TURN_NS) % TURN_NS + slot);
}

/* Whether the drive turns a medium that can be read at this data rate. */
static bool track_is_readable(const I82077 *fdc, const I82077DriveState *drive) {
    return drive != NULL && drive->present && i82077_motor_is_on(fdc, unit_of(fdc)) &&
           (drive->rates & 1 << fdc->state.rate) != 0 && side_of(fdc) < drive->heads;
}

/* A 40-track diskette in an 80-track drive: drivers that know step twice a track, firmware that
 * leaves the seeking to the controller steps once. Both find their track. */
static bool cylinder_is_under_head(const I82077DriveState *drive, unsigned cylinder) {
    bool two_steps = drive->cylinders <= CYLINDERS_OF_40_TRACK_MEDIA &&
                     drive->type != FLOPPY_DRIVE_360K && drive->cylinder == 2 * cylinder;
    return cylinder < drive->cylinders && (drive->cylinder == cylinder || two_steps);
}

static void take_buffer_from_host(I82077 *fdc) {
    fdc->state.phase = PHASE_DATA_FROM_HOST;
    fdc->state.interrupt = 1;
    i82077_update_irq(fdc);
}

/* The next sector: what the host must supply comes first, then the sector itself. */
static void begin_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    TransferKind kind = transfer_kind(fdc);
    bool from_host = kind == TRANSFER_WRITE || kind == TRANSFER_SCAN || kind == TRANSFER_FORMAT;
    memset(state->buffer, 0, sizeof(state->buffer));
    state->buffer_position = 0;
    state->buffer_size = kind == TRANSFER_FORMAT ? ID_BYTES : FLOPPY_SECTOR_BYTES;
    if (from_host && !uses_dma(fdc))
        take_buffer_from_host(fdc);
    else
        wait_for_sector(fdc);
}

static void begin_common(I82077 *fdc) {
    I82077State *state = &fdc->state;
    memset(state->status, 0, sizeof(state->status));
    state->status[0] = state->command[1] & 7;
    state->terminal_count = 0;
    state->stalled_since_ns = -1;
    state->sectors_left = 0;
}

void i82077_begin_transfer(I82077 *fdc) {
    I82077State *state = &fdc->state;
    begin_common(fdc);
    state->cylinder = state->command[2];
    state->head = state->command[3];
    state->sector = is_read_track(fdc) ? 1 : state->command[4];
    state->end_of_track = state->command[6];
    if (command_code(fdc) == COMMAND_VERIFY && (state->command[1] & OPTION_VERIFY_COUNT))
        state->sectors_left = state->command[8] == 0 ? 256 : state->command[8];
    I82077DriveState *drive = i82077_drive(fdc, unit_of(fdc));
    int64_t seek_ns = 0;
    if (drive != NULL && (state->config & CONFIG_IMPLIED_SEEK) &&
        !cylinder_is_under_head(drive, state->cylinder) && drive->cylinder != state->cylinder) {
        unsigned from = drive->cylinder, to = state->cylinder;
        seek_ns = i82077_seek_ns(fdc, from > to ? from - to : to - from);
        drive->cylinder = state->cylinder;
        if (drive->present)
            drive->disk_changed = 0;
    }
    wait_for(fdc, STEP_START, seek_ns);
}

void i82077_begin_format(I82077 *fdc) {
    I82077State *state = &fdc->state;
    begin_common(fdc);
    const I82077DriveState *drive = i82077_drive(fdc, unit_of(fdc));
    state->cylinder = drive != NULL ? drive->cylinder : 0;
    state->head = (uint8_t)side_of(fdc);
    state->sector = 1;
    state->sectors_left = state->command[3];
    state->end_of_track = state->command[3];
    wait_for(fdc, STEP_START, 0);
}

void i82077_begin_read_id(I82077 *fdc) {
    begin_common(fdc);
    wait_for(fdc, STEP_START, 0);
}

/* The next ID that comes by. */
static void read_id(I82077 *fdc, const I82077DriveState *drive) {
    I82077State *state = &fdc->state;
    int64_t slot = fdc->accurate_timing ? TURN_NS / drive->sectors : FAST_SECTOR_NS;
    bool stepped_twice = drive->cylinder >= drive->cylinders;
    state->cylinder = stepped_twice ? drive->cylinder / 2 : drive->cylinder;
    if (state->cylinder >= drive->cylinders) {
        wait_for_no_mark(fdc);
        return;
    }
    state->head = (uint8_t)side_of(fdc);
    state->sector = (uint8_t)(clock_now_ns(fdc->clock) / slot % drive->sectors + 1);
    wait_for(fdc, STEP_SECTOR, slot);
}

/* The head is over the cylinder: is there something to work on? */
static void start_on_track(I82077 *fdc) {
    const I82077State *state = &fdc->state;
    const I82077DriveState *drive = i82077_drive(fdc, unit_of(fdc));
    TransferKind kind = transfer_kind(fdc);
    if (!track_is_readable(fdc, drive)) {
        wait_for_no_mark(fdc);
        return;
    }
    if ((kind == TRANSFER_WRITE || kind == TRANSFER_FORMAT) && drive->write_protected) {
        fail(fdc, 0, ST1_NOT_WRITABLE, 0);
        return;
    }
    if (kind == TRANSFER_READ_ID)
        read_id(fdc, drive);
    else if (kind == TRANSFER_FORMAT && state->sectors_left == 0)
        finish(fdc);
    else if (kind != TRANSFER_FORMAT && state->command[5] != SIZE_CODE_512)
        fail(fdc, 0, ST1_NO_DATA, 0); /* no ID on the track has that size code */
    else
        begin_sector(fdc);
}

/* Whether the ID looked for is on the track; if not, fails the command. */
static bool find_sector(I82077 *fdc) {
    const I82077State *state = &fdc->state;
    const I82077DriveState *drive = &state->drives[unit_of(fdc)];
    if (!track_is_readable(fdc, drive)) {
        wait_for_no_mark(fdc); /* the medium or the motor went while the command ran */
        return false;
    }
    if (!cylinder_is_under_head(drive, state->cylinder)) {
        fail(fdc, 0, ST1_NO_DATA,
             state->cylinder == 0xFF ? ST2_WRONG_CYLINDER | ST2_BAD_CYLINDER : ST2_WRONG_CYLINDER);
        return false;
    }
    if (state->head != side_of(fdc) || state->sector == 0 || state->sector > drive->sectors) {
        fail(fdc, 0, ST1_NO_DATA, 0);
        return false;
    }
    return true;
}

static uint64_t sector_offset(const I82077 *fdc) {
    const I82077State *state = &fdc->state;
    const I82077DriveState *drive = &state->drives[unit_of(fdc)];
    uint64_t track = (uint64_t)state->cylinder * drive->heads + state->head;
    return (track * drive->sectors + state->sector - 1) * FLOPPY_SECTOR_BYTES;
}

static bool load_sector(I82077 *fdc, uint8_t *data) {
    Error error = {0};
    BlockNode *medium = fdc->media[unit_of(fdc)];
    if (medium != NULL && block_read(medium, sector_offset(fdc), data, FLOPPY_SECTOR_BYTES, &error))
        return true;
    TRACE(fdc->trace, TRACE_GUEST_ERRORS, "fdc: read error: %s\n", error.message);
    fail(fdc, 0, ST1_DATA_ERROR, ST2_DATA_ERROR_IN_DATA);
    return false;
}

static bool store_sector(I82077 *fdc) {
    Error error = {0};
    BlockNode *medium = fdc->media[unit_of(fdc)];
    if (medium != NULL &&
        block_write(medium, sector_offset(fdc), fdc->state.buffer, FLOPPY_SECTOR_BYTES, &error))
        return true;
    TRACE(fdc->trace, TRACE_GUEST_ERRORS, "fdc: write error: %s\n", error.message);
    fail(fdc, ST0_EQUIPMENT_CHECK, 0, 0);
    return false;
}

/* Goes to the next ID. False if that was the last one of the command. (What the host sees then is
 * in the data sheet's "Result phase table".) */
static bool advance_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    bool multi_track = (state->command[0] & OPTION_MULTI_TRACK) != 0;
    unsigned step = transfer_kind(fdc) == TRANSFER_SCAN && state->command[8] == 2 ? 2 : 1;
    if (state->sector + step <= state->end_of_track) {
        state->sector = (uint8_t)(state->sector + step);
        return true;
    }
    state->sector = 1;
    if (multi_track && state->head == 0) {
        state->head = 1;
        state->status[0] |= 4;
        return true;
    }
    if (multi_track)
        state->head = 0;
    state->cylinder++;
    return false;
}

/* A sector is done. The command ends with the terminal count, else at the end of the track, which
 * for a transfer of data is an error: the host wanted more. */
static void end_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    TransferKind kind = transfer_kind(fdc);
    bool counted_out = state->sectors_left > 0 && --state->sectors_left == 0;
    uint8_t cylinder = state->cylinder, head = state->head, sector = state->sector;
    bool more = advance_sector(fdc);
    if (state->terminal_count || counted_out || (!more && kind == TRANSFER_VERIFY)) {
        finish(fdc);
    } else if (!more && kind == TRANSFER_SCAN) {
        state->status[2] |= ST2_SCAN_NOT_SATISFIED;
        finish(fdc);
    } else if (!more) {
        state->cylinder = cylinder;
        state->head = head;
        state->sector = sector;
        fail(fdc, 0, ST1_END_OF_CYLINDER, 0);
    } else {
        begin_sector(fdc);
    }
}

/* Moves the rest of the buffer by DMA. True when that is over, by size or by terminal count; else
 * the chain waits for the channel, or the command has failed. */
static bool move_by_dma(I82077 *fdc, bool to_memory) {
    I82077State *state = &fdc->state;
    bool terminal_count = false;
    size_t wanted = state->buffer_size - state->buffer_position;
    size_t moved = 0;
    if ((state->dor & DOR_DMA_GATE) && fdc->dma.transfer != NULL)
        moved = fdc->dma.transfer(fdc->dma.opaque, state->buffer + state->buffer_position, wanted,
                                  to_memory, &terminal_count);
    if (moved > wanted)
        moved = wanted;
    state->buffer_position += (uint16_t)moved;
    if (terminal_count || moved == wanted) {
        state->terminal_count = terminal_count;
        state->stalled_since_ns = -1;
        return true;
    }
    int64_t now = clock_now_ns(fdc->clock);
    if (state->stalled_since_ns < 0 || moved > 0)
        state->stalled_since_ns = now;
    if (now - state->stalled_since_ns >= DMA_STALL_LIMIT_NS)
        fail(fdc, 0, ST1_OVERRUN, 0);
    else
        wait_for(fdc, STEP_SECTOR, DMA_RETRY_NS);
    return false;
}

/* The host has taken the sector, or needed none of it. Raw images keep no deleted-data marks, so
 * that READ DELETED DATA finds a normal sector and stops after it (data sheet, "Skip bit vs READ
 * DELETED DATA"). */
static void end_read_sector(I82077 *fdc) {
    if (fdc->state.status[2] & ST2_CONTROL_MARK)
        finish(fdc);
    else
        end_sector(fdc);
}

static void read_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    if (is_read_deleted(fdc)) {
        state->status[2] |= ST2_CONTROL_MARK;
        if (state->command[0] & OPTION_SKIP) { /* not one sector to be had */
            if (advance_sector(fdc))
                begin_sector(fdc);
            else
                finish(fdc);
            return;
        }
    }
    if (!load_sector(fdc, state->buffer))
        return;
    if (!uses_dma(fdc)) {
        state->phase = PHASE_DATA_TO_HOST;
        state->interrupt = 1;
        i82077_update_irq(fdc);
    } else if (move_by_dma(fdc, true)) {
        end_read_sector(fdc);
    }
}

static void verify_sector(I82077 *fdc) {
    if (load_sector(fdc, fdc->state.buffer))
        end_sector(fdc);
}

/* What DMA leaves of a sector when it ends early is written as zeros. */
static void write_sector(I82077 *fdc) {
    if (uses_dma(fdc) && !move_by_dma(fdc, false))
        return;
    if (store_sector(fdc))
        end_sector(fdc);
}

/* Compares the host's bytes with the sector's. FFh on either side stands for any byte. */
static bool scan_is_satisfied(const I82077 *fdc, const uint8_t *disk, bool *equal) {
    const I82077State *state = &fdc->state;
    unsigned code = command_code(fdc);
    *equal = true;
    for (size_t i = 0; i < state->buffer_position; i++) {
        uint8_t host = state->buffer[i];
        if (host == disk[i] || host == 0xFF || disk[i] == 0xFF)
            continue;
        *equal = false;
        if (!(code == COMMAND_SCAN_LOW && disk[i] < host) &&
            !(code == COMMAND_SCAN_HIGH && disk[i] > host))
            return false;
    }
    return true;
}

static void scan_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    uint8_t disk[FLOPPY_SECTOR_BYTES];
    bool equal;
    if ((uses_dma(fdc) && !move_by_dma(fdc, false)) || !load_sector(fdc, disk))
        return;
    if (!scan_is_satisfied(fdc, disk, &equal)) {
        if (state->terminal_count)
            state->status[2] |= ST2_SCAN_NOT_SATISFIED;
        end_sector(fdc);
        return;
    }
    if (equal)
        state->status[2] |= ST2_SCAN_EQUAL;
    finish(fdc);
}

/* Writes one sector with the filler byte. Images hold a fixed set of sectors, so an ID that is not
 * among them cannot be made: a fault of the drive. */
static void format_sector(I82077 *fdc) {
    I82077State *state = &fdc->state;
    if (uses_dma(fdc) && !move_by_dma(fdc, false))
        return;
    if (state->buffer_position < ID_BYTES) {
        finish(fdc);
        return;
    }
    const I82077DriveState *drive = &state->drives[unit_of(fdc)];
    uint8_t size_code = state->buffer[3];
    state->cylinder = state->buffer[0];
    state->head = state->buffer[1];
    state->sector = state->buffer[2];
    if (!track_is_readable(fdc, drive) || !cylinder_is_under_head(drive, state->cylinder) ||
        state->head != side_of(fdc) || state->sector == 0 || state->sector > drive->sectors ||
        size_code != SIZE_CODE_512) {
        fail(fdc, ST0_EQUIPMENT_CHECK, 0, 0);
        return;
    }
    memset(state->buffer, state->command[5], FLOPPY_SECTOR_BYTES);
    if (!store_sector(fdc))
        return;
    if (--state->sectors_left == 0 || state->terminal_count)
        finish(fdc);
    else
        begin_sector(fdc);
}

static void sector_passed(I82077 *fdc) {
    TransferKind kind = transfer_kind(fdc);
    if (kind == TRANSFER_READ_ID) {
        finish(fdc);
        return;
    }
    if (kind == TRANSFER_FORMAT) {
        format_sector(fdc);
        return;
    }
    if (!find_sector(fdc))
        return;
    static void (*const process[])(I82077 * fdc) = {
        [TRANSFER_READ] = read_sector,
        [TRANSFER_WRITE] = write_sector,
        [TRANSFER_VERIFY] = verify_sector,
        [TRANSFER_SCAN] = scan_sector,
    };
    process[kind](fdc);
}

void i82077_continue_transfer(I82077 *fdc) {
    switch ((TransferStep)fdc->state.step) {
    case STEP_START:
        start_on_track(fdc);
        break;
    case STEP_SECTOR:
        sector_passed(fdc);
        break;
    case STEP_NO_MARK:
        fail(fdc, 0, ST1_MISSING_ADDRESS_MARK, 0);
        break;
    }
}

void i82077_buffer_done(I82077 *fdc) {
    I82077State *state = &fdc->state;
    bool to_host = state->phase == PHASE_DATA_TO_HOST;
    state->phase = PHASE_EXECUTION;
    if (to_host)
        end_read_sector(fdc);
    else
        wait_for_sector(fdc);
}
