/* The functions of SDL that the window uses, found when it is opened. */
#ifndef REPRISE_SDL_LIBRARY_H
#define REPRISE_SDL_LIBRARY_H

#include "error.h"
#include <SDL.h>
#include <stdbool.h>

/* Of SDL_syswm.h, whose X11 headers have a Display of their own. */
struct SDL_SysWMinfo;
extern DECLSPEC SDL_bool SDLCALL SDL_GetWindowWMInfo(SDL_Window *window,
                                                     struct SDL_SysWMinfo *info);

// clang-format off
#define SDL_FUNCTIONS(X) \
    X(CloseAudioDevice) X(InitSubSystem) X(JoystickInstanceID) X(JoystickOpen) X(OpenAudioDevice) X(PauseAudioDevice) \
    X(CreateRenderer) X(CreateTexture) X(CreateWindow) X(DestroyRenderer) X(DestroyTexture) X(DestroyWindow) \
    X(GL_GetProcAddress) X(GetDisplayUsableBounds) X(GetError) X(GetRendererOutputSize) X(GetClipboardText) X(SetClipboardText) X(GetWindowSize) X(free) X(GetTicks64) X(GetWindowDisplayIndex) \
    X(GetWindowFlags) X(Init) X(PollEvent) X(Quit) X(RenderClear) X(RenderCopy) X(RenderFillRect) X(RenderPresent) X(SetHint) \
    X(SetRelativeMouseMode) X(SetRenderDrawBlendMode) X(SetTextureBlendMode) X(SetTextureScaleMode) X(SetRenderDrawColor) X(SetWindowFullscreen) X(SetWindowGrab) X(ShowCursor) X(SetWindowMinimumSize) \
    X(SetWindowSize) X(SetWindowTitle) X(UpdateTexture) X(WaitEventTimeout) \
    X(EventState) X(GetWindowWMInfo) X(LoadFunction) X(LoadObject) X(UnloadObject) X(SetWindowPosition) X(GetDisplayDPI)
// clang-format on

typedef struct SdlLibrary {
#define X(name) __typeof__(SDL_##name) *name;
    SDL_FUNCTIONS(X)
#undef X
} SdlLibrary;

bool sdl_library_load(SdlLibrary *sdl, Error *error);

#endif
