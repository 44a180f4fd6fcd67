/* A part of a picture in the mode's own pixels: where a mode shows each of them wider or higher,
 * every second dot alone. */
#ifndef REPRISE_SCREEN_PIXELS_H
#define REPRISE_SCREEN_PIXELS_H

#include "display_surface.h"
#include "screen_font.h"

typedef struct ScreenPixels {
    const uint32_t *first;
    size_t step_x, step_y;  /* from pixel to pixel, from line to line, in 'first' */
    uint32_t width, height; /* in pixels of the mode */
    uint32_t wide, high;    /* dots of a pixel */
} ScreenPixels;

static inline uint32_t screen_pixel(const ScreenPixels *pixels, uint32_t x, uint32_t y) {
    return pixels->first[y * pixels->step_y + x * pixels->step_x];
}

/* A row of a cell as a glyph has it: the pixels of 'colour' are set. */
static inline uint32_t screen_row_bits(const ScreenPixels *pixels, uint32_t x, uint32_t y,
                                       uint32_t width, uint32_t colour) {
    const uint32_t *pixel = &pixels->first[y * pixels->step_y + x * pixels->step_x];
    uint32_t bits = 0;
    for (uint32_t i = 0; i < width; i++, pixel += pixels->step_x)
        bits |= (uint32_t)(*pixel == colour) << (31 - i);
    return bits;
}

/* The columns of a piece that begins at (x, y): up to the first one without a pixel. 'rows' become
 * the piece's alone. 0: there is none, or it is wider than a character. */
static inline uint32_t screen_cut_piece(uint32_t height, uint32_t *rows) {
    uint32_t any = 0;
    for (uint32_t row = 0; row < height; row++)
        any |= rows[row];
    uint32_t width = ~any != 0 ? (uint32_t)__builtin_clz(~any) : 0;
    for (uint32_t row = 0; row < height && width != 0; row++)
        rows[row] &= UINT32_MAX << (32 - width);
    return width;
}

static inline void screen_cell_bits(const ScreenPixels *pixels, uint32_t x, uint32_t y,
                                    const ScreenFont *font, uint32_t colour, uint32_t *rows) {
    for (uint32_t row = 0; row < font->height; row++)
        rows[row] = screen_row_bits(pixels, x, y + row, font->width, colour);
}

#endif
