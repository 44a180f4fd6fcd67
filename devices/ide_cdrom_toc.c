/* What the CD-ROM drive tells of the tracks and sessions of its disc (MMC-3, 6.25 to 6.27). An
 * image of plain sectors is one session with one track of data; a CUE sheet tells of more. */
#include "ide_internal.h"
#include <string.h>

#define LEAD_OUT_TRACK 0xAA

enum { CONTROL_AUDIO = 0x10, CONTROL_DATA = 0x14 }; /* and ADR 1 */

static void store_16(uint8_t *data, uint32_t value) {
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

static void store_32(uint8_t *data, uint32_t value) {
    store_16(data, value >> 16);
    store_16(data + 2, value);
}

uint32_t ide_cdrom_sectors(const IdeDrive *drive) {
    return drive->sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)drive->sectors;
}

CdTracks ide_cdrom_tracks(const IdeDrive *drive) {
    CdTracks tracks = {
        .plain = {.start = 0, .end = ide_cdrom_sectors(drive), .number = 1, .session = 1}};
    if (drive->medium != NULL)
        tracks.count = block_cd_tracks(drive->medium, &tracks.list);
    return tracks;
}

const BlockCdTrack *cd_track(const CdTracks *tracks, unsigned index) {
    return tracks->count == 0 ? &tracks->plain : &tracks->list[index];
}

unsigned cd_track_count(const CdTracks *tracks) {
    return tracks->count == 0 ? 1 : tracks->count;
}

unsigned cd_find_track(const CdTracks *tracks, uint32_t lba) {
    unsigned index = 0;
    while (index + 1 < cd_track_count(tracks) && cd_track(tracks, index + 1)->start <= lba)
        index++;
    return index;
}

static const BlockCdTrack *last_track(const CdTracks *tracks) {
    return cd_track(tracks, cd_track_count(tracks) - 1);
}

static uint8_t control_of(const BlockCdTrack *track) {
    return track->is_audio ? CONTROL_AUDIO : CONTROL_DATA;
}

/* A four-byte address in the form that the packet asks for. */
static void store_address(uint8_t *data, uint32_t lba, bool as_msf) {
    if (as_msf)
        cd_store_msf(data + 1, lba);
    else
        store_32(data, lba);
}

static size_t store_track(uint8_t *data, uint8_t control, uint8_t number, uint32_t lba,
                          bool as_msf) {
    data[1] = control;
    data[2] = number;
    store_address(data + 4, lba, as_msf);
    return 8;
}

static size_t store_tracks(const IdeDrive *drive, const CdTracks *tracks, uint8_t first,
                           bool as_msf, uint8_t *data) {
    size_t size = 4;
    data[2] = cd_track(tracks, 0)->number;
    data[3] = last_track(tracks)->number;
    if (first > data[3] && first != LEAD_OUT_TRACK)
        return 0;
    for (unsigned i = 0; i < cd_track_count(tracks); i++) {
        const BlockCdTrack *track = cd_track(tracks, i);
        if (track->number >= first)
            size +=
                store_track(data + size, control_of(track), track->number, track->start, as_msf);
    }
    return size + store_track(data + size, control_of(last_track(tracks)), LEAD_OUT_TRACK,
                              ide_cdrom_sectors(drive), as_msf);
}

/* The first track of the last session. */
static unsigned last_session_index(const CdTracks *tracks) {
    unsigned index = cd_track_count(tracks) - 1;
    while (index > 0 && cd_track(tracks, index - 1)->session == last_track(tracks)->session)
        index--;
    return index;
}

static size_t store_sessions(const CdTracks *tracks, bool as_msf, uint8_t *data) {
    const BlockCdTrack *track = cd_track(tracks, last_session_index(tracks));
    data[2] = 1;
    data[3] = track->session;
    return 4 + store_track(data + 4, control_of(track), track->number, track->start, as_msf);
}

/* A row of the full table of contents: session, ADR/control, TNO, point, then zeros and the point's
 * address in MSF. */
static size_t store_point(uint8_t *data, const BlockCdTrack *track, uint8_t point,
                          const uint8_t address[3]) {
    data[0] = track->session;
    data[1] = control_of(track);
    data[3] = point;
    memcpy(data + 8, address, 3);
    return 11;
}

