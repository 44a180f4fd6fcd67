/* Registers, interrupt line and reset of the floppy controller (82077AA data sheet,
 * chapter "Register description"). */
#include "i82077.h"
#include "allocate.h"
#include "i82077_internal.h"
#include <stdlib.h>
#include <string.h>

/* Register offsets from 3F0h. */
enum {
    REGISTER_STATUS_A = 0,
    REGISTER_STATUS_B = 1,
    REGISTER_DIGITAL_OUTPUT = 2,
    REGISTER_TAPE_DRIVE = 3,
    REGISTER_MAIN_STATUS = 4, /* written: data rate select */
    REGISTER_DATA = 5,
};

/* Main status register. */
enum {
    MSR_REQUEST = 0x80,
    MSR_TO_HOST = 0x40,
    MSR_NON_DMA = 0x20,
    MSR_COMMAND_BUSY = 0x10,
};

#define DATA_RATE_SELECT_RESET 0x80
#define INPUT_DISK_CHANGED 0x80
#define RESET_NS 20000
#define RESET_INTERRUPTS 4 /* one "ready changed" for each drive that could be there */

static const Field drive_field_rows[] = {
    FIELD(I82077DriveState, U64, seek_due_ns),
    FIELD(I82077DriveState, U8, type),
    FIELD(I82077DriveState, U8, present),
    FIELD(I82077DriveState, U8, write_protected),
    FIELD(I82077DriveState, U8, cylinders),
    FIELD(I82077DriveState, U8, heads),
    FIELD(I82077DriveState, U8, sectors),
    FIELD(I82077DriveState, U8, rates),
    FIELD(I82077DriveState, U8, disk_changed),
    FIELD(I82077DriveState, U8, cylinder),
    FIELD(I82077DriveState, U8, seek_target),
    FIELD(I82077DriveState, U8, seek_status),
    FIELD(I82077DriveState, U8, interrupt_pending),
    FIELD_PADDING(I82077DriveState, padding),
    FIELD_END,
};

static const FieldTable drive_fields = {"isa-fdc-drive", 1, sizeof(I82077DriveState),
                                        drive_field_rows};

static const Field field_rows[] = {
    FIELD(I82077State, U64, phase_due_ns),
    FIELD(I82077State, U64, stalled_since_ns),
    FIELD_STRUCTS(I82077State, drives, &drive_fields),
    FIELD_BYTES_OF(I82077State, buffer),
    FIELD(I82077State, U16, buffer_position),
    FIELD(I82077State, U16, buffer_size),
    FIELD(I82077State, U16, sectors_left),
    FIELD(I82077State, U8, dor),
    FIELD(I82077State, U8, tape),
    FIELD(I82077State, U8, rate),
    FIELD(I82077State, U8, phase),
    FIELD(I82077State, U8, reset_interrupts),
    FIELD(I82077State, U8, interrupt),
    FIELD_ARRAY(I82077State, U8, specify),
    FIELD(I82077State, U8, config),
    FIELD(I82077State, U8, precompensation_track),
    FIELD(I82077State, U8, lock),
    FIELD(I82077State, U8, perpendicular),
    FIELD(I82077State, U8, end_of_track),
    FIELD_ARRAY(I82077State, U8, command),
    FIELD(I82077State, U8, command_size),
    FIELD(I82077State, U8, command_needed),
    FIELD_ARRAY(I82077State, U8, result),
    FIELD(I82077State, U8, result_size),
    FIELD(I82077State, U8, result_position),
    FIELD_ARRAY(I82077State, U8, status),
    FIELD(I82077State, U8, step),
    FIELD(I82077State, U8, cylinder),
    FIELD(I82077State, U8, head),
    FIELD(I82077State, U8, sector),
    FIELD(I82077State, U8, terminal_count),
    FIELD_PADDING(I82077State, padding),
    FIELD_END,
};

static const FieldTable fields = {"isa-fdc", 1, sizeof(I82077State), field_rows};

