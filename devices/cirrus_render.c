/* Draws the GD5446's packed modes and its hardware cursor. */
#include "cirrus.h"
#include "little_endian.h"
#include "pixel_formats.h"
#include <string.h>

enum {
    CURSOR_MEMORY = 16 << 10, /* the patterns, at the end of video memory */
    CURSOR_SMALL = 32,
    CURSOR_LARGE = 64,
    HIDDEN_DAC_565 = 1, /* of its low four bits; else 5-5-5 */
};
#define CLOCK_REFERENCE_HZ 14318182

uint32_t cirrus_further_start(const Vga *vga) {
    const uint8_t *crtc = vga->cirrus->state.crtc;
    uint32_t start = (crtc[CR1B_EXTENDED_DISPLAY] & 1u) << 16;
    start |= (crtc[CR1B_EXTENDED_DISPLAY] & 0x0Cu) << 15;
    return start | (crtc[CR1D_OVERLAY] & 0x80u) << 12;
}

uint32_t cirrus_further_offset(const Vga *vga) {
    return (vga->cirrus->state.crtc[CR1B_EXTENDED_DISPLAY] & 0x10u) << 5;
}

uint32_t cirrus_address_mask(const Vga *vga) {
    bool wide = cirrus_is_packed(vga) ||
                (vga->cirrus->state.crtc[CR1B_EXTENDED_DISPLAY] & CR1B_EXTENDED_ADDRESSES) != 0;
    return (wide ? vga->vram_bytes / 4 : VGA_PLANE_BYTES) - 1;
}

uint32_t cirrus_pixel_bits(const Vga *vga) {
    const CirrusState *state = &vga->cirrus->state;
    uint8_t high = (state->hidden_dac & 0x0F) == HIDDEN_DAC_565 ? 16 : 15;
    const uint8_t bits[8] = {8, high, 24, high, 32, 8, 8, 8};
    return bits[state->sequencer[SR7_EXTENDED_MODE] >> 1 & 7];
}

int64_t cirrus_dot_clock(const Vga *vga) {
    const CirrusState *state = &vga->cirrus->state;
    unsigned clock = vga->state.miscellaneous_output >> MISC_CLOCK_SHIFT & 3;
    unsigned numerator = state->sequencer[SRB_CLOCK_NUMERATOR + clock] & 0x7F;
    unsigned denominator = state->sequencer[SR1B_CLOCK_DENOMINATOR + clock];
    unsigned divisor = (denominator >> 1 & 0x1F) << (denominator & 1);
    if (numerator == 0 || divisor == 0)
        return 25175000;
    return (int64_t)CLOCK_REFERENCE_HZ * numerator / divisor;
}

/* ---- The cursor ---- */

typedef struct Cursor {
    uint32_t x, y, size;
    uint32_t pattern; /* where it begins in video memory */
    uint32_t colours[2];
} Cursor;

static bool get_cursor(const Vga *vga, Cursor *cursor) {
    const CirrusState *state = &vga->cirrus->state;
    uint8_t control = state->sequencer[SR12_CURSOR];
    if ((control & SR12_CURSOR_ON) == 0)
        return false;
    uint8_t number = state->sequencer[SR13_CURSOR_PATTERN];
    cursor->size = (control & SR12_CURSOR_64) != 0 ? CURSOR_LARGE : CURSOR_SMALL;
    number &= cursor->size == CURSOR_LARGE ? 0x3C : 0x3F;
    cursor->pattern = vga->vram_bytes - CURSOR_MEMORY + number * 256u;
    cursor->x = state->cursor_x;
    cursor->y = state->cursor_y;
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *rgb = state->cursor_colours[i * 0x0F];
        cursor->colours[i] =
            pixel_widen_six(rgb[0]) << 16 | pixel_widen_six(rgb[1]) << 8 | pixel_widen_six(rgb[2]);
    }
    return true;
}

