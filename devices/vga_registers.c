/* The VGA's registers as software sees them through ports 3B0h to 3DFh.
 * (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem.) */
#include "cirrus.h"
#include <string.h>

/* Bits that exist; the others read as 0. */
// clang-format off
static const uint8_t sequencer_mask[SEQUENCER_REGISTERS] = {0x03, 0x3D, 0x0F, 0x3F, 0x0E};
static const uint8_t graphics_mask[GRAPHICS_REGISTERS] = {
    0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF};
static const uint8_t attribute_mask[ATTRIBUTE_REGISTERS] = {
    0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
    0xEF, 0xFF, 0x3F, 0x0F, 0x0F};
// clang-format on

enum {
    ATTRIBUTE_INDEX_BITS = 0x3F,
    INPUT_STATUS_0_SENSE = 0x10, /* a colour monitor is there */
    DAC_STATE_READ = 3,
    OPEN_BUS = 0xFF,
};

/* ---- Attribute controller: index and data take turns at 3C0h ---- */

static void attribute_write(Vga *vga, uint8_t value) {
    VgaState *state = &vga->state;
    if (state->attribute_flip_flop == 0) {
        uint8_t index = value & ATTRIBUTE_INDEX_BITS;
        if (((index ^ state->attribute_index) & ATTRIBUTE_INDEX_SCREEN_ON) != 0)
            vga_change_register(vga, REGISTER_ATTRIBUTE_INDEX, 0, &index);
        state->attribute_index = index;
    } else {
        unsigned index = state->attribute_index % ATTRIBUTE_REGISTERS;
        value &= attribute_mask[index];
        vga_change_register(vga, REGISTER_ATTRIBUTE, index, &value);
    }
    state->attribute_flip_flop ^= 1;
}

static uint8_t attribute_index_read(Vga *vga) {
    return vga->state.attribute_index;
}

static uint8_t attribute_data_read(Vga *vga) {
    return vga->state.attribute[vga->state.attribute_index % ATTRIBUTE_REGISTERS];
}

/* ---- General registers ---- */

static uint8_t input_status_0_read(Vga *vga) {
    (void)vga;
    return INPUT_STATUS_0_SENSE;
}

static uint8_t input_status_1_read(Vga *vga) {
    vga->state.attribute_flip_flop = 0;
    return vga_input_status_1(vga);
}

static uint8_t miscellaneous_read(Vga *vga) {
    return vga->state.miscellaneous_output;
}

static void miscellaneous_write(Vga *vga, uint8_t value) {
    vga->state.miscellaneous_output = value & 0xEF;
    vga->picture_changed = true;
    vga_timing_update(vga);
    vga_memory_decode(vga);
}

static uint8_t feature_read(Vga *vga) {
    return vga->state.feature_control;
}

static void feature_write(Vga *vga, uint8_t value) {
    vga->state.feature_control = value & 0x0B;
}

static uint8_t video_enable_read(Vga *vga) {
    return vga->state.video_enable;
}

static void video_enable_write(Vga *vga, uint8_t value) {
    vga->state.video_enable = value & 1;
}

/* ---- Sequencer ---- */

static uint8_t sequencer_index_read(Vga *vga) {
    return vga->state.sequencer_index;
}

/* The high bits of the Cirrus' index are data, too. */
static void sequencer_index_write(Vga *vga, uint8_t value) {
    vga->state.sequencer_index = vga->cirrus != NULL ? value : value % SEQUENCER_REGISTERS;
}

static uint8_t sequencer_read(Vga *vga) {
    uint8_t value;
    if (vga->cirrus != NULL && cirrus_sequencer_read(vga, &value))
        return value;
    return vga->state.sequencer[vga->state.sequencer_index % SEQUENCER_REGISTERS];
}

static void sequencer_write(Vga *vga, uint8_t value) {
    if (vga->cirrus != NULL && cirrus_sequencer_write(vga, value))
        return;
    unsigned index = vga->state.sequencer_index % SEQUENCER_REGISTERS;
    value &= sequencer_mask[index];
    if (vga->state.sequencer[index] == value)
        return;
    if (index == SEQUENCER_MAP_MASK) /* which drawing code changes all the time */
        vga->state.sequencer[index] = value;
    else
        vga_change_register(vga, REGISTER_SEQUENCER, index, &value);
    if (index == SEQUENCER_CLOCKING_MODE)
        vga_timing_update(vga);
    vga_memory_decode(vga);
}

/* ---- Graphics controller ---- */

static uint8_t graphics_index_read(Vga *vga) {
    return vga->state.graphics_index;
}

static void graphics_index_write(Vga *vga, uint8_t value) {
    unsigned registers =
        vga->cirrus != NULL ? CIRRUS_GRAPHICS_REGISTERS : (unsigned)GRAPHICS_REGISTERS;
    vga->state.graphics_index = (uint8_t)(value % registers);
}

