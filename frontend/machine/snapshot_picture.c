#include "snapshot_picture.h"
#include "disk_logs.h"
#include "machine_parts.h"
#include "snapshot_of_machine.h"

#include <stdlib.h>
#include <string.h>

/* Width and height of 16 bits each, little-endian, then red, green and blue of each pixel. */
#define STREAM_PICTURE "picture"
enum { HEADER_BYTES = 4, PIXEL_BYTES = 3 };

/* ---- Making ---- */

typedef struct Span {
    uint32_t first, end; /* at least one pixel */
} Span;

static Span find_span(uint32_t at, uint32_t small, uint32_t large) {
    Span span = {(uint32_t)((uint64_t)at * large / small),
                 (uint32_t)((uint64_t)(at + 1) * large / small)};
    if (span.end <= span.first)
        span.end = span.first + 1;
    return span;
}

static uint32_t find_mean(const DisplaySurface *surface, Span across, Span down) {
    uint64_t red = 0, green = 0, blue = 0;
    for (uint32_t y = down.first; y < down.end; y++) {
        const uint32_t *line = display_surface_line(surface, y);
        for (uint32_t x = across.first; x < across.end; x++) {
            red += line[x] >> 16 & 0xFF;
            green += line[x] >> 8 & 0xFF;
            blue += line[x] & 0xFF;
        }
    }
    uint64_t count = (uint64_t)(across.end - across.first) * (down.end - down.first);
    return (uint32_t)(red / count << 16 | green / count << 8 | blue / count);
}

/* The largest size of the screen's shape, of a pixel at least. */
static void find_size(SnapshotPicture *picture, const DisplaySurface *surface) {
    uint64_t across = surface->aspect_width ? surface->aspect_width : surface->width;
    uint64_t down = surface->aspect_height ? surface->aspect_height : surface->height;
    picture->width = SNAPSHOT_PICTURE_WIDTH;
    picture->height = SNAPSHOT_PICTURE_HEIGHT;
    if (across * SNAPSHOT_PICTURE_HEIGHT > down * SNAPSHOT_PICTURE_WIDTH)
        picture->height = (uint32_t)(down * SNAPSHOT_PICTURE_WIDTH / across);
    else
        picture->width = (uint32_t)(across * SNAPSHOT_PICTURE_HEIGHT / down);
    picture->width += picture->width == 0;
    picture->height += picture->height == 0;
}

void snapshot_picture_make(SnapshotPicture *picture, const DisplaySurface *surface) {
    find_size(picture, surface);
    for (uint32_t y = 0; y < picture->height; y++)
        for (uint32_t x = 0; x < picture->width; x++)
            picture->pixels[y * picture->width + x] =
                find_mean(surface, find_span(x, picture->width, surface->width),
                          find_span(y, picture->height, surface->height));
}

/* ---- In the file ---- */

static size_t encode(const SnapshotPicture *picture, uint8_t *bytes) {
    uint8_t *to = bytes;
    *to++ = (uint8_t)picture->width;
    *to++ = (uint8_t)(picture->width >> 8);
    *to++ = (uint8_t)picture->height;
    *to++ = (uint8_t)(picture->height >> 8);
    for (uint32_t i = 0; i < picture->width * picture->height; i++)
        for (int shift = 16; shift >= 0; shift -= 8)
            *to++ = (uint8_t)(picture->pixels[i] >> shift);
    return (size_t)(to - bytes);
}

static bool decode(SnapshotPicture *picture, const uint8_t *bytes, uint64_t size) {
    if (size < HEADER_BYTES)
        return false;
    picture->width = bytes[0] | (uint32_t)bytes[1] << 8;
    picture->height = bytes[2] | (uint32_t)bytes[3] << 8;
    if (picture->width == 0 || picture->width > SNAPSHOT_PICTURE_WIDTH || picture->height == 0 ||
        picture->height > SNAPSHOT_PICTURE_HEIGHT ||
        size != HEADER_BYTES + (uint64_t)picture->width * picture->height * PIXEL_BYTES)
        return false;
    for (uint32_t i = 0; i < picture->width * picture->height; i++) {
        const uint8_t *pixel = bytes + HEADER_BYTES + (size_t)i * PIXEL_BYTES;
        picture->pixels[i] = (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
    }
    return true;
}

bool snapshot_put_picture(SnapshotFile *file, uint64_t id, Machine *machine, Error *error) {
    static const size_t bytes_most =
        HEADER_BYTES + SNAPSHOT_PICTURE_WIDTH * SNAPSHOT_PICTURE_HEIGHT * PIXEL_BYTES;
    DisplaySurface surface = {.pixels = NULL};
    bool good = true;
    board_render(&machine->board, &surface);
    if (surface.pixels != NULL && surface.width != 0 && surface.height != 0) {
        SnapshotPicture *picture = malloc(sizeof(*picture));
        uint8_t *bytes = malloc(bytes_most);
        snapshot_picture_make(picture, &surface);
        good = snapshot_file_put_stream(file, id, STREAM_PICTURE, bytes, encode(picture, bytes),
                                        NULL, error);
        free(bytes);
        free(picture);
    }
    display_surface_free(&surface);
    return good;
}

bool machine_get_snapshot_picture(Machine *machine, const char *name, SnapshotPicture *picture) {
    Error ignored = {.set = false};
    char *path = machine_snapshots_path(machine);
    SnapshotFile *opened = NULL, *file = disk_logs_find_file(machine, path);
    if (file == NULL)
        file = opened = snapshot_file_open(path, SNAPSHOT_READ, &ignored);
    free(path);
    const SnapshotInfo *info = file != NULL ? snapshot_file_find(file, name) : NULL;
    SnapshotImage *image =
        info != NULL ? snapshot_file_read_stream(file, info->id, STREAM_PICTURE, &ignored) : NULL;
    uint64_t size = 0;
    uint8_t *bytes = image != NULL ? snapshot_image_copy(image, STREAM_PICTURE, &size) : NULL;
    bool good = bytes != NULL && decode(picture, bytes, size);
    free(bytes);
    snapshot_image_free(image);
    snapshot_file_close(opened);
    return good;
}
