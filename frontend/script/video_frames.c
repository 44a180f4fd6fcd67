#include "video_frames.h"
#include "allocate.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BLACK_BORDER = 0 };

/* Before each picture in the temporary file. */
typedef struct Record {
    uint64_t count;         /* frames that show it */
    uint32_t width, height; /* of the picture */
    ScreenRectangle changed;
    uint64_t packed; /* bytes that follow: the pixels of that rectangle */
} Record;

struct VideoFrames {
    FILE *file;
    bool failed;
    VideoSize size;
    DisplaySurface last; /* what was recorded, or read, last */
    Record record;       /* of it; written when the next one comes */
    uint8_t *packed;
    size_t packed_capacity;
    uint32_t *pixels; /* of a rectangle */
    size_t pixels_capacity;
    DisplaySurface canvas;
    bool first; /* the next one read is */
};

VideoFrames *video_frames_create(unsigned per_second, Error *error) {
    FILE *file = tmpfile();
    if (file == NULL) {
        error_set(error, "no temporary file for the recording: %s", strerror(errno));
        return NULL;
    }
    VideoFrames *frames = allocate_zeroed(sizeof *frames);
    frames->file = file;
    frames->size.per_second = per_second;
    return frames;
}

void video_frames_free(VideoFrames *frames) {
    if (frames == NULL)
        return;
    fclose(frames->file);
    display_surface_free(&frames->last);
    display_surface_free(&frames->canvas);
    free(frames->packed);
    free(frames->pixels);
    free(frames);
}

void video_frames_size(const VideoFrames *frames, VideoSize *size) {
    *size = frames->size;
}

/* ---- Recording ---- */

/* The pixels from the first to the last that differ, by lines and by columns. False: none does. */
static bool find_changed(const DisplaySurface *before, const DisplaySurface *now,
                         ScreenRectangle *changed) {
    uint32_t left = now->width, right = 0, top = now->height, bottom = 0;
    for (uint32_t y = 0; y < now->height; y++) {
        const uint32_t *a = display_surface_line(before, y), *b = display_surface_line(now, y);
        if (memcmp(a, b, now->width * sizeof a[0]) == 0)
            continue;
        uint32_t first = 0, last = now->width;
        while (a[first] == b[first])
            first++;
        while (a[last - 1] == b[last - 1])
            last--;
        left = first < left ? first : left;
        right = last > right ? last : right;
        top = y < top ? y : top;
        bottom = y + 1;
    }
    *changed = (ScreenRectangle){left, top, right - left, bottom - top};
    return bottom != 0;
}

static void make_room(VideoFrames *frames, size_t pixels) {
    frames->pixels =
        allocate_grow(frames->pixels, &frames->pixels_capacity, pixels, sizeof frames->pixels[0]);
    frames->packed = allocate_grow(frames->packed, &frames->packed_capacity,
                                   compressBound(pixels * sizeof frames->pixels[0]), 1);
}

static bool write_record(VideoFrames *frames) {
    Record *record = &frames->record;
    if (record->count == 0)
        return true;
    bool good = fwrite(record, sizeof *record, 1, frames->file) == 1 &&
                fwrite(frames->packed, 1, record->packed, frames->file) == record->packed;
    record->count = 0;
    frames->failed |= !good;
    return good;
}

static bool pack(VideoFrames *frames, const DisplaySurface *surface) {
    const ScreenRectangle *changed = &frames->record.changed;
    size_t count = (size_t)changed->width * changed->height;
    make_room(frames, count);
    for (uint32_t y = 0; y < changed->height; y++)
        memcpy(frames->pixels + (size_t)y * changed->width,
               display_surface_line(surface, changed->y + y) + changed->x,
               changed->width * sizeof frames->pixels[0]);
    uLongf packed = frames->packed_capacity;
    if (compress2(frames->packed, &packed, (const Bytef *)frames->pixels,
                  count * sizeof frames->pixels[0], Z_BEST_SPEED) != Z_OK)
        return false;
    frames->record.packed = packed;
    return true;
}

static void copy_surface(DisplaySurface *to, const DisplaySurface *from) {
    display_surface_resize(to, from->width, from->height);
    for (uint32_t y = 0; y < from->height; y++)
        memcpy(display_surface_line(to, y), display_surface_line(from, y),
               from->width * sizeof(uint32_t));
}

