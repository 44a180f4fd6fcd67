/* The CD-ROM drive: ATA commands of a packet device, packet commands (ATAPI: SFF-8020i and MMC),
 * the tray and the disc in it. */
#include "cd_sector.h"
#include "ide_internal.h"
#include <string.h>

/* Sense keys and additional sense codes (MMC, annex on sense data). */
enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
};
enum {
    CODE_UNRECOVERED_READ = 0x11,
    CODE_INVALID_COMMAND = 0x20,
    CODE_OUT_OF_RANGE = 0x21,
    CODE_INVALID_FIELD = 0x24,
    CODE_INVALID_PARAMETER = 0x26,
    CODE_MEDIUM_CHANGED = 0x28,
    CODE_SEQUENCE_ERROR = 0x2C,
    CODE_NO_MEDIUM = 0x3A,
    CODE_REMOVAL_PREVENTED = 0x53,
    CODE_ILLEGAL_TRACK_MODE = 0x64,
};

/* Events of the media class. */
enum { EVENT_NONE = 0, EVENT_EJECT_REQUEST = 1, EVENT_NEW_MEDIUM = 2, EVENT_REMOVAL = 3 };

#define MEDIA_CLASS 4
#define SENSE_BYTES 18
#define BYTE_COUNT_MAXIMUM 0xFFFEu

static uint32_t big_endian_16(const uint8_t *data) {
    return (uint32_t)data[0] << 8 | data[1];
}

static uint32_t big_endian_32(const uint8_t *data) {
    return big_endian_16(data) << 16 | big_endian_16(data + 2);
}

bool ide_cdrom_is_ready(const IdeDrive *drive) {
    return drive->state->cdrom.present && !drive->state->cdrom.tray_open && drive->medium != NULL;
}

static void set_sense(IdeDrive *drive, uint8_t key, uint8_t code, uint8_t qualifier) {
    CdromState *cdrom = &drive->state->cdrom;
    cdrom->sense_key = key;
    cdrom->sense_code = code;
    cdrom->sense_qualifier = qualifier;
}

/* CHECK CONDITION: the host will ask for the sense data. */
static bool fail(IdeDrive *drive, uint8_t key, uint8_t code, uint8_t qualifier) {
    set_sense(drive, key, code, qualifier);
    drive->state->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_finish_later(drive, (uint8_t)(key << 4 | ERROR_ABORTED));
    return false;
}

static void fail_without_medium(IdeDrive *drive) {
    fail(drive, SENSE_NOT_READY, CODE_NO_MEDIUM, drive->state->cdrom.tray_open ? 2 : 1);
}

void ide_cdrom_finish(IdeDrive *drive) {
    drive->state->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_finish_later(drive, 0);
}

void ide_cdrom_reset(IdeDrive *drive) {
    set_sense(drive, SENSE_NONE, 0, 0);
    drive->state->cdrom.tray_locked = 0;
    drive->state->cdrom.audio_status = AUDIO_NONE;
    ide_cdrom_reset_modes(&drive->state->cdrom);
}

/* How the data of the packet command shall go: the byte count that the host set bounds each data
 * request. */
static void begin_packet_data(IdeDrive *drive, TransferKind kind, int64_t ns) {
    IdeDriveState *state = drive->state;
    uint32_t limit = ((uint32_t)state->lba_high[0] << 8 | state->lba_mid[0]) & BYTE_COUNT_MAXIMUM;
    state->block_bytes = limit == 0 ? BYTE_COUNT_MAXIMUM : limit;
    bool by_dma = (state->features[0] & 1) != 0;
    if (by_dma)
        ns += ide_sectors_ns(drive, state->sectors_left) * 4;
    ide_begin_transfer(drive, kind, by_dma, ns);
}

/* Sends what is in the buffer, as much of it as the host has room for. */
static void send_buffer(IdeDrive *drive, size_t size, size_t room) {
    drive->state->sectors_left = 0;
    drive->state->buffer_size = (uint32_t)(size < room ? size : room);
    if (drive->state->buffer_size == 0)
        ide_cdrom_finish(drive);
    else
        begin_packet_data(drive, TRANSFER_PACKET_DATA_IN, COMMAND_NS);
}

