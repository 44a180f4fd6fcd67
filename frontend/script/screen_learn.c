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

/* What is learned, cell by cell. */
typedef struct Lesson {
    ScreenFont *font;
    ScreenPixels pixels;
    uint32_t spacing, background;
} Lesson;

static void learn_cell(const Lesson *lesson, uint32_t x, uint32_t y, uint32_t character) {
    ScreenFont *font = lesson->font;
    uint32_t rows[FONT_HEIGHT_MAXIMUM];
    screen_cell_bits(&lesson->pixels, x, y, font, lesson->background, rows);
    for (uint32_t row = 0; row < font->height; row++)
        rows[row] = ~rows[row] & UINT32_MAX << (32 - font->width);
    screen_font_add(font, rows, character);
}

/* The cells of a line. False: it is no UTF-8. */
static bool learn_line(const Lesson *lesson, uint32_t x, uint32_t y, const char *text, size_t size,
                       Error *error) {
    for (size_t at = 0, used; at < size; at += used, x += lesson->spacing) {
        uint32_t character = utf8_decode((const uint8_t *)text + at, size - at, &used);
        if (character == REPLACEMENT_CHARACTER)
            return error_set(error, "the text is not UTF-8");
        learn_cell(lesson, x, y, character);
    }
    return true;
}

/* The area of all cells; false: it would leave the picture. */
static bool find_area(const Lesson *lesson, const char *text, ScreenRectangle *area, Error *error) {
    uint64_t columns = 0, lines = 0;
    for (const char *at = text; *at != '\0'; lines++) {
        size_t size = strcspn(at, "\n"), characters = 0;
        for (size_t i = 0; i < size; i++)
            characters += (at[i] & 0xC0) != 0x80;
        columns = characters > columns ? characters : columns;
        at += size + (at[size] == '\n');
    }
    uint64_t width = columns == 0 ? 0 : (columns - 1) * lesson->spacing + lesson->font->width;
    uint64_t height = lines * lesson->font->height;
    area->width = (uint32_t)width;
    area->height = (uint32_t)height;
    return (area->x + width <= lesson->pixels.width && area->y + height <= lesson->pixels.height) ||
           error_set(error, "%llux%llu characters from (%u, %u) on leave a picture of %ux%u pixels",
                     (unsigned long long)columns, (unsigned long long)lines, area->x, area->y,
                     lesson->pixels.width, lesson->pixels.height);
}

bool screen_font_learn(ScreenFont *font, const DisplaySurface *screen, uint32_t x, uint32_t y,
                       uint32_t spacing, const char *wanted, Error *error) {
    Lesson lesson = {.font = font, .spacing = spacing};
    ScreenRectangle shown;
    screen_pixels_view(screen, NULL, &lesson.pixels, &shown);
    ScreenRectangle area = {x / lesson.pixels.wide, y / lesson.pixels.high, 0, 0};
    if (!find_area(&lesson, wanted, &area, error))
        return false;
    lesson.background = find_background(&lesson.pixels, &area);
    for (y = area.y; *wanted != '\0'; y += font->height) {
        size_t size = strcspn(wanted, "\n");
        if (!learn_line(&lesson, area.x, y, wanted, size, error))
            return false;
        wanted += size + (wanted[size] == '\n');
    }
    return true;
}
