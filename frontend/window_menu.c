/* Pages, keys, mouse and drawing. What the pages hold is in window_menu_pages.c. */
#include "window_menu.h"
#include "window_menu_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAME = 1, /* cells round the entries */
    MARGIN = 2,
    MOST_COLUMNS = 70,
    LEAST_COLUMNS = 34,
    START_ROWS = 3, /* above and below the start page's entries, for words of its own */
    PICTURE_COLUMNS = SNAPSHOT_PICTURE_WIDTH / TEXT_OVERLAY_CELL_WIDTH,
    PICTURE_ROWS =
        (SNAPSHOT_PICTURE_HEIGHT + TEXT_OVERLAY_CELL_HEIGHT - 1) / TEXT_OVERLAY_CELL_HEIGHT,
};

void window_menu_init(WindowMenu *menu, const WindowMenuHost *host) {
    *menu = (WindowMenu){.host = host};
}

static void forget_entries(WindowMenu *menu) {
    for (unsigned i = 0; i < menu->count; i++) {
        free(menu->entries[i].label);
        free(menu->entries[i].hint);
        free(menu->entries[i].line);
        free(menu->entries[i].subject);
    }
    menu->count = 0;
}

void window_menu_close(WindowMenu *menu) {
    forget_entries(menu);
    while (menu->depth != 0)
        free(menu->open[--menu->depth].subject);
    window_menu_forget_picture(menu);
}

void window_menu_free(WindowMenu *menu) {
    window_menu_close(menu);
    free(menu->entries);
    menu->entries = NULL;
    menu->capacity = 0;
}

bool window_menu_is_open(const WindowMenu *menu) {
    return menu->depth != 0;
}

static bool can_choose(const WindowMenu *menu, unsigned entry) {
    return entry < menu->count && menu->entries[entry].kind != MENU_NOTE;
}

static void fill_page(WindowMenu *menu) {
    unsigned *chosen = &menu->open[menu->depth - 1].chosen;
    forget_entries(menu);
    window_menu_fill_page(menu, menu->open[menu->depth - 1].page,
                          menu->open[menu->depth - 1].subject);
    if (*chosen >= menu->count)
        *chosen = 0;
    while (*chosen + 1 < menu->count && !can_choose(menu, *chosen))
        ++*chosen;
}

static void open_page(WindowMenu *menu, int page, const char *subject) {
    if (menu->depth == WINDOW_MENU_DEPTH)
        return;
    menu->text[0] = '\0';
    menu->open[menu->depth].page = page;
    menu->open[menu->depth].subject = subject != NULL ? strdup(subject) : NULL;
    menu->open[menu->depth].chosen = menu->open[menu->depth].first = 0;
    menu->depth++;
    fill_page(menu);
}

void window_menu_open(WindowMenu *menu) {
    window_menu_close(menu);
    open_page(menu, WINDOW_MENU_MAIN, NULL);
}

void window_menu_open_start(WindowMenu *menu) {
    window_menu_close(menu);
    open_page(menu, WINDOW_MENU_START, NULL);
}

static void go_back(WindowMenu *menu) {
    free(menu->open[--menu->depth].subject);
    if (menu->depth != 0)
        fill_page(menu);
    else
        forget_entries(menu);
}

/* What was chosen is done when the menu is closed already: it may open it again, or quit. */
static void choose(WindowMenu *menu) {
    const WindowMenuHost *host = menu->host;
    unsigned chosen = menu->open[menu->depth - 1].chosen;
    if (!can_choose(menu, chosen))
        return;
    MenuEntry *entry = &menu->entries[chosen];
    if (entry->kind == MENU_PAGE) {
        char *subject = entry->subject;
        entry->subject = NULL;
        open_page(menu, entry->value, subject);
        free(subject);
    } else if (entry->kind == MENU_LINE) {
        char *line = entry->line;
        entry->line = NULL;
        window_menu_close(menu);
        host->run_line(host->opaque, line);
        free(line);
    } else if (entry->kind == MENU_BACK) {
        go_back(menu);
    } else if (entry->kind == MENU_STEP) {
        host->act(host->opaque, (WindowAction)entry->value);
        fill_page(menu);
    } else {
        WindowAction action = (WindowAction)entry->value;
        window_menu_close(menu);
        host->act(host->opaque, action);
    }
}

/* The next entry in that direction that is no note; round the end. */
static void move(WindowMenu *menu, int by) {
    unsigned *chosen = &menu->open[menu->depth - 1].chosen;
    for (unsigned tried = 0; tried < menu->count; tried++) {
        *chosen = (*chosen + menu->count + (unsigned)by) % menu->count;
        if (can_choose(menu, *chosen))
            return;
    }
}

