/* Recording the run, and what is seen and heard of it. */
#include "options.h"

/* A replay has to find the images as they were: what the guest writes goes to overlays. */
bool option_record(Settings *settings, const char *argument, Error *error) {
    settings->record_path = settings_keep_string(settings, argument);
    settings->snapshot = true;
    return *argument != '\0' || error_set(error, "name a file");
}

bool option_record_video(Settings *settings, const char *argument, Error *error) {
    settings->video_path = settings_keep_string(settings, argument);
    return *argument != '\0' || error_set(error, "name a file");
}
