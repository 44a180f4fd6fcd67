/* The command phase of the floppy controller and the commands that move no data (82077AA data
 * sheet, "Command set/descriptions"). */
#include "i82077_internal.h"
#include <string.h>

#define STEPS_OF_RECALIBRATE 79
#define CYLINDER_MAXIMUM 255 /* how far the controller's own counter goes */
#define FAST_STEP_NS 20000
#define FAST_SETTLE_NS 100000

#define COMMAND_RELATIVE_SEEK_IN 0x40
#define COMMAND_LOCK 0x80

static void specify(I82077 *fdc) {
    memcpy(fdc->state.specify, fdc->state.command + 1, sizeof(fdc->state.specify));
    i82077_end_command(fdc);
}

static void sense_drive_status(I82077 *fdc) {
    I82077State *state = &fdc->state;
    const I82077DriveState *drive = i82077_drive(fdc, state->command[1] & 3);
    uint8_t status = (state->command[1] & 7) | ST3_READY | ST3_TWO_SIDED;
    if (drive != NULL && drive->write_protected)
        status |= ST3_WRITE_PROTECTED;
    if (drive != NULL && drive->cylinder == 0)
        status |= ST3_TRACK_0;
    state->result[0] = status;
    i82077_enter_result(fdc, 1, false);
}

static void invalid(I82077 *fdc) {
    TRACE(fdc->trace, TRACE_GUEST_ERRORS, "fdc: invalid command %02X\n", fdc->state.command[0]);
    fdc->state.result[0] = ST0_INVALID;
    i82077_enter_result(fdc, 1, false);
}

static void sense_interrupt_status(I82077 *fdc) {
    I82077State *state = &fdc->state;
    if (state->reset_interrupts > 0) {
        unsigned unit = I82077_UNITS - state->reset_interrupts--;
        state->interrupt = 0;
        state->result[0] = (uint8_t)(ST0_READY_CHANGED | unit);
        state->result[1] = state->drives[unit].cylinder;
        i82077_update_irq(fdc);
        i82077_enter_result(fdc, 2, false);
        return;
    }
    for (unsigned unit = 0; unit < I82077_UNITS; unit++) {
        I82077DriveState *drive = &state->drives[unit];
        if (drive->interrupt_pending) {
            drive->interrupt_pending = 0;
            state->result[0] = drive->seek_status;
            state->result[1] = drive->cylinder;
            i82077_update_irq(fdc);
            i82077_enter_result(fdc, 2, false);
            return;
        }
    }
    invalid(fdc);
}

/* Real drives step at the rate of SPECIFY: 16 - SRT units of 1 ms at 500 kbit/s, of more at lower
 * data rates. */
int64_t i82077_seek_ns(const I82077 *fdc, unsigned steps) {
    static const int64_t unit_ns[4] = {1000000, 1670000, 2000000, 500000};
    if (!fdc->accurate_timing)
        return FAST_SETTLE_NS + (int64_t)steps * FAST_STEP_NS;
    int64_t step_ns = (16 - (fdc->state.specify[0] >> 4)) * unit_ns[fdc->state.rate];
    return step_ns * (steps > 0 ? steps : 1);
}

/* Sends the head off; an interrupt tells when it is there. Both drives can seek at a time. */
static void start_seek(I82077 *fdc, unsigned unit, unsigned target, unsigned steps) {
    I82077State *state = &fdc->state;
    int64_t now = clock_now_ns(fdc->clock);
    i82077_end_command(fdc);
    I82077DriveState *drive = &state->drives[unit];
    drive->interrupt_pending = 0;
    drive->seek_target = (uint8_t)target;
    drive->seek_status = (uint8_t)(ST0_SEEK_END | (state->command[1] & 7));
    timer_arm(&fdc->seek_timers[unit].timer, now + i82077_seek_ns(fdc, steps));
    i82077_update_irq(fdc);
}

void i82077_seek_done(I82077 *fdc, unsigned unit) {
    I82077State *state = &fdc->state;
    I82077DriveState *drive = &state->drives[unit];
    if (drive->present && drive->seek_target != drive->cylinder)
        drive->disk_changed = 0; /* a step pulse with a medium in clears the line */
    drive->cylinder = drive->seek_target;
    drive->interrupt_pending = 1;
    state->reset_interrupts = 0;
    state->interrupt = 0;
    i82077_update_irq(fdc);
}

static void seek(I82077 *fdc) {
    I82077State *state = &fdc->state;
    unsigned unit = state->command[1] & 3, target = state->command[2];
    unsigned from = state->drives[unit].cylinder;
    start_seek(fdc, unit, target, target > from ? target - from : from - target);
}

static void relative_seek(I82077 *fdc) {
    I82077State *state = &fdc->state;
    unsigned unit = state->command[1] & 3, steps = state->command[2];
    unsigned from = state->drives[unit].cylinder;
    unsigned target;
    if (state->command[0] & COMMAND_RELATIVE_SEEK_IN)
        target = from + steps > CYLINDER_MAXIMUM ? CYLINDER_MAXIMUM : from + steps;
    else
        target = steps > from ? 0 : from - steps;
    start_seek(fdc, unit, target, steps);
}

/* Steps out until the drive says track 0, at most 79 times; a drive that is not there never does.
 */
