#include "scsi_cd.h"
#include "allocate.h"
#include "big_endian.h"
#include "dma_list.h"
#include "scsi_codes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCT "QEMU CD-ROM"
#define BUFFER_BYTES 512u
#define PACKET_BYTES 12
#define KIND_CD 5

/* Registers of a packet command in a frame, and the status register. */
enum { FRAME_HOST_TO_DEVICE = 0x27, FRAME_IS_COMMAND = 0x80, COMMAND_PACKET = 0xA0, BY_DMA = 1 };
enum { STATUS_FAILED = 0x01, STATUS_BUSY = 0x80 };

/* Mode parameters: MODE SENSE and MODE SELECT of six bytes have a shorter header than the drive's,
 * which stands behind this much room then. */
enum { SHORT_HEADER = 4, LONG_HEADER = 8, HEADER_GAP = LONG_HEADER - SHORT_HEADER };

/* What becomes of the drive's data. */
typedef enum Route {
    ROUTE_NONE,   /* the answer stands in the buffer, the drive is not asked */
    ROUTE_HOST,   /* straight to and from the host */
    ROUTE_BUFFER, /* to and from the buffer: it is changed on the way */
    ROUTES,
} Route;

typedef struct ScsiCdState {
    int64_t due_ns;
    uint32_t position, size; /* of the buffer */
    uint8_t command[SCSI_COMMAND_BYTES];
    uint8_t phase; /* ScsiTargetPhase */
    uint8_t route; /* Route */
    uint8_t gives; /* the drive's command has the host's data in the buffer to go on with */
    uint8_t lun, status;
    uint8_t padding[3];
    uint8_t buffer[BUFFER_BYTES];
} ScsiCdState;

struct ScsiCd {
    ScsiCdState state;
    ScsiTarget target;
    Timer timer;
    VirtualClock *clock;
    IdeChannel *channel;
    /* While the host moves data: where it goes to or comes from. NULL otherwise. */
    uint8_t *moving;
    size_t moving_size, moved;
    char id[32], channel_id[40], serial[21], device_id[160];
};

static const Field field_rows[] = {
    FIELD(ScsiCdState, U64, due_ns),     FIELD(ScsiCdState, U32, position),
    FIELD(ScsiCdState, U32, size),       FIELD_BYTES_OF(ScsiCdState, command),
    FIELD(ScsiCdState, U8, phase),       FIELD(ScsiCdState, U8, route),
    FIELD(ScsiCdState, U8, gives),       FIELD(ScsiCdState, U8, lun),
    FIELD(ScsiCdState, U8, status),      FIELD_PADDING(ScsiCdState, padding),
    FIELD_BYTES_OF(ScsiCdState, buffer), FIELD_END,
};
static const FieldTable fields = {"scsi-cd", 1, sizeof(ScsiCdState), field_rows};

static void set_phase(ScsiCd *cd, ScsiTargetPhase phase) {
    bool was_busy = cd->state.phase == SCSI_BUSY;
    cd->state.phase = (uint8_t)phase;
    if (was_busy && phase != SCSI_BUSY && cd->target.ready != NULL)
        cd->target.ready(cd->target.host);
}

static void finish(ScsiCd *cd, uint8_t status) {
    cd->state.status = status;
    set_phase(cd, SCSI_DONE);
}

/* The buffer's bytes go to the host, who has so much room. */
static void answer(ScsiCd *cd, size_t size, size_t room) {
    cd->state.route = ROUTE_NONE;
    cd->state.status = SCSI_GOOD;
    cd->state.position = 0;
    cd->state.size = (uint32_t)(size < room ? size : room);
    set_phase(cd, cd->state.size == 0 ? SCSI_DONE : SCSI_TO_HOST);
}

static void give_packet(ScsiCd *cd, Route route) {
    static const uint8_t frame[IDE_FRAME_BYTES] = {FRAME_HOST_TO_DEVICE, FRAME_IS_COMMAND,
                                                   COMMAND_PACKET, BY_DMA};
    cd->state.route = (uint8_t)route;
    cd->state.phase = SCSI_BUSY;
    ide_channel_take_frame(cd->channel, frame);
}

