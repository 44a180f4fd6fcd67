#define _GNU_SOURCE
/* Text wherever it stands on the screen.
 *
 * A glyph is looked for at the first pixel that it sets, from the top and then from the left: that
 * pixel differs from one of its neighbours, which most of a picture does not, and the rows that it
 * begins must be the first ones of some glyph. What is found that way, and has enough pixels to
 * mean something, is an anchor; blocks and lines, of which windows and pictures are full, are none.
 * Anchors of one height, whole cells apart, make a run; between them and
 * at its ends, characters of few pixels and blanks are read as in a grid. Runs may overlap, since
 * chance makes characters of pieces of others: the one with the most pixels is right. */
#include "allocate.h"
#include "host_string.h"
#include "screen_pixels.h"
#include "screen_reader.h"
#include <stdlib.h>
#include <string.h>

enum {
    ANCHOR_PIXELS = 4,         /* characters of fewer are no beginning of a text */
    BLANKS_MAXIMUM = 2,        /* within a run */
    ANCHORS_OF_A_RUN = 2,      /* at least */
    ANCHORS_MAXIMUM = 1 << 20, /* of a whole screen: a hostile one is read in part */
    RUN_CHARACTERS = 512,
    FILTER_BITS = 1 << 14,
    ROWS_OF_BEGINNING = 3, /* from the first with a pixel on */
    BOX_DRAWING_FIRST = 0x2500,
    BLOCKS_LAST = 0x25A0,
};

typedef struct Anchor {
    uint32_t x, y; /* of the cell, in pixels of the mode */
    uint32_t colour, pixels;
    bool used; /* in a run */
} Anchor;

typedef struct Run {
    uint32_t x, y, end;
    uint32_t weight; /* pixels of its anchors */
    size_t first;    /* of its characters in the list of all ... */
    size_t count;    /* ... and how many they are */
} Run;

typedef struct RunCharacter {
    uint32_t character, x, width;
} RunCharacter;

/* Where in its cell the first pixel of some glyphs is: the column, and a bit for each row. */
typedef struct Corner {
    uint32_t column;
    uint64_t rows;
} Corner;

typedef struct Search {
    const ScreenFont *font;
    ScreenPixels pixels;
    Corner corners[FONT_WIDTH_MAXIMUM];
    unsigned corner_count;
    uint8_t filter[2][FILTER_BITS / 8]; /* of hashes of first rows, and of whole beginnings */
    Anchor *anchors;
    size_t anchor_count, anchor_capacity;
    Run *runs;
    size_t run_count, run_capacity;
    RunCharacter *characters;
    size_t character_count, character_capacity;
} Search;

/* ---- What glyphs begin with ---- */

static uint32_t hash_beginning(uint32_t column, const uint32_t *rows, unsigned count) {
    uint64_t hash = column;
    for (unsigned row = 0; row < count; row++)
        hash = (hash ^ rows[row]) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> 50); /* 14 bits */
}

static void note_corner(Search *search, uint32_t row, uint32_t column) {
    unsigned i = 0;
    while (i < search->corner_count && search->corners[i].column != column)
        i++;
    if (i == search->corner_count)
        search->corners[search->corner_count++] = (Corner){column, 0};
    search->corners[i].rows |= (uint64_t)1 << row;
}

/* The first pixel of most characters touches another one: of pictures, whose neighbours all differ
 * a little, that leaves few places to look at. */
static bool first_pixel_touches(const ScreenGlyph *glyph) {
    uint32_t row = glyph->first_row, column = glyph->first_column;
    uint32_t pixel = 0x80000000u >> column, right = pixel >> 1, below = pixel << 1 | pixel | right;
    return (glyph->rows[row] & right) != 0 || (glyph->rows[row + 1] & below) != 0;
}

static bool can_be_anchor(const ScreenFont *font, const ScreenGlyph *glyph) {
    return glyph->pixels >= ANCHOR_PIXELS && glyph->first_row + ROWS_OF_BEGINNING <= font->height &&
           first_pixel_touches(glyph) &&
           (glyph->character < BOX_DRAWING_FIRST || glyph->character > BLOCKS_LAST);
}

static void set_bit(uint8_t *filter, uint32_t bit) {
    filter[bit / 8] |= (uint8_t)(1 << bit % 8);
}

