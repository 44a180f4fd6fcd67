/* The identification that a display hands out: a 4:3 colour screen whose preferred mode is
 * 1024x768. */
#ifndef REPRISE_EDID_H
#define REPRISE_EDID_H

#include <stdint.h>

enum { EDID_SIZE = 128 };

extern const uint8_t edid_block[EDID_SIZE];

#endif
