/* The registers of an IDE channel, which both drives share, its interrupt line, and resets
 * (ATA/ATAPI-7 volume 2, chapters 5 to 7). */
#include "ide.h"
#include "allocate.h"
#include "ide_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC 0x90

static const Field cdrom_field_rows[] = {
    FIELD(CdromState, U8, sense_key),        FIELD(CdromState, U8, sense_code),
    FIELD(CdromState, U8, sense_qualifier),  FIELD(CdromState, U8, unit_attention),
    FIELD(CdromState, U8, tray_open),        FIELD(CdromState, U8, tray_locked),
    FIELD(CdromState, U8, present),          FIELD(CdromState, U8, event),
    FIELD(CdromState, U64, play_started_ns), FIELD(CdromState, U32, play_lba),
    FIELD(CdromState, U32, play_end),        FIELD(CdromState, U8, audio_status),
    FIELD(CdromState, U8, recovery_flags),   FIELD(CdromState, U8, retries),
    FIELD(CdromState, U8, inactivity),       FIELD_ARRAY(CdromState, U8, audio_ports),
    FIELD_PADDING(CdromState, padding),      FIELD_END,
};

static const FieldTable cdrom_fields = {"ide-cd", 2, sizeof(CdromState), cdrom_field_rows};

static const Field smart_error_field_rows[] = {
    FIELD(SmartErrorState, U64, time_ns),     FIELD(SmartErrorState, U64, lba),
    FIELD(SmartErrorState, U64, given_lba),   FIELD(SmartErrorState, U16, count),
    FIELD(SmartErrorState, U16, given_count), FIELD(SmartErrorState, U8, features),
    FIELD(SmartErrorState, U8, device),       FIELD(SmartErrorState, U8, command),
    FIELD(SmartErrorState, U8, error),        FIELD(SmartErrorState, U8, status),
    FIELD_PADDING(SmartErrorState, padding),  FIELD_END,
};

static const FieldTable smart_error_fields = {"ide-smart-error", 1, sizeof(SmartErrorState),
                                              smart_error_field_rows};

static const Field smart_test_field_rows[] = {
    FIELD(SmartTestState, U64, lba),        FIELD(SmartTestState, U16, hours),
    FIELD(SmartTestState, U8, kind),        FIELD(SmartTestState, U8, status),
    FIELD_PADDING(SmartTestState, padding), FIELD_END,
};

static const FieldTable smart_test_fields = {"ide-smart-test", 1, sizeof(SmartTestState),
                                             smart_test_field_rows};

static const Field smart_field_rows[] = {
    FIELD(SmartState, U64, test_end_ns),
    FIELD(SmartState, U64, test_lba),
    FIELD(SmartState, U32, errors),
    FIELD(SmartState, U32, tests),
    FIELD(SmartState, U8, test_runs),
    FIELD(SmartState, U8, test_kind),
    FIELD(SmartState, U8, test_result),
    FIELD(SmartState, U8, test_status),
    FIELD(SmartState, U8, autosave),
    FIELD(SmartState, U8, offline_status),
    FIELD_PADDING(SmartState, padding),
    FIELD_STRUCTS(SmartState, error_log, &smart_error_fields),
    FIELD_STRUCTS(SmartState, test_log, &smart_test_fields),
    FIELD_END,
};

static const FieldTable smart_fields = {"ide-smart", 1, sizeof(SmartState), smart_field_rows};

