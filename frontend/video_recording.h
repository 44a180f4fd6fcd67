/* Screen and sound of a machine as a film, in guest time: an AVI file with the guest's own pixels
 * (ZMBV) and samples (PCM), which players play. A picture that is smaller than the first one is
 * shown by whole multiples in the middle; where a larger one comes, or a file is full, the film
 * goes on in another, FILE-2.avi.
 *
 * The machine's thread renders and copies what changed, once a frame; a thread of the recording's
 * own encodes and writes. Where that one is not done, pictures are left out: the machine never
 * waits, but under icount, where nobody sees it. */
#ifndef REPRISE_VIDEO_RECORDING_H
#define REPRISE_VIDEO_RECORDING_H

#include "audio_tap.h"
#include "machine.h"

typedef struct VideoRecording VideoRecording;

/* 'tap' may be NULL: there is no sound. All functions: any thread but the machine's own. */
VideoRecording *video_recording_begin(Machine *machine, const char *path, AudioTap *tap,
                                      Error *error);
/* Returns when the file is whole. False: it is not, and why. */
bool video_recording_end(VideoRecording *recording, Error *error);

typedef struct VideoRecordingState {
    char path[4096]; /* of the file that is written now */
    uint64_t frames;
    uint64_t left_out; /* pictures that nobody had time for */
    double seconds;
} VideoRecordingState;
void video_recording_get_state(VideoRecording *recording, VideoRecordingState *state);

#endif