static bool has_bit(const uint8_t *filter, uint32_t bit) {
    return (filter[bit / 8] >> bit % 8 & 1) != 0;
}

/* Of a proportional glyph, whose width is not known before it is read, the beginning is as wide as
 * the first stretch of pixels and the column after it: those are its own, or blank. */
static uint32_t beginning_width(const ScreenFont *font, uint32_t column, uint32_t stretch) {
    uint32_t width = column + stretch + 1;
    return font->proportional && width < font->width ? width : font->width;
}

static void index_glyph(Search *search, const ScreenGlyph *glyph) {
    const uint32_t *rows = &glyph->rows[glyph->first_row];
    uint32_t column = glyph->first_column, beginning[ROWS_OF_BEGINNING];
    uint32_t after = ~(rows[0] << column);
    uint32_t stretch = after != 0 ? (uint32_t)__builtin_clz(after) : FONT_WIDTH_MAXIMUM;
    uint32_t width = beginning_width(search->font, column, stretch);
    for (unsigned row = 0; row < ROWS_OF_BEGINNING; row++)
        beginning[row] = rows[row] & UINT32_MAX << (32 - width);
    note_corner(search, glyph->first_row, column);
    set_bit(search->filter[0], hash_beginning(column, beginning, 1));
    set_bit(search->filter[1], hash_beginning(column, beginning, ROWS_OF_BEGINNING));
}

static void index_font(Search *search) {
    const ScreenFont *font = search->font;
    for (size_t i = 0; i < font->count; i++) {
        const ScreenGlyph *glyph = &font->glyphs[i];
        if (can_be_anchor(font, glyph))
            index_glyph(search, glyph);
    }
}

/* ---- Anchors ---- */

/* How many pixels of one colour follow each other from (x, y) on; more than a character's do not
 * matter. */
static uint32_t measure_stretch(const ScreenPixels *pixels, uint32_t x, uint32_t y,
                                uint32_t colour) {
    uint32_t length = 0;
    while (length < FONT_WIDTH_MAXIMUM && x + length < pixels->width &&
           screen_pixel(pixels, x + length, y) == colour)
        length++;
    return length;
}

/* Whether the rows from y on may be the first ones of a glyph whose cell begins at 'left'. */
static bool may_begin(const Search *search, uint32_t column, uint32_t left, uint32_t y,
                      uint32_t stretch, uint32_t colour) {
    const ScreenFont *font = search->font;
    const ScreenPixels *pixels = &search->pixels;
    uint32_t width = beginning_width(font, column, stretch), rows[ROWS_OF_BEGINNING];
    if (font->proportional && width > pixels->width - left)
        width = pixels->width - left;
    if (left + width > pixels->width || y + ROWS_OF_BEGINNING > pixels->height)
        return false;
    for (unsigned row = 0; row < ROWS_OF_BEGINNING; row++) {
        rows[row] = screen_row_bits(pixels, left, y + row, width, colour);
        if (row == 0 && !has_bit(search->filter[0], hash_beginning(column, rows, 1)))
            return false;
    }
    return has_bit(search->filter[1], hash_beginning(column, rows, ROWS_OF_BEGINNING));
}

static bool has_pixel(const Search *search, uint32_t x, uint32_t y, uint32_t colour) {
    for (uint32_t row = 0; row < search->font->height; row++)
        if (screen_pixel(&search->pixels, x, y + row) == colour)
            return true;
    return false;
}

/* The glyph in a cell, NULL where there is none; '*width' columns of it are read, with or without
 * pixels. In a proportional font a cell is what lies between two blank columns. */
static const ScreenGlyph *read_cell(const Search *search, uint32_t x, uint32_t y, uint32_t colour,
                                    uint32_t *width) {
    const ScreenFont *font = search->font;
    const ScreenPixels *pixels = &search->pixels;
    uint32_t rows[FONT_HEIGHT_MAXIMUM], room = pixels->width - x;
    *width = font->width < room ? font->width : room;
    if (*width < font->width && !font->proportional)
        return NULL;
    for (uint32_t row = 0; row < font->height; row++)
        rows[row] = screen_row_bits(pixels, x, y + row, *width, colour);
    if (font->proportional)
        *width = screen_cut_piece(font->height, rows);
    if (*width == 0 || (font->proportional && x != 0 && has_pixel(search, x - 1, y, colour)))
        return NULL;
    return screen_font_find(font, rows);
}