static const Field drive_field_rows[] = {
    FIELD(IdeDriveState, U64, due_ns),
    FIELD(IdeDriveState, U64, active_ns),
    FIELD(IdeDriveState, U64, standby_ns),
    FIELD(IdeDriveState, U64, shown_sectors),
    FIELD(IdeDriveState, U64, kept_sectors),
    FIELD(IdeDriveState, U64, given_lba),
    FIELD(IdeDriveState, U32, given_count),
    FIELD_PADDING(IdeDriveState, padding),
    FIELD(IdeDriveState, U64, lba),
    FIELD(IdeDriveState, U32, sectors_left),
    FIELD(IdeDriveState, U32, buffer_position),
    FIELD(IdeDriveState, U32, buffer_size),
    FIELD(IdeDriveState, U32, drq_end),
    FIELD(IdeDriveState, U32, block_bytes),
    FIELD(IdeDriveState, U32, current_heads),
    FIELD(IdeDriveState, U32, current_sectors),
    FIELD(IdeDriveState, U16, cd_sector_first),
    FIELD(IdeDriveState, U16, cd_sector_bytes),
    FIELD(IdeDriveState, U8, phase),
    FIELD(IdeDriveState, U8, step),
    FIELD(IdeDriveState, U8, transfer),
    FIELD(IdeDriveState, U8, by_dma),
    FIELD(IdeDriveState, U8, interrupt_pending),
    FIELD(IdeDriveState, U8, extended),
    FIELD(IdeDriveState, U8, through),
    FIELD(IdeDriveState, U8, command),
    FIELD(IdeDriveState, U8, status),
    FIELD(IdeDriveState, U8, error),
    FIELD(IdeDriveState, U8, device),
    FIELD_ARRAY(IdeDriveState, U8, features),
    FIELD_ARRAY(IdeDriveState, U8, count),
    FIELD_ARRAY(IdeDriveState, U8, lba_low),
    FIELD_ARRAY(IdeDriveState, U8, lba_mid),
    FIELD_ARRAY(IdeDriveState, U8, lba_high),
    FIELD(IdeDriveState, U8, multiple),
    FIELD(IdeDriveState, U8, transfer_mode),
    FIELD(IdeDriveState, U8, write_cache),
    FIELD(IdeDriveState, U8, look_ahead),
    FIELD(IdeDriveState, U8, smart),
    FIELD(IdeDriveState, U8, power_mode),
    FIELD(IdeDriveState, U8, previous_command),
    FIELD(IdeDriveState, U8, cd_is_audio),
    FIELD_PADDING(IdeDriveState, padding_2),
    FIELD_ONE_STRUCT(IdeDriveState, smart_state, &smart_fields),
    FIELD_ONE_STRUCT(IdeDriveState, cdrom, &cdrom_fields),
    FIELD_BYTES_OF(IdeDriveState, buffer),
    FIELD_END,
};

static const FieldTable drive_fields = {"ide-drive", 2, sizeof(IdeDriveState), drive_field_rows};

static const Field field_rows[] = {
    FIELD_STRUCTS(IdeChannelState, drives, &drive_fields),
    FIELD(IdeChannelState, U8, selected),
    FIELD(IdeChannelState, U8, device_control),
    FIELD(IdeChannelState, U8, irq_level),
    FIELD_PADDING(IdeChannelState, padding),
    FIELD_END,
};

static const FieldTable fields = {"ide", 1, sizeof(IdeChannelState), field_rows};

static IdeDrive *selected_drive(IdeChannel *channel) {
    return &channel->drives[channel->state.selected];
}

/* Only the selected drive drives the line. */
void ide_update_irq(IdeChannel *channel) {
    IdeChannelState *state = &channel->state;
    int level = state->drives[state->selected].interrupt_pending &&
                (state->device_control & CONTROL_NO_INTERRUPT) == 0;
    bool rises = level && !state->irq_level;
    state->irq_level = (uint8_t)level;
    if (rises && channel->bus_master.interrupted != NULL)
        channel->bus_master.interrupted(channel->bus_master.opaque);
    wire_set(&channel->irq, level);
}

void ide_raise_interrupt(IdeDrive *drive) {
    drive->state->interrupt_pending = 1;
    ide_update_irq(drive->channel);
}

void ide_busy(IdeDrive *drive, DriveStep step, int64_t ns) {
    drive->state->phase = DRIVE_BUSY;
    drive->state->step = (uint8_t)step;
    drive->state->status = STATUS_BUSY;
    timer_arm(&drive->timer, clock_now_ns(drive->channel->clock) + ns);
}

