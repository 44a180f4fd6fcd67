/* Screen and sound as a film: record_video, stop_video, info video. */
#include "monitor_command.h"
#include "video_recording.h"

#include <stdlib.h>

bool monitor_record_video(Monitor *monitor, char *arguments, Error *error) {
    const char *path = monitor_next_word(&arguments);
    const MonitorHost *host = monitor->host;
    if (path == NULL)
        return error_set(error, "record_video: a file's name is expected");
    if (host->record_video == NULL)
        return error_set(error, "nothing is recorded here");
    return host->record_video(host->quit_opaque, path, error) || error_prefix(error, "Error: ");
}

bool monitor_stop_video(Monitor *monitor, char *arguments, Error *error) {
    const MonitorHost *host = monitor->host;
    (void)arguments;
    if (host->record_video == NULL)
        return error_set(error, "nothing is recorded here");
    return host->record_video(host->quit_opaque, NULL, error) || error_prefix(error, "Error: ");
}

bool monitor_info_video(Monitor *monitor, char *arguments, Error *error) {
    const MonitorHost *host = monitor->host;
    VideoRecording *video = host->video != NULL ? host->video(host->quit_opaque) : NULL;
    (void)arguments;
    (void)error;
    if (video == NULL) {
        monitor_print(monitor, "No video is being recorded.\n");
        return true;
    }
    VideoRecordingState *state = calloc(1, sizeof(*state));
    video_recording_get_state(video, state);
    monitor_print(monitor, "%s: %llu frames, %.2f seconds, %llu pictures left out\n", state->path,
                  (unsigned long long)state->frames, state->seconds,
                  (unsigned long long)state->left_out);
    free(state);
    return true;
}
