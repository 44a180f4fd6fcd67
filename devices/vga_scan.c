/* The CRT controller's addresses: which cell is shown where. */
#include "cirrus.h"

enum { ROW_SCAN_MASK = 0x1F };

static uint32_t line_compare_of(const VgaState *state) {
    const uint8_t *crtc = state->crtc;
    uint32_t line = crtc[CRTC_LINE_COMPARE];
    line |= (crtc[CRTC_OVERFLOW] & CRTC_OVERFLOW_LINE_COMPARE) != 0 ? 0x100 : 0;
    line |= (crtc[CRTC_MAXIMUM_SCAN_LINE] & 0x40) != 0 ? 0x200 : 0;
    return (crtc[CRTC_MODE] & CRTC_MODE_HALF_VERTICAL) != 0 ? 2 * line + 1 : line;
}

/* Panning by the attribute controller. With nine dots a character, 8 means none and 0 means one. */
static uint32_t panning_of(const VgaState *state) {
    uint32_t panning = state->attribute[ATTRIBUTE_PANNING];
    if ((state->graphics[GRAPHICS_MODE] & GRAPHICS_MODE_SHIFT_256) != 0)
        return (panning & 7) / 2; /* a pixel is two dots wide */
    if (vga_is_text(state) &&
        (state->sequencer[SEQUENCER_CLOCKING_MODE] & CLOCKING_EIGHT_DOTS) == 0)
        return panning >= 8 ? 0 : panning + 1;
    return panning & 7;
}

void vga_scan_start(const Vga *vga, const VgaState *state, VgaScan *scan) {
    const uint8_t *crtc = state->crtc;
    uint32_t byte_panning = crtc[CRTC_PRESET_ROW_SCAN] >> 5 & 3;
    uint32_t start = crtc[CRTC_START_ADDRESS_HIGH] << 8 | crtc[CRTC_START_ADDRESS_LOW];
    *scan = (VgaScan){
        .address_mask = VGA_PLANE_BYTES - 1,
        .row_scan = crtc[CRTC_PRESET_ROW_SCAN] & ROW_SCAN_MASK,
        .new_row = true,
    };
    if (vga->cirrus != NULL) {
        start |= cirrus_further_start(vga);
        scan->further_offset = cirrus_further_offset(vga);
        scan->address_mask = cirrus_address_mask(vga);
    }
    scan->row_address = (start + byte_panning) & scan->address_mask;
}

uint32_t vga_scan_panning(const VgaState *state, const VgaScan *scan) {
    bool ends =
        scan->is_split && (state->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_PANNING_SPLIT) != 0;
    return ends ? 0 : panning_of(state);
}

void vga_scan_next(const VgaState *state, VgaScan *scan) {
    const uint8_t *crtc = state->crtc;
    scan->new_row = false;
    if (scan->line++ == line_compare_of(state)) {
        scan->row_address = 0;
        scan->row_scan = 0;
        scan->second_scan = false;
        scan->new_row = scan->is_split = true;
        if ((state->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_PANNING_SPLIT) == 0)
            scan->row_address = crtc[CRTC_PRESET_ROW_SCAN] >> 5 & 3;
        return;
    }
    if ((crtc[CRTC_MAXIMUM_SCAN_LINE] & CRTC_DOUBLE_SCAN) != 0 && !scan->second_scan) {
        scan->second_scan = true;
        return;
    }
    scan->second_scan = false;
    if (scan->row_scan == (crtc[CRTC_MAXIMUM_SCAN_LINE] & ROW_SCAN_MASK)) {
        scan->row_scan = 0;
        uint32_t offset = 2u * crtc[CRTC_OFFSET] + scan->further_offset;
        scan->row_address = (scan->row_address + offset) & scan->address_mask;
        scan->new_row = true;
    } else {
        scan->row_scan = (scan->row_scan + 1) & ROW_SCAN_MASK;
    }
}

uint32_t vga_crtc_cell(const VgaState *state, uint32_t counter, uint32_t row_scan) {
    const uint8_t *crtc = state->crtc;
    uint8_t mode = crtc[CRTC_MODE];
    uint32_t address = counter;
    if ((crtc[CRTC_UNDERLINE] & CRTC_DOUBLEWORD) != 0)
        address = (counter << 2 & 0xFFFC) | (counter >> 12 & 3);
    else if ((mode & CRTC_MODE_BYTE) == 0)
        address =
            (counter << 1 & 0xFFFE) | (counter >> ((mode & CRTC_MODE_WRAP) != 0 ? 15 : 13) & 1);
    if ((mode & CRTC_MODE_MAP_13) == 0)
        address = (address & ~0x2000u) | (row_scan & 1) << 13;
    if ((mode & CRTC_MODE_MAP_14) == 0)
        address = (address & ~0x4000u) | (row_scan & 2) << 13;
    /* Where IBM's chain-4 leaves three of four addresses of each plane unused, ours packs them. */
    if ((state->sequencer[SEQUENCER_MEMORY_MODE] & MEMORY_MODE_CHAIN_4) != 0)
        address >>= 2;
    return address;
}
