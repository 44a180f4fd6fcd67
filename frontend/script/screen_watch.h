/* Looking at a machine's screen from outside: what it shows, whether it changed, the text on it.
 * The guest sees nothing of being looked at. */
#ifndef REPRISE_SCREEN_WATCH_H
#define REPRISE_SCREEN_WATCH_H

#include "guest_fonts.h"
#include "screen_compare.h"
#include "screen_reader.h"

typedef struct ScreenWatch {
    Machine *machine;
    DisplaySurface surface;
    uint64_t number; /* of the picture: grows with each one that was drawn */
    GuestFonts fonts;
    /* The text that was read last, from the picture of that number at that time. */
    ByteBuffer text;
    bool has_text;
    int64_t fonts_searched_ns; /* when memory was, last */
    uint64_t text_number;
    int64_t text_ns, text_period_ns;
    /* Where the last comparison failed: for the folder of the failing test. Empty without. */
    DisplaySurface difference;
} ScreenWatch;

ScreenWatch *screen_watch_create(Machine *machine);
void screen_watch_free(ScreenWatch *watch);

/* What the screen shows now; drawn only as far as it changed. */
const DisplaySurface *screen_watch_look(ScreenWatch *watch);

/* Appends the text on the screen, as vga_get_text() does; in graphics modes, what can be read in a
 * font of the BIOS. False: there is none. Not 'fresh': false as well where the picture changed and
 * another was read only some milliseconds ago, for those who ask again and again; reading costs. */
bool screen_watch_text(ScreenWatch *watch, bool fresh, ByteBuffer *text);

/* Reads 'area' (NULL: everything) of a graphics screen in 'font', wherever its characters stand; in
 * NULL: a font of the BIOS, in columns and rows if that reads more. */
void screen_watch_read(ScreenWatch *watch, const ScreenFont *font, const ScreenRectangle *area,
                       ScreenText *text);
/* The characters of a text mode with their places; false in graphics modes. */
bool screen_watch_read_cells(ScreenWatch *watch, ScreenText *text);

#endif