static void test_unit_ready(IdeDrive *drive, const uint8_t *packet) {
    (void)packet;
    ide_cdrom_finish(drive);
}

static void request_sense(IdeDrive *drive, const uint8_t *packet) {
    IdeDriveState *state = drive->state;
    CdromState *cdrom = &state->cdrom;
    if (cdrom->sense_key == SENSE_NONE && cdrom->unit_attention) {
        set_sense(drive, SENSE_UNIT_ATTENTION, CODE_MEDIUM_CHANGED, 0);
        cdrom->unit_attention = 0;
    }
    memset(state->buffer, 0, SENSE_BYTES);
    state->buffer[0] = 0x70; /* a current error, fixed format */
    state->buffer[2] = cdrom->sense_key;
    state->buffer[7] = SENSE_BYTES - 8;
    state->buffer[12] = cdrom->sense_code;
    state->buffer[13] = cdrom->sense_qualifier;
    set_sense(drive, SENSE_NONE, 0, 0);
    send_buffer(drive, SENSE_BYTES, packet[4]);
}

static void get_event_status(IdeDrive *drive, const uint8_t *packet) {
    IdeDriveState *state = drive->state;
    uint8_t *data = state->buffer;
    bool is_polled = packet[1] & 1, wants_media = packet[4] & 1 << MEDIA_CLASS;
    if (!is_polled) {
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
        return;
    }
    memset(data, 0, 8);
    data[1] = wants_media ? 6 : 2;
    data[2] = wants_media ? MEDIA_CLASS : 0x80; /* no event of a class that we have */
    data[3] = 1 << MEDIA_CLASS;
    if (wants_media) {
        data[4] = state->cdrom.event;
        data[5] = (uint8_t)(state->cdrom.tray_open | (ide_cdrom_is_ready(drive) ? 2 : 0));
        state->cdrom.event = EVENT_NONE;
    }
    send_buffer(drive, wants_media ? 8 : 4, big_endian_16(packet + 7));
}

static void start_stop_unit(IdeDrive *drive, const uint8_t *packet) {
    CdromState *cdrom = &drive->state->cdrom;
    bool load_eject = packet[4] & 2, start = packet[4] & 1;
    uint8_t power = packet[4] >> 4;
    if (power != 0) { /* active, idle, standby, sleep: all are answered alike */
        drive->state->power_mode = power == 1   ? POWER_ACTIVE
                                   : power == 2 ? POWER_IDLE
                                                : POWER_STANDBY;
        if (power > 3 && power != 5)
            fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
        else
            ide_cdrom_finish(drive);
        return;
    }
    if (!start)
        ide_cdrom_stop_audio(drive);
    if (load_eject && !start) {
        if (cdrom->tray_locked) {
            fail(drive, SENSE_NOT_READY, CODE_REMOVAL_PREVENTED, 2);
            return;
        }
        cdrom->tray_open = 1;
        cdrom->event = EVENT_REMOVAL;
    } else if (load_eject && cdrom->tray_open) {
        /* Unit attention is for hosts other than the one that asked (SPC-3, unit attention
         * conditions): Linux takes it for a changed disc and fails the first read. */
        cdrom->tray_open = 0;
        if (cdrom->present)
            cdrom->event = EVENT_NEW_MEDIUM;
    }
    ide_cdrom_finish(drive);
}

static void prevent_allow(IdeDrive *drive, const uint8_t *packet) {
    drive->state->cdrom.tray_locked = packet[4] & 1;
    ide_cdrom_finish(drive);
}

/* True if these sectors are on the disc; else the command has failed. */
static bool check_range(IdeDrive *drive, uint32_t lba, uint32_t count) {
    if ((uint64_t)lba + count <= drive->sectors)
        return true;
    return fail(drive, SENSE_ILLEGAL_REQUEST, CODE_OUT_OF_RANGE, 0);
}

