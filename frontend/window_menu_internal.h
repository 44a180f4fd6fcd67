/* What the menu's files share. */
#ifndef REPRISE_WINDOW_MENU_INTERNAL_H
#define REPRISE_WINDOW_MENU_INTERNAL_H

#include "window_menu.h"
#include <stddef.h>

typedef enum WindowMenuPage {
    WINDOW_MENU_MAIN,  /* of a machine, opened first */
    WINDOW_MENU_START, /* where there is none yet */
    WINDOW_MENU_DRIVES,
    WINDOW_MENU_MEDIA,
    WINDOW_MENU_SNAPSHOTS,
    WINDOW_MENU_SNAPSHOT,
    WINDOW_MENU_SNAPSHOT_DELETE,
    WINDOW_MENU_SNAPSHOT_NAME,
    WINDOW_MENU_MACHINE,
    WINDOW_MENU_SPEED,
    WINDOW_MENU_KEYS,
    WINDOW_MENU_VIEW,
    WINDOW_MENU_SOUND,
    WINDOW_MENU_HELP,
} WindowMenuPage;

/* Adds the entries of a page; 'subject' is what it is about, where it is about one thing. */
void window_menu_fill_page(WindowMenu *menu, int page, const char *subject);
/* The title of the page that is open. */
void window_menu_print_title(const WindowMenu *menu, char *title, size_t size);
/* Does that page show a picture beside its entries? */
bool window_menu_has_pictures(int page);

/* For whoever fills a page; the strings are copied. */
MenuEntry *window_menu_add_entry(WindowMenu *menu, int kind, const char *label, const char *hint);

/* window_menu_snapshots.c */
void window_menu_fill_snapshots(WindowMenu *menu, const char *subject);
void window_menu_fill_snapshot(WindowMenu *menu, const char *name);
void window_menu_fill_snapshot_delete(WindowMenu *menu, const char *name);
void window_menu_fill_snapshot_name(WindowMenu *menu, const char *subject);
/* The picture of the snapshot that the page, or the chosen entry, is about; NULL: none. It stays
 * until the next call. */
const SnapshotPicture *window_menu_find_picture(WindowMenu *menu);
void window_menu_forget_picture(WindowMenu *menu);

#endif
