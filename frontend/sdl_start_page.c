/* The start page in a window of its own, see start_page.h. */
#include "sdl_window.h"
#include "start_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 72, ROWS = 24, WAIT_MS = 20 };

typedef struct StartPage {
    Display display; /* without a machine */
    StartChoice choice;
    char *path;
} StartPage;

static void choose_line(void *opaque, const char *line) {
    StartPage *page = opaque;
    bool demo = strcmp(line, WINDOW_MENU_DEMO) == 0;
    page->choice = demo ? START_DEMO : START_IMAGE;
    if (!demo && snprintf(page->path, START_PATH_BYTES, "%s", line) >= START_PATH_BYTES)
        page->choice = START_NOTHING;
}

static void act(void *opaque, WindowAction action) {
    StartPage *page = opaque;
    if (action == WINDOW_QUIT)
        page->choice = START_QUIT;
}

static bool is_set(void *opaque, WindowAction action) {
    (void)opaque;
    (void)action;
    return false;
}

static void draw(Display *display) {
    TextOverlay *text = &display->menu_overlay.text;
    text_overlay_clear(text);
    text_overlay_fill(text, 0, 0, COLUMNS, ROWS, TEXT_NORMAL);
    window_menu_draw(&display->menu, text);
    unsigned left = display->menu.column + 2;
    unsigned above = display->menu.row - 2, below = display->menu.row + display->menu.rows + 1;
    text_overlay_print(text, left, above, COLUMNS - left, TEXT_TITLE, "What shall run?");
    text_overlay_print(text, left, below, COLUMNS - left, TEXT_DIM,
                       "Click, or use the arrow keys and Return; or drop an image here.");
    text_overlay_print(text, left, below + 1, COLUMNS - left, TEXT_DIM,
                       "From a terminal: reprise dos.img");
    sdl_overlay_update(display, &display->menu_overlay);
    sdl_overlay_fit(display, &display->menu_overlay, 0);
    display->sdl.SetRenderDrawColor(display->renderer, 16, 32, 48, 255);
    display->sdl.RenderClear(display->renderer);
    sdl_overlay_draw(display, &display->menu_overlay);
    display->sdl.RenderPresent(display->renderer);
}

static void handle(StartPage *page, const SDL_Event *event) {
    if (event->type == SDL_QUIT) {
        page->choice = START_QUIT;
    } else if (event->type == SDL_DROPFILE) {
        choose_line(page, event->drop.file);
        page->display.sdl.free(event->drop.file);
    } else {
        sdl_menu_navigate(&page->display, event);
        if (!window_menu_is_open(&page->display.menu)) /* it stays */
            window_menu_open_start(&page->display.menu);
    }
}

static void serve(StartPage *page) {
    SDL_Event event;
    window_menu_open_start(&page->display.menu);
    draw(&page->display);
    while (page->choice == START_NOTHING) {
        if (page->display.sdl.WaitEventTimeout(&event, WAIT_MS) != 0) {
            handle(page, &event);
            draw(&page->display);
        }
    }
}

StartChoice start_page_run(char *path) {
    StartPage *page = calloc(1, sizeof(*page));
    Display *display = &page->display;
    Error error = {.set = false};
    page->path = path;
    display->menu_host =
        (WindowMenuHost){.run_line = choose_line, .act = act, .is_set = is_set, .opaque = page};
    window_menu_init(&display->menu, &display->menu_host);
    if (sdl_window_create(display, &error) &&
        sdl_overlay_init(display, &display->menu_overlay, COLUMNS, ROWS, NULL))
        serve(page);
    StartChoice choice = page->choice;
    window_menu_free(&display->menu);
    if (display->menu_overlay.texture != NULL)
        sdl_overlay_free(display, &display->menu_overlay);
    sdl_window_destroy(display);
    free(page);
    return choice;
}