static size_t store_full_toc(const CdTracks *tracks, uint8_t *data) {
    size_t size = 4;
    unsigned first = 0, count = cd_track_count(tracks);
    data[2] = 1;
    data[3] = last_track(tracks)->session;
    while (first < count) {
        const BlockCdTrack *start = cd_track(tracks, first), *end = start;
        unsigned next = first;
        while (next < count && cd_track(tracks, next)->session == start->session)
            end = cd_track(tracks, next++);
        uint8_t address[3];
        size += store_point(data + size, start, 0xA0, (const uint8_t[3]){start->number});
        size += store_point(data + size, end, 0xA1, (const uint8_t[3]){end->number});
        cd_store_msf(address, end->end);
        size += store_point(data + size, end, 0xA2, address);
        for (; first < next; first++) {
            const BlockCdTrack *track = cd_track(tracks, first);
            cd_store_msf(address, track->start);
            size += store_point(data + size, track, track->number, address);
        }
    }
    return size;
}

size_t ide_cdrom_read_toc(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    bool as_msf = (packet[1] & 2) != 0;
    uint8_t format = packet[2] & 0x0F;
    CdTracks tracks = ide_cdrom_tracks(drive);
    size_t size = 0;
    if (format == 0)
        format = packet[9] >> 6; /* where SFF-8020i has it */
    if (format == 0)
        size = store_tracks(drive, &tracks, packet[6], as_msf, data);
    else if (format == 1)
        size = store_sessions(&tracks, as_msf, data);
    else if (format == 2)
        size = store_full_toc(&tracks, data);
    if (size != 0)
        store_16(data, (uint32_t)size - 2);
    return size;
}

size_t ide_cdrom_disc_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    CdTracks tracks = ide_cdrom_tracks(drive);
    if ((packet[1] & 7) != 0)
        return 0;
    store_16(data, 32);
    data[2] = 0x0E; /* a complete disc, its last session complete */
    data[3] = cd_track(&tracks, 0)->number;
    data[4] = last_track(&tracks)->session;
    data[5] = cd_track(&tracks, last_session_index(&tracks))->number;
    data[6] = last_track(&tracks)->number;
    data[7] = 0x20; /* no restrictions of use */
    memset(data + 16, 0xFF, 8);
    return 34;
}

/* The track that holds a sector, that has this number, or that is the first of a session. */
static const BlockCdTrack *asked_track(const CdTracks *tracks, unsigned kind, uint32_t address) {
    if (kind == 0)
        return address < last_track(tracks)->end ? cd_track(tracks, cd_find_track(tracks, address))
                                                 : NULL;
    for (unsigned i = 0; i < cd_track_count(tracks); i++) {
        const BlockCdTrack *track = cd_track(tracks, i);
        if ((kind == 1 && track->number == address) || (kind == 2 && track->session == address))
            return track;
    }
    return NULL;
}

size_t ide_cdrom_track_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    uint32_t address = (uint32_t)packet[2] << 24 | packet[3] << 16 | packet[4] << 8 | packet[5];
    CdTracks tracks = ide_cdrom_tracks(drive);
    const BlockCdTrack *track = asked_track(&tracks, packet[1] & 3, address);
    if (track == NULL)
        return 0;
    store_16(data, 34);
    data[2] = track->number;
    data[3] = track->session;
    data[5] = track->is_audio ? 0 : 4;
    data[6] = track->is_audio ? 0x0F : 1; /* no data, or mode 1 */
    store_32(data + 8, track->start);
    store_32(data + 24, track->end - track->start);
    return 36;
}

size_t ide_cdrom_read_subchannel(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    bool as_msf = (packet[1] & 2) != 0, wants_q = (packet[2] & 0x40) != 0;
    CdTracks tracks = ide_cdrom_tracks(drive);
    uint32_t lba = ide_cdrom_play_position(drive);
    const BlockCdTrack *track = cd_track(&tracks, cd_find_track(&tracks, lba));
    data[1] = drive->state->cdrom.audio_status;
    if (!wants_q)
        return 4;
    data[4] = packet[3];
    switch (packet[3]) {
    case 1: /* where the head is */
        data[3] = 12;
        data[5] = control_of(track);
        data[6] = track->number;
        data[7] = 1;
        store_address(data + 8, lba, as_msf);
        if (as_msf) { /* from the track's start there is no lead-in */
            uint32_t frames = lba - track->start;
            data[13] = (uint8_t)(frames / 75 / 60);
            data[14] = (uint8_t)(frames / 75 % 60);
            data[15] = (uint8_t)(frames % 75);
        } else {
            store_32(data + 12, lba - track->start);
        }
        return 16;
    case 2: /* catalogue number, recording code: none */
    case 3:
        data[3] = 20;
        return 24;
    }
    return 0;
}