/* The packet for the drive: of the shorter forms it only knows the longer ones. */
static void make_packet(const ScsiCd *cd, uint8_t packet[PACKET_BYTES]) {
    const uint8_t *command = cd->state.command;
    memset(packet, 0, PACKET_BYTES);
    memcpy(packet, command, PACKET_BYTES);
    if (scsi_command_bytes(command[0]) != 6)
        return;
    if (command[0] == SCSI_MODE_SENSE_6 || command[0] == SCSI_MODE_SELECT_6) {
        bool senses = command[0] == SCSI_MODE_SENSE_6;
        packet[0] = senses ? SCSI_MODE_SENSE_10 : SCSI_MODE_SELECT_10;
        packet[4] = packet[5] = 0;
        store_be16(packet + 7, (uint16_t)(senses ? BUFFER_BYTES : cd->state.size + HEADER_GAP));
    } else if (command[0] == 0x08) { /* READ */
        ScsiRange range = scsi_range(command);
        memset(packet, 0, PACKET_BYTES);
        packet[0] = 0x28;
        store_be32(packet + 2, (uint32_t)range.lba);
        store_be16(packet + 7, (uint16_t)range.count);
    }
}

/* The drive's answer with the shorter header. */
static void answer_modes(ScsiCd *cd) {
    uint8_t *data = cd->state.buffer;
    uint32_t size = cd->state.position;
    if (size < LONG_HEADER) {
        finish(cd, SCSI_CHECK_CONDITION);
        return;
    }
    uint8_t header[SHORT_HEADER] = {(uint8_t)(size - HEADER_GAP - 1), data[2], data[3], data[7]};
    memcpy(data, header, SHORT_HEADER);
    memmove(data + SHORT_HEADER, data + LONG_HEADER, size - LONG_HEADER);
    answer(cd, size - HEADER_GAP, cd->state.command[4]);
}

/* The command is over for the drive. */
static void drive_finished(ScsiCd *cd) {
    bool failed = (ide_channel_status(cd->channel) & STATUS_FAILED) != 0;
    uint8_t frame[IDE_FRAME_BYTES];
    ide_channel_fill_frame(cd->channel, frame); /* which acknowledges its interrupt */
    if (!failed && cd->state.command[0] == SCSI_MODE_SENSE_6)
        answer_modes(cd);
    else
        finish(cd, failed ? SCSI_CHECK_CONDITION : SCSI_GOOD);
}

static bool inquire(ScsiCd *cd, const uint8_t *command) {
    const ScsiIdentity identity = {.kind = KIND_CD,
                                   .removable = true,
                                   .product = PRODUCT,
                                   .serial = cd->serial,
                                   .device_id = cd->device_id};
    memset(cd->state.buffer, 0, BUFFER_BYTES);
    size_t size = scsi_inquire(&identity, command, cd->state.buffer);
    if (size != 0)
        answer(cd, size, load_be16(command + 3));
    return size != 0;
}

static bool report_luns(ScsiCd *cd, const uint8_t *command) {
    size_t size = scsi_report_luns(command, cd->state.buffer);
    if (size != 0)
        answer(cd, size, load_be32(command + 6));
    return size != 0;
}

static void answer_absent(ScsiCd *cd, const uint8_t *command) {
    size_t size;
    uint8_t status = scsi_absent_unit(command, cd->state.buffer, &size);
    answer(cd, size, command[4]);
    cd->state.status = status;
}

/* What the drive would not answer as a SCSI one is answered here; what is wrong with a command it
 * says itself. */
static void execute(ScsiCd *cd) {
    ScsiCdState *state = &cd->state;
    const uint8_t *command = state->command;
    if (state->lun != 0) {
        answer_absent(cd, command);
        return;
    }
    if ((command[0] == SCSI_INQUIRY && inquire(cd, command)) ||
        (command[0] == SCSI_REPORT_LUNS && report_luns(cd, command)))
        return;
    if (command[0] == SCSI_MODE_SELECT_6 && !state->gives) {
        state->position = 0;
        state->size = command[4];
        if (command[4] < SHORT_HEADER) /* no page at all */
            finish(cd, SCSI_GOOD);
        else
            set_phase(cd, SCSI_FROM_HOST);
        return;
    }
    state->position = 0;
    give_packet(cd, command[0] == SCSI_MODE_SENSE_6 || state->gives ? ROUTE_BUFFER : ROUTE_HOST);
}