void i82077_update_irq(I82077 *fdc) {
    const I82077State *state = &fdc->state;
    bool pending = state->interrupt;
    for (unsigned i = 0; i < I82077_UNITS; i++)
        pending = pending || state->drives[i].interrupt_pending;
    wire_set(&fdc->irq, pending && (state->dor & DOR_DMA_GATE) != 0);
}

I82077DriveState *i82077_drive(I82077 *fdc, unsigned unit) {
    if (unit >= I82077_UNITS || fdc->state.drives[unit].type == FLOPPY_DRIVE_NONE)
        return NULL;
    return &fdc->state.drives[unit];
}

bool i82077_motor_is_on(const I82077 *fdc, unsigned unit) {
    return (fdc->state.dor & DOR_MOTOR_0 << unit) != 0;
}

void i82077_end_command(I82077 *fdc) {
    fdc->state.phase = PHASE_COMMAND;
    fdc->state.command_size = 0;
    timer_cancel(&fdc->phase_timer);
}

void i82077_enter_result(I82077 *fdc, unsigned size, bool interrupt) {
    I82077State *state = &fdc->state;
    timer_cancel(&fdc->phase_timer);
    state->phase = PHASE_RESULT;
    state->result_size = (uint8_t)size;
    state->result_position = 0;
    if (interrupt) {
        state->reset_interrupts = 0;
        state->interrupt = 1;
        i82077_update_irq(fdc);
    }
}

/* Stops whatever goes on and forgets its interrupts. What software set survives as far as the data
 * sheet says under "Reset" and the LOCK command. */
static void abandon_work(I82077 *fdc) {
    I82077State *state = &fdc->state;
    i82077_end_command(fdc);
    state->interrupt = 0;
    state->reset_interrupts = 0;
    for (unsigned i = 0; i < I82077_UNITS; i++) {
        timer_cancel(&fdc->seek_timers[i].timer);
        state->drives[i].interrupt_pending = 0;
    }
    state->perpendicular &= 0x3C;
    if (!state->lock) {
        state->config |= CONFIG_FIFO_DISABLED;
        state->config &= (uint8_t)~CONFIG_THRESHOLD_MASK;
        state->precompensation_track = 0;
    }
    i82077_update_irq(fdc);
}

static void leave_reset_later(I82077 *fdc) {
    fdc->state.phase = PHASE_RESET;
    timer_arm(&fdc->phase_timer, clock_now_ns(fdc->clock) + RESET_NS);
}

static void write_digital_output(I82077 *fdc, uint8_t value) {
    I82077State *state = &fdc->state;
    uint8_t changed = state->dor ^ value;
    state->dor = value;
    if ((value & DOR_NOT_RESET) == 0) {
        abandon_work(fdc);
        state->phase = PHASE_RESET;
    } else if (changed & DOR_NOT_RESET) {
        leave_reset_later(fdc);
    }
    i82077_update_irq(fdc);
}

static void write_data_rate_select(I82077 *fdc, uint8_t value) {
    fdc->state.rate = value & 3;
    if ((value & DATA_RATE_SELECT_RESET) && (fdc->state.dor & DOR_NOT_RESET)) {
        abandon_work(fdc);
        leave_reset_later(fdc);
    }
}

static uint8_t read_status_a(I82077 *fdc) {
    const I82077State *state = &fdc->state;
    const I82077DriveState *drive = i82077_drive(fdc, state->dor & DOR_SELECT_MASK);
    bool pending = state->interrupt;
    for (unsigned i = 0; i < I82077_UNITS; i++)
        pending = pending || state->drives[i].interrupt_pending;
    uint8_t value = pending ? 0x80 : 0;
    if (state->drives[1].type == FLOPPY_DRIVE_NONE)
        value |= 0x40; /* DRV2#, active low like the next two */
    if (drive == NULL || drive->cylinder != 0)
        value |= 0x10; /* TRK0# */
    if (drive == NULL || !drive->write_protected)
        value |= 0x02; /* WP# */
    if (state->head)
        value |= 0x08;
    return value;
}

