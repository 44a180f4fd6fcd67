#include "video_write.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

static const VideoFormat formats[] = {
    {".png", video_write_apng}, {".apng", video_write_apng}, {".y4m", video_write_y4m}};

const VideoFormat *video_format_find(const char *path, Error *error) {
    const char *extension = strrchr(path, '.');
    for (size_t i = 0; extension != NULL && i < sizeof formats / sizeof formats[0]; i++)
        if (strcasecmp(extension, formats[i].extension) == 0)
            return &formats[i];
    error_set(error, "%s: a video's name ends in .png (animated) or .y4m", path);
    return NULL;
}

bool video_write(const VideoFormat *format, VideoFrames *frames, const char *path, Error *error) {
    VideoSize size;
    video_frames_size(frames, &size);
    if (size.frames == 0)
        return error_set(error, "%s: nothing was recorded", path);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    bool good = format->write(frames, file, error);
    bool written = ferror(file) == 0;
    if (fclose(file) != 0)
        written = false;
    if (good && !written)
        error_set(error, "%s", strerror(errno));
    return (good && written) || error_prefix(error, "%s: ", path);
}