/* Two bits a pixel, from two planes: nothing, the picture inverted, background, foreground. The
 * planes of the small pattern follow each other whole, those of the large one line by line. */
static void draw_cursor_line(const Vga *vga, const Cursor *cursor, uint32_t y, uint32_t *line,
                             uint32_t width) {
    bool large = cursor->size == CURSOR_LARGE;
    uint32_t row = y - cursor->y;
    const uint8_t *first = vga->vram + cursor->pattern + row * (large ? 16 : 4);
    const uint8_t *second = first + (large ? 8 : 128);
    for (uint32_t i = 0; i < cursor->size && cursor->x + i < width; i++) {
        unsigned shift = 7 - i % 8;
        uint32_t *pixel = &line[cursor->x + i];
        if ((second[i / 8] >> shift & 1) != 0)
            *pixel = cursor->colours[first[i / 8] >> shift & 1];
        else if ((first[i / 8] >> shift & 1) != 0)
            *pixel ^= 0xFFFFFF;
    }
}

/* FNV-1a over what the cursor looks like. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
    return hash;
}

static uint64_t look_of(const Vga *vga, const Cursor *cursor) {
    uint64_t hash = hash_bytes(0xCBF29CE484222325u, &cursor->x, sizeof cursor->x);
    hash = hash_bytes(hash, &cursor->y, sizeof cursor->y);
    hash = hash_bytes(hash, cursor->colours, sizeof cursor->colours);
    return hash_bytes(hash, vga->vram + cursor->pattern, cursor->size * cursor->size / 4);
}

bool cirrus_cursor_moved(const Vga *vga) {
    Cursor cursor;
    uint64_t look = get_cursor(vga, &cursor) ? look_of(vga, &cursor) : 0;
    return look != vga->cirrus->cursor_look;
}

/* ---- Lines ---- */

static void get_palette(const Vga *vga, uint32_t *colours) {
    for (unsigned i = 0; i < 256; i++)
        colours[i] = vga_dac_colour(&vga->state, i);
}

static bool is_within(uint32_t y, uint32_t first, uint32_t end) {
    return y >= first && y < end;
}

void cirrus_render_lines(Vga *vga, DisplaySurface *surface, bool all) {
    Cirrus *cirrus = vga->cirrus;
    Cursor cursor = {.size = 0};
    uint32_t colours[256];
    get_palette(vga, colours);
    bool has_cursor = get_cursor(vga, &cursor);
    bool moved = cirrus_cursor_moved(vga);
    const PixelFormat *format = pixel_format_find(cirrus_pixel_bits(vga));
    uint32_t line_bytes = surface->width * format->group_bytes;
    uint32_t end = has_cursor ? cursor.y + cursor.size : cursor.y;
    VgaScan scan;
    vga_scan_start(vga, &vga->state, &scan);
    for (uint32_t y = 0; y < surface->height; y++, vga_scan_next(&vga->state, &scan)) {
        bool here = is_within(y, cursor.y, end);
        bool redraw =
            all || (moved && (here || is_within(y, cirrus->cursor_first, cirrus->cursor_end)));
        uint32_t from = (scan.row_address * 4) & (vga->vram_bytes - 1);
        bool inside = from + line_bytes <= vga->vram_bytes;
        if (!redraw && !vga_was_written(vga, from, inside ? line_bytes : vga->vram_bytes - from))
            continue;
        uint32_t *line = display_surface_line(surface, y);
        if (inside)
            format->draw(colours, vga->vram + from, 0, line, surface->width);
        else
            memset(line, 0, surface->width * sizeof line[0]);
        if (here)
            draw_cursor_line(vga, &cursor, y, line, surface->width);
        display_surface_line_changed(surface, y);
    }
    cirrus->cursor_look = has_cursor ? look_of(vga, &cursor) : 0;
    cirrus->cursor_first = cursor.y;
    cirrus->cursor_end = end;
}