/* True if the sectors are of such tracks; else the command has failed. */
static bool check_tracks(IdeDrive *drive, uint32_t lba, uint32_t count, bool audio) {
    CdTracks tracks = ide_cdrom_tracks(drive);
    for (unsigned i = cd_find_track(&tracks, lba); i < cd_track_count(&tracks); i++) {
        const BlockCdTrack *track = cd_track(&tracks, i);
        if (track->start < lba + count && track->is_audio != audio)
            return fail(drive, SENSE_ILLEGAL_REQUEST, CODE_ILLEGAL_TRACK_MODE, 0);
    }
    return true;
}

/* Which bytes of each sector are wanted. */
typedef struct SectorPart {
    uint16_t first, bytes;
    bool is_audio;
} SectorPart;

static void begin_read(IdeDrive *drive, uint32_t lba, uint32_t count, SectorPart part) {
    if (!check_range(drive, lba, count))
        return;
    if (count == 0) {
        ide_cdrom_finish(drive);
        return;
    }
    ide_cdrom_stop_audio(drive);
    drive->state->lba = lba;
    drive->state->sectors_left = count;
    drive->state->cd_sector_first = part.first;
    drive->state->cd_sector_bytes = part.bytes;
    drive->state->cd_is_audio = part.is_audio;
    begin_packet_data(drive, TRANSFER_PACKET_READ, ide_access_ns(drive));
}

static void begin_read_data(IdeDrive *drive, uint32_t lba, uint32_t count) {
    if (check_range(drive, lba, count) && check_tracks(drive, lba, count, false))
        begin_read(drive, lba, count, (SectorPart){CD_DATA_AT, CD_SECTOR_BYTES, false});
}

static void read_10(IdeDrive *drive, const uint8_t *packet) {
    begin_read_data(drive, big_endian_32(packet + 2), big_endian_16(packet + 7));
}

static void read_12(IdeDrive *drive, const uint8_t *packet) {
    begin_read_data(drive, big_endian_32(packet + 2), big_endian_32(packet + 6));
}

/* The parts of a sector that READ CD can ask for, in their order, and where each begins. */
enum { PART_SYNC = 0x80, PART_HEADER = 0x20, PART_DATA = 0x10, PART_CORRECTION = 0x08 };
#define PART_SUBHEADER 0x40 /* of which sectors in mode 1 have none */
#define PARTS_ERRORS 0x06   /* pointers to errors */

/* Which bytes of a raw sector the parts are; false if they do not follow each other. */
static bool find_parts(uint8_t parts, uint32_t *first, uint32_t *end) {
    static const struct {
        uint8_t part;
        uint16_t at, end;
    } rows[] = {{PART_SYNC, CD_SYNC_AT, CD_HEADER_AT},
                {PART_HEADER, CD_HEADER_AT, CD_DATA_AT},
                {PART_DATA, CD_DATA_AT, CD_CORRECTION_AT},
                {PART_CORRECTION, CD_CORRECTION_AT, CD_RAW_SECTOR_BYTES}};
    *first = *end = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!(parts & rows[i].part))
            continue;
        if (*end != 0 && *end != rows[i].at)
            return false;
        *first = *end == 0 ? rows[i].at : *first;
        *end = rows[i].end;
    }
    return true;
}

/* Which of the kinds of READ CD the sectors are, and whether those are wanted. */
static bool check_kind(IdeDrive *drive, unsigned kind, uint32_t lba, uint32_t count,
                       bool *is_audio) {
    enum { KIND_ANY = 0, KIND_AUDIO = 1, KIND_MODE_1 = 2 };
    CdTracks tracks = ide_cdrom_tracks(drive);
    bool audio = cd_track(&tracks, cd_find_track(&tracks, lba))->is_audio;
    if (kind != KIND_ANY && kind != (audio ? KIND_AUDIO : KIND_MODE_1))
        return fail(drive, SENSE_ILLEGAL_REQUEST, CODE_ILLEGAL_TRACK_MODE, 0);
    *is_audio = audio;
    return check_range(drive, lba, count) && check_tracks(drive, lba, count, audio);
}

