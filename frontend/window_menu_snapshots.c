/* The menu's pages about snapshots: which there are, with the picture of each, and what can be done
 * with one. */
#include "snapshot_of_machine.h"
#include "window_menu_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES = 600 };

/* A word of the monitor stands in quotes that it does not have itself. False: it has both kinds. */
static bool print_line(char *line, size_t size, const char *verb, const char *name) {
    char quote = strchr(name, '"') == NULL ? '"' : '\'';
    return strchr(name, quote) == NULL &&
           snprintf(line, size, "%s %c%s%c", verb, quote, name, quote) < (int)size;
}

static void add_line(WindowMenu *menu, const char *label, const char *verb, const char *name) {
    char line[LINE_BYTES];
    bool can = print_line(line, sizeof(line), verb, name);
    MenuEntry *entry = window_menu_add_entry(menu, can ? MENU_LINE : MENU_NOTE, label, NULL);
    if (can)
        entry->line = strdup(line);
}

/* ---- All of them ---- */

static void add_snapshot(void *opaque, const char *name, int64_t date_seconds) {
    char date[32] = "";
    struct tm local;
    time_t when = (time_t)date_seconds;
    if (localtime_r(&when, &local) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &local);
    MenuEntry *entry = window_menu_add_entry(opaque, MENU_PAGE, name, date);
    entry->value = WINDOW_MENU_SNAPSHOT;
    entry->subject = strdup(name);
}

static void list_snapshots(void *opaque) {
    WindowMenu *menu = opaque;
    machine_visit_snapshots(menu->host->machine, add_snapshot, menu);
}

void window_menu_fill_snapshots(WindowMenu *menu, const char *subject) {
    (void)subject;
    window_menu_add_entry(menu, MENU_LINE, "Keep the machine as it is now", NULL)->line =
        strdup("savevm");
    window_menu_add_entry(menu, MENU_PAGE, "Keep it under a name", "\u25ba")->value =
        WINDOW_MENU_SNAPSHOT_NAME;
    machine_call(menu->host->machine, list_snapshots, menu);
}

/* ---- One of them ---- */

void window_menu_fill_snapshot(WindowMenu *menu, const char *name) {
    add_line(menu, "Go back to it", "loadvm", name);
    add_line(menu, "Keep the machine as it is now in its place", "savevm", name);
    MenuEntry *entry = window_menu_add_entry(menu, MENU_PAGE, "Delete it", "\u25ba");
    entry->value = WINDOW_MENU_SNAPSHOT_DELETE;
    entry->subject = strdup(name);
}

void window_menu_fill_snapshot_delete(WindowMenu *menu, const char *name) {
    window_menu_add_entry(menu, MENU_BACK, "No, leave it", NULL);
    add_line(menu, "Yes, delete it", "delvm", name);
}

typedef struct NameSearch {
    WindowMenu *menu;
    bool found;
} NameSearch;

static void compare_name(void *opaque, const char *name, int64_t date_seconds) {
    NameSearch *search = opaque;
    (void)date_seconds;
    search->found = search->found || strcmp(name, search->menu->text) == 0;
}

static void search_name(void *opaque) {
    NameSearch *search = opaque;
    machine_visit_snapshots(search->menu->host->machine, compare_name, search);
}

void window_menu_fill_snapshot_name(WindowMenu *menu, const char *subject) {
    char label[sizeof(menu->text) + 16];
    NameSearch search = {.menu = menu};
    (void)subject;
    snprintf(label, sizeof(label), "Name: %s_", menu->text);
    window_menu_add_entry(menu, MENU_NOTE, label, NULL);
    if (menu->text[0] == '\0') {
        window_menu_add_entry(menu, MENU_NOTE, "Type one, then press Return.", NULL);
        return;
    }
    machine_call(menu->host->machine, search_name, &search);
    add_line(menu, search.found ? "Keep it in place of the one there" : "Keep it", "savevm",
             menu->text);
}

/* ---- Pictures ---- */

typedef struct PictureCall {
    WindowMenu *menu;
    bool good;
} PictureCall;

static void get_picture(void *opaque) {
    PictureCall *call = opaque;
    call->good = machine_get_snapshot_picture(call->menu->host->machine, call->menu->pictured,
                                              call->menu->picture);
}

const SnapshotPicture *window_menu_find_picture(WindowMenu *menu) {
    unsigned top = menu->depth - 1, chosen = menu->open[top].chosen;
    const char *name = menu->open[top].subject;
    if (name == NULL && chosen < menu->count)
        name = menu->entries[chosen].subject;
    if (name == NULL) {
        window_menu_forget_picture(menu);
        return NULL;
    }
    if (menu->pictured == NULL || strcmp(menu->pictured, name) != 0) {
        window_menu_forget_picture(menu);
        menu->pictured = strdup(name);
        menu->picture = calloc(1, sizeof(*menu->picture));
        PictureCall call = {.menu = menu};
        machine_call(menu->host->machine, get_picture, &call);
        if (!call.good)
            menu->picture->width = 0;
    }
    return menu->picture->width != 0 ? menu->picture : NULL;
}

void window_menu_forget_picture(WindowMenu *menu) {
    free(menu->pictured);
    free(menu->picture);
    menu->pictured = NULL;
    menu->picture = NULL;
}