void ide_finish(IdeDrive *drive, uint8_t error) {
    IdeDriveState *state = drive->state;
    state->phase = DRIVE_IDLE;
    state->transfer = TRANSFER_NONE;
    state->error = error;
    state->status = STATUS_IDLE | (error != 0 ? STATUS_ERROR : 0);
    ide_raise_interrupt(drive);
}

void ide_finish_later(IdeDrive *drive, uint8_t error) {
    drive->state->error = error;
    ide_busy(drive, STEP_FINISH, COMMAND_NS);
}

void ide_set_signature(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    bool is_packet_device = drive->kind == IDE_DRIVE_CDROM;
    state->count[0] = 1;
    state->lba_low[0] = 1;
    state->lba_mid[0] = is_packet_device ? 0x14 : 0;
    state->lba_high[0] = is_packet_device ? 0xEB : 0;
    state->device &= DEVICE_DRIVE_1;
}

void ide_reset_drive(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    timer_cancel(&drive->timer);
    ide_set_signature(drive);
    state->phase = DRIVE_IDLE;
    state->transfer = TRANSFER_NONE;
    state->interrupt_pending = 0;
    state->error = DIAGNOSTIC_PASSED;
    /* A packet device is ready when it has been asked something. */
    state->status = drive->kind == IDE_DRIVE_DISK ? STATUS_IDLE : 0;
    state->multiple = IDE_MULTIPLE_MAXIMUM;
    if (state->power_mode == POWER_SLEEP)
        state->power_mode = POWER_STANDBY;
    if (drive->kind == IDE_DRIVE_CDROM)
        ide_cdrom_reset(drive);
    else if (drive->kind == IDE_DRIVE_DISK)
        ide_smart_reset(drive);
}

/* Both drives, and drive 0 is the selected one after it. */
static void reset_drives(IdeChannel *channel) {
    channel->state.selected = 0;
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++) {
        channel->state.drives[i].device = 0;
        ide_reset_drive(&channel->drives[i]);
    }
    ide_update_irq(channel);
}

void ide_run_diagnostic(IdeChannel *channel) {
    reset_drives(channel);
    ide_raise_interrupt(&channel->drives[0]);
}

static void drive_timer_fired(void *opaque) {
    IdeDrive *drive = opaque;
    DriveStep step = drive->state->step;
    if (drive->state->phase != DRIVE_BUSY)
        return;
    if (step == STEP_RESET)
        ide_reset_drive(drive);
    else if (step == STEP_FINISH && drive->state->command == COMMAND_DIAGNOSTIC)
        ide_run_diagnostic(drive->channel);
    else if (step == STEP_FINISH)
        ide_finish(drive, drive->state->error);
    else
        ide_continue_transfer(drive, step);
}

static void execute_command(IdeChannel *channel, uint8_t command) {
    IdeDrive *drive = selected_drive(channel);
    IdeDriveState *state = drive->state;
    if (drive->kind == IDE_DRIVE_NONE && command != COMMAND_DIAGNOSTIC)
        return;
    bool busy = (state->status & (STATUS_BUSY | STATUS_DATA_REQUEST)) != 0;
    if (state->power_mode == POWER_SLEEP && drive->kind == IDE_DRIVE_DISK)
        return; /* even EXECUTE DEVICE DIAGNOSTIC; a reset wakes it */
    if (busy && !(command == COMMAND_DEVICE_RESET && drive->kind == IDE_DRIVE_CDROM)) {
        TRACE(channel->trace, TRACE_GUEST_ERRORS, "ide: command %02X given to a busy drive\n",
              command);
        return;
    }
    state->interrupt_pending = 0;
    ide_update_irq(channel);
    state->previous_command = state->command;
    state->command = command;
    state->error = 0;
    state->extended = 0;
    if (command == COMMAND_DIAGNOSTIC) {
        if (drive->kind == IDE_DRIVE_NONE)
            drive = &channel->drives[0];
        drive->state->command = command;
        ide_busy(drive, STEP_FINISH, RESET_NS);
    } else if (drive->kind == IDE_DRIVE_DISK) {
        ide_disk_execute(drive);
    } else {
        ide_cdrom_execute(drive);
    }
}

