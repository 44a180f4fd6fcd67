/* The registers that the GD5446 adds to the VGA's. All but SR6 answer only while that holds the
 * key. */
#include "cirrus.h"
#include <string.h>

enum {
    UNLOCK_MASK = 0x17,
    UNLOCK_KEY = 0x12,
    LOCKED = 0x0F,
    CHIP_ID = 0xB8, /* GD5446, in CR27 */
    OPEN_BUS = 0xFF,
    HIDDEN_DAC_READS = 4, /* of the mask register, before the hidden one */
    SEQUENCER_INDEX_MASK = 0x1F,
    CURSOR_INDEX_SHIFT = 5, /* the low bits of the cursor's place come with the index */
    GRAPHICS_FIRST = 0x09,
    CRTC_FIRST = 0x19,
    CRTC_LAST_WRITABLE = 0x1D,
};

// clang-format off
/* Bits that software can change. SR17's others tell how the board is made. */
static const uint8_t sequencer_mask[CIRRUS_SEQUENCER_REGISTERS] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x43, 0xFF, 0xFF, 0x7F, 0x7F, 0x7F, 0x7F, 0xFF,
    0xFF, 0xFF, 0x87, 0x3F, 0xFF, 0xFF, 0xFF, 0xC7, 0xFF, 0xFF, 0xFF, 0x3F, 0x3F, 0x3F, 0x3F, 0x7F};
