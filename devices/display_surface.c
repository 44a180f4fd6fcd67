#include "display_surface.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

void display_surface_resize(DisplaySurface *surface, uint32_t width, uint32_t height) {
    if (surface->pixels != NULL && surface->width == width && surface->height == height)
        return;
    size_t needed = (size_t)width * height;
    if (surface->pixels == NULL || surface->capacity < needed) {
        free(surface->pixels);
        surface->pixels = allocate_zeroed(needed * sizeof surface->pixels[0]);
        surface->capacity = needed;
    } else {
        memset(surface->pixels, 0, needed * sizeof surface->pixels[0]);
    }
    surface->width = width;
    surface->height = height;
    surface->stride = width;
    surface->content_id = 0;
}

void display_surface_free(DisplaySurface *surface) {
    free(surface->pixels);
    memset(surface, 0, sizeof *surface);
}
