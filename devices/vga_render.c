/* Draws the picture that registers and video memory describe, as much of it as changed.
 *
 * A line of the classic modes is drawn in two steps: first as colour numbers, one byte a pixel,
 * then through a table of 256 colours, with pixels repeated where the mode makes them wider. Sizes
 * are those that a screen would be driven with: 320x200 of mode 13h makes 640x400. */
#include "cirrus.h"
#include "pixel_formats.h"
#include <string.h>

typedef enum PictureKind {
    PICTURE_BLANK,
    PICTURE_TEXT,
    PICTURE_PLANAR,      /* four planes, a bit each */
    PICTURE_INTERLEAVED, /* two bits a pixel, as CGA */
    PICTURE_256,         /* a byte a pixel */
    PICTURE_VBE,
    PICTURE_CIRRUS, /* packed pixels */
} PictureKind;

enum {
    COLUMNS_MAXIMUM = 257,                  /* one more than shown, for panning */
    DOTS_MAXIMUM = COLUMNS_MAXIMUM * 9 + 7, /* the last character is stored as eight and one */
    PIXELS_MAXIMUM = DOTS_MAXIMUM * 4,
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

uint32_t vga_dac_colour(const VgaState *state, unsigned entry) {
    const uint8_t *rgb = state->dac[entry & state->dac_mask];
    if ((state->vbe[VBE_ENABLE] & VBE_8BIT_DAC) != 0)
        return (uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
    return pixel_widen_six(rgb[0]) << 16 | pixel_widen_six(rgb[1]) << 8 | pixel_widen_six(rgb[2]);
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
static uint32_t draw_line(const Vga *vga, const VgaState *state, const Picture *picture,
                          const VgaScan *scan, uint8_t *pixels) {
    uint32_t columns = picture->columns + 1;
    if (picture->kind == PICTURE_TEXT) {
        vga_text_draw_line(vga, state, &picture->text, scan, columns, pixels);
        return picture->text.dots;
    }
    uint32_t step = picture->kind == PICTURE_256 ? 4 : 8;
    for (uint32_t column = 0; column < columns; column++, pixels += step) {
        uint32_t counter = (scan->row_address + column) & scan->address_mask;
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
    return a->row_address == b->row_address && a->is_split == b->is_split &&
           (!rows_matter || a->row_scan == b->row_scan);
}

/* ---- What is to be drawn ---- */

/* SeaBIOS's vgabios-cirrus leaves the sequencer's screen-off bit set in packed modes. */
static bool is_blank(const Vga *vga, const VgaState *state) {
    return (state->attribute_index & ATTRIBUTE_INDEX_SCREEN_ON) == 0 ||
           ((state->sequencer[SEQUENCER_CLOCKING_MODE] & CLOCKING_SCREEN_OFF) != 0 &&
            !cirrus_is_packed(vga));
}

static void describe_size(const Vga *vga, const VgaState *state, Picture *picture) {
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
    if (!cirrus_is_packed(vga))
        return;
    picture->width = picture->columns * 8;
    if ((vga->cirrus->state.crtc[CR1A_MISCELLANEOUS] & CR1A_INTERLACE) != 0)
        picture->height *= 2;
}

static PictureKind kind_of(const Vga *vga, const VgaState *state, const Picture *picture) {
    uint8_t mode = state->graphics[GRAPHICS_MODE];
    if (is_blank(vga, state) || (picture->columns == 0 && !vbe_is_enabled(state)))
        return PICTURE_BLANK;
    if (vbe_is_enabled(state))
        return PICTURE_VBE;
    if (cirrus_is_packed(vga))
        return PICTURE_CIRRUS;
    if (vga_is_text(state))
        return PICTURE_TEXT;
    if ((mode & GRAPHICS_MODE_SHIFT_256) != 0)
        return PICTURE_256;
    return (mode & GRAPHICS_MODE_SHIFT_INTERLEAVED) != 0 ? PICTURE_INTERLEAVED : PICTURE_PLANAR;
}

/* What may differ from line to line: all but the size. */
static void describe_line(const Vga *vga, const VgaState *state, Picture *picture) {
    bool half = (state->sequencer[SEQUENCER_CLOCKING_MODE] & CLOCKING_HALF_RATE) != 0;
    picture->kind = kind_of(vga, state, picture);
    picture->repeat = (half ? 2 : 1) * (picture->kind == PICTURE_256 ? 2 : 1);
    get_colours(state, picture);
    if (picture->kind == PICTURE_TEXT)
        vga_text_style(vga, state, &picture->text);
}

/* ---- The picture ---- */

static void draw_whole_line(const Vga *vga, const VgaState *state, const Picture *picture,
                            const VgaScan *scan, uint32_t *line) {
    uint8_t pixels[PIXELS_MAXIMUM];
    if (picture->kind == PICTURE_BLANK) {
        memset(line, 0, picture->width * sizeof line[0]);
        return;
    }
    uint32_t step = draw_line(vga, state, picture, scan, pixels);
    uint32_t panning = vga_scan_panning(state, scan);
    /* Dots may become narrower on the way down; the width stays. */
    uint32_t drawn = (picture->columns + 1) * step;
    uint32_t needed = picture->width / picture->repeat + step;
    if (drawn < needed)
        memset(pixels + drawn, 0, needed - drawn);
    colour_line(picture, pixels + (panning < step ? panning : step), line);
}

/* Puts a line where it differs from what is there. */
static void put_line(DisplaySurface *surface, uint32_t y, const uint32_t *line, bool all) {
    uint32_t *target = display_surface_line(surface, y);
    size_t bytes = surface->width * sizeof line[0];
    if (!all && memcmp(target, line, bytes) == 0)
        return;
    memcpy(target, line, bytes);
    display_surface_line_changed(surface, y);
}

/* 'replay': the registers changed on the way; NULL: they are what they are now. */
static void draw_lines(const Vga *vga, Picture *picture, DisplaySurface *surface, VgaReplay *replay,
                       bool all) {
    const VgaState *state = replay != NULL ? &replay->state : &vga->state;
    uint32_t line[PIXELS_MAXIMUM];
    VgaScan scan, previous = {0};
    vga_scan_start(vga, state, &scan);
    for (uint32_t y = 0; y < picture->height; y++) {
        bool changed = replay != NULL && vga_replay_go_to(replay, y);
        if (y == 0 || changed)
            describe_line(vga, state, picture);
        if (y == 0 || changed || !same_content(state, picture, &scan, &previous))
            draw_whole_line(vga, state, picture, &scan, line);
        put_line(surface, y, line, all);
        previous = scan;
        vga_scan_next(state, &scan);
    }
}

static void draw_blank(DisplaySurface *surface) {
    memset(surface->pixels, 0, (size_t)surface->stride * surface->height * sizeof(uint32_t));
    surface->changed_lines = surface->height;
}

/* The classic modes fill a 4:3 screen; VBE modes too where that makes pixels half or twice as
 * high as wide, else their pixels are square. */
static void set_aspect(DisplaySurface *surface, bool vbe) {
    bool low = surface->height < 400 || (surface->width == 640 && surface->height == 400);
    bool square = vbe && !low;
    surface->aspect_width = square ? surface->width : 4;
    surface->aspect_height = square ? surface->height : 3;
}

bool vga_was_written(const Vga *vga, uint64_t first_byte, uint32_t bytes) {
    uint64_t last = (first_byte + bytes - 1) / PAGE_SIZE;
    for (uint64_t page = first_byte / PAGE_SIZE; page <= last; page++)
        if (vga->touched[page] != 0 || (vga->flags[page] & PAGE_DIRTY_DISPLAY) != 0)
            return true;
    return false;
}

static void forget_written(Vga *vga) {
    memset(vga->touched, 0, vga_pages(vga));
    physical_map_clear_dirty_flags(vga->context.memory, vga->flags, vga_pages(vga),
                                   PAGE_DIRTY_DISPLAY);
}

static bool anything_written(const Vga *vga, PictureKind kind) {
    switch (kind) {
    case PICTURE_BLANK:
        return false;
    case PICTURE_CIRRUS:
        return cirrus_cursor_moved(vga) || vga_was_written(vga, 0, vga->vram_bytes);
    case PICTURE_VBE:
        return vga_was_written(vga, 0, vga->vram_bytes);
    default:
        return vga_was_written(vga, 0, vga->cirrus != NULL ? vga->vram_bytes : 4 * VGA_PLANE_BYTES);
    }
}

static void draw(Vga *vga, Picture *picture, DisplaySurface *surface, VgaReplay *replay, bool all) {
    bool classic = picture->kind != PICTURE_VBE && picture->kind != PICTURE_CIRRUS;
    if (picture->kind == PICTURE_VBE)
        vbe_render_lines(vga, surface, all);
    else if (picture->kind == PICTURE_CIRRUS)
        cirrus_render_lines(vga, surface, all);
    else if (picture->kind == PICTURE_BLANK && replay == NULL)
        draw_blank(surface);
    else if (classic && picture->columns != 0)
        draw_lines(vga, picture, surface, replay, surface->content_id == 0);
}

bool vga_render(Vga *vga, DisplaySurface *surface) {
    const VgaState *state = &vga->state;
    Picture picture = {.repeat = 1};
    VgaReplay replay;
    describe_size(vga, state, &picture);
    picture.kind = kind_of(vga, state, &picture);
    display_surface_resize(surface, picture.width, picture.height);
    set_aspect(surface, vbe_is_enabled(state) || cirrus_is_packed(vga));

    bool all =
        vga->picture_changed || surface->content_id == 0 || surface->content_id != vga->content_id;
    uint64_t phase = picture.kind == PICTURE_TEXT ? vga_text_blink_phase(vga) : 0;
    all |= phase != vga->blink_phase;
    surface->changed_lines = surface->first_changed_line = 0;
    if (!all && !anything_written(vga, picture.kind))
        return false;
    bool replays = vga_replay_start(vga, &replay);
    draw(vga, &picture, surface, replays ? &replay : NULL, all);
    forget_written(vga);
    vga->picture_changed = replays; /* the next picture may be another */
    vga->blink_phase = phase;
    if (surface->changed_lines == 0 && surface->content_id == vga->content_id)
        return false;
    surface->content_id = ++vga->content_id;
    return true;
}
