/* What draws in the window. Where OpenGL is the host's processor in disguise (Mesa's llvmpipe),
 * SDL's own renderer, which puts pixels into the window by shared memory, takes a quarter of the
 * time. */
#include "sdl_window.h"

#include <string.h>

#define GL_RENDERER_NAME 0x1F01

typedef const char *GetString(unsigned name);

static bool is_software_gl(const SdlLibrary *sdl) {
    static const char *const names[] = {"llvmpipe", "softpipe", "swrast", "SwiftShader"};
    void *found = sdl->GL_GetProcAddress("glGetString");
    GetString *get_string;
    memcpy(&get_string, &found, sizeof get_string);
    const char *name = get_string != NULL ? get_string(GL_RENDERER_NAME) : NULL;
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strstr(name, names[i]) != NULL)
            return true;
    return false;
}

SDL_Renderer *sdl_renderer_create(const SdlLibrary *sdl, SDL_Window *window) {
    SDL_Renderer *renderer = sdl->CreateRenderer(window, -1, 0);
    if (renderer == NULL || !is_software_gl(sdl))
        return renderer;
    /* Hints do not override what the user set in the environment. */
    sdl->DestroyRenderer(renderer);
    sdl->SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    sdl->SetHint(SDL_HINT_RENDER_DRIVER, "software");
    return sdl->CreateRenderer(window, -1, 0);
}
