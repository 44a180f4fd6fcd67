/* What the window has of X beyond SDL: when something is dragged over it (SDL tells only that it
 * was dropped; the source's messages to the window say when it comes and goes: XDND,
 * freedesktop.org), and how many dots to the inch the desktop reckons with. */
#ifndef REPRISE_SDL_X11_H
#define REPRISE_SDL_X11_H

#include "sdl_library.h"

/* Kinds of X messages; 0: there is no X. */
typedef struct SdlDragWatch {
    unsigned long enter, leave, drop;
} SdlDragWatch;

typedef enum SdlDrag { SDL_DRAG_NOTHING, SDL_DRAG_COMES, SDL_DRAG_GOES } SdlDrag;

/* Has SDL pass on what the window is sent, where that is known. */
void sdl_x11_watch_drags(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch);

/* What an event tells of it. */
SdlDrag sdl_x11_read_drag(const SdlDragWatch *watch, const SDL_Event *event);

/* As the desktop's settings have it; 0 where they are silent. */
float sdl_x11_dots_per_inch(const SdlLibrary *sdl, SDL_Window *window);

#endif
