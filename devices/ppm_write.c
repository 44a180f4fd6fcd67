#include "ppm_write.h"
#include "allocate.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ppm_encode(const DisplaySurface *surface, ByteBuffer *file) {
    byte_buffer_print(file, "P6\n%u %u\n255\n", surface->width, surface->height);
    uint8_t *line = allocate_zeroed((size_t)surface->width * 3 + 1);
    for (uint32_t y = 0; y < surface->height; y++) {
        const uint32_t *pixels = display_surface_line(surface, y);
        for (uint32_t x = 0; x < surface->width; x++) {
            line[3 * x] = (uint8_t)(pixels[x] >> 16);
            line[3 * x + 1] = (uint8_t)(pixels[x] >> 8);
            line[3 * x + 2] = (uint8_t)pixels[x];
        }
        byte_buffer_append(file, line, (size_t)surface->width * 3);
    }
    free(line);
}

bool picture_file_write(const char *path, const ByteBuffer *file, Error *error) {
    FILE *stream = fopen(path, "wb");
    if (stream == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    bool written = fwrite(file->data, 1, file->size, stream) == file->size;
    int failure = errno;
    if (fclose(stream) != 0 && written) {
        written = false;
        failure = errno;
    }
    return written || error_set(error, "%s: %s", path, strerror(failure));
}

bool ppm_write(const DisplaySurface *surface, const char *path, Error *error) {
    ByteBuffer file = {0};
    ppm_encode(surface, &file);
    bool written = picture_file_write(path, &file, error);
    byte_buffer_free(&file);
    return written;
}