static void try_cell(Search *search, uint32_t left, uint32_t top, uint32_t colour) {
    uint32_t width;
    if (top + search->font->height > search->pixels.height ||
        search->anchor_count == ANCHORS_MAXIMUM)
        return;
    const ScreenGlyph *glyph = read_cell(search, left, top, colour, &width);
    if (glyph == NULL || !can_be_anchor(search->font, glyph))
        return;
    search->anchors = allocate_grow(search->anchors, &search->anchor_capacity,
                                    search->anchor_count + 1, sizeof search->anchors[0]);
    search->anchors[search->anchor_count++] = (Anchor){left, top, colour, glyph->pixels, false};
}

/* Glyphs whose first pixel is at (x, y). */
static void look_for_glyphs(Search *search, uint32_t x, uint32_t y, uint32_t colour) {
    const ScreenPixels *pixels = &search->pixels;
    uint32_t stretch = search->font->proportional ? measure_stretch(pixels, x, y, colour) : 0;
    for (unsigned i = 0; i < search->corner_count; i++) {
        const Corner *corner = &search->corners[i];
        uint32_t left = x - corner->column;
        if (corner->column > x || !may_begin(search, corner->column, left, y, stretch, colour))
            continue;
        bool above = y != 0 && !search->font->proportional &&
                     screen_row_bits(pixels, left, y - 1, search->font->width, colour) != 0;
        uint64_t possible = above ? corner->rows & 1 : corner->rows;
        for (uint64_t rows = possible; rows != 0; rows &= rows - 1) {
            uint32_t row = (uint32_t)__builtin_ctzll(rows);
            if (row <= y)
                try_cell(search, left, y - row, colour);
        }
    }
}

/* A pixel within an area of its colour begins nothing, nor does one alone. */
static bool may_be_first(const ScreenPixels *pixels, uint32_t x, uint32_t y, uint32_t colour) {
    bool inside = x != 0 && screen_pixel(pixels, x - 1, y) == colour && y != 0 &&
                  screen_pixel(pixels, x, y - 1) == colour;
    if (inside)
        return false;
    if (x + 1 < pixels->width && screen_pixel(pixels, x + 1, y) == colour)
        return true;
    if (y + 1 == pixels->height)
        return false;
    return screen_pixel(pixels, x, y + 1) == colour ||
           (x != 0 && screen_pixel(pixels, x - 1, y + 1) == colour) ||
           (x + 1 < pixels->width && screen_pixel(pixels, x + 1, y + 1) == colour);
}

static void find_anchors(Search *search) {
    const ScreenPixels *pixels = &search->pixels;
    for (uint32_t y = 0; y < pixels->height; y++)
        for (uint32_t x = 0; x < pixels->width; x++) {
            uint32_t colour = screen_pixel(pixels, x, y);
            if (may_be_first(pixels, x, y, colour))
                look_for_glyphs(search, x, y, colour);
        }
}

/* By line, by place within a cell's width, and from left to right: those of a run follow each
 * other. */
static int compare_anchors(const void *left, const void *right, void *pitch) {
    const Anchor *a = left, *b = right;
    uint32_t cell = *(const uint32_t *)pitch;
    if (a->y != b->y)
        return a->y < b->y ? -1 : 1;
    if (a->x % cell != b->x % cell)
        return a->x % cell < b->x % cell ? -1 : 1;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->colour < b->colour ? -1 : a->colour > b->colour;
}

/* ---- Runs ---- */

/* The character in a cell beside an anchor, in its colour: 0 if there is none. */
static uint32_t read_beside(const Search *search, uint32_t x, uint32_t y, uint32_t colour,
                            uint32_t *width) {
    const ScreenFont *font = search->font;
    if (x >= search->pixels.width)
        return 0;
    const ScreenGlyph *glyph = read_cell(search, x, y, colour, width);
    bool full = glyph != NULL && glyph->pixels == font->width * font->height;
    if (glyph != NULL && glyph->pixels == 0)
        return ' ';
    return glyph != NULL && !full ? glyph->character : 0;
}

