/* Writes a picture in the portable pixmap format of Netpbm (binary, "P6"). */
#ifndef REPRISE_PPM_WRITE_H
#define REPRISE_PPM_WRITE_H

#include "byte_buffer.h"
#include "display_surface.h"
#include "error.h"

/* Appends the picture as a PPM file. */
void ppm_encode(const DisplaySurface *surface, ByteBuffer *file);
/* Writes it to a file, replacing what was there. */
bool ppm_write(const DisplaySurface *surface, const char *path, Error *error);

/* Writes bytes to a file, replacing what was there: for picture formats. */
bool picture_file_write(const char *path, const ByteBuffer *file, Error *error);

#endif
