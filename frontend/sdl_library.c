/* See sdl_library.h. */
#include "sdl_library.h"
#include "host_library.h"

bool sdl_library_load(SdlLibrary *sdl, Error *error) {
    static const char *const names[] = {
#define X(name) "SDL_" #name,
        SDL_FUNCTIONS(X)
#undef X
    };
    return host_library_load(REPRISE_SDL2_LIBRARY, names, sizeof(names) / sizeof(names[0]), sdl,
                             error);
}