static void put_character(Search *search, Run *run, uint32_t character, uint32_t x,
                          uint32_t width) {
    search->characters = allocate_grow(search->characters, &search->character_capacity,
                                       search->character_count + 1, sizeof search->characters[0]);
    search->characters[search->character_count++] = (RunCharacter){character, x, width};
    run->count++;
    if (character != ' ')
        run->end = x + width;
}

/* Where the cell to the left of one begins. False: there is none near enough. */
static bool find_left(const Search *search, uint32_t x, uint32_t y, uint32_t colour,
                      uint32_t *left) {
    const ScreenFont *font = search->font;
    if (!font->proportional) {
        *left = x - font->width;
        return x >= font->width;
    }
    uint32_t gap = 0, end = x;
    for (; end != 0 && !has_pixel(search, end - 1, y, colour); end--)
        if (++gap >= font->space_columns)
            return false;
    for (*left = end; *left != 0 && end - *left <= font->width; --*left)
        if (!has_pixel(search, *left - 1, y, colour))
            break;
    return *left != end && end - *left <= font->width;
}

/* Characters of few pixels to the left of the first anchor. */
static uint32_t extend_left(const Search *search, const Anchor *anchor) {
    uint32_t x = anchor->x, left, width;
    while (find_left(search, x, anchor->y, anchor->colour, &left)) {
        uint32_t character = read_beside(search, left, anchor->y, anchor->colour, &width);
        if (character == 0 || character == ' ')
            break;
        x = left;
    }
    return x;
}

/* Goes over blank columns from x on; enough of them are a space. False: too many. */
static bool skip_gap(Search *search, Run *run, uint32_t colour, uint32_t *x) {
    const ScreenFont *font = search->font;
    uint32_t gap = 0;
    while (*x < search->pixels.width && !has_pixel(search, *x, run->y, colour)) {
        if (++gap > font->space_columns * (BLANKS_MAXIMUM + 1))
            return false;
        ++*x;
    }
    if (gap >= font->space_columns)
        put_character(search, run, ' ', *x - gap, gap);
    return true;
}

/* Reads from the cell at run->x on until something that is no character, or too many blanks. */
static void read_run(Search *search, Run *run, uint32_t colour) {
    uint32_t blanks = 0, width;
    for (uint32_t x = run->x; run->count < RUN_CHARACTERS; x += width) {
        if (search->font->proportional && run->count != 0 && !skip_gap(search, run, colour, &x))
            break;
        uint32_t character = read_beside(search, x, run->y, colour, &width);
        if (character == 0)
            break;
        blanks = character == ' ' ? blanks + 1 : 0;
        if (blanks > BLANKS_MAXIMUM)
            break;
        put_character(search, run, character, x, width);
    }
    while (run->count != 0 && search->characters[search->character_count - 1].character == ' ') {
        search->character_count--;
        run->count--;
    }
}

/* Cells of a run are a multiple of this apart. */
static uint32_t cell_pitch(const ScreenFont *font) {
    return font->proportional ? 1 : font->width;
}

/* Makes a run that begins with this anchor, and notes which others are in it. */
static void make_run(Search *search, size_t first) {
    const Anchor *anchor = &search->anchors[first];
    uint32_t pitch = cell_pitch(search->font), anchors = 0;
    Run run = {.x = extend_left(search, anchor), .y = anchor->y, .first = search->character_count};
    read_run(search, &run, anchor->colour);
    for (size_t i = first; i < search->anchor_count; i++) {
        Anchor *other = &search->anchors[i];
        if (other->y != run.y || other->x % pitch != run.x % pitch || other->x >= run.end)
            break;
        if (other->colour != anchor->colour)
            continue;
        other->used = true;
        anchors++;
        run.weight += other->pixels;
    }
    if (anchors < ANCHORS_OF_A_RUN)
        return;
    search->runs = allocate_grow(search->runs, &search->run_capacity, search->run_count + 1,
                                 sizeof search->runs[0]);
    search->runs[search->run_count++] = run;
}

static int heavier_first(const void *left, const void *right) {
    const Run *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    if (a->y != b->y)
        return a->y < b->y ? -1 : 1;
    return a->x < b->x ? -1 : a->x > b->x;
}

