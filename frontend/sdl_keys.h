/* The keys that SDL reports, as the keys of a PC keyboard: by place, whatever the host's layout. */
#ifndef REPRISE_SDL_KEYS_H
#define REPRISE_SDL_KEYS_H

#include "keyboard_keys.h"
#include <SDL.h>

/* A KEYBOARD_KEY_*, or -1 for a key that PC keyboards do not have. */
int sdl_keys_translate(SDL_Scancode scancode);

#endif
