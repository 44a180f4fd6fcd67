/* Draws the modes of the Bochs VBE extensions. */
#include "little_endian.h"
#include "vga_internal.h"
#include <string.h>

void vbe_render_size(const VgaState *state, uint32_t *width, uint32_t *height) {
    *width = state->vbe[VBE_X_RESOLUTION];
    *height = state->vbe[VBE_Y_RESOLUTION];
}

/* Five or six bits become eight, the brightest white. */
static uint32_t widen(uint32_t value, unsigned bits) {
    return value << (8 - bits) | value >> (2 * bits - 8);
}

/* How a line is drawn from the bytes at 'source', of whose first group 'skip' pixels are not shown.
 */
typedef void DrawLine(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                      uint32_t width);

static void draw_4(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                   uint32_t width) {
    for (uint32_t x = skip; x < skip + width; x++) {
        const uint8_t *cell = source + x / 8 * 4;
        unsigned shift = 7 - x % 8, number = 0;
        for (unsigned plane = 0; plane < 4; plane++)
            number |= (cell[plane] >> shift & 1u) << plane;
        *line++ = colours[number];
    }
}

static void draw_8(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                   uint32_t width) {
    (void)skip;
    for (uint32_t x = 0; x < width; x++)
        line[x] = colours[source[x]];
}

static void draw_15(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = load_le16(source + 2 * x);
        line[x] = widen(pixel >> 10 & 0x1F, 5) << 16 | widen(pixel >> 5 & 0x1F, 5) << 8 |
                  widen(pixel & 0x1F, 5);
    }
}

static void draw_16(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = load_le16(source + 2 * x);
        line[x] =
            widen(pixel >> 11, 5) << 16 | widen(pixel >> 5 & 0x3F, 6) << 8 | widen(pixel & 0x1F, 5);
    }
}

static void draw_24(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++, source += 3)
        line[x] = (uint32_t)(source[2] << 16 | source[1] << 8 | source[0]);
}

static void draw_32(const uint32_t *colours, const uint8_t *source, uint32_t skip, uint32_t *line,
                    uint32_t width) {
    (void)skip;
    (void)colours;
    for (uint32_t x = 0; x < width; x++)
        line[x] = load_le32(source + 4 * x) & 0xFFFFFF;
}

typedef struct VbeFormat {
    uint32_t bits;
    uint32_t group_pixels, group_bytes; /* the pixels of as many bytes of video memory */
    uint32_t colours;                   /* entries of the palette in use; 0: direct colour */
    DrawLine *draw;
} VbeFormat;

static const VbeFormat *format_of(const VgaState *state) {
    static const VbeFormat formats[] = {{4, 8, 4, 16, draw_4},  {8, 1, 1, 256, draw_8},
                                        {15, 1, 2, 0, draw_15}, {16, 1, 2, 0, draw_16},
                                        {24, 1, 3, 0, draw_24}, {32, 1, 4, 0, draw_32}};
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].bits == state->vbe[VBE_BITS_PER_PIXEL])
            return &formats[i];
    return NULL; /* a mode that is set has one of these, but a restored state may hold anything */
}

static void get_colours(const VgaState *state, const VbeFormat *format, uint32_t *colours) {
    for (unsigned i = 0; i < format->colours; i++)
        colours[i] = vga_dac_colour(state, format->bits == 4 ? vga_palette_entry(state, i) : i);
}

static bool was_written(const Vga *vga, uint64_t first_byte, uint32_t bytes) {
    uint64_t last = (first_byte + bytes - 1) / PAGE_SIZE;
    for (uint64_t page = first_byte / PAGE_SIZE; page <= last; page++)
        if (vga->touched[page] != 0 || (vga->flags[page] & PAGE_DIRTY_DISPLAY) != 0)
            return true;
    return false;
}

void vbe_render_lines(Vga *vga, DisplaySurface *surface, bool all) {
    const VgaState *state = &vga->state;
    const VbeFormat *format = format_of(state);
    if (format == NULL)
        return;
    uint32_t colours[256];
    get_colours(state, format, colours);
    uint32_t unit = format->bits == 4 ? 4 : 1; /* bytes of video memory for one of the pitch */
    uint64_t pitch = vbe_pitch_bytes(state) * unit,
             start = (uint64_t)vbe_start_address(state) * unit;
    uint32_t skip = state->vbe[VBE_X_OFFSET] % format->group_pixels;
    uint32_t groups = (skip + surface->width + format->group_pixels - 1) / format->group_pixels;
    uint32_t line_bytes = groups * format->group_bytes;
    uint32_t first = surface->height, last = 0;
    for (uint32_t y = 0; y < surface->height; y++) {
        uint64_t from = start + y * pitch;
        bool inside = from + line_bytes <= VGA_VRAM_BYTES;
        uint32_t *line = display_surface_line(surface, y);
        if (inside && (all || was_written(vga, from, line_bytes)))
            format->draw(colours, vga->vram + from, skip, line, surface->width);
        else if (!inside && all)
            memset(line, 0, surface->width * sizeof line[0]);
        else
            continue;
        first = first < y ? first : y;
        last = y;
    }
    surface->first_changed_line = first <= last ? first : 0;
    surface->changed_lines = first <= last ? last - first + 1 : 0;
}
