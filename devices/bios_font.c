#include "bios_font.h"

#include <stdbool.h>

static bool is_filled(const uint8_t *glyph, uint32_t height, uint8_t value) {
    for (uint32_t row = 0; row < height; row++)
        if (glyph[row] != value)
            return false;
    return true;
}

/* Code page 437's blocks fill the whole, the left half and the right half of their cells. */
static bool looks_like_font(const uint8_t *bytes, uint32_t height) {
    enum { FULL_BLOCK = 0xDB, LEFT_HALF = 0xDD, RIGHT_HALF = 0xDE, NO_BREAK_SPACE = 0xFF };
    return is_filled(bytes + FULL_BLOCK * height, height, 0xFF) &&
           is_filled(bytes + LEFT_HALF * height, height, 0xF0) &&
           is_filled(bytes + RIGHT_HALF * height, height, 0x0F) && is_filled(bytes, height, 0) &&
           is_filled(bytes + ' ' * height, height, 0) &&
           is_filled(bytes + NO_BREAK_SPACE * height, height, 0) &&
           !is_filled(bytes + 'A' * height, height, 0);
}

size_t bios_font_search(const uint8_t *bytes, size_t size, uint32_t height) {
    size_t font_bytes = (size_t)BIOS_FONT_CHARACTERS * height;
    for (size_t at = 0; at + font_bytes <= size; at++)
        if (bytes[at] == 0 && looks_like_font(bytes + at, height))
            return at;
    return SIZE_MAX;
}
