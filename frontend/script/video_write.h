/* Video files: animated PNG (W3C Recommendation, third edition) and YUV4MPEG2, which is what
 * mjpegtools, ffmpeg and others take for uncompressed video. The same frames give the same bytes.
 */
#ifndef REPRISE_VIDEO_WRITE_H
#define REPRISE_VIDEO_WRITE_H

#include "video_frames.h"
#include <stdio.h>

typedef struct VideoFormat {
    const char *extension;
    bool (*write)(VideoFrames *frames, FILE *file, Error *error);
} VideoFormat;

/* The format that a file's name asks for: .png, .apng or .y4m. NULL, and an error: none. */
const VideoFormat *video_format_find(const char *path, Error *error);
/* Writes all frames; none is an error. What was there is replaced. */
bool video_write(const VideoFormat *format, VideoFrames *frames, const char *path, Error *error);

/* video_apng.c, video_y4m.c */
bool video_write_apng(VideoFrames *frames, FILE *file, Error *error);
bool video_write_y4m(VideoFrames *frames, FILE *file, Error *error);

#endif
