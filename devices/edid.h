/* The identification that a display hands out: a colour screen whose preferred mode is 1024x768 or
 * what the user asks for. */
#ifndef REPRISE_EDID_H
#define REPRISE_EDID_H

#include <stdint.h>

enum { EDID_SIZE = 128 };

/* Fills the block for a preferred mode of this size at 60 Hz; 0 by 0 for 1024x768. Both are at most
 * EDID_PIXELS_MOST. */
#define EDID_PIXELS_MOST 4088
void edid_build(uint8_t block[EDID_SIZE], uint32_t width, uint32_t height);

#endif