/* The host's mode parameters get the header that the drive knows. */
static void lengthen_header(ScsiCd *cd) {
    uint8_t *data = cd->state.buffer;
    uint8_t descriptors = data[3];
    memmove(data + LONG_HEADER, data + SHORT_HEADER, cd->state.size - SHORT_HEADER);
    memset(data, 0, LONG_HEADER);
    data[7] = descriptors;
    cd->state.gives = 1;
}

/* The bus master of the drive: without a host that moves data it waits. */
static size_t transfer(void *opaque, uint8_t *data, size_t size, bool to_memory) {
    ScsiCd *cd = opaque;
    ScsiCdState *state = &cd->state;
    if (state->route == ROUTE_BUFFER) {
        size_t room = BUFFER_BYTES - state->position, part = size < room ? size : room;
        if (to_memory)
            memcpy(state->buffer + state->position, data, part);
        else
            memcpy(data, state->buffer + state->position, part);
        state->position += (uint32_t)part;
        return size; /* what there is no room for is lost */
    }
    size_t left = cd->moving != NULL ? cd->moving_size - cd->moved : 0;
    size_t part = size < left ? size : left;
    if (part > 0 && to_memory)
        memcpy(cd->moving + cd->moved, data, part);
    else if (part > 0)
        memcpy(data, cd->moving + cd->moved, part);
    cd->moved += part;
    if (part < size)
        set_phase(cd, to_memory ? SCSI_TO_HOST : SCSI_FROM_HOST);
    return part;
}

/* The drive's interrupt or data request: what follows is done by our own event. */
static void drive_spoke(void *opaque) {
    ScsiCd *cd = opaque;
    if (cd->state.phase == SCSI_FREE || cd->state.phase == SCSI_DONE ||
        cd->state.route == ROUTE_NONE || timer_is_armed(&cd->timer))
        return; /* a restore drives the line anew */
    cd->state.phase = SCSI_BUSY;
    timer_arm(&cd->timer, clock_now_ns(cd->clock));
}

static void drive_interrupt(void *opaque, int line, int level) {
    (void)line;
    if (level)
        drive_spoke(opaque);
}

static void follow_drive(ScsiCd *cd) {
    if (ide_channel_status(cd->channel) & STATUS_BUSY)
        return;
    IdeDataRequest request = ide_channel_data_request(cd->channel);
    if (request.bytes == 0) {
        drive_finished(cd);
    } else if (request.is_packet && request.bytes == PACKET_BYTES) {
        uint8_t packet[PACKET_BYTES];
        make_packet(cd, packet);
        ide_channel_move_data(cd->channel, packet);
    } else {
        ide_channel_reset_link(cd->channel); /* as a damaged save may have it */
        finish(cd, SCSI_CHECK_CONDITION);
    }
}

static void timer_fired(void *opaque) {
    ScsiCd *cd = opaque;
    if (cd->state.phase != SCSI_BUSY)
        return;
    if (cd->state.route == ROUTE_NONE)
        execute(cd);
    else
        follow_drive(cd);
}

static void be_busy(ScsiCd *cd) {
    cd->state.phase = SCSI_BUSY;
    cd->state.route = ROUTE_NONE;
    timer_arm(&cd->timer, clock_now_ns(cd->clock) + DMA_ACCESS_NS);
}

static void begin(void *opaque, unsigned lun, const uint8_t *command) {
    ScsiCd *cd = opaque;
    memcpy(cd->state.command, command, SCSI_COMMAND_BYTES);
    cd->state.lun = (uint8_t)lun;
    cd->state.gives = 0;
    be_busy(cd);
}

static ScsiTargetPhase get_phase(const void *opaque) {
    const ScsiCd *cd = opaque;
    return (ScsiTargetPhase)cd->state.phase;
}

