#include "png_write.h"
#include "allocate.h"
#include "ppm_write.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    BITS_PER_SAMPLE = 8,
    COLOUR_TYPE_RGB = 2,
    FILTER_UP = 2, /* each byte less the one above it: large even areas become zeros (9.2) */
};

static void append_be32(ByteBuffer *file, uint32_t value) {
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    byte_buffer_append(file, bytes, sizeof bytes);
}

/* Length, type, data, CRC over type and data (5.3). */
void png_append_chunk(ByteBuffer *file, const char *type, const uint8_t *data, size_t size) {
    append_be32(file, (uint32_t)size);
    size_t start = file->size;
    byte_buffer_append(file, type, 4);
    if (size != 0)
        byte_buffer_append(file, data, size);
    append_be32(file, (uint32_t)crc32(0, file->data + start, (uInt)(size + 4)));
}

void png_append_start(ByteBuffer *file, uint32_t width, uint32_t height) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    ByteBuffer header = {0};
    append_be32(&header, width);
    append_be32(&header, height);
    const uint8_t format[5] = {BITS_PER_SAMPLE, COLOUR_TYPE_RGB, 0, 0, 0};
    byte_buffer_append(&header, format, sizeof format);
    byte_buffer_append(file, signature, sizeof signature);
    png_append_chunk(file, "IHDR", header.data, header.size);
    byte_buffer_free(&header);
}

/* The picture as filtered scan lines: a filter byte, then the samples. */
static uint8_t *filtered_lines(const DisplaySurface *surface, size_t *size) {
    size_t line_size = 1 + (size_t)surface->width * 3;
    *size = line_size * surface->height;
    uint8_t *lines = allocate_zeroed(*size + 1);
    for (uint32_t y = 0; y < surface->height; y++) {
        const uint32_t *pixels = display_surface_line(surface, y);
        const uint32_t *above = y != 0 ? display_surface_line(surface, y - 1) : NULL;
        uint8_t *line = lines + y * line_size;
        *line++ = FILTER_UP;
        for (uint32_t x = 0; x < surface->width; x++) {
            uint32_t up = above != NULL ? above[x] : 0;
            *line++ = (uint8_t)((pixels[x] >> 16) - (up >> 16));
            *line++ = (uint8_t)((pixels[x] >> 8) - (up >> 8));
            *line++ = (uint8_t)(pixels[x] - up);
        }
    }
    return lines;
}

bool png_pack_lines(const DisplaySurface *surface, ByteBuffer *packed, Error *error) {
    size_t size;
    uint8_t *lines = filtered_lines(surface, &size);
    uLongf packed_size = compressBound(size);
    uint8_t *bytes = allocate_zeroed(packed_size);
    int status = compress2(bytes, &packed_size, lines, size, Z_DEFAULT_COMPRESSION);
    if (status == Z_OK)
        byte_buffer_append(packed, bytes, packed_size);
    free(bytes);
    free(lines);
    return status == Z_OK || error_set(error, "cannot compress the picture: %s", zError(status));
}

bool png_encode(const DisplaySurface *surface, ByteBuffer *file, Error *error) {
    ByteBuffer packed = {0};
    if (surface->width == 0 || surface->height == 0)
        return error_set(error, "there is no picture to write");
    bool good = png_pack_lines(surface, &packed, error);
    if (good) {
        png_append_start(file, surface->width, surface->height);
        png_append_chunk(file, "IDAT", packed.data, packed.size);
        png_append_chunk(file, "IEND", NULL, 0);
    }
    byte_buffer_free(&packed);
    return good;
}

bool png_write(const DisplaySurface *surface, const char *path, Error *error) {
    ByteBuffer file = {0};
    bool written = png_encode(surface, &file, error) && picture_file_write(path, &file, error);
    byte_buffer_free(&file);
    return written;
}