static uint8_t graphics_read(Vga *vga) {
    uint8_t value;
    if (vga->cirrus != NULL && cirrus_graphics_read(vga, &value))
        return value;
    return vga->state.graphics[vga->state.graphics_index % GRAPHICS_REGISTERS];
}

static void graphics_write(Vga *vga, uint8_t value) {
    if (vga->cirrus != NULL && cirrus_graphics_write(vga, value))
        return;
    const uint8_t shown = GRAPHICS_MODE_SHIFT_256 | GRAPHICS_MODE_SHIFT_INTERLEAVED;
    unsigned index = vga->state.graphics_index % GRAPHICS_REGISTERS;
    value &= graphics_mask[index];
    uint8_t change = vga->state.graphics[index] ^ value;
    if (change == 0)
        return;
    if (index == GRAPHICS_MISCELLANEOUS || (index == GRAPHICS_MODE && (change & shown) != 0))
        vga_change_register(vga, REGISTER_GRAPHICS, index, &value);
    vga->state.graphics[index] = value;
    vga_memory_decode(vga);
}

/* ---- DAC ---- */

static uint8_t dac_mask_read(Vga *vga) {
    uint8_t value;
    if (vga->cirrus != NULL && cirrus_hidden_dac_read(vga, &value))
        return value;
    return vga->state.dac_mask;
}

static void dac_mask_write(Vga *vga, uint8_t value) {
    if (vga->cirrus != NULL && cirrus_hidden_dac_write(vga, value))
        return;
    vga_change_register(vga, REGISTER_DAC_MASK, 0, &value);
}

static uint8_t dac_state_read(Vga *vga) {
    cirrus_hidden_dac_forget(vga);
    return vga->state.dac_reading != 0 ? DAC_STATE_READ : 0;
}

static void dac_read_index_write(Vga *vga, uint8_t value) {
    cirrus_hidden_dac_forget(vga);
    vga->state.dac_read_index = value;
    vga->state.dac_component = 0;
    vga->state.dac_reading = 1;
}

static uint8_t dac_write_index_read(Vga *vga) {
    cirrus_hidden_dac_forget(vga);
    return vga->state.dac_write_index;
}

static void dac_write_index_write(Vga *vga, uint8_t value) {
    cirrus_hidden_dac_forget(vga);
    vga->state.dac_write_index = value;
    vga->state.dac_component = 0;
    vga->state.dac_reading = 0;
}

static uint8_t dac_data_read(Vga *vga) {
    VgaState *state = &vga->state;
    const uint8_t *cursor = cirrus_cursor_colour(vga, state->dac_read_index);
    const uint8_t *entry = cursor != NULL ? cursor : state->dac[state->dac_read_index];
    uint8_t value = entry[state->dac_component % 3];
    cirrus_hidden_dac_forget(vga);
    if (++state->dac_component >= 3) {
        state->dac_component = 0;
        state->dac_read_index++;
    }
    return value;
}

static void dac_data_write(Vga *vga, uint8_t value) {
    VgaState *state = &vga->state;
    bool wide = (state->vbe[VBE_ENABLE] & VBE_8BIT_DAC) != 0;
    cirrus_hidden_dac_forget(vga);
    state->dac_latch[state->dac_component % 3] = wide ? value : value & 0x3F;
    if (++state->dac_component < 3)
        return;
    state->dac_component = 0;
    uint8_t index = state->dac_write_index++;
    uint8_t *cursor = cirrus_cursor_colour(vga, index);
    if (cursor != NULL)
        memcpy(cursor, state->dac_latch, 3);
    else
        vga_change_register(vga, REGISTER_DAC, index, state->dac_latch);
}

/* ---- CRT controller ---- */

static uint8_t crtc_index_read(Vga *vga) {
    return vga->state.crtc_index;
}

static void crtc_index_write(Vga *vga, uint8_t value) {
    vga->state.crtc_index = value & 0x3F;
}

static uint8_t crtc_read(Vga *vga) {
    const VgaState *state = &vga->state;
    uint8_t value;
    if (vga->cirrus != NULL && cirrus_crtc_read(vga, &value))
        return value;
    switch (state->crtc_index) {
    case CRTC_LATCH:
        return state->latch[state->graphics[GRAPHICS_READ_MAP]];
    case CRTC_ATTRIBUTE_STATE:
        return (uint8_t)(state->attribute_flip_flop << 7);
    case CRTC_ATTRIBUTE_INDEX:
        return state->attribute_index;
    default:
        return state->crtc_index <= CRTC_LAST ? state->crtc[state->crtc_index] : OPEN_BUS;
    }
}

/* The beam does not care where the cursor is. */
static bool is_cursor_register(unsigned index) {
    return index == CRTC_CURSOR_START || index == CRTC_CURSOR_END || index == CRTC_CURSOR_HIGH ||
           index == CRTC_CURSOR_LOW;
}

