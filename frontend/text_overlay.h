/* A text screen of our own, which the window lays over the guest's picture: menus, lists, hints. It
 * knows no window system; it makes pixels. */
#ifndef REPRISE_TEXT_OVERLAY_H
#define REPRISE_TEXT_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TEXT_OVERLAY_CELL_WIDTH = 8, /* pixels */
    TEXT_OVERLAY_CELL_HEIGHT = 16,
};

typedef enum TextColour {
    TEXT_CLEAR, /* nothing: the guest's picture is seen */
    TEXT_NORMAL,
    TEXT_DIM,
    TEXT_CHOSEN,
    TEXT_TITLE,
    TEXT_LIGHT, /* a lamp that is lit */
    TEXT_COLOURS
} TextColour;

typedef struct TextCell {
    uint8_t character; /* of code page 437 */
    uint8_t colour;
} TextCell;

typedef struct TextOverlay {
    unsigned columns, rows;
    TextCell *cells;
    uint8_t *font;    /* a byte a row, TEXT_OVERLAY_CELL_HEIGHT rows a character */
    uint32_t *pixels; /* AARRGGBBh, columns * 8 by rows * 16 */
    struct {
        unsigned column, row, width, height;
        const uint32_t *pixels; /* 00RRGGBBh; NULL: none */
    } picture;                  /* over the cells */
} TextOverlay;

/* The font is that of the VGA BIOS, found where 'firmware_folder' (may be NULL) and the
 * distribution have it. False where there is none: there can be no overlay then. */
bool text_overlay_init(TextOverlay *overlay, unsigned columns, unsigned rows,
                       const char *firmware_folder);
void text_overlay_free(TextOverlay *overlay);

void text_overlay_clear(TextOverlay *overlay);
/* What lies outside of the overlay is left out, here and below. */
void text_overlay_fill(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                       unsigned rows, TextColour colour);
/* UTF-8, at most so many columns; the end of a longer text is cut off and marked by dots. */
void text_overlay_print(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                        TextColour colour, const char *text);
/* A double frame round a rectangle of cells. */
void text_overlay_frame(TextOverlay *overlay, unsigned column, unsigned row, unsigned columns,
                        unsigned rows, TextColour colour);

/* Lays a picture over the cells, until the overlay is cleared; its pixels must stay as long. */
void text_overlay_set_picture(TextOverlay *overlay, unsigned column, unsigned row, unsigned width,
                              unsigned height, const uint32_t *pixels);

/* Makes the pixels of the cells and the picture. */
void text_overlay_draw(TextOverlay *overlay);

/* How many columns a text takes. */
unsigned text_overlay_width(const char *text);

#endif
