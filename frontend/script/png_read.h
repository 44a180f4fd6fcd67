/* Reads a picture in Portable Network Graphics format (W3C Recommendation, second edition): every
 * colour type and depth, interlaced or not. Of an animated file, its first frame. */
#ifndef REPRISE_PNG_READ_H
#define REPRISE_PNG_READ_H

#include "error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct PngPicture {
    uint32_t width, height;
    uint32_t *pixels; /* AARRGGBBh in host byte order, line by line; alpha 255 is opaque */
} PngPicture;

/* Samples are taken as they stand: a file's gamma and colour profile are left alone, so that a
 * screenshot compares with what it was taken from. Files may be hostile: an error, and nothing in
 * 'picture', where one is damaged, cut or larger than any screen. */
bool png_decode(const void *data, size_t size, PngPicture *picture, Error *error);
bool png_read(const char *path, PngPicture *picture, Error *error);
void png_picture_free(PngPicture *picture);

#endif
