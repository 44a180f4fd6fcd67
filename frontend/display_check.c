#include "display.h"

#include <stdlib.h>

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value != NULL && *value != '\0';
}

bool display_check(Settings *settings, Error *error) {
    if (settings->display == DISPLAY_NONE)
        return true;
#ifdef REPRISE_HAVE_SDL
    /* SDL_VIDEODRIVER names one that needs neither, "dummy" or "kmsdrm" for example. */
    if (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("SDL_VIDEODRIVER"))
        return true;
    return error_set(error, "no display to open a window on; '-display none' runs without one");
#else
    (void)is_set;
    return error_set(error, "this build has no window; '-display none' runs without one");
#endif
}
