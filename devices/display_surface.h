/* A picture that a display adapter draws and that a window, a screenshot or a remote display shows.
 */
#ifndef REPRISE_DISPLAY_SURFACE_H
#define REPRISE_DISPLAY_SURFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct DisplaySurface {
    uint32_t width, height;
    uint32_t stride;  /* pixels from one line to the next */
    uint32_t *pixels; /* XRGB: 00RRGGBBh in host byte order */
    /* The shape of the whole picture on a screen: 4:3 for the classic modes whatever their pixels,
     * the pixel counts themselves where pixels are square. */
    uint32_t aspect_width, aspect_height;
    /* The lines that the last rendering changed. */
    uint32_t first_changed_line, changed_lines;
    /* What the pixels show, known to the adapter that drew them; 0: nothing yet. */
    uint64_t content_id;
    size_t capacity; /* pixels that fit */
} DisplaySurface;

/* Makes room for a picture of this size; an all-zero surface is empty. The content is black and
 * content_id 0 after a change of size. */
void display_surface_resize(DisplaySurface *surface, uint32_t width, uint32_t height);
void display_surface_free(DisplaySurface *surface);

/* For who draws: adds a line to those that the rendering changed. */
static inline void display_surface_line_changed(DisplaySurface *surface, uint32_t line) {
    if (surface->changed_lines == 0)
        surface->first_changed_line = line;
    surface->changed_lines = line - surface->first_changed_line + 1;
}

static inline uint32_t *display_surface_line(const DisplaySurface *surface, uint32_t line) {
    return surface->pixels + (size_t)line * surface->stride;
}

#endif
