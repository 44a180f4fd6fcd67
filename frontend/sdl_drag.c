/* See sdl_drag.h. The names of X's messages are numbered by the server; the function that asks for
 * the numbers is in the library that SDL has loaded already. */
#include "sdl_drag.h"

#include <SDL_syswm.h>
#include <string.h>

#ifdef SDL_VIDEO_DRIVER_X11

typedef Atom InternAtom(Display *connection, const char *name, Bool only_if_exists);

void sdl_drag_watch(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch) {
    SDL_SysWMinfo info;
    InternAtom *intern;
    SDL_VERSION(&info.version);
    *watch = (SdlDragWatch){0};
    if (!sdl->GetWindowWMInfo(window, &info) || info.subsystem != SDL_SYSWM_X11)
        return;
    void *library = sdl->LoadObject("libX11.so.6");
    void *found = library != NULL ? sdl->LoadFunction(library, "XInternAtom") : NULL;
    if (found != NULL) {
        memcpy(&intern, &found, sizeof(intern));
        watch->enter = intern(info.info.x11.display, "XdndEnter", False);
        watch->leave = intern(info.info.x11.display, "XdndLeave", False);
        watch->drop = intern(info.info.x11.display, "XdndDrop", False);
        sdl->EventState(SDL_SYSWMEVENT, SDL_ENABLE);
    }
    if (library != NULL)
        sdl->UnloadObject(library); /* SDL keeps it */
}

SdlDrag sdl_drag_read(const SdlDragWatch *watch, const SDL_Event *event) {
    if (event->type != SDL_SYSWMEVENT || event->syswm.msg->subsystem != SDL_SYSWM_X11 ||
        event->syswm.msg->msg.x11.event.type != ClientMessage)
        return SDL_DRAG_NOTHING;
    Atom kind = event->syswm.msg->msg.x11.event.xclient.message_type;
    return kind == watch->enter                          ? SDL_DRAG_COMES
           : kind == watch->leave || kind == watch->drop ? SDL_DRAG_GOES
                                                         : SDL_DRAG_NOTHING;
}

#else

void sdl_drag_watch(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch) {
    (void)sdl;
    (void)window;
    *watch = (SdlDragWatch){0};
}

SdlDrag sdl_drag_read(const SdlDragWatch *watch, const SDL_Event *event) {
    (void)watch;
    (void)event;
    return SDL_DRAG_NOTHING;
}

#endif