static uint8_t read_status_b(const I82077 *fdc) {
    uint8_t dor = fdc->state.dor;
    return (uint8_t)(0xC0 | (dor & 1) << 5 | (dor >> 4 & 3));
}

static uint8_t read_main_status(const I82077 *fdc) {
    const I82077State *state = &fdc->state;
    uint8_t busy_drives = 0;
    for (unsigned i = 0; i < I82077_UNITS; i++)
        if (timer_is_armed(&fdc->seek_timers[i].timer))
            busy_drives |= (uint8_t)(1 << i);
    uint8_t non_dma = state->specify[1] & SPECIFY_NON_DMA ? MSR_NON_DMA : 0;
    switch ((Phase)state->phase) {
    case PHASE_COMMAND:
        return MSR_REQUEST | (state->command_size > 0 ? MSR_COMMAND_BUSY : 0) | busy_drives;
    case PHASE_EXECUTION:
        return MSR_COMMAND_BUSY | non_dma | busy_drives;
    case PHASE_DATA_TO_HOST:
        return MSR_REQUEST | MSR_TO_HOST | MSR_NON_DMA | MSR_COMMAND_BUSY | busy_drives;
    case PHASE_DATA_FROM_HOST:
        return MSR_REQUEST | MSR_NON_DMA | MSR_COMMAND_BUSY | busy_drives;
    case PHASE_RESULT:
        return MSR_REQUEST | MSR_TO_HOST | MSR_COMMAND_BUSY | busy_drives;
    case PHASE_RESET:
        return 0;
    }
    return 0;
}

/* The host took or gave a data byte, or the first result byte: it has noticed the interrupt. */
static void acknowledge(I82077 *fdc) {
    if (fdc->state.interrupt) {
        fdc->state.interrupt = 0;
        i82077_update_irq(fdc);
    }
}

static uint8_t read_data(I82077 *fdc) {
    I82077State *state = &fdc->state;
    uint8_t value = 0;
    if (state->phase == PHASE_RESULT) {
        acknowledge(fdc);
        value = state->result[state->result_position++];
        if (state->result_position >= state->result_size)
            i82077_end_command(fdc);
    } else if (state->phase == PHASE_DATA_TO_HOST) {
        acknowledge(fdc);
        value = state->buffer[state->buffer_position++];
        if (state->buffer_position >= state->buffer_size)
            i82077_buffer_done(fdc);
    }
    return value;
}

static void write_data(I82077 *fdc, uint8_t value) {
    I82077State *state = &fdc->state;
    if (state->phase == PHASE_COMMAND) {
        i82077_take_command_byte(fdc, value);
    } else if (state->phase == PHASE_DATA_FROM_HOST) {
        acknowledge(fdc);
        state->buffer[state->buffer_position++] = value;
        if (state->buffer_position >= state->buffer_size)
            i82077_buffer_done(fdc);
    } else {
        TRACE(fdc->trace, TRACE_GUEST_ERRORS, "fdc: byte %02X written while it takes none\n",
              value);
    }
}

static uint32_t read_port(void *opaque, uint32_t offset, unsigned size) {
    I82077 *fdc = opaque;
    (void)size;
    switch (offset) {
    case REGISTER_STATUS_A:
        return read_status_a(fdc);
    case REGISTER_STATUS_B:
        return read_status_b(fdc);
    case REGISTER_DIGITAL_OUTPUT:
        return fdc->state.dor;
    case REGISTER_TAPE_DRIVE:
        return fdc->state.tape;
    case REGISTER_MAIN_STATUS:
        return read_main_status(fdc);
    case REGISTER_DATA:
        return read_data(fdc);
    }
    return 0xFF;
}

