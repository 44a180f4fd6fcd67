#include "screenshot.h"
#include "machine_parts.h"
#include "png_write.h"
#include "ppm_write.h"

#include <string.h>
#include <strings.h>

typedef struct Rendering {
    Machine *machine;
    DisplaySurface surface;
} Rendering;

static void render(void *opaque) {
    Rendering *rendering = opaque;
    board_render(&rendering->machine->board, &rendering->surface);
}

static bool choose_format(const char *path, const char *format, bool *png, Error *error) {
    const char *extension = strrchr(path, '.');
    *png = format != NULL ? strcmp(format, "png") == 0
                          : extension != NULL && strcasecmp(extension, ".png") == 0;
    return format == NULL || *png || strcmp(format, "ppm") == 0 ||
           error_set(error, "unknown picture format '%s'; known are png and ppm", format);
}

bool screenshot_write(Machine *machine, const char *path, const char *format, Error *error) {
    bool png;
    Rendering rendering = {.machine = machine};
    if (!choose_format(path, format, &png, error))
        return false;
    machine_call(machine, render, &rendering);
    bool good;
    if (rendering.surface.pixels == NULL)
        good = error_set(error, "there is no screen");
    else if (png)
        good = png_write(&rendering.surface, path, error);
    else
        good = ppm_write(&rendering.surface, path, error);
    display_surface_free(&rendering.surface);
    return good;
}
