/* Writes a picture in Portable Network Graphics format (W3C Recommendation, second edition). */
#ifndef REPRISE_PNG_WRITE_H
#define REPRISE_PNG_WRITE_H

#include "byte_buffer.h"
#include "display_surface.h"
#include "error.h"

/* Appends the picture as a PNG file of 8-bit RGB. */
bool png_encode(const DisplaySurface *surface, ByteBuffer *file, Error *error);
/* Writes it to a file, replacing what was there. */
bool png_write(const DisplaySurface *surface, const char *path, Error *error);

#endif