static void push_register(uint8_t pair[2], uint8_t value) {
    pair[1] = pair[0];
    pair[0] = value;
}

/* Both drives hear every write; only a command is for the selected one alone. */
void ide_write_register(IdeChannel *channel, uint32_t offset, uint8_t value) {
    IdeChannelState *state = &channel->state;
    if (offset == REGISTER_STATUS) {
        execute_command(channel, value);
        return;
    }
    state->device_control &= (uint8_t)~CONTROL_HIGH_ORDER;
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++) {
        IdeDriveState *drive = &state->drives[i];
        switch (offset) {
        case REGISTER_ERROR:
            push_register(drive->features, value);
            break;
        case REGISTER_COUNT:
            push_register(drive->count, value);
            break;
        case REGISTER_LBA_LOW:
            push_register(drive->lba_low, value);
            break;
        case REGISTER_LBA_MID:
            push_register(drive->lba_mid, value);
            break;
        case REGISTER_LBA_HIGH:
            push_register(drive->lba_high, value);
            break;
        case REGISTER_DEVICE:
            drive->device = value;
            break;
        }
    }
    if (offset == REGISTER_DEVICE) {
        state->selected = (value & DEVICE_DRIVE_1) != 0;
        ide_update_irq(channel);
    }
}

/* Who answers reads: drive 0 does for a drive 1 that is not there; NULL on an empty channel. */
static IdeDrive *answering_drive(IdeChannel *channel) {
    IdeDrive *drive = selected_drive(channel);
    if (drive->kind != IDE_DRIVE_NONE)
        return drive;
    IdeDrive *other = &channel->drives[1 - channel->state.selected];
    return other->kind != IDE_DRIVE_NONE ? other : NULL;
}

static uint8_t read_status(IdeChannel *channel) {
    IdeDrive *drive = selected_drive(channel);
    return drive->kind == IDE_DRIVE_NONE ? 0 : drive->state->status;
}

static uint8_t read_register(IdeChannel *channel, uint32_t offset) {
    IdeDrive *drive = answering_drive(channel);
    if (drive == NULL)
        return 0;
    const IdeDriveState *state = drive->state;
    unsigned age = (channel->state.device_control & CONTROL_HIGH_ORDER) != 0;
    switch (offset) {
    case REGISTER_ERROR:
        return selected_drive(channel)->kind == IDE_DRIVE_NONE ? 0 : state->error;
    case REGISTER_COUNT:
        return state->count[age];
    case REGISTER_LBA_LOW:
        return state->lba_low[age];
    case REGISTER_LBA_MID:
        return state->lba_mid[age];
    case REGISTER_LBA_HIGH:
        return state->lba_high[age];
    case REGISTER_DEVICE:
        return state->device;
    case REGISTER_STATUS:
        selected_drive(channel)->state->interrupt_pending = 0;
        ide_update_irq(channel);
        return read_status(channel);
    }
    return 0;
}

/* Wide accesses are for the data register; to the others they are as many narrow ones. */
static uint32_t read_port(void *opaque, uint32_t offset, unsigned size) {
    IdeChannel *channel = opaque;
    if (offset == REGISTER_DATA)
        return ide_read_data(selected_drive(channel), size);
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)read_register(channel, offset + i) << 8 * i;
    return value;
}

