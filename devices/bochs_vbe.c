/* The Bochs VBE extensions: modes up to 32 bits a pixel, set by a handful of 16-bit registers.
 * (Interface of Bochs' "VBE display API", revision B0C5h.) */
#include "vga_internal.h"
#include <string.h>

#define VBE_ID_FIRST 0xB0C0
#define VBE_ID_LATEST 0xB0C5

enum {
    MAXIMUM_X = 16000,
    MAXIMUM_Y = 12000,
    MAXIMUM_BITS = 32,
};

static uint32_t pitch_of(uint32_t width, uint32_t bits) {
    if (bits == 4)
        return width / 8; /* in each plane */
    return width * (bits == 15 ? 16 : bits) / 8;
}

static uint32_t memory_limit(const Vga *vga, uint32_t bits) {
    return bits == 4 ? vga->vram_bytes / 4 : vga->vram_bytes;
}

uint32_t vbe_pitch_bytes(const VgaState *state) {
    return pitch_of(state->vbe[VBE_VIRTUAL_WIDTH], state->vbe[VBE_BITS_PER_PIXEL]);
}

uint32_t vbe_start_address(const VgaState *state) {
    return state->vbe[VBE_Y_OFFSET] * vbe_pitch_bytes(state) +
           pitch_of(state->vbe[VBE_X_OFFSET], state->vbe[VBE_BITS_PER_PIXEL]);
}

static bool is_depth(unsigned bits) {
    return bits == 4 || bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

static uint16_t clamp(uint32_t value, uint32_t low, uint32_t high) {
    return (uint16_t)(value < low ? low : value > high ? high : value);
}

/* Makes the registers describe a picture that lies within video memory, whatever was written. */
static void settle_mode(Vga *vga) {
    uint16_t *vbe = vga->state.vbe;
    if (!is_depth(vbe[VBE_BITS_PER_PIXEL]))
        vbe[VBE_BITS_PER_PIXEL] = 8;
    uint32_t bits = vbe[VBE_BITS_PER_PIXEL], limit = memory_limit(vga, bits);
    vbe[VBE_X_RESOLUTION] = clamp(vbe[VBE_X_RESOLUTION] & ~7u, 8, MAXIMUM_X);
    vbe[VBE_Y_RESOLUTION] = clamp(vbe[VBE_Y_RESOLUTION], 1, MAXIMUM_Y);
    vbe[VBE_VIRTUAL_WIDTH] =
        clamp(vbe[VBE_VIRTUAL_WIDTH] & ~7u, vbe[VBE_X_RESOLUTION], UINT16_MAX & ~7u);
    uint32_t pitch = pitch_of(vbe[VBE_VIRTUAL_WIDTH], bits);
    if (pitch * vbe[VBE_Y_RESOLUTION] > limit) {
        vbe[VBE_VIRTUAL_WIDTH] = vbe[VBE_X_RESOLUTION];
        pitch = pitch_of(vbe[VBE_VIRTUAL_WIDTH], bits);
    }
    vbe[VBE_VIRTUAL_HEIGHT] = clamp(limit / pitch, 1, UINT16_MAX);
    if (vbe[VBE_Y_RESOLUTION] > vbe[VBE_VIRTUAL_HEIGHT])
        vbe[VBE_Y_RESOLUTION] = vbe[VBE_VIRTUAL_HEIGHT];
    uint32_t spare = limit - pitch * vbe[VBE_Y_RESOLUTION];
    if (pitch_of(vbe[VBE_X_OFFSET], bits) > spare)
        vbe[VBE_X_OFFSET] = 0;
    spare -= pitch_of(vbe[VBE_X_OFFSET], bits);
    if (vbe[VBE_Y_OFFSET] * pitch > spare)
        vbe[VBE_Y_OFFSET] = (uint16_t)(spare / pitch);
}

static void clear_picture(Vga *vga) {
    VgaState *state = &vga->state;
    uint32_t size = vbe_pitch_bytes(state) * state->vbe[VBE_Y_RESOLUTION];
    if (state->vbe[VBE_BITS_PER_PIXEL] == 4)
        size *= 4;
    if (vga->frame_buffer_mapped) /* code may have been translated from there */
        physical_map_touch(vga->context.memory, vga->frame_buffer_base, size);
    uint32_t pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    for (uint32_t page = 0; page < pages; page++)
        physical_map_mark_page(vga->context.memory, &vga->flags[page], VGA_OWN_STORE);
    memset(vga->vram, 0, size);
}

static void write_enable(Vga *vga, uint16_t value) {
    uint16_t *vbe = vga->state.vbe;
    bool begins = (value & VBE_ENABLED) != 0 && (vbe[VBE_ENABLE] & VBE_ENABLED) == 0;
    vbe[VBE_ENABLE] = value;
    if (begins) {
        vbe[VBE_VIRTUAL_WIDTH] = vbe[VBE_X_RESOLUTION];
        vbe[VBE_X_OFFSET] = vbe[VBE_Y_OFFSET] = 0;
        vbe[VBE_BANK] = 0;
        settle_mode(vga);
        if ((value & VBE_KEEP_MEMORY) == 0)
            clear_picture(vga);
    } else if ((value & VBE_ENABLED) == 0) {
        vbe[VBE_BANK] = 0;
    }
}

uint16_t vbe_read(const Vga *vga, unsigned index) {
    const uint16_t *vbe = vga->state.vbe;
    bool capabilities = (vbe[VBE_ENABLE] & VBE_GET_CAPABILITIES) != 0;
    switch (index) {
    case VBE_X_RESOLUTION:
        return capabilities ? MAXIMUM_X : vbe[index];
    case VBE_Y_RESOLUTION:
        return capabilities ? MAXIMUM_Y : vbe[index];
    case VBE_BITS_PER_PIXEL:
        return capabilities ? MAXIMUM_BITS : vbe[index];
    case VBE_VIDEO_MEMORY_64K:
        return vga->vram_bytes / 0x10000;
    default:
        return index < VBE_VIDEO_MEMORY_64K ? vbe[index] : 0;
    }
}

void vbe_write(Vga *vga, unsigned index, uint16_t value) {
    uint16_t *vbe = vga->state.vbe;
    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_FIRST && value <= VBE_ID_LATEST)
            vbe[VBE_ID] = value;
        return;
    case VBE_ENABLE:
        write_enable(vga, value);
        break;
    case VBE_BANK:
        vbe[VBE_BANK] = value % (vga->vram_bytes / VGA_BANK_SIZE);
        vga_memory_decode(vga);
        return; /* the picture does not depend on it */
    case VBE_X_RESOLUTION:
    case VBE_Y_RESOLUTION:
    case VBE_BITS_PER_PIXEL:
    case VBE_VIRTUAL_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        vbe[index] = value;
        if (vbe_is_enabled(&vga->state))
            settle_mode(vga);
        break;
    default:
        return;
    }
    vga->picture_changed = true;
    vga_timing_update(vga);
    vga_memory_decode(vga);
}

void vbe_reset(Vga *vga) {
    memset(vga->state.vbe, 0, sizeof vga->state.vbe);
    vga->state.vbe[VBE_ID] = VBE_ID_LATEST;
    vga->state.vbe_index = 0;
}

void vbe_restored(Vga *vga) {
    uint16_t *vbe = vga->state.vbe;
    vbe[VBE_BANK] %= vga->vram_bytes / VGA_BANK_SIZE;
    if (vbe_is_enabled(&vga->state))
        settle_mode(vga);
}
