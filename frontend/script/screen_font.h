/* A font of bitmaps of one size, by which text is read from pictures: found by bits, not by
 * character. */
#ifndef REPRISE_SCREEN_FONT_H
#define REPRISE_SCREEN_FONT_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FONT_WIDTH_MAXIMUM = 32,
    FONT_HEIGHT_MAXIMUM = 64,
    FONT_GLYPHS_MAXIMUM = 1 << 16,
    FONT_CHARACTERS = 256, /* of a font in the adapter's format */
};

typedef struct ScreenGlyph {
    uint32_t rows[FONT_HEIGHT_MAXIMUM]; /* bit 31 is the leftmost pixel */
    uint32_t character;                 /* Unicode */
    uint32_t pixels;                    /* so many are set */
    uint32_t first_row, first_column;   /* the leftmost pixel of the topmost row that has any */
} ScreenGlyph;

/* Two characters that look the same, as 0 and O in some fonts: text is read as the first. */
typedef struct ScreenAlias {
    uint32_t character, read_as;
} ScreenAlias;

typedef struct ScreenFont {
    uint32_t width, height; /* of a cell */
    /* Characters are as wide as their pixels, each in one piece, with blank columns between them;
     * 'width' is what none exceeds. So many blank columns and more are a space. */
    bool proportional;
    uint32_t space_columns;
    ScreenGlyph *glyphs;
    size_t count, capacity;
    uint32_t *slots; /* hash table of glyph numbers + 1; 0: free */
    size_t slot_count;
    ScreenAlias *aliases;
    size_t alias_count, alias_capacity;
} ScreenFont;

/* A font that knows nothing but the space. NULL: no such size. */
ScreenFont *screen_font_create(uint32_t width, uint32_t height, Error *error);
/* One whose characters have widths of their own. */
ScreenFont *screen_font_create_proportional(uint32_t height, Error *error);
void screen_font_free(ScreenFont *font);
ScreenFont *screen_font_copy(const ScreenFont *font);

/* Adds what a character looks like: 'height' rows. Where another looks the same, that one stays,
 * and this becomes an alias of it. */
void screen_font_add(ScreenFont *font, const uint32_t *rows, uint32_t character);
/* Adds characters in the format of adapters: a row is as many bytes as its width needs, the highest
 * bit leftmost; character after character. 'characters' says what they are. */
void screen_font_add_bytes(ScreenFont *font, const uint8_t *bytes, const uint32_t *characters,
                           size_t count);
size_t screen_font_row_bytes(const ScreenFont *font);

/* The glyph with exactly these pixels, or NULL. */
const ScreenGlyph *screen_font_find(const ScreenFont *font, const uint32_t *rows);

/* The character that this one is read as: itself or, of an alias, the other. */
uint32_t screen_font_read_as(const ScreenFont *font, uint32_t character);

/* A font as bios_font.h describes them. */
ScreenFont *screen_font_create_code_page_437(const uint8_t *bytes, uint32_t height);

#endif
