/* The SDL window's parts, shared by its files. */
#ifndef REPRISE_SDL_WINDOW_H
#define REPRISE_SDL_WINDOW_H

#include "display.h"
#include "keyboard_keys.h"
#include "sdl_library.h"
#include <SDL.h>

struct Display {
    Machine *machine;
    const char *name;
    SdlLibrary sdl;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    uint32_t texture_width, texture_height;
    uint32_t aspect_width, aspect_height;
    uint64_t frame_number;
    bool grabbed, full_screen;
    bool closed;
    bool down[KEYBOARD_KEY_COUNT]; /* what the guest believes to be pressed */
    uint32_t buttons;
    /* For the title. */
    uint64_t title_ms, title_count;
    double mips;
    char notice[80]; /* what just happened, shown for some seconds */
    uint64_t notice_until_ms;
};

/* sdl_window.c */
void sdl_window_update_title(Display *display);
void sdl_window_set_full_screen(Display *display, bool full_screen);
void sdl_window_draw(Display *display);
void sdl_window_notice(Display *display, const char *text);

/* sdl_input.c */
void sdl_input_handle(Display *display, const SDL_Event *event);
void sdl_input_set_grab(Display *display, bool grab);

#endif
