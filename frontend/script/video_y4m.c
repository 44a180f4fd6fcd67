/* YUV4MPEG2: a line of text, then frame after frame, each a line and three planes. Colour is kept
 * for every pixel (4:4:4), since coloured text would suffer. */
#include "allocate.h"
#include "video_write.h"
#include <stdlib.h>

enum { PLANES = 3 };

/* ITU-R BT.601 with 16 to 235, and 16 to 240, in integers. */
static void convert_pixel(uint32_t pixel, uint8_t *y, uint8_t *cb, uint8_t *cr) {
    int red = pixel >> 16 & 0xFF, green = pixel >> 8 & 0xFF, blue = pixel & 0xFF;
    *y = (uint8_t)(16 + ((66 * red + 129 * green + 25 * blue + 128) >> 8));
    *cb = (uint8_t)(128 + ((-38 * red - 74 * green + 112 * blue + 128) >> 8));
    *cr = (uint8_t)(128 + ((112 * red - 94 * green - 18 * blue + 128) >> 8));
}

static void convert(const DisplaySurface *picture, uint8_t *planes) {
    size_t plane = (size_t)picture->width * picture->height, at = 0;
    for (uint32_t y = 0; y < picture->height; y++) {
        const uint32_t *line = display_surface_line(picture, y);
        for (uint32_t x = 0; x < picture->width; x++, at++)
            convert_pixel(line[x], &planes[at], &planes[plane + at], &planes[2 * plane + at]);
    }
}

static bool write_frames(FILE *file, const uint8_t *planes, size_t size, uint64_t count) {
    static const char head[] = "FRAME\n";
    for (; count != 0; count--)
        if (fwrite(head, 1, sizeof head - 1, file) != sizeof head - 1 ||
            fwrite(planes, 1, size, file) != size)
            return false;
    return true;
}

bool video_write_y4m(VideoFrames *frames, FILE *file, Error *error) {
    VideoSize size;
    VideoFrame frame;
    video_frames_size(frames, &size);
    if (!video_frames_rewind(frames, error))
        return false;
    fprintf(file, "YUV4MPEG2 W%u H%u F%u:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n", size.width,
            size.height, size.per_second);
    size_t bytes = (size_t)size.width * size.height * PLANES;
    uint8_t *planes = allocate_zeroed(bytes);
    bool good = true;
    while (good && video_frames_next(frames, &frame, error)) {
        convert(frame.picture, planes);
        good = write_frames(file, planes, bytes, frame.count) ||
               error_set(error, "the file cannot be written");
    }
    free(planes);
    return good && (error == NULL || !error->set);
}