/* Audio has no parts: all of the sector is data. */
static void begin_read_cd(IdeDrive *drive, const uint8_t *packet, uint32_t lba, uint32_t count) {
    uint8_t parts = packet[9];
    uint32_t first, end;
    bool subheader_alone = (parts & (PART_SUBHEADER | PART_HEADER)) == PART_SUBHEADER;
    bool wants_subchannel = (packet[10] & 7) != 0;
    bool is_audio;
    if (!check_kind(drive, packet[1] >> 2 & 7, lba, count, &is_audio))
        return;
    if (subheader_alone || wants_subchannel || (parts & PARTS_ERRORS) ||
        !find_parts(parts, &first, &end)) {
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
        return;
    }
    if (is_audio) {
        first = 0;
        end = parts & PART_DATA ? CD_RAW_SECTOR_BYTES : 0;
    }
    begin_read(drive, lba, end == 0 ? 0 : count,
               (SectorPart){(uint16_t)first, (uint16_t)(end - first), is_audio});
}

static void read_cd(IdeDrive *drive, const uint8_t *packet) {
    begin_read_cd(drive, packet, big_endian_32(packet + 2), big_endian_32(packet + 5) & 0xFFFFFF);
}

static uint32_t lba_of_msf(const uint8_t *msf) {
    return (msf[0] * 60u + msf[1]) * 75u + msf[2] - CD_FRAMES_BEFORE_FIRST;
}

static void read_cd_msf(IdeDrive *drive, const uint8_t *packet) {
    uint32_t first = lba_of_msf(packet + 3), end = lba_of_msf(packet + 6);
    if (end < first)
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
    else
        begin_read_cd(drive, packet, first, end - first);
}

static void seek(IdeDrive *drive, const uint8_t *packet) {
    if (check_range(drive, big_endian_32(packet + 2), 1))
        ide_cdrom_finish(drive);
}

static void play(IdeDrive *drive, uint32_t first, uint32_t end) {
    switch (ide_cdrom_play(drive, first, end)) {
    case AUDIO_GOOD:
        ide_cdrom_finish(drive);
        break;
    case AUDIO_OUT_OF_RANGE:
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_OUT_OF_RANGE, 0);
        break;
    case AUDIO_WRONG_TRACK:
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_ILLEGAL_TRACK_MODE, 0);
        break;
    }
}

/* From where the head is, if the address is all ones. */
static void play_sectors(IdeDrive *drive, uint32_t first, uint64_t count) {
    if (first == UINT32_MAX)
        first = ide_cdrom_play_position(drive);
    play(drive, first, first + count > UINT32_MAX ? UINT32_MAX : (uint32_t)(first + count));
}

static void play_audio_10(IdeDrive *drive, const uint8_t *packet) {
    play_sectors(drive, big_endian_32(packet + 2), big_endian_16(packet + 7));
}

static void play_audio_12(IdeDrive *drive, const uint8_t *packet) {
    play_sectors(drive, big_endian_32(packet + 2), big_endian_32(packet + 6));
}

static void play_audio_msf(IdeDrive *drive, const uint8_t *packet) {
    bool from_here = packet[3] == 0xFF && packet[4] == 0xFF && packet[5] == 0xFF;
    play(drive, from_here ? ide_cdrom_play_position(drive) : lba_of_msf(packet + 3),
         lba_of_msf(packet + 6));
}

static void pause_resume(IdeDrive *drive, const uint8_t *packet) {
    if (ide_cdrom_pause(drive, packet[8] & 1))
        ide_cdrom_finish(drive);
    else
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_SEQUENCE_ERROR, 0);
}

static void stop_play(IdeDrive *drive, const uint8_t *packet) {
    (void)packet;
    ide_cdrom_stop_audio(drive);
    ide_cdrom_finish(drive);
}

static void accept(IdeDrive *drive, const uint8_t *packet) {
    (void)packet;
    ide_cdrom_finish(drive);
}

bool ide_cdrom_store_modes(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    return ide_cdrom_take_modes(&state->cdrom, state->buffer, state->buffer_size) ||
           fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_PARAMETER, 0);
}

