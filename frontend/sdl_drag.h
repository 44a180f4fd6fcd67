/* Something is dragged over the window. SDL tells only that it was dropped; under X the source's
 * messages to the window say when it comes and goes (XDND, freedesktop.org). */
#ifndef REPRISE_SDL_DRAG_H
#define REPRISE_SDL_DRAG_H

#include "sdl_library.h"

/* Kinds of X messages; 0: there is no X. */
typedef struct SdlDragWatch {
    unsigned long enter, leave, drop;
} SdlDragWatch;

typedef enum SdlDrag { SDL_DRAG_NOTHING, SDL_DRAG_COMES, SDL_DRAG_GOES } SdlDrag;

/* Has SDL pass on what the window is sent, where that is known. */
void sdl_drag_watch(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch);

/* What an event tells of it. */
SdlDrag sdl_drag_read(const SdlDragWatch *watch, const SDL_Event *event);

#endif