static size_t move_buffer(ScsiCd *cd, uint8_t *data, size_t size) {
    ScsiCdState *state = &cd->state;
    size_t left = state->size - state->position;
    if (size > left)
        size = left;
    if (state->phase == SCSI_TO_HOST)
        memcpy(data, state->buffer + state->position, size);
    else
        memcpy(state->buffer + state->position, data, size);
    state->position += (uint32_t)size;
    if (state->position < state->size)
        return size;
    if (state->phase == SCSI_TO_HOST) {
        state->phase = SCSI_DONE;
    } else {
        lengthen_header(cd);
        be_busy(cd);
    }
    return size;
}

static size_t move(void *opaque, uint8_t *data, size_t size) {
    ScsiCd *cd = opaque;
    if (cd->state.phase != SCSI_TO_HOST && cd->state.phase != SCSI_FROM_HOST)
        return 0;
    if (cd->state.route == ROUTE_NONE)
        return move_buffer(cd, data, size);
    cd->moving = data;
    cd->moving_size = size;
    cd->moved = 0;
    cd->state.phase = SCSI_BUSY; /* unless the drive waits for more */
    void (*ready)(void *host) = cd->target.ready;
    cd->target.ready = NULL;
    ide_channel_bus_master_started(cd->channel);
    cd->target.ready = ready;
    cd->moving = NULL;
    return cd->moved;
}

static uint8_t take_status(void *opaque) {
    ScsiCd *cd = opaque;
    cd->state.phase = SCSI_FREE;
    return cd->state.status;
}

static void target_reset(void *opaque) {
    ScsiCd *cd = opaque;
    timer_cancel(&cd->timer);
    cd->state = (ScsiCdState){.due_ns = TIMER_NEVER};
    ide_channel_reset_link(cd->channel);
}

static const ScsiTargetClass target_class = {begin,       get_phase,    move,
                                             take_status, target_reset, target_reset};

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    ScsiCd *cd = opaque;
    ScsiCdState *state = &cd->state;
    bool moves = state->phase == SCSI_TO_HOST || state->phase == SCSI_FROM_HOST;
    bool in_buffer = state->size <= 255 && state->position < state->size;
    if (state->phase > SCSI_DONE || state->route >= ROUTES || state->position > BUFFER_BYTES ||
        state->size > BUFFER_BYTES || (moves && state->route == ROUTE_NONE && !in_buffer))
        state->phase = SCSI_FREE;
}

static const DeviceClass device_class = {"scsi-cd", &fields, target_reset, restored};

ScsiTarget *scsi_cd_target(ScsiCd *cd) {
    return &cd->target;
}

IdeChannel *scsi_cd_channel(ScsiCd *cd) {
    return cd->channel;
}

ScsiCd *scsi_cd_create(const DeviceContext *context, const ScsiCdOptions *options, Error *error) {
    ScsiCd *cd = allocate_zeroed(sizeof(*cd));
    const char *serial = options->serial != NULL ? options->serial : "";
    snprintf(cd->id, sizeof(cd->id), "%s", options->id);
    snprintf(cd->channel_id, sizeof(cd->channel_id), "%s", options->channel_id);
    snprintf(cd->serial, sizeof(cd->serial), "%s", serial);
    snprintf(cd->device_id, sizeof(cd->device_id), "%s",
             options->device_id != NULL ? options->device_id
             : *serial != '\0'          ? serial
                                        : options->id);
    cd->clock = context->clock;
    cd->target = (ScsiTarget){.class = &target_class, .opaque = cd};
    const IdeChannelOptions channel = {
        .id = cd->channel_id,
        .serial = true,
        .drives = {{.kind = IDE_DRIVE_CDROM, .medium = options->medium, .serial = options->serial}},
        .irq = {drive_interrupt, cd, 0},
        .bus_master = {.transfer = transfer, .data_requested = drive_spoke, .opaque = cd},
    };
    cd->channel = ide_channel_create(context, &channel, error);
    if (cd->channel == NULL) {
        free(cd);
        return NULL;
    }
    timer_init(&cd->timer, context->clock, "scsi-cd", &cd->state.due_ns, timer_fired, cd);
    device_list_add(context->devices, &device_class, cd->id, cd, &cd->state);
    target_reset(cd);
    return cd;
}

void scsi_cd_destroy(ScsiCd *cd) {
    if (cd == NULL)
        return;
    ide_channel_destroy(cd->channel);
    free(cd);
}