static void write_port(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    IdeChannel *channel = opaque;
    if (offset == REGISTER_DATA) {
        ide_write_data(selected_drive(channel), size, value);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        ide_write_register(channel, offset + i, (uint8_t)(value >> 8 * i));
}

static uint32_t read_alternate_status(void *opaque, uint32_t offset, unsigned size) {
    (void)offset;
    (void)size;
    return read_status(opaque);
}

static void hold_reset(IdeChannel *channel) {
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++) {
        IdeDrive *drive = &channel->drives[i];
        timer_cancel(&drive->timer);
        drive->state->phase = DRIVE_RESET_HELD;
        drive->state->status = STATUS_BUSY;
        drive->state->interrupt_pending = 0;
        drive->state->device = 0;
    }
    channel->state.selected = 0;
}

void ide_write_device_control(IdeChannel *channel, uint8_t value) {
    uint8_t before = channel->state.device_control;
    channel->state.device_control = value;
    if (value & CONTROL_RESET) {
        hold_reset(channel);
    } else if (before & CONTROL_RESET) {
        for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++)
            ide_busy(&channel->drives[i], STEP_RESET, RESET_NS);
    }
    ide_update_irq(channel);
}

static void write_control_port(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)offset;
    (void)size;
    ide_write_device_control(opaque, (uint8_t)value);
}

static void reset(void *device) {
    IdeChannel *channel = device;
    channel->state.device_control = 0;
    reset_drives(channel);
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++) {
        IdeDrive *drive = &channel->drives[i];
        IdeDriveState *state = drive->state;
        state->current_heads = drive->geometry.heads;
        state->current_sectors = drive->geometry.sectors;
        state->transfer_mode = 0x45; /* Ultra DMA 5, as drives wake up in QEMU */
        state->write_cache = 1;
        state->look_ahead = 1;
        state->smart = 1;
        state->power_mode = POWER_ACTIVE;
        state->active_ns = clock_now_ns(channel->clock);
        state->standby_ns = 0;
        state->shown_sectors = state->kept_sectors;
    }
}

/* Bounds what a damaged save could make point outside of the buffer. */
static void restored(void *device) {
    IdeChannel *channel = device;
    channel->state.selected &= 1;
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++) {
        IdeDriveState *state = &channel->state.drives[i];
        bool damaged =
            state->buffer_size > IDE_BUFFER_BYTES || state->drq_end > state->buffer_size ||
            state->buffer_position > state->buffer_size || state->transfer >= TRANSFER_KINDS ||
            state->multiple > IDE_MULTIPLE_MAXIMUM ||
            state->cd_sector_first + state->cd_sector_bytes > CD_RAW_SECTOR_BYTES ||
            (state->transfer == TRANSFER_PACKET_READ &&
             (state->cd_sector_bytes == 0 ||
              (state->cd_is_audio && state->cd_sector_bytes != CD_RAW_SECTOR_BYTES)));
        if (damaged)
            ide_reset_drive(&channel->drives[i]);
    }
}

static const DeviceClass device_class = {"ide", &fields, reset, restored};

static void copy_name(char *to, size_t size, const char *name) {
    snprintf(to, size, "%s", name);
}

void ide_channel_restore_medium(IdeChannel *channel, unsigned drive, BlockNode *medium) {
    IdeDrive *host = &channel->drives[drive];
    uint32_t sector_bytes = host->kind == IDE_DRIVE_DISK ? IDE_SECTOR_BYTES : CD_SECTOR_BYTES;
    host->medium = medium;
    host->sectors = medium == NULL ? 0 : (block_length(medium) + sector_bytes - 1) / sector_bytes;
}

void ide_channel_restore_geometry(IdeChannel *channel, unsigned drive, IdeGeometry geometry) {
    channel->drives[drive].geometry = geometry;
}

