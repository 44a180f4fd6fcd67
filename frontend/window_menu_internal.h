/* What the menu's files share. */
#ifndef REPRISE_WINDOW_MENU_INTERNAL_H
#define REPRISE_WINDOW_MENU_INTERNAL_H

#include "window_menu.h"
#include <stddef.h>

/* The pages that are opened first: of a machine, and where there is none yet. */
enum { WINDOW_MENU_MAIN = 0, WINDOW_MENU_START = 1 };

/* Adds the entries of a page; 'drive' is what it is about, where it is about one. */
void window_menu_fill_page(WindowMenu *menu, int page, const char *drive);
/* The title of the page that is open. */
void window_menu_print_title(const WindowMenu *menu, char *title, size_t size);

#endif
