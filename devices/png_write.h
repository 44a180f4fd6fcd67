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

/* Parts of such a file, for animated ones: the signature and IHDR; a chunk; the picture's lines, as
 * IDAT holds them. */
void png_append_start(ByteBuffer *file, uint32_t width, uint32_t height);
void png_append_chunk(ByteBuffer *file, const char *type, const uint8_t *data, size_t size);
bool png_pack_lines(const DisplaySurface *surface, ByteBuffer *packed, Error *error);

#endif