bool video_frames_add(VideoFrames *frames, const DisplaySurface *surface) {
    VideoSize *size = &frames->size;
    ScreenRectangle changed = {0, 0, surface->width, surface->height};
    bool same_size = frames->last.pixels != NULL && frames->last.width == surface->width &&
                     frames->last.height == surface->height;
    if (surface->width == 0 || surface->height == 0 ||
        (same_size && !find_changed(&frames->last, surface, &changed))) {
        video_frames_repeat(frames);
        return !frames->failed;
    }
    if (frames->failed || !write_record(frames))
        return false;
    frames->record = (Record){1, surface->width, surface->height, changed, 0};
    frames->failed |= !pack(frames, surface);
    copy_surface(&frames->last, surface);
    size->width = surface->width > size->width ? surface->width : size->width;
    size->height = surface->height > size->height ? surface->height : size->height;
    size->frames++;
    return !frames->failed;
}

void video_frames_repeat(VideoFrames *frames) {
    if (frames->record.count == 0) /* before the first picture */
        return;
    frames->record.count++;
    frames->size.frames++;
}

/* ---- Reading ---- */

bool video_frames_rewind(VideoFrames *frames, Error *error) {
    if (!write_record(frames) || frames->failed || fflush(frames->file) != 0)
        return error_set(error, "the temporary file of the recording cannot be written");
    rewind(frames->file);
    display_surface_free(&frames->last);
    frames->first = true;
    return true;
}

static bool unpack(VideoFrames *frames, const Record *record) {
    const ScreenRectangle *changed = &record->changed;
    size_t count = (size_t)changed->width * changed->height;
    make_room(frames, count);
    uLongf size = count * sizeof frames->pixels[0];
    if (record->packed > frames->packed_capacity ||
        fread(frames->packed, 1, record->packed, frames->file) != record->packed ||
        uncompress((Bytef *)frames->pixels, &size, frames->packed, record->packed) != Z_OK)
        return false;
    display_surface_resize(&frames->last, record->width, record->height);
    for (uint32_t y = 0; y < changed->height; y++)
        memcpy(display_surface_line(&frames->last, changed->y + y) + changed->x,
               frames->pixels + (size_t)y * changed->width,
               changed->width * sizeof frames->pixels[0]);
    return true;
}

/* Puts what changed into the middle of the canvas. */
static void show(VideoFrames *frames, const ScreenRectangle *changed, bool all,
                 ScreenRectangle *on_canvas) {
    DisplaySurface *canvas = &frames->canvas;
    const DisplaySurface *last = &frames->last;
    uint32_t left = (frames->size.width - last->width) / 2;
    uint32_t top = (frames->size.height - last->height) / 2;
    *on_canvas =
        (ScreenRectangle){left + changed->x, top + changed->y, changed->width, changed->height};
    if (all) {
        display_surface_resize(canvas, frames->size.width, frames->size.height);
        memset(canvas->pixels, BLACK_BORDER,
               (size_t)canvas->stride * canvas->height * sizeof canvas->pixels[0]);
        *on_canvas = (ScreenRectangle){0, 0, canvas->width, canvas->height};
    }
    for (uint32_t y = 0; y < changed->height; y++)
        memcpy(display_surface_line(canvas, top + changed->y + y) + left + changed->x,
               display_surface_line(last, changed->y + y) + changed->x,
               changed->width * sizeof(uint32_t));
}

bool video_frames_next(VideoFrames *frames, VideoFrame *frame, Error *error) {
    Record record;
    if (fread(&record, sizeof record, 1, frames->file) != 1)
        return ferror(frames->file) != 0 &&
               error_set(error, "the temporary file of the recording cannot be read");
    bool other_size = record.width != frames->last.width || record.height != frames->last.height;
    if (!unpack(frames, &record))
        return error_set(error, "the temporary file of the recording is damaged");
    frame->picture = &frames->canvas;
    frame->count = record.count;
    show(frames, &record.changed, frames->first || other_size, &frame->changed);
    frames->first = false;
    return true;
}
