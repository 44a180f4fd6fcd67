/* Draws the picture that registers and video memory describe, as much of it as changed.
 *
 * A line of the classic modes is drawn in two steps: first as colour numbers, one byte a pixel,
 * then through a table of 256 colours, with pixels repeated where the mode makes them wider. Sizes
 * are those that a screen would be driven with: 320x200 of mode 13h makes 640x400. */
#include "vga_internal.h"
#include <string.h>

typedef enum PictureKind {
    PICTURE_BLANK,
    PICTURE_TEXT,
    PICTURE_PLANAR,      /* four planes, a bit each */
    PICTURE_INTERLEAVED, /* two bits a pixel, as CGA */
    PICTURE_256,         /* a byte a pixel */
    PICTURE_VBE,
} PictureKind;

enum {
    COLUMNS_MAXIMUM = 257,                  /* one more than shown, for panning */
    DOTS_MAXIMUM = COLUMNS_MAXIMUM * 9 + 7, /* the last character is stored as eight and one */
    DEFAULT_WIDTH = 640,
    DEFAULT_HEIGHT = 480,
};

typedef struct Picture {
    PictureKind kind;
    uint32_t width, height;
    uint32_t columns;
    uint32_t repeat; /* dots a pixel is wide */
    uint32_t colours[256];
    VgaTextStyle text;
} Picture;

/* Six bits become eight as QEMU extends them, so that screenshots compare. */
static uint32_t eight_bits_of(uint32_t six) {
    return six << 2 | ((six & 1) != 0 ? 3 : 0);
}