static void mode_select(IdeDrive *drive, const uint8_t *packet) {
    uint32_t size = big_endian_16(packet + 7);
    if (size > IDE_BUFFER_BYTES) {
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
        return;
    }
    drive->state->sectors_left = 0;
    drive->state->buffer_size = size;
    if (size == 0)
        ide_cdrom_finish(drive);
    else
        begin_packet_data(drive, TRANSFER_PACKET_DATA_OUT, COMMAND_NS);
}

/* The part of a sector that the command asked for. */
static bool load_sector(IdeDrive *drive, uint32_t lba, uint8_t *data, Error *error) {
    const IdeDriveState *state = drive->state;
    uint8_t raw[CD_RAW_SECTOR_BYTES];
    uint64_t offset = (uint64_t)lba * CD_SECTOR_BYTES;
    if (state->cd_is_audio)
        return block_cd_read_audio(drive->medium, lba, data, error);
    if (state->cd_sector_first == CD_DATA_AT && state->cd_sector_bytes == CD_SECTOR_BYTES)
        return block_read(drive->medium, offset, data, CD_SECTOR_BYTES, error);
    if (!block_read(drive->medium, offset, raw + CD_DATA_AT, CD_SECTOR_BYTES, error))
        return false;
    cd_sector_complete(raw, lba);
    memcpy(data, raw + state->cd_sector_first, state->cd_sector_bytes);
    return true;
}

bool ide_cdrom_load(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    uint32_t bytes = state->cd_sector_bytes;
    uint32_t count = IDE_BUFFER_BYTES / bytes;
    if (count > state->sectors_left)
        count = state->sectors_left;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *sector = state->buffer + (size_t)i * bytes;
        Error error = {0};
        if (!ide_cdrom_is_ready(drive)) { /* somebody took the disc out */
            fail_without_medium(drive);
            return false;
        }
        if (!load_sector(drive, (uint32_t)(state->lba + i), sector, &error)) {
            TRACE(drive->channel->trace, TRACE_GUEST_ERRORS, "ide: %s\n", error.message);
            return fail(drive, SENSE_MEDIUM_ERROR, CODE_UNRECOVERED_READ, 0);
        }
    }
    state->buffer_size = count * bytes;
    state->lba += count;
    state->sectors_left -= count;
    return true;
}

enum {
    NEEDS_DISC = 1,
    ALLOWED_ANYTIME = 2, /* does not report, or clear, that the disc was changed */
};

typedef struct PacketCommand {
    uint8_t code, flags;
    void (*execute)(IdeDrive *drive, const uint8_t *packet);
    /* Or one that just answers, to as many bytes as stand at 'room_at' in the packet. */
    size_t (*answer)(const IdeDrive *drive, const uint8_t *packet, uint8_t *data);
    uint8_t room_at, room_bytes;
} PacketCommand;

