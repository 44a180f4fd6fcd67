/* The sound of a film: what is heard at guest times, put in a row without gaps. */
#ifndef REPRISE_VIDEO_SOUND_H
#define REPRISE_VIDEO_SOUND_H

#include "byte_buffer.h"
#include <stddef.h>
#include <stdint.h>

typedef struct VideoSound {
    unsigned rate;
    int64_t next; /* frames that were taken so far, from the film's beginning on */
} VideoSound;

typedef void VideoSoundWrite(void *opaque, const int16_t *frames, size_t count);

/* 'count' frames (NULL: not allowed) that begin 'seconds' after the film did. What comes before the
 * place that was reached is left out; gaps become silence. A speaker's clock that is a little off
 * the guest's shows as a frame too many or too few now and then, which is closed up. */
void video_sound_put(VideoSound *sound, double seconds, const int16_t *frames, size_t count,
                     VideoSoundWrite *write, void *opaque);
/* Silence up to there, if nothing was heard so far. */
void video_sound_fill(VideoSound *sound, double seconds, VideoSoundWrite *write, void *opaque);

#endif
