/* The frames of a recording, kept in a temporary file until it ends: pictures that differ from the
 * one before, compressed, with how long each was shown. So the size of the video is known before
 * its first byte is written, and time in which nothing moves costs nothing. */
#ifndef REPRISE_VIDEO_FRAMES_H
#define REPRISE_VIDEO_FRAMES_H

#include "display_surface.h"
#include "error.h"
#include "screen_compare.h"

typedef struct VideoFrames VideoFrames;

/* Frames to be shown so many a second. NULL: there is no place for them. */
VideoFrames *video_frames_create(unsigned per_second, Error *error);
void video_frames_free(VideoFrames *frames);

/* The next frame shows this. False: the temporary file cannot be written; told again by
 * video_frames_rewind(). */
bool video_frames_add(VideoFrames *frames, const DisplaySurface *surface);
/* The next frame shows what the one before did. */
void video_frames_repeat(VideoFrames *frames);

/* Of the whole recording: its largest picture, frames a second, frames. */
typedef struct VideoSize {
    uint32_t width, height;
    unsigned per_second;
    uint64_t frames;
} VideoSize;
void video_frames_size(const VideoFrames *frames, VideoSize *size);

/* A picture with the frames that show it. Smaller pictures than the largest stand in the middle,
 * with black round them. */
typedef struct VideoFrame {
    const DisplaySurface *picture; /* of the video's size */
    ScreenRectangle changed;       /* since the one before; all of the first. Never empty */
    uint64_t count;
} VideoFrame;

/* Goes to the beginning; then next() gives one picture after the other. False: there is no more, or
 * 'error' says what is wrong. */
bool video_frames_rewind(VideoFrames *frames, Error *error);
bool video_frames_next(VideoFrames *frames, VideoFrame *frame, Error *error);

#endif