/* clang-format off */
static const PacketCommand packet_commands[] = {
    {0x00, NEEDS_DISC,      test_unit_ready,  NULL, 0, 0},
    {0x03, ALLOWED_ANYTIME, request_sense,    NULL, 0, 0},
    {0x12, ALLOWED_ANYTIME, NULL, ide_cdrom_inquiry, 4, 1},
    {0x1B, 0,               start_stop_unit,  NULL, 0, 0},
    {0x1E, 0,               prevent_allow,    NULL, 0, 0},
    {0x25, NEEDS_DISC,      NULL, ide_cdrom_read_capacity, 0, 0},
    {0x28, NEEDS_DISC,      read_10,          NULL, 0, 0},
    {0x2B, NEEDS_DISC,      seek,             NULL, 0, 0},
    {0x42, NEEDS_DISC,      NULL, ide_cdrom_read_subchannel, 7, 2},
    {0x43, NEEDS_DISC,      NULL, ide_cdrom_read_toc, 7, 2},
    {0x45, NEEDS_DISC,      play_audio_10,    NULL, 0, 0},
    {0x46, ALLOWED_ANYTIME, NULL, ide_cdrom_get_configuration, 7, 2},
    {0x47, NEEDS_DISC,      play_audio_msf,   NULL, 0, 0},
    {0x4A, ALLOWED_ANYTIME, get_event_status, NULL, 0, 0},
    {0x4B, NEEDS_DISC,      pause_resume,     NULL, 0, 0},
    {0x4E, NEEDS_DISC,      stop_play,        NULL, 0, 0},
    {0x51, NEEDS_DISC,      NULL, ide_cdrom_disc_information, 7, 2},
    {0x52, NEEDS_DISC,      NULL, ide_cdrom_track_information, 7, 2},
    {0x55, 0,               mode_select,      NULL, 0, 0},
    {0x5A, 0,               NULL, ide_cdrom_mode_sense, 7, 2},
    {0xA5, NEEDS_DISC,      play_audio_12,    NULL, 0, 0},
    {0xA8, NEEDS_DISC,      read_12,          NULL, 0, 0},
    {0xB9, NEEDS_DISC,      read_cd_msf,      NULL, 0, 0},
    {0xBB, 0,               accept,           NULL, 0, 0},  /* SET CD SPEED */
    {0xBD, 0,               NULL, ide_cdrom_mechanism_status, 8, 2},
    {0xBE, NEEDS_DISC,      read_cd,          NULL, 0, 0},
};
/* clang-format on */

static const PacketCommand *find_packet_command(uint8_t code) {
    for (size_t i = 0; i < sizeof(packet_commands) / sizeof(packet_commands[0]); i++)
        if (packet_commands[i].code == code)
            return &packet_commands[i];
    return NULL;
}

static void answer(IdeDrive *drive, const PacketCommand *command, const uint8_t *packet) {
    ide_cdrom_catch_up(drive);
    size_t room = IDE_BUFFER_BYTES;
    if (command->room_bytes == 1)
        room = packet[command->room_at];
    else if (command->room_bytes == 2)
        room = big_endian_16(packet + command->room_at);
    memset(drive->state->buffer, 0, sizeof(drive->state->buffer));
    size_t size = command->answer(drive, packet, drive->state->buffer);
    if (size == 0)
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD, 0);
    else
        send_buffer(drive, size, room);
}

void ide_cdrom_execute_packet(IdeDrive *drive) {
    CdromState *cdrom = &drive->state->cdrom;
    uint8_t packet[PACKET_BYTES];
    memcpy(packet, drive->state->buffer, sizeof(packet));
    const PacketCommand *command = find_packet_command(packet[0]);
    if (command == NULL) {
        TRACE(drive->channel->trace, TRACE_UNIMP, "ide: packet command %02X\n", packet[0]);
        fail(drive, SENSE_ILLEGAL_REQUEST, CODE_INVALID_COMMAND, 0);
        return;
    }
    if (packet[0] != 0x03)
        set_sense(drive, SENSE_NONE, 0, 0); /* sense data is of the last command only */
    if (cdrom->unit_attention && !(command->flags & ALLOWED_ANYTIME)) {
        cdrom->unit_attention = 0;
        fail(drive, SENSE_UNIT_ATTENTION, CODE_MEDIUM_CHANGED, 0);
    } else if ((command->flags & NEEDS_DISC) && !ide_cdrom_is_ready(drive)) {
        fail_without_medium(drive);
    } else if (command->answer != NULL) {
        answer(drive, command, packet);
    } else {
        command->execute(drive, packet);
    }
}

static void begin_packet(IdeDrive *drive) {
    bool by_dma = (drive->state->features[0] & 1) != 0;
    if ((drive->state->features[0] & 2) ||
        (by_dma && drive->channel->bus_master.transfer == NULL)) {
        ide_finish_later(drive, ERROR_ABORTED); /* no overlapped commands */
        return;
    }
    drive->state->sectors_left = 0;
    drive->state->buffer_size = PACKET_BYTES;
    ide_begin_transfer(drive, TRANSFER_PACKET, false, COMMAND_NS);
}

