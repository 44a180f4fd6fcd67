/* Where the beam is: computed from the CRT controller's counts and the virtual clock, so that
 * software which polls input status 1 sees the times that the registers ask for, and sees them
 * again after a restore. */
#include "cirrus.h"
#include <string.h>

enum {
    STATUS_NOT_DISPLAYING = 1 << 0,
    STATUS_VERTICAL_RETRACE = 1 << 3,
};

#define VBE_FRAMES_PER_SECOND 60

static uint32_t overflow_bits(const uint8_t *crtc, unsigned bit_8, unsigned bit_9) {
    return (crtc[CRTC_OVERFLOW] >> bit_8 & 1u) << 8 | (crtc[CRTC_OVERFLOW] >> bit_9 & 1u) << 9;
}

uint32_t vga_vertical_display_lines(const VgaState *state) {
    const uint8_t *crtc = state->crtc;
    uint32_t lines = (crtc[CRTC_VERTICAL_DISPLAY_END] | overflow_bits(crtc, 1, 6)) + 1;
    return (crtc[CRTC_MODE] & CRTC_MODE_HALF_VERTICAL) != 0 ? 2 * lines : lines;
}

static void timing_of_crtc(const VgaState *state, VgaTiming *timing) {
    const uint8_t *crtc = state->crtc;
    uint8_t clocking = state->sequencer[SEQUENCER_CLOCKING_MODE];
    unsigned scale = (crtc[CRTC_MODE] & CRTC_MODE_HALF_VERTICAL) != 0 ? 2 : 1;
    timing->characters = crtc[CRTC_HORIZONTAL_TOTAL] + 5u;
    timing->characters_shown = vga_columns(state);
    timing->lines = ((crtc[CRTC_VERTICAL_TOTAL] | overflow_bits(crtc, 0, 5)) + 2) * scale;
    timing->lines_shown = vga_vertical_display_lines(state);
    timing->retrace_start = (crtc[CRTC_VERTICAL_RETRACE_START] | overflow_bits(crtc, 2, 7)) * scale;
    /* The retrace ends when the low four bits of the line counter match. */
    uint32_t length =
        (uint32_t)(crtc[CRTC_VERTICAL_RETRACE_END] - crtc[CRTC_VERTICAL_RETRACE_START]) & 0x0F;
    timing->retrace_lines = (length != 0 ? length : 16) * scale;
    bool fast = (state->miscellaneous_output >> MISC_CLOCK_SHIFT & 3) == 1;
    timing->clock_hz = fast ? 28322000 : 25175000;
    timing->clock_divisor = (clocking & CLOCKING_EIGHT_DOTS) != 0 ? 8 : 9;
    if ((clocking & CLOCKING_HALF_RATE) != 0)
        timing->clock_divisor *= 2;
}

/* VBE modes leave the CRT controller alone: a frame of usual proportions. */
static void timing_of_vbe(const VgaState *state, VgaTiming *timing) {
    timing->characters_shown = state->vbe[VBE_X_RESOLUTION] / 8u + 1;
    timing->characters = timing->characters_shown + timing->characters_shown / 4;
    timing->lines_shown = state->vbe[VBE_Y_RESOLUTION];
    timing->lines = timing->lines_shown + timing->lines_shown / 20 + 8;
    timing->retrace_start = timing->lines_shown + 3;
    timing->retrace_lines = 4;
    timing->clock_hz = (int64_t)timing->characters * timing->lines * VBE_FRAMES_PER_SECOND;
    timing->clock_divisor = 1;
}

static void timing_of_cirrus(const Vga *vga, VgaTiming *timing) {
    timing_of_crtc(&vga->state, timing);
    timing->clock_hz = cirrus_dot_clock(vga);
    if ((vga->cirrus->state.crtc[CR1A_MISCELLANEOUS] & CR1A_INTERLACE) != 0)
        timing->lines_shown *= 2; /* two fields, of which we make one frame */
    if (timing->lines < timing->lines_shown)
        timing->lines = timing->lines_shown + 1;
}

static void get_timing(const Vga *vga, VgaTiming *timing) {
    memset(timing, 0, sizeof *timing);
    if (vbe_is_enabled(&vga->state))
        timing_of_vbe(&vga->state, timing);
    else if (cirrus_is_packed(vga))
        timing_of_cirrus(vga, timing);
    else
        timing_of_crtc(&vga->state, timing);
}

void vga_timing_update(Vga *vga) {
    VgaTiming timing;
    get_timing(vga, &timing);
    if (memcmp(&timing, &vga->timing, sizeof timing) == 0)
        return;
    vga->timing = timing;
    vga_frame_log_clear(vga);
}

uint64_t vga_characters_at(const Vga *vga, int64_t time_ns) {
    const VgaTiming *timing = &vga->timing;
    return (uint64_t)clock_scale(time_ns, timing->clock_hz, timing->clock_divisor * NS_PER_SECOND);
}

/* Character clocks since the virtual clock began. */
static uint64_t characters_passed(const Vga *vga) {
    return vga_characters_at(vga, clock_now_ns(vga->context.clock));
}

uint8_t vga_input_status_1(const Vga *vga) {
    const VgaTiming *timing = &vga->timing;
    uint64_t passed = characters_passed(vga);
    uint32_t character = (uint32_t)(passed % timing->characters);
    uint32_t line = (uint32_t)(passed / timing->characters % timing->lines);
    uint8_t status = 0;
    if (line >= timing->lines_shown || character >= timing->characters_shown)
        status |= STATUS_NOT_DISPLAYING;
    if (line >= timing->retrace_start && line - timing->retrace_start < timing->retrace_lines)
        status |= STATUS_NOT_DISPLAYING | STATUS_VERTICAL_RETRACE;
    return status;
}

uint64_t vga_frame_number(const Vga *vga) {
    const VgaTiming *timing = &vga->timing;
    return characters_passed(vga) / ((uint64_t)timing->characters * timing->lines);
}

int64_t vga_frame_ns(const Vga *vga) {
    const VgaTiming *timing = &vga->timing;
    return clock_scale((int64_t)timing->characters * timing->lines,
                       timing->clock_divisor * NS_PER_SECOND, timing->clock_hz);
}