static void write_port(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    I82077 *fdc = opaque;
    (void)size;
    switch (offset) {
    case REGISTER_DIGITAL_OUTPUT:
        write_digital_output(fdc, (uint8_t)value);
        break;
    case REGISTER_TAPE_DRIVE:
        fdc->state.tape = value & 3;
        break;
    case REGISTER_MAIN_STATUS:
        write_data_rate_select(fdc, (uint8_t)value);
        break;
    case REGISTER_DATA:
        write_data(fdc, (uint8_t)value);
        break;
    }
}

/* 3F7h: digital input and configuration control. */
static uint32_t read_digital_input(void *opaque, uint32_t offset, unsigned size) {
    I82077 *fdc = opaque;
    (void)offset;
    (void)size;
    const I82077DriveState *drive = i82077_drive(fdc, fdc->state.dor & DOR_SELECT_MASK);
    return drive == NULL || drive->disk_changed ? INPUT_DISK_CHANGED : 0;
}

static void write_configuration_control(void *opaque, uint32_t offset, unsigned size,
                                        uint32_t value) {
    I82077 *fdc = opaque;
    (void)offset;
    (void)size;
    fdc->state.rate = value & 3;
}

static void phase_timer_fired(void *opaque) {
    I82077 *fdc = opaque;
    I82077State *state = &fdc->state;
    if (state->phase == PHASE_RESET) {
        state->phase = PHASE_COMMAND;
        state->reset_interrupts = RESET_INTERRUPTS;
        state->interrupt = 1;
        i82077_update_irq(fdc);
    } else if (state->phase == PHASE_EXECUTION) {
        i82077_continue_transfer(fdc);
    }
}

static void seek_timer_fired(void *opaque) {
    const SeekTimer *timer = opaque;
    i82077_seek_done(timer->fdc, timer->unit);
}

static void reset(void *device) {
    I82077 *fdc = device;
    I82077State *state = &fdc->state;
    abandon_work(fdc);
    /* Not in reset and with implied seek on, unlike the bare chip: the firmware finds the
     * controller as QEMU leaves it, and relies on that. */
    state->dor = DOR_NOT_RESET | DOR_DMA_GATE;
    state->config = CONFIG_IMPLIED_SEEK | CONFIG_FIFO_DISABLED;
    state->precompensation_track = 0;
    state->lock = 0;
    state->perpendicular = 0;
    state->tape = 0;
    state->rate = FLOPPY_RATE_250K;
    memset(state->specify, 0, sizeof(state->specify));
    state->end_of_track = 0;
    i82077_update_irq(fdc);
}

/* Bounds what a damaged save could make point outside of arrays. */
static void restored(void *device) {
    I82077State *state = &((I82077 *)device)->state;
    bool needs_buffer = state->phase == PHASE_DATA_FROM_HOST || state->phase == PHASE_DATA_TO_HOST;
    bool damaged = state->buffer_size > sizeof(state->buffer) ||
                   state->buffer_position > state->buffer_size ||
                   (needs_buffer && state->buffer_position == state->buffer_size) ||
                   state->result_size > sizeof(state->result) ||
                   (state->phase == PHASE_RESULT && state->result_position >= state->result_size) ||
                   state->command_size > sizeof(state->command) ||
                   (state->phase == PHASE_COMMAND && state->command_size == sizeof(state->command));
    if (damaged)
        i82077_end_command(device);
    state->rate &= 3;
    for (unsigned i = 0; i < I82077_UNITS; i++) {
        I82077DriveState *drive = &state->drives[i];
        if (drive->cylinders == 0 || drive->heads == 0 || drive->sectors == 0)
            drive->present = 0;
    }
}

static const DeviceClass device_class = {"isa-fdc", &fields, reset, restored};

/* Shows the drive what is in it now. */
static void describe_medium(I82077DriveState *drive, BlockNode *medium,
                            const FloppyFormat *format) {
    drive->present = medium != NULL;
    drive->write_protected = medium != NULL && block_is_read_only(medium);
    drive->cylinders = format->cylinders;
    drive->heads = format->heads;
    drive->sectors = format->sectors;
    drive->rates = format->rates;
    drive->disk_changed = 1;
}

