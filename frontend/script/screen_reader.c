#include "screen_reader.h"
#include "allocate.h"
#include "character_codes.h"
#include "screen_pixels.h"
#include <stdlib.h>
#include <string.h>

enum {
    CELL_COLOURS = 8,      /* text over a picture: more colours in one cell are not looked at */
    SURE_GLYPH_PIXELS = 5, /* fewer of one colour in a picture mean nothing */
};

/* ---- The text ---- */

void screen_text_free(ScreenText *text) {
    byte_buffer_free(&text->utf8);
    free(text->characters);
    memset(text, 0, sizeof *text);
}

static bool is_letter(uint32_t character) {
    return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
           (character >= 'a' && character <= 'z');
}

void screen_text_put(ScreenText *text, uint32_t character, uint32_t x, uint32_t y, uint32_t width) {
    uint8_t bytes[UTF8_BYTES_MAXIMUM];
    if (character != ' ') {
        text->characters = allocate_grow(text->characters, &text->capacity, text->count + 1,
                                         sizeof text->characters[0]);
        text->characters[text->count++] = (ScreenCharacter){text->utf8.size, x, y, width};
    }
    text->letters += is_letter(character);
    text->unknown += character == REPLACEMENT_CHARACTER;
    byte_buffer_append(&text->utf8, bytes, utf8_encode(character, bytes));
}

void screen_text_put_blanks(ScreenText *text, size_t count) {
    for (; count != 0; count--)
        byte_buffer_append(&text->utf8, " ", 1);
}

void screen_text_end_line(ScreenText *text) {
    ByteBuffer *utf8 = &text->utf8;
    while (utf8->size != 0 && utf8->data[utf8->size - 1] == ' ')
        utf8->size--;
    byte_buffer_append(utf8, "\n", 1);
}

static bool is_inside(const ScreenCharacter *character, const ScreenRectangle *area) {
    return character->x >= area->x && character->x - area->x < area->width &&
           character->y >= area->y && character->y - area->y < area->height;
}

bool screen_text_find(const ScreenText *text, const char *wanted, const ScreenRectangle *area,
                      ScreenRectangle *place) {
    size_t size = strlen(wanted);
    for (size_t i = 0; i < text->count; i++) {
        size_t at = text->characters[i].offset;
        if (at + size > text->utf8.size || memcmp(text->utf8.data + at, wanted, size) != 0 ||
            !is_inside(&text->characters[i], area))
            continue;
        uint32_t left = text->characters[i].x, right = left;
        for (size_t j = i; j < text->count && text->characters[j].offset < at + size; j++)
            right = text->characters[j].x + text->characters[j].width;
        *place = (ScreenRectangle){left, text->characters[i].y, right - left, text->cell_height};
        return true;
    }
    return false;
}

/* ---- The picture ---- */

static bool lines_are_doubled(const DisplaySurface *screen, uint32_t times) {
    for (uint32_t y = 0; y < screen->height; y++)
        if (y % times != 0 &&
            memcmp(display_surface_line(screen, y), display_surface_line(screen, y - y % times),
                   screen->width * sizeof(uint32_t)) != 0)
            return false;
    return true;
}

static bool columns_are_doubled(const DisplaySurface *screen, uint32_t times) {
    for (uint32_t y = 0; y < screen->height; y++) {
        const uint32_t *line = display_surface_line(screen, y);
        for (uint32_t x = 0; x < screen->width; x++)
            if (line[x] != line[x - x % times])
                return false;
    }
    return true;
}

/* How often a pixel is repeated: a picture in which all of them are cannot hold text of single
 * dots. */
static uint32_t find_repeat(const DisplaySurface *screen, uint32_t length,
                            bool repeated(const DisplaySurface *, uint32_t)) {
    for (uint32_t times = 4; times > 1; times /= 2)
        if (length % times == 0 && repeated(screen, times))
            return times;
    return 1;
}

void screen_pixels_view(const DisplaySurface *screen, const ScreenRectangle *area,
                        ScreenPixels *pixels, ScreenRectangle *shown) {
    ScreenRectangle all = {0, 0, screen->width, screen->height};
    *shown = area != NULL ? *area : all;
    shown->x = shown->x < screen->width ? shown->x : screen->width;
    shown->y = shown->y < screen->height ? shown->y : screen->height;
    if (shown->width > screen->width - shown->x)
        shown->width = screen->width - shown->x;
    if (shown->height > screen->height - shown->y)
        shown->height = screen->height - shown->y;
    uint32_t wide = pixels->wide = find_repeat(screen, screen->width, columns_are_doubled);
    uint32_t high = pixels->high = find_repeat(screen, screen->height, lines_are_doubled);
    pixels->first = shown->width != 0 && shown->height != 0
                        ? display_surface_line(screen, shown->y) + shown->x
                        : screen->pixels;
    pixels->step_x = wide;
    pixels->step_y = (size_t)screen->stride * high;
    pixels->width = shown->width / wide;
    pixels->height = shown->height / high;
}

