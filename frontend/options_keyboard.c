#include "keyboard_layouts.h"
#include "nearest_name.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static bool print_layouts(void) {
    const KeyboardLayout *layout;
    for (size_t i = 0; (layout = keyboard_layout_get(i)) != NULL; i++)
        printf("%-8s %s%s\n", keyboard_layout_name(layout), keyboard_layout_region(layout),
               i == 0 ? " (default)" : "");
    return true;
}

static bool refuse(const char *name, Error *error) {
    NearestName nearest = {.wanted = name};
    const KeyboardLayout *layout;
    for (size_t i = 0; (layout = keyboard_layout_get(i)) != NULL; i++)
        nearest_name_consider(&nearest, keyboard_layout_name(layout));
    const char *best = nearest_name_get(&nearest);
    return error_set(error, "there is no keyboard layout '%s'%s%s%s", name,
                     best != NULL ? "; did you mean '" : "", best != NULL ? best : "",
                     best != NULL ? "'?" : "; '-k help' lists them");
}

bool option_keyboard_layout(Settings *settings, const char *argument, Error *error) {
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0)
        return settings->listed = print_layouts();
    settings->machine.keyboard_layout = keyboard_layout_find(argument);
    return settings->machine.keyboard_layout != NULL || refuse(argument, error);
}