static const uint8_t graphics_mask[CIRRUS_GRAPHICS_REGISTERS] = {
    0xFF, 0xFF, 0x0F, 0x1F, 0x03, 0x7F, 0x0F, 0x0F, 0xFF, 0xFF, 0xFF, 0x3F, 0xFF, 0xFF, 0xFF, 0x00,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xFF, 0x1F, 0xFF, 0x07, 0xFF, 0x1F, 0xFF, 0x1F, 0xFF, 0xFF, 0x3F, 0x00, 0xFF, 0xFF, 0x3F, 0x7F,
    0xFF, 0xFE, 0xFF, 0x1F, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
// clang-format on

static bool is_unlocked(const CirrusState *state) {
    return state->sequencer[SR6_UNLOCK] == UNLOCK_KEY;
}

/* ---- Sequencer ---- */

bool cirrus_sequencer_read(Vga *vga, uint8_t *value) {
    const CirrusState *state = &vga->cirrus->state;
    uint8_t index = vga->state.sequencer_index;
    unsigned number = index & SEQUENCER_INDEX_MASK;
    if (number == SEQUENCER_MAP_MASK)
        *value = state->pixel_mask;
    if (number <= SEQUENCER_MEMORY_MODE)
        return number == SEQUENCER_MAP_MASK;
    *value = state->sequencer[number];
    if (number == SR10_CURSOR_X || number == SR11_CURSOR_Y) {
        uint16_t place = number == SR10_CURSOR_X ? state->cursor_x : state->cursor_y;
        *value = (uint8_t)(place >> 3);
    }
    if (number != SR6_UNLOCK && !is_unlocked(state))
        *value = OPEN_BUS;
    return true;
}

static void write_sequencer(Vga *vga, unsigned number, uint8_t value) {
    CirrusState *state = &vga->cirrus->state;
    uint8_t *stored = &state->sequencer[number];
    uint8_t mask = sequencer_mask[number];
    value = (uint8_t)((*stored & ~mask) | (value & mask));
    if (number == SR10_CURSOR_X || number == SR11_CURSOR_Y) {
        uint16_t *place = number == SR10_CURSOR_X ? &state->cursor_x : &state->cursor_y;
        *place = (uint16_t)(value << 3 | vga->state.sequencer_index >> CURSOR_INDEX_SHIFT);
        return;
    }
    uint8_t change = *stored ^ value;
    *stored = value;
    if (number >= SRB_CLOCK_NUMERATOR)
        vga_timing_update(vga);
    if (number == SR7_EXTENDED_MODE || number == SR17_CONFIGURATION) {
        vga->picture_changed |= change != 0;
        vga_timing_update(vga);
        vga_memory_decode(vga);
        cirrus_update_linear(vga);
        cirrus_split_window(vga, cirrus_mmio_bits(vga) == SR17_MMIO);
    }
}

bool cirrus_sequencer_write(Vga *vga, uint8_t value) {
    CirrusState *state = &vga->cirrus->state;
    unsigned number = vga->state.sequencer_index & SEQUENCER_INDEX_MASK;
    if (number == SEQUENCER_MAP_MASK)
        state->pixel_mask = value;
    if (number <= SEQUENCER_MEMORY_MODE)
        return false;
    if (number == SR6_UNLOCK)
        state->sequencer[SR6_UNLOCK] = (value & UNLOCK_MASK) == UNLOCK_KEY ? UNLOCK_KEY : LOCKED;
    else if (is_unlocked(state))
        write_sequencer(vga, number, value);
    return true;
}

/* ---- Graphics controller ---- */

/* Of registers that the VGA has, only these have more bits here. */
static bool has_further_bits(unsigned index) {
    return index <= GRAPHICS_ENABLE_SET_RESET || index == GR5_MODE;
}

bool cirrus_graphics_read(Vga *vga, uint8_t *value) {
    const CirrusState *state = &vga->cirrus->state;
    unsigned index = vga->state.graphics_index;
    if (index < GRAPHICS_FIRST && !(has_further_bits(index) && is_unlocked(state)))
        return false;
    bool here = index < CIRRUS_GRAPHICS_REGISTERS && is_unlocked(state);
    *value = here ? state->graphics[index] : OPEN_BUS;
    return true;
}

static void write_blit_status(Vga *vga, uint8_t value) {
    uint8_t *status = &vga->cirrus->state.graphics[GR31_BLIT_STATUS];
    uint8_t old = *status;
    const uint8_t own = BLIT_BUSY | BLIT_PROGRESS;
    *status = (uint8_t)((value & ~own) | (old & own));
    if ((value & BLIT_RESET) != 0)
        cirrus_blit_reset(vga);
    else if ((value & BLIT_START) != 0 && (old & BLIT_START) == 0)
        cirrus_blit_start(vga);
}

void cirrus_set_graphics(Vga *vga, unsigned index, uint8_t value) {
    CirrusState *state = &vga->cirrus->state;
    if (index >= CIRRUS_GRAPHICS_REGISTERS)
        return;
    if (index == GR31_BLIT_STATUS) {
        write_blit_status(vga, value);
        return;
    }
    value &= graphics_mask[index];
    uint8_t change = state->graphics[index] ^ value;
    state->graphics[index] = value;
    if (index == GR2A_DESTINATION_HIGH &&
        (state->graphics[GR31_BLIT_STATUS] & BLIT_AUTO_START) != 0)
        cirrus_blit_start(vga);
    if (change != 0 && (index == GR5_MODE || (index >= GR9_OFFSET_0 && index <= GRB_EXTENSIONS))) {
        vga_memory_decode(vga);
        if (index == GR5_MODE || index == GRB_EXTENSIONS)
            cirrus_update_linear(vga);
    }
}

bool cirrus_graphics_write(Vga *vga, uint8_t value) {
    unsigned index = vga->state.graphics_index;
    if (index < GRAPHICS_FIRST) {
        if (has_further_bits(index))
            cirrus_set_graphics(vga, index, value);
        return false;
    }
    if (is_unlocked(&vga->cirrus->state))
        cirrus_set_graphics(vga, index, value);
    return true;
}

/* ---- CRT controller ---- */

bool cirrus_crtc_read(Vga *vga, uint8_t *value) {
    const CirrusState *state = &vga->cirrus->state;
    unsigned index = vga->state.crtc_index;
    if (index < CRTC_FIRST || (index >= CRTC_LATCH && index <= CRTC_ATTRIBUTE_INDEX))
        return false;
    if (index >= CIRRUS_CRTC_REGISTERS || !is_unlocked(state))
        *value = OPEN_BUS;
    else
        *value = index == CR27_ID ? CHIP_ID : state->crtc[index];
    return true;
}

bool cirrus_crtc_write(Vga *vga, uint8_t value) {
    CirrusState *state = &vga->cirrus->state;
    unsigned index = vga->state.crtc_index;
    if (index < CRTC_FIRST)
        return false;
    if (index <= CRTC_LAST_WRITABLE && is_unlocked(state)) {
        vga->picture_changed |= state->crtc[index] != value;
        state->crtc[index] = value;
        vga_timing_update(vga);
    }
    return true;
}

/* ---- DAC ---- */

bool cirrus_hidden_dac_read(Vga *vga, uint8_t *value) {
    CirrusState *state = &vga->cirrus->state;
    if (state->hidden_dac_reads < HIDDEN_DAC_READS) {
        state->hidden_dac_reads++;
        return false;
    }
    state->hidden_dac_reads = 0;
    *value = state->hidden_dac;
    return true;
}

bool cirrus_hidden_dac_write(Vga *vga, uint8_t value) {
    CirrusState *state = &vga->cirrus->state;
    bool hidden = state->hidden_dac_reads == HIDDEN_DAC_READS;
    state->hidden_dac_reads = 0;
    if (!hidden)
        return false;
    vga->picture_changed |= state->hidden_dac != value;
    state->hidden_dac = value;
    return true;
}

void cirrus_hidden_dac_forget(Vga *vga) {
    if (vga->cirrus != NULL)
        vga->cirrus->state.hidden_dac_reads = 0;
}

uint8_t *cirrus_cursor_colour(Vga *vga, uint8_t index) {
    CirrusState *state = vga->cirrus != NULL ? &vga->cirrus->state : NULL;
    if (state == NULL || (state->sequencer[SR12_CURSOR] & SR12_CURSOR_COLOURS) == 0)
        return NULL;
    return state->cursor_colours[index & 0x0F];
}

/* ---- Reset ---- */

void cirrus_registers_reset(Vga *vga) {
    static const struct {
        uint8_t number, value;
    } sequencer[] =
        {
            /* The clocks are 25.2, 28.3, 41.2 and 36.1 MHz. */
            {SR6_UNLOCK, LOCKED}, {0x0B, 0x66}, {0x0C, 0x5B}, {0x0D, 0x45},
            {0x0E, 0x7E},         {0x1B, 0x3B}, {0x1C, 0x2F}, {0x1D, 0x30},
            {0x1E, 0x33},         {0x0F, 0x98}, /* 64 bits wide, two banks */
            {0x15, 0x04},                       /* 4 MB */
            {0x17, 0x20},                       /* on the PCI bus */
            {0x1F, 0x2D},
        };
    CirrusState *state = &vga->cirrus->state;
    int64_t due = state->linear_due_ns;
    uint8_t direct = state->linear_direct;
    memset(state, 0, sizeof *state);
    state->linear_due_ns = due;
    state->linear_direct = direct;
    for (unsigned i = 0; i < sizeof sequencer / sizeof sequencer[0]; i++)
        state->sequencer[sequencer[i].number] = sequencer[i].value;
    if (vga->vram_bytes < CIRRUS_MEMORY_MOST) { /* one bank; half the width for 1 MB */
        state->sequencer[0x0F] = vga->vram_bytes == 1 << 20 ? 0x10 : 0x18;
        state->sequencer[0x15] = vga->vram_bytes == 1 << 20 ? 0x02 : 0x03;
    }
}
