/* What a disk can be set to: its features, its power modes, and how much of it is shown
 * (ATA/ATAPI-7 volume 1: 4.5, 4.9, 6.46 and 6.47). */
#include "ide_internal.h"
#include "little_endian.h"

#define LBA28_MAXIMUM 0x0FFFFFFFu
#define COMMAND_READ_NATIVE_MAXIMUM 0xF8
#define COMMAND_READ_NATIVE_MAXIMUM_EXTENDED 0x27
#define SECOND_NS 1000000000LL

uint64_t ide_disk_sectors(const IdeDrive *drive) {
    uint64_t shown = drive->state->shown_sectors;
    return shown != 0 && shown < drive->sectors ? shown : drive->sectors;
}

void ide_disk_read_native_maximum(IdeDrive *drive, unsigned flags) {
    (void)flags;
    uint64_t last = drive->sectors - 1;
    if (!drive->state->extended && last > LBA28_MAXIMUM)
        last = LBA28_MAXIMUM;
    ide_disk_write_address(drive->state, last);
    ide_finish_later(drive, 0);
}

/* SET MAX ADDRESS counts only right after READ NATIVE MAX ADDRESS; its subcommands with passwords
 * are a feature of its own, which there is not. */
void ide_disk_set_maximum(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    uint8_t before =
        state->extended ? COMMAND_READ_NATIVE_MAXIMUM_EXTENDED : COMMAND_READ_NATIVE_MAXIMUM;
    uint64_t last;
    if (state->previous_command != before || (!state->extended && state->features[0] != 0)) {
        ide_finish_later(drive, ERROR_ABORTED);
        return;
    }
    if (!ide_disk_read_address(state, &last) || last >= drive->sectors) {
        ide_finish_later(drive, ERROR_ID_NOT_FOUND);
        return;
    }
    state->shown_sectors = last + 1 == drive->sectors ? 0 : last + 1;
    if (state->count[0] & 1) /* not only until the power goes */
        state->kept_sectors = state->shown_sectors;
    ide_finish_later(drive, 0);
}

/* Transfer modes: PIO by default, PIO 0 to 4, multiword DMA 0 to 2, Ultra DMA 0 to 5. */
static bool transfer_mode_is_known(uint8_t mode) {
    uint8_t kind = mode >> 3, number = mode & 7;
    return (kind == 0 && number <= 1) || (kind == 1 && number <= 4) || (kind == 4 && number <= 2) ||
           (kind == 8 && number <= 5);
}

void ide_disk_set_features(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    bool known = true;
    switch (state->features[0]) {
    case 0x02:
    case 0x82:
        state->write_cache = state->features[0] == 0x02;
        break;
    case 0x03:
        known = transfer_mode_is_known(state->count[0]);
        if (known)
            state->transfer_mode = state->count[0];
        break;
    case 0x55:
    case 0xAA:
        state->look_ahead = state->features[0] == 0xAA;
        break;
    case 0x66: /* keep settings over a software reset, or not: we do */
    case 0xCC:
        break;
    default:
        known = false;
    }
    ide_finish_later(drive, known ? 0 : ERROR_ABORTED);
}

/* The time after which a disk goes to standby by itself (table 4 of the standard); 0: never. */
static int64_t standby_ns(uint8_t count) {
    if (count <= 240)
        return count * 5 * SECOND_NS;
    if (count <= 251)
        return (count - 240) * 30 * 60 * SECOND_NS;
    if (count == 252)
        return 21 * 60 * SECOND_NS;
    return count == 255 ? (21 * 60 + 15) * SECOND_NS : 8 * 3600 * SECOND_NS;
}

void ide_disk_note_access(IdeDrive *drive) {
    drive->state->power_mode = POWER_ACTIVE;
    drive->state->active_ns = clock_now_ns(drive->channel->clock);
}

/* The command's low bits tell the mode: STANDBY and IDLE, the even ones, at once, and the others
 * with a time for the standby timer. */
void ide_disk_set_power_mode(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    unsigned kind = (state->command - (state->command >= 0xE0 ? 0xE0 : 0x94)) & 7;
    bool is_idle = (kind & 1) != 0, has_time = (kind & 2) != 0;
    ide_disk_note_access(drive);
    state->power_mode = is_idle ? POWER_IDLE : POWER_STANDBY;
    if (has_time)
        state->standby_ns = standby_ns(state->count[0]);
    ide_finish_later(drive, 0);
}

/* From sleep only a reset wakes a drive. */
void ide_disk_sleep(IdeDrive *drive, unsigned flags) {
    (void)flags;
    drive->state->power_mode = POWER_SLEEP;
    ide_finish_later(drive, 0);
}

void ide_disk_check_power_mode(IdeDrive *drive, unsigned flags) {
    (void)flags;
    IdeDriveState *state = drive->state;
    int64_t unused_ns = clock_now_ns(drive->channel->clock) - state->active_ns;
    if (state->standby_ns != 0 && unused_ns >= state->standby_ns)
        state->power_mode = POWER_STANDBY;
    state->count[0] = state->power_mode;
    ide_finish_later(drive, 0);
}