static int compare_places(const void *left, const void *right) {
    const Run *a = left, *b = right;
    if (a->y != b->y)
        return a->y < b->y ? -1 : 1;
    return a->x < b->x ? -1 : a->x > b->x;
}

static bool is_taken(const Search *search, const uint8_t *taken, const Run *run) {
    uint32_t width = search->pixels.width;
    for (uint32_t row = 0; row < search->font->height; row++)
        if (memchr(taken + (size_t)(run->y + row) * width + run->x, 1, run->end - run->x) != NULL)
            return true;
    return false;
}

/* Drops runs that overlap heavier ones. */
static void keep_heaviest(Search *search) {
    uint32_t width = search->pixels.width;
    uint8_t *taken = allocate_zeroed((size_t)width * search->pixels.height + 1);
    size_t kept = 0;
    if (search->run_count != 0)
        qsort(search->runs, search->run_count, sizeof search->runs[0], heavier_first);
    for (size_t i = 0; i < search->run_count; i++) {
        Run run = search->runs[i];
        if (is_taken(search, taken, &run))
            continue;
        for (uint32_t row = 0; row < search->font->height; row++)
            memset(taken + (size_t)(run.y + row) * width + run.x, 1, run.end - run.x);
        search->runs[kept++] = run;
    }
    search->run_count = kept;
    if (kept != 0)
        qsort(search->runs, kept, sizeof search->runs[0], compare_places);
    free(taken);
}

static void find_runs(Search *search) {
    uint32_t pitch = cell_pitch(search->font);
    if (search->anchor_count != 0)
        host_string_sort(search->anchors, search->anchor_count, sizeof search->anchors[0],
                         compare_anchors, &pitch);
    for (size_t i = 0; i < search->anchor_count; i++)
        if (!search->anchors[i].used)
            make_run(search, i);
    keep_heaviest(search);
}

/* ---- The text ---- */

/* About how wide a blank is. */
static uint32_t blank_width(const ScreenFont *font) {
    return font->proportional ? (font->height + 1) / 2 : font->width;
}

/* Runs that begin in the upper half of a line's first one are on that line. */
static void put_line(const Search *search, Run *runs, size_t count, const ScreenRectangle *shown,
                     ScreenText *text) {
    const ScreenPixels *pixels = &search->pixels;
    uint32_t blank = blank_width(search->font), cursor = 0;
    for (size_t i = 0; i < count; i++) { /* by x: there are few in a line */
        size_t leftmost = i;
        for (size_t j = i + 1; j < count; j++)
            if (runs[j].x < runs[leftmost].x)
                leftmost = j;
        Run run = runs[leftmost];
        runs[leftmost] = runs[i];
        runs[i] = run;
        uint32_t gap = run.x > cursor ? (run.x - cursor) / blank : 0;
        screen_text_put_blanks(text, gap == 0 && i != 0 ? 1 : gap);
        for (size_t n = run.first; n < run.first + run.count; n++) {
            const RunCharacter *at = &search->characters[n];
            screen_text_put(text, at->character, shown->x + at->x * pixels->wide,
                            shown->y + run.y * pixels->high, at->width * pixels->wide);
        }
        cursor = run.end;
    }
    screen_text_end_line(text);
}

static void put_runs(const Search *search, const ScreenRectangle *shown, ScreenText *text) {
    for (size_t first = 0, next; first < search->run_count; first = next) {
        uint32_t limit = search->runs[first].y + (search->font->height + 1) / 2;
        for (next = first + 1; next < search->run_count && search->runs[next].y < limit;)
            next++;
        put_line(search, &search->runs[first], next - first, shown, text);
    }
}

void screen_text_search(const DisplaySurface *screen, const ScreenRectangle *area,
                        const ScreenFont *font, ScreenText *text) {
    ScreenRectangle shown;
    Search *search = allocate_zeroed(sizeof *search);
    search->font = font;
    screen_pixels_view(screen, area, &search->pixels, &shown);
    text->cell_width = blank_width(font) * search->pixels.wide;
    text->cell_height = font->height * search->pixels.high;
    index_font(search);
    find_anchors(search);
    find_runs(search);
    put_runs(search, &shown, text);
    free(search->anchors);
    free(search->runs);
    free(search->characters);
    free(search);
}
