/* Text modes: characters in plane 0, attributes in plane 1, fonts in plane 2. */
#include "vga_internal.h"
#include <string.h>

enum {
    FONT_CHARACTER_BYTES = 32,
    CURSOR_SKEW_SHIFT = 5,
    CURSOR_FRAMES = 8, /* shown, then as many hidden */
    BLINK_FRAMES = 16,
    ATTRIBUTE_BLINK = 0x80,
    ATTRIBUTE_FONT = 0x08,
    LINE_GRAPHICS_FIRST = 0xC0, /* characters whose eighth dot is repeated as the ninth */
    LINE_GRAPHICS_LAST = 0xDF,
};

/* The plane address of font 0 to 7. */
static uint32_t font_address(unsigned font) {
    return (font & 3) * 0x4000u + (font >> 2) * 0x2000u;
}

void vga_text_style(const Vga *vga, const VgaState *state, VgaTextStyle *style) {
    const uint8_t *crtc = state->crtc;
    uint8_t map = state->sequencer[SEQUENCER_CHARACTER_MAP];
    uint8_t mode = state->attribute[ATTRIBUTE_MODE];
    uint64_t frame = vga_frame_number(vga);
    style->dots = (state->sequencer[SEQUENCER_CLOCKING_MODE] & CLOCKING_EIGHT_DOTS) != 0 ? 8 : 9;
    style->font[0] = font_address((map & 3u) | (map >> 4 & 1u) << 2);
    style->font[1] = font_address((map >> 2 & 3u) | (map >> 5 & 1u) << 2);
    style->cursor_first = crtc[CRTC_CURSOR_START] & 0x1F;
    style->cursor_last = crtc[CRTC_CURSOR_END] & 0x1F;
    style->cursor = UINT32_MAX;
    if ((crtc[CRTC_CURSOR_START] & CRTC_CURSOR_OFF) == 0 && frame / CURSOR_FRAMES % 2 == 0) {
        uint32_t skew = crtc[CRTC_CURSOR_END] >> CURSOR_SKEW_SHIFT & 3;
        style->cursor = (crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW]) + skew;
    }
    style->underline = crtc[CRTC_UNDERLINE] & 0x1F;
    style->line_graphics = (mode & ATTRIBUTE_MODE_LINE_GRAPHICS) != 0;
    style->blink = (mode & ATTRIBUTE_MODE_BLINK) != 0;
    style->blink_hides = frame / BLINK_FRAMES % 2 != 0;
}

uint64_t vga_text_blink_phase(const Vga *vga) {
    const VgaState *state = &vga->state;
    bool cursor = (state->crtc[CRTC_CURSOR_START] & CRTC_CURSOR_OFF) == 0;
    bool blink = (state->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_BLINK) != 0;
    return cursor || blink ? vga_frame_number(vga) / CURSOR_FRAMES + 1 : 0;
}

/* One line of one character. */
static void draw_character(const Vga *vga, const VgaTextStyle *style, const uint8_t *cell,
                           uint32_t row_scan, bool cursor, uint8_t *dots) {
    uint8_t character = cell[0], attribute = cell[1];
    uint32_t font = style->font[(attribute & ATTRIBUTE_FONT) != 0];
    uint32_t line = (font + character * FONT_CHARACTER_BYTES + row_scan) % VGA_PLANE_BYTES;
    uint8_t bits = vga->vram[4 * line + 2];
    uint8_t foreground = attribute & 0x0F, background = attribute >> 4;
    if (style->blink) {
        background &= 7;
        if ((attribute & ATTRIBUTE_BLINK) != 0 && style->blink_hides)
            bits = 0;
    }
    bool ninth = style->line_graphics && character >= LINE_GRAPHICS_FIRST &&
                 character <= LINE_GRAPHICS_LAST && (bits & 1) != 0;
    /* Monochrome's underline attribute: foreground 1 on background 0. */
    bool underlined = row_scan == style->underline && (attribute & 0x77) == 0x01;
    if (cursor || underlined) {
        bits = 0xFF;
        ninth = true;
    }
    uint64_t set;
    memcpy(&set, vga->spread[bits], sizeof set);
    const uint64_t every = 0x0101010101010101u;
    uint64_t eight = background * every ^ set * (uint8_t)(foreground ^ background);
    memcpy(dots, &eight, sizeof eight);
    if (style->dots == 9)
        dots[8] = ninth ? foreground : background;
}

void vga_text_draw_line(const Vga *vga, const VgaState *state, const VgaTextStyle *style,
                        const VgaScan *scan, uint32_t columns, uint8_t *dots) {
    bool cursor_line =
        scan->row_scan >= style->cursor_first && scan->row_scan <= style->cursor_last;
    for (uint32_t column = 0; column < columns; column++) {
        uint32_t counter = (scan->row_address + column) & scan->address_mask;
        uint32_t cell = vga_crtc_cell(state, counter, scan->row_scan);
        bool cursor = cursor_line && counter == style->cursor;
        draw_character(vga, style, &vga->vram[4 * cell], scan->row_scan, cursor, dots);
        dots += style->dots;
    }
}
