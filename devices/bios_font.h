/* Fonts of 256 characters of code page 437 as the BIOS of a display adapter holds them: 8 pixels
 * wide, a byte a row. */
#ifndef REPRISE_BIOS_FONT_H
#define REPRISE_BIOS_FONT_H

#include <stddef.h>
#include <stdint.h>

enum { BIOS_FONT_CHARACTERS = 256 };

/* Looks for a font with characters of so many rows in 'bytes', by its blank characters and its
 * blocks. Returns where it is; SIZE_MAX: nowhere. */
size_t bios_font_search(const uint8_t *bytes, size_t size, uint32_t height);

#endif
