/* Audio that a CD drive plays: it advances in guest time, 75 sectors a second. Nothing is heard of
 * it. Whoever asks is told how far it is, so it needs no event of its own. */
#include "ide_internal.h"

#define SECTORS_PER_SECOND 75
#define SECOND_NS 1000000000

static bool is_playing(const IdeDrive *drive) {
    return drive->state->cdrom.audio_status == AUDIO_PLAYS;
}

uint32_t ide_cdrom_play_position(const IdeDrive *drive) {
    const CdromState *cdrom = &drive->state->cdrom;
    if (!is_playing(drive))
        return cdrom->play_lba;
    int64_t ns = clock_now_ns(drive->channel->clock) - cdrom->play_started_ns;
    uint64_t sectors = ns > 0 ? (uint64_t)ns / 1000 * SECTORS_PER_SECOND / (SECOND_NS / 1000) : 0;
    uint64_t lba = cdrom->play_lba + sectors;
    return lba < cdrom->play_end ? (uint32_t)lba : cdrom->play_end;
}

/* The head stays where it is. */
static void hold(IdeDrive *drive, uint8_t status) {
    drive->state->cdrom.play_lba = ide_cdrom_play_position(drive);
    drive->state->cdrom.audio_status = status;
}

void ide_cdrom_catch_up(IdeDrive *drive) {
    if (is_playing(drive) && ide_cdrom_play_position(drive) >= drive->state->cdrom.play_end)
        hold(drive, AUDIO_COMPLETED);
}

void ide_cdrom_stop_audio(IdeDrive *drive) {
    ide_cdrom_catch_up(drive);
    if (is_playing(drive) || drive->state->cdrom.audio_status == AUDIO_PAUSED)
        hold(drive, AUDIO_NONE);
}

AudioResult ide_cdrom_play(IdeDrive *drive, uint32_t first, uint32_t end) {
    CdromState *cdrom = &drive->state->cdrom;
    CdTracks tracks = ide_cdrom_tracks(drive);
    if (first > end || end > ide_cdrom_sectors(drive) || first >= ide_cdrom_sectors(drive))
        return AUDIO_OUT_OF_RANGE;
    if (first == end) {
        ide_cdrom_stop_audio(drive);
        return AUDIO_GOOD;
    }
    if (!cd_track(&tracks, cd_find_track(&tracks, first))->is_audio)
        return AUDIO_WRONG_TRACK;
    /* It ends where the first track of data begins. */
    for (unsigned i = cd_find_track(&tracks, first) + 1; i < cd_track_count(&tracks); i++) {
        const BlockCdTrack *track = cd_track(&tracks, i);
        if (!track->is_audio && track->start < end)
            end = track->start;
    }
    cdrom->play_lba = first;
    cdrom->play_end = end;
    cdrom->play_started_ns = clock_now_ns(drive->channel->clock);
    cdrom->audio_status = AUDIO_PLAYS;
    return AUDIO_GOOD;
}

bool ide_cdrom_pause(IdeDrive *drive, bool resumes) {
    CdromState *cdrom = &drive->state->cdrom;
    ide_cdrom_catch_up(drive);
    if (!is_playing(drive) && cdrom->audio_status != AUDIO_PAUSED)
        return false;
    if (resumes && !is_playing(drive)) {
        cdrom->play_started_ns = clock_now_ns(drive->channel->clock);
        cdrom->audio_status = AUDIO_PLAYS;
    } else if (!resumes) {
        hold(drive, AUDIO_PAUSED);
    }
    return true;
}
