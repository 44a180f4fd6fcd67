/* Learns what a font's characters look like from a picture of them. */
#include "allocate.h"
#include "character_codes.h"
#include "screen_pixels.h"
#include "screen_reader.h"
#include <stdlib.h>
#include <string.h>

enum { COLOURS_COUNTED = 64 };

/* The colour that most pixels of an area have, as far as it is among the first so many. */
static uint32_t find_background(const ScreenPixels *pixels, const ScreenRectangle *area) {
    uint32_t colours[COLOURS_COUNTED] = {0}, counts[COLOURS_COUNTED] = {0}, known = 0, most = 0;
    for (uint32_t y = area->y; y < area->y + area->height; y++)
        for (uint32_t x = area->x; x < area->x + area->width; x++) {
            uint32_t colour = screen_pixel(pixels, x, y), i = 0;
            while (i < known && colours[i] != colour)
                i++;
            if (i == known && known < COLOURS_COUNTED)
                colours[known++] = colour;
            if (i < known && ++counts[i] > counts[most])
                most = i;
        }
    return colours[most];
}

typedef struct Learning {
    ScreenFont *font;
    const ScreenLesson *lesson;
    ScreenPixels pixels;
    uint32_t background;
    uint32_t letter_gap, space_gap; /* blank columns within words, between words; 0: unknown */
} Learning;

/* Whether the pixels of a cell have no other colours than the background's and one more. */
static bool has_two_colours(const Learning *learning, uint32_t x, uint32_t y) {
    uint32_t foreground = learning->background;
    for (uint32_t row = 0; row < learning->font->height; row++)
        for (uint32_t column = 0; column < learning->font->width; column++) {
            uint32_t colour = screen_pixel(&learning->pixels, x + column, y + row);
            if (colour == learning->background || colour == foreground)
                continue;
            if (foreground != learning->background)
                return false;
            foreground = colour;
        }
    return true;
}

static bool learn_cell(const Learning *learning, uint32_t x, uint32_t y, uint32_t character,
                       Error *error) {
    ScreenFont *font = learning->font;
    const ScreenLesson *lesson = learning->lesson;
    uint32_t rows[FONT_HEIGHT_MAXIMUM];
    if (!lesson->has_colour && !has_two_colours(learning, x, y))
        return error_set(error, "the character at (%u, %u) has more than two colours: say 'colour'",
                         x * learning->pixels.wide, y * learning->pixels.high);
    screen_cell_bits(&learning->pixels, x, y, font,
                     lesson->has_colour ? lesson->colour : learning->background, rows);
    for (uint32_t row = 0; row < font->height && !lesson->has_colour; row++)
        rows[row] = ~rows[row] & UINT32_MAX << (32 - font->width);
    screen_font_add(font, rows, character);
    return true;
}

/* The cells of a line. */
static bool learn_line(const Learning *learning, uint32_t x, uint32_t y, const char *text,
                       size_t size, Error *error) {
    for (size_t at = 0, used; at < size; at += used, x += learning->lesson->spacing) {
        uint32_t character = utf8_decode((const uint8_t *)text + at, size - at, &used);
        if (character == REPLACEMENT_CHARACTER)
            return error_set(error, "the text is not UTF-8");
        if (!learn_cell(learning, x, y, character, error))
            return false;
    }
    return true;
}

/* ---- Proportional fonts ---- */

/* Whether a pixel belongs to a character. */
static bool is_ink(const Learning *learning, uint32_t x, uint32_t y) {
    uint32_t colour = screen_pixel(&learning->pixels, x, y);
    const ScreenLesson *lesson = learning->lesson;
    return lesson->has_colour ? colour == lesson->colour : colour != learning->background;
}

static bool column_has_ink(const Learning *learning, uint32_t x, uint32_t y) {
    for (uint32_t row = 0; row < learning->font->height; row++)
        if (is_ink(learning, x, y + row))
            return true;
    return false;
}

/* The columns [*start, *end) of the next piece from x on. False: there is none before 'limit'. */
static bool find_piece(const Learning *learning, uint32_t x, uint32_t y, uint32_t limit,
                       uint32_t *start, uint32_t *end) {
    while (x < limit && !column_has_ink(learning, x, y))
        x++;
    *start = x;
    while (x < limit && column_has_ink(learning, x, y))
        x++;
    *end = x;
    return *end != *start;
}