bool i82077_change_media(I82077 *fdc, unsigned drive, BlockNode *medium, Error *error) {
    if (i82077_drive(fdc, drive) == NULL)
        return error_set(error, "there is no floppy drive %u", drive);
    FloppyFormat format = {0};
    if (medium != NULL && !floppy_format_guess(medium, &format, error))
        return false;
    describe_medium(&fdc->state.drives[drive], medium, &format);
    fdc->media[drive] = medium;
    return true;
}

void i82077_restore_medium(I82077 *fdc, unsigned drive, BlockNode *medium) {
    fdc->media[drive] = medium;
}

static bool plug_in_drive(I82077 *fdc, unsigned drive, BlockNode *medium, FloppyDriveType type,
                          Error *error) {
    FloppyFormat format = {0};
    if (medium != NULL && !floppy_format_guess(medium, &format, error))
        return false;
    if (type == FLOPPY_DRIVE_AUTO)
        type = medium != NULL ? format.drive_type : FLOPPY_DRIVE_2880K;
    fdc->state.drives[drive].type = (uint8_t)type;
    describe_medium(&fdc->state.drives[drive], medium, &format);
    fdc->media[drive] = medium;
    return true;
}

static bool claim_ports(I82077 *fdc, PortMap *ports, Error *error) {
    PortRange registers = {.name = "isa-fdc",
                           .first = 0x3F0,
                           .count = 6,
                           .widths = PORT_8,
                           .read = read_port,
                           .write = write_port,
                           .opaque = fdc};
    PortRange input = {.name = "isa-fdc",
                       .first = 0x3F7,
                       .count = 1,
                       .widths = PORT_8,
                       .read = read_digital_input,
                       .write = write_configuration_control,
                       .opaque = fdc};
    return port_map_add(ports, &registers, error) && port_map_add(ports, &input, error);
}

I82077 *i82077_create(const DeviceContext *context, const I82077Options *options, Error *error) {
    I82077 *fdc = allocate_zeroed(sizeof(*fdc));
    fdc->clock = context->clock;
    fdc->trace = context->trace;
    fdc->dma = options->dma;
    fdc->irq = options->irq;
    fdc->accurate_timing = options->accurate_timing;
    fdc->state.stalled_since_ns = -1;
    bool plugged = true;
    for (unsigned i = 0; i < I82077_DRIVES && plugged; i++)
        plugged = plug_in_drive(fdc, i, options->media[i], options->drive_types[i], error);
    if (!plugged || !claim_ports(fdc, context->ports, error)) {
        free(fdc);
        return NULL;
    }
    timer_init(&fdc->phase_timer, context->clock, "fdc", &fdc->state.phase_due_ns,
               phase_timer_fired, fdc);
    static const char *const names[I82077_UNITS] = {"fdc-seek-0", "fdc-seek-1", "fdc-seek-2",
                                                    "fdc-seek-3"};
    for (unsigned i = 0; i < I82077_UNITS; i++) {
        SeekTimer *seek = &fdc->seek_timers[i];
        seek->fdc = fdc;
        seek->unit = i;
        timer_init(&seek->timer, context->clock, names[i], &fdc->state.drives[i].seek_due_ns,
                   seek_timer_fired, seek);
    }
    device_list_add(context->devices, &device_class, "fdc", fdc, &fdc->state);
    reset(fdc);
    return fdc;
}

void i82077_destroy(I82077 *fdc) {
    free(fdc);
}

BlockNode *i82077_media(const I82077 *fdc, unsigned drive) {
    return drive < I82077_DRIVES ? fdc->media[drive] : NULL;
}

FloppyDriveType i82077_drive_type(const I82077 *fdc, unsigned drive) {
    return drive < I82077_DRIVES ? (FloppyDriveType)fdc->state.drives[drive].type
                                 : FLOPPY_DRIVE_NONE;
}
