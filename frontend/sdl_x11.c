/* See sdl_x11.h. The functions of X that are needed are in the library that SDL has loaded already.
 */
#include "sdl_x11.h"

#include <SDL_syswm.h>
#include <stdlib.h>
#include <string.h>

#ifdef SDL_VIDEO_DRIVER_X11

typedef Atom InternAtom(Display *connection, const char *name, Bool only_if_exists);
typedef char *ResourceManagerString(Display *connection);

/* SDL's connection; NULL where it draws by other means. */
static Display *find_connection(const SdlLibrary *sdl, SDL_Window *window) {
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
    return sdl->GetWindowWMInfo(window, &info) && info.subsystem == SDL_SYSWM_X11
               ? info.info.x11.display
               : NULL;
}

/* A function of X into the pointer to it at 'function'. */
static bool find_function(const SdlLibrary *sdl, const char *name, void *function) {
    void *library = sdl->LoadObject("libX11.so.6");
    void *found = library != NULL ? sdl->LoadFunction(library, name) : NULL;
    memcpy(function, &found, sizeof(found));
    if (library != NULL)
        sdl->UnloadObject(library); /* SDL keeps it */
    return found != NULL;
}

void sdl_x11_watch_drags(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch) {
    Display *connection = find_connection(sdl, window);
    InternAtom *intern;
    *watch = (SdlDragWatch){0};
    if (connection == NULL || !find_function(sdl, "XInternAtom", &intern))
        return;
    watch->enter = intern(connection, "XdndEnter", False);
    watch->leave = intern(connection, "XdndLeave", False);
    watch->drop = intern(connection, "XdndDrop", False);
    sdl->EventState(SDL_SYSWMEVENT, SDL_ENABLE);
}

SdlDrag sdl_x11_read_drag(const SdlDragWatch *watch, const SDL_Event *event) {
    if (event->type != SDL_SYSWMEVENT || event->syswm.msg->subsystem != SDL_SYSWM_X11 ||
        event->syswm.msg->msg.x11.event.type != ClientMessage)
        return SDL_DRAG_NOTHING;
    Atom kind = event->syswm.msg->msg.x11.event.xclient.message_type;
    if (kind == watch->enter)
        return SDL_DRAG_COMES;
    return kind == watch->leave || kind == watch->drop ? SDL_DRAG_GOES : SDL_DRAG_NOTHING;
}

float sdl_x11_dots_per_inch(const SdlLibrary *sdl, SDL_Window *window) {
    static const char name[] = "Xft.dpi:";
    Display *connection = find_connection(sdl, window);
    ResourceManagerString *get_resources;
    if (connection == NULL || !find_function(sdl, "XResourceManagerString", &get_resources))
        return 0;
    const char *resources = get_resources(connection);
    const char *found = resources != NULL ? strstr(resources, name) : NULL;
    return found != NULL ? strtof(found + strlen(name), NULL) : 0;
}

#else

void sdl_x11_watch_drags(const SdlLibrary *sdl, SDL_Window *window, SdlDragWatch *watch) {
    (void)sdl;
    (void)window;
    *watch = (SdlDragWatch){0};
}

SdlDrag sdl_x11_read_drag(const SdlDragWatch *watch, const SDL_Event *event) {
    (void)watch;
    (void)event;
    return SDL_DRAG_NOTHING;
}

float sdl_x11_dots_per_inch(const SdlLibrary *sdl, SDL_Window *window) {
    (void)sdl;
    (void)window;
    return 0;
}

#endif