static void recalibrate(I82077 *fdc) {
    I82077State *state = &fdc->state;
    unsigned unit = state->command[1] & 3;
    I82077DriveState *drive = i82077_drive(fdc, unit);
    state->command[1] &= 3;
    if (drive == NULL) {
        start_seek(fdc, unit, 0, STEPS_OF_RECALIBRATE);
        state->drives[unit].seek_status |= ST0_ABNORMAL | ST0_EQUIPMENT_CHECK;
        return;
    }
    unsigned from = drive->cylinder;
    unsigned steps = from > STEPS_OF_RECALIBRATE ? STEPS_OF_RECALIBRATE : from;
    start_seek(fdc, unit, from - steps, steps);
    if (from > steps)
        drive->seek_status |= ST0_ABNORMAL | ST0_EQUIPMENT_CHECK;
}

static void configure(I82077 *fdc) {
    fdc->state.config = fdc->state.command[2] & 0x7F;
    fdc->state.precompensation_track = fdc->state.command[3];
    i82077_end_command(fdc);
}

static void dump_registers(I82077 *fdc) {
    I82077State *state = &fdc->state;
    uint8_t *result = state->result;
    for (unsigned i = 0; i < I82077_UNITS; i++)
        result[i] = state->drives[i].cylinder;
    result[4] = state->specify[0];
    result[5] = state->specify[1];
    result[6] = state->end_of_track;
    result[7] = (uint8_t)(state->lock << 7 | state->perpendicular);
    result[8] = state->config;
    result[9] = state->precompensation_track;
    i82077_enter_result(fdc, 10, false);
}

/* Without the overwrite bit only GAP and WGATE change. */
static void perpendicular_mode(I82077 *fdc) {
    I82077State *state = &fdc->state;
    uint8_t value = state->command[1];
    uint8_t mask = value & 0x80 ? 0x3F : 0x03;
    state->perpendicular = (uint8_t)((state->perpendicular & ~mask) | (value & mask));
    i82077_end_command(fdc);
}

static void lock(I82077 *fdc) {
    fdc->state.lock = (fdc->state.command[0] & COMMAND_LOCK) != 0;
    fdc->state.result[0] = (uint8_t)(fdc->state.lock << 4);
    i82077_enter_result(fdc, 1, false);
}

static void version(I82077 *fdc) {
    fdc->state.result[0] = 0x90; /* an enhanced controller */
    i82077_enter_result(fdc, 1, false);
}

typedef struct Command {
    uint8_t mask, code; /* (first byte & mask) == code */
    uint8_t size;       /* with the first byte */
    void (*execute)(I82077 *fdc);
} Command;

/* Where the mask leaves bits out, they are options: MT 80h, MFM 40h, SK 20h. */
/* clang-format off */
static const Command commands[] = {
    {0x1F, COMMAND_READ, 9, i82077_begin_transfer},
    {0x3F, COMMAND_WRITE, 9, i82077_begin_transfer},
    {0x1F, COMMAND_READ_DELETED, 9, i82077_begin_transfer},
    {0x3F, COMMAND_WRITE_DELETED, 9, i82077_begin_transfer},
    {0x9F, COMMAND_READ_TRACK, 9, i82077_begin_transfer},
    {0x1F, COMMAND_VERIFY, 9, i82077_begin_transfer},
    {0x1F, COMMAND_SCAN_EQUAL, 9, i82077_begin_transfer},
    {0x1F, COMMAND_SCAN_LOW, 9, i82077_begin_transfer},
    {0x1F, COMMAND_SCAN_HIGH, 9, i82077_begin_transfer},
    {0xBF, COMMAND_FORMAT, 6, i82077_begin_format},
    {0xBF, COMMAND_READ_ID, 2, i82077_begin_read_id},
    {0xFF, 0x03, 3, specify},                /* SPECIFY */
    {0xFF, 0x04, 2, sense_drive_status},     /* SENSE DRIVE STATUS */
    {0xFF, 0x07, 2, recalibrate},            /* RECALIBRATE */
    {0xFF, 0x08, 1, sense_interrupt_status}, /* SENSE INTERRUPT STATUS */
    {0xFF, 0x0E, 1, dump_registers},         /* DUMPREG */
    {0xFF, 0x0F, 3, seek},                   /* SEEK */
    {0xBF, 0x8F, 3, relative_seek},          /* RELATIVE SEEK */
    {0xFF, 0x10, 1, version},                /* VERSION */
    {0xFF, 0x12, 2, perpendicular_mode},     /* PERPENDICULAR MODE */
    {0xFF, 0x13, 4, configure},              /* CONFIGURE */
    {0x7F, 0x14, 1, lock},                   /* LOCK */
    {0x00, 0x00, 1, invalid},
};
/* clang-format on */

static const Command *find_command(uint8_t code) {
    const Command *command = commands;
    while ((code & command->mask) != command->code)
        command++;
    return command;
}

void i82077_take_command_byte(I82077 *fdc, uint8_t byte) {
    I82077State *state = &fdc->state;
    if (state->command_size == 0)
        state->command_needed = find_command(byte)->size;
    state->command[state->command_size++] = byte;
    if (state->command_size >= state->command_needed)
        find_command(state->command[0])->execute(fdc);
}