/* ---- A cell ---- */

typedef struct CellColours {
    uint32_t colour[CELL_COLOURS];
    unsigned count; /* CELL_COLOURS + 1: more than there is room for */
} CellColours;

static void note_colour(CellColours *colours, uint32_t colour) {
    for (unsigned i = 0; i < colours->count; i++)
        if (colours->colour[i] == colour)
            return;
    if (colours->count < CELL_COLOURS)
        colours->colour[colours->count] = colour;
    colours->count++;
}

static void collect_colours(const ScreenPixels *pixels, const ScreenFont *font, uint32_t x,
                            uint32_t y, CellColours *colours) {
    colours->count = 1;
    colours->colour[0] = screen_pixel(pixels, x, y);
    uint32_t last = colours->colour[0];
    for (uint32_t row = 0; row < font->height; row++)
        for (uint32_t column = 0; column < font->width; column++) {
            uint32_t colour = screen_pixel(pixels, x + column, y + row);
            if (colour == last)
                continue;
            last = colour;
            note_colour(colours, colour);
            if (colours->count > CELL_COLOURS)
                return;
        }
}

static const ScreenGlyph *find_glyph(const ScreenPixels *pixels, const ScreenFont *font, uint32_t x,
                                     uint32_t y, uint32_t foreground) {
    uint32_t rows[FONT_HEIGHT_MAXIMUM];
    screen_cell_bits(pixels, x, y, font, foreground, rows);
    return screen_font_find(font, rows);
}

/* Of characters that are each other's negative, as left and right half block, the one whose
 * background the cell before had. */
static uint32_t read_two_colours(const ScreenPixels *pixels, const ScreenFont *font, uint32_t x,
                                 uint32_t y, const CellColours *colours, uint32_t *background) {
    unsigned back = colours->colour[1] == *background ? 1 : 0;
    for (unsigned attempt = 0; attempt < 2; attempt++, back ^= 1) {
        const ScreenGlyph *glyph = find_glyph(pixels, font, x, y, colours->colour[back ^ 1]);
        if (glyph != NULL) {
            *background = colours->colour[back];
            return glyph->character;
        }
    }
    return REPLACEMENT_CHARACTER;
}

/* Text of one colour over a picture. */
static uint32_t read_many_colours(const ScreenPixels *pixels, const ScreenFont *font, uint32_t x,
                                  uint32_t y, const CellColours *colours) {
    uint32_t character = REPLACEMENT_CHARACTER, most = SURE_GLYPH_PIXELS - 1;
    if (colours->count > CELL_COLOURS)
        return character;
    for (unsigned i = 0; i < colours->count; i++) {
        const ScreenGlyph *glyph = find_glyph(pixels, font, x, y, colours->colour[i]);
        if (glyph == NULL || glyph->pixels <= most)
            continue;
        most = glyph->pixels;
        character = glyph->character;
    }
    return character;
}

static uint32_t read_cell(const ScreenPixels *pixels, const ScreenFont *font, uint32_t x,
                          uint32_t y, uint32_t *background) {
    CellColours colours;
    collect_colours(pixels, font, x, y, &colours);
    if (colours.count == 1) {
        *background = colours.colour[0];
        return ' ';
    }
    if (colours.count == 2)
        return read_two_colours(pixels, font, x, y, &colours, background);
    return read_many_colours(pixels, font, x, y, &colours);
}

void screen_text_read_grid(const DisplaySurface *screen, const ScreenRectangle *area,
                           const ScreenFont *font, ScreenText *text) {
    ScreenPixels pixels;
    ScreenRectangle shown;
    screen_pixels_view(screen, area, &pixels, &shown);
    text->cell_width = font->width * pixels.wide;
    text->cell_height = font->height * pixels.high;
    for (uint32_t y = 0; y + font->height <= pixels.height; y += font->height) {
        uint32_t background = screen_pixel(&pixels, 0, y);
        for (uint32_t x = 0; x + font->width <= pixels.width; x += font->width)
            screen_text_put(text, read_cell(&pixels, font, x, y, &background),
                            shown.x + x * pixels.wide, shown.y + y * pixels.high, text->cell_width);
        screen_text_end_line(text);
    }
}
