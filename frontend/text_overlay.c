#include "text_overlay.h"
#include "allocate.h"
#include "bios_font.h"
#include "character_codes.h"
#include "firmware.h"

#include <stdlib.h>
#include <string.h>

/* Code page 437. */
enum {
    FRAME_HORIZONTAL = 0xCD,
    FRAME_VERTICAL = 0xBA,
    FRAME_TOP_LEFT = 0xC9,
    FRAME_TOP_RIGHT = 0xBB,
    FRAME_BOTTOM_LEFT = 0xC8,
    FRAME_BOTTOM_RIGHT = 0xBC,
};

#define OPAQUE 0xFF000000u

/* AARRGGBBh: foreground, background. */
static const uint32_t colours[TEXT_COLOURS][2] = {
    [TEXT_CLEAR] = {0, 0},
    [TEXT_NORMAL] = {0xFFE8E8E8, 0xF8102030},
    [TEXT_DIM] = {0xFF90A8B8, 0xF8102030},
    [TEXT_CHOSEN] = {0xFF081018, 0xFF7FE0B0},
    [TEXT_TITLE] = {0xFF7FE0B0, 0xF8102030},
    [TEXT_LIGHT] = {0xFFFFB040, 0xF8102030},
};

static uint8_t *load_font(const char *firmware_folder) {
    ByteBuffer rom = {.data = NULL};
    Error error = {.set = false};
    uint8_t *font = NULL;
    if (firmware_load(FIRMWARE_VGA_BIOS, firmware_folder, &rom, &error)) {
        size_t at = bios_font_search(rom.data, rom.size, TEXT_OVERLAY_CELL_HEIGHT);
        size_t size = BIOS_FONT_CHARACTERS * TEXT_OVERLAY_CELL_HEIGHT;
        if (at != SIZE_MAX) {
            font = allocate_zeroed(size);
            memcpy(font, rom.data + at, size);
        }
    }
    byte_buffer_free(&rom);
    return font;
}

bool text_overlay_init(TextOverlay *overlay, unsigned columns, unsigned rows,
                       const char *firmware_folder) {
    *overlay = (TextOverlay){.columns = columns, .rows = rows, .font = load_font(firmware_folder)};
    if (overlay->font == NULL)
        return false;
    overlay->cells = allocate_zeroed((size_t)columns * rows * sizeof(TextCell));
    overlay->pixels = allocate_zeroed((size_t)columns * rows * TEXT_OVERLAY_CELL_WIDTH *
                                      TEXT_OVERLAY_CELL_HEIGHT * sizeof(uint32_t));
    return true;
}

void text_overlay_free(TextOverlay *overlay) {
    free(overlay->cells);
    free(overlay->font);
    free(overlay->pixels);
    *overlay = (TextOverlay){.columns = 0};
}

void text_overlay_clear(TextOverlay *overlay) {
    memset(overlay->cells, 0, (size_t)overlay->columns * overlay->rows * sizeof(TextCell));
    overlay->picture.pixels = NULL;
}

static void put(TextOverlay *overlay, unsigned column, unsigned row, uint8_t character,
                TextColour colour) {
    if (column < overlay->columns && row < overlay->rows)
        overlay->cells[row * overlay->columns + column] = (TextCell){character, (uint8_t)colour};
}

void text_overlay_fill(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                       unsigned rows, TextColour colour) {
    for (unsigned y = 0; y < rows; y++)
        for (unsigned x = 0; x < columns; x++)
            put(overlay, column + x, row + y, ' ', colour);
}

static uint8_t find_code(uint32_t character) {
    for (unsigned code = 1; code < BIOS_FONT_CHARACTERS; code++)
        if (code_page_437[code] == character)
            return (uint8_t)code;
    return '?';
}

void text_overlay_print(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                        TextColour colour, const char *text) {
    size_t left = strlen(text), used;
    bool cut = text_overlay_width(text) > columns;
    for (unsigned i = 0; i < columns && left != 0; i++, text += used, left -= used) {
        uint32_t character = utf8_decode((const uint8_t *)text, left, &used);
        bool dot = cut && i + 2 >= columns;
        put(overlay, column + i, row, dot ? '.' : find_code(character), colour);
    }
}

void text_overlay_frame(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                        unsigned rows, TextColour colour) {
    unsigned right = column + columns - 1, bottom = row + rows - 1;
    for (unsigned x = column + 1; x < right; x++) {
        put(overlay, x, row, FRAME_HORIZONTAL, colour);
        put(overlay, x, bottom, FRAME_HORIZONTAL, colour);
    }
    for (unsigned y = row + 1; y < bottom; y++) {
        put(overlay, column, y, FRAME_VERTICAL, colour);
        put(overlay, right, y, FRAME_VERTICAL, colour);
    }
    put(overlay, column, row, FRAME_TOP_LEFT, colour);
    put(overlay, right, row, FRAME_TOP_RIGHT, colour);
    put(overlay, column, bottom, FRAME_BOTTOM_LEFT, colour);
    put(overlay, right, bottom, FRAME_BOTTOM_RIGHT, colour);
}

static void draw_cell(TextOverlay *overlay, unsigned column, unsigned row) {
    const TextCell *cell = &overlay->cells[row * overlay->columns + column];
    const uint8_t *glyph = overlay->font + cell->character * TEXT_OVERLAY_CELL_HEIGHT;
    size_t stride = (size_t)overlay->columns * TEXT_OVERLAY_CELL_WIDTH;
    uint32_t *pixels = overlay->pixels + row * TEXT_OVERLAY_CELL_HEIGHT * stride +
                       (size_t)column * TEXT_OVERLAY_CELL_WIDTH;
    for (unsigned y = 0; y < TEXT_OVERLAY_CELL_HEIGHT; y++, pixels += stride)
        for (unsigned x = 0; x < TEXT_OVERLAY_CELL_WIDTH; x++)
            pixels[x] = colours[cell->colour][(glyph[y] >> (7 - x) & 1) == 0];
}

void text_overlay_set_picture(TextOverlay *overlay, unsigned column, unsigned row, unsigned width,
                              unsigned height, const uint32_t *pixels) {
    overlay->picture.column = column;
    overlay->picture.row = row;
    overlay->picture.width = width;
    overlay->picture.height = height;
    overlay->picture.pixels = pixels;
}

static void draw_picture(TextOverlay *overlay) {
    unsigned stride = overlay->columns * TEXT_OVERLAY_CELL_WIDTH;
    unsigned left = overlay->picture.column * TEXT_OVERLAY_CELL_WIDTH;
    unsigned top = overlay->picture.row * TEXT_OVERLAY_CELL_HEIGHT;
    const uint32_t *from = overlay->picture.pixels;
    for (unsigned y = 0; y < overlay->picture.height; y++, from += overlay->picture.width)
        for (unsigned x = 0; x < overlay->picture.width; x++)
            if (left + x < stride && top + y < overlay->rows * TEXT_OVERLAY_CELL_HEIGHT)
                overlay->pixels[(top + y) * stride + left + x] = OPAQUE | from[x];
}

void text_overlay_draw(TextOverlay *overlay) {
    for (unsigned row = 0; row < overlay->rows; row++)
        for (unsigned column = 0; column < overlay->columns; column++)
            draw_cell(overlay, column, row);
    if (overlay->picture.pixels != NULL)
        draw_picture(overlay);
}

unsigned text_overlay_width(const char *text) {
    unsigned width = 0;
    size_t used;
    for (size_t left = strlen(text); left != 0; left -= used, text += used, width++)
        utf8_decode((const uint8_t *)text, left, &used);
    return width;
}
