/* Animated PNG: a frame is a rectangle that replaces what is there, shown for its own time. */
#include "png_write.h"
#include "video_write.h"

enum {
    DELAY_MAXIMUM = 0xFFFF, /* 16 bits */
    PLAYS = 1,
    DISPOSE_NONE = 0,
    BLEND_SOURCE = 0,
};

static void append_be(ByteBuffer *buffer, uint32_t value, unsigned bytes) {
    while (bytes-- != 0) {
        uint8_t byte = (uint8_t)(value >> 8 * bytes);
        byte_buffer_append(buffer, &byte, 1);
    }
}

/* A picture that is shown for longer than a frame can say is several frames. */
static uint64_t parts_of(uint64_t count) {
    return (count + DELAY_MAXIMUM - 1) / DELAY_MAXIMUM;
}

static bool count_frames(VideoFrames *frames, uint64_t *count, Error *error) {
    VideoFrame frame;
    *count = 0;
    if (!video_frames_rewind(frames, error))
        return false;
    while (video_frames_next(frames, &frame, error))
        *count += parts_of(frame.count);
    return error == NULL || !error->set;
}

static void append_frame_control(ByteBuffer *chunk, uint32_t sequence, const ScreenRectangle *place,
                                 uint32_t delay, unsigned per_second) {
    ByteBuffer control = {0};
    append_be(&control, sequence, 4);
    append_be(&control, place->width, 4);
    append_be(&control, place->height, 4);
    append_be(&control, place->x, 4);
    append_be(&control, place->y, 4);
    append_be(&control, delay, 2);
    append_be(&control, per_second, 2);
    append_be(&control, DISPOSE_NONE, 1);
    append_be(&control, BLEND_SOURCE, 1);
    png_append_chunk(chunk, "fcTL", control.data, control.size);
    byte_buffer_free(&control);
}

typedef struct Animation {
    FILE *file;
    unsigned per_second;
    uint32_t sequence; /* of the next chunk that has a number */
    bool first;
} Animation;

/* The first frame's lines are IDAT's, which whoever knows no animation shows. */
static bool write_part(Animation *animation, const DisplaySurface *picture,
                       const ScreenRectangle *place, uint32_t delay, Error *error) {
    ByteBuffer chunks = {0}, data = {0};
    DisplaySurface part = {.width = place->width,
                           .height = place->height,
                           .stride = picture->stride,
                           .pixels = display_surface_line(picture, place->y) + place->x};
    append_frame_control(&chunks, animation->sequence++, place, delay, animation->per_second);
    if (!animation->first)
        append_be(&data, animation->sequence++, 4);
    bool good = png_pack_lines(&part, &data, error);
    png_append_chunk(&chunks, animation->first ? "IDAT" : "fdAT", data.data, data.size);
    good = good && (fwrite(chunks.data, 1, chunks.size, animation->file) == chunks.size ||
                    error_set(error, "the file cannot be written"));
    animation->first = false;
    byte_buffer_free(&chunks);
    byte_buffer_free(&data);
    return good;
}

static bool write_frame(Animation *animation, const VideoFrame *frame, Error *error) {
    ScreenRectangle place = frame->changed;
    for (uint64_t left = frame->count; left != 0;) {
        uint32_t delay = left < DELAY_MAXIMUM ? (uint32_t)left : DELAY_MAXIMUM;
        if (!write_part(animation, frame->picture, &place, delay, error))
            return false;
        left -= delay;
        place.width = place.height = 1; /* the same again */
    }
    return true;
}

static bool write_head(FILE *file, const VideoSize *size, uint64_t frames, Error *error) {
    ByteBuffer head = {0}, control = {0};
    png_append_start(&head, size->width, size->height);
    append_be(&control, (uint32_t)frames, 4);
    append_be(&control, PLAYS, 4);
    png_append_chunk(&head, "acTL", control.data, control.size);
    bool good = fwrite(head.data, 1, head.size, file) == head.size ||
                error_set(error, "the file cannot be written");
    byte_buffer_free(&head);
    byte_buffer_free(&control);
    return good;
}

bool video_write_apng(VideoFrames *frames, FILE *file, Error *error) {
    VideoSize size;
    VideoFrame frame;
    uint64_t count;
    ByteBuffer end = {0};
    video_frames_size(frames, &size);
    Animation animation = {file, size.per_second, 0, true};
    if (!count_frames(frames, &count, error) || !write_head(file, &size, count, error) ||
        !video_frames_rewind(frames, error))
        return false;
    while (video_frames_next(frames, &frame, error))
        if (!write_frame(&animation, &frame, error))
            return false;
    png_append_chunk(&end, "IEND", NULL, 0);
    bool good = fwrite(end.data, 1, end.size, file) == end.size;
    byte_buffer_free(&end);
    return good && (error == NULL || !error->set);
}