static void identify_packet_device(IdeDrive *drive) {
    drive->state->sectors_left = 0;
    drive->state->block_bytes = 0;
    drive->state->buffer_size = IDE_SECTOR_BYTES;
    ide_identify_cdrom(drive, drive->state->buffer);
    ide_begin_transfer(drive, TRANSFER_DATA_IN, false, COMMAND_NS);
}

void ide_cdrom_execute(IdeDrive *drive) {
    IdeDriveState *state = drive->state;
    switch (state->command) {
    case 0x08: /* DEVICE RESET */
        ide_reset_drive(drive);
        return;
    case 0xA0:
        begin_packet(drive);
        return;
    case 0xA1:
        identify_packet_device(drive);
        return;
    case 0xE5: /* CHECK POWER MODE */
        state->count[0] = state->power_mode;
        ide_finish_later(drive, 0);
        return;
    case 0xE0: /* STANDBY and IDLE IMMEDIATE, SLEEP */
    case 0xE1:
    case 0xE6:
        ide_finish_later(drive, 0);
        return;
    case 0xEF: /* SET FEATURES: the transfer mode, nothing else */
        if (state->features[0] == 0x03)
            state->transfer_mode = state->count[0];
        ide_finish_later(drive, state->features[0] == 0x03 ? 0 : ERROR_ABORTED);
        return;
    }
    /* IDENTIFY DEVICE, READ SECTORS and all other commands of disks: the signature tells the host
     * to whom it talks (ATA/ATAPI-7 volume 2, 9.12). */
    ide_set_signature(drive);
    ide_finish_later(drive, ERROR_ABORTED);
}

bool ide_channel_change_media(IdeChannel *channel, unsigned drive, BlockNode *medium, bool force,
                              Error *error) {
    if (ide_channel_drive_kind(channel, drive) != IDE_DRIVE_CDROM)
        return error_set(error, "only a CD drive can change its medium");
    IdeDrive *cd = &channel->drives[drive];
    CdromState *cdrom = &cd->state->cdrom;
    if (cdrom->tray_locked && cdrom->present && !force) {
        cdrom->event = EVENT_EJECT_REQUEST; /* the guest may let it go, then */
        return error_set(error, "the guest has locked the tray of the CD drive");
    }
    cdrom->audio_status = AUDIO_NONE;
    cdrom->play_lba = 0;
    cdrom->event = medium != NULL ? EVENT_NEW_MEDIUM : EVENT_REMOVAL;
    cdrom->unit_attention = medium != NULL;
    cdrom->present = medium != NULL;
    cdrom->tray_open = medium == NULL;
    ide_channel_restore_medium(channel, drive, medium);
    return true;
}

bool ide_channel_move_tray(IdeChannel *channel, unsigned drive, bool open, bool force,
                           Error *error) {
    IdeDrive *cd = &channel->drives[drive];
    CdromState *cdrom = &cd->state->cdrom;
    if (open && cdrom->tray_locked && cdrom->present && !force) {
        cdrom->event = EVENT_EJECT_REQUEST;
        return error_set(error, "the guest has locked the tray of the CD drive");
    }
    if (cdrom->tray_open == (open ? 1 : 0))
        return true;
    ide_cdrom_stop_audio(cd);
    cdrom->tray_open = open ? 1 : 0;
    cdrom->event = open ? EVENT_REMOVAL : cdrom->present ? EVENT_NEW_MEDIUM : cdrom->event;
    cdrom->unit_attention = !open && cdrom->present;
    return true;
}

void ide_channel_place_medium(IdeChannel *channel, unsigned drive, BlockNode *medium) {
    CdromState *cdrom = &channel->drives[drive].state->cdrom;
    cdrom->audio_status = AUDIO_NONE;
    cdrom->play_lba = 0;
    cdrom->present = medium != NULL;
    ide_channel_restore_medium(channel, drive, medium);
}

bool ide_channel_tray_is_open(const IdeChannel *channel, unsigned drive) {
    return channel->drives[drive].state->cdrom.tray_open != 0;
}

bool ide_channel_tray_is_locked(const IdeChannel *channel, unsigned drive) {
    return channel->drives[drive].state->cdrom.tray_locked != 0;
}