static bool plug_in_drive(IdeChannel *channel, unsigned index, const IdeChannelOptions *options,
                          Error *error) {
    const IdeDriveOptions *wanted = &options->drives[index];
    IdeDrive *drive = &channel->drives[index];
    drive->channel = channel;
    drive->state = &channel->state.drives[index];
    drive->kind = wanted->kind;
    if (wanted->kind == IDE_DRIVE_DISK && wanted->medium == NULL)
        return error_set(error, "a hard disk needs an image");
    bool is_disk = wanted->kind == IDE_DRIVE_DISK;
    snprintf(drive->serial, sizeof(drive->serial), "QM%05u", options->number * 2 + index + 1);
    if (wanted->serial != NULL)
        copy_name(drive->serial, sizeof(drive->serial), wanted->serial);
    copy_name(drive->model, sizeof(drive->model),
              wanted->model != NULL ? wanted->model
              : is_disk             ? "QEMU HARDDISK"
                                    : "QEMU DVD-ROM");
    if (is_disk) {
        drive->geometry =
            wanted->geometry.cylinders != 0 ? wanted->geometry : ide_geometry_guess(wanted->medium);
    } else {
        drive->state->cdrom.present = wanted->medium != NULL;
    }
    ide_channel_restore_medium(channel, index, wanted->medium);
    return true;
}

static bool claim_ports(IdeChannel *channel, const IdeChannelOptions *options, PortMap *ports,
                        Error *error) {
    if (options->command_port == 0)
        return true;
    PortRange command = {.name = options->id,
                         .first = options->command_port,
                         .count = 8,
                         .widths = PORT_8 | PORT_16 | PORT_32,
                         .read = read_port,
                         .write = write_port,
                         .opaque = channel};
    PortRange control = {.name = options->id,
                         .first = options->control_port,
                         .count = 1,
                         .widths = PORT_8,
                         .read = read_alternate_status,
                         .write = write_control_port,
                         .opaque = channel};
    return port_map_add(ports, &command, error) && port_map_add(ports, &control, error);
}

IdeChannel *ide_channel_create(const DeviceContext *context, const IdeChannelOptions *options,
                               Error *error) {
    IdeChannel *channel = allocate_zeroed(sizeof(*channel));
    channel->clock = context->clock;
    channel->trace = context->trace;
    channel->irq = options->irq;
    channel->bus_master = options->bus_master;
    channel->serial = options->serial;
    if (!plug_in_drive(channel, 0, options, error) || !plug_in_drive(channel, 1, options, error) ||
        !claim_ports(channel, options, context->ports, error)) {
        free(channel);
        return NULL;
    }
    static const char *const timer_names[] = {"ide-drive-0", "ide-drive-1"};
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++)
        timer_init(&channel->drives[i].timer, context->clock, timer_names[i],
                   &channel->state.drives[i].due_ns, drive_timer_fired, &channel->drives[i]);
    device_list_add(context->devices, &device_class, options->id, channel, &channel->state);
    reset(channel);
    return channel;
}

void ide_channel_destroy(IdeChannel *channel) {
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++)
        free(channel->drives[i].batch.data);
    free(channel);
}

void ide_channel_bus_master_started(IdeChannel *channel) {
    for (unsigned i = 0; i < IDE_CHANNEL_DRIVES; i++)
        if (channel->state.drives[i].phase == DRIVE_DMA_WAITING)
            ide_run_dma(&channel->drives[i]);
}

IdeDriveKind ide_channel_drive_kind(const IdeChannel *channel, unsigned drive) {
    return drive < IDE_CHANNEL_DRIVES ? channel->drives[drive].kind : IDE_DRIVE_NONE;
}

uint64_t ide_channel_sectors(const IdeChannel *channel, unsigned drive) {
    return drive < IDE_CHANNEL_DRIVES ? ide_disk_sectors(&channel->drives[drive]) : 0;
}

void ide_channel_note_access(IdeChannel *channel, unsigned drive) {
    ide_disk_note_access(&channel->drives[drive]);
}

IdeGeometry ide_channel_geometry(const IdeChannel *channel, unsigned drive) {
    return drive < IDE_CHANNEL_DRIVES ? channel->drives[drive].geometry : (IdeGeometry){0};
}

BlockNode *ide_channel_media(const IdeChannel *channel, unsigned drive) {
    return drive < IDE_CHANNEL_DRIVES ? channel->drives[drive].medium : NULL;
}
