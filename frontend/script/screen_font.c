#include "screen_font.h"
#include "allocate.h"
#include "character_codes.h"
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS_FIRST = 512, /* a power of two */
    ROW_BITS = 32,
    SPACE_COLUMNS = 3, /* until a space was learned */
};

static ScreenFont *create_empty(uint32_t width, uint32_t height, Error *error) {
    if (width == 0 || width > FONT_WIDTH_MAXIMUM || height == 0 || height > FONT_HEIGHT_MAXIMUM) {
        error_set(error, "a font's characters are 1x1 to %dx%d pixels, not %ux%u",
                  FONT_WIDTH_MAXIMUM, FONT_HEIGHT_MAXIMUM, width, height);
        return NULL;
    }
    ScreenFont *font = allocate_zeroed(sizeof *font);
    font->width = width;
    font->height = height;
    font->slot_count = SLOTS_FIRST;
    font->slots = allocate_zeroed(font->slot_count * sizeof font->slots[0]);
    return font;
}

ScreenFont *screen_font_create(uint32_t width, uint32_t height, Error *error) {
    static const uint32_t blank[FONT_HEIGHT_MAXIMUM] = {0};
    ScreenFont *font = create_empty(width, height, error);
    if (font != NULL)
        screen_font_add(font, blank, ' ');
    return font;
}

ScreenFont *screen_font_create_proportional(uint32_t height, Error *error) {
    ScreenFont *font = create_empty(FONT_WIDTH_MAXIMUM, height, error);
    if (font != NULL) {
        font->proportional = true;
        font->space_columns = SPACE_COLUMNS;
    }
    return font;
}

static void *copy_array(const void *from, size_t size) {
    void *copy = allocate_zeroed(size + 1);
    if (size > 0)
        memcpy(copy, from, size);
    return copy;
}

ScreenFont *screen_font_copy(const ScreenFont *font) {
    ScreenFont *copy = copy_array(font, sizeof(*font));
    copy->glyphs = copy_array(font->glyphs, font->count * sizeof(*font->glyphs));
    copy->capacity = font->count;
    copy->slots = copy_array(font->slots, font->slot_count * sizeof(*font->slots));
    copy->aliases = copy_array(font->aliases, font->alias_count * sizeof(*font->aliases));
    copy->alias_capacity = font->alias_count;
    return copy;
}

void screen_font_free(ScreenFont *font) {
    if (font == NULL)
        return;
    free(font->glyphs);
    free(font->slots);
    free(font->aliases);
    free(font);
}

/* FNV-1a over the rows, a word at a time. */
static uint32_t hash_rows(const ScreenFont *font, const uint32_t *rows) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (uint32_t row = 0; row < font->height; row++)
        hash = (hash ^ rows[row]) * 0x100000001B3u;
    return (uint32_t)(hash ^ hash >> 32);
}

/* The slot that holds the glyph or, where there is none, the free one for it. */
static size_t find_slot(const ScreenFont *font, const uint32_t *rows) {
    size_t mask = font->slot_count - 1, slot = hash_rows(font, rows) & mask;
    for (; font->slots[slot] != 0; slot = (slot + 1) & mask)
        if (memcmp(font->glyphs[font->slots[slot] - 1].rows, rows, font->height * sizeof rows[0]) ==
            0)
            break;
    return slot;
}

const ScreenGlyph *screen_font_find(const ScreenFont *font, const uint32_t *rows) {
    uint32_t number = font->slots[find_slot(font, rows)];
    return number != 0 ? &font->glyphs[number - 1] : NULL;
}

static void grow_slots(ScreenFont *font) {
    free(font->slots);
    font->slot_count *= 2;
    font->slots = allocate_zeroed(font->slot_count * sizeof font->slots[0]);
    for (size_t i = 0; i < font->count; i++)
        font->slots[find_slot(font, font->glyphs[i].rows)] = (uint32_t)i + 1;
}

static void describe_pixels(const ScreenFont *font, ScreenGlyph *glyph) {
    for (uint32_t row = font->height; row-- != 0;) {
        if (glyph->rows[row] == 0)
            continue;
        glyph->pixels += (uint32_t)__builtin_popcount(glyph->rows[row]);
        glyph->first_row = row;
        glyph->first_column = (uint32_t)__builtin_clz(glyph->rows[row]);
    }
}

uint32_t screen_font_read_as(const ScreenFont *font, uint32_t character) {
    for (size_t i = 0; i < font->alias_count; i++)
        if (font->aliases[i].character == character)
            return font->aliases[i].read_as;
    return character;
}

static void add_alias(ScreenFont *font, uint32_t character, uint32_t read_as) {
    if (character == read_as || screen_font_read_as(font, character) != character)
        return;
    font->aliases = allocate_grow(font->aliases, &font->alias_capacity, font->alias_count + 1,
                                  sizeof font->aliases[0]);
    font->aliases[font->alias_count++] = (ScreenAlias){character, read_as};
}

void screen_font_add(ScreenFont *font, const uint32_t *rows, uint32_t character) {
    size_t slot = find_slot(font, rows);
    if (font->slots[slot] != 0)
        add_alias(font, character, font->glyphs[font->slots[slot] - 1].character);
    if (font->slots[slot] != 0 || font->count == FONT_GLYPHS_MAXIMUM)
        return;
    font->glyphs =
        allocate_grow(font->glyphs, &font->capacity, font->count + 1, sizeof font->glyphs[0]);
    ScreenGlyph *glyph = &font->glyphs[font->count++];
    memset(glyph, 0, sizeof *glyph);
    memcpy(glyph->rows, rows, font->height * sizeof rows[0]);
    glyph->character = character;
    describe_pixels(font, glyph);
    font->slots[slot] = (uint32_t)font->count;
    if (font->count * 2 > font->slot_count)
        grow_slots(font);
}

size_t screen_font_row_bytes(const ScreenFont *font) {
    return (font->width + 7) / 8;
}

void screen_font_add_bytes(ScreenFont *font, const uint8_t *bytes, const uint32_t *characters,
                           size_t count) {
    size_t row_bytes = screen_font_row_bytes(font);
    uint32_t shown = UINT32_MAX << (ROW_BITS - font->width);
    for (size_t i = 0; i < count; i++) {
        uint32_t rows[FONT_HEIGHT_MAXIMUM] = {0};
        for (uint32_t row = 0; row < font->height; row++) {
            for (size_t byte = 0; byte < row_bytes; byte++)
                rows[row] |= (uint32_t)*bytes++ << (ROW_BITS - 8 - 8 * byte);
            rows[row] &= shown;
        }
        screen_font_add(font, rows, characters[i]);
    }
}

/* ---- Fonts of the adapter ---- */

ScreenFont *screen_font_create_code_page_437(const uint8_t *bytes, uint32_t height) {
    ScreenFont *font = screen_font_create(8, height, NULL);
    if (font == NULL)
        return NULL;
    /* What may be typed first: of characters that look the same, it is that one. */
    for (unsigned half = 0; half < 2; half++)
        for (unsigned i = 0; i < FONT_CHARACTERS; i++) {
            uint32_t character = code_page_437[i];
            bool typed = character >= ' ' && character <= '~';
            if (typed == (half == 0))
                screen_font_add_bytes(font, bytes + (size_t)i * height, &character, 1);
        }
    return font;
}
