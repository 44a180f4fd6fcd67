/* The text screen as UTF-8. */
#include "character_codes.h"
#include "vga_internal.h"

static void append_row(const Vga *vga, const VgaScan *scan, ByteBuffer *text) {
    const VgaState *state = &vga->state;
    uint8_t row[256 * UTF8_BYTES_MAXIMUM + 1];
    size_t size = 0, used = 0;
    for (uint32_t column = 0; column < vga_columns(state); column++) {
        uint32_t counter = (scan->row_address + column) & scan->address_mask;
        uint32_t cell = vga_crtc_cell(state, counter, scan->row_scan);
        uint16_t code = code_page_437[vga->vram[4 * cell]];
        size += utf8_encode(code, row + size);
        if (code != ' ')
            used = size;
    }
    row[used] = '\n';
    byte_buffer_append(text, row, used + 1);
}

bool vga_get_text(const Vga *vga, ByteBuffer *text) {
    const VgaState *state = &vga->state;
    if (!vga_is_text(state) || state->crtc[CRTC_HORIZONTAL_TOTAL] == 0)
        return false;
    uint32_t lines = vga_vertical_display_lines(state);
    VgaScan scan;
    vga_scan_start(vga, state, &scan);
    for (uint32_t line = 0; line < lines; line++) {
        if (scan.new_row)
            append_row(vga, &scan, text);
        vga_scan_next(state, &scan);
    }
    return true;
}

void vga_get_text_cell(const Vga *vga, uint32_t *width, uint32_t *height) {
    const VgaState *state = &vga->state;
    uint8_t clocking = state->sequencer[SEQUENCER_CLOCKING_MODE];
    uint8_t scan = state->crtc[CRTC_MAXIMUM_SCAN_LINE];
    *width = (clocking & CLOCKING_EIGHT_DOTS) != 0 ? 8 : 9;
    if ((clocking & CLOCKING_HALF_RATE) != 0)
        *width *= 2;
    *height = (scan & 0x1Fu) + 1;
    if ((scan & CRTC_DOUBLE_SCAN) != 0)
        *height *= 2;
}
