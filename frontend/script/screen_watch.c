#include "screen_watch.h"
#include "allocate.h"
#include "character_codes.h"
#include "machine_parts.h"
#include <stdlib.h>
#include <string.h>

/* Of a picture that goes on changing, text is read so often, and more seldom where it must be
 * looked for. */
#define TEXT_PERIOD_NS (50 * 1000000LL)
#define SOUGHT_TEXT_PERIOD_NS (250 * 1000000LL)
/* Fewer letters in columns and rows may be chance, and the text stand elsewhere. */
#define LETTERS_OF_A_GRID 16
/* Text of which a letter in so many cannot be read is of another font, and that somewhere in
 * memory. Searching there takes a tenth of a second. */
#define LETTERS_PER_UNKNOWN 50
#define SEARCH_PERIOD_NS (5 * NS_PER_SECOND)

ScreenWatch *screen_watch_create(Machine *machine) {
    ScreenWatch *watch = allocate_zeroed(sizeof *watch);
    watch->machine = machine;
    return watch;
}

void screen_watch_free(ScreenWatch *watch) {
    if (watch == NULL)
        return;
    display_surface_free(&watch->surface);
    display_surface_free(&watch->difference);
    guest_fonts_free(&watch->fonts);
    byte_buffer_free(&watch->text);
    free(watch);
}

const DisplaySurface *screen_watch_look(ScreenWatch *watch) {
    if (board_render(&watch->machine->board, &watch->surface))
        watch->number++;
    return &watch->surface;
}

typedef void ReadScreen(const DisplaySurface *screen, const ScreenRectangle *area,
                        const ScreenFont *font, ScreenText *text);

/* Keeps what was read by one of the fonts if it is more than 'best' has. */
static void try_fonts(ScreenWatch *watch, ReadScreen *read, const ScreenRectangle *area,
                      ScreenText *best) {
    const ScreenFont *font;
    for (unsigned i = 0; (font = guest_fonts_get(&watch->fonts, i)) != NULL; i++) {
        ScreenText text = {.letters = 0};
        read(&watch->surface, area, font, &text);
        if (text.letters > best->letters) {
            ScreenText worse = *best;
            *best = text;
            text = worse;
        }
        screen_text_free(&text);
    }
}

static bool find_further_fonts(ScreenWatch *watch) {
    int64_t now_ns = clock_now_ns(&watch->machine->clock);
    int64_t age_ns = now_ns - watch->fonts_searched_ns;
    if (watch->fonts_searched_ns != 0 && age_ns >= 0 && age_ns < SEARCH_PERIOD_NS)
        return false;
    watch->fonts_searched_ns = now_ns;
    return guest_fonts_search_memory(&watch->fonts, watch->machine);
}

void screen_watch_read(ScreenWatch *watch, const ScreenFont *font, const ScreenRectangle *area,
                       ScreenText *text) {
    memset(text, 0, sizeof *text);
    screen_watch_look(watch);
    if (font != NULL) {
        screen_text_search(&watch->surface, area, font, text);
        return;
    }
    guest_fonts_update(&watch->fonts, watch->machine);
    try_fonts(watch, screen_text_read_grid, area, text);
    if (text->letters >= LETTERS_OF_A_GRID && text->unknown * LETTERS_PER_UNKNOWN > text->letters &&
        find_further_fonts(watch))
        try_fonts(watch, screen_text_read_grid, area, text);
    if (text->letters < LETTERS_OF_A_GRID)
        try_fonts(watch, screen_text_search, area, text);
}

static void read_graphics(ScreenWatch *watch) {
    ScreenText text;
    screen_watch_read(watch, NULL, NULL, &text);
    watch->text.size = 0;
    watch->has_text = text.letters != 0;
    watch->text_period_ns =
        text.letters >= LETTERS_OF_A_GRID ? TEXT_PERIOD_NS : SOUGHT_TEXT_PERIOD_NS;
    if (watch->has_text)
        byte_buffer_append(&watch->text, text.utf8.data, text.utf8.size);
    screen_text_free(&text);
    watch->text_number = watch->number;
    watch->text_ns = clock_now_ns(&watch->machine->clock);
}

bool screen_watch_text(ScreenWatch *watch, bool fresh, ByteBuffer *text) {
    if (board_get_text(&watch->machine->board, text))
        return true;
    screen_watch_look(watch);
    int64_t age_ns = clock_now_ns(&watch->machine->clock) - watch->text_ns;
    bool due = fresh || watch->text_number == 0 || age_ns < 0 || age_ns >= watch->text_period_ns;
    if (watch->text_number != watch->number && !due)
        return false;
    if (watch->text_number != watch->number)
        read_graphics(watch);
    if (watch->has_text)
        byte_buffer_append(text, watch->text.data, watch->text.size);
    return watch->has_text;
}

bool screen_watch_read_cells(ScreenWatch *watch, ScreenText *text) {
    ByteBuffer utf8 = {.data = NULL};
    Board *board = &watch->machine->board;
    memset(text, 0, sizeof *text);
    if (!board_get_text(board, &utf8))
        return false;
    board_get_text_cell(board, &text->cell_width, &text->cell_height);
    uint32_t x = 0, y = 0;
    for (size_t at = 0, used = 1; at < utf8.size; at += used) {
        uint32_t character = utf8_decode(utf8.data + at, utf8.size - at, &used);
        if (character != '\n') {
            screen_text_put(text, character, x, y, text->cell_width);
            x += text->cell_width;
            continue;
        }
        screen_text_end_line(text);
        x = 0;
        y += text->cell_height;
    }
    byte_buffer_free(&utf8);
    return true;
}
