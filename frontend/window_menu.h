/* The window's menu: pages of entries, told by keys and the mouse, drawn as text. It does what it
 * does by lines of the monitor and by a few actions of the window, and knows no window system. */
#ifndef REPRISE_WINDOW_MENU_H
#define REPRISE_WINDOW_MENU_H

#include "image_shelf.h"
#include "machine.h"
#include "snapshot_picture.h"
#include "text_overlay.h"
#include <stdbool.h>

typedef enum WindowAction {
    WINDOW_QUIT,
    WINDOW_FULL_SCREEN,
    WINDOW_GRAB,
    WINDOW_SCREENSHOT,
    WINDOW_PASTE,
    WINDOW_STATUS_LINE,
    WINDOW_SCALE_SMOOTH,
    WINDOW_SCALE_SHARP,
    WINDOW_SCALE_CRT,
    WINDOW_SIZE_FREE, /* the window follows the guest's size */
    WINDOW_LOUDER,
    WINDOW_QUIETER,
    WINDOW_MUTE,
    WINDOW_RECORD, /* screen and sound, or the end of that */
    WINDOW_ACTIONS
} WindowAction;

typedef struct WindowMenuHost {
    Machine *machine; /* NULL on the start page */
    /* A line for the monitor. */
    void (*run_line)(void *opaque, const char *line);
    void (*act)(void *opaque, WindowAction action);
    /* Is this what is set at present? For entries that are switches. */
    bool (*is_set)(void *opaque, WindowAction action);
    /* In percent; NULL: there is none. */
    unsigned (*volume)(void *opaque);
    void *opaque;
} WindowMenuHost;

/* The monitor's line that puts an image into a drive; false for a path with both kinds of quotes in
 * it, which no word of the monitor can say, and for one that is too long. */
bool window_menu_print_change(char *line, size_t size, const char *drive, const char *path);

typedef enum MenuKey {
    MENU_KEY_UP,
    MENU_KEY_DOWN,
    MENU_KEY_PAGE_UP,
    MENU_KEY_PAGE_DOWN,
    MENU_KEY_CHOOSE,
    MENU_KEY_BACK,
    MENU_KEY_ERASE /* what was typed last */
} MenuKey;

typedef struct MenuEntry {
    char *label;
    char *hint; /* to the right of it; NULL: none */
    enum {
        MENU_NOTE,
        MENU_PAGE,
        MENU_LINE,
        MENU_ACTION,
        MENU_STEP, /* an action after which the menu stays */
        MENU_BACK
    } kind;
    int value;     /* the page or the action */
    char *line;    /* for the monitor */
    char *subject; /* what the page is about: a drive, a snapshot */
    bool set;
} MenuEntry;

#define WINDOW_MENU_DEPTH 4
#define WINDOW_MENU_TEXT_BYTES 64

typedef struct WindowMenu {
    const WindowMenuHost *host;
    struct {
        int page;
        char *subject;
        unsigned chosen, first; /* entry, and the first one that is seen */
    } open[WINDOW_MENU_DEPTH];
    unsigned depth;     /* pages that are open, one over the other; 0: closed */
    MenuEntry *entries; /* of the page on top */
    size_t capacity;
    unsigned count;
    unsigned column, row, columns, rows; /* where it was drawn last, with its frame */
    char text[WINDOW_MENU_TEXT_BYTES];   /* what was typed on the page that takes text */
    char *pictured;                      /* the snapshot whose picture this is: */
    SnapshotPicture *picture;
} WindowMenu;

void window_menu_init(WindowMenu *menu, const WindowMenuHost *host);
void window_menu_free(WindowMenu *menu);

bool window_menu_is_open(const WindowMenu *menu);
void window_menu_open(WindowMenu *menu);
/* The page of what can be started, in place of the others; its entries' lines are the paths of
 * images, and this one of the demo disk. Needs no machine. */
#define WINDOW_MENU_DEMO "demo"
void window_menu_open_start(WindowMenu *menu);
void window_menu_close(WindowMenu *menu);

/* Does the page that is open take text? Then Space and Backspace are no keys of the menu. */
bool window_menu_takes_text(const WindowMenu *menu);
/* UTF-8. What a name cannot hold, and what there is no room for, is left out. */
void window_menu_type(WindowMenu *menu, const char *text);
void window_menu_press(WindowMenu *menu, MenuKey key);
/* The mouse is over this cell of the overlay. */
void window_menu_point(WindowMenu *menu, int column, int row);
/* A click there: chooses the entry; outside of the menu closes it. */
void window_menu_click(WindowMenu *menu, int column, int row);

void window_menu_draw(WindowMenu *menu, TextOverlay *overlay);

#endif