uint32_t vga_dac_colour(const VgaState *state, unsigned entry) {
    const uint8_t *rgb = state->dac[entry & state->dac_mask];
    if ((state->vbe[VBE_ENABLE] & VBE_8BIT_DAC) != 0)
        return (uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
    return eight_bits_of(rgb[0] & 0x3F) << 16 | eight_bits_of(rgb[1] & 0x3F) << 8 |
           eight_bits_of(rgb[2] & 0x3F);
}

/* The DAC entry that the attribute controller selects for a colour number. */
unsigned vga_palette_entry(const VgaState *state, unsigned number) {
    const uint8_t *attribute = state->attribute;
    unsigned select = attribute[ATTRIBUTE_COLOUR_SELECT];
    unsigned entry = attribute[number & attribute[ATTRIBUTE_PLANE_ENABLE] & 0x0F];
    if ((attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_SELECT_54) != 0)
        entry = (entry & 0x0F) | (select & 3) << 4;
    return (entry & 0x3F) | (select >> 2 & 3) << 6;
}

static void get_colours(const VgaState *state, Picture *picture) {
    if (picture->kind == PICTURE_256)
        for (unsigned i = 0; i < 256; i++)
            picture->colours[i] = vga_dac_colour(state, i);
    else
        for (unsigned i = 0; i < 16; i++)
            picture->colours[i] = vga_dac_colour(state, vga_palette_entry(state, i));
}

/* ---- Lines as colour numbers ---- */

static void draw_planar(const Vga *vga, const uint8_t *cell, uint8_t *pixels) {
    uint64_t planes[4];
    for (unsigned plane = 0; plane < 4; plane++)
        memcpy(&planes[plane], vga->spread[cell[plane]], sizeof planes[plane]);
    uint64_t eight = planes[0] | planes[1] << 1 | planes[2] << 2 | planes[3] << 3;
    memcpy(pixels, &eight, sizeof eight);
}

/* Four pixels from planes 0 and 2, then four from planes 1 and 3: two bits from each plane. */
static void draw_interleaved(const uint8_t *cell, uint8_t *pixels) {
    for (unsigned half = 0; half < 2; half++)
        for (unsigned shift = 8; shift != 0;) {
            shift -= 2;
            unsigned low = cell[half] >> shift & 3, high = cell[half + 2] >> shift & 3;
            *pixels++ = (uint8_t)(low | high << 2);
        }
}

/* Draws one column more than is shown. Returns the pixels of a column. */
static uint32_t draw_line(const Vga *vga, const Picture *picture, const VgaScan *scan,
                          uint8_t *pixels) {
    const VgaState *state = &vga->state;
    uint32_t columns = picture->columns + 1;
    if (picture->kind == PICTURE_TEXT) {
        vga_text_draw_line(vga, &picture->text, scan, columns, pixels);
        return picture->text.dots;
    }
    uint32_t step = picture->kind == PICTURE_256 ? 4 : 8;
    for (uint32_t column = 0; column < columns; column++, pixels += step) {
        uint32_t counter = (scan->row_address + column) & 0xFFFF;
        const uint8_t *cell = &vga->vram[4 * vga_crtc_cell(state, counter, scan->row_scan)];
        if (picture->kind == PICTURE_256)
            memcpy(pixels, cell, 4);
        else if (picture->kind == PICTURE_PLANAR)
            draw_planar(vga, cell, pixels);
        else
            draw_interleaved(cell, pixels);
    }
    return step;
}

static void colour_line(const Picture *picture, const uint8_t *pixels, uint32_t *line) {
    const uint32_t *colours = picture->colours;
    uint32_t count = picture->width / picture->repeat;
    if (picture->repeat == 1) {
        for (uint32_t x = 0; x < count; x++)
            line[x] = colours[pixels[x]];
        return;
    }
    for (uint32_t x = 0; x < count; x++)
        for (uint32_t i = 0; i < picture->repeat; i++)
            *line++ = colours[pixels[x]];
}

/* Whether two lines show the same bytes in the same way. */
static bool same_content(const VgaState *state, const Picture *picture, const VgaScan *a,
                         const VgaScan *b) {
    uint8_t mode = state->crtc[CRTC_MODE];
    bool rows_matter = picture->kind == PICTURE_TEXT || (mode & CRTC_MODE_MAP_13) == 0 ||
                       (mode & CRTC_MODE_MAP_14) == 0;
    return a->row_address == b->row_address && a->panning == b->panning &&
           (!rows_matter || a->row_scan == b->row_scan);
}

static void draw_lines(const Vga *vga, Picture *picture, DisplaySurface *surface) {
    const VgaState *state = &vga->state;
    uint8_t pixels[DOTS_MAXIMUM];
    get_colours(state, picture);
    if (picture->kind == PICTURE_TEXT)
        vga_text_style(vga, &picture->text);
    VgaScan scan, previous = {0};
    vga_scan_start(state, &scan);
    for (uint32_t y = 0; y < picture->height; y++) {
        uint32_t *line = display_surface_line(surface, y);
        if (y != 0 && same_content(state, picture, &scan, &previous)) {
            memcpy(line, line - surface->stride, picture->width * sizeof line[0]);
        } else {
            uint32_t step = draw_line(vga, picture, &scan, pixels);
            uint32_t panning = scan.panning < step ? scan.panning : step;
            colour_line(picture, pixels + panning, line);
        }
        previous = scan;
        vga_scan_next(state, &scan);
    }
}

/* ---- What is to be drawn ---- */

static bool is_blank(const VgaState *state) {
    return (state->attribute_index & ATTRIBUTE_INDEX_SCREEN_ON) == 0 ||
           (state->sequencer[SEQUENCER_CLOCKING_MODE] & CLOCKING_SCREEN_OFF) != 0;
}

static void describe_size(const VgaState *state, Picture *picture) {
    uint8_t clocking = state->sequencer[SEQUENCER_CLOCKING_MODE];
    if (vbe_is_enabled(state)) {
        vbe_render_size(state, &picture->width, &picture->height);
        return;
    }
    if (state->crtc[CRTC_HORIZONTAL_TOTAL] == 0) { /* no mode was ever set */
        picture->width = DEFAULT_WIDTH;
        picture->height = DEFAULT_HEIGHT;
        return;
    }
    bool nine = vga_is_text(state) && (clocking & CLOCKING_EIGHT_DOTS) == 0;
    picture->columns = vga_columns(state);
    picture->repeat = (clocking & CLOCKING_HALF_RATE) != 0 ? 2 : 1;
    picture->width = picture->columns * (nine ? 9 : 8) * picture->repeat;
    picture->height = vga_vertical_display_lines(state);
}

static void describe(const VgaState *state, Picture *picture) {
    describe_size(state, picture);
    uint8_t mode = state->graphics[GRAPHICS_MODE];
    if (is_blank(state) || (picture->columns == 0 && !vbe_is_enabled(state)))
        picture->kind = PICTURE_BLANK;
    else if (vbe_is_enabled(state))
        picture->kind = PICTURE_VBE;
    else if (vga_is_text(state))
        picture->kind = PICTURE_TEXT;
    else if ((mode & GRAPHICS_MODE_SHIFT_256) != 0)
        picture->kind = PICTURE_256;
    else if ((mode & GRAPHICS_MODE_SHIFT_INTERLEAVED) != 0)
        picture->kind = PICTURE_INTERLEAVED;
    else
        picture->kind = PICTURE_PLANAR;
    if (picture->kind == PICTURE_256)
        picture->repeat *= 2;
}

/* The classic modes fill a 4:3 screen; VBE modes too where that makes pixels half or twice as
 * high as wide, else their pixels are square. */
static void set_aspect(DisplaySurface *surface, bool vbe) {
    bool low = surface->height < 400 || (surface->width == 640 && surface->height == 400);
    bool square = vbe && !low;
    surface->aspect_width = square ? surface->width : 4;
    surface->aspect_height = square ? surface->height : 3;
}

static bool any_page_written(const Vga *vga, uint32_t pages) {
    for (uint32_t page = 0; page < pages; page++)
        if (vga->touched[page] != 0 || (vga->flags[page] & PAGE_DIRTY_DISPLAY) != 0)
            return true;
    return false;
}

static void forget_written(Vga *vga) {
    memset(vga->touched, 0, sizeof vga->touched);
    physical_map_clear_dirty_flags(vga->context.memory, vga->flags, VGA_VRAM_PAGES,
                                   PAGE_DIRTY_DISPLAY);
}

static void draw(Vga *vga, Picture *picture, DisplaySurface *surface, bool all) {
    surface->first_changed_line = 0;
    surface->changed_lines = surface->height;
    if (picture->kind == PICTURE_VBE)
        vbe_render_lines(vga, surface, all);
    else if (picture->kind == PICTURE_BLANK)
        memset(surface->pixels, 0, (size_t)surface->stride * surface->height * sizeof(uint32_t));
    else
        draw_lines(vga, picture, surface);
}

bool vga_render(Vga *vga, DisplaySurface *surface) {
    const VgaState *state = &vga->state;
    Picture picture = {.repeat = 1};
    describe(state, &picture);
    display_surface_resize(surface, picture.width, picture.height);
    set_aspect(surface, vbe_is_enabled(state));

    bool all =
        vga->picture_changed || surface->content_id == 0 || surface->content_id != vga->content_id;
    uint64_t phase = picture.kind == PICTURE_TEXT ? vga_text_blink_phase(vga) : 0;
    all |= phase != vga->blink_phase;
    uint32_t pages = picture.kind == PICTURE_VBE ? VGA_VRAM_PAGES : VGA_LEGACY_PAGES;
    bool written = picture.kind != PICTURE_BLANK && any_page_written(vga, pages);
    surface->changed_lines = 0;
    if (all || written)
        draw(vga, &picture, surface, all);
    if (surface->changed_lines == 0)
        return false;
    forget_written(vga);
    vga->picture_changed = false;
    vga->blink_phase = phase;
    surface->content_id = ++vga->content_id;
    return true;
}