static unsigned rows_seen(const WindowMenu *menu) {
    return menu->rows > 2 * FRAME ? menu->rows - 2 * FRAME : 1;
}

static void move_page(WindowMenu *menu, int direction) {
    for (unsigned i = 1; i < rows_seen(menu); i++) {
        unsigned chosen = menu->open[menu->depth - 1].chosen;
        if (direction > 0 ? chosen + 1 >= menu->count : chosen == 0)
            return;
        move(menu, direction);
    }
}

bool window_menu_takes_text(const WindowMenu *menu) {
    return menu->depth != 0 && menu->open[menu->depth - 1].page == WINDOW_MENU_SNAPSHOT_NAME;
}

/* Quotes would end the monitor's word. */
static bool can_type(char character) {
    return (unsigned char)character >= ' ' && character != 0x7F && character != '"' &&
           character != '\'';
}

void window_menu_type(WindowMenu *menu, const char *text) {
    size_t length = strlen(menu->text);
    if (!window_menu_takes_text(menu) || length + strlen(text) >= sizeof(menu->text))
        return;
    for (; *text != '\0'; text++)
        if (can_type(*text) && (length != 0 || *text != ' '))
            menu->text[length++] = *text;
    menu->text[length] = '\0';
    fill_page(menu);
}

/* The last character, all of its bytes. */
static void erase(WindowMenu *menu) {
    size_t length = strlen(menu->text);
    while (length != 0 && ((uint8_t)menu->text[length - 1] & 0xC0) == 0x80)
        length--;
    menu->text[length != 0 ? length - 1 : 0] = '\0';
    fill_page(menu);
}

void window_menu_press(WindowMenu *menu, MenuKey key) {
    if (menu->depth == 0)
        return;
    switch (key) {
    case MENU_KEY_UP:
        move(menu, -1);
        break;
    case MENU_KEY_DOWN:
        move(menu, 1);
        break;
    case MENU_KEY_PAGE_UP:
        move_page(menu, -1);
        break;
    case MENU_KEY_PAGE_DOWN:
        move_page(menu, 1);
        break;
    case MENU_KEY_CHOOSE:
        choose(menu);
        break;
    case MENU_KEY_BACK:
        go_back(menu);
        break;
    case MENU_KEY_ERASE:
        erase(menu);
        break;
    }
}

static bool is_inside(const WindowMenu *menu, int column, int row) {
    return column >= (int)menu->column && column < (int)(menu->column + menu->columns) &&
           row >= (int)menu->row && row < (int)(menu->row + menu->rows);
}

/* The entry at a row of the overlay; 'count' where none is. */
static unsigned entry_at(const WindowMenu *menu, int row) {
    int line = row - (int)menu->row - FRAME;
    if (line < 0 || line >= (int)rows_seen(menu))
        return menu->count;
    return menu->open[menu->depth - 1].first + (unsigned)line;
}

void window_menu_point(WindowMenu *menu, int column, int row) {
    if (menu->depth == 0 || !is_inside(menu, column, row))
        return;
    unsigned entry = entry_at(menu, row);
    if (can_choose(menu, entry))
        menu->open[menu->depth - 1].chosen = entry;
}

void window_menu_click(WindowMenu *menu, int column, int row) {
    if (menu->depth == 0)
        return;
    if (!is_inside(menu, column, row)) {
        window_menu_close(menu);
    } else if (row == (int)menu->row) {
        go_back(menu); /* its title */
    } else if (can_choose(menu, entry_at(menu, row))) {
        menu->open[menu->depth - 1].chosen = entry_at(menu, row);
        choose(menu);
    }
}

/* ---- Drawing ---- */

static unsigned entry_width(const MenuEntry *entry) {
    unsigned hint = entry->hint != NULL ? text_overlay_width(entry->hint) + MARGIN : 0;
    return text_overlay_width(entry->label) + hint + 2 * MARGIN;
}

/* The list of snapshots has none while it is empty. */
static bool has_pictures(const WindowMenu *menu) {
    int page = menu->open[menu->depth - 1].page;
    bool is_empty = page == WINDOW_MENU_SNAPSHOTS;
    for (unsigned i = 0; i < menu->count; i++)
        is_empty = is_empty && menu->entries[i].subject == NULL;
    return window_menu_has_pictures(page) && !is_empty;
}

/* The columns to the right of the entries that the picture takes. */
static unsigned picture_columns(const WindowMenu *menu) {
    return has_pictures(menu) ? PICTURE_COLUMNS + MARGIN : 0;
}

