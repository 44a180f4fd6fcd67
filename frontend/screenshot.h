/* The screen as a picture file. */
#ifndef REPRISE_SCREENSHOT_H
#define REPRISE_SCREENSHOT_H

#include "error.h"
#include "machine.h"

/* Writes what the screen shows now. 'format' is "png" or "ppm"; NULL: by the path's extension, else
 * PPM. Any thread. */
bool screenshot_write(Machine *machine, const char *path, const char *format, Error *error);

#endif