static void crtc_write(Vga *vga, uint8_t value) {
    uint8_t *crtc = vga->state.crtc;
    unsigned index = vga->state.crtc_index;
    if (vga->cirrus != NULL && cirrus_crtc_write(vga, value))
        return;
    if (index > CRTC_LAST)
        return;
    if (index <= CRTC_OVERFLOW && (crtc[CRTC_VERTICAL_RETRACE_END] & CRTC_PROTECT) != 0) {
        if (index != CRTC_OVERFLOW)
            return;
        const uint8_t free_bit = CRTC_OVERFLOW_LINE_COMPARE;
        value = (uint8_t)((crtc[index] & ~free_bit) | (value & free_bit));
    }
    if (crtc[index] == value)
        return;
    if (is_cursor_register(index)) {
        vga->picture_changed = true;
        crtc[index] = value;
        return;
    }
    vga_change_register(vga, REGISTER_CRTC, index, &value);
    vga_timing_update(vga);
}

/* ---- Ports ---- */

typedef struct VgaPort {
    uint8_t (*read)(Vga *vga); /* NULL: nobody answers */
    void (*write)(Vga *vga, uint8_t value);
} VgaPort;

/* From 3C0h. */
static const VgaPort ports[0x20] = {
    [0x00] = {attribute_index_read, attribute_write},
    [0x01] = {attribute_data_read, NULL},
    [0x02] = {input_status_0_read, miscellaneous_write},
    [0x03] = {video_enable_read, video_enable_write},
    [0x04] = {sequencer_index_read, sequencer_index_write},
    [0x05] = {sequencer_read, sequencer_write},
    [0x06] = {dac_mask_read, dac_mask_write},
    [0x07] = {dac_state_read, dac_read_index_write},
    [0x08] = {dac_write_index_read, dac_write_index_write},
    [0x09] = {dac_data_read, dac_data_write},
    [0x0A] = {feature_read, NULL},
    [0x0C] = {miscellaneous_read, NULL},
    [0x0E] = {graphics_index_read, graphics_index_write},
    [0x0F] = {graphics_read, graphics_write},
    [0x14] = {crtc_index_read, crtc_index_write},
    [0x15] = {crtc_read, crtc_write},
    [0x1A] = {input_status_1_read, feature_write},
};

/* The CRT controller's ports lie at 3Bxh or 3Dxh as the miscellaneous output register says. */
static const VgaPort *find_port(const Vga *vga, uint16_t port) {
    static const VgaPort nobody = {NULL, NULL};
    bool colour = (vga->state.miscellaneous_output & MISC_COLOUR) != 0;
    if (port >= 0x3B0 && port <= 0x3BF)
        return colour ? &nobody : &ports[port - 0x3B0 + 0x10];
    if (port >= 0x3D0 && port <= 0x3DF)
        return colour ? &ports[port - 0x3C0] : &nobody;
    return port >= 0x3C0 && port <= 0x3CF ? &ports[port - 0x3C0] : &nobody;
}

uint8_t vga_port_read(Vga *vga, uint16_t port) {
    const VgaPort *found = find_port(vga, port);
    return found->read != NULL ? found->read(vga) : OPEN_BUS;
}

void vga_port_write(Vga *vga, uint16_t port, uint8_t value) {
    const VgaPort *found = find_port(vga, port);
    if (found->write != NULL)
        found->write(vga, value);
}

void vga_registers_reset(Vga *vga) {
    VgaState *state = &vga->state;
    memset(state->sequencer, 0, sizeof state->sequencer);
    memset(state->graphics, 0, sizeof state->graphics);
    memset(state->crtc, 0, sizeof state->crtc);
    memset(state->attribute, 0, sizeof state->attribute);
    memset(state->latch, 0, sizeof state->latch);
    memset(state->dac, 0, sizeof state->dac);
    memset(state->dac_latch, 0, sizeof state->dac_latch);
    state->miscellaneous_output = state->feature_control = 0;
    state->video_enable = 1;
    state->sequencer_index = state->graphics_index = state->crtc_index = 0;
    state->attribute_index = state->attribute_flip_flop = 0;
    state->dac_mask = 0xFF;
    state->dac_reading = state->dac_read_index = state->dac_write_index = 0;
    state->dac_component = 0;
    vga->picture_changed = true;
}

static void apply_mask(uint8_t *registers, const uint8_t *mask, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        registers[i] &= mask[i];
}

void vga_registers_restored(Vga *vga) {
    VgaState *state = &vga->state;
    apply_mask(state->sequencer, sequencer_mask, SEQUENCER_REGISTERS);
    apply_mask(state->graphics, graphics_mask, GRAPHICS_REGISTERS);
    apply_mask(state->attribute, attribute_mask, ATTRIBUTE_REGISTERS);
    if (vga->cirrus == NULL)
        state->sequencer_index %= SEQUENCER_REGISTERS;
    state->graphics_index %=
        vga->cirrus != NULL ? CIRRUS_GRAPHICS_REGISTERS : (unsigned)GRAPHICS_REGISTERS;
    state->attribute_flip_flop &= 1;
    state->dac_component %= 3;
    vga->picture_changed = true;
}