/* In the middle, as large as its entries need and the overlay allows. */
static void find_place(WindowMenu *menu, const TextOverlay *overlay) {
    menu->columns = LEAST_COLUMNS;
    for (unsigned i = 0; i < menu->count; i++)
        if (entry_width(&menu->entries[i]) + 2 * FRAME > menu->columns)
            menu->columns = entry_width(&menu->entries[i]) + 2 * FRAME;
    menu->columns += picture_columns(menu);
    if (menu->columns > MOST_COLUMNS)
        menu->columns = MOST_COLUMNS;
    if (menu->columns > overlay->columns)
        menu->columns = overlay->columns;
    menu->rows = menu->count + 2 * FRAME;
    if (has_pictures(menu) && menu->rows < PICTURE_ROWS + 2 * FRAME)
        menu->rows = PICTURE_ROWS + 2 * FRAME;
    bool is_start = menu->open[menu->depth - 1].page == WINDOW_MENU_START;
    unsigned room =
        is_start && overlay->rows > 2 * START_ROWS ? overlay->rows - 2 * START_ROWS : overlay->rows;
    if (menu->rows > room)
        menu->rows = room;
    menu->column = (overlay->columns - menu->columns) / 2;
    menu->row = (overlay->rows - menu->rows) / 2;
}

/* The chosen entry is among those that are seen. */
static void scroll(WindowMenu *menu) {
    unsigned *first = &menu->open[menu->depth - 1].first;
    unsigned chosen = menu->open[menu->depth - 1].chosen;
    if (chosen < *first)
        *first = chosen;
    if (chosen >= *first + rows_seen(menu))
        *first = chosen - rows_seen(menu) + 1;
}

static void draw_entry(const WindowMenu *menu, TextOverlay *overlay, unsigned entry, unsigned row) {
    const MenuEntry *shown = &menu->entries[entry];
    bool chosen = entry == menu->open[menu->depth - 1].chosen && can_choose(menu, entry);
    bool is_remark = shown->kind == MENU_NOTE && shown->hint == NULL;
    TextColour colour = chosen ? TEXT_CHOSEN : is_remark ? TEXT_DIM : TEXT_NORMAL;
    unsigned left = menu->column + FRAME,
             columns = menu->columns - 2 * FRAME - picture_columns(menu);
    unsigned hint = shown->hint != NULL ? text_overlay_width(shown->hint) : 0;
    text_overlay_fill(overlay, left, row, columns, 1, colour);
    if (shown->set)
        text_overlay_print(overlay, left, row, 1, colour, "\u221a"); /* a tick in code page 437 */
    text_overlay_print(overlay, left + MARGIN, row, columns - MARGIN - (hint ? hint + MARGIN : 1),
                       colour, shown->label);
    if (hint != 0)
        text_overlay_print(overlay, left + columns - hint - 1, row, hint,
                           chosen ? colour : TEXT_DIM, shown->hint);
}

static void draw_picture(WindowMenu *menu, TextOverlay *overlay) {
    const SnapshotPicture *picture = window_menu_find_picture(menu);
    unsigned left = menu->column + menu->columns - FRAME - PICTURE_COLUMNS - 1;
    if (picture != NULL)
        text_overlay_set_picture(overlay, left, menu->row + FRAME, picture->width, picture->height,
                                 picture->pixels);
    else if (menu->pictured != NULL)
        text_overlay_print(overlay, left, menu->row + FRAME, PICTURE_COLUMNS, TEXT_DIM,
                           "no picture");
}

void window_menu_draw(WindowMenu *menu, TextOverlay *overlay) {
    if (menu->depth == 0)
        return;
    find_place(menu, overlay);
    scroll(menu);
    text_overlay_fill(overlay, menu->column, menu->row, menu->columns, menu->rows, TEXT_NORMAL);
    text_overlay_frame(overlay, menu->column, menu->row, menu->columns, menu->rows, TEXT_TITLE);
    char title[64];
    window_menu_print_title(menu, title, sizeof(title));
    text_overlay_print(overlay, menu->column + MARGIN, menu->row, menu->columns - 2 * MARGIN,
                       TEXT_TITLE, title);
    unsigned first = menu->open[menu->depth - 1].first;
    for (unsigned i = 0; i < rows_seen(menu) && first + i < menu->count; i++)
        draw_entry(menu, overlay, first + i, menu->row + FRAME + i);
    if (has_pictures(menu))
        draw_picture(menu, overlay);
}
