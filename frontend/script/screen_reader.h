/* Reads text from pictures, exactly: a cell is a character if its pixels are those of a glyph of
 * the font, in any two colours. */
#ifndef REPRISE_SCREEN_READER_H
#define REPRISE_SCREEN_READER_H

#include "byte_buffer.h"
#include "display_surface.h"
#include "screen_compare.h"
#include "screen_font.h"

/* A character that was read, and where its cell is on the screen. */
typedef struct ScreenCharacter {
    size_t offset; /* in the text */
    uint32_t x, y, width;
} ScreenCharacter;

typedef struct ScreenText {
    ByteBuffer utf8;             /* lines without the spaces at their ends, each with a line feed */
    ScreenCharacter *characters; /* all but spaces, in the order of the text */
    size_t count, capacity;
    uint32_t cell_width, cell_height; /* on the screen; the width is that of spaces */
    /* Letters and digits: how much of the font was recognised. */
    uint32_t letters;
    uint32_t unknown; /* cells of a grid that are no character */
} ScreenText;

void screen_text_free(ScreenText *text);
/* Where on the screen the text 'wanted' begins, inside 'area', and how large it is. False: it is
 * not there. */
bool screen_text_find(const ScreenText *text, const char *wanted, const ScreenRectangle *area,
                      ScreenRectangle *place);

/* Reads characters that stand in columns and rows from the upper left corner of 'area' on; what is
 * none becomes U+FFFD. 'area' in dots of the screen, NULL: all of it. */
void screen_text_read_grid(const DisplaySurface *screen, const ScreenRectangle *area,
                           const ScreenFont *font, ScreenText *text);
/* Reads characters wherever they stand, and leaves everything else out: windows over pictures. Two
 * characters side by side, at least, are text. */
void screen_text_search(const DisplaySurface *screen, const ScreenRectangle *area,
                        const ScreenFont *font, ScreenText *text);

/* Characters in a picture, from which a font is learned: 'text' (UTF-8, lines ended by line feeds)
 * in columns and rows from (x, y) on, 'spacing' dots apart; of a proportional font, in lines up to
 * 'width' dots long, each character in one piece. */
typedef struct ScreenLesson {
    const char *text;
    uint32_t x, y, spacing;
    uint32_t width; /* 0: to the right edge */
    bool has_colour;
    uint32_t colour; /* that the characters have; without, all pixels that are not background, the
                        colour that most have */
} ScreenLesson;

/* Adds to the font what these characters look like. False: they would leave the screen, have more
 * than two colours where none is said, do not come in as many pieces, or the text is no UTF-8. */
bool screen_font_learn(ScreenFont *font, const DisplaySurface *screen, const ScreenLesson *lesson,
                       Error *error);

/* For the files of the reader. */
struct ScreenPixels;
void screen_pixels_view(const DisplaySurface *screen, const ScreenRectangle *area,
                        struct ScreenPixels *pixels, ScreenRectangle *shown);
void screen_text_put(ScreenText *text, uint32_t character, uint32_t x, uint32_t y, uint32_t width);
void screen_text_put_blanks(ScreenText *text, size_t count);
void screen_text_end_line(ScreenText *text);

#endif