static void learn_piece(const Learning *learning, uint32_t x, uint32_t y, uint32_t width,
                        uint32_t character) {
    uint32_t rows[FONT_HEIGHT_MAXIMUM] = {0};
    for (uint32_t row = 0; row < learning->font->height; row++)
        for (uint32_t column = 0; column < width; column++)
            if (is_ink(learning, x + column, y + row))
                rows[row] |= 0x80000000u >> column;
    screen_font_add(learning->font, rows, character);
}

/* How many blank columns are a space, from the widest gap within words and the narrowest between
 * words. */
static void learn_gap(Learning *learning, uint32_t gap, bool is_space) {
    if (is_space && (learning->space_gap == 0 || gap < learning->space_gap))
        learning->space_gap = gap;
    if (!is_space && gap > learning->letter_gap)
        learning->letter_gap = gap;
    if (learning->space_gap > learning->letter_gap)
        learning->font->space_columns = (learning->letter_gap + learning->space_gap + 1) / 2;
}

static bool learn_proportional_line(Learning *learning, const ScreenRectangle *area, uint32_t y,
                                    const char *text, size_t size, Error *error) {
    uint32_t limit = area->x + area->width, start, end = 0, pieces = 0;
    bool space = false;
    for (size_t at = 0, used; at < size; at += used) {
        uint32_t character = utf8_decode((const uint8_t *)text + at, size - at, &used);
        if (character == REPLACEMENT_CHARACTER)
            return error_set(error, "the text is not UTF-8");
        space |= character == ' ';
        if (character == ' ')
            continue;
        uint32_t before = end;
        if (!find_piece(learning, pieces == 0 ? area->x : end, y, limit, &start, &end))
            return error_set(error, "the text has more characters than the %u pieces there are",
                             pieces);
        if (end - start > learning->font->width)
            return error_set(error, "piece %u is %u pixels wide: characters touch", pieces + 1,
                             end - start);
        if (pieces++ != 0)
            learn_gap(learning, start - before, space);
        learn_piece(learning, start, y, end - start, character);
        space = false;
    }
    return true;
}

/* ---- The lesson ---- */

/* The area of all cells; false: it would leave the picture. */
static bool find_area(const Learning *learning, ScreenRectangle *area, Error *error) {
    uint64_t columns = 0, lines = 0;
    for (const char *at = learning->lesson->text; *at != '\0'; lines++) {
        size_t size = strcspn(at, "\n"), characters = 0;
        for (size_t i = 0; i < size; i++)
            characters += (at[i] & 0xC0) != 0x80;
        columns = characters > columns ? characters : columns;
        at += size + (at[size] == '\n');
    }
    const ScreenPixels *pixels = &learning->pixels;
    uint64_t width =
        columns == 0 ? 0 : (columns - 1) * learning->lesson->spacing + learning->font->width;
    if (learning->font->proportional) {
        uint32_t room = pixels->width > area->x ? pixels->width - area->x : 0;
        width = learning->lesson->width / pixels->wide;
        width = width == 0 || width > room ? room : width;
    }
    uint64_t height = lines * learning->font->height;
    area->width = (uint32_t)width;
    area->height = (uint32_t)height;
    return (area->x + width <= pixels->width && area->y + height <= pixels->height) ||
           error_set(error, "%llux%llu characters from (%u, %u) on leave a picture of %ux%u pixels",
                     (unsigned long long)columns, (unsigned long long)lines, area->x, area->y,
                     pixels->width, pixels->height);
}

bool screen_font_learn(ScreenFont *font, const DisplaySurface *screen, const ScreenLesson *lesson,
                       Error *error) {
    Learning learning = {.font = font, .lesson = lesson};
    ScreenRectangle shown;
    screen_pixels_view(screen, NULL, &learning.pixels, &shown);
    ScreenRectangle area = {lesson->x / learning.pixels.wide, lesson->y / learning.pixels.high, 0,
                            0};
    if (!find_area(&learning, &area, error))
        return false;
    learning.background = find_background(&learning.pixels, &area);
    const char *text = lesson->text;
    for (uint32_t y = area.y; *text != '\0'; y += font->height) {
        size_t size = strcspn(text, "\n");
        bool good = font->proportional
                        ? learn_proportional_line(&learning, &area, y, text, size, error)
                        : learn_line(&learning, area.x, y, text, size, error);
        if (!good)
            return false;
        text += size + (text[size] == '\n');
    }
    return true;
}
