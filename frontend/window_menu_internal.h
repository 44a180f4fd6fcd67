/* What the menu's files share. */
#ifndef REPRISE_WINDOW_MENU_INTERNAL_H
#define REPRISE_WINDOW_MENU_INTERNAL_H

#include "window_menu.h"
#include <stddef.h>

enum { WINDOW_MENU_MAIN = 0 }; /* the page that is opened first */

/* Adds the entries of a page; 'drive' is what it is about, where it is about one. */
void window_menu_fill_page(WindowMenu *menu, int page, const char *drive);
/* The title of the page that is open. */
void window_menu_print_title(const WindowMenu *menu, char *title, size_t size);

#endif
