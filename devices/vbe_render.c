/* Draws the modes of the Bochs VBE extensions. */
#include "pixel_formats.h"
#include "vga_internal.h"
#include <string.h>

void vbe_render_size(const VgaState *state, uint32_t *width, uint32_t *height) {
    *width = state->vbe[VBE_X_RESOLUTION];
    *height = state->vbe[VBE_Y_RESOLUTION];
}

static void get_colours(const VgaState *state, const PixelFormat *format, uint32_t *colours) {
    for (unsigned i = 0; i < format->colours; i++)
        colours[i] = vga_dac_colour(state, format->bits == 4 ? vga_palette_entry(state, i) : i);
}

void vbe_render_lines(Vga *vga, DisplaySurface *surface, bool all) {
    const VgaState *state = &vga->state;
    const PixelFormat *format = pixel_format_find(state->vbe[VBE_BITS_PER_PIXEL]);
    if (format == NULL) /* a restored state may hold anything */
        return;
    uint32_t colours[256];
    get_colours(state, format, colours);
    uint32_t unit = format->bits == 4 ? 4 : 1; /* bytes of video memory for one of the pitch */
    uint64_t pitch = vbe_pitch_bytes(state) * unit,
             start = (uint64_t)vbe_start_address(state) * unit;
    uint32_t skip = state->vbe[VBE_X_OFFSET] % format->group_pixels;
    uint32_t groups = (skip + surface->width + format->group_pixels - 1) / format->group_pixels;
    uint32_t line_bytes = groups * format->group_bytes;
    for (uint32_t y = 0; y < surface->height; y++) {
        uint64_t from = start + y * pitch;
        bool inside = from + line_bytes <= vga->vram_bytes;
        uint32_t *line = display_surface_line(surface, y);
        if (inside && (all || vga_was_written(vga, from, line_bytes)))
            format->draw(colours, vga->vram + from, skip, line, surface->width);
        else if (!inside && all)
            memset(line, 0, surface->width * sizeof line[0]);
        else
            continue;
        display_surface_line_changed(surface, y);
    }
}
